package view_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Events as they come in online, one by one in any order, and the rows as of an instant, as
// an extract reads them, give the same features.
func TestDerivedFeaturesAreTheSameOnlineAndOffline(t *testing.T) {
	plan, err := view.Default().PlanViews([]string{"behaviour"})
	if err != nil {
		t.Fatal(err)
	}
	const now = 20_000 * day
	kinds := []string{"EXPOSURE", "CLICK", "DETAIL_VIEW", "OBJECTION", "ORDER_START", "ORDER_CONFIRM", "ORDER_ABANDON", "REFUSAL", "REDEEM", "COMPLAINT", "CONTACT"}
	attributes := []string{"", `{"page":"SEARCH","dwell_seconds":30}`, `{"amount_fen":1000,"cost_fen":1200}`, `{"reason":"RISK"}`, `{"closed":true}`}
	rapid.Check(t, func(t *rapid.T) {
		events := make([]features.Event, rapid.IntRange(0, 40).Draw(t, "events"))
		for i := range events {
			events[i] = features.Event{
				ID: fmt.Sprint(i), CustomerID: "c1", Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
				EventAt:     now - fund.Instant(rapid.Int64Range(-2, 500).Draw(t, "age"))*day,
				ProductCode: rapid.SampledFrom([]string{"", "P1", "P2"}).Draw(t, "product"), Attributes: rapid.SampledFrom(attributes).Draw(t, "attributes"),
			}
		}
		online := &fund.Profile{CustomerID: "c1"}
		for _, i := range rapid.Permutation(seq(len(events))).Draw(t, "arrival") {
			if entry, ok := events[i].Entry(); ok && events[i].VisibleAt(now) {
				behaviour.Fold(&online.Trail, &entry)
			}
		}
		offline, err := history.AsOf(&features.History{CustomerID: "c1", Events: events}, features.AsKnown(now))
		if err != nil {
			t.Fatal(err)
		}
		r := &view.Request{At: now}
		if diff := cmp.Diff(plan.Read(online, r, nil), plan.Read(offline, r, nil)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func seq(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// What happens at the very instant of a decision, its own exposure above all, is no part of
// what the decision knew.
func TestTheInstantItselfDoesNotCount(t *testing.T) {
	at := instant(t, "2024-03-15T10:00:00+08:00")
	event := func(id, kind string, at fund.Instant) features.Event {
		return features.Event{ID: id, Kind: kind, EventAt: at, ProductCode: "P1"}
	}
	for _, x := range []struct {
		at   fund.Instant
		want string
	}{{at, ""}, {at + 1, "1"}} {
		p := fold(t, x.at, nil, event("1", "EXPOSURE", at), event("2", "CLICK", at), event("3", "REDEEM", at))
		for _, feature := range []string{"behaviour.visits", "behaviour.redemptions", "behaviour.journeys"} {
			if got := one(t, view.Default(), p, feature, view.Request{At: x.at}); got.Value.String() != x.want {
				t.Errorf("%s as of %s: %s %s, expected %q", feature, x.at, got.Status, got.Value, x.want)
			}
		}
	}
	// A complaint and a refusal are the customer's word: they bind from their instant on.
	p := fold(t, at, nil, event("1", "COMPLAINT", at), features.Event{ID: "2", Kind: "REFUSAL", EventAt: at})
	if got := one(t, view.Default(), p, "behaviour.open_complaints", view.Request{At: at}); got.Value.String() != "1" {
		t.Errorf("a complaint of the instant: %s %s", got.Status, got.Value)
	}
	if got := one(t, view.Default(), p, "behaviour.refused_on", view.Request{At: at}); got.Value.String() != "2024-03-15" {
		t.Errorf("a refusal of the instant: %s %s", got.Status, got.Value)
	}
}
