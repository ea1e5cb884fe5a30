package track_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/track"
)

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

// The days of the crash of 2015 and around it.
var asOfDays = []fund.Date{20140630, 20150826, 20151231, 20170630}

func TestEveryRealFundEqualToThePlainestComputation(t *testing.T) {
	settings := track.Settings{RiskFree: 150}
	for code, navs := range realNAVs(t) {
		for _, asOf := range append(asOfDays, 20200601, 20230301) {
			record, err := track.Compute(navs, asOf, settings)
			if err != nil {
				t.Errorf("%s: %v", code, err)
				continue
			}
			t.Run(fmt.Sprint(code, asOf), func(t *testing.T) { newOracle(navs, asOf).check(t, record, settings) })
		}
	}
}

// TestTheCrashEqualToASecondOpinion holds fourteen funds, two of them launched after the
// crash, against what testdata/crash.py says of the same NAVs.
func TestTheCrashEqualToASecondOpinion(t *testing.T) {
	want, err := os.ReadFile("testdata/crash.golden")
	if err != nil {
		t.Fatal(err)
	}
	navs := realNAVs(t)
	var funds []string
	for line := range strings.Lines(string(want)) {
		if code, _, head := strings.Cut(line, " as of "); head && !slices.Contains(funds, code) {
			funds = append(funds, code)
		}
	}
	if len(funds) < 10 {
		t.Fatalf("%d funds, expected ten or more", len(funds))
	}
	var got strings.Builder
	for _, code := range funds {
		for _, asOf := range asOfDays {
			fmt.Fprintf(&got, "%s as of %v\n", code, asOf)
			describe(&got, compute(t, navs[code], asOf))
		}
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Error(diff)
	}
}

// describe writes a record as crash.py does.
func describe(w io.Writer, r fund.TrackRecord) {
	if r.Observations == 0 {
		fmt.Fprintln(w, "  no NAV yet")
		return
	}
	fmt.Fprintf(w, "  %s %d NAVs, %d days old, unit NAV %.4f\n", during(r.Series), r.Observations, r.StaleDays, r.UnitNAV)
	for span, figures := range r.Spans {
		describeSpan(w, fund.Span(span), figures)
	}
	for h, o := range r.Outcomes {
		months := fund.Holding(h).Months()
		if !o.OK {
			fmt.Fprintf(w, "  held %dM: %d entry days, too young\n", months, o.Entries)
			continue
		}
		fmt.Fprintf(w, "  held %dM: %d entry days %s worst %d %s then %d %d %d %d %d %d\n", months, o.Entries, during(o.Window),
			o.Worst, during(o.WorstIn), o.P10, o.P25, o.Median, o.P75, o.P90, o.Best)
	}
	fmt.Fprintf(w, "  payouts %s: %d, %d", during(r.Payouts.Window), r.Payouts.Count, r.Payouts.Total)
	if r.Payouts.Count > 0 {
		fmt.Fprintf(w, ", last %v %d", r.Payouts.Last, r.Payouts.LastSize)
	}
	fmt.Fprintln(w)
	for _, f := range r.Falls {
		fmt.Fprintf(w, "  fall %d %v %v %s\n", f.Depth, f.PeakOn, f.TroughOn, recovery(f.RecoveredOn))
	}
}

func describeSpan(w io.Writer, span fund.Span, f fund.SpanFigures) {
	if !f.Return.OK {
		fmt.Fprintf(w, "  %v: too young\n", span)
		return
	}
	d := f.Drawdown
	fmt.Fprintf(w, "  %v: %s return %d\n", span, during(f.Return.Window), f.Return.Value)
	fmt.Fprintf(w, "    drawdown %d %v %v %s %d days\n", d.Value, d.PeakOn, d.TroughOn, recovery(d.RecoveredOn), d.DaysToRecover)
	if f.Volatility.OK {
		sharpe := "too young"
		if f.Sharpe.OK {
			sharpe = strconv.Itoa(int(f.Sharpe.Value))
		}
		fmt.Fprintf(w, "    volatility %d downside %d Sharpe %s\n", f.Volatility.Value, f.Downside.Value, sharpe)
	}
	for p, worst := range f.Worst {
		if worst.OK {
			fmt.Fprintf(w, "    worst %dM %d %s\n", fund.Period(p).Months(), worst.Value, during(worst.Window))
		}
	}
}

func during(w fund.Window) string { return w.From.String() + "/" + w.To.String() }

