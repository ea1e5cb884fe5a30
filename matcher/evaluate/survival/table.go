package survival

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// MaxTimes bounds a table: days of well over a century.
const MaxTimes = 1 << 16

// Row counts the customers of one time.
type Row struct {
	Time     float64 `json:"time"`
	Events   int64   `json:"events"`   // left then
	Censored int64   `json:"censored"` // were there still when they were last seen, then
}

// Table counts customers by how long they were seen. It grows with the different times, not with the customers. The zero
// value is empty.
type Table struct{ rows []Row } // by time

// Add adds a customer who left after time, or who was last seen then and had not left. Times have any unit, 0 or more.
// Errors: ErrTime, ErrTooMany, and the table is as before.
func (t *Table) Add(time float64, left bool) error {
	if left {
		return t.add(Row{Time: time, Events: 1})
	}
	return t.add(Row{Time: time, Censored: 1})
}

func (t *Table) add(r Row) error {
	if !(r.Time >= 0 && r.Time <= math.MaxFloat64) {
		return fmt.Errorf("%w: %v, expected 0 or more", ErrTime, r.Time)
	}
	at, found := slices.BinarySearchFunc(t.rows, r.Time, func(r Row, time float64) int { return cmp.Compare(r.Time, time) })
	if !found {
		if len(t.rows) == MaxTimes {
			return fmt.Errorf("%w: more than %d, expected rounded ones", ErrTooMany, MaxTimes)
		}
		t.rows = slices.Insert(t.rows, at, Row{Time: r.Time})
	}
	t.rows[at].Events += r.Events
	t.rows[at].Censored += r.Censored
	return nil
}

// Merge adds the customers of another table: what comes out is exactly that of all.
// Errors: ErrTooMany, and the table is as before.
func (t *Table) Merge(o *Table) error {
	merged := Table{rows: make([]Row, 0, max(len(t.rows), len(o.rows)))}
	for a, b := t.rows, o.rows; len(a)+len(b) > 0; {
		var r Row
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Time < b[0].Time:
			r, a = a[0], a[1:]
		case len(a) == 0 || b[0].Time < a[0].Time:
			r, b = b[0], b[1:]
		default:
			r = Row{Time: a[0].Time, Events: a[0].Events + b[0].Events, Censored: a[0].Censored + b[0].Censored}
			a, b = a[1:], b[1:]
		}
		merged.rows = append(merged.rows, r)
	}
	if len(merged.rows) > MaxTimes {
		return fmt.Errorf("%w: %d, expected at most %d", ErrTooMany, len(merged.rows), MaxTimes)
	}
	*t = merged
	return nil
}

// Customers is how many there are.
func (t *Table) Customers() (n int64) {
	for _, r := range t.rows {
		n += r.Events + r.Censored
	}
	return n
}

// Rows are the counts by ascending time.
func (t *Table) Rows() []Row { return slices.Clone(t.rows) }

// MarshalJSON writes the rows.
func (t *Table) MarshalJSON() ([]byte, error) {
	if t.rows == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(t.rows)
}

// UnmarshalJSON reads what MarshalJSON wrote, and refuses what no customers add up to.
// Errors: ErrTable, ErrTooMany, those of encoding/json.
func (t *Table) UnmarshalJSON(data []byte) error {
	var rows []Row
	if err := json.Unmarshal(data, &rows); err != nil {
		return err
	}
	if len(rows) > MaxTimes {
		return fmt.Errorf("%w: %d, expected at most %d", ErrTooMany, len(rows), MaxTimes)
	}
	for i, r := range rows {
		if r.Events < 0 || r.Censored < 0 || !(r.Time >= 0) || i > 0 && !(r.Time > rows[i-1].Time) {
			return fmt.Errorf("%w: row %d, expected ascending times of 0 or more and counts of 0 or more", ErrTable, i+1)
		}
	}
	t.rows = rows
	return nil
}
