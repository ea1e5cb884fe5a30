package wire

import (
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
	"github.com/fundmatch/fundmatch/services/engine"
)

// C07: whoever is told that a check stands open is warned of it.
func TestAnOpenCheckIsNotToldToTheCustomer(t *testing.T) {
	core := newCore(t)
	f := eligibility.Finding{
		Rule: eligibility.C07, Outcome: eligibility.Block, Reason: "CHECKS_OPEN",
		Remedy: eligibility.Remedy{Code: eligibility.RemedyManager},
	}
	his := Finding(core, &f, wording.Customer)
	if his.GetRuleId() != "" || his.GetReason() != "" || his.GetRemedy() != nil || his.GetOutcome() != "BLOCK" || his.GetCustomerText() == "" {
		t.Errorf("the customer is told %v", his)
	}
	managers := Finding(core, &f, wording.Manager)
	if managers.GetRuleId() != "C07" || managers.GetReason() != "CHECKS_OPEN" || managers.GetRemedy() == nil {
		t.Errorf("the manager is told %v", managers)
	}
	f.Rule, f.Reason = eligibility.S02, "GRADE_ABOVE_LEVEL"
	if his = Finding(core, &f, wording.Customer); his.GetRuleId() != "S02" || his.GetReason() != "GRADE_ABOVE_LEVEL" {
		t.Errorf("of another rule the customer is told %v", his)
	}
}

// newCore compiles the built-in rules over an empty pool's one product.
func newCore(t *testing.T) *matcher.Core {
	t.Helper()
	at := fund.Date(20260601).Start()
	store := memory.New()
	_, err := store.Import(t.Context(), at, func(b features.Batch) error {
		return b.Products([]fund.Product{{Code: "000001", Name: "基金", Type: "混合型-偏股", Grades: fund.Grades{Bank: fund.R3}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.InstallDefaults(t.Context(), store, at); err != nil {
		t.Fatal(err)
	}
	loader, err := engine.NewLoader(store, store, "test")
	if err != nil {
		t.Fatal(err)
	}
	core, err := loader.Newest(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return core
}
