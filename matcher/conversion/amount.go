package conversion

import "github.com/fundmatch/fundmatch/matcher/fund"

// Quote is the amount and the costs that an action is computed with.
type Quote struct {
	Min, Suggested, Max fund.Money // Suggested 0: none; Max 0: unbounded
	CostAmount          fund.Money // amount that the costs are of: Suggested, or the model's reference
	Months              int32      // months that the costs are computed for
	Days                int32      // the same in days
	A, C, Own           ClassCost
}

// Means bound the suggested amount.
type Means struct {
	AUM      fund.Money       // the customer's assets; 0: unknown or not to be read
	Share    fund.BasisPoints // of the assets that is suggested
	MaxShare fund.BasisPoints // of the assets that one product may take
	Rounding fund.Money       // suggestions are rounded down to it
	Need     fund.Need        // how soon he may need the money back; the sooner, the less is suggested
	Held     fund.Money       // what he has in the same fund already; it counts towards MaxShare (K04)
	// Bound is the largest amount that the rules of orders would let pass, where Bounded is
	// set (G01, S15, K04): nobody is suggested an amount that he may not order.
	Bound   fund.Money
	Bounded bool
	Least   fund.Money // the least that the rules of orders let pass, beside the product's minimum (P01)
}

// needPercent is the part of the share that is suggested, by liquidity need: money that
// he may need back at any time is not put to work in full. An unknown need is taken as
// one within some months, not as none.
var needPercent = [fund.Needs]fund.Money{fund.NeedUnknown: 75, fund.NeedLow: 100, fund.NeedMedium: 75, fund.NeedHigh: 50}

// Affords reports whether the product's minimum is within what one product may still
// take of the customer's assets. Where those are unknown it is (rulebook: means unknown).
func (m *Means) Affords(p *fund.Product) bool {
	if m.Bounded && (m.Bound <= 0 || m.least(p) > m.Bound) {
		return false
	}
	return m.AUM == 0 || m.least(p) <= m.room()
}

// least is the smallest amount that may be ordered.
func (m *Means) least(p *fund.Product) fund.Money { return max(p.Terms.MinPurchase, m.Least) }

// room is what one product may still take (K04).
func (m *Means) room() fund.Money {
	room := max(0, m.share(m.MaxShare)-m.Held)
	if m.Bounded {
		room = min(room, m.Bound)
	}
	return room
}

func (m *Means) share(bps fund.BasisPoints) fund.Money { return m.AUM / 10_000 * fund.Money(bps) }

// Amount suggests an amount: a share of the customer's assets, less where he may need
// the money soon, rounded down, within what one product may still take, at least the
// product's minimum and at most half of its day limit: it never leans to the maximum.
// Without known assets it is the minimum, or none; where he cannot afford the minimum,
// none.
func (m *Means) Amount(p *fund.Product) (minimum, suggested, maximum fund.Money) {
	minimum, maximum = m.least(p), p.Terms.DayLimit
	if !m.Affords(p) {
		return minimum, 0, maximum
	}
	if m.AUM > 0 {
		share := m.share(m.Share)
		if int(m.Need) < len(needPercent) {
			share = share / 100 * needPercent[m.Need]
		}
		suggested = roundDown(min(share, m.room()), m.Rounding)
	}
	return minimum, withinTerms(suggested, minimum, p.Terms.DayLimit, m.Rounding), maximum
}

// withinTerms brings an amount within what the product takes: at least its minimum, at
// most half of its day limit, or the minimum where half of the limit is less.
func withinTerms(amount, minimum, limit, rounding fund.Money) fund.Money {
	if limit > 0 {
		amount = min(amount, roundDown(limit/2, rounding))
	}
	amount = max(amount, minimum)
	if limit > 0 {
		amount = min(amount, limit)
	}
	return amount
}

func roundDown(amount, to fund.Money) fund.Money {
	if to <= 0 {
		return amount
	}
	return amount - amount%to
}

// PlanTerms are of a purchase in equal parts (定投).
type PlanTerms struct {
	Cadence Cadence
	Amount  fund.Money // of each part; 0: he names it
}

// Cadence is how often a plan buys.
type Cadence uint8

// The cadences.
const (
	NoPlan Cadence = iota
	Monthly
	Cadences // the number of cadences
)

// String returns the cadence's code; empty: no plan.
func (c Cadence) String() string {
	if c == Monthly {
		return "MONTHLY"
	}
	return ""
}

// PlanLimits are what a plan takes; the model file carries them. A plan spreads the
// moments of entry: over a short time there is nothing to spread. The zero value offers
// no plan.
type PlanLimits struct {
	Months int32            // least horizon
	Share  fund.BasisPoints // of a month's income, at most
}

// planRounding: parts are rounded down to whole hundreds of yuan.
const planRounding = 10_000

// planOf returns the plan that suits a customer who hesitates: monthly, a share of a
// month's income, never more than what suits him as one purchase. Without a known income
// it is the product's minimum, or an amount that he names. Where the minimum is above
// that share there is no plan.
func planOf(c *sitting) (PlanTerms, bool) {
	if c.Plans.Share <= 0 || !c.Thread.Hesitant || c.Person.Company || c.Person.HorizonMonths < c.Plans.Months || !plannable(c) {
		return PlanTerms{}, false
	}
	p := c.Product
	if c.Person.Income <= 0 {
		return PlanTerms{Cadence: Monthly, Amount: p.Terms.MinPurchase}, true
	}
	part := c.Person.Income / 12 / 10_000 * fund.Money(c.Plans.Share)
	if c.Quote.Suggested > 0 {
		part = min(part, c.Quote.Suggested)
	}
	if part < p.Terms.MinPurchase {
		return PlanTerms{}, false
	}
	return PlanTerms{Cadence: Monthly, Amount: withinTerms(roundDown(part, planRounding), p.Terms.MinPurchase, p.Terms.DayLimit, planRounding)}, true
}

// plannable reports whether the product is one to buy in parts: an open fund that swings
// and that can be left at any time.
func plannable(c *sitting) bool {
	p, day := c.Product, c.day
	open := p.Listing.Status == fund.Open || p.Listing.Status == fund.Limited
	free := p.Terms.LockupDays == 0 && p.Terms.ClosedUntil <= day && p.Terms.NextOpenOn <= day
	kind := p.Listing.Kind == fund.KindUnknown || p.Listing.Kind == fund.PublicFund
	return open && free && kind && volatile(c.Class)
}

// volatile reports whether a class swings enough for the moment of entry to matter.
func volatile(c fund.Class) bool {
	switch c {
	case fund.Balanced, fund.FundOfFunds, fund.Equity, fund.Index, fund.OverseasFund, fund.Commodity:
		return true
	default:
		return false
	}
}
