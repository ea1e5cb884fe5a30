package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// feesCapped (F01; 公开募集证券投资基金销售费用管理规定, from 2026-01-01): no step of a public
// fund's subscription ladder, before any discount, and no service fee is above the cap of
// its class. Existing funds keep theirs until the transition ends. A ladder or fee that the
// bank did not give quarantines nothing. Parameters: subscription_bps, service_bps,
// existing_before, existing_until.
func feesCapped(e *Edition, day fund.Date) []part {
	caps := &e.feeCaps
	of := func(reason, table string, missing fund.Field, rate func(c *candidate) fund.BasisPoints, limits *[fund.Classes]fund.BasisPoints) part {
		return part{
			reason: reason, reads: []string{table, "existing_before", "existing_until"}, way: only(RemedyHeadOffice),
			speaks: func(c *candidate, _ int) bool {
				return c.isPublicFund() && !c.Missing.Has(missing) && !c.inTransition(caps.ExistingFrom, caps.ExistingUntil, day) &&
					rate(c) > limits[c.class]
			},
			facts: func(c *candidate, _ *Facts) []Fact {
				return []Fact{{"class", c.class.String()}, {"rate_bps", itoa(rate(c))}, {"cap_bps", itoa(limits[c.class])}}
			},
		}
	}
	return []part{
		of("SUBSCRIPTION_FEE_ABOVE_CAP", "subscription_bps", fund.FieldSubscriptionLadder, highestEntryRate, &caps.Subscription),
		of("SERVICE_FEE_ABOVE_CAP", "service_bps", fund.FieldServiceFee, func(c *candidate) fund.BasisPoints { return c.Fees.Service }, &caps.Service),
	}
}

// inTransition reports whether the product is an existing fund that keeps its fees on a day.
// One without a launch day is an existing fund unless it is being launched.
func (c *candidate) inTransition(before, until, day fund.Date) bool {
	launched := c.Terms.LaunchedOn
	existing := launched != 0 && launched < before || launched == 0 && c.Listing.Status != fund.Subscription
	return existing && day < until
}

// highestEntryRate is the highest step of the subscription ladder. A fixed fee is a rate on
// the least amount that pays it, rounded up; without a known least amount there is nothing
// to hold it against.
func highestEntryRate(c *candidate) fund.BasisPoints {
	highest, least := fund.BasisPoints(0), c.Terms.MinPurchase
	for _, t := range c.Fees.Subscription {
		rate := t.Rate
		if net := least - t.Fixed; t.Fixed > 0 && least > 0 {
			rate = fund.MaxRate
			if t.Fixed < net { // then neither is above half of fund.MaxMoney, and nothing overflows
				rate = fund.BasisPoints(min(int64(fund.MaxRate), (int64(t.Fixed)*10_000+int64(net)-1)/int64(net)))
			}
		}
		highest, least = max(highest, rate), max(least, t.Below)
	}
	return highest
}

// exitFeesKept (F02; the same rules): for every day in a floor's range a public fund charges
// at least the floor at redemption. Money market funds are exempt, and the exempt classes
// from exempt_after_days on. Existing funds keep theirs until the transition ends; a ladder
// that the bank did not give quarantines nothing. Parameters: floors, exempt_after_days,
// exempt_classes, existing_before, existing_until.
func exitFeesKept(e *Edition, day fund.Date) []part {
	floors := &e.exitFloors
	return []part{{
		reason: "EXIT_FEE_BELOW_FLOOR", way: only(RemedyHeadOffice),
		reads: []string{"floors", "exempt_after_days", "exempt_classes", "existing_before", "existing_until"},
		speaks: func(c *candidate, _ int) bool {
			if !c.isPublicFund() || c.inTransition(floors.ExistingFrom, floors.ExistingUntil, day) {
				return false
			}
			_, breaks := floors.breach(c)
			return breaks
		},
		facts: func(c *candidate, _ *Facts) []Fact {
			b, _ := floors.breach(c)
			return []Fact{{"held_days", itoa(b.days)}, {"rate_bps", itoa(b.rate)}, {"floor_bps", itoa(b.floor)}}
		},
	}}
}

// breach is the first day held on which a ladder charges less than it must.
type breach struct {
	days        int32
	rate, floor fund.BasisPoints
}

// breach holds every step of the ladder against every floor: both are spans of days, so no
// day is left out between them. What lies beyond the last step is free.
func (f *exitFloors) breach(c *candidate) (breach, bool) {
	if c.class == fund.MoneyMarket || c.Missing.Has(fund.FieldRedemptionLadder) || len(c.Fees.Redemption) == 0 {
		return breach{}, false
	}
	from := int32(0)
	for _, floor := range f.Floors {
		until := floor.Below
		if f.Exempt[c.class] {
			until = min(until, f.ExemptDays)
		}
		if days, rate, ok := firstBelow(c.Fees.Redemption, from, until, floor.Rate); ok {
			return breach{days, rate, floor.Rate}, true
		}
		from = floor.Below
	}
	return breach{}, false
}

// firstBelow finds the first day in [from, until) on which a ladder charges less than least.
func firstBelow(ladder []fund.RedemptionTier, from, until int32, least fund.BasisPoints) (int32, fund.BasisPoints, bool) {
	day := from
	for _, t := range ladder {
		if day >= until {
			return 0, 0, false
		}
		if t.Below != 0 && t.Below <= day {
			continue
		}
		if t.Rate < least {
			return day, t.Rate, true
		}
		if t.Below == 0 {
			return 0, 0, false
		}
		day = t.Below
	}
	return day, 0, day < until && least > 0
}
