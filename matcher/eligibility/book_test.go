package eligibility_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func lawful(code string, kind fund.Kind, grade fund.RiskGrade) fund.Product {
	return fund.Product{
		Code: code, Type: "股票型", Grades: fund.Grades{Bank: grade},
		Listing: fund.Listing{Kind: kind, Status: fund.Open, DueDiligenceID: "DD"},
	}
}

// TestEachProductIsSoldByItsBook: two books side by side, one count a rule.
func TestEachProductIsSoldByItsBook(t *testing.T) {
	pack := packWith(t, map[string]any{"S05.from_grade": "R5", "S05/NFRA.from_grade": "R4"})
	products := []fund.Product{
		lawful("public", fund.PublicFund, fund.R4), lawful("own", fund.OwnProduct, fund.R4), lawful("unknown", 0, fund.R5), lawful("own5", fund.OwnProduct, fund.R5),
	}
	profile := &fund.Profile{
		Assessment: fund.Assessment{Level: fund.C5, On: 20260105}, Person: fund.Person{BirthDate: 19800101, Capacity: fund.FullCapacity},
	}
	said := func(at fund.Instant) (out []string, counts []eligibility.RuleCount, books []eligibility.Book) {
		gate := compile(t, pack, products, at)
		ctx := eligibility.Context{At: at, Channel: fund.App}
		f := gate.Facts(profile, fund.GoalUnknown, 0, fund.NeedUnknown, ctx)
		for i := range products {
			books = append(books, gate.Book(i))
			_, findings := gate.Judge(i, &f, nil, nil)
			for _, x := range findings {
				if x.Rule == eligibility.S05 {
					out = append(out, fmt.Sprint(products[i].Code, " ", x.Parameters[0].Value, " ", x.Citation == gate.EditionOf(eligibility.NFRA).Rule(eligibility.S05).Citation))
				}
			}
		}
		var v eligibility.Verdicts
		gate.Select(&f, nil, &v)
		return out, v.Excluded, books
	}
	// One microsecond before the NFRA's rules there is one book.
	out, counts, books := said(fund.Date(20260201).Start() - 1)
	if diff := cmp.Diff([]string{"unknown R5 true", "own5 R5 true"}, out); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(counts, []eligibility.RuleCount{{ID: eligibility.S05, Count: 2}}) || slices.Contains(books, eligibility.NFRA) {
		t.Errorf("before: %v, books %v", counts, books)
	}
	out, counts, books = said(fund.Date(20260201).Start())
	if diff := cmp.Diff([]string{"own R4 true", "unknown R5 false", "own5 R4 true"}, out); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(counts, []eligibility.RuleCount{{ID: eligibility.S05, Count: 3}}) {
		t.Errorf("counts %v", counts)
	}
	if !slices.Equal(books, []eligibility.Book{eligibility.CSRC, eligibility.NFRA, eligibility.CSRC, eligibility.NFRA}) {
		t.Errorf("books %v", books)
	}
}

// TestABooksOwnEntryStandsBeforeOneOfBoth, also where it switches the rule off.
func TestABooksOwnEntryStandsBeforeOneOfBoth(t *testing.T) {
	pack := packWith(t, map[string]any{"S13/NFRA.enabled": false, "S05/NFRA.think_hours": 48})
	at := fund.Date(20260301).Start()
	csrc, nfra := pack.InForceIn(at, eligibility.CSRC), pack.InForceIn(at, eligibility.NFRA)
	if !slices.Equal(pack.InForce(at).Rules, csrc.Rules) {
		t.Error("the bank's edition is the CSRC's")
	}
	if csrc.Rule(eligibility.S13) == nil || nfra.Rule(eligibility.S13) != nil {
		t.Error("S13 is switched off in the NFRA's book alone")
	}
	if r := nfra.Rule(eligibility.S05); r.Book != eligibility.NFRA || r.Parameters[1].Value != "48" || csrc.Rule(eligibility.S05).Parameters[1].Value != "24" {
		t.Errorf("S05 %+v", r)
	}
	for _, e := range []*eligibility.Edition{&csrc, &nfra} {
		seen := map[eligibility.RuleID]bool{}
		for _, r := range e.Rules {
			if seen[r.ID] {
				t.Errorf("%s twice in one book", r.ID)
			}
			seen[r.ID] = true
		}
	}
}

