package matcher

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// item completes one pick: share class, doubts, action, fit, and the manager's card.
func (c *Core) item(a *asking, pick slate.Pick, w *work) Item {
	i := c.cheapestClass(a, pick.Product, w)
	s := subject{product: i, standing: conversion.Permitted, peer: pick.Peer, offered: &w.verdicts}
	if w.verdicts.Information {
		s.standing = conversion.Information
	}
	it := Item{Code: c.products[i].Code, Score: w.scores.Product[i], Propensity: 1}
	if pick.Peer >= 0 {
		it.PeerCode = c.products[pick.Peer].Code
	}
	start := len(w.contributions)
	w.contributions = c.scorer.Contributions(&w.scores, int(i), w.contributions)
	it.Contributions = w.contributions[start:len(w.contributions):len(w.contributions)]
	it.Why = WhyOf(it.Contributions, a.personal)
	c.complete(a, &it, s, w)
	return it
}

// subject is a product that an item is completed for.
type subject struct {
	product  int32
	standing conversion.Standing
	bar      conversion.Bar        // why it is Confirmable
	peer     int32                 // existing fund beside a new issue; -1: none
	offered  *eligibility.Verdicts // which share classes may be compared and chosen; nil: all
}

// complete adds 化, which speaks of the amount and its cost, then 发, which depends on the
// doubts, then 接, and for a manager the card.
func (c *Core) complete(a *asking, it *Item, s subject, w *work) {
	quote := c.quote(a, s, w)
	journey := a.journey(c.products[s.product].Code, w)
	refused := c.refusedUntil(a, s.product, w)
	it.Objections = c.foresee(a, s, &quote, journey, refused != 0, w)
	c.decide(a, it, s, &quote, journey, refused, w)
	c.foretell(a, it, s, journey, w)
	c.expect(a, it, s, &quote, w)
	if a.request.Audience == wording.Manager {
		it.Card = c.card(a, it, s, &quote, w)
	}
}

// journey is how far he went with the product, where that may be read.
func (a *asking) journey(code string, w *work) *fund.Journey {
	if !a.personal {
		return nil
	}
	return w.conduct.Journey(code)
}

// foresee adds 化.
func (c *Core) foresee(a *asking, s subject, quote *conversion.Quote, journey *fund.Journey, refused bool, w *work) []objection.Objection {
	k := &w.doubt
	*k = objection.Case{Subject: c.subjects[s.product]}
	k.Day = a.request.At.Date()
	if s.peer >= 0 {
		w.peer = objection.Peer{Name: c.products[s.peer].Name, Record: c.subjects[s.peer].Record}
		k.Peer = &w.peer
	}
	k.Quote = objection.Quote{
		Months: quote.Months, Amount: quote.CostAmount, Asked: quote.Suggested > 0,
		A: objectionCost(&quote.A), C: objectionCost(&quote.C), Own: objectionCost(&quote.Own),
	}
	k.Customer.Refused, k.Barred = refused, s.standing != conversion.Permitted
	if a.personal {
		p := a.profile
		k.Customer = objection.Customer{
			Person: objection.Person{
				Level: a.level(), Goal: likelyGoal(&a.wish), Need: a.wish.Need, HorizonMonths: a.wish.HorizonMonths,
				Elder: a.facts.Elder, Company: a.facts.Company, Tags: p.Tags, Words: p.Consents,
				OptedOut: a.optedOut(),
			},
			Personal: true, At: a.request.At, Refused: refused, Conduct: &w.conduct, Journey: journey,
			Doubts: w.conduct.DoubtsAbout(c.products[s.product].Code), Held: w.holdings,
		}
	}
	start := len(w.objections)
	w.objections, w.facts = objection.Foresee(k, w.objections, w.facts)
	return w.objections[start:len(w.objections):len(w.objections)]
}

// likelyGoal is the goal that a doubt may be foreseen from: a group's guess is asked
// about and tells nothing of him.
func likelyGoal(w *expectation.Wish) fund.Goal {
	if !w.Scores() {
		return fund.GoalUnknown
	}
	return w.Goal
}

