package recommendation_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

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

// While checks of him are open nothing is offered, and neither the list nor an explanation
// tells him that there are any (C07): telling is an offence of its own.
func TestOpenChecksAreToldToTheBankOnly(t *testing.T) {
	b := openBank(t, synthetic.Options{Customers: 40, Products: 60, Seed: 3, AsOf: 20261120})
	const customer = "DEMO-0023-OPEN-CHECK"
	ask := func(audience string) (list, explained string) {
		r, err := b.service.Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: customer, Audience: audience})
		if err != nil {
			t.Fatal(err)
		}
		e, err := b.service.Explain(t.Context(), &fundmatchv1.ExplainRequest{CustomerId: customer, ProductCode: synthetic.AnchorMoney, Audience: audience})
		if err != nil {
			t.Fatal(err)
		}
		if e.GetVerdict() != "BLOCK" || len(r.GetItems()) > 0 {
			t.Errorf("%s: verdict %s and %d items, want BLOCK and none", audience, e.GetVerdict(), len(r.GetItems()))
		}
		return readable(t, r), readable(t, e)
	}
	list, explained := ask("CUSTOMER")
	for _, word := range []string{"C07", "CHECK", "反洗钱", "核查", "身份"} {
		for what, text := range map[string]string{"list": list, "explanation": explained} {
			if strings.Contains(strings.ReplaceAll(text, customer, ""), word) {
				t.Errorf("the %s tells a customer of %q: %s", what, word, text)
			}
		}
	}
	if list, explained = ask("MANAGER"); !strings.Contains(list, "C07") || !strings.Contains(explained, "C07") {
		t.Error("a manager is not told of C07")
	}
}

func readable(t *testing.T, m proto.Message) string {
	t.Helper()
	out, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
