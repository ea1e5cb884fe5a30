package logit

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// Bounds of what is fitted.
const (
	MaxColumns = 256
	MaxRows    = 1 << 27 // rows are held in memory, 8 bytes a value
	maxValue   = 1e100
	maxName    = 64 // bytes
)

// Column names one column and says in which unit its values are.
type Column struct {
	Name string `json:"name" yaml:"name"`
	Unit string `json:"unit" yaml:"unit"`
}

// Rows are outcomes with what was known before them. Unlike a linear fit, a logistic one
// reads its rows several times, so they are held.
type Rows struct {
	columns  []Column
	x        []float64 // row by row
	happened []bool
	events   int
}

// NewRows returns no rows of the columns given. Errors: ErrColumns.
func NewRows(columns []Column) (*Rows, error) {
	if len(columns) < 1 || len(columns) > MaxColumns {
		return nil, &DataError{Err: ErrColumns, Value: float64(len(columns)), Want: fmt.Sprintf("1 to %d columns", MaxColumns)}
	}
	seen := make(map[string]bool, len(columns))
	for i, c := range columns {
		if !c.valid() || seen[c.Name] {
			return nil, &DataError{Err: ErrColumns, Column: c.Name, Value: float64(i + 1), Want: "names of 1 to 64 bytes, each once, units of at most 64"}
		}
		seen[c.Name] = true
	}
	return &Rows{columns: append([]Column(nil), columns...)}, nil
}

func (c Column) valid() bool {
	return c.Name != "" && len(c.Name) <= maxName && len(c.Unit) <= maxName && utf8.ValidString(c.Name) && utf8.ValidString(c.Unit)
}

// Add adds a row: whether it happened, and the columns' values. A row that is refused is
// not added. Errors: ErrRagged, ErrNotFinite, ErrOptions (more than MaxRows).
func (r *Rows) Add(happened bool, x []float64) error {
	row := len(r.happened) + 1
	if row > MaxRows {
		return &DataError{Err: ErrOptions, Row: row, Value: float64(row), Want: fmt.Sprintf("at most %d rows", MaxRows)}
	}
	if len(x) != len(r.columns) {
		return &DataError{Err: ErrRagged, Row: row, Value: float64(len(x)), Want: fmt.Sprintf("%d values", len(r.columns))}
	}
	for j, v := range x {
		if !(math.Abs(v) <= maxValue) {
			return &DataError{Err: ErrNotFinite, Column: r.columns[j].Name, Row: row, Value: v, Want: "a number within ±1e100"}
		}
	}
	r.x = append(r.x, x...)
	r.happened = append(r.happened, happened)
	if happened {
		r.events++
	}
	return nil
}

// Len returns how many rows were added.
func (r *Rows) Len() int { return len(r.happened) }

// Events returns in how many of them it happened.
func (r *Rows) Events() int { return r.events }
