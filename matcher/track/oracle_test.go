package track_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/track"
)

// The oracle computes what docs/track.md says in the plainest way, every pair of days
// against every other, and shares no code with the package.
type oracle struct {
	navs   []fund.NAV
	wealth []float64
}

func newOracle(navs []fund.NAV, asOf fund.Date) oracle {
	var o oracle
	for _, n := range navs {
		if n.Date >= asOf {
			continue
		}
		if len(o.navs) > 0 && n.Date.DaysSince(o.navs[len(o.navs)-1].Date) > 31 {
			o = oracle{}
		}
		w := 1.0
		if k := len(o.navs); k > 0 {
			w = o.wealth[k-1] + o.wealth[k-1]*(n.Accum-o.navs[k-1].Accum)/o.navs[k-1].Unit
		}
		o.navs, o.wealth = append(o.navs, n), append(o.wealth, w)
	}
	return o
}

func (o oracle) last() fund.Date { return o.navs[len(o.navs)-1].Date }

func (o oracle) windowFrom(start int) fund.Window {
	return fund.Window{From: o.navs[start].Date, To: o.last()}
}

func (o oracle) at(day fund.Date) int {
	return slices.IndexFunc(o.navs, func(n fund.NAV) bool { return n.Date == day })
}

// monthsLater is the same day so many months later or the first of the month after.
func monthsLater(d fund.Date, months int) fund.Date {
	month := time.Date(d.Year(), time.Month(d.Month()+months), 1, 0, 0, 0, 0, time.UTC)
	day := month.AddDate(0, 0, d.Day()-1)
	if day.Month() != month.Month() {
		day = month.AddDate(0, 1, 0)
	}
	return fund.Date(day.Year()*10000 + int(day.Month())*100 + day.Day())
}

// start returns the first NAV of a span of so many months (0: all), or -1.
func (o oracle) start(months int) int {
	n := len(o.navs)
	if n < 2 {
		return -1
	}
	if months == 0 {
		return 0
	}
	from := monthsLater(o.last(), -months)
	if o.navs[0].Date > from.AddDays(10) {
		return -1
	}
	start := 0
	for i, nav := range o.navs {
		if nav.Date <= from {
			start = i
		}
	}
	return start
}

func (o oracle) drawdown(start int) float64 {
	deepest := 0.0
	for i := start; i < len(o.navs); i++ {
		for j := i; j < len(o.navs); j++ {
			deepest = min(deepest, o.wealth[j]/o.wealth[i]-1)
		}
	}
	return deepest
}

// entry is one entry day's result.
type entry struct {
	window fund.Window
	value  float64
}

// entries are the results of all entry days of a span for a holding, in order.
func (o oracle) entries(start, months int) (all []entry) {
	for i := start; i < len(o.navs); i++ {
		due := monthsLater(o.navs[i].Date, months)
		if due > o.last() {
			continue
		}
		exit := i
		for j := i + 1; j < len(o.navs) && o.navs[j].Date <= due; j++ {
			exit = j
		}
		if exit > i {
			all = append(all, entry{fund.Window{From: o.navs[i].Date, To: o.navs[exit].Date}, o.wealth[exit]/o.wealth[i] - 1})
		}
	}
	return all
}

// risks are volatility, downside and, where it may be told, Sharpe.
type risks struct {
	volatility, downside, sharpe float64
	ok, sharpeOK                 bool
}

func (o oracle) risk(start int, riskFree float64) risks {
	var returns []float64
	for i := start + 1; i < len(o.navs); i++ {
		returns = append(returns, o.wealth[i]/o.wealth[i-1]-1)
	}
	n := float64(len(returns))
	if n < 60 {
		return risks{}
	}
	var sum, squares, below float64
	for _, r := range returns {
		sum += r
	}
	for _, r := range returns {
		squares += (r - sum/n) * (r - sum/n)
		if r < 0 {
			below += r * r
		}
	}
	volatility := math.Sqrt(252 * squares / (n - 1))
	first := o.navs[start].Date
	days := o.last().DaysSince(first)
	return risks{
		volatility: volatility,
		downside:   math.Sqrt(252 * below / n),
		sharpe:     (252*sum/n - riskFree) / volatility,
		ok:         true,
		sharpeOK:   monthsLater(first, 12) <= o.last() && n >= 200*float64(days)/365 && volatility >= 0.001,
	}
}