// TestTheLargestFixedFeeIsAboveEveryCap: a fixed fee as a rate, at both ends of what fits.
func TestTheLargestFixedFeeIsAboveEveryCap(t *testing.T) {
	for name, c := range map[string]struct {
		fixed, least fund.Money
		above        bool
	}{
		"nearly all that there is":   {fund.MaxMoney - 1, fund.MaxMoney, true},
		"as much as is invested":     {fund.MaxMoney / 2, fund.MaxMoney, true},
		"a fen less than that":       {fund.MaxMoney/2 - 1, fund.MaxMoney, true},
		"0.8 % of the least and net": {8_000, 1_008_000, false},
		"a fen more":                 {8_001, 1_008_001, true},
	} {
		p := lawful("fixed", fund.PublicFund, fund.R3)
		p.Terms.LaunchedOn, p.Terms.MinPurchase = 20260301, c.least
		p.Fees.Subscription = []fund.SubscriptionTier{{Fixed: c.fixed}}
		gate := compile(t, packWith(t, nil), []fund.Product{p}, reformed.Start())
		above := slices.ContainsFunc(gate.Admission(0), func(f eligibility.Finding) bool { return f.Reason == "SUBSCRIPTION_FEE_ABOVE_CAP" })
		if above != c.above {
			t.Errorf("%s: above the cap %t, want %t: %+v", name, above, c.above, gate.Admission(0))
		}
	}
}

// TestAdmissionTellsHeadOffice what keeps a product out whoever asks, and nothing of the
// rest.
func TestAdmissionTellsHeadOffice(t *testing.T) {
	dear := lawful("dear", fund.PublicFund, fund.R3)
	dear.Terms.LaunchedOn = 20260301
	dear.Fees = fund.FeeSchedule{Subscription: []fund.SubscriptionTier{{Rate: 150}}, Service: 60, Redemption: []fund.RedemptionTier{{}}}
	// What lies beyond the last step of a ladder is free.
	short := dear
	short.Code, short.Fees = "short", fund.FeeSchedule{Redemption: []fund.RedemptionTier{{Below: 7, Rate: 150}}}
	undiligent := lawful("undiligent", fund.PublicFund, fund.R3)
	undiligent.Listing.DueDiligenceID = ""
	products := []fund.Product{lawful("good", fund.PublicFund, fund.R5), dear, undiligent, lawful("private", fund.PrivateFund, fund.R3), short}
	gate := compile(t, packWith(t, nil), products, reformed.Start())
	for i, want := range [][]string{
		nil,
		{
			"F01 SUBSCRIPTION_FEE_ABOVE_CAP [{class EQUITY} {rate_bps 150} {cap_bps 80}] HEAD_OFFICE BLOCK",
			"F01 SERVICE_FEE_ABOVE_CAP [{class EQUITY} {rate_bps 60} {cap_bps 40}] HEAD_OFFICE BLOCK",
			"F02 EXIT_FEE_BELOW_FLOOR [{held_days 0} {rate_bps 0} {floor_bps 150}] HEAD_OFFICE BLOCK",
		},
		{"C02 DUE_DILIGENCE_MISSING [{due_diligence_id }] HEAD_OFFICE BLOCK"},
		{"C02 PRIVATE_FUND [{kind PRIVATE}] NONE BLOCK"},
		{"F02 EXIT_FEE_BELOW_FLOOR [{held_days 7} {rate_bps 0} {floor_bps 100}] HEAD_OFFICE BLOCK"},
	} {
		var got []string
		for _, f := range gate.Admission(i) {
			got = append(got, fmt.Sprint(f.Rule, " ", f.Reason, " ", f.Facts, " ", f.Remedy.Code, " ", f.Outcome))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", products[i].Code, diff)
		}
	}
}

