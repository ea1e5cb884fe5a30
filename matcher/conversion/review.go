package conversion

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// HoldingCase is one holding before its owner.
type HoldingCase struct {
	Product      *fund.Product
	Grade        fund.RiskGrade // effective (S10); unknown: nothing can be said
	Level        fund.RiskLevel // of a valid assessment; unknown: nothing can be said
	Ceiling      fund.RiskGrade // highest grade for that level (S09); unknown: nothing can be said
	Professional bool           // documented and unexpired: the match does not bind him (S14)
	At           fund.Instant
	Lots         []fund.Lot // of this product, by day; others are skipped
	UnitNAV      float64    // yuan a share; 0: unknown
	NAVOn        fund.Date  // day of UnitNAV
}

// Review is what to do about a holding: HOLD or REDUCE, never "sell this to buy that".
type Review struct {
	ProductCode string
	Action      Action
	Sentence    string // template for everyone; its slots are fields of Evidence
	Evidence    []fund.Evidence
}

// What a review looks at.
const (
	SoonDays      = 90 // a fee that falls within so many days is worth waiting for
	MaxReviewLots = 8  // lots that are listed, the newest first: those cost most to sell
)

// ReviewHolding says whether a holding still suits its owner after a change of level or
// grade (rule S08), and, where it does not, what leaving would cost: in all, by lot, and
// soon. He may keep it. What he might do with the money is not its matter (K01). Its
// evidence is appended to facts; both are returned.
func ReviewHolding(c *HoldingCase, facts []fund.Evidence) (Review, []fund.Evidence) {
	out := Review{ProductCode: c.Product.Code, Action: Hold}
	start := len(facts)
	switch {
	case c.Professional:
		out.Sentence = "conversion.HOLD.plain"
	case c.Level == fund.LevelUnknown, c.Ceiling == fund.GradeUnknown:
		out.Sentence = "conversion.HOLD.no_level"
	case c.Grade == fund.GradeUnknown:
		out.Sentence = "conversion.HOLD.no_grade"
	case c.Grade <= c.Ceiling:
		out.Sentence = "conversion.HOLD.plain"
	default:
		out.Action = Reduce
		day := c.At.Date()
		facts = append(facts,
			fund.Evidence{Field: "LEVEL", Text: c.Level.String(), AsOf: day, Source: "CUSTOMER"},
			fund.Evidence{Field: "GRADE", Text: c.Grade.String(), AsOf: day, Source: "POOL"})
		facts = out.leave(&leaving{HoldingCase: c, day: day}, facts)
	}
	out.Evidence = facts[start:len(facts):len(facts)]
	return out, facts
}

// leaving is a holding and the day on which it would be left, worked out once.
type leaving struct {
	*HoldingCase
	day fund.Date
}

// exit is what leaving a holding costs, at today's price.
type exit struct {
	free       int        // lots that may be sold today
	locked     int        // lots that may not
	unlockOn   fund.Date  // first day on which a locked lot may be sold
	value, fee fund.Money // of the free lots, sold today
	cheaperOn  fund.Date  // first day, soon, on which some free lot costs less to sell; 0: none
	laterFee   fund.Money // of the free lots, sold on that day at today's price
	later      int32      // lots that cost less on that day
}

// leave says what leaving costs.
func (r *Review) leave(c *leaving, facts []fund.Evidence) []fund.Evidence {
	e, known := c.exit()
	if !known {
		r.Sentence = "conversion.REDUCE.fee_unknown"
		return facts
	}
	if e.locked > 0 {
		facts = append(facts, c.fact("UNLOCK_ON", fund.UnitDate, int64(e.unlockOn)), c.fact("LOCKED_LOTS", fund.UnitCount, int64(e.locked)))
	}
	if e.free == 0 {
		r.Sentence = "conversion.REDUCE.locked"
		return facts
	}
	facts = append(facts, c.priced("HOLDING_VALUE", e.value), c.priced("EXIT_FEE", e.fee))
	if e.cheaperOn != 0 {
		facts = append(facts, c.fact("CHEAPER_ON", fund.UnitDate, int64(e.cheaperOn)), c.priced("CHEAPER_FEE", e.laterFee),
			c.fact("CHEAPER_LOTS", fund.UnitCount, int64(e.later)))
	}
	switch {
	case e.locked > 0 && e.fee == 0:
		r.Sentence = "conversion.REDUCE.free_part"
	case e.locked > 0:
		r.Sentence = "conversion.REDUCE.fee_part"
	case e.fee == 0:
		r.Sentence = "conversion.REDUCE.free"
	case e.cheaperOn != 0 && e.laterFee == 0:
		r.Sentence = "conversion.REDUCE.fee_ends"
	case e.cheaperOn != 0:
		r.Sentence = "conversion.REDUCE.fee_later"
	default:
		r.Sentence = "conversion.REDUCE.fee"
	}
	return c.lotFacts(facts)
}

