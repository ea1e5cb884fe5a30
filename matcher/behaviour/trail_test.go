package behaviour_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// fold folds events in one by one.
func fold(events []fund.Event) fund.Trail {
	var t fund.Trail
	for i := range events {
		behaviour.Fold(&t, &events[i])
	}
	return t
}

// sameTrail says how two trails differ; an empty list is a nil one.
func sameTrail(a, b fund.Trail) string { return cmp.Diff(a, b, cmpopts.EquateEmpty()) }

// anyEvent draws an event out of few values, so that equal times and equal events occur.
func anyEvent(t *rapid.T) fund.Event {
	return fund.Event{
		Kind:        fund.EventKind(rapid.IntRange(0, fund.EventKinds-1).Draw(t, "kind")),
		At:          base + fund.Instant(rapid.Int64Range(0, 5).Draw(t, "at")),
		ProductCode: rapid.SampledFrom([]string{"", "P1", "P2"}).Draw(t, "product"),
		Channel:     rapid.SampledFrom([]string{"", "APP"}).Draw(t, "channel"),
		About:       rapid.SampledFrom([]string{"", "FEE"}).Draw(t, "about"),
		Until:       rapid.SampledFrom([]fund.Date{0, 20240501}).Draw(t, "until"),
		Amount:      rapid.SampledFrom([]fund.Money{-5, 0, 7, fund.MaxMoney, math.MaxInt64}).Draw(t, "amount"),
		Cost:        rapid.SampledFrom([]fund.Money{0, 9}).Draw(t, "cost"),
		Dwell:       rapid.SampledFrom([]int32{0, 3}).Draw(t, "dwell"),
		Closed:      rapid.Bool().Draw(t, "closed"),
	}
}

// The order of arrival leaves no trace, also when a kind has more than a trail keeps and
// when sums and counts have reached the largest number.
func TestFoldingInAnyOrderIsRecomputation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(anyEvent), 0, 40).Draw(t, "events")
		for range rapid.IntRange(0, 2).Draw(t, "floods") {
			flood := anyEvent(t)
			for range rapid.IntRange(0, 2*behaviour.KeptAttempts).Draw(t, "size") {
				flood.At++
				events = append(events, flood)
			}
		}
		want := behaviour.Of(events)
		shuffled := rapid.Permutation(events).Draw(t, "order")
		if d := sameTrail(want, fold(shuffled)); d != "" {
			t.Fatalf("folded in another order (-of +folded):\n%s", d)
		}
		if d := sameTrail(want, behaviour.Of(shuffled)); d != "" {
			t.Fatalf("of another order (-of +of):\n%s", d)
		}
		if !slices.IsSortedFunc(want.Recent, func(a, b fund.Event) int { return fund.CompareEvents(&a, &b) }) || len(want.Recent) > fund.MaxTrail {
			t.Fatalf("%d events, or not in their order", len(want.Recent))
		}
	})
}

// What Of must give, from its words alone: of each kind the newest, and tallies of all.
func TestATrailKeepsTheNewestOfEachKind(t *testing.T) {
	var events []fund.Event
	for i := range 2_000 {
		for kind := range fund.EventKinds {
			events = append(events, fund.Event{Kind: fund.EventKind(kind), At: base + fund.Instant(i), Amount: 2})
		}
	}
	trail := behaviour.Of(events)
	if d := sameTrail(trail, fold(events)); d != "" {
		t.Fatalf("folded (-of +folded):\n%s", d)
	}
	if len(trail.Recent) != fund.MaxTrail {
		t.Errorf("%d events are kept, want %d", len(trail.Recent), fund.MaxTrail)
	}
	for k := range fund.EventKinds {
		kind := fund.EventKind(k)
		var kept int
		oldest := fund.Instant(math.MaxInt64)
		for i := range trail.Recent {
			if trail.Recent[i].Kind == kind {
				kept++
				oldest = min(oldest, trail.Recent[i].At)
			}
		}
		if kept != behaviour.Kept(kind) {
			t.Errorf("%s: %d are kept, want %d", kind, kept, behaviour.Kept(kind))
		}
		if kind == fund.EventUnknown {
			if trail.Tallies[kind] != (fund.Tally{}) || behaviour.Reach(&trail, kind) != 0 {
				t.Errorf("what means nothing is counted: %+v", trail.Tallies[kind])
			}
			continue
		}
		if want := base + fund.Instant(2_000-kept); oldest != want || behaviour.Reach(&trail, kind) != want {
			t.Errorf("%s: kept from %d on (reach %d), want %d", kind, oldest, behaviour.Reach(&trail, kind), want)
		}
		if want := (fund.Tally{Count: 2_000, First: base, Last: base + 1_999, Amount: 4_000}); trail.Tallies[kind] != want {
			t.Errorf("%s: tally %+v, want %+v", kind, trail.Tallies[kind], want)
		}
	}
}

