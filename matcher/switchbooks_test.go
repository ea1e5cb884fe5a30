package matcher_test

import (
	"bytes"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// S11: what is sold and what is bought are each measured by the book of its own kind. By the
// built-in pack of a bank whose own products suit C4 to R3 only, and K04 to 5 percent.
func TestBothLegsAreMeasuredByTheirOwnBook(t *testing.T) {
	t.Parallel()
	const afterS09, afterK04 = "  - id: S10\n", "  - id: W01\n"
	own := bytes.Replace(eligibility.Default(), []byte(afterS09), []byte(`  - id: S09
    book: NFRA
    effective_from: 2026-02-01
    enabled: true
    parameters:
      matrix: {C1: R1, C2: R2, C3: R3, C4: R3, C5: R5}
    citation: 本行规则
    source_mark: 3
`+afterS09), 1)
	own = bytes.Replace(own, []byte(afterK04), []byte(`  - id: K04
    book: NFRA
    effective_from: 2026-02-01
    enabled: true
    parameters:
      product_percent: {C1: 5, C2: 5, C3: 5, C4: 5, C5: 5}
      issuer_percent: {C1: 90, C2: 90, C3: 90, C4: 90, C5: 90}
      theme_percent: {C1: 90, C2: 90, C3: 90, C4: 90, C5: 90}
    outcome: {recommendation: NONE, firm_order: CONFIRM, customer_order: CONFIRM}
    citation: 本行规则
    source_mark: 3
`+afterK04), 1)
	pack, err := eligibility.ParsePack(own)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		sold, bought      fund.Kind
		grade             fund.RiskGrade // of what is bought
		mismatch, crowded bool
	}{
		"a public fund suits him":              {fund.PublicFund, fund.PublicFund, fund.R3, false, false},
		"the bank's own does not":              {fund.OwnProduct, fund.PublicFund, fund.R4, true, true},
		"nor is it cured by another of them":   {fund.OwnProduct, fund.OwnProduct, fund.R4, false, false},
		"and a public fund is no cure by them": {fund.PublicFund, fund.OwnProduct, fund.R3, false, false},
	} {
		b := switchBank(t)
		in := b.inputs()
		in.Rules = pack
		for i := range in.Products {
			switch p := &in.Products[i]; p.Code {
			case "OLD":
				p.Listing.Kind = c.sold
			case "NEW-A", "NEW-C":
				p.Listing.Kind, p.Grades.Bank = c.bought, c.grade
			}
		}
		core, err := matcher.Compile(in)
		if err != nil {
			t.Fatal(err)
		}
		p := switcher()
		p.Assessment.Level, p.Person.AUM = fund.C4, 20_000_000
		got := assessSwitch(t, core, p, switchRequest(b)).Assessment.Benefit
		if got.Mismatch != c.mismatch || got.Concentration != c.crowded {
			t.Errorf("%s: mismatch cured %t, concentration %t, want %t, %t", name, got.Mismatch, got.Concentration, c.mismatch, c.crowded)
		}
	}
}