// underwater are the falls: the longest runs of days below the highest value so far.
func (o oracle) underwater() (falls []fund.Fall) {
	below := func(i int) bool { return o.wealth[i] < slices.Max(o.wealth[:i+1])*(1-1e-9) }
	for i := 0; i < len(o.wealth); i++ {
		if !below(i) {
			continue
		}
		back := i
		for back < len(o.wealth) && below(back) {
			back++
		}
		peak, trough := slices.Max(o.wealth[:i]), slices.Min(o.wealth[i:back])
		near := func(to float64) func(float64) bool {
			return func(w float64) bool { return math.Abs(w/to-1) <= 1e-9 }
		}
		f := fund.Fall{
			Depth:    fund.Ratio(math.Round((trough/peak - 1) * 1e6)),
			PeakOn:   o.navs[slices.IndexFunc(o.wealth, near(peak))].Date,
			TroughOn: o.navs[i+slices.IndexFunc(o.wealth[i:back], near(trough))].Date,
		}
		if back < len(o.wealth) {
			f.RecoveredOn = o.navs[back].Date
		}
		falls = append(falls, f)
		i = back
	}
	return falls
}

// payouts reckons in ten-thousandths of a yuan, as NAVs are published.
func (o oracle) payouts() (p fund.Payouts) {
	if len(o.navs) < 2 {
		return p
	}
	start, from := 0, monthsLater(o.last(), -36)
	for i, nav := range o.navs {
		if nav.Date <= from {
			start = i
		}
	}
	var unit, paid []int
	least := 30 // three steps of a thousandth
	for _, nav := range o.navs[start:] {
		u, a := int(math.Round(nav.Unit*1e4)), int(math.Round(nav.Accum*1e4))
		if u%10 != 0 || a%10 != 0 {
			least = 3
		}
		unit, paid = append(unit, u), append(paid, a-u)
	}
	p = fund.Payouts{OK: true, Window: o.windowFrom(start)}
	var total float64
	var grew fund.Date
	steady := paid[0]
	for i := 1; i < len(paid); i++ {
		grown, day := paid[i]-paid[i-1], o.navs[start+i].Date
		if grown < least {
			if drift := paid[i] - steady; drift >= least || drift <= -least {
				return fund.Payouts{Drifts: slices.Max(unit)-unit[0] >= least || unit[0]-slices.Min(unit) >= least}
			}
			continue
		}
		if grew != 0 && day < grew.AddDays(10) {
			return fund.Payouts{Drifts: slices.Max(unit)-unit[0] >= least || unit[0]-slices.Min(unit) >= least}
		}
		grew, steady = day, steady+grown
		size := float64(grown) / float64(unit[i-1])
		if size >= 0.5 || size >= 0.05 && unit[i] == 10_000 {
			continue
		}
		total += size
		p.Count, p.Last, p.LastSize = p.Count+1, day, fund.Ratio(math.Round(size*1e6))
	}
	p.Total = fund.Ratio(math.Round(total * 1e6))
	return p
}

// failer is what both kinds of test have.
type failer interface {
	Errorf(format string, args ...any)
}

// near allows for a value that lies on the very border of two millionths, as the oracle's
// sums run in another order; and for wealths of many digits.
func near(got fund.Ratio, want float64) bool {
	return math.Abs(float64(got)-want*1e6) <= 0.501+math.Abs(want)*1e-6
}