// No flood of what is cheap to send pushes a refusal or a complaint out (A06).
func TestAFloodLeavesWordsWhereTheyAre(t *testing.T) {
	words := []fund.Event{
		{Kind: fund.Refusal, At: base, ProductCode: "P1", About: "FEE"},
		{Kind: fund.Complaint, At: base + 1, About: "SPAM"},
	}
	trail := behaviour.Of(words)
	for i := range 20_000 {
		for _, kind := range []fund.EventKind{fund.Exposure, fund.Click, fund.DetailView, fund.OrderStart, fund.OrderAbandon, fund.Contact} {
			behaviour.Fold(&trail, &fund.Event{Kind: kind, At: base + 2 + fund.Instant(i)})
		}
	}
	if !slices.Equal(trail.Recent[:2], words) {
		t.Errorf("the trail begins with %+v", trail.Recent[:2])
	}
	if behaviour.Reach(&trail, fund.Refusal) != 0 || behaviour.Reach(&trail, fund.Exposure) != base+2+20_000-behaviour.KeptExposures {
		t.Errorf("refusals reach back to %d, exposures to %d", behaviour.Reach(&trail, fund.Refusal), behaviour.Reach(&trail, fund.Exposure))
	}
}

// An event that is older than all that is kept counts and is not kept.
func TestALateEventCountsOnly(t *testing.T) {
	var trail fund.Trail
	for i := range behaviour.KeptAttempts {
		behaviour.Fold(&trail, &fund.Event{Kind: fund.OrderStart, At: base + 10 + fund.Instant(i)})
	}
	full := slices.Clone(trail.Recent)
	behaviour.Fold(&trail, &fund.Event{Kind: fund.OrderStart, At: base})
	if !slices.Equal(trail.Recent, full) || trail.Tallies[fund.OrderStart].Count != behaviour.KeptAttempts+1 || trail.Tallies[fund.OrderStart].First != base {
		t.Errorf("kept %d, tally %+v", len(trail.Recent), trail.Tallies[fund.OrderStart])
	}
	if got := behaviour.Reach(&trail, fund.OrderStart); got != base+10 {
		t.Errorf("it reaches back to %d", got)
	}
	behaviour.Fold(&trail, &fund.Event{Kind: fund.OrderStart, At: base + 10, Channel: "APP"}) // next after the oldest
	if trail.Recent[0].Channel != "APP" || !slices.Equal(trail.Recent[1:], full[1:]) {
		t.Errorf("the oldest was not replaced: %+v", trail.Recent[:2])
	}
	if got := behaviour.Reach(&fund.Trail{Tallies: trail.Tallies}, fund.OrderStart); got != fund.Forever {
		t.Errorf("a tally without events reaches back to %d", got)
	}
}

func TestTalliesStopAtTheLargestNumber(t *testing.T) {
	var trail fund.Trail
	trail.Tallies[fund.Redeem] = fund.Tally{Count: math.MaxInt32, First: base, Last: base, Amount: math.MaxInt64 - 1}
	behaviour.Fold(&trail, &fund.Event{Kind: fund.Redeem, At: base + 1, Amount: fund.MaxMoney})
	if want := (fund.Tally{Count: math.MaxInt32, First: base, Last: base + 1, Amount: math.MaxInt64}); trail.Tallies[fund.Redeem] != want {
		t.Errorf("tally %+v, want %+v", trail.Tallies[fund.Redeem], want)
	}
}

// A kind that this program does not know is passed over.
func TestAnUnknownKindIsPassedOver(t *testing.T) {
	if trail := behaviour.Of([]fund.Event{{}, {Kind: fund.EventKind(fund.EventKinds), At: base}, {Kind: 255, At: base}}); trail.Recent != nil || trail.Tallies != ([fund.EventKinds]fund.Tally{}) {
		t.Errorf("kept %+v", trail)
	}
}

func BenchmarkFold(b *testing.B) {
	var trail fund.Trail
	for i := range 60 {
		behaviour.Fold(&trail, &fund.Event{Kind: fund.EventKind(1 + i%12), At: base + fund.Instant(i)})
	}
	recent := slices.Clone(trail.Recent)
	e := fund.Event{Kind: fund.Exposure, At: base + 30}
	for b.Loop() {
		trail.Recent = append(trail.Recent[:0], recent...)
		behaviour.Fold(&trail, &e)
	}
}
