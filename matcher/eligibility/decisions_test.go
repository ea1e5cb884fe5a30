package eligibility_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// decision is one case of testdata/decisions.yaml.
type decision struct {
	Kind, Case     string
	Set            map[string]any // parameters of the pack: RULE.parameter[.key]
	Customer       customerCase
	Product        productCase
	At, As         string
	Channel        string
	Licence        string
	Public         bool
	SettledGoal    string `yaml:"settled_goal"`
	SettledHorizon int32  `yaml:"settled_horizon"`
	SettledNeed    string `yaml:"settled_need"`
	Says, Reason   string
	Facts, Remedy  string // of the finding, as text; empty: not looked at
	By             map[string]string
	Verdict, Until string
	Information    bool
	Personal       *bool
	Assumed        string
}

type customerCase struct {
	Type, Level, Assessed, Predicted, Born, Capacity, Lowest string
	ProfessionalClass                                        string `yaml:"professional_class"`
	ProfessionalUntil                                        string `yaml:"professional_until"`
	ElectsOrdinary                                           string `yaml:"elects_ordinary"`
	Goals, Horizon, Need, Personalization                    string
	Segment                                                  string
	Qualified                                                string // the class of his proof
	QualifiedUntil                                           string `yaml:"qualified_until"`
	Pension                                                  string
	Checks                                                   []string
	History                                                  []testCase // of assessments
	Said                                                     []wordCase // his trail
}

// testCase is an earlier assessment.
type testCase struct{ At, Level string }

// wordCase is one event of his trail.
type wordCase struct {
	Kind, At, Product, Until string
	Closed                   bool
	Times                    int
}

func (c wordCase) event(t *testing.T) fund.Event {
	t.Helper()
	return fund.Event{
		Kind: must(t, fund.ParseEventKind, c.Kind), At: must(t, fund.ParseInstant, c.At), ProductCode: c.Product,
		Until: must(t, fund.ParseDate, c.Until), Closed: c.Closed,
	}
}

type productCase struct {
	Launched, Subscription, Redemption string
	Service, Missing                   string
	MinPurchase                        string `yaml:"min_purchase"`
	Type, Grade, Status, Goals, Lockup string
	ShareClass                         string `yaml:"share_class"`
	Kind                               string `yaml:"product_kind"`
	IssuerGrade                        string `yaml:"issuer_grade"`
	DueDiligence                       string `yaml:"due_diligence"`
	PoolFrom                           string `yaml:"pool_from"`
	PoolTo                             string `yaml:"pool_to"`
	ClosedUntil                        string `yaml:"closed_until"`
	NextOpen                           string `yaml:"next_open"`
	Fund                               string // the code that its share classes have in common
	Sibling                            string // another share class in the pool
}

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

func number(s string) (int32, error) {
	n := int32(0)
	if s == "" {
		return 0, nil
	}
	_, err := fmt.Sscanf(s, "%d", &n)
	return n, err
}

func text(s string) (string, error) { return s, nil }

func (c customerCase) profile(t *testing.T) *fund.Profile {
	t.Helper()
	p := &fund.Profile{
		CustomerID:      "customer",
		PredictedLevel:  must(t, fund.ParseRiskLevel, c.Predicted),
		Personalization: must(t, fund.ParseAnswer, c.Personalization),
		Assessment:      fund.Assessment{Level: must(t, fund.ParseRiskLevel, c.Level), On: must(t, fund.ParseDate, c.Assessed)},
		Person: fund.Person{
			InvestorType: must(t, fund.ParseInvestorType, c.Type),
			BirthDate:    must(t, fund.ParseDate, c.Born),
			// NONE is a capacity here, so that only the lower-case word takes it away.
			Capacity:      must(t, fund.ParseCapacity, c.Capacity),
			IsLowestClass: must(t, fund.ParseAnswer, c.Lowest),
			Segment:       must(t, text, c.Segment),
			Professional: fund.Professional{
				Class:          must(t, text, c.ProfessionalClass),
				Until:          must(t, fund.ParseDate, c.ProfessionalUntil),
				ElectsOrdinary: must(t, fund.ParseAnswer, c.ElectsOrdinary),
			},
		},
		Needs: fund.StatedNeeds{
			Goals:         must(t, fund.ParseGoals, c.Goals),
			HorizonMonths: must(t, number, c.Horizon),
			Liquidity:     must(t, fund.ParseNeed, c.Need),
		},
	}
	if p.Assessment.Level == fund.LevelUnknown {
		p.Assessment.On = 0
	}
	for _, w := range c.Said {
		for range max(w.Times, 1) {
			p.Trail.Recent = append(p.Trail.Recent, w.event(t))
		}
	}
	for _, h := range c.History {
		p.Assessments = append(p.Assessments, fund.Assessed{At: must(t, fund.ParseInstant, h.At), Level: must(t, fund.ParseRiskLevel, h.Level)})
	}
	p.Person.Qualified = fund.Qualified{Class: must(t, text, c.Qualified), Until: must(t, fund.ParseDate, c.QualifiedUntil)}
	p.Person.Pension = must(t, fund.ParseAnswer, c.Pension)
	for _, check := range c.Checks {
		p.Person.OpenChecks |= map[string]fund.Checks{"KYC": fund.CheckKYC, "AML": fund.CheckAML}[check]
	}
	if !slices.IsSortedFunc(p.Trail.Recent, func(a, b fund.Event) int { return fund.CompareEvents(&a, &b) }) {
		t.Fatal("what he said is not in the order of a trail")
	}
	return p
}

