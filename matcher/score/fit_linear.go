package score

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// Linear is a fitted linear function with an intercept, and what is known of its quality.
// It is encoded as JSON or YAML inside a model; whoever decodes it calls Validate.
type Linear struct {
	Target         Column  `json:"target" yaml:"target"`
	Intercept      float64 `json:"intercept" yaml:"intercept"`             // in the target's unit
	InterceptError float64 `json:"intercept_error" yaml:"intercept_error"` // its standard error
	Terms          []Slope `json:"terms" yaml:"terms"`                     // in the order of the columns
	Rows           int64   `json:"rows" yaml:"rows"`                       // n
	Weight         float64 `json:"weight" yaml:"weight"`                   // sum of the rows' weights; n where all are 1
	Ridge          float64 `json:"ridge" yaml:"ridge"`                     // lambda, see FitOptions
	// Freedom is n - 1 - p; with a ridge n - 1 - the trace of the hat matrix.
	Freedom   float64 `json:"freedom" yaml:"freedom"`
	Sigma     float64 `json:"sigma" yaml:"sigma"`         // deviation of the residual of a row of weight 1
	RSquared  float64 `json:"r_squared" yaml:"r_squared"` // 1 - weighted squares left / weighted squares
	Condition float64 `json:"condition" yaml:"condition"` // of the standardised columns, ridge rows included
}

// Slope is one column's part in a Linear.
type Slope struct {
	Name          string  `json:"name" yaml:"name"`
	Unit          string  `json:"unit" yaml:"unit"`
	Coefficient   float64 `json:"coefficient" yaml:"coefficient"`       // target's unit by the column's unit
	StandardError float64 `json:"standard_error" yaml:"standard_error"` // of the coefficient
	Mean          float64 `json:"mean" yaml:"mean"`                     // weighted
	Scale         float64 `json:"scale" yaml:"scale"`                   // standard deviation, by the weights' sum
	Least         float64 `json:"least" yaml:"least"`                   // smallest value seen
	Most          float64 `json:"most" yaml:"most"`                     // largest value seen
}

// Predict returns the intercept plus the plain dot product of x with the coefficients,
// added in the order of the terms, each product rounded first. It does not allocate.
// ok is false when x has another length or the result is not finite: then nothing is known.
func (l *Linear) Predict(x []float64) (y float64, ok bool) {
	if len(x) != len(l.Terms) {
		return 0, false
	}
	y = l.Intercept
	for i := range x {
		y += float64(x[i] * l.Terms[i].Coefficient)
	}
	if math.IsNaN(y) || math.IsInf(y, 0) {
		return 0, false
	}
	return y, true
}

// Validate refuses what Fit cannot have made: figures that are not finite or out of their
// bounds, names that do not hold. It wraps ErrLinear.
func (l *Linear) Validate() error {
	if len(l.Terms) < 1 || len(l.Terms) > MaxFitColumns {
		return &FitError{Err: ErrLinear, Value: float64(len(l.Terms)), Want: "1 to 256 terms"}
	}
	if !validName(l.Target.Name) || len(l.Target.Unit) > maxColumnName {
		return &FitError{Err: ErrLinear, Column: l.Target.Name, Want: "a target's name of 1 to 64 bytes and a unit of at most 64"}
	}
	if l.Rows < int64(len(l.Terms))+2 {
		return &FitError{Err: ErrLinear, Value: float64(l.Rows), Want: "at least two rows more than terms"}
	}
	for _, f := range [...]struct {
		name  string
		value float64
		least float64
		most  float64
	}{
		{"intercept", l.Intercept, -math.MaxFloat64, math.MaxFloat64},
		{"intercept_error", l.InterceptError, 0, math.MaxFloat64},
		{"weight", l.Weight, MinWeight, math.MaxFloat64},
		{"ridge", l.Ridge, 0, maxRidge},
		{"freedom", l.Freedom, 0, float64(l.Rows)},
		{"sigma", l.Sigma, 0, math.MaxFloat64},
		{"r_squared", l.RSquared, -1e-9, 1},
		{"condition", l.Condition, 1 - 1e-9, 1 / leastOwnSpread},
	} {
		if !(f.value >= f.least && f.value <= f.most) {
			return &FitError{Err: ErrLinear, Column: f.name, Value: f.value, Want: fmt.Sprintf("%g to %g", f.least, f.most)}
		}
	}
	seen := map[string]bool{l.Target.Name: true}
	for i := range l.Terms {
		if err := l.Terms[i].validate(seen); err != nil {
			return err
		}
	}
	return nil
}

// validate refuses a slope that Fit cannot have made, or of a name that was seen.
func (s *Slope) validate(seen map[string]bool) error {
	if !validName(s.Name) || len(s.Unit) > maxColumnName || seen[s.Name] {
		return &FitError{Err: ErrLinear, Column: s.Name, Want: "a name of 1 to 64 bytes, once, and a unit of at most 64"}
	}
	seen[s.Name] = true
	for _, v := range [...]float64{s.Coefficient, s.StandardError, s.Mean, s.Scale, s.Least, s.Most} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &FitError{Err: ErrLinear, Column: s.Name, Value: v, Want: "finite figures"}
		}
	}
	if s.StandardError < 0 {
		return &FitError{Err: ErrLinear, Column: s.Name, Value: s.StandardError, Want: "a standard error of 0 or more"}
	}
	if s.Scale <= 0 || s.Least >= s.Most {
		return &FitError{Err: ErrLinear, Column: s.Name, Value: s.Scale, Want: "a column that varied"}
	}
	return nil
}

// maxLinear bounds the JSON of a Linear: 256 terms of at most 1 KB.
const maxLinear = 1 << 18

// ParseLinear reads the JSON of a Linear and validates it. Unknown fields, anything after
// it and more than 256 KiB are refused. It wraps ErrLinear.
func ParseLinear(data []byte) (*Linear, error) {
	if len(data) > maxLinear {
		return nil, &FitError{Err: ErrLinear, Value: float64(len(data)), Want: "at most 262144 bytes"}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var l Linear
	if err := decoder.Decode(&l); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLinear, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more follows its JSON after byte %d", ErrLinear, decoder.InputOffset())
	}
	if err := l.Validate(); err != nil {
		return nil, err
	}
	return &l, nil
}
