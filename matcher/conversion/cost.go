package conversion

import "github.com/fundmatch/fundmatch/matcher/fund"

// ClassCost is the cost of one share class over the horizon. Not OK: not on offer, or
// its fees are unknown.
type ClassCost struct {
	Code string
	fund.Cost
	OK bool
}

// CostOf computes the cost of one share class of a product, with F03's limit as it is in
// force for the product; unknown fees leave it not OK.
func CostOf(p *fund.Product, limit fund.ServiceLimit, amount fund.Money, days int32) ClassCost {
	if !feesKnown(p) || amount <= 0 {
		return ClassCost{Code: p.Code}
	}
	return ClassCost{Code: p.Code, Cost: p.Fees.CostOf(amount, days, limit), OK: true}
}

// feesKnown reports whether every part of the cost is known (rulebook: no ladder or fee,
// the cost is unknown). An unknown service fee is not one of zero: class C would look
// free.
func feesKnown(p *fund.Product) bool {
	const needed = 1<<fund.FieldSubscriptionLadder | 1<<fund.FieldRedemptionLadder | 1<<fund.FieldServiceFee | 1<<fund.FieldManagementFee
	return p.Missing&needed == 0
}

// Cheaper reports whether class a costs less than class b; known costs come before
// unknown ones, and equal ones go by code, so that the choice is the same for everyone.
func Cheaper(a, b *ClassCost) bool {
	if a.OK != b.OK {
		return a.OK
	}
	if a.OK && a.Differing() != b.Differing() {
		return a.Differing() < b.Differing()
	}
	return a.Code < b.Code
}

// CostPoint is what a purchase has cost when it is sold again after so many days. Not
// OK: the fees are unknown.
type CostPoint struct {
	Days int32
	fund.Cost
	OK bool
}

// daysInYear is a day that every table names, in days.
const daysInYear = 365

// CostTable appends to dst what the manager reads out: the cost on the day of entry, on
// the first day of each step of the exit ladder, and at one year, by rising days. With
// unknown fees it is the entry and the year, both not OK. Nobody gets out during a
// lockup: what would come before its end comes on it.
func CostTable(p *fund.Product, limit fund.ServiceLimit, amount fund.Money, dst []CostPoint) []CostPoint {
	known := feesKnown(p) && amount > 0
	start, lockup := len(dst), max(p.Terms.LockupDays, 0)
	at := func(days int32) {
		if days = max(days, lockup); len(dst) > start && dst[len(dst)-1].Days == days {
			return
		}
		point := CostPoint{Days: days, OK: known}
		if known {
			point.Cost = p.Fees.CostOf(amount, days, limit)
		}
		dst = append(dst, point)
	}
	at(0)
	year := false
	for i := range p.Fees.Redemption {
		bound := p.Fees.Redemption[i].Below
		if bound <= 0 || !known {
			break
		}
		if bound > daysInYear && !year {
			at(daysInYear)
		}
		year = year || bound >= daysInYear
		at(bound)
	}
	if !year {
		at(daysInYear)
	}
	return dst
}
