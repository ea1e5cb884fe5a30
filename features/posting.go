package features

import (
	"encoding/json"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// PostedName is the name in HoldingsView of a posting batch of a file: all lots of one
// customer and one batch_id of holdings.csv, in the form of SnapshotName. A file gives a
// batch no time of its own, so that it comes into an import without one and is posted at the
// import's instant (TakeImported).
//
// Of snapshots and batches the one in force at an instant speaks alone, by Compare: never two
// mixed. Of the batches of one import the last one in the file is in force, by its SourceSeq.
// Before the first posting nothing is known of when the lots were booked but the day of each,
// so that lots without a batch speak, and where there are none the first posting does, with
// the lots of those days: a file without times answers about its past as it always did.
const PostedName = "posted"

// posted reports whether the cell is a posting batch.
func (c *Cell) posted() bool { return c.View == HoldingsView && c.Name == PostedName }

// TakeImported parts the cells that an import may merge from those that came too early, and
// gives posting batches the import's instant. Of a batch the lots of days to come go aside
// one by one: the rest is what the customer holds.
func TakeImported(cells []Cell, at fund.Instant) (kept []Cell, early []QuarantinedFact) {
	kept, early = SplitAhead(cells, at)
	copied := len(early) > 0
	for i := range kept {
		if !kept[i].posted() || kept[i].EventAt != 0 {
			continue
		}
		if !copied { // the caller's own cells stay as they are
			kept, copied = append([]Cell(nil), kept...), true
		}
		early = append(early, kept[i].post(at)...)
	}
	return kept, early
}

// post gives a batch its time, and takes out the lots of days to come. A value that does not
// parse stays as it is: Check names it.
func (c *Cell) post(at fund.Instant) (early []QuarantinedFact) {
	c.EventAt = at
	var lots []LotValue
	if json.Unmarshal([]byte(c.Value), &lots) != nil {
		return nil
	}
	kept := lots[:0]
	for i := range lots {
		if day, err := fund.ParseDate(lots[i].AcquiredOn); err == nil && ahead(day.Start(), at) {
			early = append(early, quarantinedLot(c.CustomerID, &lots[i], day.Start(), at))
			continue
		}
		kept = append(kept, lots[i])
	}
	if len(early) > 0 {
		c.Value = factText(kept)
	}
	return early
}

// holding is the snapshot or batch that speaks of what a customer holds.
type holding struct {
	cell *Cell
	lots []fund.Lot
}

// add reads a snapshot or batch and keeps it when it is newer than what is kept.
func (h *holding) add(c *Cell) error {
	var values []LotValue
	if !c.Tombstone {
		if err := json.Unmarshal([]byte(c.Value), &values); err != nil {
			return err
		}
	}
	lots := make([]fund.Lot, 0, len(values))
	for _, v := range values {
		lot, err := v.Lot()
		if err != nil {
			return err
		}
		lots = append(lots, lot)
	}
	if h.cell == nil || Compare(c, h.cell) > 0 {
		h.cell, h.lots = c, lots
	}
	return nil
}

// addFirst reads, for an instant before the first posting, the batch that the first posting
// put in force, with the lots of days up to the instant.
func (h *holding) addFirst(cells []Cell, a AsOf) error {
	var first *Cell
	for i := range cells {
		c := &cells[i]
		if c.posted() && (first == nil || c.EventAt < first.EventAt || c.EventAt == first.EventAt && Compare(c, first) > 0) {
			first = c
		}
	}
	if first == nil {
		return nil
	}
	if err := h.add(first); err != nil {
		return err
	}
	all := h.lots
	h.lots = nil
	for _, l := range all {
		if l.AcquiredOn.Start() <= min(a.At, a.Known) {
			h.lots = append(h.lots, l)
		}
	}
	return nil
}
