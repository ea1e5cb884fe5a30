package fund_test

import (
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestRunningPlans(t *testing.T) {
	t.Parallel()
	entry := func(code string, on fund.Date, kind string, amount fund.Money) fund.Purchase {
		return fund.Purchase{ProductCode: code, KnownOn: on, Kind: kind, Amount: amount}
	}
	for _, c := range []struct {
		name string
		of   []fund.Purchase
		want []fund.Plan
	}{
		{"none", nil, nil},
		{"a purchase is no plan", []fund.Purchase{entry("A", 20260101, "BUY", 1)}, nil},
		{"it runs", []fund.Purchase{entry("A", 20260101, "PLAN", 5)}, []fund.Plan{{"A", 20260101, 0, 5}}},
		{"stopped", []fund.Purchase{entry("A", 20260101, "PLAN", 5), entry("A", 20260201, "PLAN_STOP", 0)}, nil},
		{"begun and stopped on one day", []fund.Purchase{entry("A", 20260101, "PLAN", 5), entry("A", 20260101, "PLAN_STOP", 0)}, nil},
		{
			"begun again",
			[]fund.Purchase{entry("A", 20260101, "PLAN", 5), entry("A", 20260201, "PLAN_STOP", 0), entry("A", 20260301, "PLAN", 7)},
			[]fund.Plan{{"A", 20260301, 0, 7}},
		},
		{
			"renewed, with another amount",
			[]fund.Purchase{entry("A", 20260101, "PLAN", 5), entry("A", 20260110, "BUY", 5), entry("A", 20260301, "PLAN", 7)},
			[]fund.Plan{{"A", 20260101, 20260301, 7}},
		},
		{
			"one a product",
			[]fund.Purchase{entry("A", 20260101, "PLAN", 5), entry("B", 20260101, "BUY", 5), entry("C", 20260102, "PLAN", 6)},
			[]fund.Plan{{"A", 20260101, 0, 5}, {"C", 20260102, 0, 6}},
		},
	} {
		p := fund.Profile{Purchases: c.of}
		if got := slices.Collect(fund.RunningPlans(&p)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		for range fund.RunningPlans(&p) {
			break // whoever has seen enough may stop
		}
	}
}

// What is said of a plan neither takes a purchase away nor makes one.
func TestAPlanHidesNoPurchase(t *testing.T) {
	t.Parallel()
	p := fund.Profile{Purchases: []fund.Purchase{
		{ProductCode: "A", KnownOn: 20260101, Kind: "BUY"},
		{ProductCode: "A", KnownOn: 20260102, Kind: fund.KindPlan},
		{ProductCode: "B", KnownOn: 20260101, Kind: fund.KindPlan},
		{ProductCode: "C", KnownOn: 20260101, Kind: "BUY"},
		{ProductCode: "C", KnownOn: 20260103, Kind: "REDEEM"},
		{ProductCode: "C", KnownOn: 20260104, Kind: fund.KindPlanStop},
		{ProductCode: "D", KnownOn: 20260101, Kind: "BUY"},
	}}
	if got := slices.Collect(p.Held()); !slices.Equal(got, []string{"A", "D"}) {
		t.Errorf("he holds %v", got)
	}
}
