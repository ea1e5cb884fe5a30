package experiments

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
)

// Row is what was observed of a customer.
type Row struct {
	Arm      string
	Metrics  []float64 // by Columns.Metrics; NaN: censored, not known yet, which is not 0
	Pre      []float64 // by Columns.Metrics: before the experiment; NaN: not known
	Segments []string  // by Columns.Segments; "" unknown
}

// State sums rows by arm, metric and segment. It does not grow with them. Rows of one order give the same bits; so do
// states that are merged in one order.
type State struct {
	columns  Columns
	whole    group
	segments []map[string]group // by column and value
	cells    int                // in all groups
}

// group are the arms among some customers.
type group map[string]*arm

// arm sums an arm's customers.
type arm struct {
	Customers int64
	Cells     []cell // by metric
}

// cell sums a metric of an arm.
type cell struct {
	Censored int64
	All      inference.Moments // of those whose metric is known
	Paired   inference.Pairs   // of those whose value of before is known too
}

// NewState is empty. It wraps ErrConfig.
func NewState(columns Columns) (*State, error) {
	if err := columns.check(); err != nil {
		return nil, err
	}
	columns = Columns{slices.Clone(columns.Metrics), slices.Clone(columns.Pre), slices.Clone(columns.Segments)}
	s := &State{columns: columns, whole: group{}, segments: make([]map[string]group, len(columns.Segments))}
	for i := range s.segments {
		s.segments[i] = map[string]group{}
	}
	return s, nil
}

// Add adds a customer. It is for the caller to add each once. Where it returns a *ValueError the state is as before.
func (s *State) Add(r *Row) error {
	if err := s.check(r); err != nil {
		return err
	}
	s.whole.of(r.Arm, s).add(r)
	for i, value := range r.Segments {
		g := s.segments[i][value]
		if g == nil {
			g = group{}
			s.segments[i][value] = g
		}
		g.of(r.Arm, s).add(r)
	}
	return nil
}

// ValueError says which value of a row cannot be used.
type ValueError struct {
	Column string // of Columns, or "arm"
	Value  string
	Want   string
}

// Error names the column, the value and what was expected.
func (e *ValueError) Error() string {
	return fmt.Sprintf("%s: %q, expected %s", e.Column, e.Value, e.Want)
}

// Unwrap returns ErrData.
func (e *ValueError) Unwrap() error { return ErrData }

// check refuses a row as a whole, before any of it is added.
func (s *State) check(r *Row) error {
	if len(r.Metrics) != len(s.columns.Metrics) || len(r.Pre) != len(s.columns.Metrics) || len(r.Segments) != len(s.columns.Segments) {
		return fmt.Errorf("%w: a row of %d metrics, %d of before and %d segments, expected those of the columns", ErrData, len(r.Metrics), len(r.Pre), len(r.Segments))
	}
	if !isName(r.Arm) {
		return &ValueError{"arm", Clip(r.Arm), fmt.Sprintf("a name of 1 to %d bytes", MaxName)}
	}
	more := 0
	if s.whole[r.Arm] == nil {
		if len(s.whole) == MaxArms {
			return &ValueError{"arm", Clip(r.Arm), fmt.Sprintf("at most %d different arms", MaxArms)}
		}
		more++
	}
	for i := range r.Metrics {
		if err := checkNumber(s.columns.Metrics[i], r.Metrics[i]); err != nil {
			return err
		}
		if err := checkNumber(s.columns.Pre[i], r.Pre[i]); err != nil {
			return err
		}
	}
	for i, value := range r.Segments {
		g := s.segments[i][value]
		switch {
		case !isText(value):
			return &ValueError{s.columns.Segments[i], Clip(value), fmt.Sprintf("at most %d bytes of text", MaxName)}
		case g == nil && len(s.segments[i]) == MaxValues:
			return &ValueError{s.columns.Segments[i], Clip(value), fmt.Sprintf("at most %d different values", MaxValues)}
		case g[r.Arm] == nil:
			more++
		}
	}
	if s.cells+more*len(r.Metrics) > MaxCells {
		return &ValueError{"arm", Clip(r.Arm), fmt.Sprintf("arms, metrics and segments that make at most %d sums", MaxCells)}
	}
	return nil
}

func checkNumber(column string, v float64) error {
	if math.Abs(v) > inference.MaxValue {
		return &ValueError{column, fmt.Sprint(v), "a number within ±1e100"}
	}
	return nil
}

// of finds an arm, or begins it.
func (g group) of(name string, s *State) *arm {
	a := g[name]
	if a == nil {
		a = &arm{Cells: make([]cell, len(s.columns.Metrics))}
		g[name] = a
		s.cells += len(a.Cells)
	}
	return a
}

func (a *arm) add(r *Row) {
	a.Customers++
	for i, v := range r.Metrics {
		c := &a.Cells[i]
		switch {
		case math.IsNaN(v):
			c.Censored++
			continue
		case !math.IsNaN(r.Pre[i]):
			c.Paired.Add(r.Pre[i], v)
		}
		c.All.Add(v)
	}
}

// Merge adds the customers of another state of the same columns. It wraps ErrData.
func (s *State) Merge(o *State) error {
	if !s.columns.equal(&o.columns) {
		return fmt.Errorf("%w: states of other columns", ErrData)
	}
	if err := s.checkMerge(o); err != nil {
		return err
	}
	s.whole.merge(o.whole, s)
	for i, values := range o.segments {
		for value, other := range values {
			g := s.segments[i][value]
			if g == nil {
				g = group{}
				s.segments[i][value] = g
			}
			g.merge(other, s)
		}
	}
	return nil
}

// checkMerge holds the limits.
func (s *State) checkMerge(o *State) error {
	more := s.whole.missing(o.whole)
	if arms := len(s.whole) + more; arms > MaxArms {
		return fmt.Errorf("%w: %d arms, expected at most %d", ErrData, arms, MaxArms)
	}
	for i, values := range o.segments {
		n := len(s.segments[i])
		for value, other := range values {
			if s.segments[i][value] == nil {
				n++
			}
			more += s.segments[i][value].missing(other)
		}
		if n > MaxValues {
			return fmt.Errorf("%w: %d values of segment %s, expected at most %d", ErrData, n, s.columns.Segments[i], MaxValues)
		}
	}
	if cells := s.cells + more*len(s.columns.Metrics); cells > MaxCells {
		return fmt.Errorf("%w: %d sums of arms, metrics and segments, expected at most %d", ErrData, cells, MaxCells)
	}
	return nil
}

// missing counts the arms that another group has and this one has not.
func (g group) missing(o group) (n int) {
	for name := range o {
		if g[name] == nil {
			n++
		}
	}
	return n
}

func (c *Columns) equal(o *Columns) bool {
	return slices.Equal(c.Metrics, o.Metrics) && slices.Equal(c.Pre, o.Pre) && slices.Equal(c.Segments, o.Segments)
}

// merge may take the arms in any order: each is a sum by itself.
func (g group) merge(o group, s *State) {
	for name, other := range o {
		a := g.of(name, s)
		a.Customers += other.Customers
		for i := range other.Cells {
			c := &a.Cells[i]
			c.Censored += other.Cells[i].Censored
			c.All.Merge(other.Cells[i].All)
			c.Paired.Merge(other.Cells[i].Paired)
		}
	}
}

// Customers is how many were added.
func (s *State) Customers() (n int64) {
	for _, a := range s.whole {
		n += a.Customers
	}
	return n
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
