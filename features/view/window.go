package view

import (
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/fundmatch/fundmatch/features"
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

// Window is a stretch of time that ends with the instant of the read. Its zero value is all
// that is before the instant, itself not included.
type Window struct {
	Length      time.Duration // 0: unlimited
	LowerClosed bool          // an entry exactly Length before the instant is in it
	UpperClosed bool          // an entry at the instant itself is in it, and one known just then
}

// Aggregate is what a window adds up to.
type Aggregate struct {
	Count   int64   // of values said less values taken back
	Sum     Value   // Decimal, exact; zero when it has more than MaxDecimalDigits digits
	Average float64 // of the exact sum, rounded once
	OK      bool    // there is something to take an average of
}

// Over adds up the entries of a series, in any order, as of an instant as known at an
// instant: both bounds are as the window's upper end is. Sums are exact, so that what is
// said and taken back leaves nothing. An entry that is neither Int nor Decimal, or of
// another sign, is a *features.InvalidError.
func (w Window) Over(entries []Entry, at, known fund.Instant) (Aggregate, error) {
	sum, out := new(big.Rat), Aggregate{}
	for i := range entries {
		e := &entries[i]
		value, ok := e.Value.ratOf()
		if !ok || e.Sign != 1 && e.Sign != -1 {
			return Aggregate{}, features.Invalid("entries["+strconv.Itoa(i)+"]", e.Value.String(), "a number, said (1) or taken back (-1)")
		}
		if !w.holds(e.At, at) || !w.before(e.known(), known) {
			continue
		}
		out.Count += int64(e.Sign)
		if e.Sign > 0 {
			sum.Add(sum, value)
		} else {
			sum.Sub(sum, value)
		}
	}
	out.Sum = exactDecimal(sum)
	if out.OK = out.Count > 0; out.OK {
		out.Average, _ = new(big.Rat).Quo(sum, new(big.Rat).SetInt64(out.Count)).Float64()
	}
	return out, nil
}

// known is the instant from which the entry was known.
func (e *Entry) known() fund.Instant {
	if e.Known != 0 {
		return e.Known
	}
	return e.At
}

// before reports whether an instant is before the upper end.
func (w Window) before(i, end fund.Instant) bool { return i < end || w.UpperClosed && i == end }

// holds reports whether an event time lies in the window that ends at an instant.
func (w Window) holds(i, end fund.Instant) bool {
	return w.before(i, end) && w.after(i, end)
}

// exactDecimal writes a sum of decimals, whose fraction ends.
func exactDecimal(sum *big.Rat) Value {
	places, _ := sum.FloatPrec()
	v, err := DecimalValue(sum.FloatString(places))
	if err != nil {
		return Value{}
	}
	return v
}

// CountSelf returns for each event of a series, in whatever order it stands, how many lie in
// the window before it, itself included once. Others at its very instant are not in it,
// unless the upper end is closed: then those are that stand before it in the series, for an
// event is the last of its own window. A count stops at most; 0: it does not.
func (w Window) CountSelf(ats []fund.Instant, most int) []int {
	sorted := slices.Clone(ats)
	slices.Sort(sorted)
	counts := make([]int, len(ats))
	stood := map[fund.Instant]int{} // so many events of an instant so far
	for i, at := range ats {
		first, _ := slices.BinarySearchFunc(sorted, at, func(x, end fund.Instant) int {
			if !w.after(x, end) {
				return -1
			}
			return 1
		})
		end, _ := slices.BinarySearch(sorted, at)
		counts[i] = max(end-first, 0) + 1 // itself
		if w.UpperClosed {
			counts[i] += stood[at]
			stood[at]++
		}
		if most > 0 {
			counts[i] = min(counts[i], most)
		}
	}
	return counts
}

// after reports whether an instant is after the lower end.
func (w Window) after(i, end fund.Instant) bool {
	if w.Length == 0 {
		return true
	}
	age, length := int64(end)-int64(i), w.Length.Microseconds()
	return age < length || w.LowerClosed && age == length
}
