package memory

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// fold stands in for behaviour.Fold until that is merged.
func fold(t *fund.Trail, e *fund.Event) {
	i, _ := slices.BinarySearchFunc(t.Recent, e, func(a fund.Event, b *fund.Event) int { return fund.CompareEvents(&a, b) })
	t.Recent = slices.Insert(t.Recent, i, *e)
	y := &t.Tallies[e.Kind]
	if y.Count++; y.Count == 1 {
		y.First, y.Last = e.At, e.At
	}
	y.First, y.Last, y.Amount = min(y.First, e.At), max(y.Last, e.At), y.Amount+e.Amount
}
