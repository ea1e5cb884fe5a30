package money

import (
	"fmt"
	"math"
)

// Concentration is how unevenly something is spread over holders: products, issuers, managers.
type Concentration struct {
	Holders    int     // with more than 0
	HHI        float64 // Herfindahl and Hirschman: Σ share², 1/holders to 1
	Effective  float64 // 1/HHI: as many equal holders would be as concentrated
	Normalised float64 // (HHI - 1/n)/(1 - 1/n): 0 equal, 1 one has all; 1 for one holder
	Top1       float64 // the largest share
}

// Concentrate measures weights of any unit, added in their order. Weights of 0 are nobody's. Figures of nothing are NaN.
// An error wraps ErrValue: a weight below 0, or not finite.
func Concentrate(weights []float64) (Concentration, error) {
	total, holders, top := 0.0, 0, 0.0
	for i, w := range weights {
		if !(w >= 0 && w <= math.MaxFloat64) {
			return Concentration{}, fmt.Errorf("%w: weight %d is %v, expected 0 or above", ErrValue, i+1, w)
		}
		if w > 0 {
			holders++
			total += w
			top = max(top, w)
		}
	}
	if math.IsInf(total, 0) {
		return Concentration{}, fmt.Errorf("%w: weights add up to more than a number holds", ErrValue)
	}
	if holders == 0 {
		return Concentration{HHI: math.NaN(), Effective: math.NaN(), Normalised: math.NaN(), Top1: math.NaN()}, nil
	}
	c := Concentration{Holders: holders, Top1: top / total, Normalised: 1}
	for _, w := range weights {
		share := w / total
		c.HHI += float64(share * share)
	}
	c.Effective = 1 / c.HHI
	if equal := 1 / float64(holders); holders > 1 {
		c.Normalised = (c.HHI - equal) / (1 - equal)
	}
	return c, nil
}

// Turnover is how often what was held was exchanged: the smaller of what was bought and what was sold over a period,
// divided by the mean of what was held in it (SEC Form N-1A, item 13). All in fen, from 0. NaN where nothing was held.
func Turnover(bought, sold, meanHeld float64) float64 {
	if !(meanHeld > 0) || !(bought >= 0) || !(sold >= 0) {
		return math.NaN()
	}
	return min(bought, sold) / meanHeld
}
