package eligibility_test

import (
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// feesSay is what the rules of fees say of a fund of 2026: reasons in order.
func feesSay(t *testing.T, pack *eligibility.Pack, change func(p *fund.Product)) (reasons []string, facts [][]eligibility.Fact) {
	t.Helper()
	p := lawful("P", fund.PublicFund, fund.R3)
	p.Terms.LaunchedOn = 20260115
	p.Fees.Redemption = ladder(t, "7:150;30:100;180:50;:0")
	change(&p)
	at := factsDay.Start()
	gate := compile(t, pack, []fund.Product{p}, at)
	f := gate.Facts(&fund.Profile{}, fund.GoalUnknown, 0, fund.NeedUnknown, eligibility.Context{At: at, Channel: fund.App, Initiative: fund.ByCustomer, Order: true})
	_, found := gate.Judge(0, &f, nil, nil)
	for _, x := range found {
		if x.Rule == eligibility.F01 || x.Rule == eligibility.F02 {
			reasons, facts = append(reasons, x.Reason), append(facts, x.Facts)
		}
	}
	return reasons, facts
}

func ladder(t *testing.T, s string) []fund.RedemptionTier {
	t.Helper()
	tiers, err := fund.ParseRedemptionLadder(s)
	if err != nil {
		t.Fatal(err)
	}
	return tiers
}

// A fixed fee is a rate on the least amount that pays it (F01): of one that nobody knows
// nothing is said, and one that takes the whole amount is above every cap.
func TestFixedEntryFees(t *testing.T) {
	for name, c := range map[string]struct {
		fixed, least fund.Money
		breaks       bool
	}{
		"no least amount":           {100_000, 0, false},
		"all of the least amount":   {100_000, 100_000, true},
		"more than it":              {100_000, 99_999, true},
		"eighty basis points of it": {800, 100_800, false},
		"a fen more":                {801, 100_800, true},
		"a fen less to charge on":   {800, 100_799, true},
	} {
		reasons, _ := feesSay(t, builtIn(), func(p *fund.Product) {
			p.Fees.Subscription, p.Terms.MinPurchase = []fund.SubscriptionTier{{Fixed: c.fixed}}, c.least
		})
		if got := slices.Contains(reasons, "SUBSCRIPTION_FEE_ABOVE_CAP"); got != c.breaks {
			t.Errorf("%s: %v", name, reasons)
		}
	}
}

// Every step of a ladder against every floor (F02), whatever their order.
func TestExitFloors(t *testing.T) {
	open := func(s string, last int) []fund.RedemptionTier { return ladder(t, s)[:last] }
	for name, c := range map[string]struct {
		floors []any // nil: those of the default pack
		ladder []fund.RedemptionTier
		days   string // of the breach; empty: none
	}{
		"one rate, as high as every floor":    {nil, ladder(t, ":150"), ""},
		"one rate, a basis point less":        {nil, ladder(t, ":149"), "0"},
		"no end, and free beyond it":          {nil, open("7:150;30:100;:50", 2), "30"},
		"no end, after the last floor":        {nil, open("7:150;180:100;:50", 2), ""},
		"floors that rise, kept":              {[]any{"7:100", "30:150"}, ladder(t, "7:100;:150"), ""},
		"floors that rise, not kept":          {[]any{"7:100", "30:150"}, ladder(t, "8:100;:150"), "7"},
		"a floor of nothing beyond the end":   {[]any{"7:150", "30:0"}, open("7:150;:0", 1), ""},
		"a floor of something beyond the end": {[]any{"7:150", "30:1"}, open("7:150;:0", 1), "7"},
	} {
		pack := builtIn()
		if c.floors != nil {
			pack = packWith(t, map[string]any{"F02.floors": c.floors})
		}
		reasons, facts := feesSay(t, pack, func(p *fund.Product) { p.Fees.Redemption = c.ladder })
		got := ""
		if i := slices.Index(reasons, "EXIT_FEE_BELOW_FLOOR"); i >= 0 {
			got = facts[i][0].Value
		}
		if got != c.days {
			t.Errorf("%s: below on day %q, want %q", name, got, c.days)
		}
	}
}