func checkFigure(t failer, name string, got fund.Figure, want float64, ok bool, window fund.Window) {
	switch {
	case got.OK != ok:
		t.Errorf("%s: OK %v, expected %v", name, got.OK, ok)
	case !ok && got != fund.Figure{}:
		t.Errorf("%s: %+v, expected nothing", name, got)
	case ok && (!near(got.Value, want) || got.Window != window):
		t.Errorf("%s: %+v, expected %v of %v", name, got, want, window)
	}
}

// checkWorst holds a worst result against all entries: none is worse and none before it
// as bad.
func checkWorst(t failer, name string, value fund.Ratio, window fund.Window, entries []entry) {
	for _, e := range entries {
		millionths := e.value * 1e6
		if e.window == window {
			if !near(value, e.value) {
				t.Errorf("%s: %v, its window %v has %v", name, value, window, e.value)
			}
			return
		}
		if millionths < float64(value)+0.499 {
			t.Errorf("%s: %v in %v, yet %v in %v", name, value, window, e.value, e.window)
		}
	}
	t.Errorf("%s: %v is no entry's window", name, window)
}

func (o oracle) check(t failer, record fund.TrackRecord, settings track.Settings) {
	if int(record.Observations) != len(o.navs) {
		t.Errorf("%d observations, expected %d", record.Observations, len(o.navs))
	}
	if len(o.navs) == 0 {
		return
	}
	if unit := o.navs[len(o.navs)-1].Unit; record.UnitNAV != unit {
		t.Errorf("unit NAV %v, expected %v", record.UnitNAV, unit)
	}
	if record.Series != o.windowFrom(0) || int(record.StaleDays) != record.AsOf.DaysSince(o.last()) {
		t.Errorf("series %v, stale %d days, expected %v", record.Series, record.StaleDays, o.windowFrom(0))
	}
	for span, months := range []int{12, 36, 60, 0} {
		o.checkSpan(t, fund.Span(span).String(), record.Spans[span], o.start(months), settings)
	}
	o.checkOutcomes(t, record)
	if want := o.payouts(); record.Payouts != want {
		t.Errorf("payouts %+v, expected %+v", record.Payouts, want)
	}
	o.checkFalls(t, record)
}

func (o oracle) checkSpan(t failer, name string, got fund.SpanFigures, start int, settings track.Settings) {
	if start < 0 {
		if got != (fund.SpanFigures{}) {
			t.Errorf("%s: %+v, expected nothing: the series is too short", name, got)
		}
		return
	}
	window := o.windowFrom(start)
	checkFigure(t, name+" return", got.Return, o.wealth[len(o.wealth)-1]/o.wealth[start]-1, true, window)
	checkFigure(t, name+" drawdown", got.Drawdown.Figure, o.drawdown(start), true, window)
	o.checkDays(t, name, start, got.Drawdown)
	r := o.risk(start, float64(settings.RiskFree)/10_000)
	checkFigure(t, name+" volatility", got.Volatility, r.volatility, r.ok, window)
	checkFigure(t, name+" downside", got.Downside, r.downside, r.ok, window)
	checkFigure(t, name+" Sharpe", got.Sharpe, r.sharpe, r.sharpeOK, window)
	for p, months := range []int{1, 3, 6, 12} {
		worst, entries := got.Worst[p], o.entries(start, months)
		name := fmt.Sprintf("%s worst of %d months", name, months)
		if worst.OK != (len(entries) > 0) {
			t.Errorf("%s: OK %v with %d entries", name, worst.OK, len(entries))
		}
		if worst.OK {
			checkWorst(t, name, worst.Value, worst.Window, entries)
		}
	}
}

