package track

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

const (
	// MinReturns is how many daily returns a volatility needs.
	MinReturns = 60
	// SharpeReturnsAYear is how dense a series must be for a Sharpe ratio: the mean of
	// weekly returns taken 252 times would flatter the fund twofold.
	SharpeReturnsAYear = 200
	// SharpeMinVolatility is the least volatility that a Sharpe ratio divides by. NAVs are
	// published to 0.0001 yuan; at one yuan a share the rounding alone makes 0.065 % a year.
	SharpeMinVolatility = 0.001

	tradingDays = 252 // in a year
)

// spanMonths are the lengths of the spans; SinceStart has none.
var spanMonths = [fund.Spans]int{fund.OneYear: 12, fund.ThreeYears: 36, fund.FiveYears: 60}

// starts returns the NAV that each span begins with, or -1.
func (s *series) starts() (starts [fund.Spans]int) {
	for span := range fund.Spans {
		starts[span] = s.startOf(span)
	}
	return starts
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

// fillSpans computes return, risk and drawdown of every span that the series reaches
// back for.
func (s *series) fillSpans(spans *[fund.Spans]fund.SpanFigures, starts [fund.Spans]int, settings Settings) {
	for span, start := range starts {
		if start < 0 {
			continue
		}
		figures := &spans[span]
		part := s.part(start, s.end())
		figures.Return = part.figure(part.between(0, part.end()))
		figures.Drawdown = part.drawdown()
		part.risk(figures, settings)
	}
}

// figure is a measured value over the whole series.
func (s *series) figure(value float64) fund.Figure {
	return fund.Figure{Value: fund.RatioOf(value), Window: s.window(0, s.end()), OK: true}
}

// risk fills in what the daily returns say.
//
// Volatility is their sample standard deviation (n-1), times the square root of 252.
// Downside is the root of the mean over all n of the squared returns below 0, times the
// same (the target semideviation of F. Sortino and R. van der Meer, Downside Risk, 1991,
// with a target of 0). Sharpe is the mean times 252 less the risk-free rate, over the
// volatility (W. Sharpe, The Sharpe Ratio, 1994).
func (s *series) risk(figures *fund.SpanFigures, settings Settings) {
	n := float64(s.end())
	if n < MinReturns {
		return
	}
	returns := s.returns[1:]
	sum := 0.0
	for _, r := range returns {
		sum += r
	}
	mean := sum / n
	squares, below := 0.0, 0.0
	for _, r := range returns {
		d := r - mean
		squares += float64(d * d)
		r = min(r, 0)
		below += float64(r * r)
	}
	volatility := math.Sqrt(squares/(n-1)) * math.Sqrt(tradingDays)
	figures.Volatility = s.figure(volatility)
	figures.Downside = s.figure(math.Sqrt(below/n) * math.Sqrt(tradingDays))
	if volatility >= SharpeMinVolatility && s.isDailyYear() {
		excess := float64(mean*tradingDays) - float64(settings.RiskFree)/10_000
		figures.Sharpe = s.figure(excess / volatility)
	}
}

// isDailyYear reports whether the series lasts a whole year and is dense enough to take
// its returns for daily ones: nothing shorter is annualised (W01).
func (s *series) isDailyYear() bool {
	first, last := s.date(0), s.date(s.end())
	return first.AddMonths(12) <= last && s.end()*365 >= SharpeReturnsAYear*last.DaysSince(first)
}
