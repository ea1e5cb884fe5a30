package fund

import (
	"fmt"
	"time"
)

// Date is a calendar day in Asia/Shanghai, written yyyymmdd as one number: 20150825.
// The zero value is unknown. Dates compare with < and >.
type Date int32

// The years that a date may lie in.
const (
	minYear = 1900
	maxYear = 2199
)

// shanghaiSeconds is the offset of Asia/Shanghai: UTC+8 without daylight saving since
// 1991-09-15. Funds and levels of before then do not exist, so the fixed offset is
// exact, and needs no time zone database on the host.
const shanghaiSeconds = 8 * 60 * 60

const (
	microsPerSecond = int64(1_000_000)
	microsPerDay    = 24 * 60 * 60 * microsPerSecond
)

// NewDate returns the date of a year, month and day, which must exist.
func NewDate(year, month, day int) (Date, error) {
	if year < minYear || year > maxYear || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, fmt.Errorf("%w: date %04d-%02d-%02d does not exist or lies outside %d to %d", ErrInvalid, year, month, day, minYear, maxYear)
	}
	return Date(year*10000 + month*100 + day), nil
}

// ParseDate reads YYYY-MM-DD. The empty text is unknown.
func ParseDate(s string) (Date, error) {
	if s == "" {
		return 0, nil
	}
	var n [3]int
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, fmt.Errorf("%w: %q, expected a date YYYY-MM-DD", ErrInvalid, s)
	}
	for i, part := range [3]string{s[:4], s[5:7], s[8:]} {
		for _, c := range []byte(part) {
			if c < '0' || c > '9' {
				return 0, fmt.Errorf("%w: %q, expected a date YYYY-MM-DD", ErrInvalid, s)
			}
			n[i] = n[i]*10 + int(c-'0')
		}
	}
	return NewDate(n[0], n[1], n[2])
}

// Year returns the calendar year.
func (d Date) Year() int { return int(d) / 10000 }

// Month returns the month, 1 to 12.
func (d Date) Month() int { return int(d) / 100 % 100 }

// Day returns the day of the month, 1 to 31.
func (d Date) Day() int { return int(d) % 100 }

// String returns YYYY-MM-DD, or "" when unknown.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return string(d.Append(nil))
}

// Append appends YYYY-MM-DD to dst, or nothing when unknown.
func (d Date) Append(dst []byte) []byte {
	if d == 0 {
		return dst
	}
	y, m, day := d.Year(), d.Month(), d.Day()
	return append(dst,
		byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+day/10), byte('0'+day%10))
}

// DayNumber counts days from 1970-01-01, for differences between known dates.
// Proleptic Gregorian calendar (H. Hinnant, days_from_civil).
func (d Date) DayNumber() int {
	y, m := d.Year(), d.Month()
	if m <= 2 {
		y--
		m += 12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d.Day() - 1 - 719468
}

// DateOfDay is the inverse of DayNumber, for days from 0000-03-01 to the year 9999: Neri and
// Schneider, "Euclidean affine functions and their application to calendar algorithms" (2023), with one
// division by the days of 400 years. A match turns hundreds of instants into dates.
func DateOfDay(n int) Date {
	shifted := 4*uint32(n+719468) + 3 // in quarters of days since 0000-03-01
	century, ofCentury := shifted/146097, shifted%146097/4
	product := 2939745 * uint64(4*ofCentury+3)
	year := 100*century + uint32(product>>32)
	ofYear := uint32(product) / 2939745 / 4 // from 1 March
	months := 2141*ofYear + 197913
	month, day := months>>16, months&0xffff/2141+1
	if ofYear >= 306 { // January and February are of the year after
		year++
		month -= 12
	}
	return Date(year*10000 + month*100 + day)
}

// AddDays returns the date n days later.
func (d Date) AddDays(n int) Date { return DateOfDay(d.DayNumber() + n) }

// DaysSince returns the days from an earlier known date to d.
func (d Date) DaysSince(earlier Date) int { return d.DayNumber() - earlier.DayNumber() }

// AddMonths returns the same day n months later; where that day does not exist, the
// first of the month after (29 February and a year: 1 March), so that a period never
// ends early.
func (d Date) AddMonths(n int) Date {
	months := d.Year()*12 + d.Month() - 1 + n
	y, m := months/12, months%12+1
	if d.Day() <= daysIn(y, m) {
		return Date(y*10000 + m*100 + d.Day())
	}
	return DateOfDay(Date(y*10000+m*100+daysIn(y, m)).DayNumber() + 1)
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return time.Weekday(((d.DayNumber()+4)%7 + 7) % 7) }

// Start returns the instant at which the day begins in Asia/Shanghai.
func (d Date) Start() Instant {
	if d == 0 {
		return 0
	}
	return Instant((int64(d.DayNumber())*24*60*60 - shanghaiSeconds) * microsPerSecond)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// Instant is a point in time in microseconds since 1970-01-01T00:00:00Z, the
// precision that every store keeps. The zero value is unknown; an instant of before
// 1970 or after 2199 is refused where it enters.
type Instant int64

// Forever is later than every instant that may enter: the open end of a validity.
const Forever Instant = 1<<63 - 1

// InstantOf converts a time, cutting it to microseconds.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMicro()) }

// ParseInstant reads an RFC 3339 time. The empty text is unknown.
func ParseInstant(s string) (Instant, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, fmt.Errorf("%w: %q, expected an RFC 3339 time such as 2020-06-01T10:00:00+08:00", ErrInvalid, s)
	}
	if t.Unix() <= 0 || t.Year() > maxYear {
		return 0, fmt.Errorf("%w: %q, expected a time after 1970 and before %d", ErrInvalid, s, maxYear+1)
	}
	return InstantOf(t), nil
}

// Time returns the instant as a UTC time.
func (i Instant) Time() time.Time { return time.UnixMicro(int64(i)).UTC() }

// Date returns the day in Asia/Shanghai, or the unknown date.
func (i Instant) Date() Date {
	if i == 0 {
		return 0
	}
	local := int64(i) + shanghaiSeconds*microsPerSecond
	day := local / microsPerDay
	if local < 0 && local%microsPerDay != 0 {
		day--
	}
	return DateOfDay(int(day))
}

// SinceMidnight returns the time of day in Asia/Shanghai.
func (i Instant) SinceMidnight() time.Duration {
	return time.Duration(int64(i)-int64(i.Date().Start())) * time.Microsecond
}

// Add returns the instant d later.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d.Microseconds()) }

// String returns RFC 3339 in UTC, or "" when unknown.
func (i Instant) String() string {
	switch i {
	case 0:
		return ""
	case Forever:
		return "forever"
	}
	return i.Time().Format(time.RFC3339Nano)
}
