// Package survival says how long customers stay: Kaplan-Meier curves with Greenwood's intervals, and the log-rank test of
// two groups. Who is still there is censored, which is not the same as having left. It is pure and streaming: add a
// customer, merge two tables, read the result.
package survival

import "errors"

// The errors of this package; each is wrapped with what was given and what was expected.
var (
	ErrTime    = errors.New("not a time")      // negative, not finite
	ErrTooMany = errors.New("too many times")  // more than MaxTimes different ones: round them, to days
	ErrOptions = errors.New("wrong options")   // a level that is not between 0 and 1
	ErrNothing = errors.New("nothing to test") // no event at which both groups had somebody
	ErrTable   = errors.New("not a table")     // counts that no customers add up to
)
