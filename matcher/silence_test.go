package matcher_test

import (
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// counter is the pool of the golden cases and somebody who may buy its first bond fund.
func counter(t *testing.T) (*matcher.Core, *fund.Profile, matcher.Request, string) {
	t.Helper()
	var pool []goldenProduct
	readYAML(t, "testdata/pool.yaml", &pool)
	at := must[fund.Instant](t)(fund.ParseInstant("2024-03-06T10:00:00+08:00"))
	b := &bank{asOf: at, day: at.Date(), navs: map[string][]fund.NAV{}, purchases: map[string][]fund.Purchase{}}
	for i := range pool {
		b.add(t, &pool[i])
	}
	customer := goldenCustomer{Level: "C3", Assessed: "2024-01-02", Born: "1990-01-01", Goals: "CASH", Horizon: 12, Need: "LOW", AUM: 800_000}
	core, profile := compile(t, b.inputs()), customer.profile(t, b.day)
	r := matcher.Request{At: at, Channel: fund.Branch, Licence: licensed, Audience: wording.Manager, Limit: 1}
	list := match(t, core, profile, r)
	if len(list.Items) == 0 || list.Items[0].Conversion.Action != conversion.Buy {
		t.Fatalf("nothing is offered to him: %+v", list.Items)
	}
	return core, profile, r, list.Items[0].Code
}

// A refusal holds for the days of the rule pack, to the day, or until the day that he
// named; then the product may be spoken of again, and not before.
func TestARefusalEnds(t *testing.T) {
	core, p, r, code := counter(t)
	for name, c := range map[string]struct {
		daysAgo int
		until   fund.Date
		want    conversion.Action
	}{
		"yesterday":                  {1, 0, conversion.NoContact},
		"a day less than it holds":   {89, 0, conversion.NoContact},
		"as long as it holds":        {90, 0, conversion.Buy},
		"long ago":                   {300, 0, conversion.Buy},
		"long ago, until tomorrow":   {300, 20240307, conversion.NoContact},
		"long ago, until today":      {300, 20240306, conversion.Buy},
		"yesterday, until yesterday": {1, 20240305, conversion.NoContact},
	} {
		p.Trail = behaviour.Of([]fund.Event{{
			Kind: fund.Refusal, ProductCode: code, At: r.At.Add(-time.Duration(c.daysAgo) * 24 * time.Hour), Until: c.until,
		}})
		e, err := core.Explain(p, code, r)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Slate.Items[0].Conversion.Action; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Whoever puts it off twice rebutted nothing: he is left to look again, and the manager
// is not told that his doubt was answered.
func TestPuttingOffIsNoRebuttal(t *testing.T) {
	core, p, r, code := counter(t)
	for about, want := range map[string]string{
		"NOT_NOW": "conversion.WATCH.manager.postponed", "FEE": "conversion.WATCH.manager.silenced",
	} {
		var said []fund.Event
		for _, ago := range [...]time.Duration{-40 * 24 * time.Hour, -20 * 24 * time.Hour} {
			said = append(said, fund.Event{Kind: fund.ObjectionRaised, ProductCode: code, About: about, At: r.At.Add(ago)})
		}
		p.Trail = behaviour.Of(said)
		e, err := core.Explain(p, code, r)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Slate.Items[0].Conversion; got.Action != conversion.Watch || got.ToManager != want {
			t.Errorf("%s: %s %s, want WATCH %s", about, got.Action, got.ToManager, want)
		}
	}
}

// Whoever put it off twice is not kept from it for ever: a year after the last time it may
// be spoken of again.
func TestPuttingOffIsForgotten(t *testing.T) {
	core, p, r, code := counter(t)
	for days, want := range map[int]conversion.Action{364: conversion.Watch, 365: conversion.Buy} {
		for _, kind := range [...]fund.EventKind{fund.OrderAbandon, fund.ObjectionRaised} {
			said := fund.Event{Kind: kind, ProductCode: code, At: r.At.Date().AddDays(-days).Start()}
			if kind == fund.ObjectionRaised {
				said.About = "NOT_NOW"
			}
			p.Trail = behaviour.Of([]fund.Event{said, said})
			e, err := core.Explain(p, code, r)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.Slate.Items[0].Conversion.Action; got != want {
				t.Errorf("%s twice, %d days ago: %s, want %s", kind, days, got, want)
			}
		}
	}
}

// Of somebody whose means are unknown the costs are those of the model's amount: of the
// least that can be bought they tell nothing.
func TestCostsOfUnknownMeans(t *testing.T) {
	core, p, r, code := counter(t)
	for aum, tells := range map[fund.Money]bool{0: false, 80_000_000: true} {
		p.Person.AUM = aum
		e, err := core.Explain(p, code, r)
		if err != nil {
			t.Fatal(err)
		}
		q := &e.Slate.Items[0].Conversion.Quote
		if q.CostAmount < 1_000_000 || (q.CostAmount == q.Suggested) != tells {
			t.Errorf("means %d: suggested %d, costs of %d", aum, q.Suggested, q.CostAmount)
		}
	}
}
