package track_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/track"
)

// The oracle computes what the page says in the plainest way, every pair of days against
// every other, and shares no code with the package.
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

// start returns the first NAV of a span of so many months (0: all), or -1.
func (o oracle) start(months int) int {
	n := len(o.navs)
	if n < 2 {
		return -1
	}
	if months == 0 {
		return 0
	}
	from := o.navs[n-1].Date.AddMonths(-months)
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

func (o oracle) worst(start int) (float64, bool) {
	worst, ok := math.Inf(1), false
	for i := start; i < len(o.navs); i++ {
		due := o.navs[i].Date.AddMonths(12)
		if due > o.navs[len(o.navs)-1].Date {
			continue
		}
		for j := len(o.navs) - 1; j >= i; j-- {
			if o.navs[j].Date <= due {
				worst, ok = min(worst, o.wealth[j]/o.wealth[i]-1), true
				break
			}
		}
	}
	return worst, ok
}

func (o oracle) volatility(start int) (float64, bool) {
	var returns []float64
	for i := start + 1; i < len(o.navs); i++ {
		returns = append(returns, o.wealth[i]/o.wealth[i-1]-1)
	}
	if len(returns) < 60 {
		return 0, false
	}
	var sum, squares float64
	for _, r := range returns {
		sum += r
	}
	for _, r := range returns {
		squares += math.Pow(r-sum/float64(len(returns)), 2)
	}
	return math.Sqrt(squares/float64(len(returns)-1)) * math.Sqrt(252), true
}

// near allows the last digit: the oracle rounds elsewhere.
func near(got fund.Ratio, want float64) bool {
	return math.Abs(float64(got)-want*1e6) <= 0.51+math.Abs(want)*1e-3
}

func (o oracle) check(t interface {
	Errorf(format string, args ...any)
}, record fund.TrackRecord,
) {
	if int(record.Observations) != len(o.navs) {
		t.Errorf("%d observations, expected %d", record.Observations, len(o.navs))
	}
	for span, months := range []int{12, 36, 60, 0} {
		got, start := record.Spans[span], o.start(months)
		name := fund.Span(span).String()
		if got.Return.OK != (start >= 0) || got.Drawdown.OK != (start >= 0) {
			t.Errorf("%s: OK %v, expected %v", name, got.Return.OK, start >= 0)
		}
		if start < 0 {
			continue
		}
		if want := o.wealth[len(o.wealth)-1]/o.wealth[start] - 1; !near(got.Return.Value, want) {
			t.Errorf("%s: return %v, expected %v", name, got.Return.Value, want)
		}
		if got.Return.Window.From != o.navs[start].Date {
			t.Errorf("%s: from %v, expected %v", name, got.Return.Window.From, o.navs[start].Date)
		}
		if want := o.drawdown(start); !near(got.Drawdown.Value, want) {
			t.Errorf("%s: drawdown %v, expected %v", name, got.Drawdown.Value, want)
		}
		if want, ok := o.worst(start); ok != got.Worst[fund.TwelveMonths].OK || ok && !near(got.Worst[fund.TwelveMonths].Value, want) {
			t.Errorf("%s: worst 12 months %+v, expected %v %v", name, got.Worst[fund.TwelveMonths], want, ok)
		}
		if want, ok := o.volatility(start); ok != got.Volatility.OK || ok && !near(got.Volatility.Value, want) {
			t.Errorf("%s: volatility %+v, expected %v %v", name, got.Volatility, want, ok)
		}
		o.checkDays(t, name, start, got.Drawdown)
	}
}

// checkDays holds the days of a drawdown against the wealth on them.
func (o oracle) checkDays(t interface {
	Errorf(format string, args ...any)
}, name string, start int, d fund.Drawdown,
) {
	if d.Value == 0 {
		return
	}
	at := func(day fund.Date) float64 {
		for i := start; i < len(o.navs); i++ {
			if o.navs[i].Date == day {
				return o.wealth[i]
			}
		}
		t.Errorf("%s: day %v is none of the span's", name, day)
		return math.NaN()
	}
	if !near(d.Value, at(d.TroughOn)/at(d.PeakOn)-1) || d.PeakOn >= d.TroughOn {
		t.Errorf("%s: %+v does not fall from peak to trough", name, d)
	}
	until := o.navs[len(o.navs)-1].Date
	if d.RecoveredOn != 0 {
		until = d.RecoveredOn
		if at(d.RecoveredOn) < at(d.PeakOn)*(1-1e-8) || d.RecoveredOn <= d.TroughOn {
			t.Errorf("%s: %+v has not recovered then", name, d)
		}
	}
	if int(d.DaysToRecover) != until.DaysSince(d.TroughOn) {
		t.Errorf("%s: %d days to recover, expected %d", name, d.DaysToRecover, until.DaysSince(d.TroughOn))
	}
	for i := start; i < len(o.navs); i++ {
		if day := o.navs[i].Date; day > d.TroughOn && day < until && o.wealth[i] > at(d.PeakOn)*(1+1e-8) {
			t.Errorf("%s: recovered on %v already, not on %v", name, day, until)
		}
	}
}

func TestEqualToThePlainestComputation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := fund.Date(20140101).AddDays(rapid.IntRange(0, 400).Draw(t, "first"))
		n := rapid.IntRange(0, 90).Draw(t, "n")
		// Long steps reach five years with few NAVs; a few exceed a gap's length.
		longest := rapid.SampledFrom([]int{3, 20, 31, 33}).Draw(t, "longest step")
		unit, accum := 1.0, 1.0
		var navs []fund.NAV
		for range n {
			navs = append(navs, fund.NAV{Date: day, Unit: unit, Accum: accum})
			day = day.AddDays(rapid.IntRange(1, longest).Draw(t, "step"))
			change := unit * float64(rapid.IntRange(-200, 200).Draw(t, "per mille")) / 1000
			accum += change
			unit += change
			if rapid.IntRange(0, 9).Draw(t, "pays") == 0 && unit > 0.2 {
				unit -= 0.1
			}
			if accum <= 0.05 || unit <= 0.05 {
				break
			}
		}
		asOf := day.AddDays(-rapid.IntRange(0, 100).Draw(t, "before the end"))
		record, err := track.Compute(navs, asOf, track.Settings{RiskFree: 150})
		if err != nil {
			t.Fatal(err)
		}
		newOracle(navs, asOf).check(t, record)
	})
}

