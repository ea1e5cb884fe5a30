package objection

import "github.com/fundmatch/fundmatch/matcher/fund"

// answerFee shows the cost of the amount over the horizon in each class and the way out.
func (v *view) answerFee(o *Objection) {
	if !v.Quote.Own.OK {
		v.costUnknown(o)
		return
	}
	v.quoted("COST", v.Quote.Own.Differing())
	o.Sentences[0] = "objection.FEE.single"
	if v.Quote.A.OK && v.Quote.C.OK {
		o.Sentences[0] = v.compareClasses()
	}
	if running := v.Product.Fees.Management + v.Product.Fees.Custody; running > 0 {
		o.Sentences[1] = "objection.FEE.running"
		v.product("RUNNING", fund.UnitRatio, int64(running)*millionthsPerPoint)
	}
	o.Sentences[2] = v.ladder()
}

// millionthsPerPoint turns basis points into a Ratio.
const millionthsPerPoint = 100

func (v *view) costUnknown(o *Objection) {
	o.Sentences[0] = "objection.FEE.unknown"
	v.text("COST", "UNKNOWN", sourceProduct)
}

// quoted adds the amount, the months and one cost of them.
func (v *view) quoted(field string, cost fund.Money) {
	v.fen("AMOUNT", v.Quote.Amount)
	v.figure("HORIZON", fund.UnitMonths, int64(v.Quote.Months), sourceModel)
	v.fen(field, cost)
}

// fen adds an amount that was computed from the product's fees.
func (v *view) fen(field string, m fund.Money) {
	v.facts.add(field, fund.UnitFen, int64(m), v.Day, sourceComputed).Document = v.Product.Listing.KeyFactsVersion
}

func (v *view) compareClasses() string {
	a, c := v.Quote.A.Differing(), v.Quote.C.Differing()
	v.fen("COST_A", a)
	v.fen("COST_C", c)
	if a == c {
		return "objection.FEE.equal"
	}
	cheaper := "A"
	if c < a {
		cheaper = "C"
	}
	v.text("CHEAPER", cheaper, sourceComputed)
	return "objection.FEE.compare"
}

// The names of a ladder's steps, and the sentences by their number.
var (
	stepDays  = [...]string{"DAYS_1", "DAYS_2", "DAYS_3"}
	stepFees  = [...]string{"FEE_1", "FEE_2", "FEE_3"}
	freeSteps = [...]string{"objection.FEE.no_exit_fee", "objection.FEE.ladder.one", "objection.FEE.ladder.two", "objection.FEE.ladder.three"}
	lastSteps = [...]string{"objection.FEE.exit_always", "objection.FEE.ladder.one.last", "objection.FEE.ladder.two.last", "objection.FEE.ladder.three.last"}
)

// ladder tells the redemption fee by the day, every step of it; a ladder of more steps
// than a sentence holds is told by its dearest step and its end.
func (v *view) ladder() string {
	tiers := v.Product.Fees.Redemption
	if len(tiers) == 0 || v.Product.Missing.Has(fund.FieldRedemptionLadder) {
		return "objection.FEE.exit_unknown"
	}
	if v.Product.Fees.FreeExitAfter() == 0 {
		return freeSteps[0]
	}
	steps := tiers[:len(tiers)-1]
	if len(steps) >= len(freeSteps) {
		return v.longLadder()
	}
	for i, tier := range steps {
		v.product(stepDays[i], fund.UnitDays, int64(tier.Below))
		v.rate(stepFees[i], tier.Rate)
	}
	last := tiers[len(tiers)-1].Rate
	if last == 0 {
		return freeSteps[len(steps)]
	}
	v.rate("FEE_LAST", last)
	return lastSteps[len(steps)]
}

