package track_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/track"
)

// weekdays are n days from a day on, without Saturdays and Sundays.
func weekdays(first fund.Date, n int) (days []fund.Date) {
	for day := first; len(days) < n; day = day.AddDays(1) {
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday {
			days = append(days, day)
		}
	}
	return days
}

func TestDownsideCountsEveryDayButOnlyLosses(t *testing.T) {
	// +1 % and -2 % in turn, 60 times: half the days lose.
	got := compute(t, steps(daysFrom(20200101, 61), 10, -20), 20200601).Spans[fund.SinceStart]
	want := fund.RatioOf(math.Sqrt(0.0004/2) * math.Sqrt(252))
	if !got.Downside.OK || got.Downside.Value != want || got.Downside.Window != got.Volatility.Window {
		t.Errorf("downside %+v, expected %v", got.Downside, want)
	}
	rising := compute(t, steps(daysFrom(20200101, 61), 10), 20200601).Spans[fund.SinceStart]
	if !rising.Downside.OK || rising.Downside.Value != 0 {
		t.Errorf("a fund that only rose: %+v, expected 0", rising.Downside)
	}
}

func TestSharpeIsTheYearlyExcessOverTheVolatility(t *testing.T) {
	navs := steps(weekdays(20200101, 301), 10, -9)
	for _, c := range []struct {
		riskFree fund.BasisPoints
		excess   float64
	}{{0, 0.126}, {150, 0.111}, {2000, -0.074}} { // mean of 0.05 %, times 252
		record, err := track.Compute(navs, 20220101, track.Settings{RiskFree: c.riskFree})
		if err != nil {
			t.Fatal(err)
		}
		got := record.Spans[fund.SinceStart].Sharpe
		volatility := math.Sqrt(300.0/299) * 0.0095 * math.Sqrt(252)
		if want := fund.RatioOf(c.excess / volatility); !got.OK || got.Value != want {
			t.Errorf("at %d: %+v, expected %v", c.riskFree, got, want)
		}
	}
}

func TestSharpeIsOnlyToldOfAYearOfDailyReturnsThatMove(t *testing.T) {
	for _, c := range []struct {
		name string
		navs []fund.NAV
		ok   bool
	}{
		{"a year to the day", steps(daysFrom(20200101, 367), 10, -9), true},
		{"a day less", steps(daysFrom(20200101, 366), 10, -9), false},
		{"weekly for three years", steps(slices.DeleteFunc(daysFrom(20200101, 1100), func(d fund.Date) bool { return d.Weekday() != time.Friday }), 10, -9), false},
		{"hardly moves", steps(daysFrom(20200101, 400), 0.11, 0.05), false},
		{"moves little", steps(daysFrom(20200101, 400), 0.2, 0.05), true},
		{"never moves", steps(daysFrom(20200101, 400), 0), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := compute(t, c.navs, 20240101).Spans[fund.SinceStart]
			if got.Sharpe.OK != c.ok || !got.Volatility.OK {
				t.Errorf("Sharpe %+v, volatility %+v, expected OK %v", got.Sharpe, got.Volatility, c.ok)
			}
		})
	}
}

func TestTheWorstOfEveryPeriodWithinItsSpan(t *testing.T) {
	// Two years at 1 but for January 2020 at 0.8 and February at 0.9.
	days := daysFrom(20190601, 731) // to 2021-05-31
	navs := make([]fund.NAV, len(days))
	for i, d := range days {
		v := 1.0
		switch {
		case d >= 20200101 && d < 20200201:
			v = 0.8
		case d >= 20200201 && d < 20200301:
			v = 0.9
		}
		navs[i] = fund.NAV{Date: d, Unit: v, Accum: v}
	}
	r := compute(t, navs, 20210601)
	for p, from := range [fund.Periods]fund.Date{20191201, 20191001, 20190701, 20190601} {
		want := fund.Window{From: from, To: from.AddMonths(fund.Period(p).Months())}
		got, value := r.Spans[fund.SinceStart].Worst[p], fund.Ratio(-200_000)
		if fund.Period(p) == fund.TwelveMonths {
			value = 0 // no January was a year after a NAV of the series
		}
		if diff := cmp.Diff(fund.Figure{Value: value, Window: want, OK: true}, got); diff != "" {
			t.Errorf("%d months: %s", fund.Period(p).Months(), diff)
		}
		// The last year has nothing of it.
		if got := r.Spans[fund.OneYear].Worst[p]; !got.OK || got.Value != 0 || got.Window.From != 20200531 {
			t.Errorf("%d months in the last year: %+v", fund.Period(p).Months(), got)
		}
	}
}

