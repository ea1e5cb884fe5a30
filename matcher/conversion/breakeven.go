package conversion

import "github.com/fundmatch/fundmatch/matcher/fund"

// longestHolding is where the comparison of two classes ends, in days: fifty years, the
// longest horizon that may be stated.
const longestHolding = fund.MaxHorizonMonths / 12 * 366

// BreakEven returns the first number of days from which class a of a fund costs no more
// than class c, for every longer holding too, in what classes differ in (fund.Cost.
// Differing). Where class a, too, has a service fee, two roundings may leave a fen
// between them on a later day. Not OK: never, or fees are unknown.
func BreakEven(a, c *fund.Product, limit fund.ServiceLimit, amount fund.Money) (days int32, ok bool) {
	if !feesKnown(a) || !feesKnown(c) || amount <= 0 {
		return 0, false
	}
	p := pair{a: &a.Fees, c: &c.Fees, amount: amount, limit: limit}
	// From the last stretch to the first: the day looked for comes right after the last
	// one on which a costs more.
	for end := int32(longestHolding); end >= 0; {
		start := p.stretch(end)
		if p.dearer(end) {
			return end + 1, end < longestHolding
		}
		if p.dearer(start) {
			return p.firstCheap(start, end), true
		}
		end = start - 1
	}
	return 0, true
}

// pair are the fees of two classes of one fund.
type pair struct {
	a, c   *fund.FeeSchedule
	amount fund.Money
	limit  fund.ServiceLimit
}

// dearer reports whether a costs more than c when sold after so many days.
func (p *pair) dearer(days int32) bool {
	return p.a.CostOf(p.amount, days, p.limit).Differing() > p.c.CostOf(p.amount, days, p.limit).Differing()
}

// stretch returns the first day of the run of days that ends with end and over which the
// difference between the classes moves in one direction: between the bounds of the
// ladders, and on either side of the day on which the service fee ends (F03).
func (p *pair) stretch(end int32) int32 {
	start := int32(0)
	if l := int32(p.limit); l > 0 && end >= l {
		start = l
	}
	for _, f := range [...]*fund.FeeSchedule{p.a, p.c} {
		for i := range f.Redemption {
			if b := f.Redemption[i].Below; b <= end {
				start = max(start, b)
			}
		}
	}
	return start
}

// firstCheap finds the first day in (start, end] on which a costs no more, by halving: it
// does on end, it does not on start, and in between it does not change twice.
func (p *pair) firstCheap(start, end int32) int32 {
	for end-start > 1 {
		mid := start + (end-start)/2
		if p.dearer(mid) {
			start = mid
		} else {
			end = mid
		}
	}
	return end
}
