package matcher_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// What a manager reads of BREACH is what the score counts: the probability that the range
// that is shown goes beyond the tolerance that is shown. A customer is shown no forecast, and
// where there is no level that holds there is nothing to explain.
func TestBreachBasis(t *testing.T) {
	t.Parallel()
	seen, withoutRange := 0, 0
	for seed := range uint64(12) {
		b := newBank(seed, 30)
		core := b.compile(t)
		for i := range 12 {
			p := b.customer(i)
			for _, code := range []string{b.products[i].Code, b.products[i+12].Code} {
				r := b.request(core)
				r.Audience = wording.Manager
				e, err := core.Explain(p, code, r)
				if err != nil {
					t.Fatal(err)
				}
				r.Audience = wording.Customer
				told, err := core.Explain(p, code, r)
				if err != nil {
					t.Fatal(err)
				}
				if told.Breach != nil {
					t.Fatalf("the customer is told %+v", told.Breach)
				}
				counted := e.Slate.Items[0].Contributions[score.Breach].Value
				if e.Breach == nil {
					if counted != 0 {
						t.Fatalf("the score counts %v, and nothing says why", counted)
					}
					continue
				}
				if e.Breach.Foreseen == nil {
					withoutRange++
					continue
				}
				seen++
				mustExplain(t, e.Breach, counted)
			}
		}
	}
	if seen < 20 || withoutRange == 0 {
		t.Errorf("%d explained, %d without a range: too few", seen, withoutRange)
	}
}

func mustExplain(t *testing.T, b *matcher.BreachBasis, counted float64) {
	t.Helper()
	if b.Value != counted || b.Value != outcome.Breach(b.Foreseen, b.Tolerance) {
		t.Errorf("%v is told, %v counted, the range says %v", b.Value, counted, outcome.Breach(b.Foreseen, b.Tolerance))
	}
	if b.Level == fund.LevelUnknown || b.Tolerance <= 0 || b.Foreseen.Months != b.Months || b.Months == 0 {
		t.Errorf("%+v", b)
	}
}
