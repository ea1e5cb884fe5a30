package switching_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/switching"
)

// The day on which a step of the ladder ends, to the day: 29 February included.
func TestExitStepsByDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		acquired, on string
		days         int32
		rate         fund.BasisPoints
		next         string
		nextRate     fund.BasisPoints
	}{
		{"2026-11-23", "2026-11-23", 0, 150, "2026-11-30", 100},
		{"2026-11-17", "2026-11-23", 6, 150, "2026-11-24", 100},
		{"2026-11-16", "2026-11-23", 7, 100, "2026-12-16", 50},
		{"2026-10-25", "2026-11-23", 29, 100, "2026-11-24", 50},
		{"2026-10-24", "2026-11-23", 30, 50, "2027-04-22", 25},
		{"2026-05-28", "2026-11-23", 179, 50, "2026-11-24", 25},
		{"2026-05-27", "2026-11-23", 180, 25, "2028-05-26", 0},
		{"2024-11-24", "2026-11-23", 729, 25, "2026-11-24", 0},
		{"2024-11-23", "2026-11-23", 730, 0, "", 0},
		{"2028-02-23", "2028-02-29", 6, 150, "2028-03-01", 100}, // the seventh day is 1 March of a leap year
		{"2028-02-23", "2028-03-01", 7, 100, "2028-03-24", 50},
		{"2028-02-29", "2028-03-06", 6, 150, "2028-03-07", 100},
		{"2028-02-29", "2028-03-07", 7, 100, "2028-03-30", 50},
		{"2027-02-22", "2027-03-01", 7, 100, "2027-03-24", 50}, // no 29 February
	} {
		k := plain(t)
		k.Sell.Product.Fees = fees(t, ":80", 90, long, 140, 0)
		k.Sell.Lots[0].AcquiredOn, k.On = day(t, c.acquired), day(t, c.on)
		l := assess(&k).Lots[0]
		if l.Days != c.days || l.Rate != c.rate || l.Fee != c.rate.Of(1_000_000) || l.Next.On.String() != c.next || l.Next.Rate != c.nextRate {
			t.Errorf("%s to %s: %d days, rate %d, fee %d, next %s at %d; want %+v", c.acquired, c.on, l.Days, l.Rate, l.Fee, l.Next.On, l.Next.Rate, c)
		}
	}
}

// The next step is one that lies ahead and is cheaper, not the next line of the ladder.
func TestTheNextStepIsCheaper(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ladder, acquired string
		want             switching.Step
	}{
		"a line of the same rate":    {"7:150;30:150;:0", "2026-11-23", switching.Step{On: day(t, "2026-12-23")}},
		"cheaper before, then dear":  {"7:100;30:0;180:50;:0", "2026-10-14", switching.Step{On: day(t, "2027-04-12")}},
		"dearer ahead, then cheaper": {"7:50;30:100;:20", "2026-11-23", switching.Step{On: day(t, "2026-12-23"), Rate: 20, Fee: 2_000}},
		"the last line":              {"7:50;:20", "2026-11-16", switching.Step{}},
		"no line but one":            {":20", "2026-11-23", switching.Step{}},
	} {
		k := plain(t)
		k.Sell.Product.Fees = fees(t, ":80", 90, c.ladder, 140, 0)
		k.Sell.Lots[0].AcquiredOn = day(t, c.acquired)
		if got := assess(&k).Lots[0].Next; got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// A half fen is rounded up, in each lot once, and on the NAV's decimals.
func TestRoundingOfLots(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		shares fund.Shares
		nav    float64
		value  fund.Money
		fee    fund.Money // at 1.5 %
	}{
		{10_000, 1.005, 101, 2}, // 100.5 fen; as a float below it
		{10_000, 1.0049, 100, 2},
		{10_000, 0.3333, 33, 0}, // .495 fen of fee
		{10_000, 0.335, 34, 1},  // .51
		{10_000, 1.0, 100, 2},   // 1.5 fen
		{1, 1, 0, 0},
		{50, 1, 1, 0},
		{123_456_789, 2.7182, 3_355_802, 50_337},
	} {
		k := plain(t)
		k.Sell.UnitNAV, k.Sell.Lots[0].Shares, k.Sell.Lots[0].AcquiredOn = c.nav, c.shares, k.On
		if l := assess(&k).Lots[0]; l.Value != c.value || l.Fee != c.fee {
			t.Errorf("%d ten-thousandths at %v: value %d, fee %d; want %d, %d", c.shares, c.nav, l.Value, l.Fee, c.value, c.fee)
		}
	}
}

