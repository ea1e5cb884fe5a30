// Package track computes a fund's track record from its net asset values: what the
// figures in front of a customer rest on. It looks at nothing dated on or after the day
// that it is asked about.
package track

import (
	"fmt"
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

const (
	// MaxGapDays is the longest silence between two NAVs of one series, in days. Chinese
	// funds publish daily; the long holidays and monthly reporters stay below it.
	MaxGapDays = 31
	// StartToleranceDays is how many days after a span's first day a series may begin and
	// still fill the span: the longest run of closed days.
	StartToleranceDays = 10
	// MinReturns is how many daily returns a volatility needs.
	MinReturns = 60

	tradingDays = 252 // in a year
	worstMonths = 12

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
func Compute(navs []fund.NAV, asOf fund.Date, _ Settings) (fund.TrackRecord, error) {
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
	last := s.date(s.end())
	record.Series = fund.Window{From: s.date(0), To: last}
	record.Observations = int32(len(s.navs))
	record.StaleDays = int32(asOf.DaysSince(last))
	s.fill(&record.Spans)
	return record, nil
}

// Against returns the distance of a record to the series that its product names as its
// benchmark, from the benchmark's NAVs in the order of their dates. It is measured over
// the very windows of the record's returns.
//
// The error wraps fund.ErrInvalid as Compute's does, for a NAV of the benchmark.
func Against(_ *fund.TrackRecord, code string, _ []fund.NAV) (fund.Benchmark, error) {
	return fund.Benchmark{Code: code}, nil
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
	previous := navs[0].Date.DayNumber()
	for i := 1; i < len(navs); i++ {
		day := navs[i].Date.DayNumber()
		if day-previous > MaxGapDays {
			found = append(found, fund.Window{From: navs[i-1].Date, To: navs[i].Date})
			start = i
		}
		previous = day
	}
	return found, start
}

// series is NAVs without a gap, and their wealth: what 1 put in on the first day is
// worth, distributions put back in.
type series struct {
	navs   []fund.NAV
	wealth []float64
}

func newSeries(navs []fund.NAV) (series, error) {
	s := series{navs: navs, wealth: make([]float64, len(navs))}
	s.wealth[0] = 1
	for i := 1; i < len(navs); i++ {
		w := s.wealth[i-1] * (1 + s.dayReturn(i))
		if !(w >= 1/maxWealth && w <= maxWealth) {
			return series{}, fmt.Errorf("%w: accum_nav of %s is %v after %v with a unit_nav of %v: wealth comes to %v, expected %v to %v",
				fund.ErrInvalid, navs[i].Date, navs[i].Accum, navs[i-1].Accum, navs[i-1].Unit, w, 1/maxWealth, maxWealth)
		}
		s.wealth[i] = w
	}
	return s, nil
}

func (s *series) dayReturn(i int) float64 {
	return (s.navs[i].Accum - s.navs[i-1].Accum) / s.navs[i-1].Unit
}

func (s *series) end() int             { return len(s.navs) - 1 }
func (s *series) date(i int) fund.Date { return s.navs[i].Date }

func (s *series) window(from, to int) fund.Window {
	return fund.Window{From: s.date(from), To: s.date(to)}
}

// between is the total return from one NAV to another.
func (s *series) between(from, to int) float64 { return s.wealth[to]/s.wealth[from] - 1 }

// spanMonths are the lengths of the spans; SinceStart has none.
var spanMonths = [fund.Spans]int{fund.OneYear: 12, fund.ThreeYears: 36, fund.FiveYears: 60}

// fill computes the figures of every span that the series reaches back for.
func (s *series) fill(spans *[fund.Spans]fund.SpanFigures) {
	var starts [fund.Spans]int
	for span := range fund.Spans {
		starts[span] = s.startOf(span)
		if start := starts[span]; start >= 0 {
			spans[span] = s.figures(start)
		}
	}
	s.worst(starts, spans)
}

// startOf returns the NAV that a span begins with: the last on or before its first day,
// or the series' first where that follows within the tolerance; -1 when the series is
// too short.
func (s *series) startOf(span fund.Span) int {
	if s.end() == 0 {
		return -1
	}
	months := spanMonths[span]
	if months == 0 {
		return 0
	}
	from := s.date(s.end()).AddMonths(-months)
	if s.date(0) > from.AddDays(StartToleranceDays) {
		return -1
	}
	return max(s.lastOnOrBefore(from), 0)
}

// lastOnOrBefore returns the index of the last NAV on or before a day, or -1.
func (s *series) lastOnOrBefore(day fund.Date) int {
	lo, hi := 0, len(s.navs)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if s.date(mid) <= day {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

func (s *series) figures(start int) fund.SpanFigures {
	window := s.window(start, s.end())
	return fund.SpanFigures{
		Return:     fund.Figure{Value: fund.RatioOf(s.between(start, s.end())), Window: window, OK: true},
		Volatility: s.volatility(start),
		Drawdown:   s.drawdown(start),
	}
}

// volatility is the sample standard deviation of the daily returns (n-1), times the
// square root of 252.
func (s *series) volatility(start int) fund.Figure {
	n := s.end() - start
	if n < MinReturns {
		return fund.Figure{}
	}
	sum := 0.0
	for i := start + 1; i < len(s.navs); i++ {
		sum += s.dayReturn(i)
	}
	mean := sum / float64(n)
	squares := 0.0
	for i := start + 1; i < len(s.navs); i++ {
		d := s.dayReturn(i) - mean
		squares += float64(d * d)
	}
	value := math.Sqrt(squares/float64(n-1)) * math.Sqrt(tradingDays)
	return fund.Figure{Value: fund.RatioOf(value), Window: s.window(start, s.end()), OK: true}
}

// drawdown is the deepest fall from a peak, the first of equals, counted from the first
// day at that peak. A span that never fell
// has a drawdown of 0 without days.
func (s *series) drawdown(start int) fund.Drawdown {
	d := fund.Drawdown{Figure: fund.Figure{Window: s.window(start, s.end()), OK: true}}
	deepest, peak, peakAt := 0.0, s.wealth[start], start
	trough, troughPeak := -1, 0.0
	for i := start + 1; i < len(s.navs); i++ {
		w := s.wealth[i]
		if w > peak && !isSame(w, peak) {
			peak, peakAt = w, i
			continue
		}
		if fall := w/peak - 1; fall < deepest-sameValue {
			deepest, trough, troughPeak = fall, i, peak
			d.PeakOn = s.date(peakAt)
		}
	}
	if trough < 0 {
		return d
	}
	d.Value = fund.RatioOf(deepest)
	d.TroughOn = s.date(trough)
	back := s.end()
	for i := trough + 1; i < len(s.navs); i++ {
		if w := s.wealth[i]; isSame(w, troughPeak) || w > troughPeak {
			d.RecoveredOn = s.date(i)
			back = i
			break
		}
	}
	d.DaysToRecover = int32(s.date(back).DaysSince(d.TroughOn))
	return d
}

func isSame(a, b float64) bool { return math.Abs(a-b) <= float64(sameValue*b) }

// worst fills in every span's worst 12 months: the least total return from a NAV of the
// span to the last on or before the same day twelve months later, which must have passed
// by the last NAV; the first of equals. One walk from the end serves all spans.
func (s *series) worst(starts [fund.Spans]int, spans *[fund.Spans]fund.SpanFigures) {
	last := s.date(s.end())
	least, from, to := math.Inf(1), -1, 0
	j := s.end()
	for i := s.end(); i >= 0; i-- {
		if due := s.date(i).AddMonths(worstMonths); due <= last {
			for s.date(j) > due {
				j--
			}
			if r := s.between(i, j); r <= least {
				least, from, to = r, i, j
			}
		}
		for span := range fund.Spans {
			if starts[span] == i && from >= 0 {
				spans[span].Worst[fund.TwelveMonths] = fund.Figure{Value: fund.RatioOf(least), Window: s.window(from, to), OK: true}
			}
		}
	}
}
