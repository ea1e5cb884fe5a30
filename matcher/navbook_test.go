package matcher_test

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// navBook computes what docs/track.md says of one series in the plainest way. It shares no
// code with matcher/track.
type navBook struct {
	day    fund.Date
	navs   []fund.NAV // after the last gap
	wealth []float64
	gaps   []fund.Window
}

func newNAVBook(navs []fund.NAV, day fund.Date) *navBook {
	b := &navBook{day: day}
	for _, n := range navs {
		if n.Date >= day {
			break
		}
		if k := len(b.navs); k > 0 && n.Date.DaysSince(b.navs[k-1].Date) > 31 {
			b.gaps = append(b.gaps, fund.Window{From: b.navs[k-1].Date, To: n.Date})
			b.navs, b.wealth = nil, nil
		}
		w := 1.0
		if k := len(b.navs); k > 0 {
			w = b.wealth[k-1] * (1 + (n.Accum-b.navs[k-1].Accum)/b.navs[k-1].Unit)
		}
		b.navs, b.wealth = append(b.navs, n), append(b.wealth, w)
	}
	return b
}

func (b *navBook) last() fund.Date { return b.navs[len(b.navs)-1].Date }

func (b *navBook) stale() int32 {
	if len(b.navs) == 0 {
		return 0
	}
	return int32(b.day.DaysSince(b.last()))
}

func (b *navBook) window(start int) fund.Window {
	if start < 0 || len(b.navs) == 0 {
		return fund.Window{}
	}
	return fund.Window{From: b.navs[start].Date, To: b.last()}
}

// monthsLater is the same day so many months later, or the first of the month after.
func monthsLater(d fund.Date, months int) fund.Date {
	month := time.Date(d.Year(), time.Month(d.Month()+months), 1, 0, 0, 0, 0, time.UTC)
	day := month.AddDate(0, 0, d.Day()-1)
	if day.Month() != month.Month() {
		day = month.AddDate(0, 1, 0)
	}
	return fund.Date(day.Year()*10_000 + int(day.Month())*100 + day.Day())
}

// start is the place of the first NAV of a span of so many months (0: all); -1: too short.
func (b *navBook) start(months int) int {
	switch {
	case len(b.navs) < 2:
		return -1
	case months == 0:
		return 0
	}
	from := monthsLater(b.last(), -months)
	if b.navs[0].Date > from.AddDays(10) {
		return -1
	}
	start := 0
	for i := range b.navs {
		if b.navs[i].Date <= from {
			start = i
		}
	}
	return start
}

// showable: of less than six months nothing is shown.
func (b *navBook) showable() bool {
	return len(b.navs) > 1 && b.navs[0].Date.AddMonths(6) <= b.last()
}

// deepest is the deepest fall from a start on; the places of its days, -1: none.
type deepest struct {
	value               float64
	peak, trough, again int
	days                int
}

const sameWealth = 1e-9

func (b *navBook) fall(start int) deepest {
	d, peak := deepest{peak: -1, trough: -1, again: -1}, start
	for i := start; i < len(b.wealth); i++ {
		if b.wealth[i] > b.wealth[peak]*(1+sameWealth) {
			peak = i
		}
		if f := b.wealth[i]/b.wealth[peak] - 1; f < -sameWealth && f < d.value-sameWealth {
			d.value, d.peak, d.trough = f, peak, i
		}
	}
	if d.trough < 0 {
		return d
	}
	end := b.last()
	for i := d.trough; i < len(b.wealth); i++ {
		if b.wealth[i] >= b.wealth[d.peak]*(1-sameWealth) {
			d.again, end = i, b.navs[i].Date
			break
		}
	}
	d.days = end.DaysSince(b.navs[d.trough].Date)
	return d
}

// result is that of one past entry day.
type result struct {
	window fund.Window
	value  float64
}

// results are those of all entry days from a start on whose holding has passed.
func (b *navBook) results(start, months int) (all []result) {
	exit := start
	for i := start; i >= 0 && i < len(b.navs); i++ {
		due := monthsLater(b.navs[i].Date, months)
		if due > b.last() {
			continue
		}
		for exit+1 < len(b.navs) && b.navs[exit+1].Date <= due {
			exit++
		}
		if exit > i {
			all = append(all, result{fund.Window{From: b.navs[i].Date, To: b.navs[exit].Date}, b.wealth[exit]/b.wealth[i] - 1})
		}
	}
	return all
}

