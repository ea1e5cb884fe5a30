package matcher_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/decisiontable"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// TestOrderCases holds every order of the decision table against the library. The same
// cases are asked over REST in services/server.
func TestOrderCases(t *testing.T) {
	table, err := decisiontable.Read("testdata/orders.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range table.IDs() {
		for i := range table.Rules[id] {
			c := &orderCase{&table.Rules[id][i]}
			t.Run(id+"/"+c.About, func(t *testing.T) { c.compare(t, id, c.check(t)) })
		}
	}
	for _, r := range eligibility.Reasons() {
		if !r.Order {
			continue
		}
		heard := func(c decisiontable.Case) bool { return c.Reason == r.Reason }
		if !slices.ContainsFunc(table.Rules[string(r.Rule)], heard) && r.Rule != eligibility.K01 {
			t.Errorf("no case for %s %s", r.Rule, r.Reason)
		}
	}
}

// orderCase is an order of the table.
type orderCase struct{ *decisiontable.Case }

// check asks the library.
func (c *orderCase) check(t *testing.T) *matcher.OrderCheck {
	t.Helper()
	profile, request := c.asked(t)
	core := c.compile(t, request.At)
	var out matcher.OrderCheck
	if err := core.CheckOrder(profile, request, &out); err != nil {
		t.Fatal(err)
	}
	checkSentences(t, core, &out)
	return &out
}

// asked is the customer and his order.
func (c *orderCase) asked(t *testing.T) (*fund.Profile, matcher.OrderRequest) {
	t.Helper()
	profile := got(c.Profile())(t)
	events := append(got(c.Events())(t), got(c.Origin())(t)...)
	profile.Trail = behaviour.Of(events)
	r := matcher.OrderRequest{
		ProductCode: got(c.Products())(t)[0].Code, Amount: got(c.Amount.Fen())(t), At: got(fund.ParseInstant(c.At))(t),
		Channel: got(fund.ParseChannel(c.Channel))(t), Licence: eligibility.LicenceValid, RecordingID: c.Recording,
	}
	for i := range c.Confirmed {
		r.Confirmations = append(r.Confirmations, c.given(t, &c.Confirmed[i], &r))
	}
	return profile, r
}

func (c *orderCase) compile(t *testing.T, at fund.Instant) *matcher.Core {
	t.Helper()
	return compile(t, c.inputs(t, at))
}

func (c *orderCase) inputs(t *testing.T, at fund.Instant) *matcher.Inputs {
	t.Helper()
	d := defaults()
	rules := d.rules
	if len(c.Set) > 0 {
		rules = got(eligibility.ParsePack(got(decisiontable.Edit(eligibility.Default(), c.Set))(t)))(t)
	}
	in := &matcher.Inputs{
		Identity: matcher.Identity{PoolRevision: 1, AsOf: at, ModelID: "m", RulesID: "r", WordingID: d.text.Version(), Engine: "test"},
		Products: got(c.Products())(t), Model: d.model, Rules: rules, Wording: d.text,
		NAVs:      func(func(string, []fund.NAV) error) error { return nil },
		Purchases: func(func(string, []fund.Purchase) error) error { return nil },
	}
	slices.SortFunc(in.Products, func(a, b fund.Product) int { return strings.Compare(a.Code, b.Code) })
	if days := got(c.Calendar())(t); days != nil {
		in.Calendar = fund.NewCalendar(days)
	}
	return in
}

// given is a confirmation as the service would have kept it.
func (c *orderCase) given(t *testing.T, w *decisiontable.Confirmation, r *matcher.OrderRequest) matcher.GivenConfirmation {
	t.Helper()
	product := got(c.Products())(t)[0]
	g := matcher.GivenConfirmation{
		ID: "w", AskedAt: got(fund.ParseInstant(w.Asked))(t), ConfirmedAt: got(fund.ParseInstant(w.Confirmed))(t), Used: w.Used,
		WarnedOf: matcher.WarnedOf{
			Rule: eligibility.RuleID(w.Rule), Reason: w.Reason, ProductCode: r.ProductCode, Grade: product.Grades.Effective(),
			Level: got(fund.ParseRiskLevel(c.Customer.Level))(t), Amount: r.Amount,
		},
		WordProof: matcher.WordProof{Channel: "APP", Trace: w.Trace, RecordingID: w.Recording, ReviewerID: w.Reviewer},
	}
	g.ExpiresAt = g.AskedAt.Add(matcher.OrderConfirmationLife)
	if w.Trace == "none" {
		g.Trace = ""
	}
	if w.Branch {
		g.Channel, g.ManagerID = fund.Branch.String(), decisiontable.ManagerID
	}
	if w.Product != "" {
		g.ProductCode = w.Product
	}
	if w.Grade != "" {
		g.Grade = got(fund.ParseRiskGrade(w.Grade))(t)
	}
	if w.Level != "" {
		g.Level = got(fund.ParseRiskLevel(w.Level))(t)
	}
	if w.Amount != "" {
		g.Amount = got(w.Amount.Fen())(t)
	}
	return g
}

// compare holds the answer against the case.
func (c *orderCase) compare(t *testing.T, id string, out *matcher.OrderCheck) {
	t.Helper()
	if verdict := out.Verdict.String(); verdict != c.Verdict {
		t.Errorf("verdict %s, expected %s: %+v", verdict, c.Verdict, out.Findings)
	}
	c.compareRule(t, id, c.Says, c.Reason, out)
	for other, says := range c.By {
		c.compareRule(t, other, says, "", out)
	}
	rejected := ""
	for _, r := range out.Rejected {
		rejected += string(r.Why)
	}
	if rejected != c.Rejected {
		t.Errorf("rejected %q, expected %q", rejected, c.Rejected)
	}
	if c.Step != "" {
		i := slices.IndexFunc(out.Steps, func(s matcher.OrderStep) bool { return string(s.Rule) == id && s.Code == c.Reason })
		if i < 0 || out.Steps[i].Done != (c.Step == "DONE") {
			t.Errorf("step %s, expected %s: %+v", c.Reason, c.Step, out.Steps)
		}
	}
	if c.Dealt != "" && out.Dealing.On.String() != c.Dealt {
		t.Errorf("dealt on %s, expected %s", out.Dealing.On, c.Dealt)
	}
	if c.Answer.Origin != "" && string(out.Origin.Reason) != c.Answer.Origin {
		t.Errorf("origin %s, expected %s", out.Origin.Reason, c.Answer.Origin)
	}
	if most := got(c.Most.Fen())(t); c.Most != "" && out.MaxAmount != most {
		t.Errorf("at most %d fen, expected %d", out.MaxAmount, most)
	}
}

func (c *orderCase) compareRule(t *testing.T, id, says, reason string, out *matcher.OrderCheck) {
	t.Helper()
	strongest, heard := eligibility.None, reason == ""
	for i := range out.Findings {
		if f := &out.Findings[i]; string(f.Rule) == id {
			strongest = max(strongest, f.Outcome)
			heard = heard || f.Reason == reason
		}
	}
	if strongest.String() != says || !heard {
		t.Errorf("%s says %s, expected %s (%s): %+v", id, strongest, says, reason, out.Findings)
	}
}

// got is a value whose error ends the test.
func got[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
