// Package money measures what customers got: what listed products returned, how many who bought are in profit, and how
// long they held. State goes over the rows of a log as they come: add, merge, read the result; the same rows in the same
// order give the same bits. What needs no log (money- against time-weighted returns, concentration, turnover) is plain
// functions. What a regulator asks (violations, new issues, early redemptions) is counted by matcher/evaluate/conduct.
package money

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// The bounds of what is added. Beyond them a value is a slip of whoever wrote the log, and sums stay finite within them.
const (
	MaxCutoffs = 16
	MaxCutoff  = 1_000_000
	MaxReturn  = 1e6  // a fraction: a million times what was paid in
	MaxAmount  = 1e16 // fen
	MaxDays    = 1e5  // that something was held
)

// ErrValue is wrapped by every error about a value that cannot be.
var ErrValue = errors.New("value out of range")

// ErrState is wrapped by the errors of a state that cannot be read, or that is of other settings than the one that it is
// merged into.
var ErrState = errors.New("not such a state")

// RowError is a value of a row that cannot be. Nothing of the rows that it came with was added.
type RowError struct {
	Row    int    // from 0 within the rows
	Column string // of Rows, as in "Return[90d]"
	Value  float64
	Want   string
}

func (e *RowError) Error() string {
	return fmt.Sprintf("row %d: %s: %v, expected %s", e.Row, e.Column, e.Value, e.Want)
}

// Unwrap is ErrValue.
func (e *RowError) Unwrap() error { return ErrValue }

// Horizons is over how many horizons returns are measured: those of HorizonDays.
const Horizons = 3

// HorizonDays are the days over which returns are measured: 3, 6 and 12 months.
func HorizonDays() [Horizons]int { return [Horizons]int{90, 180, 365} }

// Settings say what is measured.
type Settings struct {
	Cutoffs []int // of ROI@k, ascending, from 1; nil: 10
}

// Rows are rows of whole decisions, column by column. A column that a log has not is nil, and what is measured by it is
// then of nothing. Rows are only read.
type Rows struct {
	Ends    []int32  // per decision: the row behind its last; ascending, the last is the number of rows
	Cluster []uint64 // per decision: a hash of the customer

	Position []int32             // per row, from 1; products beyond a cutoff are not in its ROI
	Return   [Horizons][]float64 // of the product from the entry on, after fees: .05 is 5 %; NaN: not known yet
	Amount   []float64           // fen that he bought for; 0 or NaN: he did not
	HeldDays []float64           // of what he bought and has sold again; NaN: he has not
}

// State holds sums over rows. Its size does not grow with them. The zero value is not ready: see New.
type State struct {
	cutoffs []int
	sums    sums
	buyers  Customers
}

// sums are what is written of a state beside its settings.
type sums struct {
	Lists   int64             `json:"lists"`
	Rows    int64             `json:"rows"`
	Returns [Horizons]horizon `json:"returns"`
	Held    held              `json:"held"`
}

// New is a state of no rows. An error wraps ErrValue.
func New(settings Settings) (*State, error) {
	cutoffs := slices.Clone(settings.Cutoffs)
	if len(cutoffs) == 0 {
		cutoffs = []int{10}
	}
	if len(cutoffs) > MaxCutoffs {
		return nil, fmt.Errorf("%w: %d cutoffs, expected %d at most", ErrValue, len(cutoffs), MaxCutoffs)
	}
	for i, k := range cutoffs {
		if k < 1 || k > MaxCutoff || i > 0 && k <= cutoffs[i-1] {
			return nil, fmt.Errorf("%w: cutoff %d, expected ascending ones from 1 to %d", ErrValue, k, MaxCutoff)
		}
	}
	s := &State{cutoffs: cutoffs}
	for h := range s.sums.Returns {
		s.sums.Returns[h].Cutoffs = make([]cutoffSum, len(cutoffs))
	}
	return s, nil
}