// Which lots are sold: first in first out, those without a day last, those in lockup never.
func TestWhichLotsAreSold(t *testing.T) {
	t.Parallel()
	lots := []fund.Lot{
		{ProductCode: "OLD", Shares: 10_000_000},                                      // no day
		{ProductCode: "OLD", Shares: 20_000_000, AcquiredOn: day(t, "2026-11-03")},    // 20 days: 1 %
		{ProductCode: "OLD", Shares: 30_000_000, AcquiredOn: day(t, "2025-01-02")},    // free
		{ProductCode: "OTHER", Shares: 900_000_000, AcquiredOn: day(t, "2025-01-01")}, // another product
		{ProductCode: "OLD", Shares: 900_000_000, AcquiredOn: day(t, "2026-11-24")},   // not there yet
		{ProductCode: "OLD", AcquiredOn: day(t, "2024-01-01")},                        // empty
		{ProductCode: "OLD", Shares: 20_000_000, AcquiredOn: day(t, "2026-06-27")},    // 149 days: .5 %
	}
	for name, c := range map[string]struct {
		shares fund.Shares
		amount fund.Money
		lockup int32
		sold   []fund.Shares // by age
		gaps   switching.Gaps
		fee    fund.Money
	}{
		"all":                     {sold: []fund.Shares{30_000_000, 20_000_000, 20_000_000, 10_000_000}, gaps: switching.NoLotDay, fee: 1_000 + 2_000 + 1_500},
		"the first lot's":         {shares: 30_000_000, sold: []fund.Shares{30_000_000, 0, 0, 0}},
		"a share more":            {shares: 30_010_000, sold: []fund.Shares{30_000_000, 10_000, 0, 0}, fee: 1},
		"all but a share":         {shares: 79_990_000, sold: []fund.Shares{30_000_000, 20_000_000, 20_000_000, 9_990_000}, gaps: switching.NoLotDay, fee: 1_000 + 2_000 + 1_499},
		"more than he has":        {shares: 80_000_001, sold: []fund.Shares{30_000_000, 20_000_000, 20_000_000, 10_000_000}, gaps: switching.NoLotDay | switching.TooFew, fee: 4_500},
		"an amount":               {amount: 300_000, sold: []fund.Shares{30_000_000, 0, 0, 0}},
		"a fen more":              {amount: 300_001, sold: []fund.Shares{30_000_000, 100, 0, 0}},
		"with its fee":            {amount: 499_000, sold: []fund.Shares{30_000_000, 20_000_000, 0, 0}, fee: 1_000},
		"a fee's fen more":        {amount: 499_001, sold: []fund.Shares{30_000_000, 20_000_000, 100, 0}, fee: 1_000},
		"more than it brings":     {amount: 900_000, sold: []fund.Shares{30_000_000, 20_000_000, 20_000_000, 10_000_000}, gaps: switching.NoLotDay | switching.TooFew, fee: 4_500},
		"locked for twenty days":  {lockup: 20, sold: []fund.Shares{30_000_000, 20_000_000, 20_000_000, 0}, gaps: switching.InLockup, fee: 3_000},
		"locked for a day longer": {lockup: 21, sold: []fund.Shares{30_000_000, 20_000_000, 0, 0}, gaps: switching.InLockup, fee: 1_000},
		"all of it locked":        {lockup: 4_000, sold: []fund.Shares{0, 0, 0, 0}, gaps: switching.InLockup | switching.NoLots},
		"shares and an amount":    {shares: 30_000_000, amount: 300_001, sold: []fund.Shares{30_000_000, 0, 0, 0}},
		"asked for and locked":    {shares: 80_000_000, lockup: 21, sold: []fund.Shares{30_000_000, 20_000_000, 0, 0}, gaps: switching.InLockup | switching.TooFew, fee: 1_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := plain(t)
			k.Sell.Lots, k.Sell.Shares, k.Buy.Amount, k.Sell.Product.Terms.LockupDays = lots, c.shares, c.amount, c.lockup
			a := assess(&k)
			var sold []fund.Shares
			for _, l := range a.Lots {
				sold = append(sold, l.Shares)
			}
			if diff := cmp.Diff(c.sold, sold); diff != "" || a.Gaps != c.gaps || a.Sold.Fee != c.fee {
				t.Errorf("gaps %b, want %b; fee %d, want %d; -want +got\n%s", a.Gaps, c.gaps, a.Sold.Fee, c.fee, diff)
			}
		})
	}
}

