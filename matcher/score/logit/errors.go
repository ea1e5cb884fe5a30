package logit

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a fit, a calibration or an assessment. Each comes as a *DataError.
var (
	// ErrColumns: no columns, too many, or a name that is empty, too long or given twice.
	ErrColumns = errors.New("columns refused")
	// ErrRagged: a row with more or fewer values than there are columns.
	ErrRagged = errors.New("ragged row")
	// ErrNotFinite: a value that is NaN, infinite, or too large to be squared.
	ErrNotFinite = errors.New("not a number that can be used")
	// ErrTooFew: fewer rows, events or others than the task needs.
	ErrTooFew = errors.New("too few rows")
	// ErrOneClass: all outcomes are the same.
	ErrOneClass = errors.New("one class only")
	// ErrConstant: a column that is the same in every row.
	ErrConstant = errors.New("constant column")
	// ErrCollinear: a column that is a linear combination of those before it.
	ErrCollinear = errors.New("collinear columns")
	// ErrSeparated: some combination of the columns tells (some of) the outcomes without
	// fail, so that no finite coefficients are best. A ridge makes them finite.
	ErrSeparated = errors.New("outcomes are separated")
	// ErrNotConverged: the steps did not end; none is known to do so.
	ErrNotConverged = errors.New("not converged")
	// ErrOptions: options outside their bounds.
	ErrOptions = errors.New("options refused")
	// ErrNotMonotone: the outcome does not rise with the score.
	ErrNotMonotone = errors.New("outcome falls where the score rises")
	// ErrModel: an encoded model or calibration that cannot be.
	ErrModel = errors.New("model refused")
)

// DataError says where a fit was refused. It wraps one of the errors of this package.
type DataError struct {
	Err    error   // which
	Column string  // empty: none in particular
	Row    int     // counted from 1; 0: none in particular
	Value  float64 // what was found
	Want   string  // what was expected
}

// Error names the row, the column, the value and what was expected.
func (e *DataError) Error() string {
	var b strings.Builder
	b.WriteString("logit: ")
	if e.Row > 0 {
		fmt.Fprintf(&b, "row %d: ", e.Row)
	}
	if e.Column != "" {
		fmt.Fprintf(&b, "column %q: ", e.Column)
	}
	fmt.Fprintf(&b, "%v: got %g", e.Err, e.Value)
	if e.Want != "" {
		b.WriteString(", want " + e.Want)
	}
	return b.String()
}

// Unwrap returns which error it is.
func (e *DataError) Unwrap() error { return e.Err }
