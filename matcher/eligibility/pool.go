package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// inPool (C02; 代销办法 8, 28): only head office's pool, in the product's period, with due
// diligence on file, not suspended; directly sold private funds never. No parameters.
func inPool(_ *Edition, day fund.Date) []part {
	of := func(reason string, way wayOut, speaks func(c *candidate) bool, facts func(c *candidate, f *Facts) []Fact) part {
		return part{reason: reason, way: way, facts: facts, speaks: func(c *candidate, _ int) bool { return speaks(c) }}
	}
	period := func(c *candidate, _ *Facts) []Fact {
		return []Fact{{"pool_from", c.Listing.PoolFrom.String()}, {"pool_to", c.Listing.PoolTo.String()}}
	}
	headOffice := only(RemedyHeadOffice)
	return []part{
		of("NOT_YET_IN_POOL", wait(func(c *candidate, _ *Facts) fund.Date { return c.Listing.PoolFrom }),
			func(c *candidate) bool { return day < c.Listing.PoolFrom }, period),
		of("NO_LONGER_IN_POOL", headOffice,
			func(c *candidate) bool { return c.Listing.PoolTo != 0 && day >= c.Listing.PoolTo }, period),
		of("DUE_DILIGENCE_MISSING", headOffice, func(c *candidate) bool { return c.Listing.DueDiligenceID == "" },
			func(c *candidate, _ *Facts) []Fact { return []Fact{{"due_diligence_id", c.Listing.DueDiligenceID}} }),
		of("PRIVATE_FUND", only(RemedyNone), func(c *candidate) bool { return c.Listing.Kind == fund.PrivateFund }, kindFacts),
		of("SUSPENDED", headOffice, func(c *candidate) bool { return c.Listing.Status == fund.Suspended }, statusFacts),
	}
}

// tradable (G01): a known status that takes orders; no closed period. A launch takes
// orders before its closed period begins. Where the next opening is later, the order is
// accepted for that day, and it is said. Minimum, day limit and cutoff belong to the order.
// No parameters.
func tradable(_ *Edition, day fund.Date) []part {
	isClosed := func(c *candidate, _ int) bool {
		s := c.Listing.Status
		return s != fund.Subscription && s != fund.Open && s != fund.Limited && s != fund.Suspended
	}
	inClosedPeriod := func(c *candidate, _ int) bool {
		return c.Terms.ClosedUntil > day && c.Listing.Status != fund.Subscription
	}
	return []part{
		{
			reason: "NOT_TRADABLE", speaks: isClosed, way: only(RemedyHeadOffice),
			facts: statusFacts,
		},
		{
			reason: "CLOSED_PERIOD", speaks: inClosedPeriod,
			facts: func(c *candidate, _ *Facts) []Fact { return []Fact{{"closed_until", c.Terms.ClosedUntil.String()}} },
			way:   wait(func(c *candidate, _ *Facts) fund.Date { return c.Terms.ClosedUntil }),
		},
		part{
			reason: "NEXT_OPEN_LATER",
			speaks: func(c *candidate, _ int) bool { return c.Terms.NextOpenOn > day },
			facts:  func(c *candidate, _ *Facts) []Fact { return []Fact{{"next_open_on", c.Terms.NextOpenOn.String()}} },
			way:    wait(func(c *candidate, _ *Facts) fund.Date { return c.Terms.NextOpenOn }),
		}.says(Disclose),
	}
}

func statusFacts(c *candidate, _ *Facts) []Fact { return []Fact{{"status", c.Listing.Status.String()}} }
