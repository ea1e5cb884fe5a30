package calibration

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/evaluate/share"
)

// Rows is how many forecasts there were.
func (s *State) Rows() (n int64) {
	for _, b := range s.bins {
		n += b.Rows
	}
	return n
}

// Events is how many of them happened.
func (s *State) Events() (n int64) {
	for _, b := range s.bins {
		n += b.Events
	}
	return n
}

// Brier is mean (p - y)² (Brier 1950), from 0, the best, to 1. NaN of nothing.
func (s *State) Brier() float64 { return s.squares / float64(s.Rows()) }

// RMSE is the root of Brier. NaN of nothing.
func (s *State) RMSE() float64 { return math.Sqrt(s.Brier()) }

// LogLoss is the mean of -ln of the chance that was given to what happened, which counts as 2^-52 at least. NaN of nothing.
func (s *State) LogLoss() float64 { return s.losses / float64(s.Rows()) }

// ECE is the expected calibration error: the mean distance of predicted and observed over the bins, by their rows
// (Naeini, Cooper and Hauskrecht 2015). NaN of nothing.
func (s *State) ECE() float64 {
	var sum float64
	for _, b := range s.bins {
		sum += math.Abs(b.Probability - float64(b.Events))
	}
	return sum / float64(s.Rows())
}

// MCE is the largest of these distances. NaN of nothing.
func (s *State) MCE() float64 {
	most := math.NaN()
	for _, b := range s.bins {
		if b.Rows == 0 {
			continue
		}
		if d := math.Abs(b.Probability-float64(b.Events)) / float64(b.Rows); !(d <= most) {
			most = d
		}
	}
	return most
}

// BinnedAUC is AUC of the forecasts rounded down to their bins: two of one bin count half. It is off by at most half the
// share of pairs that meet in a bin. NaN where all or nothing happened.
func (s *State) BinnedAUC() float64 {
	var before, pairs float64 // what did not happen so far
	for _, b := range s.bins {
		quiet := float64(b.Rows - b.Events)
		pairs += float64(float64(b.Events) * (before + quiet/2))
		before += quiet
	}
	return pairs / (before * float64(s.Events()))
}

// Point is a bin of the reliability curve.
type Point struct {
	From, To  float64 // of its probabilities: [From, To), the last [From, 1]
	Rows      int64
	Events    int64
	Predicted float64 // mean probability
	Observed  float64 // share that happened
	Low, High float64 // Wilson's 95 % interval of Observed (1927), which takes rows for independent
}

// Reliability are the bins that hold forecasts, by ascending probability.
func (s *State) Reliability() []Point {
	var out []Point
	count := float64(len(s.bins))
	for i, b := range s.bins {
		if b.Rows == 0 {
			continue
		}
		n := float64(b.Rows)
		p := Point{
			From: float64(i) / count, To: float64(i+1) / count, Rows: b.Rows, Events: b.Events,
			Predicted: b.Probability / n, Observed: float64(b.Events) / n,
		}
		p.Low, p.High = share.Wilson(p.Observed, n)
		out = append(out, p)
	}
	return out
}

// AUC is the chance that of a forecast that came true and one that did not, drawn at random, the first was the higher;
// equal ones count half (Mann and Whitney 1947; the area under the ROC curve).
// Errors: ErrEmpty, ErrForecast (a NaN, lengths that differ), ErrOneClass.
func AUC(p []float64, happened []bool) (float64, error) {
	if len(p) == 0 || len(p) != len(happened) {
		return math.NaN(), fmt.Errorf("%w: %d forecasts and %d outcomes, expected as many and some", ErrEmpty, len(p), len(happened))
	}
	order := make([]int, len(p))
	for i, v := range p {
		if math.IsNaN(v) {
			return math.NaN(), fmt.Errorf("%w: forecast %d is NaN", ErrForecast, i+1)
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	var quiet, events, twice int64 // twice: pairs in the right order, counted double
	for from := 0; from < len(order); {
		to, came := from, int64(0)
		for ; to < len(order) && p[order[to]] == p[order[from]]; to++ {
			if happened[order[to]] {
				came++
			}
		}
		not := int64(to-from) - came
		twice += came * (2*quiet + not)
		quiet, events, from = quiet+not, events+came, to
	}
	if quiet == 0 || events == 0 {
		return math.NaN(), fmt.Errorf("%w: %d of %d happened, expected some that did and some that did not", ErrOneClass, events, len(p))
	}
	return float64(twice) / (2 * float64(quiet) * float64(events)), nil
}
