package conversion_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestAmount(t *testing.T) {
	for name, c := range map[string]struct {
		aum, minimum, limit fund.Money
		need                fund.Need
		held                fund.Money
		want                fund.Money
		affords             bool
	}{
		"a twentieth, down to 100 yuan":          {12_345_678, 1_000, 0, fund.NeedLow, 0, 610_000, true},
		"three quarters of it: some months":      {12_345_678, 1_000, 0, fund.NeedMedium, 0, 460_000, true},
		"three quarters of it: need unknown":     {12_345_678, 1_000, 0, fund.NeedUnknown, 0, 460_000, true},
		"half of it: at any time":                {12_345_678, 1_000, 0, fund.NeedHigh, 0, 300_000, true},
		"at least the minimum":                   {10_000_000, 1_000_000, 0, fund.NeedHigh, 0, 1_000_000, true},
		"the minimum at a fifth":                 {10_000_000, 2_000_000, 0, fund.NeedLow, 0, 2_000_000, true},
		"the minimum above a fifth":              {10_000_000, 2_000_001, 0, fund.NeedLow, 0, 0, false},
		"the minimum at what is left":            {10_000_000, 1_500_000, 0, fund.NeedLow, 500_000, 1_500_000, true},
		"the minimum above what is left":         {10_000_000, 1_500_000, 0, fund.NeedLow, 500_001, 0, false},
		"what is left is below the share":        {10_000_000, 0, 0, fund.NeedLow, 1_710_000, 290_000, true},
		"nothing is left":                        {10_000_000, 0, 0, fund.NeedLow, 2_000_000, 0, true},
		"he has more than a fifth already":       {10_000_000, 0, 0, fund.NeedLow, 9_000_000, 0, true},
		"half of the day limit":                  {1_000_000_000, 1_000, 70_000, fund.NeedLow, 0, 30_000, true},
		"a minimum near the day limit":           {1_000_000_000, 60_000, 70_000, fund.NeedLow, 0, 60_000, true},
		"a minimum above the day limit":          {1_000_000_000, 80_000, 70_000, fund.NeedLow, 0, 70_000, true},
		"assets unknown: the minimum":            {0, 100_000_000, 0, fund.NeedLow, 0, 100_000_000, true},
		"assets unknown, a holding: the minimum": {0, 1_000, 0, fund.NeedLow, 5_000, 1_000, true},
		"assets and minimum unknown":             {0, 0, 0, fund.NeedLow, 0, 0, true},
		"hardly any assets":                      {90_000, 0, 0, fund.NeedLow, 0, 0, true},
	} {
		p := &fund.Product{Terms: fund.Terms{MinPurchase: c.minimum, DayLimit: c.limit}}
		m := conversion.Means{AUM: c.aum, Share: 500, MaxShare: 2000, Rounding: 10_000, Need: c.need, Held: c.held}
		minimum, suggested, maximum := m.Amount(p)
		if minimum != c.minimum || suggested != c.want || maximum != c.limit || m.Affords(p) != c.affords {
			t.Errorf("%s: %d of %d to %d, affords %v; want %d, %v", name, suggested, minimum, maximum, m.Affords(p), c.want, c.affords)
		}
	}
}

// A suggestion is nothing, or between the minimum and the day limit; with what he has of
// the fund it is never more than a fifth of his assets (K04); and a sooner need never
// makes it larger.
func TestAmountKeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		money := func(name string) fund.Money {
			return fund.Money(rapid.Int64Range(0, int64(fund.MaxMoney)).Draw(t, name))
		}
		p := &fund.Product{Terms: fund.Terms{MinPurchase: money("min"), DayLimit: money("limit")}}
		m := conversion.Means{AUM: money("aum"), Share: 500, MaxShare: 2000, Rounding: 10_000, Held: money("held")}
		least := fund.MaxMoney
		for _, need := range []fund.Need{fund.NeedLow, fund.NeedMedium, fund.NeedHigh} {
			m.Need = need
			minimum, suggested, limit := m.Amount(p)
			if limit > 0 && suggested > limit || suggested < 0 || suggested > 0 && suggested < min(minimum, limit) {
				t.Fatalf("%d fen, minimum %d, limit %d", suggested, minimum, limit)
			}
			if m.AUM > 0 && suggested > 0 && suggested+m.Held > m.AUM/5 {
				t.Fatalf("%d fen beside %d of %d", suggested, m.Held, m.AUM)
			}
			if suggested > least {
				t.Fatalf("need %s: %d fen, more than %d with less of a need", need, suggested, least)
			}
			least = suggested
		}
	})
}

