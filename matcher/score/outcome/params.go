package outcome

import (
	"errors"
	"fmt"
)

// ErrParams is wrapped by every error about parameters; the message names the place, the
// value and what was expected.
var ErrParams = errors.New("outcome parameters refused")

// Params are what ranges are computed with. Settings are chosen, shapes fitted: both travel
// in the model artifact. A zero Params is refused.
type Params struct {
	Settings Settings        `yaml:"settings" json:"settings"`
	Shapes   [Horizons]Shape `yaml:"shapes" json:"shapes"` // in the order of the horizons
}

// Settings are chosen on early data (docs/outcome.md).
type Settings struct {
	// HalfLife is after how many returns one counts half in the volatility of now.
	HalfLife float64 `yaml:"half_life_returns" json:"half_life_returns"`
	// LongRun is how far the long run counts against the volatility of now, 0 to 1, by horizon:
	// the geometric mean of what the volatility of now was on all days of the record. Over
	// years volatility comes back to it (Kept).
	LongRun [Horizons]float64 `yaml:"long_run_weights" json:"long_run_weights"`
	// ClassReturns is the number of own returns at which a product's volatility and its
	// class's count the same.
	ClassReturns float64 `yaml:"class_returns" json:"class_returns"`
	// MinReturns is how many returns a record needs to count at all.
	MinReturns int32 `yaml:"min_returns" json:"min_returns"`
	// MinClass is how many records a class needs to speak for those without one.
	MinClass int32 `yaml:"min_class_funds" json:"min_class_funds"`
}

// Shape is a horizon's distribution in units of volatility times the square root of years:
// quantiles of the log drawdown -ln(1-d) and of the log return, at the levels.
type Shape struct {
	Months   int32           `yaml:"months" json:"months"`
	Drawdown [Levels]float64 `yaml:"drawdown" json:"drawdown"`
	Return   [Levels]float64 `yaml:"return" json:"return"`
	Holdings int32           `yaml:"holdings" json:"holdings"` // completed ones it was fitted to
	Windows  float64         `yaml:"windows" json:"windows"`   // as many of which fit into their time one after the other
}

// Check refuses parameters that are out of bounds.
func (p *Params) Check() error {
	if err := p.Settings.Check(); err != nil {
		return err
	}
	for h := range Horizons {
		if err := p.Shapes[h].check(h); err != nil {
			return err
		}
	}
	return nil
}

// The bounds of parameters.
const (
	maxHalfLife = 1000
	maxClass    = 10_000
	maxShape    = 20 // volatilities of the horizon: beyond every crash
)

// Check refuses settings that are out of bounds.
func (s *Settings) Check() error {
	for _, b := range [...]struct {
		name       string
		value      float64
		least, max float64
	}{
		{"half_life_returns", s.HalfLife, 1, maxHalfLife},
		{"class_returns", s.ClassReturns, 0, maxClass},
		{"min_returns", float64(s.MinReturns), 2, maxClass},
		{"min_class_funds", float64(s.MinClass), 1, maxClass},
	} {
		if !(b.value >= b.least && b.value <= b.max) { // false for NaN
			return fmt.Errorf("%w: %s is %v, expected %v to %v", ErrParams, b.name, b.value, b.least, b.max)
		}
	}
	for h, w := range s.LongRun {
		if !(w >= 0 && w <= 1) {
			return fmt.Errorf("%w: long_run_weights[%d] is %v, expected 0 to 1", ErrParams, h, w)
		}
	}
	return nil
}

func (s *Shape) check(h Horizon) error {
	if s.Months != h.Months() {
		return fmt.Errorf("%w: shapes[%d].months is %d, expected %d", ErrParams, h, s.Months, h.Months())
	}
	if s.Holdings < 0 || !(s.Windows >= 0 && s.Windows <= maxClass) {
		return fmt.Errorf("%w: shapes[%d] was fitted to %d holdings, %v windows, expected none below 0", ErrParams, h, s.Holdings, s.Windows)
	}
	for _, q := range [...]struct {
		name   string
		values *[Levels]float64
		least  float64
	}{{"drawdown", &s.Drawdown, 0}, {"return", &s.Return, -maxShape}} {
		last := q.least
		for i, v := range q.values {
			if !(v >= last && v <= maxShape) {
				return fmt.Errorf("%w: shapes[%d].%s[%d] is %v, expected %v to %d", ErrParams, h, q.name, i, v, last, maxShape)
			}
			last = v
		}
	}
	return nil
}