// exit adds up the lots. It is not known where the ladder, the price or a lot's day is
// not, nor where the product may not deal at all.
func (c *leaving) exit() (e exit, known bool) {
	status := c.Product.Listing.Status
	if c.Product.Missing.Has(fund.FieldRedemptionLadder) || !(c.UnitNAV > 0) || status == fund.StatusUnknown || status == fund.Suspended {
		return e, false
	}
	for i := range c.Lots {
		lot := &c.Lots[i]
		if !c.has(lot) {
			continue
		}
		if lot.AcquiredOn == 0 {
			return exit{}, false
		}
		e.add(c, lot)
	}
	if e.cheaperOn != 0 {
		e.laterFee, e.later = c.feeOn(e.cheaperOn)
	}
	return e, e.free+e.locked > 0
}

// add takes in one lot.
func (e *exit) add(c *leaving, lot *fund.Lot) {
	if opens := c.opensOn(lot); opens > c.day {
		if e.locked++; e.unlockOn == 0 || opens < e.unlockOn {
			e.unlockOn = opens
		}
		return
	}
	e.free++
	value := c.value(lot)
	e.value = min(e.value+value, fund.MaxMoney)
	e.fee = min(e.fee+c.Product.Fees.ExitFee(value, heldOn(lot, c.day)), fund.MaxMoney)
	if on := c.cheaperOn(lot); on != 0 && (e.cheaperOn == 0 || on < e.cheaperOn) {
		e.cheaperOn = on
	}
}

// has reports whether a lot is one of the holding.
func (c *leaving) has(lot *fund.Lot) bool { return lot.ProductCode == c.Product.Code && lot.Shares > 0 }

// opensOn is the first day on which a lot may be sold.
func (c *leaving) opensOn(lot *fund.Lot) fund.Date {
	t := &c.Product.Terms
	opens := max(t.ClosedUntil, t.NextOpenOn)
	if t.LockupDays > 0 {
		opens = max(opens, lot.AcquiredOn.AddDays(int(t.LockupDays)))
	}
	return opens
}

// cheaperOn is the first day, soon, on which a lot costs less to sell than today; 0: none.
func (c *leaving) cheaperOn(lot *fund.Lot) fund.Date {
	fees, held := &c.Product.Fees, heldOn(lot, c.day)
	rate := fees.ExitRate(held)
	for i := range fees.Redemption {
		bound := fees.Redemption[i].Below
		if bound > held && bound-held <= SoonDays && fees.ExitRate(bound) < rate {
			return lot.AcquiredOn.AddDays(int(bound))
		}
	}
	return 0
}

// feeOn adds up what the lots that are free today cost to sell on a later day at today's
// price, and counts those that cost less by then.
func (c *leaving) feeOn(day fund.Date) (fee fund.Money, cheaper int32) {
	for i := range c.Lots {
		lot := &c.Lots[i]
		if !c.has(lot) || c.opensOn(lot) > c.day {
			continue
		}
		held := heldOn(lot, day)
		fee = min(fee+c.Product.Fees.ExitFee(c.value(lot), held), fund.MaxMoney)
		if c.Product.Fees.ExitRate(held) < c.Product.Fees.ExitRate(heldOn(lot, c.day)) {
			cheaper++
		}
	}
	return fee, cheaper
}

// lotFacts lists what the newest free lots cost to sell today; the window says how long
// each was held. Lots of one day are one.
func (c *leaving) lotFacts(facts []fund.Evidence) []fund.Evidence {
	listed := 0
	for i := len(c.Lots) - 1; i >= 0; i-- {
		lot := &c.Lots[i]
		if !c.has(lot) || c.opensOn(lot) > c.day {
			continue
		}
		fee := int64(c.Product.Fees.ExitFee(c.value(lot), heldOn(lot, c.day)))
		if last := len(facts) - 1; listed > 0 && facts[last].Window.From == lot.AcquiredOn {
			facts[last].Number += fee
			continue
		}
		if listed++; listed > MaxReviewLots {
			break
		}
		e := c.priced("EXIT_FEE_LOT", fund.Money(fee))
		e.Window = fund.Window{From: lot.AcquiredOn, To: c.day}
		facts = append(facts, e)
	}
	return facts
}

// heldOn returns the days for which a lot will have been held.
func heldOn(lot *fund.Lot, day fund.Date) int32 { return int32(max(0, day.DaysSince(lot.AcquiredOn))) }

// value is what a lot is worth at the last price, rounded half up to the fen.
func (c *leaving) value(lot *fund.Lot) fund.Money {
	fen := float64(lot.Shares) * c.UnitNAV / 100 // shares in 1/10000, fen in 1/100
	return fund.Money(math.Min(math.Floor(fen+0.5), float64(fund.MaxMoney)))
}

func (c *leaving) fact(field string, unit fund.Unit, number int64) fund.Evidence {
	return fund.Evidence{Field: field, Unit: unit, Number: number, AsOf: c.day, Source: "HOLDINGS"}
}

// priced is an amount that rests on the last price, and is as old as it.
func (c *leaving) priced(field string, amount fund.Money) fund.Evidence {
	e := c.fact(field, fund.UnitFen, int64(amount))
	if c.NAVOn != 0 {
		e.Stale = int32(max(0, c.day.DaysSince(c.NAVOn)))
	}
	return e
}