func (v *view) longLadder() string {
	tiers := v.Product.Fees.Redemption
	v.rate("FEE_1", highest(tiers))
	if free := v.Product.Fees.FreeExitAfter(); free >= 0 {
		v.product("DAYS_1", fund.UnitDays, int64(free))
		return "objection.FEE.ladder.long"
	}
	v.product("DAYS_1", fund.UnitDays, int64(tiers[len(tiers)-2].Below))
	v.rate("FEE_LAST", tiers[len(tiers)-1].Rate)
	return "objection.FEE.ladder.long.last"
}

func highest(tiers []fund.RedemptionTier) fund.BasisPoints {
	rate := fund.BasisPoints(0)
	for _, tier := range tiers {
		rate = max(rate, tier.Rate)
	}
	return rate
}

func (v *view) rate(field string, r fund.BasisPoints) {
	v.product(field, fund.UnitRatio, int64(r)*millionthsPerPoint)
}

// answerCheaperElsewhere shows all that it costs here, what is inside the NAV and so the
// same everywhere, and what to compare. The customer sees it as FEE.
func (v *view) answerCheaperElsewhere(o *Objection) {
	if !v.Quote.Own.OK {
		v.costUnknown(o)
		return
	}
	cost := &v.Quote.Own.Cost
	v.quoted("COST", cost.Differing())
	v.fen("TOTAL_COST", cost.Total())
	v.fen("RUNNING_COST", cost.Running)
	o.Sentences[0] = "objection.FEE.total"
	if off := v.Product.Fees.DiscountPct; off > 0 && cost.Entry > 0 {
		o.Sentences[1] = "objection.FEE.discount"
		v.product("DISCOUNT", fund.UnitRatio, int64(off)*percent)
		v.fen("ENTRY_FEE", cost.Entry)
	}
	o.Sentences[2] = v.ladder()
	o.Sentences[3] = "objection.FEE.compare_all"
}

// percent turns percent into a Ratio.
const percent = 10_000

// answerLiquidity shows when the money can come back, and at what price.
func (v *view) answerLiquidity(o *Objection) {
	p, t := v.Product, &v.Product.Terms
	switch {
	case t.ClosedUntil > v.Day:
		o.Sentences[0] = "objection.LIQUIDITY.closed_until"
		v.date("CLOSED_UNTIL", t.ClosedUntil)
		return
	case t.LockupDays > 0:
		o.Sentences[0] = "objection.LIQUIDITY.lockup"
		v.product("LOCKUP", fund.UnitDays, int64(t.LockupDays))
		if t.NextOpenOn > v.Day {
			o.Sentences[0] = "objection.LIQUIDITY.next_open.lockup"
			v.date("NEXT_OPEN_ON", t.NextOpenOn)
		}
		return
	case t.NextOpenOn > v.Day:
		o.Sentences[0] = "objection.LIQUIDITY.next_open"
		v.date("NEXT_OPEN_ON", t.NextOpenOn)
		return
	case p.Missing.Has(fund.FieldLockup):
		o.Sentences[0] = "objection.LIQUIDITY.unknown"
		v.text("LOCKUP", "UNKNOWN", sourceProduct)
		return
	}
	v.product("LOCKUP", fund.UnitDays, 0)
	if p.Missing.Has(fund.FieldRedemptionLadder) || len(p.Fees.Redemption) == 0 {
		o.Sentences[0] = "objection.LIQUIDITY.open_fee_unknown"
		return
	}
	switch free := p.Fees.FreeExitAfter(); {
	case free == 0:
		o.Sentences[0] = "objection.LIQUIDITY.open_free"
	case free < 0:
		// The fee never ends: the ladder says so, to its last step.
		o.Sentences[0] = "objection.LIQUIDITY.open"
		o.Sentences[1] = v.ladder()
	default:
		o.Sentences[0] = "objection.LIQUIDITY.open_fee"
		v.product("FEE_DAYS", fund.UnitDays, int64(free))
		v.rate("FEE", highest(p.Fees.Redemption))
	}
}

func (v *view) date(field string, d fund.Date) { v.product(field, fund.UnitDate, int64(d)) }
