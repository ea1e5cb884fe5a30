package history_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// drawn is a history whose rows all differ, and whose sequence numbers tell them apart.
func drawn(t *rapid.T) *features.History {
	h := &features.History{CustomerID: "c"}
	for i := range uint64(rapid.IntRange(0, 8).Draw(t, "cells")) {
		h.Cells = append(h.Cells, features.Cell{
			CustomerID: "c", View: rapid.SampledFrom([]features.View{features.TagView, features.AttributeView}).Draw(t, "view"),
			Name: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"), Value: "v", EventAt: fund.Instant(rapid.IntRange(0, 3).Draw(t, "at")), SourceSeq: i,
		})
		h.CellSeqs = append(h.CellSeqs, i+1)
	}
	for i := range uint64(rapid.IntRange(0, 6).Draw(t, "purchases")) {
		h.Purchases = append(h.Purchases, fund.Purchase{
			ProductCode: rapid.SampledFrom([]string{"P1", "P2"}).Draw(t, "product"), KnownOn: 20200101, Kind: "BUY", Amount: fund.Money(i + 1),
		})
		h.PurchaseSeqs = append(h.PurchaseSeqs, i+1)
	}
	for i := range uint64(rapid.IntRange(0, 4).Draw(t, "events")) {
		h.Events = append(h.Events, features.Event{
			ID: string(rune('a' + i)), CustomerID: "c", Kind: "CLICK", EventAt: fund.Instant(rapid.IntRange(1, 3).Draw(t, "happened")),
		})
		h.EventSeqs = append(h.EventSeqs, i+1)
	}
	return h
}

// shuffled returns the same rows in another order, each with its number.
func shuffled(t *rapid.T, h *features.History) *features.History {
	out := &features.History{CustomerID: h.CustomerID}
	order := func(n int, what string) []int {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return rapid.Permutation(all).Draw(t, what)
	}
	for _, i := range order(len(h.Cells), "order of cells") {
		out.Cells, out.CellSeqs = append(out.Cells, h.Cells[i]), append(out.CellSeqs, h.CellSeqs[i])
	}
	for _, i := range order(len(h.Purchases), "order of purchases") {
		out.Purchases, out.PurchaseSeqs = append(out.Purchases, h.Purchases[i]), append(out.PurchaseSeqs, h.PurchaseSeqs[i])
	}
	for _, i := range order(len(h.Events), "order of events") {
		out.Events, out.EventSeqs = append(out.Events, h.Events[i]), append(out.EventSeqs, h.EventSeqs[i])
	}
	return out
}

// Whatever order a database gives rows in, the history is the same; of purchases with one
// key the one that was written last is left, and numbers stay with their rows.
func TestSettleForgetsTheOrderOfReading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawn(t)
		newest := map[string]fund.Money{}
		for _, p := range h.Purchases {
			newest[p.ProductCode] = p.Amount // the last has the highest number
		}
		other := shuffled(t, h)
		history.Settle(h)
		history.Settle(other)
		if d := cmp.Diff(h, other); d != "" {
			t.Fatalf("the order of reading shows:\n%s", d)
		}
		if !slices.IsSortedFunc(h.Cells, func(a, b features.Cell) int { return history.CompareCells(&a, &b) }) {
			t.Fatalf("cells %v", h.Cells)
		}
		for i, c := range h.Cells {
			if h.CellSeqs[i] != c.SourceSeq+1 {
				t.Fatalf("the number %d is of another cell than %+v", h.CellSeqs[i], c)
			}
		}
		if len(h.Purchases) != len(newest) || len(h.PurchaseSeqs) != len(newest) {
			t.Fatalf("%d purchases of %d keys", len(h.Purchases), len(newest))
		}
		for i, p := range h.Purchases {
			if p.Amount != newest[p.ProductCode] || h.PurchaseSeqs[i] != uint64(p.Amount) {
				t.Fatalf("purchase %+v with number %d, want amount %d", p, h.PurchaseSeqs[i], newest[p.ProductCode])
			}
		}
	})
}

// From Newest on the profile does not change; just before it, it may.
func TestNewestIsTheFirstInstantOfTheLastProfile(t *testing.T) {
	h := &features.History{
		CustomerID: "c",
		Cells:      []features.Cell{{CustomerID: "c", View: features.TagView, Name: "a", Value: "1", EventAt: 5, KnownAt: 9}},
		CellSeqs:   []uint64{1},
		Events:     []features.Event{{ID: "e", CustomerID: "c", Kind: "CLICK", EventAt: 7, KnownAt: 11}}, EventSeqs: []uint64{2},
	}
	if got := history.Newest(h); got != 11 {
		t.Fatalf("newest %d, want 11", got)
	}
	for _, c := range []struct {
		at       fund.Instant
		revision uint64
	}{{8, 0}, {10, 1}, {11, 2}, {fund.Forever, 2}} {
		p, err := history.AsOf(h, features.AsKnown(c.at))
		if err != nil || p.Revision != c.revision {
			t.Errorf("at %d: revision %d, error %v, want %d", c.at, p.Revision, err, c.revision)
		}
	}
}

func TestIDsAreSortedWithinTheRange(t *testing.T) {
	for _, c := range []struct {
		query features.HistoryQuery
		want  []string
	}{
		{features.HistoryQuery{CustomerIDs: []string{"b", "a", "b", "C"}}, []string{"C", "a", "b"}},
		{features.HistoryQuery{CustomerIDs: []string{"a", "b", "c"}, After: "a", Through: "b"}, []string{"b"}},
		{features.HistoryQuery{CustomerIDs: []string{}}, nil},
	} {
		given := slices.Clone(c.query.CustomerIDs)
		if got := history.IDs(&c.query); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.query, got, c.want)
		}
		if !slices.Equal(given, c.query.CustomerIDs) {
			t.Errorf("the caller's list became %v", c.query.CustomerIDs)
		}
	}
	for _, c := range []struct {
		views []features.View
		want  bool
	}{{nil, true}, {[]features.View{}, false}, {[]features.View{features.TagView}, true}, {[]features.View{"own"}, false}} {
		if got := history.Wants(&features.HistoryQuery{Views: c.views}, features.TagView); got != c.want {
			t.Errorf("views %v: %v, want %v", c.views, got, c.want)
		}
	}
}
