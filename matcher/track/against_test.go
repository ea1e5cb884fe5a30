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

func against(t *testing.T, record fund.TrackRecord, benchmark []fund.NAV) fund.Benchmark {
	t.Helper()
	b, err := track.Against(&record, "INDEX", benchmark)
	if err != nil {
		t.Fatal(err)
	}
	if b.Code != "INDEX" {
		t.Errorf("code %q", b.Code)
	}
	return b
}

func TestTheDistanceToTheBenchmark(t *testing.T) {
	record := compute(t, plain(20200101, 1, 1.3, 1.1, 1.2), 20200201)
	window := fund.Window{From: 20200101, To: 20200104}
	for _, c := range []struct {
		name         string
		navs         []fund.NAV
		excess, fall fund.Ratio
	}{
		{"the same days", plain(20200101, 10, 8, 9, 11), 100_000, -200_000},
		{"longer on both ends", plain(20191230, 50, 90, 10, 8, 9, 11, 1), 100_000, -200_000},
		{"paying out", []fund.NAV{nav(20200101, 1, 1), nav(20200102, 0.5, 0.9), nav(20200104, 0.5, 0.9)}, 300_000, -100_000},
		{"only rising", plain(20200101, 1, 2, 3, 4), -2_800_000, 0},
		{"a gap before", append(plain(20190101, 1, 9), plain(20200101, 10, 8, 9, 11)...), 100_000, -200_000},
		{"a gap after", append(plain(20200101, 10, 8, 9, 11), plain(20200301, 1)...), 100_000, -200_000},
		{"nonsense after the last day", append(plain(20200101, 10, 8, 9, 11), nav(20200105, math.NaN(), -1)), 100_000, -200_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := fund.Benchmark{Code: "INDEX"}
			want.Excess[fund.SinceStart] = fund.Figure{Value: c.excess, Window: window, OK: true}
			want.Falls[fund.SinceStart] = fund.Figure{Value: c.fall, Window: window, OK: true}
			if diff := cmp.Diff(want, against(t, record, c.navs)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABenchmarkMustCoverTheVeryDays(t *testing.T) {
	record := compute(t, plain(20200101, 1, 1.3, 1.1, 1.2), 20200201) // Wednesday to Saturday
	week := compute(t, plain(20200105, 1, 1.3, 1.1, 1.2), 20200201)   // Sunday to Wednesday
	for _, c := range []struct {
		name   string
		record fund.TrackRecord
		navs   []fund.NAV
		ok     bool
	}{
		{"no NAV", record, nil, false},
		{"starts a day later", record, plain(20200102, 1, 1, 1), false},
		{"ends on the Friday before", record, plain(20200101, 1, 1, 1), true},
		{"ends on the Thursday before", record, plain(20200101, 1, 1), true},
		{"ends on the first day", record, plain(20191225, 1, 1, 1, 1, 1, 1, 1, 1), true},
		{"a Saturday carries what is at most ten days old", record, append(plain(20191230, 1, 1), nav(20200101, 1, 1)), true},
		{"starts on the Friday before", week, plain(20200103, 1, 1, 1, 1, 1, 1), true},
		{"lacks the last day", week, plain(20200103, 1, 1, 1, 1, 1), false},
		{"the last before is too old", week, append(plain(20191225, 1), plain(20200106, 1, 1, 1)...), false},
		{"the last before is ten days old", week, append(plain(20191226, 1), plain(20200106, 1, 1, 1)...), true},
		{"begins after the record", record, plain(20200301, 1, 1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := against(t, c.record, c.navs)
			if got.Excess[fund.SinceStart].OK != c.ok || got.Falls[fund.SinceStart].OK != c.ok {
				t.Errorf("%+v, expected OK %v", got, c.ok)
			}
			if !c.ok && got != (fund.Benchmark{Code: "INDEX"}) {
				t.Errorf("%+v, expected nothing", got)
			}
		})
	}
}

func TestABenchmarkWithAGapCoversOnlyWhatIsAfterIt(t *testing.T) {
	days := weekdays(20190101, 900) // to 2022-06-13
	record := compute(t, steps(days, 1, -1), 20220701)
	gap := slices.DeleteFunc(steps(days, 2, -2), func(n fund.NAV) bool { return n.Date > 20210101 && n.Date < 20210210 })
	got := against(t, record, gap)
	for span := range fund.Spans {
		if want := span == fund.OneYear; got.Excess[span].OK != want || got.Falls[span].OK != want {
			t.Errorf("%v: %+v %+v, expected OK %v", span, got.Excess[span], got.Falls[span], want)
		}
	}
	whole := against(t, record, steps(days, 2, -2))
	for _, span := range []fund.Span{fund.OneYear, fund.ThreeYears, fund.SinceStart} {
		if !whole.Excess[span].OK || whole.Excess[span].Window != record.Spans[span].Return.Window {
			t.Errorf("%v: %+v", span, whole.Excess[span])
		}
	}
	if whole.Excess[fund.FiveYears].OK {
		t.Error("five years that the product has not")
	}
}

func TestAProductIsNoDistanceFromItself(t *testing.T) {
	navs := tenYears(3)
	record := compute(t, navs, 20300101)
	got := against(t, record, navs)
	for span := range fund.Spans {
		if !got.Excess[span].OK || got.Excess[span].Value != 0 || got.Falls[span].Value != record.Spans[span].Drawdown.Value {
			t.Errorf("%v: %+v %+v", span, got.Excess[span], got.Falls[span])
		}
	}
}

func TestNoRecordHasNoDistance(t *testing.T) {
	if got := against(t, fund.TrackRecord{AsOf: 20200101}, plain(20190101, 1, 2)); got != (fund.Benchmark{Code: "INDEX"}) {
		t.Errorf("%+v", got)
	}
}

func TestABadBenchmarkIsNamed(t *testing.T) {
	record := compute(t, plain(20200101, 1, 1.3, 1.1, 1.2), 20200201)
	for _, navs := range [][]fund.NAV{
		{nav(20200101, 1, 1), nav(20200102, -1, 1)},
		{nav(20200102, 1, 1), nav(20200101, 1, 1)},
		{nav(20200101, 1, 3), nav(20200102, 1, 1)},
	} {
		got, err := track.Against(&record, "INDEX", navs)
		if !errors.Is(err, fund.ErrInvalid) || !strings.Contains(err.Error(), "2020-01-0") {
			t.Errorf("%v: error %v, expected one that wraps fund.ErrInvalid and names the day", navs, err)
		}
		if got != (fund.Benchmark{Code: "INDEX"}) {
			t.Errorf("an error came with figures: %+v", got)
		}
	}
}