// realNAVs reads the NAVs of the reference data by product, in the file's order.
func realNAVs(tb testing.TB) map[string][]fund.NAV {
	tb.Helper()
	f, err := os.Open("../../../shared/data/cn-funds/nav.csv.gz")
	if err != nil {
		tb.Skip("../shared/data/cn-funds/nav.csv.gz is not there")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	navs := map[string][]fund.NAV{}
	lines := bufio.NewScanner(z)
	lines.Scan() // header
	for lines.Scan() {
		cell := strings.Split(lines.Text(), ",")
		day, err := fund.ParseDate(cell[1])
		if err != nil {
			tb.Fatal(err)
		}
		unit, _ := strconv.ParseFloat(cell[2], 64)
		accum, _ := strconv.ParseFloat(cell[3], 64)
		navs[cell[0]] = append(navs[cell[0]], fund.NAV{Date: day, Unit: unit, Accum: accum})
	}
	return navs
}

func TestTheFallOf2015OfARealFund(t *testing.T) {
	const asOf = 20200601
	navs := realNAVs(t)["161725"]
	record := compute(t, navs, asOf)
	d := record.Spans[fund.SinceStart].Drawdown
	if d.Value != -360_111 || d.PeakOn != 20150615 || d.TroughOn != 20150825 {
		t.Errorf("drawdown %v from %v to %v, expected -0.360111 from 2015-06-15 to 2015-08-25", d.Value, d.PeakOn, d.TroughOn)
	}
	newOracle(navs, asOf).check(t, record)
	t.Logf("%+v", record)
}

func TestEveryRealFund(t *testing.T) {
	for code, navs := range realNAVs(t) {
		for _, asOf := range []fund.Date{20150901, 20171231} {
			record, err := track.Compute(navs, asOf, track.Settings{RiskFree: 150})
			if err != nil {
				t.Errorf("%s: %v", code, err)
				continue
			}
			t.Run(fmt.Sprint(code, asOf), func(t *testing.T) { newOracle(navs, asOf).check(t, record) })
		}
	}
}

func BenchmarkCompute(b *testing.B) {
	navs := make([]fund.NAV, 0, 1250)
	v := 1.0
	for day := fund.Date(20150101); len(navs) < cap(navs); day = day.AddDays(1) {
		if w := day.Weekday(); w == 0 || w == 6 {
			continue
		}
		navs = append(navs, fund.NAV{Date: day, Unit: v, Accum: v})
		v *= 1 + 0.02*math.Sin(float64(len(navs)))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := track.Compute(navs, 20250101, track.Settings{RiskFree: 150}); err != nil {
			b.Fatal(err)
		}
	}
}
