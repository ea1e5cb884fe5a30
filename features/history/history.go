// Package history folds what a store has of a customer into the profile of any past: the
// same fold for an online read, an extract and the proof of a decision of years ago.
package history

import (
	"cmp"
	"slices"
	"sort"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// AsOf returns the profile as of one instant, as known at another. Its revision is that of
// the newest row that is visible. A value that does not parse: features.ErrInvalid.
func AsOf(h *features.History, a features.AsOf) (*fund.Profile, error) {
	p, err := features.Fold(h.CustomerID, h.Cells, h.Purchases, a)
	if err != nil {
		return nil, err
	}
	for i := range h.CellSeqs {
		if h.Cells[i].Visible(a) {
			p.Revision = max(p.Revision, h.CellSeqs[i])
		}
	}
	for i := range h.PurchaseSeqs {
		if h.Purchases[i].KnownOn.Start() <= min(a.At, a.Known) {
			p.Revision = max(p.Revision, h.PurchaseSeqs[i])
		}
	}
	var entries []fund.Event
	for i := range h.Events {
		e := &h.Events[i]
		if !e.Visible(a) {
			continue
		}
		if i < len(h.EventSeqs) {
			p.Revision = max(p.Revision, h.EventSeqs[i])
		}
		if entry, ok := e.Entry(); ok {
			entries = append(entries, entry)
		}
	}
	p.Trail = behaviour.Of(entries)
	return p, nil
}

// Newest returns the first instant from which everything in the history is visible, so that
// the profile as of it, known at it, is the answer for every later one too.
func Newest(h *features.History) fund.Instant {
	var last fund.Instant
	for i := range h.Events {
		last = max(last, h.Events[i].VisibleFrom())
	}
	return features.Newest(h.Cells, h.Purchases, last)
}

// CompareCells orders the cells of one customer as History lists them: by view, name and
// features.Compare.
func CompareCells(a, b *features.Cell) int {
	return cmp.Or(cmp.Compare(a.View, b.View), cmp.Compare(a.Name, b.Name), features.Compare(a, b))
}

// Settle puts what a store read, in any order, into the order that History promises, and
// leaves of the purchases of one key what was written last.
func Settle(h *features.History) {
	sort.Sort(rows[features.Cell]{h.Cells, h.CellSeqs, CompareCells})
	sort.Sort(rows[features.Event]{h.Events, h.EventSeqs, features.CompareEvents})
	sort.Stable(rows[fund.Purchase]{h.Purchases, h.PurchaseSeqs, comparePurchases})
	kept := 0
	for i := range h.Purchases {
		if i+1 < len(h.Purchases) && comparePurchases(&h.Purchases[i], &h.Purchases[i+1]) == 0 {
			continue
		}
		h.Purchases[kept], h.PurchaseSeqs[kept] = h.Purchases[i], h.PurchaseSeqs[i]
		kept++
	}
	h.Purchases, h.PurchaseSeqs = h.Purchases[:kept], h.PurchaseSeqs[:kept]
}

// comparePurchases compares the keys; of equal ones the sequence numbers decide.
func comparePurchases(a, b *fund.Purchase) int {
	return cmp.Or(cmp.Compare(a.ProductCode, b.ProductCode), cmp.Compare(a.KnownOn, b.KnownOn), cmp.Compare(a.Kind, b.Kind))
}

// rows sorts what was read and its sequence numbers together.
type rows[T any] struct {
	values  []T
	seqs    []uint64
	compare func(a, b *T) int
}

func (r rows[T]) Len() int { return len(r.values) }
func (r rows[T]) Less(i, j int) bool {
	return cmp.Or(r.compare(&r.values[i], &r.values[j]), cmp.Compare(r.seqs[i], r.seqs[j])) < 0
}

func (r rows[T]) Swap(i, j int) {
	r.values[i], r.values[j] = r.values[j], r.values[i]
	r.seqs[i], r.seqs[j] = r.seqs[j], r.seqs[i]
}

// Wants reports whether the query asks for the cells of a view.
func Wants(q *features.HistoryQuery, v features.View) bool {
	return q.Views == nil || slices.Contains(q.Views, v)
}

// IDs returns the ids that a query lists, in byte order, each once, within its range.
func IDs(q *features.HistoryQuery) []string {
	ids := slices.Compact(slices.Sorted(slices.Values(q.CustomerIDs)))
	return slices.DeleteFunc(ids, func(id string) bool { return id <= q.After || q.Through != "" && id > q.Through })
}
