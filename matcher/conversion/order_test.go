package conversion_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// reason is one thing that may settle the next action by itself.
type reason struct {
	name   string
	apply  func(c *conversion.Case)
	action conversion.Action
	text   string
}

// reasons stand in the order in which they settle it: docs/conversions.md says why.
func reasons() []reason {
	return []reason{
		{"he refused", func(c *conversion.Case) { c.Thread.RefusedUntil = 20240401 }, conversion.NoContact, "conversion.NO_CONTACT.peace"},
		{"no valid test", func(c *conversion.Case) { c.Standing = conversion.Information }, conversion.RetestRisk, "conversion.RETEST_RISK.required"},
		{"a complaint", func(c *conversion.Case) { c.Thread.Contact.OpenComplaints = 1 }, conversion.TalkToManager, "conversion.TALK_TO_MANAGER.complaint"},
		{"a warning", func(c *conversion.Case) { c.Standing = max(c.Standing, conversion.Confirmable) }, conversion.ConfirmRequired, "conversion.CONFIRM_REQUIRED.plain"},
		{"a bar", func(c *conversion.Case) { c.Standing = conversion.Refused }, conversion.Hold, "conversion.HOLD.not_now"},
		{"he holds it", func(c *conversion.Case) { c.Person.Held, c.Person.HeldVery = true, true }, conversion.Hold, "conversion.HOLD.already"},
		{"he holds another class", func(c *conversion.Case) { c.Person.Held = true }, conversion.Hold, "conversion.HOLD.other_class"},
		{"he named a day", func(c *conversion.Case) { c.Thread.NotNowUntil = 20240401 }, conversion.NoContact, "conversion.NO_CONTACT.not_now"},
		{"rebutted twice", func(c *conversion.Case) { c.Thread.Silenced = true }, conversion.Watch, "conversion.WATCH.plain"},
		{"put off", func(c *conversion.Case) { c.Thread.Postponed = true }, conversion.Watch, "conversion.WATCH.plain"},
		{"he feels sold to", func(c *conversion.Case) { c.Thread.Pushed = true }, conversion.Watch, "conversion.WATCH.plain"},
		{"he asks his family", func(c *conversion.Case) { c.Thread.Consulting = true }, conversion.Watch, "conversion.WATCH.family"},
		{"a question", func(c *conversion.Case) { c.Person.Question = "GOAL" }, conversion.Ask, "conversion.ASK.goal"},
		{"an elder alone", func(c *conversion.Case) { c.Person.Elder = true }, conversion.TalkToManager, "conversion.TALK_TO_MANAGER.elder"},
		{"no amount possible", func(c *conversion.Case) { c.Quote.Min, c.Quote.Max = 2, 1 }, conversion.Watch, "conversion.WATCH.plain"},
		{"beyond his means", func(c *conversion.Case) { c.Person.Affordable = false }, conversion.Watch, "conversion.WATCH.below_minimum"},
		{"he hesitates", hesitant(nil), conversion.Plan, "conversion.PLAN.monthly"},
		{"nothing", func(*conversion.Case) {}, conversion.Buy, "conversion.BUY.open"},
	}
}

// Of two reasons the earlier decides. A product has one standing, so the bar stands for
// a warning beside it; and two reasons change what an earlier one says: what is barred
// may be held, and an elder alone is sent to a person, not to a form.
func TestOrderOfDecisions(t *testing.T) {
	list := reasons()
	for i, first := range list {
		for _, second := range list[i:] {
			in := buyable(t)
			second.apply(&in)
			first.apply(&in)
			got, _ := conversion.Decide(&in, nil)
			action, text := first.action, first.text
			switch {
			case first.name == "a warning" && second.name == "a bar": // the gate says which
				action, text = conversion.Hold, "conversion.HOLD.not_now"
			case first.name == "a bar" && in.Person.Held:
				text = "conversion.HOLD.plain"
			case first.name == "a warning" && second.name == "an elder alone":
				action, text = conversion.TalkToManager, "conversion.TALK_TO_MANAGER.elder"
			}
			if got.Action != action || got.Sentence != text {
				t.Errorf("%s before %s: %s (%s), want %s (%s)", first.name, second.name, got.Action, got.Sentence, action, text)
			}
		}
	}
}

