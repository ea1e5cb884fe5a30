package score

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
)

// breaches are the columns of BREACH: by level, whose tolerance it is, and by horizon. A
// level without a tolerance has none.
type breaches [fund.C5 + 1][outcome.Horizons][]float64

// breachColumns computes how likely each product falls further, within each horizon, than
// each level is taken to bear.
func breachColumns(s *Settings, products []Product) (out breaches) {
	for level := fund.C1; level <= fund.C5; level++ {
		for h := range outcome.Horizons {
			column := make([]float64, len(products))
			for i := range products {
				column[i] = math.NaN()
				if d := products[i].Foreseen[h]; d != nil {
					column[i] = outcome.Breach(d, s.LossTolerance[level])
				}
			}
			fillUnknown(column, products)
			out[level][h] = column
		}
	}
	return out
}

// fillUnknown replaces NaN, where nothing is known to foresee from: a product gains nothing
// by that. It counts as the worst known one of its grade, or else of all. Where none is
// known, nothing is said of any.
func fillUnknown(column []float64, products []Product) {
	var worst [fund.R5 + 1]float64
	var known [fund.R5 + 1]bool
	most := 0.0
	for i, v := range column {
		if g := products[i].Grade; !math.IsNaN(v) {
			worst[g], known[g], most = max(worst[g], v), true, max(most, v)
		}
	}
	for i, v := range column {
		if !math.IsNaN(v) {
			continue
		}
		column[i] = most
		if g := products[i].Grade; known[g] {
			column[i] = worst[g]
		}
	}
}

// of is the column of a customer's level and horizon in months; 0: unknown, the months that
// costs are compared at. nil where it cannot be said what he bears.
func (b *breaches) of(level fund.RiskLevel, months int32) []float64 {
	if int(level) >= len(b) {
		return nil
	}
	return b[level][BreachHorizon(months)]
}

// BreachHorizon is the horizon that a breach is looked at over: the customer's, a year at
// most. Of longer holdings nobody has seen enough to tell funds apart by: the shapes that
// ship rest on two windows, both with the same crash in them, and say of every share that it
// is all but certain to fall far.
func BreachHorizon(months int32) outcome.Horizon {
	return min(outcome.Within(months), outcome.TwelveMonths)
}
