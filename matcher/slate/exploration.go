package slate

import (
	"errors"
	"fmt"
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Exploration says how much of a list is left to chance, so that what is not shown today can
// be learned about: with Probability, one slot takes a uniform draw from the next Next
// permitted products that keep the caps of the list. The zero value explores nothing.
type Exploration struct {
	Probability fund.BasisPoints // e of 10,000 lists
	Next        int              // M: how many of the next products the draw is from
	// MaxGap bounds what a drawn product may score less than the one that it stands for, so
	// that a list loses at most Probability x MaxGap of score in the mean.
	MaxGap float64
}

// The bounds of exploration.
const (
	MaxExploration = 2000 // basis points: one list in five
	MaxNext        = 50
)

// ErrExploration is wrapped when settings of exploration are out of bounds.
var ErrExploration = errors.New("exploration refused")

// Check reports whether the settings are within bounds. Errors wrap ErrExploration and name
// the field, the value and what was expected.
func (e *Exploration) Check() error {
	switch {
	case e.Probability < 0 || e.Probability > MaxExploration:
		return fmt.Errorf("%w: probability_bps %d, expected 0 to %d", ErrExploration, e.Probability, MaxExploration)
	case e.Next < 0 || e.Next > MaxNext || e.Probability > 0 && e.Next == 0:
		return fmt.Errorf("%w: next %d, expected 1 to %d", ErrExploration, e.Next, MaxNext)
	case !(e.MaxGap >= 0) || math.IsInf(e.MaxGap, 0):
		return fmt.Errorf("%w: max_gap %g, expected a number of at least 0", ErrExploration, e.MaxGap)
	}
	return nil
}