// When a locked lot is free, and that one without a day never shows it.
func TestLockup(t *testing.T) {
	t.Parallel()
	k := plain(t)
	k.Sell.Product.Terms.LockupDays = 365
	k.Sell.Lots = []fund.Lot{
		{ProductCode: "OLD", Shares: 10_000, AcquiredOn: day(t, "2025-11-24")},
		{ProductCode: "OLD", Shares: 10_000},
		{ProductCode: "OLD", Shares: 10_000, AcquiredOn: day(t, "2025-11-23")},
	}
	a := assess(&k)
	if l := a.Lots; l[0].Locked || l[0].FreeOn != 0 || !l[1].Locked || l[1].FreeOn != day(t, "2026-11-24") || !l[2].Locked || l[2].FreeOn != 0 {
		t.Errorf("%+v", l)
	}
	if a.Sold.Shares != 10_000 || a.Sold.Locked != 20_000 || a.Sold.Youngest != 365 {
		t.Errorf("%+v", a.Sold)
	}
}

// The entry ladder to the fen: the step by the gross amount, fixed fees, the discount.
func TestEntryFees(t *testing.T) {
	t.Parallel()
	const ladder = "100000000:80;500000000:50;:100000f"
	for _, c := range []struct {
		amount   fund.Money
		discount int32
		want     fund.Money
	}{
		{1_000_000, 0, 7_937},
		{1_000_000, 90, 799},
		{1_000_000, 100, 0},
		{99_999_999, 0, 793_651},
		{100_000_000, 0, 497_512},
		{499_999_999, 0, 2_487_562},
		{500_000_000, 0, 100_000},
		{500_000_000, 90, 10_000},
		{500_000_001, 0, 100_000},
	} {
		k := plain(t)
		k.Sell.Lots[0].Shares = 60_000_000_000
		k.Buy.Amount, k.Buy.Classes[0].Fees = c.amount, fees(t, ladder, c.discount, steps, 140, 0)
		if a := assess(&k); a.Cost.Entry != c.want || a.Moved != c.amount-c.want || !a.Cost.OK {
			t.Errorf("%d less %d %%: entry %d, moved %d, want %d", c.amount, c.discount, a.Cost.Entry, a.Moved, c.want)
		}
	}
}

