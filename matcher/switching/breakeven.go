package switching

import (
	"sort"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// breakEven returns the first day on which the running fees saved since the switch are above
// all that it has cost by then, or -1.
func (a *assessing) breakEven() int32 {
	most := a.mostSaved()
	if most <= 0 {
		return -1 // what rounding alone leaves over is no saving
	}
	fixed := a.out.Cost.Exit + a.out.Cost.Entry
	// Before this day not even the most that could be saved is enough; the parts are rounded
	// one by one, a lot at most half a fen.
	slack := fund.Money(len(a.out.Lots)) + 2
	first := sort.Search(longestHolding, func(d int) bool {
		return fund.Accrue(a.out.Moved, most, int32(d))+slack > fixed
	})
	end := a.lastStep()
	if a.savedForGood() > 0 {
		end = longestHolding
	}
	for d := max(int32(first), 1); d <= end; d++ {
		if a.saved(d) > fixed+a.lost(d) {
			return d
		}
	}
	return -1
}

// mostSaved is the highest rate at which fees can be saved on any day.
func (a *assessing) mostSaved() fund.BasisPoints {
	return a.fixedSaved() + max(0, a.Sell.Product.Fees.Service)
}

// fixedSaved is the rate of what does not depend on how long the shares were held.
func (a *assessing) fixedSaved() fund.BasisPoints {
	o, n := &a.Sell.Product.Fees, &a.new().Fees
	return o.Management + o.Custody - n.Management - n.Custody
}

// savedForGood is the rate at which fees are saved after the last step.
func (a *assessing) savedForGood() fund.BasisPoints {
	rate := a.fixedSaved()
	if a.ServiceLimit.For(a.Sell.Product.Class()) == 0 {
		rate += a.Sell.Product.Fees.Service
	}
	if a.ServiceLimit.For(a.new().Class()) == 0 {
		rate -= a.new().Fees.Service
	}
	return rate
}

// lastStep is the day after which no fee steps any more.
func (a *assessing) lastStep() int32 {
	last := int32(a.ServiceLimit)
	for _, ladder := range [...][]fund.RedemptionTier{a.Sell.Product.Fees.Redemption, a.new().Fees.Redemption} {
		for _, t := range ladder {
			last = max(last, t.Below)
		}
	}
	return min(last, longestHolding)
}