// anyCase draws everything that a decision reads.
func anyCase(t *rapid.T) conversion.Case {
	day := func(name string) fund.Date {
		return rapid.SampledFrom([]fund.Date{0, 20230101, 20240305, 20240306, 20240307, 20240501}).Draw(t, name)
	}
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	p := &fund.Product{
		Code: "161725", ShareClass: rapid.SampledFrom([]string{"", "A", "C"}).Draw(t, "share class"),
		Listing: fund.Listing{Status: fund.Status(rapid.IntRange(0, int(fund.Suspended)).Draw(t, "status"))},
		Terms: fund.Terms{
			ClosedUntil: day("closed until"), NextOpenOn: day("next open"), LockupDays: rapid.Int32Range(0, 1).Draw(t, "lockup"),
			MinPurchase: fund.Money(rapid.Int64Range(0, 200_000).Draw(t, "minimum")), DayLimit: fund.Money(rapid.Int64Range(0, 300_000).Draw(t, "limit")),
		},
	}
	means := conversion.Means{AUM: fund.Money(rapid.Int64Range(0, 10_000_000).Draw(t, "aum")), Share: 500, MaxShare: 2000, Rounding: 10_000}
	c := conversion.Case{
		Product: p, Grade: fund.RiskGrade(rapid.IntRange(0, 5).Draw(t, "grade")), Class: fund.Class(rapid.IntRange(0, fund.Classes-1).Draw(t, "class")),
		At: instantOf("2024-03-06T10:00:00+08:00"), Calendar: &fund.Calendar{}, Branch: flag("branch"), Plans: plans,
		Standing: conversion.Standing(rapid.IntRange(0, int(conversion.Refused)).Draw(t, "standing")),
		Person: conversion.Person{
			Level: fund.RiskLevel(rapid.IntRange(0, 5).Draw(t, "level")), Expired: day("expired"), Guardian: flag("guardian"), Elder: flag("elder"),
			Question: rapid.SampledFrom([]string{"", "GOAL", "HORIZON", "LIQUIDITY"}).Draw(t, "question"), Company: flag("company"), Affordable: means.Affords(p),
			HorizonMonths: rapid.Int32Range(0, 60).Draw(t, "horizon"), Income: fund.Money(rapid.Int64Range(0, 50_000_000).Draw(t, "income")), Held: flag("held"),
		},
		Thread: conversion.Thread{
			RefusedUntil: day("refused until"), NotNowUntil: day("not now"), Silenced: flag("silenced"), Hesitant: flag("hesitant"), Postponed: flag("postponed"),
			Contact: conversion.Contact{
				Allowed: flag("allowed"), NotBefore: day("not before"), OpenComplaints: rapid.Int32Range(0, 1).Draw(t, "complaints"),
				Reason: rapid.SampledFrom([]conversion.ContactReason{"", "REFUSED", "COMPLAINT", "NO_CONSENT", "CAP", "QUIET"}).Draw(t, "reason"),
			},
		},
	}
	c.Person.HeldVery = c.Person.Held && flag("this class")
	c.Quote.Min, c.Quote.Suggested, c.Quote.Max = means.Amount(p)
	c.Quote.Own.OK = flag("fees known")
	if flag("journey") {
		j := &fund.Journey{Node: fund.KeyNode(rapid.IntRange(0, int(fund.KeyNodes)-1).Draw(t, "node"))}
		j.Reached[j.Node] = c.At.Add(-hours(rapid.Int32Range(0, 3000).Draw(t, "hours ago")))
		if flag("refused once") {
			j.Refused.At = c.At.Add(-hours(rapid.Int32Range(0, 3000).Draw(t, "refused hours ago")))
		}
		c.Thread.Journey = j
	}
	return c
}