// worst is the least of results; of equals, to the millionth, the claimed window's.
func worst(all []result, claimed fund.Window) result {
	least := slices.MinFunc(all, func(a, b result) int { return cmp.Compare(a.value, b.value) })
	for _, r := range all {
		if r.window == claimed && math.Abs(r.value-least.value) < 1.1e-6 {
			return r
		}
	}
	return least
}

// quantile is the nearest rank.
func quantile(all []result, percent int) float64 {
	values := make([]float64, 0, len(all))
	for _, r := range all {
		values = append(values, r.value)
	}
	slices.Sort(values)
	return values[(percent*len(values)+99)/100-1]
}

// volatility is that of the daily returns from a start on; false: fewer than sixty.
func (b *navBook) volatility(start int) (float64, bool) {
	n, sum, squares := float64(len(b.wealth)-start-1), 0.0, 0.0
	for i := start + 1; i < len(b.wealth); i++ {
		sum += b.wealth[i]/b.wealth[i-1] - 1
	}
	for i := start + 1; i < len(b.wealth); i++ {
		r := b.wealth[i]/b.wealth[i-1] - 1 - sum/n
		squares += r * r
	}
	return math.Sqrt(252 * squares / (n - 1)), n >= 60
}

// falls are those of a tenth and more, the eight deepest, by peak.
func (b *navBook) falls() (all []fund.Fall) {
	if len(b.navs) > 1 && b.drifts() {
		return nil // its figures cannot be trusted
	}
	for peak := 0; peak < len(b.wealth); peak++ {
		trough, back := peak, peak+1
		for back < len(b.wealth) && b.wealth[back] < b.wealth[peak]*(1-sameWealth) {
			if b.wealth[back] < b.wealth[trough]*(1-sameWealth) {
				trough = back
			}
			back++
		}
		if depth := math.Round((b.wealth[trough]/b.wealth[peak] - 1) * 1e6); depth <= -100_000 {
			first := slices.IndexFunc(b.wealth, func(w float64) bool { return math.Abs(w/b.wealth[peak]-1) <= sameWealth })
			f := fund.Fall{Depth: fund.Ratio(depth), PeakOn: b.navs[first].Date, TroughOn: b.navs[trough].Date}
			if back < len(b.wealth) {
				f.RecoveredOn = b.navs[back].Date
			}
			all = append(all, f)
		}
		peak = max(peak, back-1)
	}
	slices.SortStableFunc(all, func(a, b fund.Fall) int { return cmp.Compare(a.Depth, b.Depth) })
	all = all[:min(len(all), 8)]
	slices.SortFunc(all, func(a, b fund.Fall) int { return cmp.Compare(a.PeakOn, b.PeakOn) })
	return all
}

// drifts reports whether, within the last 36 months, accumulated and unit NAV move apart or
// together as payouts never do, falling back or growing twice within ten days, while the
// unit NAV moves: a fund whose publisher multiplies.
func (b *navBook) drifts() bool {
	start, _ := b.payouts()
	moves, odd := false, false
	level, grew := b.navs[start].Accum-b.navs[start].Unit, fund.Date(0)
	for _, v := range b.navs[start:] {
		gap := v.Accum - v.Unit
		moves = moves || math.Abs(v.Unit-b.navs[start].Unit) > .00025
		odd = odd || gap < level-.00025
		if gap > level+.00025 {
			odd = odd || grew != 0 && v.Date < grew.AddDays(10)
			grew, level = v.Date, gap
		}
	}
	return moves && odd
}

// payout is one distribution as the values show it.
type payout struct {
	on   fund.Date
	size float64
}

// payouts are those of the last 36 months and the window's first place. It reads series
// that add distributions up, as those of furnish do.
func (b *navBook) payouts() (start int, all []payout) {
	start = max(0, b.start(36))
	for i := start + 1; i < len(b.navs); i++ {
		before, now := b.navs[i-1], b.navs[i]
		if grew := (now.Accum - now.Unit) - (before.Accum - before.Unit); grew > .00025 {
			all = append(all, payout{now.Date, grew / before.Unit})
		}
	}
	return start, all
}
