package matcher_test

import (
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// wordDay is when the customers of this file ask, in the branch.
const wordDay = "2024-03-05T10:00:00+08:00"

// asked explains a product of the golden pool to a customer.
func asked(t *testing.T, code string, p *fund.Profile) *matcher.Explanation {
	t.Helper()
	var pool []goldenProduct
	readYAML(t, "testdata/pool.yaml", &pool)
	at := must[fund.Instant](t)(fund.ParseInstant(wordDay))
	b := &bank{asOf: at, day: at.Date(), navs: map[string][]fund.NAV{}, purchases: map[string][]fund.Purchase{}}
	for i := range pool {
		if pool[i].Code == "FO1" {
			pool[i].Lockup = 1095 // longer than what is pushed to an elder
		}
		b.add(t, &pool[i])
	}
	e, err := b.compile(t).Explain(p, code, matcher.Request{At: at, Channel: fund.Branch, Licence: licensed, Audience: wording.Manager})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// saver is a customer who told the bank what he wants.
func saver(goal fund.Goal, months int32) *fund.Profile {
	return &fund.Profile{
		CustomerID: "saver", Person: fund.Person{InvestorType: fund.Ordinary, BirthDate: 19800229, Capacity: fund.FullCapacity, AUM: 60_000_000},
		Assessment: fund.Assessment{Level: fund.C4, On: 20240101},
		Needs:      fund.StatedNeeds{Goals: []fund.Goal{goal}, HorizonMonths: months, Liquidity: fund.NeedLow},
		Consents:   []fund.Consent{{Purpose: fund.ConsentCall, Granted: true}},
	}
}

// What he said stands before an order, and what keeps a product from him is said to him.
func TestHisWordStandsBeforeAnOrder(t *testing.T) {
	at := must[fund.Instant](t)
	family := fund.Event{Kind: fund.ObjectionRaised, At: at(fund.ParseInstant("2024-03-01T10:00:00+08:00")), ProductCode: "SB1A", About: "ASK_FAMILY"}
	started := fund.Event{Kind: fund.OrderStart, At: at(fund.ParseInstant("2024-03-04T10:00:00+08:00")), ProductCode: "SB1A"}
	lastYear, elsewhere := family, family
	lastYear.At = at(fund.ParseInstant("2023-03-01T10:00:00+08:00"))
	elsewhere.ProductCode = "MB1"
	complaint := fund.Event{Kind: fund.Complaint, At: started.At}
	steady := func() *fund.Profile { return saver(fund.SteadyIncome, 24) }
	for name, c := range map[string]struct {
		code   string
		p      *fund.Profile
		events []fund.Event
		want   string
	}{
		"nothing said":                    {"SB1A", steady(), nil, "conversion.BUY.open"},
		"he asks his family":              {"SB1A", steady(), []fund.Event{family}, "conversion.WATCH.family"},
		"he came back and began an order": {"SB1A", steady(), []fund.Event{family, started}, "conversion.BUY.open"},
		"he asked them last year":         {"SB1A", steady(), []fund.Event{lastYear}, "conversion.BUY.open"},
		"he asked them about another":     {"SB1A", steady(), []fund.Event{elsewhere}, "conversion.BUY.open"},
		"a complaint is open":             {"SB1A", steady(), []fund.Event{complaint}, "conversion.NO_CONTACT.complaint"},
		"against his goal":                {"EQ1A", saver(fund.Cash, 6), nil, "conversion.CONFIRM_REQUIRED.unfit"},
		"the dearer class by name":        {"SB1C", steady(), nil, "conversion.BUY.open.dearer_class"},
	} {
		c.p.Trail = behaviour.Of(c.events)
		if got := asked(t, c.code, c.p).Slate.Items[0].Conversion.Sentence; got != c.want {
			t.Errorf("%s: says %s, want %s", name, got, c.want)
		}
	}
	minor := steady()
	minor.Person.BirthDate = 20100101
	if got := asked(t, "SB1A", minor).Slate.Items[0].Conversion.Sentence; got != "conversion.HOLD.underage" {
		t.Errorf("under 18: says %s", got)
	}
	ward := steady()
	ward.Person.Capacity = fund.LimitedCapacity
	if v := asked(t, "SB1A", ward).Slate.Items[0].Conversion; v.Sentence != "conversion.HOLD.not_now" {
		t.Errorf("two rules stand against it, and he is told of one: %s", v.Sentence)
	}
	elder := saver(fund.Retirement, 60)
	elder.Person.BirthDate = 19550101
	if got := asked(t, "FO1", elder).Slate.Items[0].Conversion.Sentence; got != "conversion.CONFIRM_REQUIRED.lockup" {
		t.Errorf("an elder, a long lockup: says %s", got)
	}
}

// A group's guess foresees no doubt: nobody who said nothing is told what he wants.
func TestAGroupForeseesNoDoubt(t *testing.T) {
	young := saver(fund.Cash, 0)
	young.Person.BirthDate = 19990101
	byGoal := func(p *fund.Profile) bool {
		for _, o := range asked(t, "MM1", p).Slate.Items[0].Objections {
			for _, trigger := range o.Triggers {
				if o.Code == objection.OpportunityCost && trigger == "CASH_GOAL" {
					return true
				}
			}
		}
		return false
	}
	if !byGoal(young) {
		t.Error("he said that it is cash, and no doubt comes of it")
	}
	young.Needs.Goals = nil
	if e := asked(t, "MM1", young); e.Slate.Wish.Source != expectation.FromGroup || e.Slate.Wish.Goal != fund.Cash {
		t.Fatalf("the group says %s", e.Slate.Wish.Goal)
	}
	if byGoal(young) {
		t.Error("the group's guess is taken for his word")
	}
}

// Where nobody knows his means, costs and losses are of an amount that tells something,
// within what may be ordered in a day; and a company is asked as one, personal or not.
func TestWhatIsSaidWithoutMeans(t *testing.T) {
	p := saver(fund.SteadyIncome, 24)
	p.Person.AUM = 0
	reference := defaults().model.Settings.Cost.ReferenceAmount
	if v := asked(t, "SB1A", p).Slate.Items[0].Conversion; v.Quote.CostAmount != reference || v.Quote.Suggested != 1_000 {
		t.Errorf("costs of %d fen beside a suggestion of %d, want %d and 1000", v.Quote.CostAmount, v.Quote.Suggested, reference)
	}
	limited := saver(fund.Growth, 60)
	limited.Person.AUM = 0
	if v := asked(t, "BA1", limited).Slate.Items[0].Conversion; v.Quote.CostAmount != 100_000 {
		t.Errorf("costs of %d fen, the day limit is 100000", v.Quote.CostAmount)
	}
	company := &fund.Profile{CustomerID: "company", Person: fund.Person{Segment: fund.CorporateSegment}, Personalization: fund.No}
	company.Assessment = fund.Assessment{Level: fund.C2, On: 20240101}
	if e := asked(t, "MM2", company); e.Personal || e.Slate.Wish.QuestionSentence() != "expectation.question.goal.TREASURY" {
		t.Errorf("a company is asked %s, personal: %v", e.Slate.Wish.QuestionSentence(), e.Personal)
	}
}

// What alone stands against a sale is said with what he can do about it; what stands beside
// another thing is not: he would be sent the wrong way.
func TestWhyHeCannotBuyIt(t *testing.T) {
	t.Parallel()
	pension := graded("Y", fund.R2)
	pension.ShareClass, pension.Listing.Kind = "Y", fund.PensionFund
	unseen := pension
	unseen.Code, unseen.Listing.DueDiligenceID = "YY", ""
	core := rematchCore(t, pension, unseen)
	ask := func(p *fund.Profile, code string) *matcher.Explanation {
		e, err := core.Explain(p, code, matcher.Request{At: rematchDay.Start(), Channel: fund.App, Audience: wording.Customer})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	p := owner(level(fund.C3, 20260601))
	e := ask(p, "Y")
	if v := e.Slate.Items[0].Conversion; v.Sentence != "conversion.HOLD.pension" || v.Steps[0] != "OPEN_PENSION_ACCOUNT" || v.Steps[1] != "" {
		t.Errorf("without a pension account: %s %v", v.Sentence, v.Steps)
	}
	if f := e.Strongest(); f == nil || f.Rule != eligibility.P03 || f.Outcome != eligibility.Block || core.Words(f, wording.Customer).Remedy == "" {
		t.Errorf("what decides is %+v", f)
	}
	if v := ask(p, "YY").Slate.Items[0].Conversion; v.Sentence != "conversion.HOLD.not_now" || v.Steps[0] != "" {
		t.Errorf("not examined either: %s %v", v.Sentence, v.Steps)
	}
	p.Person.Pension = fund.Yes
	if f := ask(p, "Y").Strongest(); f != nil && f.Rule == eligibility.P03 {
		t.Errorf("with an account: %+v", f)
	}
	if f := ask(p, "R4").Strongest(); f == nil || f.Outcome < eligibility.Hide {
		t.Errorf("above his level nothing decides: %+v", f)
	}
	ward := owner(level(fund.C1, 20260601))
	ward.Person.Capacity = fund.LimitedCapacity
	if v := ask(ward, "R4").Slate.Items[0].Conversion; v.Sentence == "conversion.HOLD.guardian" {
		t.Errorf("a guardian does not cure the grade: %s", v.Sentence)
	}
}

// What would have to change is said of the reason where the rule's other reasons are cured
// otherwise: a private fund is never admitted, and of a product of R2 nobody is told that R2
// will do.
func TestWhatWouldHaveToChangeIsTrueOfTheReason(t *testing.T) {
	t.Parallel()
	core := rematchCore(t)
	for _, c := range []struct {
		finding     eligibility.Finding
		with, never string
	}{
		{eligibility.Finding{Rule: eligibility.C02, Reason: "PRIVATE_FUND", Facts: []eligibility.Fact{{Name: "kind", Value: "PRIVATE"}}}, "不能进入", "尽职调查"},
		{eligibility.Finding{Rule: eligibility.C02, Reason: "DUE_DILIGENCE_MISSING"}, "尽职调查", "不能进入"},
		{eligibility.Finding{Rule: eligibility.C02, Reason: "NOT_YET_IN_POOL", Facts: []eligibility.Fact{{Name: "pool_from", Value: "2027-01-17"}}}, "2027年1月17日", "尽职调查"},
		{eligibility.Finding{Rule: eligibility.E02, Reason: "CAPACITY_LIMITED", Facts: []eligibility.Fact{{Name: "grade", Value: "R2"}}}, "监护人", "R2"},
		{eligibility.Finding{Rule: eligibility.E02, Reason: "MINOR"}, "十八周岁", "监护人"},
	} {
		got := core.Words(&c.finding, wording.Manager).Change
		if !strings.Contains(got, c.with) || strings.Contains(got, c.never) {
			t.Errorf("%s %s: %q, want %q in it and not %q", c.finding.Rule, c.finding.Reason, got, c.with, c.never)
		}
	}
}

// A branch that has nobody who may sell is told so, and not that nothing suits the customer;
// he himself is not told about the bank's people (C03).
func TestABranchWithoutALicenceIsToldSo(t *testing.T) {
	t.Parallel()
	core := rematchCore(t, graded("Z", fund.R1))
	for _, c := range []struct {
		licence  matcher.Licence
		audience wording.Audience
		want     string
	}{
		{matcher.Licence{}, wording.Manager, "MANAGER_NOT_LICENSED"},
		{matcher.Licence{ManagerID: "m1", State: matcher.LicenceExpired}, wording.Manager, "MANAGER_NOT_LICENSED"},
		{matcher.Licence{}, wording.Customer, "NO_SUITABLE_PRODUCT"},
		{licensed, wording.Manager, ""},
	} {
		s := match(t, core, owner(level(fund.C3, 20260601)), matcher.Request{
			At: rematchDay.Start(), Channel: fund.Branch, Licence: c.licence, Audience: c.audience, Limit: 10,
		})
		var got []string
		for _, n := range s.Notices {
			if n.Code == "MANAGER_NOT_LICENSED" || n.Code == "NO_SUITABLE_PRODUCT" {
				got = append(got, n.Code)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v, %s: %q, want %q", c.licence, c.audience, got, c.want)
		}
	}
}
