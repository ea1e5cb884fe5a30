package matcher_test

import (
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// A fact is said as what its name says it is, up to the largest amount there is.
func TestTheLargestAmountIsSaidAsMoney(t *testing.T) {
	t.Parallel()
	b := switchBank(t)
	f := eligibility.Finding{Rule: eligibility.G01, Reason: "BELOW_MINIMUM", Facts: []eligibility.Fact{
		{Name: "amount_fen", Value: "100"}, {Name: "min_purchase_fen", Value: "1000000000000000"},
	}}
	if text := b.compile(t).Words(&f, wording.Manager).Text; !strings.Contains(text, "10,000,000,000,000") {
		t.Errorf("said %q", text)
	}
}