// A plan for whom, in what, and of how much.
func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *conversion.Case)
		want   fund.Money // of each part; -1: no plan
	}{
		"a tenth of a month's 10,000 yuan":   {nil, 100_000},
		"he does not hesitate":               {func(c *conversion.Case) { c.Thread.Hesitant = false }, -1},
		"a month short of three years":       {func(c *conversion.Case) { c.Person.HorizonMonths = plans.Months - 1 }, -1},
		"the bank asks for a month more":     {func(c *conversion.Case) { c.Plans.Months++ }, -1},
		"the bank asks for a month less":     {func(c *conversion.Case) { c.Plans.Months--; c.Person.HorizonMonths = plans.Months - 1 }, 100_000},
		"the bank takes a twentieth":         {func(c *conversion.Case) { c.Plans.Share = 500 }, 50_000},
		"the bank offers no plans":           {func(c *conversion.Case) { c.Plans = conversion.PlanLimits{} }, -1},
		"horizon unknown":                    {func(c *conversion.Case) { c.Person.HorizonMonths = 0 }, -1},
		"a company":                          {func(c *conversion.Case) { c.Person.Company = true }, -1},
		"a balanced fund":                    {func(c *conversion.Case) { c.Class = fund.Balanced }, 100_000},
		"a bond fund hardly swings":          {func(c *conversion.Case) { c.Class = fund.Bond }, -1},
		"a money fund does not":              {func(c *conversion.Case) { c.Class = fund.MoneyMarket }, -1},
		"class unknown":                      {func(c *conversion.Case) { c.Class = fund.ClassUnknown }, -1},
		"limited, but open":                  {func(c *conversion.Case) { c.Product.Listing.Status = fund.Limited }, 100_000},
		"in its launch":                      {func(c *conversion.Case) { c.Product.Listing.Status = fund.Subscription }, -1},
		"status unknown":                     {func(c *conversion.Case) { c.Product.Listing.Status = fund.StatusUnknown }, -1},
		"a day of lockup":                    {func(c *conversion.Case) { c.Product.Terms.LockupDays = 1 }, -1},
		"closed until tomorrow":              {func(c *conversion.Case) { c.Product.Terms.ClosedUntil = 20240307 }, -1},
		"closed until today":                 {func(c *conversion.Case) { c.Product.Terms.ClosedUntil = 20240306 }, 100_000},
		"opens tomorrow":                     {func(c *conversion.Case) { c.Product.Terms.NextOpenOn = 20240307 }, -1},
		"a public fund":                      {func(c *conversion.Case) { c.Product.Listing.Kind = fund.PublicFund }, 100_000},
		"a product of the bank's own":        {func(c *conversion.Case) { c.Product.Listing.Kind = fund.OwnProduct }, -1},
		"down to whole hundreds of yuan":     {func(c *conversion.Case) { c.Person.Income = 13_100_000 }, 100_000},
		"below a hundred: the minimum":       {func(c *conversion.Case) { c.Person.Income = 600_000 }, 1_000},
		"the minimum is all of it":           {func(c *conversion.Case) { c.Product.Terms.MinPurchase = 100_000 }, 100_000},
		"the minimum is a fen above it":      {func(c *conversion.Case) { c.Product.Terms.MinPurchase = 100_001 }, -1},
		"income unknown: the minimum":        {func(c *conversion.Case) { c.Person.Income = 0 }, 1_000},
		"income and minimum unknown":         {func(c *conversion.Case) { c.Person.Income, c.Product.Terms.MinPurchase = 0, 0 }, 0},
		"no more than suits as one":          {func(c *conversion.Case) { c.Quote.Suggested = 50_000 }, 50_000},
		"nothing is suggested as one":        {func(c *conversion.Case) { c.Quote.Suggested = 0 }, 100_000},
		"at most half of the day limit":      {func(c *conversion.Case) { c.Product.Terms.DayLimit, c.Quote.Max = 100_000, 100_000 }, 50_000},
		"the minimum is beyond his means":    {func(c *conversion.Case) { c.Person.Affordable = false }, -1},
		"a question comes first":             {func(c *conversion.Case) { c.Person.Question = "GOAL" }, -1},
		"an elder in the app is talked to":   {func(c *conversion.Case) { c.Person.Elder = true }, -1},
		"he put it off to a day yet to come": {func(c *conversion.Case) { c.Thread.NotNowUntil = 20240401 }, -1},
	} {
		in := buyable(t)
		hesitant(c.change)(&in)
		got, _ := conversion.Decide(&in, nil)
		is := got.Action == conversion.Plan
		if is != (c.want >= 0) || is && got.Plan != (conversion.PlanTerms{Cadence: conversion.Monthly, Amount: c.want}) || !is && got.Plan != (conversion.PlanTerms{}) {
			t.Errorf("%s: %s %+v, want parts of %d", name, got.Action, got.Plan, c.want)
		}
	}
	if conversion.Monthly.String() != "MONTHLY" || conversion.NoPlan.String() != "" {
		t.Error("the cadences have other codes")
	}
}
