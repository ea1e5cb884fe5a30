package evaluate

import (
	"cmp"
	"slices"
)

// Scored is a product with the score that a run gave it.
type Scored struct {
	ID    string
	Score float64
}

// Ties says which of two products with the same score comes first.
type Ties uint8

// The orders of ties.
const (
	TiesByIDDescending Ties = iota // as trec_eval; the default
	TiesAsGiven                    // the order of the input
)

// Order returns the ids of a run by descending score. The run is not changed.
func Order(run []Scored, ties Ties) []string {
	sorted := slices.Clone(run)
	slices.SortStableFunc(sorted, func(a, b Scored) int {
		if c := cmp.Compare(b.Score, a.Score); c != 0 || ties == TiesAsGiven {
			return c
		}
		return cmp.Compare(b.ID, a.ID)
	})
	ids := make([]string, len(sorted))
	for i := range sorted {
		ids[i] = sorted[i].ID
	}
	return ids
}
