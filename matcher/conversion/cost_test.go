package conversion_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestCostOf(t *testing.T) {
	p := &fund.Product{Code: "x", Fees: fund.FeeSchedule{Subscription: []fund.SubscriptionTier{{Rate: 150}}, Redemption: []fund.RedemptionTier{{}}, Service: 40}}
	got := conversion.CostOf(p, fund.Equity, 1_000_000, 730)
	if !got.OK || got.Code != "x" || got.Entry != 14_778 || got.Service != 3_941 {
		t.Errorf("%+v", got)
	}
	if money := conversion.CostOf(p, fund.MoneyMarket, 1_000_000, 730); money.Service != 7_882 {
		t.Errorf("a money fund's service fee goes on: %+v", money)
	}
	for _, missing := range []fund.Field{fund.FieldSubscriptionLadder, fund.FieldRedemptionLadder} {
		unknown := *p
		unknown.Missing = unknown.Missing.With(missing)
		if got := conversion.CostOf(&unknown, fund.Equity, 1_000_000, 730); got.OK || got.Total() != 0 {
			t.Errorf("without %s: %+v", missing, got)
		}
	}
	if got := conversion.CostOf(p, fund.Equity, 0, 730); got.OK {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestCheaper(t *testing.T) {
	cost := func(code string, entry, running fund.Money, ok bool) *conversion.ClassCost {
		return &conversion.ClassCost{Code: code, Cost: fund.Cost{Entry: entry, Running: running}, OK: ok}
	}
	order := []*conversion.ClassCost{cost("B", 5, 900, true), cost("A", 7, 0, true), cost("C", 7, 0, true), cost("D", 0, 0, false), cost("E", 0, 0, false)}
	for i, a := range order {
		for j, b := range order {
			if got := conversion.Cheaper(a, b); got != (i < j) {
				t.Errorf("%s before %s: %v", a.Code, b.Code, got)
			}
		}
	}
}
