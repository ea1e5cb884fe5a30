package track

import (
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Against returns the distance of a record to the series that its product names as its
// benchmark, from the benchmark's NAVs in the order of their dates. It is measured over
// the very windows of the record's returns, and OK for those that the benchmark covers
// without a gap: a NAV on the first and on the last day (or, on a weekend, the last before)
// and no silence of more than 31 days between.
//
// The excess is the difference of the two rounded returns, so that the three figures of a
// text add up. The error wraps fund.ErrInvalid as Compute's does, for a NAV of the
// benchmark on or before the record's last day.
func Against(record *fund.TrackRecord, code string, benchmark []fund.NAV) (fund.Benchmark, error) {
	b := fund.Benchmark{Code: code}
	if record.Observations == 0 {
		return b, nil
	}
	navs, err := before(benchmark, record.Series.To.AddDays(1))
	if err != nil || len(navs) == 0 {
		return fund.Benchmark{Code: code}, err
	}
	_, start := gaps(navs)
	s, err := newSeries(navs[start:])
	if err != nil {
		return fund.Benchmark{Code: code}, err
	}
	for span := range fund.Spans {
		own := record.Spans[span].Return
		if !own.OK {
			continue
		}
		from, to := s.valuedOn(own.Window.From), s.valuedOn(own.Window.To)
		if from < 0 || to < 0 {
			continue
		}
		part := s.part(from, to)
		measured := fund.Figure{Window: own.Window, OK: true}
		b.Excess[span], b.Falls[span] = measured, measured
		b.Excess[span].Value = own.Value - fund.RatioOf(part.between(0, part.end()))
		b.Falls[span].Value = part.drawdown().Value
	}
	return b, nil
}

// valuedOn returns the NAV that holds on a day, or -1: that of the day, and on a weekend,
// when no exchange is open, the last before.
func (s *series) valuedOn(day fund.Date) int {
	i := s.lastOnOrBefore(day)
	if i < 0 || s.date(i) == day {
		return i
	}
	w := day.Weekday()
	if (w == time.Saturday || w == time.Sunday) && day.DaysSince(s.date(i)) <= StartToleranceDays {
		return i
	}
	return -1
}
