package score

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a linear fit. Each comes as a *FitError that names the place.
var (
	// ErrFitColumns: no columns, too many, or a name that is empty, too long or given twice.
	ErrFitColumns = errors.New("columns refused")
	// ErrFitRagged: a row with more or fewer values than there are columns.
	ErrFitRagged = errors.New("ragged row")
	// ErrFitNotFinite: a value that is NaN or infinite.
	ErrFitNotFinite = errors.New("not a finite number")
	// ErrFitRange: a value whose square could not be computed, or a column all of whose
	// values are that small; another unit helps.
	ErrFitRange = errors.New("value out of range")
	// ErrFitWeight: a row's weight that is not within [MinWeight, MaxWeight].
	ErrFitWeight = errors.New("weight out of range")
	// ErrFitRows: fewer rows than columns + 2, so that nothing is left to judge the fit by.
	ErrFitRows = errors.New("too few rows")
	// ErrFitConstant: a column that is the same in every row: it cannot be told from the
	// intercept.
	ErrFitConstant = errors.New("constant column")
	// ErrFitConstantTarget: a target that is the same in every row: there is nothing to explain.
	ErrFitConstantTarget = errors.New("constant target")
	// ErrFitCollinear: a column that is a linear combination of others.
	ErrFitCollinear = errors.New("collinear columns")
	// ErrFitCondition: columns so nearly collinear that the slopes would keep few digits.
	ErrFitCondition = errors.New("ill-conditioned columns")
	// ErrFitOptions: options outside their bounds.
	ErrFitOptions = errors.New("fit options refused")
	// ErrFitMerge: partial sums that do not follow each other, or of other columns.
	ErrFitMerge = errors.New("partial sums do not join")
	// ErrLinear: an encoded fit that cannot be: cut, altered, or not finite.
	ErrLinear = errors.New("linear fit refused")
)

// FitError says where a fit was refused. It wraps one of the ErrFit errors, or ErrLinear.
type FitError struct {
	Err    error    // which
	Column string   // the column or target; empty: none in particular
	Row    int64    // the row, counted from 1 over all shards; 0: none in particular
	Value  float64  // what was found: the value, a count, a spread, a condition number
	Others []string // of ErrFitCollinear: the columns that make this one up, the largest share first
	Want   string   // what was expected
}

// Error names the row, the column, the value and what was expected.
func (e *FitError) Error() string {
	var b strings.Builder
	b.WriteString("fit: ")
	if e.Row > 0 {
		fmt.Fprintf(&b, "row %d: ", e.Row)
	}
	if e.Column != "" {
		fmt.Fprintf(&b, "column %q: ", e.Column)
	}
	fmt.Fprintf(&b, "%v: got %g", e.Err, e.Value)
	if len(e.Others) > 0 {
		fmt.Fprintf(&b, " (made up of %s)", strings.Join(e.Others, ", "))
	}
	if e.Want != "" {
		b.WriteString(", want " + e.Want)
	}
	return b.String()
}

// Unwrap returns which error it is.
func (e *FitError) Unwrap() error { return e.Err }
