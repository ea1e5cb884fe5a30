package assess

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
)

// minReturns is how many returns before the day a series needs to count for the persistence.
const minReturns = 150

// Persistence is how much of a deviation of variance from its long run is left from one
// return to the next, as the returns dated before a day say: the sum of both coefficients of
// one GARCH(1,1) for all products (T. Bollerslev, 1986), each in units of its own variance
// (R. Engle and J. Mezrich, GARCH for groups, 1996), by the greatest Gaussian quasi-likelihood
// on a grid that is made finer three times. 0 where no product has enough returns: nothing is
// known. It is what a term structure of volatility rests on (outcome.Kept).
func Persistence(products []outcome.Product, until fund.Date) float64 {
	var returns [][]float64
	for i := range products {
		if r := standardised(&products[i].Series, until); r != nil {
			returns = append(returns, r)
		}
	}
	if len(returns) == 0 {
		return 0
	}
	persistence, news, width := 0.9, 0.1, 0.09 // news: the share of the newest square
	for range refinements {
		bestP, bestN, least := persistence, news, math.Inf(1)
		for a := -gridSteps; a <= gridSteps; a++ {
			for b := -gridSteps; b <= gridSteps; b++ {
				p := persistence + width*float64(a)/gridSteps
				n := news + width*float64(b)/gridSteps
				if p >= maxPersistence || n <= 0 || n > p {
					continue
				}
				if loss := quasiLoss(returns, p, n); loss < least {
					bestP, bestN, least = p, n, loss
				}
			}
		}
		persistence, news, width = bestP, bestN, width/gridSteps
	}
	return persistence
}

// The grid's steps to each side, how often it is made finer, and the greatest persistence
// looked at: at 1 variance would not come back at all.
const (
	gridSteps      = 5
	refinements    = 3
	maxPersistence = 0.9995
)

// standardised are the log returns before a day, less their mean, in units of their standard
// deviation; nil where there are too few, or nothing moves.
func standardised(s *outcome.Series, until fund.Date) []float64 {
	var out []float64
	mean := 0.0
	for i := 1; i < len(s.Days) && s.Days[i] < until; i++ {
		r := math.Log(s.Wealth[i] / s.Wealth[i-1])
		out = append(out, r)
		mean += r
	}
	if len(out) < minReturns {
		return nil
	}
	mean /= float64(len(out))
	squares := 0.0
	for i := range out {
		out[i] -= mean
		squares += float64(out[i] * out[i])
	}
	if squares == 0 {
		return nil
	}
	scale := math.Sqrt(squares / float64(len(out)))
	for i := range out {
		out[i] /= scale
	}
	return out
}

// quasiLoss is twice the negative log-likelihood but for a constant: the variance starts at
// its long run, 1.
func quasiLoss(returns [][]float64, persistence, news float64) (sum float64) {
	for _, series := range returns {
		variance := 1.0
		for _, r := range series {
			square := float64(r * r)
			sum += math.Log(variance) + square/variance
			variance = 1 - persistence + float64(news*square) + float64((persistence-news)*variance)
		}
	}
	return sum
}
