package matcher

import (
	"slices"
	"time"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// asking is one question in progress: a customer, an instant, and what was settled about
// them. Personal facts in it are used only where personal is set.
type asking struct {
	profile   *fund.Profile
	request   Request
	facts     eligibility.Facts
	wish      expectation.Wish // impersonal where nothing personal may be read
	wishUntil fund.Instant
	contact   conversion.Contact
	doubts    objection.Set // that he raised lately, about whichever product
	mustAsk   bool
	personal  bool
}

// ask settles what is known of the customer at the instant.
func (c *Core) ask(p *fund.Profile, r Request, ctx eligibility.Context, w *work) asking {
	behaviour.Read(p, c.heldLevel(p, ctx), r.At, &c.known, &w.conduct)
	readOrders(&p.Trail, r.At, w)
	c.know(p, r.At, w)
	wish, until := expectation.Settle(p, r.At, &w.knowledge)
	a := asking{profile: p, request: r, wish: wish, wishUntil: until, mustAsk: wish.MustAsk()}
	goal, months, need := wish.ForGate(true)
	a.facts = c.gate.Facts(p, goal, months, need, ctx)
	a.personal = c.gate.Personal(&a.facts)
	c.gate.Refusals(p, r.At, &w.refusals)
	consent := fund.ConsentPush
	if r.Channel != fund.App {
		consent = fund.ConsentCall
	}
	w.complaints = w.conduct.Complaints
	if w.refusals.Complaint.Until == 0 {
		// One that nobody closed bars, and is a reason for doubt, for as long as the gate
		// hears it; the manager's brief counts it even after that.
		w.conduct.Complaints = 0
	}
	a.contact = conversion.Allow(&w.conduct, p.Consent(consent), r.At, &c.contact)
	if !a.personal {
		goal, months, need = wish.ForGate(false)
		a.facts = c.gate.Facts(p, goal, months, need, ctx)
		// The gate's own facts decide whether he must be asked, so that two customers
		// with the same gate facts get the same list (A02).
		a.wish, a.mustAsk = expectation.Impersonal(a.facts.Company), !a.facts.Stated
	}
	return a
}

// heldLevel is the level of an assessment that holds; what he holds is measured by no other.
func (c *Core) heldLevel(p *fund.Profile, ctx eligibility.Context) fund.RiskLevel {
	f := c.gate.Facts(p, fund.GoalUnknown, 0, fund.NeedUnknown, ctx)
	if f.State != eligibility.Valid {
		return fund.LevelUnknown
	}
	return f.Level
}

// know gathers what a goal may be inferred from: what he holds and what he looked at.
func (c *Core) know(p *fund.Profile, at fund.Instant, w *work) {
	k := &w.knowledge
	*k = expectation.Knowledge{Fits: &c.model.Settings.Goals}
	k.Lost = w.conduct.Losses.Open > 0 || w.conduct.Losses.SoldAtLoss > 0
	for i := range w.conduct.Positions {
		position := &w.conduct.Positions[i]
		if place, ok := c.index[position.ProductCode]; ok && position.Share.OK {
			k.Held[c.classes[place]] += position.Share.Value
		}
	}
	from := at.Date().AddDays(1 - expectation.ViewDays).Start()
	for i := len(p.Trail.Recent) - 1; i >= 0 && p.Trail.Recent[i].At >= from; i-- {
		e := &p.Trail.Recent[i]
		if e.Kind != fund.DetailView || e.At >= at { // the instant itself is not among what it rests on
			continue
		}
		if place, ok := c.index[e.ProductCode]; ok {
			k.Viewed[c.classes[place]]++
		}
	}
}

// customer is what the scorer may read.
func (a *asking) customer(w *work) score.Customer {
	if !a.personal {
		return score.Customer{}
	}
	out := score.Customer{
		Personal: true, HorizonMonths: a.wish.HorizonMonths, Need: a.wish.Need, Level: a.level(), Group: a.profile.Person.Segment, Owned: w.owned,
		Doubts: uint32(a.doubts), Objected: w.objected,
	}
	if a.wish.Scores() {
		out.Goal = a.wish.Goal
	}
	return out
}

// level is the customer's level where it may be read and holds.
func (a *asking) level() fund.RiskLevel {
	if a.personal && a.facts.State == eligibility.Valid {
		return a.facts.Level
	}
	return fund.LevelUnknown
}

// readHoldings lists the funds that the customer has, those that he ever bought, and what
// he has of each product.
func (c *Core) readHoldings(a *asking, w *work) {
	w.owned, w.held, w.holdings, w.holdingFunds = w.owned[:0], w.held[:0], w.holdings[:0], w.holdingFunds[:0]
	if !a.personal {
		return
	}
	for code := range a.profile.Held() {
		i, ok := c.index[code]
		if !ok {
			continue
		}
		w.held = append(w.held, c.funds.of[i])
		if n := len(w.holdings); n > 0 && w.holdings[n-1].Product == &c.products[i] {
			continue // another lot of the same: they are by product
		}
		w.holdings = append(w.holdings, objection.Held{
			Product: &c.products[i], Class: c.classes[i], Position: w.conduct.Position(code), Record: c.subjects[i].Record,
		})
		w.holdingFunds = append(w.holdingFunds, c.funds.of[i])
	}
	w.owned = append(w.owned, w.held...)
	for i := range a.profile.Purchases {
		if b := &a.profile.Purchases[i]; b.Owns() {
			w.owned = c.appendFund(w.owned, b.ProductCode)
		}
	}
	slices.Sort(w.owned)
	w.owned = slices.Compact(w.owned)
	slices.Sort(w.held)
	w.held = slices.Compact(w.held)
}

func (c *Core) appendFund(funds []int32, code string) []int32 {
	if i, ok := c.index[code]; ok {
		return append(funds, c.funds.of[i])
	}
	return funds
}

// doubtDays is how long an objection turns the next answers.
const doubtDays = 180

// readDoubts lists what he objected to lately: the codes, and the funds.
func (c *Core) readDoubts(a *asking, w *work) {
	w.objected, a.doubts = w.objected[:0], 0
	if !a.personal {
		return
	}
	from := a.request.At.Date().AddDays(-doubtDays).Start()
	for i := range w.conduct.Doubts {
		d := &w.conduct.Doubts[i]
		if d.Count == 0 || d.Last < from {
			continue
		}
		named := objection.Set(0)
		if code, ok := objection.ParseCode(d.Code); ok {
			named = named.With(code)
		}
		a.doubts |= named
		if i, ok := c.index[d.ProductCode]; ok {
			w.objected = score.Object(w.objected, c.funds.of[i], uint32(named))
		}
	}
}

// hasVery reports whether the customer has the product itself and not only another share
// class of its fund.
func (w *work) hasVery(p *fund.Product) bool {
	return slices.ContainsFunc(w.holdings, func(h objection.Held) bool { return h.Product == p })
}

// heldValue is what he has in a fund, as far as its NAVs are known.
func (w *work) heldValue(of int32) (sum fund.Money) {
	for i, held := range w.holdingFunds {
		if p := w.holdings[i].Position; held == of && p != nil && p.ValueOK {
			sum += p.Value
		}
	}
	return sum
}

func limitedCapacity(c fund.Capacity) bool { return c == fund.LimitedCapacity || c == fund.NoCapacity }

// expiry is the first day on which the last assessment holds no more; 0: none on file,
// or without a date.
func (c *Core) expiry(a *asking) fund.Date {
	if a.facts.State != eligibility.Expired {
		return 0
	}
	return c.expiresOn(a.profile)
}

// expiresOn is the same for an assessment that may still hold.
func (c *Core) expiresOn(p *fund.Profile) fund.Date {
	if p.Assessment.On == 0 || p.Assessment.Level == fund.LevelUnknown {
		return 0
	}
	return p.Assessment.On.AddMonths(c.rules.AssessmentMonths())
}

// refusedUntil is the first day on which no refusal of the product holds any more; 0:
// none is in force. Of a fund all classes are refused together; a refusal that names no
// product is kept outside the app, where his own feed goes on (A06).
func (c *Core) refusedUntil(a *asking, product int32, w *work) (until fund.Date) {
	if word, ok := c.gate.RefusalOf(int(product), &w.refusals); ok {
		until = word.Until.Date()
	}
	if every := w.refusals.Every.Until; every != 0 && w.refusals.Silent(a.request.Channel) {
		until = max(until, every.Date())
	}
	return until
}

// changes is the first instant after the question's at which something that was read of
// the customer changes by the clock alone. Of what is read by days nothing is said here: a
// core ends at midnight. What may not be read must not show in it either (A02).
func (c *Core) changes(a *asking, w *work) fund.Instant {
	at, manager := a.request.At, a.request.Audience == wording.Manager
	until := a.facts.Until
	if w.refusals.Until > at {
		until = min(until, w.refusals.Until)
	}
	if a.personal {
		until = min(until, a.wishUntil, nextEdge(a.profile, at))
	}
	if a.personal || manager {
		recent := a.profile.Trail.Recent
		for i := len(recent) - 1; i >= 0 && recent[i].At >= at; i-- {
			// A channel's clock may be ahead. A word counts from its instant on, an act after it.
			until = min(until, max(recent[i].At, at+1))
		}
	}
	if manager || a.personal && len(w.conduct.Journeys) > 0 {
		// Whether he may be called now, and so the day of a follow-up, which the record of a
		// customer's answer holds as well.
		for _, minutes := range [...]int{c.rules.QuietUntil(), c.rules.QuietFrom()} {
			if edge := at.Date().Start().Add(time.Duration(minutes) * time.Minute); edge > at {
				until = min(until, edge)
			}
		}
	}
	return until
}

// nextEdge is the first later instant at which a tag that may be used begins or ends.
func nextEdge(p *fund.Profile, at fund.Instant) fund.Instant {
	next := fund.Forever
	for i := range p.Tags {
		t := &p.Tags[i]
		edge := t.From
		if edge <= at {
			edge = t.To
		}
		if edge > at && edge < next && fund.Usable(p.Consents, t.Purpose) {
			next = edge
		}
	}
	return next
}