// After a refusal nothing follows, whatever else is known: no order, no question, no
// reason to talk, no date.
func TestNothingFollowsARefusal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(t)
		if rapid.Bool().Draw(t, "end known") {
			c.Thread.RefusedUntil = c.At.Date().AddDays(rapid.IntRange(1, 400).Draw(t, "for days"))
		} else {
			c.Thread.RefusedUntil, c.Thread.Journey = 0, &fund.Journey{Node: fund.Viewed, Refused: fund.RefusalWord{At: c.At}}
			c.Thread.Journey.Reached[fund.Viewed] = c.At
		}
		got, _ := conversion.Decide(&c, nil)
		if got.Action != conversion.NoContact || got.FollowUp != (conversion.FollowUp{}) || got.Plan != (conversion.PlanTerms{}) || got.Steps != [conversion.MaxSteps]conversion.Step{} {
			t.Fatalf("%+v", got)
		}
	})
}

// What every decision keeps, for any facts.
func TestEveryDecisionKeepsItsPromises(t *testing.T) {
	text := templates(t)
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(t)
		got, facts := conversion.Decide(&c, nil)
		if said := render(text, got.Sentence, got.Evidence); said == "" || !forCustomer(text, got.Sentence) {
			t.Fatalf("%s: %q cannot be said to the customer", got.Action, got.Sentence)
		}
		if got.ToManager != "" && (forCustomer(text, got.ToManager) || render(text, got.ToManager, got.Evidence) == "") {
			t.Fatalf("%s: %q cannot be said to the manager only", got.Action, got.ToManager)
		}
		offered := got.Action == conversion.Buy || got.Action == conversion.Plan
		if offered && (c.Standing != conversion.Permitted || c.Person.Held || c.Thread.Silenced || c.Thread.Contact.OpenComplaints > 0 || c.Thread.NotNowUntil > 20240306) {
			t.Fatalf("%s of what is not to be offered: %+v", got.Action, c)
		}
		q := &got.Quote
		if got.Action == conversion.Buy && q.Suggested != 0 && (q.Suggested < q.Min || q.Max > 0 && q.Suggested > q.Max) {
			t.Fatalf("%d fen of %d to %d", q.Suggested, q.Min, q.Max)
		}
		if a := got.Plan.Amount; a != 0 && (a < c.Product.Terms.MinPurchase || c.Product.Terms.DayLimit > 0 && a > c.Product.Terms.DayLimit) {
			t.Fatalf("parts of %d fen, terms %+v", a, c.Product.Terms)
		}
		if offered != (got.AvailableOn != 0 && got.Steps != [conversion.MaxSteps]conversion.Step{} && slicesEndWith(got.Steps[:], conversion.StepOrder)) {
			t.Fatalf("%s by %v", got.Action, got.Steps)
		}
		checkFollowUp(t, &c, &got)
		for _, e := range facts {
			if e.Source == "" || e.AsOf == 0 {
				t.Fatalf("a fact without source or day: %+v", e)
			}
		}
	})
}

// checkFollowUp holds what a follow-up may never do.
func checkFollowUp(t *rapid.T, c *conversion.Case, got *conversion.Conversion) {
	f := &got.FollowUp
	if *f == (conversion.FollowUp{}) {
		return
	}
	open, _ := c.Calendar.Open(f.On)
	bad := map[string]bool{
		"on a closed day":           !open,
		"in the past":               f.On < c.At.Date(),
		"before a contact may come": f.On < c.Thread.Contact.NotBefore,
		"before the day he named":   f.On < c.Thread.NotNowUntil,
		"after a complaint":         c.Thread.Contact.OpenComplaints > 0,
		"after a second rebuttal":   c.Thread.Silenced,
		"without consent":           !c.Thread.Contact.Allowed && c.Thread.Contact.Reason != "CAP" && c.Thread.Contact.Reason != "QUIET",
		"without a journey":         c.Thread.Journey == nil,
		"of a product not offered":  c.Standing != conversion.Permitted && f.Node != fund.Confirmed,
	}
	for what, is := range bad {
		if is {
			t.Fatalf("a follow-up %s: %+v after %s of %+v", what, *f, got.Action, c.Thread)
		}
	}
}
