package recommendation_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// What a manager reads of a doubt and of a rule does not reach the customer (playbook 化).
func TestExplainToTheCustomerLeavesOutWhatIsTheManagers(t *testing.T) {
	b := openBank(t, synthetic.Options{Customers: 40, Products: 60, Seed: 3, AsOf: 20261120})
	ask := func(audience string) *fundmatchv1.ExplainResponse {
		e, err := b.service.Explain(t.Context(), &fundmatchv1.ExplainRequest{
			CustomerId: "DEMO-0011-HOLDS-LOSS", ProductCode: synthetic.AnchorMoney, Audience: audience,
		})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	manager, customer := ask(""), ask("CUSTOMER")
	if len(manager.GetFindings()) == 0 || manager.GetFindings()[0].GetText() == "" || manager.GetObjections()[0].GetLikelihoodBand() == "" {
		t.Fatalf("the manager is told nothing: %v", manager)
	}
	if len(customer.GetFindings()) != len(manager.GetFindings()) {
		t.Errorf("%d findings for the customer, %d for the manager", len(customer.GetFindings()), len(manager.GetFindings()))
	}
	for _, f := range customer.GetFindings() {
		if f.GetText() != "" || f.GetChange() != "" || len(f.GetFacts()) > 0 {
			t.Errorf("the customer reads %v", f)
		}
	}
	for _, o := range customer.GetObjections() {
		if o.GetLikelihoodBand() != "" || len(o.GetTrigger()) > 0 || o.GetResolvedBand() != "" {
			t.Errorf("the customer reads %v", o)
		}
	}
	if _, err := b.service.Explain(t.Context(), &fundmatchv1.ExplainRequest{
		CustomerId: "DEMO-0011-HOLDS-LOSS", ProductCode: synthetic.AnchorMoney, Audience: "BOTH",
	}); err == nil {
		t.Error("audience BOTH is accepted")
	}
}
