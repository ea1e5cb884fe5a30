package view_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func instant(t *testing.T, s string) fund.Instant {
	t.Helper()
	i, err := fund.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func said(at, known fund.Instant, n int64) view.Entry {
	return view.Entry{At: at, Known: known, Value: view.IntValue(n), Sign: 1}
}

func takenBack(e view.Entry, known fund.Instant) view.Entry {
	e.Known, e.Sign = known, -1
	return e
}

// A correction becomes known at 07:00: before it the old value counts, afterwards the new one.
func TestAWindowFollowsCorrections(t *testing.T) {
	day := func(s string) fund.Instant { return instant(t, "2021-04-"+s+":00Z") }
	wrong := said(day("09T05:45"), day("09T05:45"), 2)
	entries := []view.Entry{
		said(day("04T01:40"), 0, 3), said(day("05T03:40"), 0, 3), said(day("06T03:45"), 0, 4), wrong,
		takenBack(wrong, day("09T07:00")), said(day("09T05:45"), day("09T07:00"), 5), said(day("10T10:00"), 0, 4),
	}
	four := view.Window{Length: 4 * 24 * time.Hour}
	for _, c := range []struct {
		at   string
		want float64
	}{{"09T01:30", 3.5}, {"09T04:30", 4}, {"09T06:30", 3}, {"09T08:30", 4.5}, {"10T09:00", 5}, {"10T23:00", 4.5}} {
		got, err := four.Over(entries, day(c.at), day(c.at))
		if err != nil || !got.OK || got.Average != c.want {
			t.Errorf("as of %s: %+v, %v, expected %v", c.at, got, err, c.want)
		}
	}
	yesterday, err := view.Window{}.Over(entries, day("10T23:00"), day("09T06:30"))
	if err != nil || yesterday.Count != 4 || yesterday.Sum.Text != "12" {
		t.Errorf("as known the day before: %+v, %v", yesterday, err)
	}
}

func TestAWindowEndsBeforeTheInstant(t *testing.T) {
	entries := []view.Entry{said(10_000_000, 0, 1), said(20_000_000, 0, 10), said(15_000_000, 20_000_000, 100)}
	for _, c := range []struct {
		name string
		w    view.Window
		at   fund.Instant
		want string
	}{
		{"the entry of the instant and the one known then are out", view.Window{}, 20_000_000, "1"},
		{"they are in when the end is closed", view.Window{UpperClosed: true}, 20_000_000, "111"},
		{"an instant later they are in", view.Window{}, 20_000_001, "111"},
		{"exactly a length before is out", view.Window{Length: 10 * time.Second}, 20_000_000, "0"},
		{"it is in when the beginning is closed", view.Window{Length: 10 * time.Second, LowerClosed: true}, 20_000_000, "1"},
		{"a microsecond less is in", view.Window{Length: 10*time.Second + time.Microsecond}, 20_000_000, "1"},
	} {
		got, err := c.w.Over(entries, c.at, c.at)
		if err != nil || got.Sum.Text != c.want || got.OK != (got.Count > 0) {
			t.Errorf("%s: %+v, %v, expected %s", c.name, got, err, c.want)
		}
	}
}

func TestSumsAreExact(t *testing.T) {
	decimal := func(s string, sign int) view.Entry {
		v, err := view.DecimalValue(s)
		if err != nil {
			t.Fatal(err)
		}
		return view.Entry{At: 1, Value: v, Sign: sign}
	}
	got, err := view.Window{}.Over([]view.Entry{decimal("0.1", 1), decimal("0.2", 1), decimal("1e20", 1), decimal("1e20", -1)}, 2, 2)
	if err != nil || got.Sum.Text != "0.3" || got.Count != 2 || got.Average != 0.15 {
		t.Errorf("%+v, %v", got, err)
	}
	empty, err := view.Window{}.Over(nil, 2, 2)
	if err != nil || empty.OK || empty.Sum.Text != "0" {
		t.Errorf("nothing: %+v, %v", empty, err)
	}
	for _, bad := range []view.Entry{{At: 1, Value: view.IntValue(1)}, {At: 1, Value: view.StringValue("1"), Sign: 1}, {At: 1, Sign: 1}} {
		if _, err := (view.Window{}).Over([]view.Entry{bad}, 2, 2); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestCountSelf(t *testing.T) {
	second := func(n ...int) (out []fund.Instant) {
		for _, s := range n {
			out = append(out, fund.Instant(s)*1_000_000)
		}
		return out
	}
	w := view.Window{Length: 4 * time.Second}
	events := second(30, 30, 32, 33, 34, 34, 39, 41, 42)
	if diff := cmp.Diff([]int{1, 1, 3, 4, 3, 3, 1, 2, 3}, w.CountSelf(events, 0)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{1, 1, 2, 2, 2, 2, 1, 2, 2}, w.CountSelf(events, 2)); diff != "" {
		t.Errorf("at most two: %s", diff)
	}
	if diff := cmp.Diff([]int{3, 1, 1, 1}, view.Window{}.CountSelf(second(9, 1, 1, 1), 3)); diff != "" {
		t.Errorf("without a length: %s", diff)
	}
}

// A plain count of every pair, and the order of the entries leaves no trace.
func TestWindowsAgainstAPlainCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ats := rapid.SliceOfN(rapid.Map(rapid.Int64Range(1, 12), func(n int64) fund.Instant { return fund.Instant(n * 1_000_000) }), 0, 12).Draw(t, "instants")
		w := view.Window{
			Length:      time.Duration(rapid.IntRange(0, 5).Draw(t, "seconds")) * time.Second,
			LowerClosed: rapid.Bool().Draw(t, "lower"), UpperClosed: rapid.Bool().Draw(t, "upper"),
		}
		in := func(x, end fund.Instant) bool {
			low := end - fund.Instant(w.Length.Microseconds())
			return (x < end || w.UpperClosed && x == end) && (w.Length == 0 || x > low || w.LowerClosed && x == low)
		}
		counts := w.CountSelf(ats, 0)
		for i, at := range ats {
			want := 1
			for j, x := range ats {
				if i != j && in(x, at) && (x != at || j < i) {
					want++
				}
			}
			if counts[i] != want {
				t.Fatalf("event %d of %v: %d, expected %d", i, ats, counts[i], want)
			}
		}
		entries := make([]view.Entry, len(ats))
		want := int64(0)
		for i, at := range ats {
			entries[i] = said(at, 0, int64(i))
			if in(at, 6_000_000) {
				want += int64(i)
			}
		}
		slices.Reverse(entries)
		got, err := w.Over(entries, 6_000_000, 6_000_000)
		if err != nil || !got.Sum.Equal(mustDecimal(t, want)) {
			t.Fatalf("%v: %+v, %v, expected %d", ats, got, err, want)
		}
	})
}

func mustDecimal(t *rapid.T, n int64) view.Value {
	v, err := view.DecimalValue(string(view.IntValue(n).AppendJSON(nil)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
