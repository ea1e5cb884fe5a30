package view

import (
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Entry is one line of a series that a window adds up: a value that was true from an
// instant on and known from another. A correction is two entries of the same event time:
// the old value taken back, and the new one.
type Entry struct {
	At    fund.Instant
	Known fund.Instant // 0: unknown, counts as At
	Value Value        // Int or Decimal
	Sign  int          // +1: said; -1: taken back
}

// Window is a stretch of time that ends with the instant of the read.
type Window struct {
	Length      time.Duration // 0: unlimited
	LowerClosed bool          // an entry exactly Length before the instant is in it
	UpperClosed bool          // an entry at the instant itself is in it, or known just then
}

// Aggregate is what a window adds up to.
type Aggregate struct {
	Count   int64
	Sum     Value   // Decimal, exact; 0 where there is nothing
	Average float64 // of the exact sum, rounded once
	OK      bool    // there is something to take the average of
}

// Over adds up the entries of a series, in any order, as of an instant as known at an
// instant. An entry that is neither Int nor Decimal, or has another sign: features.ErrInvalid.
func (w Window) Over(entries []Entry, at, known fund.Instant) (Aggregate, error) {
	return Aggregate{}, nil
}

// CountSelf returns for each instant of a series, in whatever order it stands, how many of
// them lie in the window before it, itself included once: others at the very instant are
// not in it unless the window's upper end is closed. A count stops at most; 0: no bound.
func (w Window) CountSelf(ats []fund.Instant, most int) []int {
	return nil
}
