package inference

import (
	"cmp"
	"math"
	"slices"
)

// Holm adjusts p-values so that the chance of any false finding among them stays below alpha when those below alpha are
// taken (Holm 1979, step down): the i-th smallest of m times m - i + 1, never below the one before, at most 1.
// A NaN, a comparison that could not be made, stays NaN and is not counted.
func Holm(p []float64) []float64 {
	return adjust(p, func(order []int, out []float64) {
		least := 0.0
		for i, at := range order {
			least = max(least, min(float64(p[at]*float64(len(order)-i)), 1))
			out[at] = least
		}
	})
}

// BenjaminiHochberg adjusts p-values so that at most a share alpha of those taken is expected to be false (1995, step up):
// the i-th smallest of m times m/i, never above the one behind, at most 1. A NaN stays NaN and is not counted.
func BenjaminiHochberg(p []float64) []float64 {
	return adjust(p, func(order []int, out []float64) {
		most := 1.0
		for i := len(order) - 1; i >= 0; i-- {
			at := order[i]
			most = min(most, float64(p[at]*float64(len(order)))/float64(i+1))
			out[at] = most
		}
	})
}

// adjust gives step the places of the numbers, smallest first.
func adjust(p []float64, step func(order []int, out []float64)) []float64 {
	out := slices.Clone(p)
	order := make([]int, 0, len(p))
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	step(order, out)
	return out
}
