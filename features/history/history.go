// Package history folds what a store has of a customer into the profile of any past: the
// same fold for an online read, an extract and the proof of a decision of years ago.
package history

import (
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
