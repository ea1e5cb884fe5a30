package switching

import "github.com/fundmatch/fundmatch/matcher/fund"

// Assess says what a switch costs and what it brings, into out. It reads no clock and
// forecasts nothing: over the horizon the price is taken as if it did not move (S06).
func Assess(c *Case, out *Assessment) {
	*out = Assessment{BreakEven: -1, Lots: out.Lots[:0], Classes: out.Classes[:0], Leaving: out.Leaving[:0]}
	a := assessing{Case: c, out: out}
	a.sell()
	a.buy()
	a.move()
	if out.Gaps&unknowable == 0 {
		a.compare()
	}
	a.settle()
	a.lookBack()
}

// assessing is one assessment while it goes on. It lives on the stack.
type assessing struct {
	*Case
	out *Assessment
}

// buy computes what the amount costs in every class, held to the horizon.
func (a *assessing) buy() {
	out := a.out
	if out.Amount = a.Buy.Amount; out.Amount <= 0 {
		out.Amount = out.Sold.Proceeds
	}
	if a.HorizonDays <= 0 {
		out.Gaps |= NoHorizon
	}
	for i, p := range a.Buy.Classes {
		o := Option{Code: p.Code, ShareClass: p.ShareClass, OK: buyingKnown(p) && a.HorizonDays > 0 && out.Amount > 0}
		if o.OK {
			o.Cost = p.Fees.CostOf(out.Amount, a.HorizonDays, a.ServiceLimit.For(p.Class()))
		}
		if i == 0 && !buyingKnown(p) {
			out.Gaps |= NoNewFees
		}
		out.Classes = append(out.Classes, o)
	}
	if len(a.Buy.Classes) == 0 {
		out.Gaps |= NoNewFees
	}
}

// buyingKnown reports whether every fee of a purchase is known.
func buyingKnown(p *fund.Product) bool {
	const needed = 1<<fund.FieldSubscriptionLadder | 1<<fund.FieldRedemptionLadder
	return p.Missing&needed == 0 && len(p.Fees.Subscription) > 0 && len(p.Fees.Redemption) > 0 && runningKnown(p)
}

// runningKnown reports whether what runs every day is known.
func runningKnown(p *fund.Product) bool {
	return !p.Missing.Has(fund.FieldManagementFee) && !p.Missing.Has(fund.FieldServiceFee)
}

// move fills the money that comes to work in the new fund with the lots that it comes out
// of, in the order of the sale: both funds are compared on the same money. What is left over
// went to the fees, or was not bought for.
func (a *assessing) move() {
	out := a.out
	if !runningKnown(a.Sell.Product) {
		out.Gaps |= NoOldFees
	}
	if out.Gaps&unknowable != 0 {
		return
	}
	entry := a.new().Fees.EntryFee(out.Amount)
	out.Moved = max(0, min(out.Amount, out.Sold.Proceeds)-entry)
	rest := out.Moved
	for i := range out.Lots {
		l := &out.Lots[i]
		l.Moved = min(rest, l.Value)
		rest -= l.Moved
	}
}

// new is the class that the money goes into.
func (a *assessing) new() *fund.Product { return a.Buy.Classes[0] }

// compare weighs what is certain over the horizon.
func (a *assessing) compare() {
	out, h := a.out, a.HorizonDays
	out.Cost = Cost{OK: true, Exit: out.Sold.Fee, Entry: a.new().Fees.EntryFee(out.Amount), Lost: a.lost(h)}
	saved := a.saved(h)
	out.Cost.Running, out.Benefit.Running = max(0, -saved), max(0, saved)
	out.Benefit.YearOld, out.Benefit.YearNew = a.oldRunning(daysInYear), a.newRunning(daysInYear)
	out.Benefit.Mismatch, out.Benefit.Concentration = a.curesMismatch(), a.curesConcentration()
	a.leave(0)
	for _, t := range a.new().Fees.Redemption {
		if t.Below > 0 && t.Below < h {
			a.leave(t.Below)
		}
	}
	a.leave(h)
	out.BreakEven = a.breakEven()
}

// daysInYear is the day count of accrued fees.
const daysInYear = 365

// leave notes what leaving costs so many days after the switch.
func (a *assessing) leave(days int32) {
	a.out.Leaving = append(a.out.Leaving, Leaving{Days: days, New: a.newExit(days), Old: a.oldExit(days)})
}

// lost is by how much leaving after so many days costs more than it would have without the
// switch: the progress of the lots on the exit ladder begins anew.
func (a *assessing) lost(days int32) fund.Money { return max(0, a.newExit(days)-a.oldExit(days)) }

// newExit is what leaving the new fund costs after so many days.
func (a *assessing) newExit(days int32) fund.Money {
	return a.new().Fees.ExitFee(a.out.Moved, days)
}

// oldExit is what leaving the old fund would have cost on the same day. A lot without a day
// counts at the least rate that it could have: nothing that is not known may be in favour.
func (a *assessing) oldExit(days int32) (sum fund.Money) {
	fees := &a.Sell.Product.Fees
	for i := range a.out.Lots {
		l := &a.out.Lots[i]
		if l.Days >= 0 {
			sum += fees.ExitFee(l.Moved, l.Days+days)
			continue
		}
		least, _, _ := fees.ExitRates(days, longestHolding)
		sum += least.Of(l.Moved)
	}
	return sum
}

// saved is by how much the running fees of so many days are lower in the new fund.
func (a *assessing) saved(days int32) fund.Money { return a.oldRunning(days) - a.newRunning(days) }

func (a *assessing) newRunning(days int32) fund.Money {
	p, moved := a.new(), a.out.Moved
	bearing := a.ServiceLimit.For(p.Class()).Bearing(days)
	return fund.Accrue(moved, p.Fees.Management+p.Fees.Custody, days) + fund.Accrue(moved, p.Fees.Service, bearing)
}

// oldRunning is what the same money would bear in the old fund. Each lot bears a service fee
// only for the rest of its own days (F03); one without a day none, where there is a limit.
func (a *assessing) oldRunning(days int32) fund.Money {
	p := a.Sell.Product
	limit := a.ServiceLimit.For(p.Class())
	sum := fund.Accrue(a.out.Moved, p.Fees.Management+p.Fees.Custody, days)
	if p.Fees.Service == 0 {
		return sum
	}
	for i := range a.out.Lots {
		l := &a.out.Lots[i]
		bearing := limit.Bearing(l.Days+days) - limit.Bearing(l.Days)
		if limit > 0 && l.Days < 0 {
			bearing = 0
		}
		sum += fund.Accrue(l.Moved, p.Fees.Service, bearing)
	}
	return sum
}

// settle says what the sums come to.
func (a *assessing) settle() {
	out := a.out
	switch {
	case a.Sell.Product.Class() == fund.MoneyMarket:
		out.Verdict = NoSwitch
	case !out.Cost.OK:
		out.Verdict = CostUnknown
	case out.Benefit.Running > out.Cost.Total():
		out.Verdict = Pays
	case out.Benefit.Mismatch || out.Benefit.Concentration:
		out.Verdict = Cures
	default:
		out.Verdict = CostsMore
	}
}