// Whatever is not known leaves the cost unknown, and nothing in favour of the switch.
func TestUnknownIsUnknown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*switching.Case)
		gap    switching.Gaps
	}{
		"no lots":               {func(c *switching.Case) { c.Sell.Lots = nil }, switching.NoLots},
		"no NAV":                {func(c *switching.Case) { c.Sell.UnitNAV = 0 }, switching.NoNAV},
		"a NAV beyond reason":   {func(c *switching.Case) { c.Sell.UnitNAV = 1e12 }, switching.NoNAV},
		"no exit ladder":        {func(c *switching.Case) { c.Sell.Product.Fees.Redemption = nil }, switching.NoExitFee},
		"no exit ladder named":  {func(c *switching.Case) { c.Sell.Product.Missing = 1 << fund.FieldRedemptionLadder }, switching.NoExitFee},
		"no old fee":            {func(c *switching.Case) { c.Sell.Product.Missing = 1 << fund.FieldManagementFee }, switching.NoOldFees},
		"no old service fee":    {func(c *switching.Case) { c.Sell.Product.Missing = 1 << fund.FieldServiceFee }, switching.NoOldFees},
		"an empty entry ladder": {func(c *switching.Case) { c.Buy.Classes[0].Fees.Subscription = nil }, switching.NoNewFees},
		"no entry ladder":       {func(c *switching.Case) { c.Buy.Classes[0].Missing = 1 << fund.FieldSubscriptionLadder }, switching.NoNewFees},
		"no new exit ladder":    {func(c *switching.Case) { c.Buy.Classes[0].Fees.Redemption = nil }, switching.NoNewFees},
		"no new service fee":    {func(c *switching.Case) { c.Buy.Classes[0].Missing = 1 << fund.FieldServiceFee }, switching.NoNewFees},
		"nothing bought":        {func(c *switching.Case) { c.Buy.Classes = nil }, switching.NoNewFees},
		"no horizon":            {func(c *switching.Case) { c.HorizonDays = 0 }, switching.NoHorizon},
		"no proceeds":           {func(c *switching.Case) { c.Sell.Paid.On = c.On }, switching.NoProceeds},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := plain(t)
			k.Sell.Product.Fees.Management, k.Buy.Classes[0].Fees.Management = 2_000, 0 // it would pay
			k.Suitability, k.Sell.Product.Grades.Bank, k.Buy.Classes[0].Grades.Bank = switching.Suitability{Sold: fund.R2, Bought: fund.R2}, fund.R4, fund.R2
			if a := assess(&k); a.Verdict != switching.Pays {
				t.Fatalf("before: %s", a.Verdict)
			}
			c.change(&k)
			a := assess(&k)
			if a.Verdict != switching.CostUnknown || a.Cost != (switching.Cost{}) || a.Benefit != (switching.Benefit{}) || a.BreakEven != -1 || !a.Gaps.Has(c.gap) {
				t.Errorf("%s, cost %+v, benefit %+v, gaps %b", a.Verdict, a.Cost, a.Benefit, a.Gaps)
			}
		})
	}
}

// The verdicts, each with the case that just misses it.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*switching.Case)
		want   switching.Verdict
	}{
		"the same fees":                    {func(*switching.Case) {}, switching.CostsMore},
		"a money fund is sold":             {func(c *switching.Case) { c.Sell.Product.Type = "货币型" }, switching.NoSwitch},
		"a money fund is bought":           {func(c *switching.Case) { c.Buy.Classes[0].Type = "货币型" }, switching.CostsMore},
		"of a class that is none":          {func(c *switching.Case) { c.Sell.Product.Type = "" }, switching.CostsMore},
		"a fee saved that equals the cost": {saves(800), switching.CostsMore},
		"a fee saved above the cost":       {saves(799), switching.Pays},
		"a grade above his":                {func(c *switching.Case) { grades(c, fund.R3, fund.R4, fund.R3) }, switching.Cures},
		"a grade of his":                   {func(c *switching.Case) { grades(c, fund.R3, fund.R3, fund.R3) }, switching.CostsMore},
		"from one mismatch into another":   {func(c *switching.Case) { grades(c, fund.R3, fund.R5, fund.R4) }, switching.CostsMore},
		"no level":                         {func(c *switching.Case) { grades(c, 0, fund.R5, fund.R1) }, switching.CostsMore},
		"no grade bought":                  {func(c *switching.Case) { grades(c, fund.R3, fund.R5, 0) }, switching.CostsMore},
		"no grade sold":                    {func(c *switching.Case) { grades(c, fund.R3, 0, fund.R1) }, switching.CostsMore},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := plain(t)
			c.change(&k)
			if a := assess(&k); a.Verdict != c.want || !a.Cost.OK {
				t.Errorf("%s, cost %+v, benefit %+v; want %s", a.Verdict, a.Cost, a.Benefit, c.want)
			}
		})
	}
}

