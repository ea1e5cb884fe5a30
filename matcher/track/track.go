// Package track computes a fund's track record from its net asset values: what the
// figures in front of a customer rest on. It looks at nothing dated on or after the day
// that it is asked about.
package track

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

const (
	// MaxGapDays is the longest silence between two NAVs of one series, in days. Chinese
	// funds publish daily; the long holidays and monthly reporters stay below it.
	MaxGapDays = 31
	// StartToleranceDays is how many days after a span's first day a series may begin and
	// still fill the span: the longest run of closed days.
	StartToleranceDays = 10

	// maxNAV and maxWealth bound what a share may cost and how far it may rise or fall
	// (its inverse), so that every ratio fits: they catch a misplaced point, no real fund.
	maxNAV    = 1e6
	maxWealth = 1e6

	// sameValue is the relative difference below which two wealths are the same. They are
	// products of returns, so a NAV that comes back to a peak may miss it in the last bit;
	// a published NAV never differs by so little.
	sameValue = 1e-9
)

// Settings are what a bank decides about the figures.
type Settings struct {
	RiskFree fund.BasisPoints // a year; what Sharpe is measured against
}

// Compute returns the track record as of a day, from NAVs in the order of their dates.
// Those dated on or after asOf are ignored, whatever their values.
//
// The return of a day is the change of the accumulated NAV over the unit NAV of the day
// before: distributions and splits are in it. Wealth is the product of the returns. A
// gap of more than 31 days cuts the series: all figures are of the part after the last.
//
// The error wraps fund.ErrInvalid and names day and value when a NAV is not positive
// and finite, out of order, or implies a loss of all or more.
func Compute(navs []fund.NAV, asOf fund.Date, settings Settings) (fund.TrackRecord, error) {
	if asOf <= 0 {
		return fund.TrackRecord{}, fmt.Errorf("%w: track record as of an unknown day, expected a date", fund.ErrInvalid)
	}
	navs, err := before(navs, asOf)
	if err != nil {
		return fund.TrackRecord{}, err
	}
	record := fund.TrackRecord{AsOf: asOf}
	if len(navs) == 0 {
		return record, nil
	}
	var start int
	record.Gaps, start = gaps(navs)
	s, err := newSeries(navs[start:])
	if err != nil {
		return fund.TrackRecord{}, err
	}
	record.Series = s.window(0, s.end())
	record.Observations = int32(len(s.navs))
	record.StaleDays = int32(asOf.DaysSince(record.Series.To))
	record.UnitNAV = s.navs[s.end()].Unit
	starts := s.starts()
	s.fillSpans(&record.Spans, starts, settings)
	s.fillHoldings(&record, starts)
	record.Payouts = s.payouts()
	record.Falls = s.falls()
	return record, nil
}

// Wealth returns what 1 put in after the last gap was worth on the days of the NAVs dated
// before asOf, distributions put back in: the series that the figures of Compute are taken
// from. Both are empty where there is no NAV. Errors are those of Compute.
func Wealth(navs []fund.NAV, asOf fund.Date) (days []fund.Date, wealth []float64, err error) {
	navs, err = before(navs, asOf)
	if err != nil || len(navs) == 0 {
		return nil, nil, err
	}
	_, start := gaps(navs)
	s, err := newSeries(navs[start:])
	if err != nil {
		return nil, nil, err
	}
	days = make([]fund.Date, len(s.navs))
	for i := range s.navs {
		days[i] = s.navs[i].Date
	}
	return days, s.wealth, nil
}

// before checks the NAVs dated before asOf and returns them.
func before(navs []fund.NAV, asOf fund.Date) ([]fund.NAV, error) {
	n := 0
	for n < len(navs) && navs[n].Date < asOf {
		if err := check(navs, n); err != nil {
			return nil, err
		}
		n++
	}
	// Of what comes later only the order is looked at: an earlier day among it would be
	// lost without a word.
	for i := n; i < len(navs); i++ {
		if navs[i].Date < asOf {
			return nil, outOfOrder(navs, i)
		}
	}
	return navs[:n], nil
}

func check(navs []fund.NAV, i int) error {
	nav := &navs[i]
	if nav.Date <= 0 {
		return fmt.Errorf("%w: NAV %d without a date, expected one", fund.ErrInvalid, i)
	}
	if i > 0 && nav.Date <= navs[i-1].Date {
		return outOfOrder(navs, i)
	}
	for _, v := range [2]struct {
		name  string
		value float64
	}{{"unit_nav", nav.Unit}, {"accum_nav", nav.Accum}} {
		if !(v.value > 0 && v.value <= maxNAV) { // false for NaN
			return fmt.Errorf("%w: %s of %s is %v, expected a number above 0 and at most %v", fund.ErrInvalid, v.name, nav.Date, v.value, maxNAV)
		}
	}
	return nil
}

func outOfOrder(navs []fund.NAV, i int) error {
	return fmt.Errorf("%w: NAV of %s after that of %s, expected dates that rise", fund.ErrInvalid, navs[i].Date, navs[i-1].Date)
}

// gaps returns the silences that cut the series and the index after the last.
func gaps(navs []fund.NAV) (found []fund.Window, start int) {
	for i := 1; i < len(navs); i++ {
		from, to := navs[i-1].Date, navs[i].Date
		if sameMonth := from/100 == to/100; sameMonth || to.DaysSince(from) <= MaxGapDays {
			continue // dates of one month need no calendar
		}
		found = append(found, fund.Window{From: from, To: to})
		start = i
	}
	return found, start
}
