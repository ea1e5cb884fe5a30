package training

import (
	"fmt"
	"math"

	"github.com/fundmatch/fundmatch/matcher/score"
)

// Weight is one weight of the score, judged and fitted.
type Weight struct {
	Feature       string  `json:"feature"`
	Judged        float64 `json:"judged"`
	Free          float64 `json:"free"`          // what the regression alone says, on the scale of the judged
	StandardError float64 `json:"standardError"` // of it
	Fitted        float64 `json:"fitted"`        // within the bounds, the others fitted again beside it
	Bound         Bound   `json:"bound"`         // why it is not what the regression says
}

// Bound is what keeps a fitted weight from following the history.
type Bound string

// The bounds.
const (
	Unbound   Bound = ""
	Constant  Bound = "CONSTANT"  // it never varied: the judged weight stays
	Sign      Bound = "SIGN"      // the product's rules know its direction
	Protected Bound = "PROTECTED" // it protects the customer: the history may strengthen it, never weaken it
	Demand    Bound = "DEMAND"    // it follows what is bought: the history may weaken it, never strengthen it
)

// direction is the sign that the product's rules give a feature.
func direction(f score.Feature) float64 {
	if f == score.Cost || f == score.Objected || f == score.Breach {
		return -1
	}
	return 1
}

// protects reports whether a feature guards the customer; the others follow what is bought.
// Past purchases were pushed: people bought what cost more, fell further and served another
// goal than theirs, because somebody sold it to them, and others then bought what many have.
// Weights learnt from that would learn the push. So the one kind is held at the judged
// weights from below and the other from above: no fit shifts the score from what protects
// to what sells.
func protects(f score.Feature) bool {
	switch f {
	case score.GoalFit, score.HorizonFit, score.LiquidityFit, score.LossFit, score.Cost, score.Objected, score.Breach:
		return true
	case score.Affinity, score.Quality, score.Popularity:
		return false
	default:
		return true // what nobody has judged here yet is not weakened
	}
}

// weightRidge is in rows of some hundred thousand: it only keeps columns that run together
// from tearing each other apart. It was set before the first fit.
const weightRidge = 10

// leastPairs and leastBought are what a fit of the weights needs.
const (
	leastPairs  = 5_000
	leastBought = 100
)

// fitWeights regresses whether a permitted product was ordered on the values of the score's
// features, and brings the slopes to the scale of the judged weights: scores of the same
// spread. Features beyond a bound are held at it and the rest is fitted again, until none is.
// Errors: errTooLittle.
func (r *running) fitWeights(pairs []pair) ([]Weight, error) {
	bought := 0
	for i := range pairs {
		if pairs[i].bought {
			bought++
		}
	}
	if len(pairs) < leastPairs || bought < leastBought {
		return nil, fmt.Errorf("%w: weights: %d pairs of a customer and a permitted product with %d orders, expected at least %d with %d",
			errTooLittle, len(pairs), bought, leastPairs, leastBought)
	}
	f := weightFit{pairs: pairs, weights: make([]Weight, score.Features), judged: r.base.Weights}
	for feature := range score.Features {
		f.weights[feature] = Weight{Feature: feature.String(), Judged: r.base.Weights[feature]}
		if f.constant(feature) {
			f.weights[feature].Bound, f.weights[feature].Fitted = Constant, r.base.Weights[feature]
		}
	}
	if err := f.free(); err != nil {
		return nil, fmt.Errorf("%w: weights: %w", errTooLittle, err)
	}
	for f.bind() {
		if err := f.again(); err != nil {
			return nil, fmt.Errorf("%w: weights: %w", errTooLittle, err)
		}
	}
	return f.weights, nil
}

// weightFit is one fit while it goes on.
type weightFit struct {
	pairs   []pair
	weights []Weight
	judged  [score.Features]float64
	scale   float64 // judged weights by the regression's slopes
}

func (f *weightFit) constant(feature score.Feature) bool {
	for i := range f.pairs {
		if f.pairs[i].values[feature] != f.pairs[0].values[feature] {
			return false
		}
	}
	return true
}

// free fits all features that vary, without bounds, and settles the scale.
func (f *weightFit) free() error {
	linear, features, err := f.regress()
	if err != nil {
		return err
	}
	slopes := [score.Features]float64{}
	for k, feature := range features {
		slopes[feature] = linear.Terms[k].Coefficient
	}
	fitted := f.spread(&slopes)
	if !(fitted > 0) {
		return fmt.Errorf("the slopes are all 0")
	}
	f.scale = f.spread(&f.judged) / fitted
	for k, feature := range features {
		w := &f.weights[feature]
		w.Free = linear.Terms[k].Coefficient * f.scale
		w.StandardError = linear.Terms[k].StandardError * f.scale
		w.Fitted = w.Free
	}
	return nil
}

// spread is the standard deviation of the scores that weights give.
func (f *weightFit) spread(weights *[score.Features]float64) float64 {
	var mean, squares float64
	for i := range f.pairs {
		s := 0.0
		for k, w := range weights {
			s += float64(w * f.pairs[i].values[k])
		}
		d := s - mean // Welford's: the mean is far from 0
		mean += d / float64(i+1)
		squares += float64(d * (s - mean))
	}
	return math.Sqrt(squares / float64(len(f.pairs)))
}

// bind holds at its bound what lies beyond; false: nothing does any more.
func (f *weightFit) bind() (bound bool) {
	for feature := range score.Features {
		w := &f.weights[feature]
		if w.Bound != Unbound {
			continue
		}
		sign := direction(feature)
		switch {
		case protects(feature) && sign*w.Fitted < sign*w.Judged:
			w.Fitted, w.Bound = w.Judged, Protected
		case sign*w.Fitted < 0:
			w.Fitted, w.Bound = 0, Sign
		case !protects(feature) && sign*w.Fitted > sign*w.Judged:
			w.Fitted, w.Bound = w.Judged, Demand
		default:
			continue
		}
		bound = true
	}
	return bound
}

// again fits what is not bound, on what the bound ones leave.
func (f *weightFit) again() error {
	linear, features, err := f.regress()
	if err != nil || linear == nil {
		return err
	}
	for k, feature := range features {
		f.weights[feature].Fitted = linear.Terms[k].Coefficient * f.scale
	}
	return nil
}

// regress fits the features that are not bound, with those that are taken off the outcome. A
// feature that never varies takes nothing off but a constant. nil: all are bound.
func (f *weightFit) regress() (*score.Linear, []score.Feature, error) {
	var columns []score.Column
	var features []score.Feature
	for feature := range score.Features {
		if f.weights[feature].Bound == Unbound {
			columns = append(columns, score.Column{Name: feature.String()})
			features = append(features, feature)
		}
	}
	if len(features) == 0 {
		return nil, nil, nil
	}
	m, err := score.NewMoments(score.Column{Name: "ORDERED"}, columns, 0)
	if err != nil {
		return nil, nil, err
	}
	row := make([]float64, len(features))
	for i := range f.pairs {
		x := &f.pairs[i]
		y := 0.0
		if x.bought {
			y = 1
		}
		for feature := range score.Features {
			if w := &f.weights[feature]; f.scale > 0 && w.Bound != Unbound && w.Bound != Constant {
				y -= float64(w.Fitted / f.scale * x.values[feature])
			}
		}
		for k, feature := range features {
			row[k] = x.values[feature]
		}
		if err := m.Add(y, row); err != nil {
			return nil, nil, err
		}
	}
	linear, err := score.Fit(m, score.FitOptions{Ridge: weightRidge})
	return linear, features, err
}
