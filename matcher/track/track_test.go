package track_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/track"
)

func nav(day fund.Date, unit, accum float64) fund.NAV {
	return fund.NAV{Date: day, Unit: unit, Accum: accum}
}

// plain makes NAVs of a fund that distributes nothing, a day each.
func plain(first fund.Date, values ...float64) []fund.NAV {
	navs := make([]fund.NAV, len(values))
	for i, v := range values {
		navs[i] = fund.NAV{Date: first.AddDays(i), Unit: v, Accum: v}
	}
	return navs
}

func compute(t *testing.T, navs []fund.NAV, asOf fund.Date) fund.TrackRecord {
	t.Helper()
	r, err := track.Compute(navs, asOf, track.Settings{RiskFree: 150})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAShortSeriesHasOnlyFiguresSinceItsStart(t *testing.T) {
	got := compute(t, plain(20200101, 1.00, 1.10, 0.88, 0.99, 1.10, 1.21), 20200110)
	window := fund.Window{From: 20200101, To: 20200106}
	want := fund.TrackRecord{AsOf: 20200110, Series: window, Observations: 6, StaleDays: 4, UnitNAV: 1.21}
	want.Payouts = fund.Payouts{OK: true, Window: window}
	want.Falls = []fund.Fall{{Depth: -200_000, PeakOn: 20200102, TroughOn: 20200103, RecoveredOn: 20200105}}
	want.Spans[fund.SinceStart] = fund.SpanFigures{
		Return: fund.Figure{Value: 210_000, Window: window, OK: true},
		Drawdown: fund.Drawdown{
			Figure: fund.Figure{Value: -200_000, Window: window, OK: true},
			PeakOn: 20200102, TroughOn: 20200103, RecoveredOn: 20200105, DaysToRecover: 2,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDistributionsAndSplitsAreInTheReturn(t *testing.T) {
	for _, c := range []struct {
		name string
		navs []fund.NAV
		want fund.Ratio
	}{
		{
			// 0.20 is paid out of 1.20: the unit NAV falls, the holder has lost nothing,
			// and the 10 % of the next day are earned on what is left.
			"distribution",
			[]fund.NAV{nav(20200101, 1.00, 1.00), nav(20200102, 1.20, 1.20), nav(20200103, 1.00, 1.20), nav(20200106, 1.10, 1.30)},
			320_000, // 1.2 * 1.0 * 1.1 - 1
		},
		{
			// One share becomes two: the unit NAV halves, the accumulated one goes on.
			"split",
			[]fund.NAV{nav(20200101, 2.00, 2.00), nav(20200102, 1.00, 2.00), nav(20200103, 1.10, 2.10)},
			100_000,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := compute(t, c.navs, 20200201).Spans[fund.SinceStart]
			if got.Return.Value != c.want || got.Drawdown.Value != 0 || got.Drawdown.PeakOn != 0 {
				t.Errorf("return %v, drawdown %+v, expected %v and no fall", got.Return.Value, got.Drawdown, c.want)
			}
		})
	}
}

func TestDrawdown(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		want   fund.Drawdown
	}{
		{"not recovered: counted to the end", []float64{1, 2, 1, 1.5, 1.9}, fund.Drawdown{
			Figure: fund.Figure{Value: -500_000}, PeakOn: 20200102, TroughOn: 20200103, DaysToRecover: 2,
		}},
		{"the first day at the peak", []float64{1, 2, 1.9, 2, 1.8, 2}, fund.Drawdown{
			Figure: fund.Figure{Value: -100_000}, PeakOn: 20200102, TroughOn: 20200105, RecoveredOn: 20200106, DaysToRecover: 1,
		}},
		{"the first day at the trough", []float64{2, 1, 1, 1, 3}, fund.Drawdown{
			Figure: fund.Figure{Value: -500_000}, PeakOn: 20200101, TroughOn: 20200102, RecoveredOn: 20200105, DaysToRecover: 3,
		}},
		{"the first of two as deep", []float64{10, 9, 10, 9, 10}, fund.Drawdown{
			Figure: fund.Figure{Value: -100_000}, PeakOn: 20200101, TroughOn: 20200102, RecoveredOn: 20200103, DaysToRecover: 1,
		}},
		{"a later, deeper one from a lower peak", []float64{10, 9, 9.5, 8, 10, 12, 6}, fund.Drawdown{
			Figure: fund.Figure{Value: -500_000}, PeakOn: 20200106, TroughOn: 20200107,
		}},
		{"back at the peak, up to the last bit", []float64{1.0031, 0.9017, 1.0031}, fund.Drawdown{
			Figure: fund.Figure{Value: -101_087}, PeakOn: 20200101, TroughOn: 20200102, RecoveredOn: 20200103, DaysToRecover: 1,
		}},
		{"only rising", []float64{1, 2, 2, 3}, fund.Drawdown{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := compute(t, plain(20200101, c.values...), 20200201).Spans[fund.SinceStart].Drawdown
			c.want.OK = true
			c.want.Window = fund.Window{From: 20200101, To: fund.Date(20200100 + len(c.values))}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// steps makes NAVs on a list of days, each the one before plus so many per mille in turn.
func steps(days []fund.Date, perMille ...float64) []fund.NAV {
	navs := make([]fund.NAV, len(days))
	v := 1.0
	for i, d := range days {
		navs[i] = fund.NAV{Date: d, Unit: v, Accum: v}
		v *= 1 + perMille[i%len(perMille)]/1000
	}
	return navs
}

func daysFrom(first fund.Date, n int) []fund.Date {
	days := make([]fund.Date, n)
	for i := range days {
		days[i] = first.AddDays(i)
	}
	return days
}

func TestASpanNeedsASeriesThatReachesBack(t *testing.T) {
	last := fund.Date(20210601)
	for _, c := range []struct {
		first fund.Date
		from  fund.Date // of the year's window; unknown: not OK
		worst bool      // whole twelve months lie within
	}{
		{20200501, 20200601, true},
		{20200601, 20200601, true},
		{20200602, 20200602, false},
		{20200611, 20200611, false},
		{20200612, 0, false},
	} {
		t.Run(c.first.String(), func(t *testing.T) {
			r := compute(t, steps(daysFrom(c.first, last.DaysSince(c.first)+1), 1), 20210602)
			year := r.Spans[fund.OneYear]
			want := fund.Figure{OK: c.from != 0}
			if want.OK {
				want.Window = fund.Window{From: c.from, To: last}
			}
			year.Return.Value = 0
			if diff := cmp.Diff(want, year.Return); diff != "" {
				t.Error(diff)
			}
			if year.Worst[fund.TwelveMonths].OK != c.worst || year.Drawdown.OK != want.OK || year.Volatility.OK != want.OK {
				t.Errorf("worst 12 months, drawdown, volatility: %v %v %v", year.Worst[fund.TwelveMonths].OK, year.Drawdown.OK, year.Volatility.OK)
			}
			if r.Spans[fund.ThreeYears].Return.OK || !r.Spans[fund.SinceStart].Return.OK {
				t.Error("three years are not there, the time since the start is")
			}
		})
	}
}

func TestTheSpanBeginsWithTheLastNAVOnOrBeforeItsFirstDay(t *testing.T) {
	days := []fund.Date{20200515, 20200529, 20200602}
	days = append(days, daysFrom(20200603, 364)...) // to 2021-06-01
	got := compute(t, steps(days, 1), 20210602).Spans[fund.OneYear].Return.Window
	if want := (fund.Window{From: 20200529, To: 20210601}); got != want {
		t.Errorf("window %v, expected %v", got, want)
	}
}

func TestAGapCutsTheSeries(t *testing.T) {
	before := plain(20200101, 1, 5, 1)
	for _, c := range []struct {
		days int
		cut  bool
	}{{31, false}, {32, true}} {
		after := plain(fund.Date(20200103).AddDays(c.days), 2, 3)
		got := compute(t, slices.Concat(before, after), 20210101)
		if !c.cut {
			if got.Gaps != nil || got.Observations != 5 {
				t.Errorf("%d days: gaps %v, %d observations", c.days, got.Gaps, got.Observations)
			}
			continue
		}
		gap := fund.Window{From: 20200103, To: after[0].Date}
		if diff := cmp.Diff([]fund.Window{gap}, got.Gaps); diff != "" {
			t.Error(diff)
		}
		figures := got.Spans[fund.SinceStart]
		if got.Observations != 2 || got.Series.From != after[0].Date || figures.Return.Value != 500_000 || figures.Drawdown.Value != 0 {
			t.Errorf("after the gap: %+v, return %v, drawdown %v", got.Series, figures.Return.Value, figures.Drawdown.Value)
		}
	}
}

func TestEveryGapIsReportedAndTheLastOneCuts(t *testing.T) {
	navs := append(plain(20200101, 1, 1), plain(20200401, 2, 2)...)
	navs = append(navs, plain(20200801, 3)...)
	got := compute(t, navs, 20200901)
	want := []fund.Window{{From: 20200102, To: 20200401}, {From: 20200402, To: 20200801}}
	if diff := cmp.Diff(want, got.Gaps); diff != "" {
		t.Error(diff)
	}
	if got.Observations != 1 || got.Spans[fund.SinceStart].Return.OK {
		t.Errorf("one NAV is no span: %+v", got)
	}
}

func TestVolatilityIsTheYearlySampleDeviation(t *testing.T) {
	// Returns of +1 % and -1 % in turn: the mean of 60 is 0 and the sample variance
	// 60/59 of 0.01 squared.
	navs := steps(daysFrom(20200101, 61), 10, -10)
	got := compute(t, navs, 20200601).Spans[fund.SinceStart].Volatility
	want := fund.RatioOf(math.Sqrt(60.0/59*0.0001) * math.Sqrt(252))
	if !got.OK || got.Value != want {
		t.Errorf("volatility %v, expected %v", got, want)
	}
	if got := compute(t, navs[:60], 20200601).Spans[fund.SinceStart].Volatility; got.OK {
		t.Errorf("59 returns gave a volatility: %v", got)
	}
}

func TestWorstTwelveMonths(t *testing.T) {
	// A year at 1, a fall to 0.5 in one day, a year at 0.5, then up.
	days := daysFrom(20190101, 800)
	navs := make([]fund.NAV, len(days))
	for i, d := range days {
		v := 1.0
		if d >= 20200101 {
			v = 0.5
		}
		if d >= 20201201 {
			v = 2
		}
		navs[i] = fund.NAV{Date: d, Unit: v, Accum: v}
	}
	r := compute(t, navs, 20220101)
	want := fund.Figure{Value: -500_000, Window: fund.Window{From: 20190101, To: 20200101}, OK: true}
	if diff := cmp.Diff(want, r.Spans[fund.SinceStart].Worst[fund.TwelveMonths]); diff != "" {
		t.Error(diff)
	}
	last := navs[len(navs)-1].Date // 2021-03-10
	want = fund.Figure{Value: 3_000_000, Window: fund.Window{From: last.AddMonths(-12), To: last}, OK: true}
	if diff := cmp.Diff(want, r.Spans[fund.OneYear].Worst[fund.TwelveMonths]); diff != "" {
		t.Error(diff)
	}
}

func TestTheTwelveMonthsOfALeapDayEndOnTheFirstOfMarch(t *testing.T) {
	days := daysFrom(20200229, 366)
	navs := steps(days, 1)
	if got := compute(t, navs, 20220101); got.Series.To != 20210228 || got.Spans[fund.SinceStart].Worst[fund.TwelveMonths].OK {
		t.Errorf("to %v: %+v", got.Series.To, got.Spans[fund.SinceStart].Worst[fund.TwelveMonths])
	}
	navs = steps(daysFrom(20200229, 367), 1)
	if got := compute(t, navs, 20220101).Spans[fund.SinceStart].Worst[fund.TwelveMonths]; !got.OK || got.Window.To != 20210301 {
		t.Errorf("to 1 March: %+v", got)
	}
}

func TestNothingDatedOnOrAfterTheDayIsSeen(t *testing.T) {
	past := plain(20200101, 1, 1.1, 1.2)
	want := compute(t, past, 20200104)
	future := slices.Concat(past, []fund.NAV{nav(20200104, 0.1, 0.1), nav(20200105, math.NaN(), -1), nav(20210105, 9, 9)})
	if diff := cmp.Diff(want, compute(t, future, 20200104)); diff != "" {
		t.Errorf("the future changed the past: %s", diff)
	}
	if got := compute(t, past, 20200103); got.Observations != 2 {
		t.Errorf("the NAV of the day itself was seen: %+v", got)
	}
}

func TestNoNAVIsNoTrackRecordAndNoError(t *testing.T) {
	for _, navs := range [][]fund.NAV{nil, plain(20200102, 1)} {
		if diff := cmp.Diff(fund.TrackRecord{AsOf: 20200101}, compute(t, navs, 20200101)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestBadInputIsNamed(t *testing.T) {
	good := fund.NAV{Date: 20200101, Unit: 1, Accum: 1}
	for _, c := range []struct {
		name string
		navs []fund.NAV
		asOf fund.Date
		say  []string
	}{
		{"no day", []fund.NAV{good}, 0, []string{"unknown day"}},
		{"zero", []fund.NAV{good, nav(20200102, 0, 1)}, 20210101, []string{"unit_nav", "2020-01-02", " 0,"}},
		{"negative", []fund.NAV{good, nav(20200102, 1, -2.5)}, 20210101, []string{"accum_nav", "2020-01-02", "-2.5"}},
		{"not a number", []fund.NAV{nav(20200102, math.NaN(), 1)}, 20210101, []string{"2020-01-02", "NaN"}},
		{"infinite", []fund.NAV{nav(20200102, 1, math.Inf(1))}, 20210101, []string{"2020-01-02", "Inf"}},
		{"too large", []fund.NAV{nav(20200102, 1_000_000.01, 1)}, 20210101, []string{"1e+06", "1.00000001e+06"}},
		{"twice the day", []fund.NAV{good, good}, 20210101, []string{"2020-01-01", "rise"}},
		{"backwards", []fund.NAV{nav(20200103, 1, 1), good}, 20210101, []string{"2020-01-01", "2020-01-03"}},
		{"backwards over the day asked about", []fund.NAV{nav(20200103, 1, 1), good}, 20200102, []string{"2020-01-01", "rise"}},
		{"no date", []fund.NAV{nav(0, 1, 1)}, 20210101, []string{"without a date"}},
		{"a loss of more than all", []fund.NAV{nav(20200101, 1, 3), nav(20200102, 1, 1.5)}, 20210101, []string{"2020-01-02", "1.5", "3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := track.Compute(c.navs, c.asOf, track.Settings{RiskFree: 150})
			if !errors.Is(err, fund.ErrInvalid) {
				t.Fatalf("error %v, expected one that wraps fund.ErrInvalid", err)
			}
			for _, s := range c.say {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
			if r.Observations != 0 || r.AsOf != 0 {
				t.Errorf("an error came with a record: %+v", r)
			}
		})
	}
}

// Wealth is the product of the returns after the last gap before the day asked about, and refuses what Compute refuses.
func TestWealth(t *testing.T) {
	t.Parallel()
	navs := []fund.NAV{
		{Date: 20150105, Unit: 5, Accum: 5},
		{Date: 20150302, Unit: 1, Accum: 1}, // after a silence of 56 days
		{Date: 20150303, Unit: 1.1, Accum: 1.1},
		{Date: 20150304, Unit: 1, Accum: 1.21}, // 0.21 paid out: (1.21 - 1.1) / 1.1
		{Date: 20150305, Unit: 1.2, Accum: 1.41},
	}
	days, wealth, err := track.Wealth(navs, 20150305)
	if err != nil || !slices.Equal(days, []fund.Date{20150302, 20150303, 20150304}) {
		t.Fatalf("%v, %v", days, err)
	}
	for i, want := range []float64{1, 1.1, 1.21} {
		if math.Abs(wealth[i]-want) > 1e-12 {
			t.Errorf("%s: %v, want %v", days[i], wealth[i], want)
		}
	}
	if days, wealth, err := track.Wealth(navs, 20150105); err != nil || len(days)+len(wealth) != 0 {
		t.Errorf("before the first: %v, %v, %v", days, wealth, err)
	}
	if days, _, err := track.Wealth(navs, 20150302); err != nil || len(days) != 1 {
		t.Errorf("in the gap: %v, %v", days, err)
	}
	navs[2].Unit = -1
	if _, _, err := track.Wealth(navs, 20150305); !errors.Is(err, fund.ErrInvalid) {
		t.Errorf("a NAV below 0: %v", err)
	}
	if _, _, err := track.Wealth(navs, 20150303); err != nil {
		t.Errorf("a NAV below 0 that comes later: %v", err)
	}
}

// A record with a silence is two pieces, and none spans it; one on no clear basis is none; what comes on or after the
// day is not looked at.
func TestPieces(t *testing.T) {
	t.Parallel()
	var navs []fund.NAV
	add := func(first fund.Date, n int) {
		for i := range n {
			v := 1 + float64(len(navs)%7)/100
			navs = append(navs, fund.NAV{Date: first.AddDays(i), Unit: v, Accum: v})
		}
	}
	add(20200101, 50)
	add(20200401, 30)
	after := navs[len(navs)-1].Date.AddDays(1)
	navs = append(navs, fund.NAV{Date: after, Unit: -1})
	pieces, err := track.Pieces(navs, after)
	if err != nil || len(pieces) != 2 || len(pieces[0].Days) != 50 || len(pieces[1].Days) != 30 || pieces[1].Days[0] != 20200401 || pieces[1].Wealth[0] != 1 {
		t.Errorf("%+v, %v", pieces, err)
	}
	if _, err := track.Pieces(navs, after.AddDays(1)); !errors.Is(err, fund.ErrInvalid) {
		t.Errorf("a NAV below 0: %v", err)
	}
	if pieces, err := track.Pieces(nil, after); err != nil || len(pieces) != 0 {
		t.Errorf("of nothing: %+v, %v", pieces, err)
	}
	for i := range navs {
		navs[i].Accum = 1.7*navs[i].Unit + float64(i%2)*0.0001
	}
	if pieces, err := track.Pieces(navs[:50], after); err != nil || len(pieces) != 0 {
		t.Errorf("on no clear basis: %d pieces, %v", len(pieces), err)
	}
}
