package logit

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Method is how a calibration maps log-odds to probabilities.
type Method string

// The methods.
const (
	// Uncalibrated leaves the model's probability as it is, within the clip.
	Uncalibrated Method = "NONE"
	// PlattScaling is a logistic regression on the log-odds (Platt 1999, with his targets).
	PlattScaling Method = "PLATT"
	// IsotonicSteps is the monotone function of least squares, pool adjacent violators,
	// interpolated between the centres of its steps.
	IsotonicSteps Method = "ISOTONIC"
)

// MaxKnots bounds an isotonic calibration: neighbours are pooled until so many are left.
const MaxKnots = 512

// Calibration maps the model's log-odds to a probability that may be believed. It never
// falls where log-odds rise, and it never leaves [Least, Most].
type Calibration struct {
	Method    Method  `json:"method" yaml:"method"`
	Slope     float64 `json:"slope,omitempty" yaml:"slope,omitempty"`         // PLATT: above 0
	Intercept float64 `json:"intercept,omitempty" yaml:"intercept,omitempty"` // PLATT
	Knots     []Knot  `json:"knots,omitempty" yaml:"knots,omitempty"`         // ISOTONIC: 2 to MaxKnots
	// Least and Most are half an event more than none, and half less than all, of the rows
	// that it was fitted on: (1/2)/(n+1) and 1 minus that. Nothing more certain was seen.
	Least float64 `json:"least" yaml:"least"`
	Most  float64 `json:"most" yaml:"most"`
	Rows  int64   `json:"rows" yaml:"rows"` // n
}

// Knot is a point of an isotonic calibration.
type Knot struct {
	LogOdds     float64 `json:"log_odds" yaml:"log_odds"`       // the mean of the step's rows
	Probability float64 `json:"probability" yaml:"probability"` // the share of them in which it happened
}

// Scored is a row that a calibration is fitted on: not one that the model was fitted on.
type Scored struct {
	LogOdds  float64
	Happened bool
}

// Apply returns the calibrated probability of log-odds. It does not allocate. NaN stays NaN.
func (c *Calibration) Apply(logOdds float64) float64 {
	var p float64
	switch c.Method {
	case PlattScaling:
		p = coarse(c.Intercept + float64(c.Slope*logOdds))
	case IsotonicSteps:
		p = interpolate(c.Knots, logOdds)
	default:
		p = coarse(logOdds)
	}
	return min(max(p, c.Least), c.Most)
}

// coarse returns the probability of log-odds rounded to 2^-40: between neighbouring
// float64 the last digit of an exponential may fall where it should rise, between multiples
// of that it cannot. It is off by 1e-13 of the probability at most.
func coarse(eta float64) float64 { return Sigmoid(math.Round(eta*0x1p40) * 0x1p-40) }

// interpolate returns the value on the line between the knots about x, flat beyond the ends.
func interpolate(knots []Knot, x float64) float64 {
	if math.IsNaN(x) {
		return x
	}
	at, found := slices.BinarySearchFunc(knots, x, func(k Knot, x float64) int { return cmp.Compare(k.LogOdds, x) })
	switch {
	case found || at == 0:
		return knots[at].Probability
	case at == len(knots):
		return knots[at-1].Probability
	}
	a, b := knots[at-1], knots[at]
	share := (x - a.LogOdds) / (b.LogOdds - a.LogOdds)
	p := a.Probability + float64(share*(b.Probability-a.Probability))
	return min(max(p, a.Probability), b.Probability) // rounding never leaves the step
}

// Validate refuses what cannot have been fitted. It wraps ErrModel.
func (c *Calibration) Validate() error {
	least := .5 / float64(c.Rows+1)
	if c.Rows < 2 || c.Rows > MaxRows || c.Least != least || c.Most != 1-least {
		return &DataError{Err: ErrModel, Column: "least", Value: c.Least, Want: "0.5/(rows+1), most 1 minus that"}
	}
	switch c.Method {
	case Uncalibrated:
	case PlattScaling:
		if !(c.Slope > 0 && c.Slope <= math.MaxFloat64) || math.IsNaN(c.Intercept) || math.IsInf(c.Intercept, 0) {
			return &DataError{Err: ErrModel, Column: "slope", Value: c.Slope, Want: "a finite slope above 0 and a finite intercept"}
		}
	case IsotonicSteps:
		return c.validateKnots()
	default:
		return &DataError{Err: ErrModel, Column: string(c.Method), Want: "a method NONE, PLATT or ISOTONIC"}
	}
	if len(c.Knots) > 0 {
		return &DataError{Err: ErrModel, Column: "knots", Value: float64(len(c.Knots)), Want: "none for " + string(c.Method)}
	}
	return nil
}

func (c *Calibration) validateKnots() error {
	if len(c.Knots) < 2 || len(c.Knots) > MaxKnots {
		return &DataError{Err: ErrModel, Column: "knots", Value: float64(len(c.Knots)), Want: fmt.Sprintf("2 to %d", MaxKnots)}
	}
	for i, k := range c.Knots {
		if !(math.Abs(k.LogOdds) <= maxValue) || !(k.Probability >= 0 && k.Probability <= 1) {
			return &DataError{Err: ErrModel, Column: "knots", Row: i + 1, Value: k.Probability, Want: "log-odds within ±1e100 and a probability of 0 to 1"}
		}
		if i > 0 && !(k.LogOdds > c.Knots[i-1].LogOdds && k.Probability >= c.Knots[i-1].Probability) {
			return &DataError{Err: ErrModel, Column: "knots", Row: i + 1, Value: k.LogOdds, Want: "log-odds that rise and probabilities that do not fall"}
		}
	}
	return nil
}
