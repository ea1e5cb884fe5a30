// Package experiments evaluates an experiment from rows of customers: who was in which arm, what was measured, and what
// was measured of him before. State is the streaming form, for whoever has such rows; Run reads a source, refuses
// customers who come twice, and hashes what was read.
package experiments

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
)

// Limits of an experiment. What a state holds is bounded by them, not by the rows.
const (
	MaxArms     = 64
	MaxMetrics  = 50
	MaxSegments = 10   // columns
	MaxValues   = 1000 // different values of a column
	MaxName     = 128  // bytes of an arm, and of a value of a segment
	MaxCells    = 1 << 20
)

// The errors of this package; each is wrapped with what was given and what was expected.
var (
	ErrConfig = errors.New("wrong settings")
	ErrData   = errors.New("wrong data")
)

// DefaultMinCustomers is how many customers an arm needs for a verdict: below, the normal limit that the intervals rest
// on is a hope.
const DefaultMinCustomers = 100

// Columns are what each row has.
type Columns struct {
	Metrics  []string `json:"metrics"`  // names, all different
	Pre      []string `json:"pre"`      // of each metric: where its value of before the experiment stands, "" nowhere
	Segments []string `json:"segments"` // names, all different
}

// Config are the settings of an evaluation.
type Config struct {
	Columns

	// Control is the arm that the others are compared with. "" is the arm named control; without one it is the first by
	// name, and the verdict is withheld: who the control is decides every sign.
	Control string
	// Weights are the planned shares of the arms, of any sum. Nil takes them for equal, and says that it does: were they
	// not, the sample-ratio mismatch withholds the verdict.
	Weights      map[string]float64
	Alpha        float64 // of tests; intervals have the level 1 - Alpha
	Tuning       float64 // customers at which sequential intervals are tightest
	MinCustomers int64   // that an arm needs for a verdict, with the metric
	SkipBad      bool    // leave bad rows out, and count them
}

// ControlArm is the name of the control where none is given.
const ControlArm = "control"

// Defaults are the settings of columns for who has no others.
func Defaults(columns Columns) Config {
	return Config{Columns: columns, Alpha: .05, Tuning: inference.DefaultTuning, MinCustomers: DefaultMinCustomers}
}

// Check refuses settings that mean nothing. It wraps ErrConfig.
func (c *Config) Check() error {
	if err := c.check(); err != nil {
		return err
	}
	switch {
	case !(c.Alpha > 0 && c.Alpha < 1):
		return fmt.Errorf("%w: alpha %v, expected above 0 and below 1", ErrConfig, c.Alpha)
	case !(c.Tuning >= 1 && c.Tuning <= 1e15):
		return fmt.Errorf("%w: tuning %v, expected 1 to 1e15", ErrConfig, c.Tuning)
	case c.MinCustomers < 2:
		return fmt.Errorf("%w: at least %d customers, expected 2 or more", ErrConfig, c.MinCustomers)
	case c.Weights != nil && (len(c.Weights) < 2 || len(c.Weights) > MaxArms):
		return fmt.Errorf("%w: weights of %d arms, expected 2 to %d", ErrConfig, len(c.Weights), MaxArms)
	}
	for _, arm := range sortedKeys(c.Weights) {
		if w := c.Weights[arm]; !isName(arm) || !(w > 0 && w <= inference.MaxValue) {
			return fmt.Errorf("%w: weight %v of arm %q, expected a name and above 0", ErrConfig, w, arm)
		}
	}
	if c.Control != "" && !isName(c.Control) {
		return fmt.Errorf("%w: control %.40q, expected the name of an arm", ErrConfig, c.Control)
	}
	return nil
}

func (c *Columns) check() error {
	if len(c.Metrics) < 1 || len(c.Metrics) > MaxMetrics || len(c.Pre) != len(c.Metrics) {
		return fmt.Errorf("%w: %d metrics and %d columns of before, expected 1 to %d and as many", ErrConfig, len(c.Metrics), len(c.Pre), MaxMetrics)
	}
	if len(c.Segments) > MaxSegments {
		return fmt.Errorf("%w: %d segments, expected at most %d", ErrConfig, len(c.Segments), MaxSegments)
	}
	for _, names := range [][]string{c.Metrics, c.Segments} {
		for i, name := range names {
			if !isName(name) || slices.Contains(names[:i], name) {
				return fmt.Errorf("%w: column %.40q, expected different names", ErrConfig, name)
			}
		}
	}
	return nil
}

// isName says what arms, values and columns may be called.
func isName(s string) bool { return s != "" && isText(s) }

func isText(s string) bool {
	return len(s) <= MaxName && utf8.ValidString(s) && strings.TrimSpace(s) == s && strings.IndexFunc(s, unicode.IsControl) < 0
}