// saves makes the new fund 8 basis points a year cheaper, 139.89 - 131.89 = 8.00 yuan on
// what is moved, and charges so many fen at its entry.
func saves(entry fund.Money) func(*switching.Case) {
	return func(c *switching.Case) {
		c.Buy.Classes[0].Fees.Management = 132
		c.Buy.Classes[0].Fees.Subscription, c.Buy.Classes[0].Fees.DiscountPct = []fund.SubscriptionTier{{Fixed: entry}}, 0
	}
}

func grades(c *switching.Case, highest, sold, bought fund.RiskGrade) {
	c.Suitability, c.Sell.Product.Grades.Bank, c.Buy.Classes[0].Grades.Bank = switching.Suitability{Sold: highest, Bought: highest}, sold, bought
}

// K04's percent, to the fen: too much before, no longer too much after, nothing new too much.
func TestConcentrationIsCured(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		assets fund.Money
		change func(*switching.Case)
		want   bool
	}{
		"a third of all, the limit a quarter": {assets: 3_000_000, want: true},
		"a quarter of all is not too much":    {assets: 4_000_000, change: func(c *switching.Case) { c.Portfolio.Stakes[1].Value = 0 }},
		"a fen more than a quarter":           {assets: 3_999_900, change: func(c *switching.Case) { c.Portfolio.Stakes[1].Value = 0 }, want: true},
		"not all has a value":                 {assets: 3_000_000, change: func(c *switching.Case) { c.Portfolio.Known = false }},
		"no limit in force":                   {assets: 3_000_000, change: func(c *switching.Case) { c.Portfolio.Sold, c.Portfolio.Bought = switching.Limits{}, switching.Limits{} }},
		"the rest is still too much":          {assets: 3_000_000, change: func(c *switching.Case) { c.Sell.Shares = 10_000_000 }},
		"what is bought becomes too much":     {assets: 3_000_000, change: func(c *switching.Case) { c.Portfolio.Stakes[1].Fund = "NEW" }},
		"another class of the fund":           {assets: 3_000_000, change: func(c *switching.Case) { c.Buy.Amount, c.Buy.Classes[0].ParentCode = 0, "OLD" }},
		"the issuer's, into another's":        {assets: 3_000_000, change: issuers("A", "B"), want: true},
		"the issuer's, into its own":          {assets: 3_000_000, change: issuers("A", "A")},
		"of no issuer":                        {assets: 3_000_000, change: issuers("", "B")},
		"the theme's, into another's":         {assets: 3_000_000, change: themes("chips", "wine"), want: true},
		"the theme's, into its own":           {assets: 3_000_000, change: themes("chips", "chips")},
		"of no theme":                         {assets: 3_000_000, change: themes("", "wine")},
		"the rest is a quarter to the fen":    {assets: 4_000_000, change: whatIsLeft(1_000_000), want: true},
		"the rest is a fen more":              {assets: 4_000_000, change: whatIsLeft(1_000_001)},
		"bought to a quarter, to the fen":     {assets: 4_000_000, change: boughtBefore(300_000), want: true},
		"bought to a fen more":                {assets: 4_000_000, change: boughtBefore(300_001)},
		"redeemed before":                     {assets: 2_000_000, change: redeemed, want: true},
		"redeemed before, of a quarter":       {assets: 3_000_000, change: redeemed},
		"without assets, into no issuer's": {change: func(c *switching.Case) {
			issuers("A", "")(c)
			c.Buy.Classes[0].Fees.Subscription = []fund.SubscriptionTier{{}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := plain(t)
			k.Buy.Amount = 700_000 // the rest stays in cash
			k.Portfolio = switching.Portfolio{
				Known: true, Assets: c.assets, Sold: switching.Limits{Product: 25}, Bought: switching.Limits{Product: 25},
				Stakes: []switching.Stake{{Fund: "OLD", Value: 1_000_000}, {Fund: "THIRD", Value: 500_000}},
			}
			k.Sell.Shares = 100_000_000
			if c.change != nil {
				c.change(&k)
			}
			if a := assess(&k); a.Benefit.Concentration != c.want {
				t.Errorf("cured %v, want %v", a.Benefit.Concentration, c.want)
			}
		})
	}
}

