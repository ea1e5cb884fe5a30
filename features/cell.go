package features

import (
	"cmp"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Cell is one fact about one customer: the bitemporal unit of truth. Cells of one
// (View, Name) are ordered by Compare; the last one in force answers a read.
type Cell struct {
	CustomerID string
	View       View
	Name       string       // within the view: a column, a tag's name, a lot's key
	Value      string       // the view's own text form; fold.go states each
	EventAt    fund.Instant // when it became true; 0: always
	KnownAt    fund.Instant // when the bank knew it; 0: unknown, counts as EventAt
	ValidTo    fund.Instant // end of validity; 0: open
	Tombstone  bool         // removed as of EventAt
	Source     string
	Purpose    string
	SourceSeq  uint64 // the writer's own order of cells with the same times
}

// View groups the cells of one meaning.
type View string

// The views of the profile. Every other view is the bank's own: its cells have values in
// canonical JSON (CanonicalValue), and package view says what its features mean.
const (
	PersonView          View = "person"          // columns of customers.csv that are no other view
	AssessmentView      View = "assessment"      // names: assessed, predicted
	NeedsView           View = "needs"           // names: goals, horizon_months, liquidity_need
	PersonalizationView View = "personalization" // name: enabled
	TagView             View = "tag"             // name: the tag's
	LotView             View = "lot"             // name: LotName; tombstone when the lot is gone
	HoldingsView        View = "holdings"        // names: snapshot, posted; a whole batch of lots
	AttributeView       View = "attribute"       // unknown columns of customers.csv
	ConsentView         View = "consent"         // name: the purpose; value: true, false
)

// BuiltIn reports whether the view is one of the profile's own.
func (v View) BuiltIn() bool {
	switch v {
	case PersonView, AssessmentView, NeedsView, PersonalizationView, TagView, LotView, HoldingsView, AttributeView, ConsentView:
		return true
	}
	return false
}

// Known returns the instant from which the cell was known.
func (c *Cell) Known() fund.Instant {
	if c.KnownAt != 0 {
		return c.KnownAt
	}
	return c.EventAt
}

// VisibleAt reports whether the cell is part of what was true and known at an instant.
func (c *Cell) VisibleAt(at fund.Instant) bool { return c.EventAt <= at && c.Known() <= at }

// Visible reports whether the cell was true at one instant and known at another.
func (c *Cell) Visible(a AsOf) bool {
	return c.EventAt <= a.At && c.Known() <= a.Known && (c.KnownAt != 0 || !a.KnownOnly)
}

// Compare orders the cells of one (customer, view, name) by event time, known time
// (unknown lowest), the writer's sequence, a tombstone after a value, the value's bytes,
// then by what is left: one total order everywhere, so that late and repeated writes end in
// the same state. What was removed and written in the same breath is removed. Cells that
// are equal in every field are one cell.
func Compare(a, b *Cell) int {
	return cmp.Or(
		cmp.Compare(a.EventAt, b.EventAt),
		cmp.Compare(a.KnownAt, b.KnownAt),
		cmp.Compare(a.SourceSeq, b.SourceSeq),
		cmp.Compare(boolRank(a.Tombstone), boolRank(b.Tombstone)),
		cmp.Compare(a.Value, b.Value),
		cmp.Compare(a.ValidTo, b.ValidTo),
		cmp.Compare(a.Source, b.Source),
		cmp.Compare(a.Purpose, b.Purpose),
	)
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}