// optedOut reports whether he refused calls or pushes lately: who never wanted them since
// he came is left alone and has nothing against the bank.
func (a *asking) optedOut() bool {
	from := a.request.At.Date().AddDays(-doubtDays).Start()
	for i := range a.profile.Consents {
		x := &a.profile.Consents[i]
		if !x.Granted && x.At >= from && (x.Purpose == fund.ConsentCall || x.Purpose == fund.ConsentPush) {
			return true
		}
	}
	return false
}

// decide adds 发.
func (c *Core) decide(a *asking, it *Item, s subject, quote *conversion.Quote, journey *fund.Journey, refused fund.Date, w *work) {
	p := &c.products[s.product]
	_, held := slices.BinarySearch(w.held, c.funds.of[s.product])
	means := c.means(a, s.product, w)
	k := conversion.Case{
		Product: p, Grade: c.subjects[s.product].Grade, Class: c.classes[s.product], At: a.request.At, Calendar: &c.calendar,
		Standing: s.standing, Bar: s.bar, Branch: a.request.Channel == fund.Branch, Quote: *quote,
		Plans: conversion.PlanLimits{Months: c.model.Settings.Plan.MinHorizonMonths, Share: c.model.Settings.Plan.IncomeShare},
		Person: conversion.Person{
			Level: a.facts.Level, Expired: c.expiry(a), Guardian: limitedCapacity(a.facts.Capacity), Elder: a.facts.Elder,
			Company: a.facts.Company, Affordable: means.Affords(p), HorizonMonths: a.wish.HorizonMonths,
			Held: held || a.justBought(journey), HeldVery: held && w.hasVery(p) || a.justBought(journey),
		},
		Thread: c.thread(a, it, journey, refused, w),
	}
	if a.personal {
		k.Person.Income = a.profile.Person.Income
	}
	if a.mustAsk {
		k.Person.Question, k.Person.Answered = a.wish.Question.String(), a.wish.Answered()
	}
	it.Conversion, w.facts = conversion.Decide(&k, w.facts)
	if k.Person.HeldVery && s.standing != conversion.Permitted {
		c.reduce(a, it, s.product, w)
	}
}

// justBought reports whether his order was confirmed lately: until the holding is on file,
// which may take days, he is not sold the same again.
func (a *asking) justBought(journey *fund.Journey) bool {
	if journey == nil || journey.Node != fund.Confirmed {
		return false
	}
	return journey.Reached[fund.Confirmed] >= a.request.At.Date().AddDays(-conversion.CompanionDays).Start()
}

// thread gathers what was said and done about the product.
func (c *Core) thread(a *asking, it *Item, journey *fund.Journey, refused fund.Date, w *work) conversion.Thread {
	t := conversion.Thread{Journey: journey, RefusedUntil: refused, Contact: a.contact}
	if refused == 0 && journey != nil {
		// The gate lets it pass: what he refused once has ended, and conversion is told when,
		// or it would take the refusal for one without an end.
		t.RefusedUntil = conversion.RefusedUntil(journey.Refused, c.contact.RefusalDays)
	}
	for i := range it.Objections {
		o := &it.Objections[i]
		t.Silenced = t.Silenced || o.Silenced && o.Code != objection.NotNow // who puts it off rebuts nothing
		hesitates := o.Code == objection.Timing || o.Code == objection.LossTrauma
		t.Hesitant = t.Hesitant || hesitates && o.Band >= fund.Medium
	}
	if a.personal {
		c.putOff(a, it.Code, &t, w)
	}
	return t
}

// putOff adds what he said about the product himself, and how often he put it off.
func (c *Core) putOff(a *asking, code string, t *conversion.Thread, w *work) {
	journey := t.Journey
	lately := a.request.At.Date().AddDays(1 - postponedDays).Start()
	times := int32(0)
	if journey != nil && journey.Reached[fund.Abandoned] >= lately {
		times = journey.Abandons
	}
	if a.request.Channel != fund.App {
		// "After the holidays" is said of everything. In the app his own feed goes on.
		for _, d := range w.conduct.DoubtsAbout("") {
			if doubt, ok := objection.ParseCode(d.Code); ok && doubt == objection.NotNow && d.Until > a.request.At.Date() {
				t.NotNowUntil = max(t.NotNowUntil, d.Until)
			}
		}
	}
	for _, d := range w.conduct.DoubtsAbout(code) {
		switch doubt, _ := objection.ParseCode(d.Code); doubt { //nolint:exhaustive // the others leave an order to him
		case objection.NotNow:
			if d.Last >= lately {
				times += d.Count
			}
			if d.Until > a.request.At.Date() {
				t.NotNowUntil = max(t.NotNowUntil, d.Until)
			}
		case objection.AskFamily:
			t.Consulting = stands(&d, journey, a.request.At)
		case objection.Pushed:
			t.Pushed = stands(&d, journey, a.request.At)
		}
	}
	t.Postponed = times >= c.limits.Postponements
}