// checkDays holds the days of a drawdown against the wealth on them.
func (o oracle) checkDays(t failer, name string, start int, d fund.Drawdown) {
	if d.Value == 0 {
		if d.PeakOn != 0 || d.TroughOn != 0 || d.RecoveredOn != 0 || d.DaysToRecover != 0 {
			t.Errorf("%s: %+v never fell", name, d)
		}
		return
	}
	peak, trough := o.at(d.PeakOn), o.at(d.TroughOn)
	if peak < start || trough <= peak || !near(d.Value, o.wealth[trough]/o.wealth[peak]-1) {
		t.Errorf("%s: %+v does not fall from peak to trough", name, d)
		return
	}
	back, until := len(o.navs), o.last()
	for i := len(o.navs) - 1; i > trough; i-- {
		if o.wealth[i] >= o.wealth[peak]*(1-1e-9) {
			back, until = i, o.navs[i].Date
		}
	}
	recovered := fund.Date(0)
	if back < len(o.navs) {
		recovered = until
	}
	if d.RecoveredOn != recovered || int(d.DaysToRecover) != until.DaysSince(d.TroughOn) {
		t.Errorf("%s: %+v, expected it back on %v", name, d, recovered)
	}
	for i := start; i < peak; i++ {
		if o.wealth[i] >= o.wealth[peak]*(1-1e-9) {
			t.Errorf("%s: %+v, yet it was as high on %v", name, d, o.navs[i].Date)
		}
	}
}

func (o oracle) checkOutcomes(t failer, record fund.TrackRecord) {
	for h, months := range []int{1, 3, 6, 12, 24, 36} {
		got, entries := record.Outcomes[h], o.entries(0, months)
		name, n := fmt.Sprintf("held %d months", months), len(entries)
		if int(got.Entries) != n || got.OK != (n >= 60) {
			t.Errorf("%s: %+v, expected %d entries", name, got, n)
		}
		if !got.OK {
			if got != (fund.Outcome{Entries: got.Entries}) {
				t.Errorf("%s: %+v, expected only the number of entries", name, got)
			}
			continue
		}
		if want := (fund.Window{From: entries[0].window.From, To: entries[n-1].window.To}); got.Window != want {
			t.Errorf("%s: %v, expected %v", name, got.Window, want)
		}
		checkWorst(t, name, got.Worst, got.WorstIn, entries)
		values := make([]float64, n)
		for i, e := range entries {
			values[i] = e.value
		}
		slices.Sort(values)
		for percent, q := range map[int]fund.Ratio{
			0: got.Worst, 10: got.P10, 25: got.P25, 50: got.Median, 75: got.P75, 90: got.P90, 100: got.Best,
		} {
			rank := 1
			for rank*100 < percent*n {
				rank++
			}
			if !near(q, values[rank-1]) {
				t.Errorf("%s: %d %% of %d are at most %v, expected %v", name, percent, n, q, values[rank-1])
			}
		}
	}
}

func (o oracle) checkFalls(t failer, record fund.TrackRecord) {
	deep := slices.DeleteFunc(o.underwater(), func(f fund.Fall) bool { return f.Depth > -100_000 })
	for len(deep) > 8 { // the shallowest goes, of equals the last
		out := 0
		for i, f := range deep {
			if f.Depth >= deep[out].Depth {
				out = i
			}
		}
		deep = slices.Delete(deep, out, out+1)
	}
	if !slices.Equal(record.Falls, deep) {
		t.Errorf("falls %v, expected %v", record.Falls, deep)
	}
}

// yuan makes a NAV of ten-thousandths.
func yuan(day fund.Date, unit, accum int) fund.NAV {
	return fund.NAV{Date: day, Unit: float64(unit) / 1e4, Accum: float64(accum) / 1e4}
}

