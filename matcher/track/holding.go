package track

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// MinEntries is how many entry days a distribution needs, about a quarter's: of fewer,
// all next to each other, the quantiles would say how little is known and look as if they
// said how little can happen.
const MinEntries = 60

// holdingOf is the holding as long as a period.
var holdingOf = [fund.Periods]fund.Holding{
	fund.OneMonth:     fund.Hold1M,
	fund.ThreeMonths:  fund.Hold3M,
	fund.SixMonths:    fund.Hold6M,
	fund.TwelveMonths: fund.Hold12M,
}

// fillHoldings computes the outcomes of every holding and the worst of every period in
// every span.
//
// The result of an entry day is the total return from its NAV to the last on or before
// the same day so many months later, which must have passed by the last NAV. An entry
// after which no NAV was published by that day has no result.
func (s *series) fillHoldings(record *fund.TrackRecord, starts [fund.Spans]int) {
	n := len(s.navs)
	values := make([]fund.Ratio, 2*n)
	walk := holdings{series: s, keys: make([]int32, n), results: values[:0:n], spare: values[n:]}
	for i := range walk.keys {
		walk.keys[i] = monthKey(s.date(i))
	}
	for h := range fund.Holdings {
		worst := walk.hold(int32(h.Months()), starts)
		record.Outcomes[h] = walk.outcome(worst[fund.SinceStart])
		for p := range fund.Periods {
			if holdingOf[p] != h {
				continue
			}
			for span := range fund.Spans {
				if w := worst[span]; w.to > w.from {
					record.Spans[span].Worst[p] = fund.Figure{Value: w.value, Window: s.window(w.from, w.to), OK: true}
				}
			}
		}
	}
}

// holdings walks over all entry days, one holding after the other.
type holdings struct {
	*series
	keys    []int32      // of the NAVs' days
	results []fund.Ratio // of the holding, from the last entry day to the first
	spare   []fund.Ratio // for the sort
	window  fund.Window  // first entry to last exit
}

// result is that of one entry day, as indices of NAVs; from = to: there is none.
type result struct {
	value    fund.Ratio
	from, to int
}

// monthKeyStep is what a month adds to the key of a day of 1 to 28.
const monthKeyStep = 32

// monthKey orders days as dates do, with all months equally far apart.
func monthKey(d fund.Date) int32 {
	return int32((d.Year()*12+d.Month())*monthKeyStep + d.Day())
}

// due is the key of the same day so many months after a NAV.
func (h *holdings) due(entry int, months int32) int32 {
	if key := h.keys[entry]; key%monthKeyStep <= 28 {
		return key + months*monthKeyStep
	}
	return monthKey(h.date(entry).AddMonths(int(months)))
}

// hold collects the results of one holding and returns the worst of the entries in each
// span, the first of equals. It walks from the end: a span's entries are those walked
// over when its start is reached.
func (h *holdings) hold(months int32, starts [fund.Spans]int) (worst [fund.Spans]result) {
	h.results, h.window = h.results[:0], fund.Window{}
	exit, span := h.end(), fund.Span(0)
	last := h.keys[exit]
	least := result{value: math.MaxInt64}
	for entry := h.end(); entry >= 0; entry-- {
		if due := h.due(entry, months); due <= last {
			for h.keys[exit] > due {
				exit--
			}
			if exit > entry {
				value := fund.RatioOf(h.between(entry, exit))
				if value <= least.value {
					least = result{value, entry, exit}
				}
				if len(h.results) == 0 {
					h.window.To = h.date(exit)
				}
				h.window.From = h.date(entry)
				h.results = append(h.results, value)
			}
		}
		// Later spans start earlier or where the one before does; a start of -1 is that
		// of a span that the series does not fill.
		for span < fund.Spans && (starts[span] == entry || starts[span] < 0) {
			if starts[span] >= 0 {
				worst[span] = least
			}
			span++
		}
	}
	return worst
}

// outcome is the distribution of the results collected.
func (h *holdings) outcome(worst result) fund.Outcome {
	n := len(h.results)
	o := fund.Outcome{Entries: int32(n)}
	if n < MinEntries {
		return o
	}
	sorted := sortRatios(h.results, h.spare[:n])
	o.OK = true
	o.Window = h.window
	o.Worst, o.WorstIn = worst.value, h.series.window(worst.from, worst.to)
	o.P10, o.P25, o.Median = nearestRank(sorted, 10), nearestRank(sorted, 25), nearestRank(sorted, 50)
	o.P75, o.P90, o.Best = nearestRank(sorted, 75), nearestRank(sorted, 90), sorted[n-1]
	return o
}

// nearestRank is the value at ceil(percent*n/100), counted from 1.
func nearestRank(sorted []fund.Ratio, percent int) fund.Ratio {
	return sorted[(len(sorted)*percent+99)/100-1]
}