// postponedDays is after how long without another postponement he is taken for somebody
// who may have made up his mind.
const postponedDays = 365

// stands reports whether he said it lately and has not begun an order since: that he would
// ask his family, or that he is being sold to. No order is laid before him then.
func stands(d *fund.Doubt, journey *fund.Journey, at fund.Instant) bool {
	if d.Count == 0 || at.Date().DaysSince(d.Last.Date()) > conversion.FollowUpWithin {
		return false
	}
	return journey == nil || journey.Reached[fund.Started] <= d.Last
}

// expect adds 接.
func (c *Core) expect(a *asking, it *Item, s subject, quote *conversion.Quote, w *work) {
	p := &c.products[s.product]
	k := expectation.Case{
		Wish: &a.wish, Product: p, Record: c.subjects[s.product].Record, Grade: c.subjects[s.product].Grade, Level: a.level(),
		Months: c.sensibleMonths(s.product), Serves: c.serves(s.product, a.wish.Goal),
		GoalFit:  fund.RatioOf(c.model.Settings.Goals[a.wish.Goal][c.classes[s.product]]),
		Drawdown: c.freshDrawdown(s.product, it.Objections), StaleDays: c.model.Settings.StaleDays, AsOf: a.request.At.Date(),
	}
	if a.facts.Professional && !c.edition(int(s.product)).Matrix().Fits(k.Grade, k.Level) {
		k.Level = fund.LevelUnknown // the match does not bind him (S14): what exceeds his level is no mismatch
	}
	if a.personal {
		tolerance := c.model.Settings.LossTolerance[a.level()]
		means := c.means(a, s.product, w)
		k.Means = expectation.Means{
			AtHand: max(means.AUM/10_000*fund.Money(means.MaxShare)-means.Held, 0), Tolerance: tolerance,
			Bears: expectation.Bears(tolerance, &w.conduct.Losses, a.wish.Attitude),
		}
		if quote.Suggested > 0 {
			k.Means.Amount = quote.CostAmount // one amount in all that is said
		}
	}
	start := len(w.matches)
	w.matches, w.facts = expectation.Expect(&k, w.matches, w.facts)
	it.Matched = w.matches[start:len(w.matches):len(w.matches)]
}

func objectionCost(q *conversion.ClassCost) objection.ClassCost {
	return objection.ClassCost{Cost: q.Cost, OK: q.OK}
}

// horizon is the customer's in months, or the model's default.
func (c *Core) horizon(a *asking) int32 {
	if a.wish.HorizonMonths > 0 {
		return a.wish.HorizonMonths
	}
	return c.model.Settings.Cost.DefaultHorizonMonths
}

// means bound the amount; assets and holdings are read only where personal facts may be.
func (c *Core) means(a *asking, product int32, w *work) conversion.Means {
	s := &c.model.Settings.Suggestion
	m := conversion.Means{Share: s.AUMShare, MaxShare: s.MaxAUMShare, Rounding: s.Rounding, Least: c.gate.MinAmount(int(product))}
	if a.personal {
		m.AUM, m.Need, m.Held = a.profile.Person.AUM, a.wish.Need, w.heldValue(c.funds.of[product])
		m.Bound, m.Bounded = c.suggestible(a, product, w), true
	}
	return m
}