// whatIsLeft leaves so much of the fund that is sold, of 4,000,000 in all, and no entry fee.
func whatIsLeft(rest fund.Money) func(*switching.Case) {
	return func(c *switching.Case) {
		c.Buy.Classes[0].Fees.Subscription = []fund.SubscriptionTier{{}}
		c.Portfolio.Stakes[0].Value = 1_000_000 + rest
	}
}

// boughtBefore has so much of the fund that is bought; 700,000 more are bought.
func boughtBefore(value fund.Money) func(*switching.Case) {
	return func(c *switching.Case) {
		whatIsLeft(1)(c)
		c.Portfolio.Stakes[1] = switching.Stake{Fund: "NEW", Value: value}
	}
}

// redeemed has the sale behind it: 1,000,000 that are no longer among what he holds.
func redeemed(c *switching.Case) {
	c.Sell.Paid = switching.Paid{Proceeds: 1_000_000, On: c.On, Acquired: fund.Window{From: 20250102, To: 20250102}}
	c.Portfolio.Stakes = c.Portfolio.Stakes[1:]
}

func themes(sold, bought string) func(*switching.Case) {
	return func(c *switching.Case) {
		c.Portfolio.Sold, c.Portfolio.Bought = switching.Limits{Theme: 25}, switching.Limits{Theme: 25}
		if sold == bought {
			c.Buy.Amount = 0
		}
		c.Portfolio.Stakes[0].Theme = sold
		if sold != "" {
			c.Sell.Product.Content.Themes = []string{sold, "other"}
		}
		c.Buy.Classes[0].Content.Themes = []string{bought}
	}
}

func issuers(sold, bought string) func(*switching.Case) {
	return func(c *switching.Case) {
		c.Portfolio.Sold, c.Portfolio.Bought = switching.Limits{Issuer: 25}, switching.Limits{Issuer: 25}
		if sold == bought {
			c.Buy.Amount = 0
		}
		c.Sell.Product.Parties.Issuer, c.Portfolio.Stakes[0].Issuer, c.Buy.Classes[0].Parties.Issuer = sold, sold, bought
	}
}

// What a lot in a class with a service fee still bears is only the rest of its own year (F03).
func TestServiceFeeOfOldLots(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		acquired string
		limit    fund.ServiceLimit
		saved    fund.Money // of 10,000 yuan less nothing at 40 bps over 365 days
	}{
		"bought today":           {"2026-11-23", 365, 4_000},
		"held a day":             {"2026-11-22", 365, 3_989},
		"held a day to the year": {"2025-11-24", 365, 11},
		"held a year":            {"2025-11-23", 365, 0},
		"before F03":             {"2025-11-23", 0, 4_000},
		"without a day":          {"", 365, 0},
		"before F03, no day":     {"", 0, 4_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := plain(t)
			k.Sell.Product.Fees = fees(t, ":0", 0, ":0", 140, 40)
			k.Buy.Classes[0].Fees = fees(t, ":0", 0, ":0", 140, 0)
			k.Sell.Lots[0].AcquiredOn, k.ServiceLimit = day(t, c.acquired), c.limit
			if a := assess(&k); a.Benefit.Running != c.saved {
				t.Errorf("saved %d, want %d", a.Benefit.Running, c.saved)
			}
		})
	}
}

