package matcher_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/decisiontable"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// duties do what the rules bind other work of the program to, and tell what was done.
var duties = map[string]func(c *orderCase, t *testing.T) string{
	"S08": (*orderCase).rematched,
	"A04": (*orderCase).next,
	"A05": (*orderCase).charged,
	"A09": (*orderCase).tagged,
	"F03": (*orderCase).served,
	"F04": (*orderCase).modelled,
	"K03": (*orderCase).issued,
}

// TestDutyCases holds the program's other work to the cases of the decision table.
func TestDutyCases(t *testing.T) {
	table, err := decisiontable.Read("testdata/duties.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range table.IDs() {
		for i := range table.Rules[id] {
			c := &orderCase{&table.Rules[id][i]}
			t.Run(id+"/"+c.About, func(t *testing.T) {
				if does := duties[id](c, t); does != c.Does {
					t.Errorf("%s, expected %s", does, c.Does)
				}
			})
		}
	}
}

func (c *orderCase) instant(t *testing.T) fund.Instant {
	t.Helper()
	return got(fund.ParseInstant(c.At))(t)
}

func (c *orderCase) rules(t *testing.T) *eligibility.Edition {
	t.Helper()
	pack := got(eligibility.ParsePack(got(decisiontable.Edit(eligibility.Default(), c.Set))(t)))(t)
	e := pack.InForce(c.instant(t))
	return &e
}

// rematched (S08) matches again what he has.
func (c *orderCase) rematched(t *testing.T) string {
	t.Helper()
	profile, at := got(c.Profile())(t), c.instant(t)
	var out matcher.Rematch
	if err := c.compile(t, at).Rematch(profile, at, nil, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Mismatches) == 0 {
		return "NOTHING"
	}
	m := &out.Mismatches[0]
	since := m.Since.String()
	if m.Since == 0 {
		since = "-"
	}
	return m.ProductCode + " " + m.Kind.String() + " " + m.Cause.String() + " " + since + " " + m.Task.String()
}

// next (A04) is the step that is proposed to him.
func (c *orderCase) next(t *testing.T) string {
	t.Helper()
	profile, at := got(c.Profile())(t), c.instant(t)
	e := got(c.compile(t, at).Explain(profile, decisiontable.Code, matcher.Request{At: at, Channel: fund.App, Limit: matcher.DefaultLimit}))(t)
	return e.Slate.Items[0].Conversion.Action.String()
}

// charged (A05) is what the order costs him, and another who differs in all that is known of
// his likes and habits.
func (c *orderCase) charged(t *testing.T) string {
	t.Helper()
	profile, request := c.asked(t)
	core := c.compile(t, request.At)
	fee := func(p *fund.Profile) string {
		var out matcher.OrderCheck
		if err := core.CheckOrder(p, request, &out); err != nil {
			t.Fatal(err)
		}
		for i := range out.Findings {
			f := &out.Findings[i]
			if j := slices.IndexFunc(f.Facts, func(x eligibility.Fact) bool { return x.Name == "entry_fee_fen" }); j >= 0 {
				return f.Facts[j].Value
			}
		}
		return "UNKNOWN"
	}
	other := *profile
	other.Personalization = fund.No
	other.Tags = []fund.Tag{{Name: "favourite", Value: "technology", To: fund.Forever}, {Name: "price_sensitive", Value: "no", To: fund.Forever}}
	other.Attributes = []fund.Attribute{{Name: "phone", Value: "expensive"}}
	other.Person.Industry, other.Person.Segment, other.Person.AUM = "金融", "PRIVATE", 10*profile.Person.AUM
	if his, others := fee(profile), fee(&other); his != others {
		return his + " AND " + others
	}
	return "SAME " + fee(profile)
}

// tagged (A09) is what becomes of a tag.
func (c *orderCase) tagged(t *testing.T) string {
	t.Helper()
	if c.compile(t, c.instant(t)).ForbidsTag(c.Given) {
		return "REFUSED"
	}
	return "KEPT"
}

// served (F03) is the service fee of a holding.
func (c *orderCase) served(t *testing.T) string {
	t.Helper()
	p := got(c.Products())(t)[0]
	if p.Missing.Has(fund.FieldServiceFee) {
		return c.charged(t)[len("SAME "):]
	}
	days, amount := got(strconv.Atoi(c.Given))(t), got(c.Amount.Fen())(t)
	p.Fees.Subscription = nil // ten thousand yuan are held, not bought
	limit := c.rules(t).ServiceFeeDays().For(p.Class())
	return strconv.FormatInt(int64(p.Fees.CostOf(amount, int32(days), limit).Service), 10)
}

// modelled (F04) is what becomes of a model that reads an input; without one, of the built-in.
func (c *orderCase) modelled(t *testing.T) string {
	t.Helper()
	if c.Given != "" && c.rules(t).ForbidsInput(c.Given) {
		return "REFUSED"
	}
	in := c.inputs(t, c.instant(t))
	if _, err := matcher.Compile(in); errors.Is(err, score.ErrForbiddenInput) {
		return "REFUSED"
	} else if err != nil {
		t.Fatal(err)
	}
	return "TAKEN"
}

// issued (K03) is whether the fund counts as a new issue.
func (c *orderCase) issued(t *testing.T) string {
	t.Helper()
	if c.compile(t, c.instant(t)).IsNewIssue(0) {
		return "NEW"
	}
	return "EXISTING"
}