// TestReasonsAreTold once each, and every rule that speaks of products has one.
func TestReasonsAreTold(t *testing.T) {
	seen := map[string]bool{}
	rules := map[eligibility.RuleID]bool{}
	for _, r := range eligibility.Reasons() {
		name := fmt.Sprint(r.Rule, ".", r.Reason, r.Order)
		if seen[name] || r.Reason == "" || r.Floor == (eligibility.Outcomes{}) {
			t.Errorf("%+v", r)
		}
		seen[name], rules[r.Rule] = true, true
	}
	for _, id := range []eligibility.RuleID{"S01", "S05", "S07", "S13", "C01", "C03", "C07", "C08", "A01", "A06", "A07", "F01", "F02", "K01"} {
		if !rules[id] {
			t.Errorf("%s has no reason", id)
		}
	}
}

// The findings come in the pack's order, a rule at its first entry that is in force.
func TestFindingsComeInThePacksOrder(t *testing.T) {
	whole := builtIn()
	last := *whole
	last.Rules = slices.Clone(whole.Rules)
	i := slices.IndexFunc(last.Rules, func(r eligibility.Rule) bool { return r.ID == eligibility.S05 && r.Book == eligibility.NFRA })
	nfra := last.Rules[i]
	last.Rules = append(slices.Delete(last.Rules, i, i+1), nfra)
	said := func(pack *eligibility.Pack) (out []string) {
		gate := compile(t, pack, []fund.Product{lawful("P", fund.PublicFund, fund.R5)}, factsDay.Start())
		f := gate.Facts(&fund.Profile{}, fund.GoalUnknown, 0, fund.NeedUnknown, eligibility.Context{At: factsDay.Start(), Channel: fund.App})
		_, found := gate.Judge(0, &f, nil, nil)
		for _, x := range found {
			out = append(out, string(x.Rule)+" "+x.Reason)
		}
		return out
	}
	want := said(whole)
	if diff := cmp.Diff(want, said(&last)); diff != "" || !slices.Contains(want[:len(want)-1], "S05 HIGH_RISK") {
		t.Errorf("with the NFRA's entry of S05 last (-first +last):\n%s", diff)
	}
}

// What is above his level is cured by a lower grade, and without a valid level by a test.
func TestWayOutOfAGradeAboveTheLevel(t *testing.T) {
	for name, c := range map[string]struct {
		assessment fund.Assessment
		want       string
	}{
		"a valid level": {fund.Assessment{Level: fund.C2, On: 20260105}, eligibility.RemedyLowerGrade},
		"an old level":  {fund.Assessment{Level: fund.C2, On: 20240105}, eligibility.RemedyRetest},
		"no level":      {fund.Assessment{}, eligibility.RemedyRetest},
	} {
		gate := compile(t, builtIn(), []fund.Product{lawful("P", fund.PublicFund, fund.R5)}, factsDay.Start())
		p := fund.Profile{Assessment: c.assessment}
		f := gate.Facts(&p, fund.GoalUnknown, 0, fund.NeedUnknown, eligibility.Context{At: factsDay.Start(), Channel: fund.App})
		_, found := gate.Judge(0, &f, nil, nil)
		i := slices.IndexFunc(found, func(x eligibility.Finding) bool { return x.Reason == "GRADE_ABOVE_LEVEL" })
		if i < 0 || found[i].Remedy.Code != c.want {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// A gate takes as many products as it says, and not one more.
func TestTheLargestPool(t *testing.T) {
	none := &eligibility.Pack{}
	products := make([]fund.Product, eligibility.MaxProducts+1)
	if _, err := eligibility.Compile(none, products[1:], factsDay.Start()); err != nil {
		t.Error(err)
	}
	if _, err := eligibility.Compile(none, products, factsDay.Start()); !errors.Is(err, eligibility.ErrCompile) {
		t.Errorf("one more: %v", err)
	}
}

// A period that is bounded at one end is a published one; only without any it is assumed.
func TestWhatPoolPeriodIsAssumed(t *testing.T) {
	for name, c := range map[string]struct {
		from, to fund.Date
		assumed  bool
	}{"none": {0, 0, true}, "a beginning": {20200101, 0, false}, "an end": {0, 20300101, false}} {
		p := lawful("P", fund.PublicFund, fund.R3)
		p.Listing.PoolFrom, p.Listing.PoolTo = c.from, c.to
		gate := compile(t, builtIn(), []fund.Product{p}, factsDay.Start())
		if got := slices.Contains(gate.Assumed(0), fund.FieldPoolPeriod); got != c.assumed {
			t.Errorf("%s: assumed %v", name, got)
		}
	}
}