// A redemption that was made: its value is read back at the highest rate that its days allow.
func TestPaidRedemption(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to string
		value    fund.Money
		youngest int32
		gaps     switching.Gaps
	}{
		"days unknown":            {"", "", 1_000_000, -1, switching.NoLotDay},
		"all of one step":         {"2026-10-01", "2026-10-23", 989_950, 31, 0},
		"of two steps":            {"2026-01-01", "2026-10-23", 989_950, 31, switching.NoLotDay},
		"held long":               {"2024-01-01", "2026-01-01", 985_000, 326, 0},
		"bought on the day":       {"2026-11-20", "2026-11-23", 1_000_000, 0, 0},
		"the first day unknown":   {"", "2026-01-01", 1_000_000, -1, switching.NoLotDay},
		"the last day unknown":    {"2024-01-01", "", 1_000_000, -1, switching.NoLotDay},
		"bought after the redeem": {"2026-10-01", "2026-11-24", 1_000_000, -1, switching.NoLotDay},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := plain(t)
			k.Sell.Paid = switching.Paid{Proceeds: 985_000, On: k.On, Acquired: fund.Window{From: day(t, c.from), To: day(t, c.to)}}
			a := assess(&k)
			if a.Sold.Value != c.value || a.Sold.Proceeds != 985_000 || a.Sold.Youngest != c.youngest || a.Gaps != c.gaps || !a.Cost.OK {
				t.Errorf("%+v, gaps %b, want %+v", a.Sold, a.Gaps, c)
			}
		})
	}
}

// The largest sum that a bank can hold is a sum; a fen more is a mistake in the data.
func TestTheLargestRedemption(t *testing.T) {
	t.Parallel()
	k := plain(t)
	k.Sell.Paid = switching.Paid{Proceeds: fund.MaxMoney, On: k.On, Acquired: fund.Window{From: 20250102, To: 20250102}}
	if a := assess(&k); a.Gaps != 0 || a.Sold.Value != fund.MaxMoney || a.Sold.Proceeds != fund.MaxMoney {
		t.Errorf("%+v, gaps %b", a.Sold, a.Gaps)
	}
	k.Sell.Paid.Proceeds++
	if a := assess(&k); a.Gaps != switching.NoProceeds || a.Cost.OK {
		t.Errorf("%+v, gaps %b", a.Sold, a.Gaps)
	}
}

