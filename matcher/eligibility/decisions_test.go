package eligibility_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/decisiontable"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// decision is one case of testdata/decisions.yaml.
type decision struct{ decisiontable.Case }

// must reads a value; "none" and nothing are unknown.
func must[T any](t *testing.T, parse func(string) (T, error), s string) T {
	t.Helper()
	if s == "none" {
		s = ""
	}
	v, err := parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (d *decision) context(t *testing.T) eligibility.Context {
	t.Helper()
	ctx := eligibility.Context{
		At: must(t, fund.ParseInstant, d.At), Channel: must(t, fund.ParseChannel, d.Channel), Public: d.Public,
		Licence: map[string]eligibility.Licence{
			"none": eligibility.LicenceMissing, "EXPIRED": eligibility.LicenceExpired, "ELSEWHERE": eligibility.LicenceElsewhere,
			"VALID": eligibility.LicenceValid,
		}[d.Licence],
	}
	switch d.As {
	case "firm_order":
		ctx.Order = true
	case "customer_order":
		ctx.Order, ctx.Initiative = true, fund.ByCustomer
	case "recommendation":
	default:
		t.Fatalf("as: %q", d.As)
	}
	return ctx
}

// edited returns the default pack with parameters (RULE.name or RULE.table.key),
// RULE.enabled, RULE.effective_from and RULE.outcome.situation set.
func edited(tb testing.TB, set map[string]any) []byte {
	tb.Helper()
	b, err := decisiontable.Edit(eligibility.Default(), set)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// builtIn is the default pack, parsed once: a pack never changes.
var builtIn = sync.OnceValue(func() *eligibility.Pack {
	p, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		panic(err)
	}
	return p
})

func packWith(tb testing.TB, set map[string]any) *eligibility.Pack {
	tb.Helper()
	if len(set) == 0 {
		return builtIn()
	}
	p, err := eligibility.ParsePack(edited(tb, set))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func readDecisions(t *testing.T) map[string][]decision {
	t.Helper()
	table, err := decisiontable.Read("testdata/decisions.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string][]decision{}
	for id, cases := range table.Rules {
		for _, c := range cases {
			rules[id] = append(rules[id], decision{c})
		}
	}
	return rules
}

// asked is the customer of a case with his trail, and the pool.
func (d *decision) asked(t *testing.T) (*fund.Profile, []fund.Product) {
	t.Helper()
	profile, err := d.Profile()
	if err != nil {
		t.Fatal(err)
	}
	events, err := d.Events()
	if err != nil {
		t.Fatal(err)
	}
	products, err := d.Products()
	if err != nil {
		t.Fatal(err)
	}
	profile.Trail = behaviour.Of(events)
	return profile, products
}

func TestDecisions(t *testing.T) {
	rules := readDecisions(t)
	total := 0
	for id, cases := range rules {
		kinds := map[string]int{}
		for _, d := range cases {
			total++
			kinds[d.Kind]++
			t.Run(id+"/"+d.About, func(t *testing.T) { d.check(t, eligibility.RuleID(id)) })
		}
		if id != "S09" && (kinds["FIRES"] == 0 || kinds["EDGE"] == 0 || kinds["MISSING"] == 0) {
			t.Errorf("%s: cases %v, expected some that fire, some at the edge, some with a fact missing", id, kinds)
		}
	}
	if total < 90 {
		t.Errorf("%d cases, expected at least 90", total)
	}
	for _, r := range eligibility.Reasons() {
		if len(rules[string(r.Rule)]) == 0 && !r.Order {
			t.Errorf("no case for %s", r.Rule)
		}
		heard := func(d decision) bool { return strings.Contains(d.Reason, r.Reason) }
		if !r.Order && !slices.ContainsFunc(rules[string(r.Rule)], heard) {
			t.Errorf("no case for %s %s", r.Rule, r.Reason)
		}
	}
}

func (d *decision) check(t *testing.T, id eligibility.RuleID) {
	t.Helper()
	ctx := d.context(t)
	profile, products := d.asked(t)
	gate, err := eligibility.Compile(packWith(t, d.Set), products, ctx.At)
	if err != nil {
		t.Fatal(err)
	}
	goal, horizon := must(t, fund.ParseGoal, d.Goal), d.Horizon
	if len(profile.Needs.Goals) > 0 && d.Goal == "" {
		goal = profile.Needs.Goals[0]
	}
	if horizon == 0 {
		horizon = profile.Needs.HorizonMonths
	}
	need := must(t, fund.ParseNeed, d.Need)
	if need == fund.NeedUnknown {
		need = profile.Needs.Liquidity
	}
	facts := gate.Facts(profile, goal, horizon, need, ctx)
	var refusals eligibility.Refusals
	gate.Refusals(profile, ctx.At, &refusals)
	verdict, findings := gate.Judge(0, &facts, &refusals, nil)
	if d.Verdict != "" && verdict.Outcome.String() != d.Verdict {
		t.Errorf("verdict %v, expected %s: %+v", verdict.Outcome, d.Verdict, findings)
	}
	d.checkRule(t, id, d.Says, d.Reason, findings)
	d.checkWords(t, id, findings)
	for other, says := range d.By {
		d.checkRule(t, eligibility.RuleID(other), says, "", findings)
	}
	if verdict.Information != d.Information {
		t.Errorf("information %v, expected %v", verdict.Information, d.Information)
	}
	if d.Personal != nil && gate.Personal(&facts) != *d.Personal {
		t.Errorf("personal %v, expected %v", gate.Personal(&facts), *d.Personal)
	}
	if until := must(t, fund.ParseInstant, d.Until); until != 0 && min(facts.Until, refusals.Until) != until {
		t.Errorf("facts hold until %v, refusals until %v, expected %v", facts.Until, refusals.Until, until)
	}
	if d.Assumed != "" && !slices.ContainsFunc(gate.Assumed(0), func(f fund.Field) bool { return f.String() == d.Assumed }) {
		t.Errorf("assumed %v, expected %s among them", gate.Assumed(0), d.Assumed)
	}
	var v eligibility.Verdicts
	gate.Select(&facts, &refusals, &v)
	if v.Has(0) != verdict.Permitted {
		t.Errorf("Select permits: %v, Judge: %v", v.Has(0), verdict)
	}
}

// checkWords looks at what the finding rests on and what would cure it.
func (d *decision) checkWords(t *testing.T, id eligibility.RuleID, findings []eligibility.Finding) {
	t.Helper()
	i := slices.IndexFunc(findings, func(f eligibility.Finding) bool { return f.Rule == id && f.Reason == d.Reason })
	if i < 0 {
		if d.Facts+d.Remedy != "" {
			t.Errorf("no finding %s %s", id, d.Reason)
		}
		return
	}
	f := &findings[i]
	if facts := fmt.Sprint(f.Facts); d.Facts != "" && facts != d.Facts {
		t.Errorf("facts %s, expected %s", facts, d.Facts)
	}
	if remedy := strings.TrimSpace(f.Remedy.Code + " " + f.Remedy.On.String()); d.Remedy != "" && remedy != d.Remedy {
		t.Errorf("remedy %s, expected %s", remedy, d.Remedy)
	}
}

func (d *decision) checkRule(t *testing.T, id eligibility.RuleID, says, reason string, findings []eligibility.Finding) {
	t.Helper()
	strongest, reasons := eligibility.None, ""
	for _, f := range findings {
		if f.Rule == id {
			strongest = max(strongest, f.Outcome)
			reasons += f.Reason + " "
		}
		if f.Citation == "" || f.Outcome == eligibility.None {
			t.Errorf("a finding without citation or outcome: %+v", f)
		}
	}
	if strongest.String() != says || !strings.Contains(reasons, reason) {
		t.Errorf("%s says %v (%s), expected %s (%s): %+v", id, strongest, reasons, says, reason, findings)
	}
}
