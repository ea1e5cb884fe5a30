package recommendation

import (
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

const explainedOn = fund.Date(20240306)

// explainedPool has, for each reason that a rule can give about a product, one that
// gives it.
func explainedPool() []fund.Product {
	good := fund.Product{
		Type: "股票型", Grades: fund.Grades{Bank: fund.R4}, Listing: fund.Listing{Kind: fund.PublicFund, Status: fund.Open, DueDiligenceID: "D"},
	}
	var out []fund.Product
	for code, change := range map[string]func(p *fund.Product){
		"good": func(*fund.Product) {}, "r1": func(p *fund.Product) { p.Grades.Bank = fund.R1 },
		"ungraded": func(p *fund.Product) { p.Grades.Bank = 0 }, "trust": func(p *fund.Product) { p.Listing.Kind = fund.Trust },
		"private": func(p *fund.Product) { p.Listing.Kind = fund.PrivateFund }, "soon": func(p *fund.Product) { p.Listing.PoolFrom = 20240401 },
		"over": func(p *fund.Product) { p.Listing.PoolTo = 20240301 }, "unexamined": func(p *fund.Product) { p.Listing.DueDiligenceID = "" },
		"suspended": func(p *fund.Product) { p.Listing.Status = fund.Suspended }, "closed": func(p *fund.Product) { p.Listing.Status = fund.Closed },
		"stateless": func(p *fund.Product) { p.Listing.Status = 0 }, "period": func(p *fund.Product) { p.Terms.ClosedUntil = 20240501 },
		"later": func(p *fund.Product) { p.Terms.NextOpenOn = 20240501 }, "locked": func(p *fund.Product) { p.Terms.LockupDays = 1095 },
		"unknown": func(p *fund.Product) { p.Type = "?" }, "pension": func(p *fund.Product) { p.ShareClass, p.Listing.Kind = "Y", fund.PensionFund },
	} {
		p := good
		p.Code = code
		change(&p)
		out = append(out, p)
	}
	return out
}

// explainedCustomers are of every standing before the rules.
func explainedCustomers() []fund.Profile {
	growth := fund.StatedNeeds{Goals: []fund.Goal{fund.Growth}, HorizonMonths: 60, Liquidity: fund.NeedLow}
	person := fund.Person{BirthDate: 19850505, Capacity: fund.FullCapacity}
	assessed := func(l fund.RiskLevel) fund.Assessment { return fund.Assessment{Level: l, On: 20240101} }
	return []fund.Profile{
		{Person: person, Assessment: assessed(fund.C5), Needs: growth},
		{Person: person, Assessment: assessed(fund.C3), Needs: growth},
		{Person: person, Assessment: assessed(fund.C1), Needs: growth},
		{Person: person, Assessment: assessed(fund.C5), Needs: fund.StatedNeeds{Goals: []fund.Goal{fund.Cash}, HorizonMonths: 1, Liquidity: fund.NeedHigh}},
		{Person: person, Assessment: assessed(fund.C5)},
		{Person: person},
		{Person: person, Assessment: fund.Assessment{Level: fund.C4, On: 20220101}},
		{Person: person, PredictedLevel: fund.C5},
		{Person: fund.Person{BirthDate: 20100101}},
		{Person: fund.Person{BirthDate: 19500101, Capacity: fund.FullCapacity}, Assessment: assessed(fund.C5), Needs: growth},
		{Person: fund.Person{BirthDate: 19850505, Capacity: fund.LimitedCapacity}, Assessment: assessed(fund.C5)},
		{Person: fund.Person{BirthDate: 19850505}},
		{},
		{Person: fund.Person{BirthDate: 19850505, Capacity: fund.FullCapacity, OpenChecks: fund.CheckAML}, Assessment: assessed(fund.C5), Needs: growth},
		{Person: person, Assessment: assessed(fund.C5), Needs: growth, Assessments: []fund.Assessed{
			{At: fund.Date(20230601).Start(), Level: fund.C1},
			{At: fund.Date(20240101).Start(), Level: fund.C2},
			{At: fund.Date(20240101).Start() + 1, Level: fund.C3},
			{At: fund.Date(20240101).Start() + 2, Level: fund.C5},
		}},
		{Person: person, Assessment: assessed(fund.C5), Needs: growth, Trail: fund.Trail{Recent: []fund.Event{
			{At: fund.Date(20240220).Start(), Kind: fund.Refusal, ProductCode: "good"},
			{At: fund.Date(20240221).Start(), Kind: fund.Refusal},
			{At: fund.Date(20240222).Start(), Kind: fund.Complaint},
		}}},
	}
}

// Every reason that a rule gives has a sentence of its own that the rule's facts fill,
// and every such sentence is the answer to some reason.
func TestEveryReasonHasItsSentence(t *testing.T) {
	pack, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		t.Fatal(err)
	}
	products := explainedPool()
	gate, err := eligibility.Compile(pack, products, explainedOn.Start())
	if err != nil {
		t.Fatal(err)
	}
	core := coreOf(t, pack, nil)
	view := presenter{core: core, audience: wording.Manager, static: newStatic(core.Wording(), wording.Manager)}
	given := map[string]bool{}
	for _, p := range explainedCustomers() {
		for _, ctx := range []eligibility.Context{
			{}, {Public: true}, {Channel: fund.Branch}, {Order: true}, {Order: true, Initiative: fund.ByCustomer}, {Initiative: fund.ByCustomer, Channel: fund.Branch},
		} {
			ctx.At = explainedOn.Start()
			var refusals eligibility.Refusals
			gate.Refusals(&p, ctx.At, &refusals)
			facts := gate.Facts(&p, goalOf(&p), p.Needs.HorizonMonths, p.Needs.Liquidity, ctx)
			for i := range products {
				_, spoken := gate.Judge(i, &facts, &refusals, nil)
				told := view.findings(spoken)
				desk{&view}.findings(spoken, told)
				view.page.finish()
				for j, f := range told {
					name := "rule." + f.GetRuleId() + "." + f.GetReason()
					given[name] = true
					if f.GetText() == "" || strings.HasPrefix(f.GetText(), "规则"+f.GetRuleId()) || f.GetCitation() == "" {
						t.Errorf("%s about %s has no sentence for %+v", name, products[i].Code, spoken[j].Facts)
					}
				}
			}
		}
	}
	if view.err != nil {
		t.Error(view.err)
	}
	// What the gate may say at all has sentences too, whether or not these products and
	// customers bring it about, and so has every way out.
	for _, r := range eligibility.Reasons() {
		name := "rule." + string(r.Rule) + "." + r.Reason
		given[name] = true
		if _, ok := core.Wording().ID(name); !ok {
			t.Errorf("%s has no sentence", name)
		}
		for _, code := range r.Remedies {
			given["remedy."+code] = true
			if w := core.Words(&eligibility.Finding{Rule: r.Rule, Reason: r.Reason, Remedy: eligibility.Remedy{Code: code, On: 20261204}}, wording.Manager); w.Remedy == "" && code != eligibility.RemedyNone {
				t.Errorf("%s: the way out %s has no sentence", name, code)
			}
		}
	}
	for _, name := range core.Wording().Names() {
		base := name
		for _, suffix := range []string{".plain", ".no_level", ".no_grade", ".dated", ".customer"} {
			base = strings.TrimSuffix(base, suffix)
		}
		if strings.HasPrefix(name, "rule.") && !strings.HasPrefix(name, "rule.unknown.") && !strings.HasSuffix(name, ".change") && !given[base] {
			t.Errorf("%s is said for no reason", name)
		}
	}
	t.Logf("%d reasons", len(given))
}

func goalOf(p *fund.Profile) fund.Goal {
	if len(p.Needs.Goals) == 0 {
		return fund.GoalUnknown
	}
	return p.Needs.Goals[0]
}

// coreOf is a core of products without a market, that has the sentences.
func coreOf(t *testing.T, pack *eligibility.Pack, products []fund.Product) *matcher.Core {
	t.Helper()
	model, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		t.Fatal(err)
	}
	text, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		t.Fatal(err)
	}
	core, err := matcher.Compile(&matcher.Inputs{
		Identity: matcher.Identity{AsOf: explainedOn.Start()}, Products: products, Model: model, Rules: pack, Wording: text,
		NAVs:      func(func(string, []fund.NAV) error) error { return nil },
		Purchases: func(func(string, []fund.Purchase) error) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return core
}
