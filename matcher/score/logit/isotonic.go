package logit

import (
	"cmp"
	"slices"
)

// step is a run of rows that an isotonic function gives one value.
type step struct {
	rows, events int64
	sum          float64 // of the log-odds
	least, most  float64
}

// after reports whether the step's share of events is not above the next one's, so that
// both must be one. Counts are compared, so nothing is rounded.
func (a step) notBelow(b step) bool { return a.events*b.rows >= b.events*a.rows }

func (a step) with(b step) step {
	return step{a.rows + b.rows, a.events + b.events, a.sum + b.sum, a.least, b.most}
}

// Isotonic fits the monotone function of least squares by pooling adjacent violators
// (Ayer et al. 1955). Rows of equal log-odds are one; steps of equal value are one; above
// MaxKnots steps neighbours are pooled two by two.
// Errors: ErrTooFew, ErrOneClass, ErrNotFinite, ErrNotMonotone (a single step).
func Isotonic(rows []Scored) (*Calibration, error) {
	if err := checkScored(rows); err != nil {
		return nil, err
	}
	steps := pool(rows)
	if len(steps) < 2 {
		return nil, &DataError{Err: ErrNotMonotone, Value: float64(len(steps)), Want: "at least two steps"}
	}
	for len(steps) > MaxKnots {
		steps = halve(steps)
	}
	c := calibrationOf(IsotonicSteps, len(rows))
	c.Knots = make([]Knot, len(steps))
	for i, s := range steps {
		centre := min(max(s.sum/float64(s.rows), s.least), s.most)
		c.Knots[i] = Knot{LogOdds: centre, Probability: float64(s.events) / float64(s.rows)}
	}
	return c, nil
}

// pool returns the steps of the isotonic function, by ascending log-odds.
func pool(rows []Scored) []step {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b Scored) int { return cmp.Compare(a.LogOdds, b.LogOdds) })
	var steps []step
	for i := 0; i < len(rows); {
		next := step{least: rows[i].LogOdds, most: rows[i].LogOdds}
		for ; i < len(rows) && rows[i].LogOdds == next.most; i++ {
			next.rows++
			if rows[i].Happened {
				next.events++
			}
		}
		next.sum = next.most * float64(next.rows)
		for len(steps) > 0 && steps[len(steps)-1].notBelow(next) {
			next = steps[len(steps)-1].with(next)
			steps = steps[:len(steps)-1]
		}
		steps = append(steps, next)
	}
	return steps
}

// halve pools neighbours two by two, the odd one at the end alone. Means of neighbours rise
// where the neighbours did.
func halve(steps []step) []step {
	out := make([]step, 0, (len(steps)+1)/2)
	for i := 0; i < len(steps); i += 2 {
		s := steps[i]
		if i+1 < len(steps) {
			s = s.with(steps[i+1])
		}
		out = append(out, s)
	}
	return out
}