func TestTheOutcomeOfEveryEntryDayWhoseHoldingHasPassed(t *testing.T) {
	// March stands at 1, then 1.2 falls by a thousandth a day.
	var navs []fund.NAV
	for i, d := range daysFrom(20210301, 131) { // March has 31 days
		v := 1.0
		if i >= 31 {
			v = 1.2 - float64(i-31)/1000
		}
		navs = append(navs, fund.NAV{Date: d, Unit: v, Accum: v})
	}
	got := compute(t, navs[:31+31], 20220101).Outcomes[fund.Hold1M]
	if want := (fund.Outcome{Entries: 32}); got != want {
		t.Errorf("%+v, expected %+v: too few for a distribution", got, want)
	}
	all := compute(t, navs, 20220101)
	got = all.Outcomes[fund.Hold1M]
	// Of the entries that lose, those of 31 days lose most, and of these the last.
	values := make([]float64, 0, 131)
	for i, n := range navs {
		if due := n.Date.AddMonths(1); due <= navs[130].Date {
			values = append(values, navs[i+due.DaysSince(n.Date)].Unit/n.Unit-1)
		}
	}
	slices.Sort(values)
	n := len(values)
	at := func(rank int) fund.Ratio { return fund.RatioOf(values[rank-1]) }
	want := fund.Outcome{
		OK: true, Entries: int32(n), Window: fund.Window{From: 20210301, To: 20210709},
		Worst: at(1), WorstIn: fund.Window{From: 20210531, To: 20210701}, Best: at(n),
		P10: at((n*10 + 99) / 100), P25: at((n + 3) / 4), Median: at((n + 1) / 2), P75: at((n*3 + 3) / 4), P90: at((n*90 + 99) / 100),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if all.Outcomes[fund.Hold3M].Entries != 40 || all.Outcomes[fund.Hold6M] != (fund.Outcome{}) {
		t.Errorf("3 months: %+v; 6 months: %+v", all.Outcomes[fund.Hold3M], all.Outcomes[fund.Hold6M])
	}
}

func TestQuantilesAreTakenByTheNearestRank(t *testing.T) {
	// 60 results, -59 to 0 per mille, from the entries of April and 1 to 30 May.
	days := daysFrom(20210401, 91) // to 30 June
	navs := make([]fund.NAV, len(days))
	exits := map[fund.Date]int{}
	for i, d := range days[:60] {
		exits[d.AddMonths(1)] = i
	}
	level := make(map[fund.Date]float64, len(days))
	for i, d := range days {
		level[d] = 1
		if e, ok := exits[d]; ok {
			level[d] = level[days[e]] * (1 - float64(59-e)/1000)
		}
		navs[i] = fund.NAV{Date: d, Unit: level[d], Accum: level[d]}
	}
	if few := compute(t, navs[:90], 20220101).Outcomes[fund.Hold1M]; few != (fund.Outcome{Entries: 59}) {
		t.Errorf("%+v, expected no distribution of 59", few)
	}
	got := compute(t, navs, 20220101).Outcomes[fund.Hold1M]
	if got.Entries != 60 {
		t.Fatalf("%d entries, expected 60: %+v", got.Entries, got)
	}
	for _, c := range []struct {
		name string
		got  fund.Ratio
		rank int
	}{
		{"worst", got.Worst, 1},
		{"10", got.P10, 6},
		{"25", got.P25, 15},
		{"50", got.Median, 30},
		{"75", got.P75, 45},
		{"90", got.P90, 54},
		{"best", got.Best, 60},
	} {
		if want := fund.Ratio((c.rank - 60) * 1000); c.got != want {
			t.Errorf("%s: %v, expected %v", c.name, c.got, want)
		}
	}
}

func TestAnEntryWithoutALaterNAVByItsDayHasNoResult(t *testing.T) {
	// Monthly on the 1st, February skipped by three days: from 1 February nothing is
	// published until 3 March.
	navs := []fund.NAV{nav(20210101, 1, 1), nav(20210201, 2, 2), nav(20210303, 1, 1), nav(20210401, 3, 3), nav(20210405, 3, 3)}
	got := compute(t, navs, 20220101)
	if got.Outcomes[fund.Hold1M].Entries != 2 {
		t.Errorf("%+v, expected the entries of January and 3 March", got.Outcomes[fund.Hold1M])
	}
	want := fund.Figure{Value: 1_000_000, Window: fund.Window{From: 20210101, To: 20210201}, OK: true}
	if diff := cmp.Diff(want, got.Spans[fund.SinceStart].Worst[fund.OneMonth]); diff != "" {
		t.Error(diff)
	}
}

func TestPayouts(t *testing.T) {
	type payouts = fund.Payouts
	for _, c := range []struct {
		name string
		navs []fund.NAV
		want payouts // without its window
	}{
		{"none", []fund.NAV{nav(20200101, 1.1, 1.3), nav(20200102, 1.2, 1.4)}, payouts{OK: true}},
		{
			"two",
			[]fund.NAV{nav(20200101, 1.25, 1.25), nav(20200115, 1.2, 1.25), nav(20200203, 1.6, 1.65), nav(20200224, 1.4, 1.65)},
			// 0.05 of 1.25 and 0.2 of 1.6
			payouts{OK: true, Count: 2, Last: 20200224, LastSize: 125_000, Total: 165_000},
		},
		{"on a day of a fall", []fund.NAV{nav(20200101, 1, 1), nav(20200102, 0.85, 0.95)}, payouts{OK: true, Count: 1, Last: 20200102, LastSize: 100_000, Total: 100_000}},
		{"rounding to thousandths", []fund.NAV{nav(20200101, 1.001, 1.5), nav(20200102, 1.002, 1.503), nav(20200103, 1.001, 1.5)}, payouts{OK: true}},
		{"three thousandths", []fund.NAV{nav(20200101, 1.001, 1.5), nav(20200102, 1.002, 1.504)}, payouts{OK: true, Count: 1, Last: 20200102, LastSize: 2_997, Total: 2_997}},
		{"three ten-thousandths", []fund.NAV{nav(20200101, 1.0011, 1.0011), nav(20200102, 1.0009, 1.0012)}, payouts{OK: true, Count: 1, Last: 20200102, LastSize: 300, Total: 300}},
		{"two ten-thousandths", []fund.NAV{nav(20200101, 1.0011, 1.0011), nav(20200102, 1.0009, 1.0011)}, payouts{OK: true}},
		{"one share becomes two", []fund.NAV{nav(20200101, 2, 2), nav(20200102, 1, 2)}, payouts{OK: true}},
		{"a conversion to 1", []fund.NAV{nav(20200101, 1.5271, 1.5343), nav(20200102, 1, 1.5743)}, payouts{OK: true}},
		{"all that was earned is paid", []fund.NAV{nav(20200101, 1.049, 1.049), nav(20200102, 1, 1.049)}, payouts{OK: true, Count: 1, Last: 20200102, LastSize: 46_711, Total: 46_711}},
		{"the distance shrinks", []fund.NAV{nav(20200101, 1, 1.5), nav(20200102, 1, 1.4), nav(20200103, 0.9, 1.4)}, payouts{Drifts: true}},
		{"multiplied, slowly rising", []fund.NAV{nav(20200101, 1, 1.06), nav(20200102, 1.03, 1.092), nav(20200103, 1.06, 1.124)}, payouts{Drifts: true}},
		{"multiplied, quickly rising", []fund.NAV{nav(20200101, 1, 1.5), nav(20200102, 1.1, 1.65), nav(20200103, 1.2, 1.8)}, payouts{Drifts: true}},
		{"paid out every day, the unit stays", []fund.NAV{nav(20200101, 1, 1), nav(20200102, 1, 1.0004), nav(20200103, 1, 1.0008)}, payouts{}},
		{"the same day ten days later", []fund.NAV{nav(20200101, 1, 1), nav(20200102, 0.9, 1), nav(20200112, 0.8, 1)}, payouts{OK: true, Count: 2, Last: 20200112, LastSize: 111_111, Total: 211_111}},
		{"nine days later", []fund.NAV{nav(20200101, 1, 1), nav(20200102, 0.9, 1), nav(20200111, 0.8, 1)}, payouts{Drifts: true}},
		{"one NAV", []fund.NAV{nav(20200101, 1, 1)}, payouts{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want.OK {
				c.want.Window = fund.Window{From: c.navs[0].Date, To: c.navs[len(c.navs)-1].Date}
			}
			if diff := cmp.Diff(c.want, compute(t, c.navs, 20210101).Payouts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPayoutsAreThoseOfThreeYears(t *testing.T) {
	var navs []fund.NAV
	paid := 0.0
	for i, d := range daysFrom(20180101, 1500) { // to 2022-02-08
		if i%100 == 99 { // 15 in all
			paid += 0.01
		}
		navs = append(navs, nav(d, 1, 1+paid))
	}
	got := compute(t, navs, 20230101).Payouts
	want := fund.Payouts{
		OK: true, Window: fund.Window{From: 20190208, To: 20220208},
		Count: 11, Last: 20220208, LastSize: 10_000, Total: 110_000, // from day 499 on
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func fallen(depth fund.Ratio, peak, trough, recovered fund.Date) fund.Fall {
	return fund.Fall{Depth: depth, PeakOn: peak, TroughOn: trough, RecoveredOn: recovered}
}

func TestFalls(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		want   []fund.Fall
	}{
		{"none", []float64{1, 1.1, 1.2}, nil},
		{"a tenth", []float64{1, 0.9, 1}, []fund.Fall{fallen(-100_000, 20200101, 20200102, 20200103)}},
		{"less than a tenth", []float64{1, 0.900001, 1}, nil},
		{"not recovered", []float64{1, 2, 1.5, 1.9}, []fund.Fall{fallen(-250_000, 20200102, 20200103, 0)}},
		{"one, however often it turns within", []float64{10, 8, 9.9, 7, 9.9, 7, 10}, []fund.Fall{fallen(-300_000, 20200101, 20200104, 20200107)}},
		{"two from one peak share its first day", []float64{1, 2, 1.6, 2, 1.5, 3}, []fund.Fall{fallen(-200_000, 20200102, 20200103, 20200104), fallen(-250_000, 20200102, 20200105, 20200106)}},
		{"the deeper one is not the first", []float64{10, 9, 11, 5.5}, []fund.Fall{fallen(-100_000, 20200101, 20200102, 20200103), fallen(-500_000, 20200103, 20200104, 0)}},
		{
			// Ten falls: the second and the fifth are the shallowest.
			"the deepest eight by day",
			[]float64{10, 8, 10, 8.9, 10, 7, 10, 7, 10, 9, 10, 5, 10, 6, 10, 8, 10, 8.5, 10, 6},
			[]fund.Fall{
				fallen(-200_000, 20200101, 20200102, 20200103),
				fallen(-300_000, 20200101, 20200106, 20200107),
				fallen(-300_000, 20200101, 20200108, 20200109),
				fallen(-500_000, 20200101, 20200112, 20200113),
				fallen(-400_000, 20200101, 20200114, 20200115),
				fallen(-200_000, 20200101, 20200116, 20200117),
				fallen(-150_000, 20200101, 20200118, 20200119),
				fallen(-400_000, 20200101, 20200120, 0),
			},
		},
		{
			"of equals the first eight",
			[]float64{10, 8, 10, 8, 10, 8, 10, 8, 10, 8, 10, 8, 10, 8, 10, 8, 10, 8},
			[]fund.Fall{
				fallen(-200_000, 20200101, 20200102, 20200103),
				fallen(-200_000, 20200101, 20200104, 20200105),
				fallen(-200_000, 20200101, 20200106, 20200107),
				fallen(-200_000, 20200101, 20200108, 20200109),
				fallen(-200_000, 20200101, 20200110, 20200111),
				fallen(-200_000, 20200101, 20200112, 20200113),
				fallen(-200_000, 20200101, 20200114, 20200115),
				fallen(-200_000, 20200101, 20200116, 20200117),
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, compute(t, plain(20200101, c.values...), 20210101).Falls); diff != "" {
				t.Error(diff)
			}
		})
	}
}
