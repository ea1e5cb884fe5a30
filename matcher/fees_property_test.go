package matcher_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// sold is what a fee may depend on: the product, the amount, and how long it is held.
type sold struct {
	code   string
	amount fund.Money
	days   int32
}

// Two customers who buy the same pay the same (A05; 个保法 24): whatever their level, tags,
// behaviour, assets and wishes, on a list and in an order.
func TestFeesAreTheProductsWhoeverBuys(t *testing.T) {
	costs, entries := map[sold]conversion.ClassCost{}, map[sold]string{}
	again, againOrdered := 0, 0
	b := newBank(5, 40)
	core := b.compile(t)
	var list matcher.Slate
	var check matcher.OrderCheck
	for i := range 1_000 {
		p := b.customer(i)
		if err := core.Match(p, b.request(core), &list); err != nil {
			t.Fatal(err)
		}
		for j := range list.Items {
			it := &list.Items[j]
			q := &it.Conversion.Quote
			key := sold{it.Code, q.CostAmount, q.Days}
			if before, ok := costs[key]; ok && before != q.Own {
				t.Fatalf("customer %d pays %+v for %+v, another one %+v", i, q.Own, key, before)
			} else if ok && q.Own.OK {
				again++
			}
			costs[key] = q.Own
		}
		order := matcher.OrderRequest{ProductCode: b.products[i%8].Code, Amount: pick(b, fund.Money(1_000), 1_000_000), At: b.asOf, Channel: fund.App}
		if err := core.CheckOrder(p, order, &check); err != nil {
			t.Fatal(err)
		}
		key, fee := sold{code: order.ProductCode, amount: order.Amount}, entryFee(check.Findings)
		if before, ok := entries[key]; ok && before != fee {
			t.Fatalf("customer %d orders %+v at %s fen, another one at %s", i, key, fee, before)
		} else if ok && fee != "" && fee != "0" {
			againOrdered++
		}
		entries[key] = fee
	}
	if again < 100 || againOrdered < 100 {
		t.Errorf("%d fees on lists and %d of orders were compared: the test shows little", again, againOrdered)
	}
}

// entryFee is the fee that the disclosure of C05 tells; empty: it is not on file.
func entryFee(findings []eligibility.OrderFinding) string {
	for i := range findings {
		if f := &findings[i]; f.Rule == eligibility.C05 && f.Reason == "ENTRY_FEE" {
			return f.Facts[1].Value
		}
	}
	return ""
}