func recovery(day fund.Date) string {
	if day == 0 {
		return "not recovered"
	}
	return day.String()
}

func TestTheFallOf2015OfARealFund(t *testing.T) {
	// The worked example of docs/track.md.
	record := compute(t, realNAVs(t)["161725"], 20200601)
	d := record.Spans[fund.SinceStart].Drawdown
	if d.Value != -360_111 || d.PeakOn != 20150615 || d.TroughOn != 20150825 || record.StaleDays != 1042 {
		t.Errorf("drawdown %v from %v to %v, expected -0.360111 from 2015-06-15 to 2015-08-25", d.Value, d.PeakOn, d.TroughOn)
	}
}

func TestAFundLaunchedAfterTheCrashSaysSo(t *testing.T) {
	navs := realNAVs(t)["001626"] // first NAV on 2015-09-01
	if got := compute(t, navs, 20150826); got.Observations != 0 || got.Spans != [fund.Spans]fund.SpanFigures{} {
		t.Errorf("it was not there: %+v", got)
	}
	got := compute(t, navs, 20151231)
	if got.Series.From != 20150901 || got.StaleDays != 1 {
		t.Errorf("series %v, %d days old", got.Series, got.StaleDays)
	}
	for _, span := range []fund.Span{fund.OneYear, fund.ThreeYears, fund.FiveYears} {
		if got.Spans[span] != (fund.SpanFigures{}) {
			t.Errorf("%v of four months: %+v", span, got.Spans[span])
		}
	}
	start := got.Spans[fund.SinceStart]
	if !start.Return.OK || start.Return.Window.From != 20150901 || start.Sharpe.OK || start.Worst[fund.SixMonths].OK {
		t.Errorf("since the start: %+v", start)
	}
	for h := fund.Hold3M; h < fund.Holdings; h++ {
		if got.Outcomes[h].OK {
			t.Errorf("held %d months: %+v", h.Months(), got.Outcomes[h])
		}
	}
	for _, f := range compute(t, navs, 20170630).Falls {
		if f.PeakOn < 20150901 {
			t.Errorf("a fall from before its start: %+v", f)
		}
	}
}

func TestPayoutsOfRealFunds(t *testing.T) {
	navs := realNAVs(t)
	for _, c := range []struct {
		code  string
		asOf  fund.Date
		ok    bool
		count int32
	}{
		{"110022", 20170630, true, 0},
		{"270023", 20170630, true, 4},
		{"310388", 20170630, true, 3},  // one of them 0.006 yuan
		{"160222", 20170630, true, 3},  // less a conversion to 1 of 37 %; three others look like payouts
		{"167301", 20170630, false, 0}, // multiplied by 1.0088, then by 1.032
		{"160127", 20140630, false, 0}, // multiplied by 0.96
		{"160127", 20170630, false, 0},
		{"165520", 20170630, false, 0},
		{"502020", 20170630, false, 0},
		{"519606", 20170630, false, 0},
	} {
		if got := compute(t, navs[c.code], c.asOf).Payouts; got.OK != c.ok || got.Count != c.count {
			t.Errorf("%s as of %v: %+v, expected %d, OK %v", c.code, c.asOf, got, c.count, c.ok)
		}
	}
	unreadable := 0
	for _, n := range navs {
		if !compute(t, n, 20170630).Payouts.OK {
			unreadable++
		}
	}
	if unreadable != 5 {
		t.Errorf("%d of 99 funds do not show payouts, expected 5", unreadable)
	}
}

func TestOneRealFundAgainstAnother(t *testing.T) {
	navs := realNAVs(t)
	record := compute(t, navs["110022"], 20170630)
	b := against(t, record, navs["110003"])
	index := compute(t, navs["110003"], 20170630)
	for _, span := range []fund.Span{fund.OneYear, fund.ThreeYears, fund.SinceStart} {
		own, other := record.Spans[span], index.Spans[span]
		if own.Return.Window != other.Return.Window {
			t.Fatalf("%v: both publish daily from the same day: %v %v", span, own.Return.Window, other.Return.Window)
		}
		if !b.Excess[span].OK || b.Excess[span].Value != own.Return.Value-other.Return.Value || b.Falls[span] != other.Drawdown.Figure {
			t.Errorf("%v: %+v %+v", span, b.Excess[span], b.Falls[span])
		}
	}
	if young := against(t, record, navs["001626"]); young.Excess[fund.ThreeYears].OK || !young.Excess[fund.OneYear].OK {
		t.Errorf("a benchmark of two years: %+v", young)
	}
}
