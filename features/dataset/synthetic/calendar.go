package synthetic

import (
	"sort"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// lunarFirstYear is the first year of lunarHolidays.
const lunarFirstYear = 2011

// lunarHolidays gives, for each year from 2011, month and day (mmdd) of the holidays
// that follow the moon: Spring Festival, Dragon Boat, Mid-Autumn.
var lunarHolidays = [...][3]int{
	{203, 606, 912}, {123, 623, 930}, {210, 612, 919}, {131, 602, 908}, {219, 620, 927}, // 2011-2015
	{208, 609, 915}, {128, 530, 1004}, {216, 618, 924}, {205, 607, 913}, {125, 625, 1001}, // 2016-2020
	{212, 614, 921}, {201, 603, 910}, {122, 622, 929}, {210, 610, 917}, {129, 531, 1006}, // 2021-2025
	{217, 619, 925}, {206, 609, 915}, {126, 528, 1003}, {213, 616, 922}, {203, 605, 912}, // 2026-2030
	{123, 624, 1001}, {211, 612, 919}, {131, 601, 908}, {219, 620, 927}, {208, 610, 916}, // 2031-2035
	{128, 530, 1004}, {215, 618, 924}, {204, 607, 913}, {124, 527, 1002}, {212, 614, 920}, // 2036-2040
}

// isHoliday reports whether the exchanges are closed on a weekday. The State Council
// moves the days of each year a little; this is the pattern, not a notice.
func isHoliday(d fund.Date) bool {
	year, mmdd := d.Year(), d.Month()*100+d.Day()
	switch {
	case mmdd == 101, mmdd >= 501 && mmdd <= 505, mmdd >= 1001 && mmdd <= 1007:
		return true
	case onOrMonday(d, year*10000+400+qingming(year)):
		return true
	}
	lunar := lunarHolidays[year-lunarFirstYear]
	if mmdd == 1008 && lunar[2] > 1000 { // Mid-Autumn within National Day: a day more
		return true
	}
	spring := fund.Date(year*10000 + lunar[0])
	if from := d.DaysSince(spring); from >= -1 && from <= 6 {
		return true
	}
	return onOrMonday(d, year*10000+lunar[1]) || onOrMonday(d, year*10000+lunar[2])
}

// onOrMonday reports whether d is a one-day holiday, or the Monday after one that falls
// on a weekend.
func onOrMonday(d fund.Date, holiday int) bool {
	h := fund.Date(holiday)
	switch h.Weekday() {
	case time.Saturday:
		return d == h.AddDays(2)
	case time.Sunday:
		return d == h.AddDays(1)
	default:
		return d == h
	}
}

// qingming returns the day of April of the solar term 清明, by the usual approximation
// for the 21st century.
func qingming(year int) int {
	y := year % 100
	return (y*2422+48100)/10000 - y/4
}

// isOpen reports whether funds are dealt on a day.
func isOpen(d fund.Date) bool {
	w := d.Weekday()
	return w != time.Saturday && w != time.Sunday && !isHoliday(d)
}

// openDays lists the open days in [from, to).
func openDays(from, to fund.Date) []fund.Date {
	var days []fund.Date
	for d := from; d < to; d = d.AddDays(1) {
		if isOpen(d) {
			days = append(days, d)
		}
	}
	return days
}

// indexOnOrAfter returns the index of the first day that is not before d; len(days)
// when there is none.
func indexOnOrAfter(days []fund.Date, d fund.Date) int {
	return sort.Search(len(days), func(i int) bool { return days[i] >= d })
}