// quote settles the amount of a product and what it costs in each class on offer.
func (c *Core) quote(a *asking, s subject, w *work) conversion.Quote {
	p := &c.products[s.product]
	q := conversion.Quote{Months: c.horizon(a)}
	q.Days = score.HorizonDays(q.Months)
	means := c.means(a, s.product, w)
	q.Min, q.Suggested, q.Max = means.Amount(p)
	q.CostAmount = q.Suggested
	if means.AUM == 0 {
		// Of means that nobody knows the suggestion is the least that may be ordered. What
		// one yuan costs and loses tells nothing.
		q.CostAmount = max(q.Suggested, c.model.Settings.Cost.ReferenceAmount)
		if q.Max > 0 {
			q.CostAmount = min(q.CostAmount, q.Max)
		}
	}
	if q.CostAmount == 0 {
		q.CostAmount = c.model.Settings.Cost.ReferenceAmount
	}
	q.Own = c.costOf(s.product, q.CostAmount, q.Days)
	for _, m := range c.funds.members[c.funds.of[s.product]] {
		if m != s.product && s.offered != nil && !s.offered.Has(int(m)) {
			continue
		}
		switch c.products[m].ShareClass {
		case "A":
			q.A = c.costOf(m, q.CostAmount, q.Days)
		case "C":
			q.C = c.costOf(m, q.CostAmount, q.Days)
		}
	}
	return q
}

func (c *Core) costOf(product int32, amount fund.Money, days int32) conversion.ClassCost {
	return conversion.CostOf(&c.products[product], c.serviceLimit(int(product)), amount, days)
}

// serviceLimit is F03's limit on a product's service fee, as the pack has it in force.
func (c *Core) serviceLimit(product int) fund.ServiceLimit {
	return c.rules.ServiceFeeDays().For(c.classes[product])
}

// cheapestClass replaces a product by the permitted share class of its fund that the
// customer can afford and that costs least for the amount and the horizon. Only the
// classes sold to everyone are exchanged: others have conditions of their own.
func (c *Core) cheapestClass(a *asking, product int32, w *work) int32 {
	if !isRetailClass(c.products[product].ShareClass) {
		return product
	}
	quote := c.quote(a, subject{product: product, peer: -1, offered: &w.verdicts}, w)
	best, cost := product, quote.Own
	for _, m := range c.funds.members[c.funds.of[product]] {
		if m == product || !isRetailClass(c.products[m].ShareClass) || !w.verdicts.Has(int(m)) || c.newIssue[m] != c.newIssue[product] {
			continue
		}
		other := c.costOf(m, quote.CostAmount, quote.Days)
		if within := c.within(a, m, quote.CostAmount, w); within != c.within(a, best, quote.CostAmount, w) {
			if within {
				best, cost = m, other
			}
		} else if other.OK && conversion.Cheaper(&other, &cost) {
			best, cost = m, other
		}
	}
	return best
}

// within reports whether a class's minimum is within the customer's means, and, where
// those are unknown, within the amount that costs are compared at.
func (c *Core) within(a *asking, product int32, amount fund.Money, w *work) bool {
	means, p := c.means(a, product, w), &c.products[product]
	if means.AUM == 0 {
		return p.Terms.MinPurchase <= min(amount, c.model.Settings.Cost.ReferenceAmount)
	}
	return means.Affords(p)
}

func isRetailClass(class string) bool { return class == "A" || class == "B" || class == "C" }

// sensibleMonths is the holding period that the model gives the product's class; -1
// unknown.
func (c *Core) sensibleMonths(product int32) int32 {
	if s := c.model.Settings.Classes[c.classes[product]]; s.Known {
		return s.Months
	}
	return -1
}

// serves reports whether a product serves a goal: where it names its goals those decide,
// as at the gate, else its class.
func (c *Core) serves(product int32, g fund.Goal) bool {
	if goals := c.products[product].Content.Goals; goals != 0 {
		return goals.Has(g)
	}
	return c.model.Settings.Goals[g][c.classes[product]] > 0
}

// freshDrawdown finds the deepest fall among the evidence that the item shows, unless it
// is stale.
func (c *Core) freshDrawdown(product int32, objections []objection.Objection) *fund.Evidence {
	if c.records[product].StaleDays > c.model.Settings.StaleDays {
		return nil
	}
	for i := range objections {
		if face, _ := objections[i].Code.Face(); face != objection.Drawdown {
			continue // LOSS_TRAUMA is answered with the same falls
		}
		for j := range objections[i].Evidence {
			if e := &objections[i].Evidence[j]; e.Field == "MAX_DRAWDOWN" && e.Number < 0 {
				return e
			}
		}
	}
	return nil
}