func TestEqualToThePlainestComputation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := fund.Date(20140101).AddDays(rapid.IntRange(0, 400).Draw(t, "first"))
		n := rapid.IntRange(0, 90).Draw(t, "n")
		// Long steps reach five years with few NAVs; a few exceed a gap's length.
		longest := rapid.SampledFrom([]int{1, 3, 20, 31, 33}).Draw(t, "longest step")
		// Few sizes of changes bring values back to where they were: equal peaks and troughs.
		most := rapid.SampledFrom([]int{0, 1, 200}).Draw(t, "most")
		step := rapid.SampledFrom([]int{1, 10}).Draw(t, "published step")
		unit, accum := 10_000, 10_000
		var navs []fund.NAV
		for range n {
			navs = append(navs, yuan(day, unit, accum))
			day = day.AddDays(rapid.IntRange(1, longest).Draw(t, "step"))
			change := rapid.IntRange(-most, most).Draw(t, "change") * 10
			accum += change
			unit += change
			switch rapid.IntRange(0, 29).Draw(t, "pays") {
			case 0:
				unit -= step * rapid.IntRange(1, 200).Draw(t, "paid")
			case 1:
				unit = min(unit, 10_000)
			case 2:
				unit /= 2
			}
			if accum <= 500 || unit <= 500 {
				break
			}
		}
		asOf := day.AddDays(-rapid.IntRange(0, 100).Draw(t, "before the end"))
		settings := track.Settings{RiskFree: fund.BasisPoints(rapid.IntRange(0, 500).Draw(t, "risk-free"))}
		record, err := track.Compute(navs, asOf, settings)
		if err != nil {
			t.Fatal(err)
		}
		newOracle(navs, asOf).check(t, record, settings)
	})
}

// longSeries is a fund's life: closed days, month ends, leap days, payouts, conversions,
// rounding, sometimes a silence.
func longSeries(seed uint64) []fund.NAV {
	r := rand.New(rand.NewPCG(seed, 1)) // #nosec G404 -- a test's series
	n := 100 + r.IntN(1100)
	skip := []float64{0, 0.05, 0.5, 0.9}[r.IntN(4)]
	swing := []float64{0, 0.0005, 0.01, 0.03}[r.IntN(4)]
	step := []float64{1e3, 1e4}[r.IntN(2)]
	rounded := func(v float64) float64 { return math.Round(v*step) / step }
	unit, paid, factor := 1.0, 0.0, 1.0
	day := fund.Date(20110601).AddDays(r.IntN(800))
	var navs []fund.NAV
	for len(navs) < n && unit > 0.05 && unit < 100 {
		unit *= 1 + swing*r.NormFloat64()
		switch x := r.Float64(); {
		case x < 0.003:
			pays := 0.3 * r.Float64() * unit
			unit, paid = unit-pays, paid+pays
		case x < 0.0035:
			paid, unit = paid+unit-1, 1 // a conversion to 1, upwards or downwards
		case x < 0.0036:
			factor = 1 + 0.1*r.Float64() // from here on multiplied
		}
		if r.Float64() >= skip {
			if accum := rounded(unit*factor + paid); accum > 0.01 {
				navs = append(navs, fund.NAV{Date: day, Unit: max(rounded(unit), 0.001), Accum: accum})
			}
		}
		day = day.AddDays([]int{1, 1, 1, 1, 3}[r.IntN(5)])
		if r.IntN(2000) == 0 {
			day = day.AddDays(40)
		}
	}
	return navs
}

func TestLongSeriesEqualToThePlainestComputation(t *testing.T) {
	settings := track.Settings{RiskFree: 175}
	var figures [6]int
	for seed := range uint64(150) {
		navs := longSeries(seed)
		asOf := navs[len(navs)-1].Date.AddDays(3)
		record, err := track.Compute(navs, asOf, settings)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { newOracle(navs, asOf).check(t, record, settings) })
		for i, reached := range []bool{
			record.Spans[fund.ThreeYears].Sharpe.OK, record.Outcomes[fund.Hold36M].OK, record.Payouts.OK && record.Payouts.Count > 1,
			!record.Payouts.OK, len(record.Falls) > 1, len(record.Gaps) > 0,
		} {
			if reached {
				figures[i]++
			}
		}
	}
	if slices.Min(figures[:]) < 5 {
		t.Errorf("hardly tried: Sharpe, 36 months, payouts, unreadable payouts, falls, gaps: %v times", figures)
	}
	t.Log(figures)
}
