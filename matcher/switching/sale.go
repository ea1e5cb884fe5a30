package switching

import (
	"cmp"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// longestHolding is where every search ends, in days: fifty years, the longest horizon that
// may be stated.
const longestHolding = fund.MaxHorizonMonths / 12 * 366

// shareStep is what redemptions are ordered in: hundredths of a share.
const shareStep = 100

// sell finds the lots that are sold and what their sale brings.
func (a *assessing) sell() {
	out := a.out
	out.Sold.Youngest = -1
	if p := a.Sell.Product; p.Missing.Has(fund.FieldRedemptionLadder) || len(p.Fees.Redemption) == 0 {
		out.Gaps |= NoExitFee
	}
	if a.Sell.Paid.On != 0 {
		a.takePaid()
	} else {
		a.listLots()
		a.takeLots()
	}
	a.sum()
}

// listLots lists the lots, first in first out; those without a day come last, as the
// youngest.
func (a *assessing) listLots() {
	out, code := a.out, a.Sell.Product.Code
	for i := range a.Sell.Lots {
		if l := &a.Sell.Lots[i]; l.ProductCode == code && l.Shares > 0 && l.AcquiredOn <= a.On {
			out.Lots = append(out.Lots, a.lot(l))
		}
	}
	slices.SortStableFunc(out.Lots, func(x, y LotSale) int {
		if (x.AcquiredOn == 0) != (y.AcquiredOn == 0) {
			return cmp.Compare(y.AcquiredOn, x.AcquiredOn)
		}
		return cmp.Compare(x.AcquiredOn, y.AcquiredOn)
	})
}

// lot reads off a lot what the day makes of it.
func (a *assessing) lot(l *fund.Lot) LotSale {
	p := a.Sell.Product
	s := LotSale{AcquiredOn: l.AcquiredOn, Days: -1, Held: l.Shares, Locked: p.Terms.LockupDays > 0}
	if l.AcquiredOn == 0 {
		_, s.Rate, _ = p.Fees.ExitRates(0, longestHolding)
		return s
	}
	s.Days = int32(a.On.DaysSince(l.AcquiredOn))
	s.Rate = p.Fees.ExitRate(s.Days)
	if s.Locked = s.Days < p.Terms.LockupDays; s.Locked {
		s.FreeOn = l.AcquiredOn.AddDays(int(p.Terms.LockupDays))
	}
	return s
}

// takeLots sells the lots in their order: as many shares as were asked for, else as many as
// the purchase needs, else all.
func (a *assessing) takeLots() {
	out := a.out
	shares, amount := a.Sell.Shares, a.Buy.Amount
	for i := range out.Lots {
		l := &out.Lots[i]
		switch {
		case l.Locked:
			out.Gaps |= InLockup
			out.Sold.Locked += l.Held
		case a.Sell.Shares > 0:
			l.Shares = min(shares, l.Held)
			shares -= l.Shares
		case a.Buy.Amount > 0:
			l.Shares = a.enough(l, amount)
			if value, ok := l.Shares.Worth(a.Sell.UnitNAV); ok {
				amount = max(0, amount-value+l.Rate.Of(value))
			}
		default:
			l.Shares = l.Held
		}
		a.price(l)
	}
	if out.Sold.Shares == 0 {
		out.Gaps |= NoLots
	}
	switch {
	case shares > 0:
		out.Gaps |= TooFew
		out.Sold.Short = shares
	case a.Sell.Shares == 0 && amount > 0:
		out.Gaps |= TooFew
	}
}

// enough is the least number of a lot's shares whose sale pays an amount, or all of them.
// Without a value it is all.
func (a *assessing) enough(l *LotSale, amount fund.Money) fund.Shares {
	if amount <= 0 {
		return 0
	}
	pays := func(n fund.Shares) bool {
		value, ok := n.Worth(a.Sell.UnitNAV)
		return ok && value-l.Rate.Of(value) >= amount
	}
	if !pays(l.Held) {
		return l.Held
	}
	few, many := fund.Shares(0), (l.Held+shareStep-1)/shareStep
	for many-few > 1 {
		if mid := few + (many-few)/2; pays(mid * shareStep) {
			many = mid
		} else {
			few = mid
		}
	}
	return min(many*shareStep, l.Held)
}

// price says what the sold shares of a lot are worth and cost to sell, now and at the next
// step that is cheaper.
func (a *assessing) price(l *LotSale) {
	if l.Shares == 0 {
		return
	}
	a.out.Sold.Shares += l.Shares
	value, ok := l.Shares.Worth(a.Sell.UnitNAV)
	if !ok {
		a.out.Gaps |= NoNAV
		return
	}
	l.Value, l.Fee = value, l.Rate.Of(value)
	if l.Days < 0 {
		a.out.Gaps |= NoLotDay
		return
	}
	l.Next = a.next(l)
}

// next finds the next step of the ladder that is cheaper than the lot's own.
func (a *assessing) next(l *LotSale) Step {
	from := int32(0)
	for _, t := range a.Sell.Product.Fees.Redemption {
		if from > l.Days && t.Rate < l.Rate {
			return Step{On: l.AcquiredOn.AddDays(int(from)), Rate: t.Rate, Fee: t.Rate.Of(l.Value)}
		}
		from = t.Below
	}
	return Step{}
}

// takePaid makes one lot of a redemption that was made. Its fee is read back from what it
// paid out, at the highest rate that its age allows.
func (a *assessing) takePaid() {
	out, paid := a.out, &a.Sell.Paid
	l := LotSale{Days: -1}
	from, to := int32(0), int32(longestHolding)
	if w := paid.Acquired; w.From != 0 && w.To != 0 && w.To <= paid.On {
		from, to = int32(paid.On.DaysSince(w.To)), int32(paid.On.DaysSince(w.From))
		l.AcquiredOn, l.Days = w.To, from
	}
	least, highest, _ := a.Sell.Product.Fees.ExitRates(from, to)
	if least != highest {
		out.Gaps |= NoLotDay
	}
	l.Rate = highest
	if paid.Proceeds <= 0 || paid.Proceeds > fund.MaxMoney {
		out.Gaps |= NoProceeds
	} else {
		l.Value = fund.GrossOf(paid.Proceeds, highest)
		l.Fee = l.Value - paid.Proceeds
	}
	out.Lots = append(out.Lots, l)
}

// sum adds the lots up.
func (a *assessing) sum() {
	s := &a.out.Sold
	for i := range a.out.Lots {
		l := &a.out.Lots[i]
		if s.Value > fund.MaxMoney-l.Value {
			a.out.Gaps |= NoNAV // more than a bank can hold: a mistake in the data
			return
		}
		s.Value += l.Value
		s.Fee += l.Fee
		if l.Shares > 0 || a.Sell.Paid.On != 0 {
			s.Youngest = l.Days // the last one sold is the youngest, or has no day
		}
	}
	s.Proceeds = s.Value - s.Fee
}
