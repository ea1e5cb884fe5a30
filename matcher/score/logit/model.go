package logit

import (
	"fmt"
	"math"
)

// Model is a fitted logistic regression. It is encoded as JSON or YAML inside a model
// file; whoever decodes it calls Validate.
type Model struct {
	Intercept      float64 `json:"intercept" yaml:"intercept"` // log-odds where every column is 0
	InterceptError float64 `json:"intercept_error" yaml:"intercept_error"`
	Terms          []Slope `json:"terms" yaml:"terms"`   // in the order of the columns
	Rows           int64   `json:"rows" yaml:"rows"`     // n
	Events         int64   `json:"events" yaml:"events"` // rows in which it happened
	Ridge          float64 `json:"ridge" yaml:"ridge"`   // see Options
	LogLoss        float64 `json:"log_loss" yaml:"log_loss"`
	NullLogLoss    float64 `json:"null_log_loss" yaml:"null_log_loss"` // of the share of events alone
	Steps          int     `json:"steps" yaml:"steps"`                 // Newton steps taken
}

// Slope is one column's part in a Model.
type Slope struct {
	Name          string  `json:"name" yaml:"name"`
	Unit          string  `json:"unit" yaml:"unit"`
	Coefficient   float64 `json:"coefficient" yaml:"coefficient"` // log-odds by the column's unit
	StandardError float64 `json:"standard_error" yaml:"standard_error"`
	Mean          float64 `json:"mean" yaml:"mean"`
	Scale         float64 `json:"scale" yaml:"scale"` // standard deviation, by n
	Least         float64 `json:"least" yaml:"least"`
	Most          float64 `json:"most" yaml:"most"`
}

// LogOdds returns the intercept plus the plain dot product of x with the coefficients,
// added in the order of the terms, each product rounded first. It does not allocate. ok is
// false when x has another length or the result is not finite: then nothing is known.
func (m *Model) LogOdds(x []float64) (eta float64, ok bool) {
	if len(x) != len(m.Terms) {
		return 0, false
	}
	eta = m.Intercept
	for i := range x {
		eta += float64(x[i] * m.Terms[i].Coefficient)
	}
	if math.IsNaN(eta) || math.IsInf(eta, 0) {
		return 0, false
	}
	return eta, true
}

// Predict returns the probability of x, as the model has it, not yet calibrated. ok is that
// of LogOdds.
func (m *Model) Predict(x []float64) (p float64, ok bool) {
	eta, ok := m.LogOdds(x)
	if !ok {
		return 0, false
	}
	return Sigmoid(eta), true
}

// Validate refuses what Fit cannot have made. It wraps ErrModel.
func (m *Model) Validate() error {
	if len(m.Terms) < 1 || len(m.Terms) > MaxColumns {
		return &DataError{Err: ErrModel, Value: float64(len(m.Terms)), Want: fmt.Sprintf("1 to %d terms", MaxColumns)}
	}
	if m.Events < 1 || m.Events >= m.Rows || m.Rows > MaxRows {
		return &DataError{Err: ErrModel, Column: "events", Value: float64(m.Events), Want: fmt.Sprintf("1 to %d events of %d rows", m.Rows-1, m.Rows)}
	}
	for _, f := range [...]struct {
		name        string
		value       float64
		least, most float64
	}{
		{"intercept", m.Intercept, -math.MaxFloat64, math.MaxFloat64},
		{"intercept_error", m.InterceptError, 0, math.MaxFloat64},
		{"ridge", m.Ridge, 0, maxRidge},
		{"log_loss", m.LogLoss, 0, 1e3},
		{"null_log_loss", m.NullLogLoss, 0, math.Ln2 + 1e-9},
		{"steps", float64(m.Steps), 0, maxSteps},
	} {
		if !(f.value >= f.least && f.value <= f.most) {
			return &DataError{Err: ErrModel, Column: f.name, Value: f.value, Want: fmt.Sprintf("%g to %g", f.least, f.most)}
		}
	}
	seen := map[string]bool{}
	for i := range m.Terms {
		if err := m.Terms[i].validate(seen); err != nil {
			return err
		}
	}
	return nil
}

// validate refuses a slope that Fit cannot have made, or of a name that was seen.
func (s *Slope) validate(seen map[string]bool) error {
	if !(Column{s.Name, s.Unit}).valid() || seen[s.Name] {
		return &DataError{Err: ErrModel, Column: s.Name, Want: "a name of 1 to 64 bytes, once, and a unit of at most 64"}
	}
	seen[s.Name] = true
	for _, v := range [...]float64{s.Coefficient, s.StandardError, s.Mean, s.Scale, s.Least, s.Most} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &DataError{Err: ErrModel, Column: s.Name, Value: v, Want: "finite figures"}
		}
	}
	if s.StandardError < 0 || s.Scale <= 0 || s.Least >= s.Most {
		return &DataError{Err: ErrModel, Column: s.Name, Value: s.Scale, Want: "a column that varied, and a standard error of 0 or more"}
	}
	return nil
}