// Add adds rows, all of them or, with an error, none: a *RowError where a value cannot be, an error that wraps ErrValue
// where columns do not fit each other.
func (s *State) Add(rows *Rows) error {
	if err := rows.check(); err != nil {
		return err
	}
	s.sums.Lists += int64(len(rows.Ends))
	s.sums.Rows += int64(len(rows.Position))
	for h := range rows.Return {
		if rows.Return[h] != nil {
			s.sums.Returns[h].add(rows, rows.Return[h], HorizonDays()[h], s.cutoffs)
		}
	}
	s.buyers.add(rows)
	s.sums.Held.add(rows.HeldDays)
	return nil
}

// Merge adds what another state holds, in place of the rows that it was made of. An error wraps ErrState: the other was
// made with other cutoffs.
func (s *State) Merge(other *State) error {
	if !slices.Equal(s.cutoffs, other.cutoffs) {
		return fmt.Errorf("%w: cutoffs %v, expected %v", ErrState, other.cutoffs, s.cutoffs)
	}
	a, b := &s.sums, &other.sums
	a.Lists += b.Lists
	a.Rows += b.Rows
	for h := range a.Returns {
		a.Returns[h].merge(&b.Returns[h])
	}
	a.Held.merge(&b.Held)
	s.buyers.Merge(&other.buyers)
	return nil
}

// form is a state's byte form.
type form struct {
	Cutoffs []int      `json:"cutoffs"`
	Sums    sums       `json:"sums"`
	Buyers  *Customers `json:"buyers"`
}

// MarshalJSON is the state's exact byte form: the same state has the same bytes, and what is read back goes on as it
// would have gone on.
func (s *State) MarshalJSON() ([]byte, error) {
	return json.Marshal(form{s.cutoffs, s.sums, &s.buyers})
}

// UnmarshalJSON reads the byte form. An error wraps ErrState.
func (s *State) UnmarshalJSON(data []byte) error {
	var f form
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	made, err := New(Settings{Cutoffs: f.Cutoffs})
	if err != nil || len(f.Cutoffs) == 0 || f.Buyers == nil {
		return fmt.Errorf("%w: cutoffs %v, expected ascending ones, and buyers", ErrState, f.Cutoffs)
	}
	for h := range f.Sums.Returns {
		if got := len(f.Sums.Returns[h].Cutoffs); got != len(f.Cutoffs) {
			return fmt.Errorf("%w: sums of %d cutoffs, expected %d", ErrState, got, len(f.Cutoffs))
		}
	}
	made.sums, made.buyers = f.Sums, *f.Buyers
	*s = *made
	return nil
}

// check looks through the columns before anything is added.
func (r *Rows) check() error {
	n := len(r.Position)
	last := int32(0)
	for _, end := range r.Ends {
		if end < last || int(end) > n {
			return fmt.Errorf("%w: a decision that ends at row %d, expected %d to %d", ErrValue, end, last, n)
		}
		last = end
	}
	if int(last) != n || len(r.Cluster) != len(r.Ends) {
		return fmt.Errorf("%w: %d rows, %d in decisions, %d decisions of %d customers", ErrValue, n, last, len(r.Ends), len(r.Cluster))
	}
	for h, days := range HorizonDays() {
		if err := within(fmt.Sprintf("Return[%dd]", days), r.Return[h], n, -1, MaxReturn); err != nil {
			return err
		}
	}
	return errors.Join( // at most one is told of each; the first is what matters
		within("Amount", r.Amount, n, 0, MaxAmount),
		within("HeldDays", r.HeldDays, n, 0, MaxDays),
	)
}

// within sees to it that a column's values lie in [low, high], or are NaN.
func within(column string, values []float64, n int, low, high float64) error {
	if len(values) != 0 && len(values) != n {
		return fmt.Errorf("%w: %d values of %s in %d rows", ErrValue, len(values), column, n)
	}
	for i, v := range values {
		if v < low || v > high {
			return &RowError{i, column, v, fmt.Sprintf("%v to %v", low, high)}
		}
	}
	return nil
}

// ratio is part of whole, and NaN of nothing.
func ratio(part float64, whole int64) float64 {
	if whole == 0 {
		return math.NaN()
	}
	return part / float64(whole)
}