func (c productCase) product(t *testing.T) fund.Product {
	t.Helper()
	missing := fund.FieldSet(0)
	for _, f := range []fund.Field{fund.FieldSubscriptionLadder, fund.FieldRedemptionLadder, fund.FieldServiceFee} {
		if strings.Contains(c.Missing, f.String()) {
			missing = missing.With(f)
		}
	}
	return fund.Product{
		Missing: missing,
		Fees: fund.FeeSchedule{
			Subscription: must(t, fund.ParseSubscriptionLadder, c.Subscription), Redemption: must(t, fund.ParseRedemptionLadder, c.Redemption),
			Service: fund.BasisPoints(must(t, number, c.Service)),
		},
		Code: "000001", ParentCode: must(t, text, c.Fund), Name: "测试基金", Type: must(t, text, c.Type), ShareClass: must(t, text, c.ShareClass),
		Grades: fund.Grades{Bank: must(t, fund.ParseRiskGrade, c.Grade), Issuer: must(t, fund.ParseRiskGrade, c.IssuerGrade)},
		Listing: fund.Listing{
			Kind: must(t, fund.ParseKind, c.Kind), Status: must(t, fund.ParseStatus, c.Status),
			PoolFrom: must(t, fund.ParseDate, c.PoolFrom), PoolTo: must(t, fund.ParseDate, c.PoolTo),
			DueDiligenceID: must(t, text, c.DueDiligence),
		},
		Terms: fund.Terms{
			ClosedUntil: must(t, fund.ParseDate, c.ClosedUntil), NextOpenOn: must(t, fund.ParseDate, c.NextOpen),
			LockupDays: must(t, number, c.Lockup), LaunchedOn: must(t, fund.ParseDate, c.Launched),
			MinPurchase: fund.Money(must(t, number, c.MinPurchase)),
		},
		Content: fund.Content{Goals: fund.SetOf(must(t, fund.ParseGoals, c.Goals))},
	}
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
	var doc map[string]any
	if err := yaml.Unmarshal(eligibility.Default(), &doc); err != nil {
		tb.Fatal(err)
	}
	rules, _ := doc["rules"].([]any)
	for path, value := range set {
		keys := strings.Split(path, ".")
		// S05/NFRA is the entry of that book, S05 the first.
		id, book, own := strings.Cut(keys[0], "/")
		into := tableIn(tb, rules[slices.IndexFunc(rules, func(r any) bool {
			return tableIn(tb, r)["id"] == id && (!own || tableIn(tb, r)["book"] == book)
		})])
		if keys[1] != "enabled" && keys[1] != "outcome" && keys[1] != "effective_from" {
			into = tableIn(tb, into["parameters"])
		}
		for _, k := range keys[1 : len(keys)-1] {
			into = tableIn(tb, into[k])
		}
		into[keys[len(keys)-1]] = value
	}
	b, err := yaml.Marshal(doc)
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

func tableIn(tb testing.TB, v any) map[string]any {
	tb.Helper()
	m, ok := v.(map[string]any)
	if !ok {
		tb.Fatalf("%v is no table", v)
	}
	return m
}

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

func readDecisions(t *testing.T) (rules map[string][]decision) {
	t.Helper()
	b, err := os.ReadFile("testdata/decisions.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Base  decision
		Rules map[string][]map[string]any
	}
	if err := yaml.UnmarshalWithOptions(b, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	rules = map[string][]decision{}
	for id, cases := range file.Rules {
		for _, c := range cases {
			// A case is laid over the base.
			d := file.Base
			raw, err := yaml.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			if err := yaml.UnmarshalWithOptions(raw, &d, yaml.Strict()); err != nil {
				t.Fatalf("%s: %v", c["case"], err)
			}
			rules[id] = append(rules[id], d)
		}
	}
	return rules
}

func TestDecisions(t *testing.T) {
	rules := readDecisions(t)
	total := 0
	for id, cases := range rules {
		kinds := map[string]int{}
		for _, d := range cases {
			total++
			kinds[d.Kind]++
			t.Run(id+"/"+d.Case, func(t *testing.T) { d.check(t, eligibility.RuleID(id)) })
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
	products := []fund.Product{d.Product.product(t)}
	if d.Product.Sibling != "" {
		products = append(products, fund.Product{Code: d.Product.Sibling, ParentCode: d.Product.Fund})
	}
	gate, err := eligibility.Compile(packWith(t, d.Set), products, ctx.At)
	if err != nil {
		t.Fatal(err)
	}
	profile := d.Customer.profile(t)
	goal, horizon := must(t, fund.ParseGoal, d.SettledGoal), d.SettledHorizon
	if len(profile.Needs.Goals) > 0 && d.SettledGoal == "" {
		goal = profile.Needs.Goals[0]
	}
	if horizon == 0 {
		horizon = profile.Needs.HorizonMonths
	}
	need := must(t, fund.ParseNeed, d.SettledNeed)
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
