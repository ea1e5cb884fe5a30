package features

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// generationBits is the part of a stored SourceSeq below the import that wrote it.
const generationBits = 16

// MergeImported returns those of the incoming cells of one customer that an import has
// to add to the stored ones, with the SourceSeq that they are kept under. Cells with
// equal times are told apart by the import that brought them, so that the later import
// wins; within one import by the SourceSeq that they came with, at most MaxSourceSeq.
// What the newest import of that name and times already said is not said again: running
// an import twice adds nothing. All incoming cells of one name and times are one
// statement, so they have to come in one call. seq is the import's sequence number.
func MergeImported(stored, incoming []Cell, seq uint64) []Cell {
	if len(stored) == 0 {
		return numbered(slices.Clone(incoming), seq)
	}
	said := make(map[cellTimes][]int, len(stored))
	for i := range stored {
		k := timesOf(&stored[i])
		said[k] = append(said[k], i)
	}
	changed := map[cellTimes]bool{}
	for i := range incoming {
		k := timesOf(&incoming[i])
		if !changed[k] && !saidByNewest(stored, said[k], incoming[i], seq) {
			changed[k] = true
		}
	}
	if k := (cellTimes{view: HoldingsView, name: PostedName}); len(said[k]) > 0 && !samePostings(stored, said[k], incoming) {
		changed[k] = true // fewer batches than the newest import posted
	}
	var added []Cell
	for i := range incoming {
		if changed[timesOf(&incoming[i])] {
			added = append(added, incoming[i])
		}
	}
	return numbered(added, seq)
}

// samePostings reports whether the newest import that posted any batches, those in the stored
// cells of the indices, posted as many as come in; none is no posting.
func samePostings(stored []Cell, indices []int, incoming []Cell) bool {
	newest, there, posted := uint64(0), 0, 0
	for _, i := range indices {
		if g := stored[i].SourceSeq >> generationBits; g > newest {
			newest, there = g, 0
		}
		if stored[i].SourceSeq>>generationBits == newest {
			there++
		}
	}
	for i := range incoming {
		if incoming[i].posted() {
			posted++
		}
	}
	return posted == 0 || posted == there
}

func numbered(cells []Cell, seq uint64) []Cell {
	for i := range cells {
		cells[i].SourceSeq |= seq << generationBits
	}
	return cells
}

// saidByNewest reports whether the newest import that spoke of the cell's name and
// times, in the stored cells of those indices, said the same.
func saidByNewest(stored []Cell, indices []int, c Cell, seq uint64) bool {
	newest := uint64(0)
	for _, i := range indices {
		if g := stored[i].SourceSeq >> generationBits; g <= seq {
			newest = max(newest, g)
		}
	}
	c.SourceSeq |= newest << generationBits
	for _, i := range indices {
		if c.posted() {
			c.EventAt = stored[i].EventAt
		}
		if stored[i] == c {
			return true
		}
	}
	return false
}

// cellTimes are a name and its times: what a later import may say otherwise.
type cellTimes struct {
	view             View
	name             string
	eventAt, knownAt fund.Instant
}

// timesOf returns what a cell speaks of. A posting batch has no time but that of its import:
// the same batch posted again is the same statement.
func timesOf(c *Cell) cellTimes {
	if c.posted() {
		return cellTimes{view: c.View, name: c.Name}
	}
	return cellTimes{c.View, c.Name, c.EventAt, c.KnownAt}
}