// A class is costed where everything that it would cost is known, and not otherwise.
func TestClassesOnOffer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*switching.Case)
		want   []bool
	}{
		"known":                  {func(*switching.Case) {}, []bool{true, true}},
		"a day":                  {func(c *switching.Case) { c.HorizonDays = 1 }, []bool{true, true}},
		"no horizon":             {func(c *switching.Case) { c.HorizonDays = 0 }, []bool{false, false}},
		"a fen":                  {func(c *switching.Case) { c.Buy.Amount = 1 }, []bool{true, true}},
		"nothing to buy it with": {func(c *switching.Case) { c.Sell.Lots = nil }, []bool{false, false}},
		"the other's fees":       {func(c *switching.Case) { c.Buy.Classes[1].Fees.Redemption = nil }, []bool{true, false}},
	} {
		k := plain(t)
		k.Buy.Classes = append(k.Buy.Classes, &fund.Product{Code: "NEW-C", ShareClass: "C", Fees: fees(t, ":0", 0, ":0", 140, 40)})
		c.change(&k)
		var got []bool
		for _, o := range assess(&k).Classes {
			got = append(got, o.OK)
			if o.OK != (o.Cost != fund.Cost{}) && k.Buy.Amount != 1 {
				t.Errorf("%s: %s is known %v at a cost of %+v", name, o.Code, o.OK, o.Cost)
			}
		}
		if !cmp.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// What leaving costs is told of today, of each step before the horizon, and of the horizon.
func TestDaysOfLeaving(t *testing.T) {
	t.Parallel()
	for horizon, want := range map[int32][]int32{
		1: {0, 1}, 7: {0, 7}, 8: {0, 7, 8}, 180: {0, 7, 30, 180}, 181: {0, 7, 30, 180, 181},
	} {
		k := plain(t)
		k.HorizonDays = horizon
		var got []int32
		for _, l := range assess(&k).Leaving {
			got = append(got, l.Days)
		}
		if !cmp.Equal(got, want) {
			t.Errorf("%d days: %v, want %v", horizon, got, want)
		}
	}
}

// A lot of today and one of yesterday go on along the old ladder: what is lost by the switch
// is the difference of the steps, nothing for the lot of today.
func TestProgressOnTheOldLadder(t *testing.T) {
	t.Parallel()
	for acquired, want := range map[string]fund.Money{
		"2026-11-23": 0,
		"2026-11-22": 4_921,  // .5 % of the 984,212 that move
		"":           14_763, // 1.5 % against the least that it could be
	} {
		k := plain(t)
		k.Sell.Lots[0].AcquiredOn, k.HorizonDays = day(t, acquired), 6
		if a := assess(&k); a.Cost.Lost != want {
			t.Errorf("acquired %s: lost %d of %d, want %d", acquired, a.Cost.Lost, a.Moved, want)
		}
	}
}

// The first day on which the saving is above the cost, by hand; -1 where it never is.
func TestBreakEven(t *testing.T) {
	t.Parallel()
	type side struct{ running, service fund.BasisPoints }
	for name, c := range map[string]struct {
		old, now side
		entry    fund.Money
		limit    fund.ServiceLimit
		lots     []fund.Shares // at a fen each hundred; none: one of 10,000 yuan
		want     int32
	}{
		// 10,000 yuan less 40 at 40 bps: 3,984 fen a year, above 4,000 on the 367th day.
		"a service fee saved for good":      {side{140, 40}, side{140, 0}, 4_000, 0, nil, 367},
		"a service fee saved for a year":    {side{140, 40}, side{140, 0}, 4_000, 365, nil, -1},
		"a management fee saved for good":   {side{180, 0}, side{140, 0}, 4_000, 0, nil, 367},
		"a service fee that ends in a year": {side{170, 0}, side{140, 40}, 0, 365, nil, 487}, // 30 d > 40 * 365
		"a service fee that never ends":     {side{170, 0}, side{140, 40}, 0, 0, nil, -1},
		// What rounding leaves over is no saving: 20 bps of two days are 11 fen, twice 10 bps 10.
		"the same in two fees":         {side{20, 0}, side{10, 10}, 0, 0, nil, -1},
		"the same in two fees of lots": {side{0, 40}, side{40, 0}, 0, 365, []fund.Shares{12_500, 12_500}, -1},
		"a saving that costs nothing":  {side{180, 0}, side{140, 0}, 0, 0, nil, 1},
		"nothing moves":                {side{180, 0}, side{140, 0}, 1_000_000, 0, nil, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := plain(t)
			k.Sell.Product.Fees = fees(t, ":0", 0, ":0", c.old.running, c.old.service)
			k.Buy.Classes[0].Fees = fees(t, ":0", 0, ":0", c.now.running, c.now.service)
			k.Buy.Classes[0].Fees.Subscription[0].Fixed, k.ServiceLimit = c.entry, c.limit
			k.Sell.Lots[0].AcquiredOn = k.On
			if c.lots != nil {
				k.Sell.Lots = nil
			}
			for _, n := range c.lots {
				k.Sell.Lots = append(k.Sell.Lots, fund.Lot{ProductCode: "OLD", Shares: n, AcquiredOn: k.On})
			}
			if a := assess(&k); a.BreakEven != c.want || !a.Cost.OK {
				t.Errorf("day %d of %+v, want %d", a.BreakEven, a.Cost, c.want)
			}
		})
	}
}
