package inference

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// MismatchBelow is the p-value below which arms are not in the ratio that was planned: what the experiment says then is
// not to be believed (Fabijan and others 2019, "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments").
const MismatchBelow = .001

// Ratio is the chi-square test of customers against planned shares.
type Ratio struct {
	Expected []float64 // customers, by the weights
	Chi2     float64
	DF       int
	P        float64
}

// Mismatch says that the arms are not as planned.
func (r *Ratio) Mismatch() bool { return r.P < MismatchBelow }

// SampleRatio tests how many customers each arm has against weights, of any sum: sum (observed - expected)²/expected.
// Errors: ErrOptions (fewer than two arms, a weight that is not above 0), ErrTooFew (no customers).
func SampleRatio(customers []int64, weights []float64) (*Ratio, error) {
	if len(customers) < 2 || len(weights) != len(customers) {
		return nil, fmt.Errorf("%w: %d arms and %d weights, expected at least 2 and as many", ErrOptions, len(customers), len(weights))
	}
	var all int64
	var sum float64
	for i, n := range customers {
		if n < 0 {
			return nil, fmt.Errorf("%w: %d customers, expected 0 or more", ErrValue, n)
		}
		if w := weights[i]; !(w > 0 && w <= MaxValue) {
			return nil, fmt.Errorf("%w: weight %v, expected above 0", ErrOptions, w)
		}
		all += n
		sum += weights[i]
	}
	if all == 0 {
		return nil, fmt.Errorf("%w: no customers", ErrTooFew)
	}
	r := &Ratio{DF: len(customers) - 1}
	for i, n := range customers {
		expected := float64(float64(all) * (weights[i] / sum))
		d := float64(n) - expected
		r.Expected = append(r.Expected, expected)
		r.Chi2 += float64(d*d) / expected
	}
	r.P = 0
	if !math.IsInf(r.Chi2, 1) {
		r.P = distuv.ChiSquared{K: float64(r.DF)}.Survival(r.Chi2)
	}
	return r, nil
}
