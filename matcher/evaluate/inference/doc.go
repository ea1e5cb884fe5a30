// Package inference says how sure a difference is: Welch's t, its relative form, CUPED, always-valid sequential
// intervals, sample-ratio mismatch, adjustment for many comparisons, and tests of paired differences. It is pure: states
// are added to and merged, and the same input in the same order gives the same bits.
package inference

import (
	"errors"
	"fmt"
)

// The errors of this package; each is wrapped with what was given and what was expected.
var (
	ErrTooFew   = errors.New("too few observations")
	ErrNoSpread = errors.New("no spread")     // every observation is the same: nothing says how sure it is
	ErrBase     = errors.New("no base")       // a relative difference from a mean that is not above 0
	ErrOptions  = errors.New("wrong options") // alpha, tuning, weights, replicates
	ErrValue    = errors.New("wrong value")   // not finite, beyond MaxValue, or lengths that differ
)

// MaxValue bounds observations, so that no sum of their squares overflows.
const MaxValue = 1e100

func checkAlpha(alpha float64) error {
	if !(alpha > 0 && alpha < 1) {
		return fmt.Errorf("%w: alpha %v, expected above 0 and below 1", ErrOptions, alpha)
	}
	return nil
}
