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

// SameShare is the chi-square test that arms have the same share of something: events of so many customers each.
// Expected are the events of each arm by the share of all. Where none or all have it the arms are alike: P is 1.
// Errors: ErrOptions (fewer than two arms), ErrValue (more events than customers), ErrTooFew (an arm without customers).
func SameShare(events, customers []int64) (*Ratio, error) {
	if len(customers) < 2 || len(events) != len(customers) {
		return nil, fmt.Errorf("%w: %d arms and %d counts, expected at least 2 and as many", ErrOptions, len(customers), len(events))
	}
	rest := make([]int64, len(events))
	weights := make([]float64, len(events))
	var with, without int64
	for i, n := range customers {
		switch {
		case n < 1:
			return nil, fmt.Errorf("%w: an arm without customers", ErrTooFew)
		case events[i] < 0 || events[i] > n:
			return nil, fmt.Errorf("%w: %d of %d customers", ErrValue, events[i], n)
		}
		rest[i], weights[i] = n-events[i], float64(n)
		with, without = with+events[i], without+rest[i]
	}
	if with == 0 || without == 0 {
		r := &Ratio{DF: len(customers) - 1, P: 1}
		for _, n := range events {
			r.Expected = append(r.Expected, float64(n))
		}
		return r, nil
	}
	r, err := SampleRatio(events, weights)
	if err != nil {
		return nil, err
	}
	others, err := SampleRatio(rest, weights)
	if err != nil {
		return nil, err
	}
	r.Chi2 += others.Chi2
	r.P = distuv.ChiSquared{K: float64(r.DF)}.Survival(r.Chi2)
	return r, nil
}
