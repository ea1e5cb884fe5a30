package conversion

import "github.com/fundmatch/fundmatch/matcher/fund"

// CostPoint is what a purchase has cost when it is sold again after so many days. Not
// OK: the fees are unknown.
type CostPoint struct {
	Days int32
	fund.Cost
	OK bool
}

// CostTable appends to dst what the manager reads out: the cost on the day of entry, at
// the first day of each step of the exit ladder, and at one year, by rising days.
func CostTable(p *fund.Product, class fund.Class, amount fund.Money, dst []CostPoint) []CostPoint {
	return dst
}

// BreakEven returns the first number of days from which class a of a fund costs no more
// than class c, for every longer holding too. Not OK: never, or fees are unknown.
func BreakEven(a, c *fund.Product, class fund.Class, amount fund.Money) (days int32, ok bool) {
	return 0, false
}
