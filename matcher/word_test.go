package matcher_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
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
