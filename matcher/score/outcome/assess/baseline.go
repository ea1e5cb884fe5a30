package assess

import (
	"cmp"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
)

// What the unconditional quantile needs: a quarter's entries of the product itself, or else
// as many of its class as a shape needs.
const (
	minOwn   = 13
	minClass = outcome.MinHoldings
)

// compare gives each entry of one horizon the quantiles of holdings that were completed
// before its day: the product's own, or its class's where those are too few. This is what
// the foreseen ranges have to beat.
func compare(products []outcome.Product, entries []entry) {
	byDue := make([]int, len(entries))
	for i := range byDue {
		byDue[i] = i
	}
	slices.SortStableFunc(byDue, func(a, b int) int { return cmp.Compare(entries[a].Due, entries[b].Due) })
	byDay := slices.Clone(byDue)
	slices.SortStableFunc(byDay, func(a, b int) int { return cmp.Compare(entries[a].AsOf, entries[b].AsOf) })
	own := make([]results, len(products))
	classes := make([]results, fund.Classes)
	next := 0
	for _, i := range byDay {
		e := &entries[i]
		for next < len(byDue) && entries[byDue[next]].Due < e.AsOf {
			done := &entries[byDue[next]]
			own[done.Product].add(done.Net)
			if class := products[done.Product].Class; class != fund.ClassUnknown {
				classes[class].add(done.Net)
			}
			next++
		}
		if r := &own[e.Product]; r.len() >= minOwn {
			e.past, e.compared = r.quantiles(), true
		} else if r := &classes[products[e.Product].Class]; r.len() >= minClass {
			e.past, e.compared = r.quantiles(), true
		}
	}
}

// results are those of completed holdings, sorted when they are asked for.
type results struct {
	returns, drawdowns []float64
	measured           outcome.Range
	fresh              bool
}

func (r *results) len() int { return len(r.returns) }

func (r *results) add(of outcome.Result) {
	r.returns, r.drawdowns, r.fresh = append(r.returns, of.Return), append(r.drawdowns, of.Drawdown), false
}

func (r *results) quantiles() outcome.Range {
	if r.fresh {
		return r.measured
	}
	slices.Sort(r.returns)
	slices.Sort(r.drawdowns)
	for i := range outcome.Levels {
		rank := outcome.Rank(r.len(), outcome.Level(i))
		r.measured.Return[i], r.measured.Drawdown[i] = fund.RatioOf(r.returns[rank]), fund.RatioOf(r.drawdowns[rank])
	}
	r.fresh = true
	return r.measured
}
