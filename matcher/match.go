package matcher

import (
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/slate"
)

// asking is one question in progress: a customer, an instant, and what was settled about
// them. Personal facts in it are used only where Personal is set.
type asking struct {
	profile   *fund.Profile
	request   Request
	facts     eligibility.Facts
	wish      expectation.Wish // impersonal where nothing personal may be read
	wishUntil fund.Instant
	mustAsk   bool
	personal  bool
}

// Match answers a request for one customer into out. Errors: ErrRequest, and
// ErrOutsideValidity when the core does not speak for the instant. After the buffers of
// out have grown it does not allocate.
func (c *Core) Match(p *fund.Profile, r Request, out *Slate) error {
	if err := c.checkRequest(r); err != nil {
		return err
	}
	out.reset()
	w := &out.work
	w.asking = c.ask(p, r, eligibility.Context{At: r.At, Initiative: fund.ByFirm, Channel: r.Channel})
	a := &w.asking
	out.CustomerID, out.Request, out.Identity = p.CustomerID, r, c.identity
	out.Personal, out.Wish = a.personal, a.wish
	c.gate.Select(&a.facts, &w.verdicts)
	out.Excluded, out.Information = w.verdicts.Excluded, w.verdicts.Information
	c.readHoldings(a, w)
	customer := a.customer(w.owned)
	c.scorer.Score(&customer, w.verdicts.Permitted, &w.scores)
	picks := c.chooser.Choose(&slate.Request{
		Permitted: w.verdicts.Permitted, Scores: w.scores.Product, Held: w.held, Limit: r.Limit,
	}, &w.choice)
	for _, pick := range picks {
		out.Items = append(out.Items, c.item(a, pick, w))
	}
	c.order(out)
	c.annotate(a, out)
	a.profile = nil // an answer is whole without the profile, which may be large
	return nil
}

func (c *Core) checkRequest(r Request) error {
	if r.Limit < MinLimit || r.Limit > MaxLimit {
		return fmt.Errorf("%w: limit %d, expected %d to %d", ErrRequest, r.Limit, MinLimit, MaxLimit)
	}
	if r.At < c.from || r.At >= c.until {
		return fmt.Errorf("%w: %s, the core speaks for %s to %s", ErrOutsideValidity, r.At, c.from, c.until)
	}
	return nil
}

// ask settles what is known of the customer at the instant.
func (c *Core) ask(p *fund.Profile, r Request, ctx eligibility.Context) asking {
	wish, until := expectation.Settle(p, r.At)
	a := asking{profile: p, request: r, wish: wish, wishUntil: until, mustAsk: wish.MustAsk()}
	a.facts = c.gate.Facts(p, wish.Goal, wish.HorizonMonths, wish.Need, ctx)
	a.personal = c.gate.Personal(&a.facts)
	if !a.personal {
		if wish.Source == expectation.FromTag {
			// An inferred goal is preference, not legal duty: a list that is not personal
			// must not be narrowed by it (A02).
			a.facts = c.gate.Facts(p, fund.GoalUnknown, wish.HorizonMonths, wish.Need, ctx)
		}
		// The gate's own facts decide whether he must be asked, so that two customers
		// with the same gate facts get the same list (A02).
		a.wish, a.mustAsk = expectation.Impersonal(), !a.facts.Stated
	}
	return a
}

// customer is what the scorer may read.
func (a *asking) customer(owned []int32) score.Customer {
	if !a.personal {
		return score.Customer{}
	}
	return score.Customer{
		Personal: true, Goal: a.wish.Goal, HorizonMonths: a.wish.HorizonMonths, Need: a.wish.Need, Level: a.level(), Owned: owned,
	}
}

// level is the customer's level where it may be read and holds.
func (a *asking) level() fund.RiskLevel {
	if a.personal && a.facts.State == eligibility.Valid {
		return a.facts.Level
	}
	return fund.LevelUnknown
}

// readHoldings lists the funds that the customer has, and those that he ever bought.
func (c *Core) readHoldings(a *asking, w *work) {
	w.owned, w.held = w.owned[:0], w.held[:0]
	if !a.personal {
		return
	}
	for code := range a.profile.Held() {
		w.held = c.appendFund(w.held, code)
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

// hasVery reports whether the customer has the product itself and not only another share
// class of its fund.
func (a *asking) hasVery(code string) bool {
	for held := range a.profile.Held() {
		if held == code {
			return true
		}
	}
	return false
}

func (c *Core) appendFund(funds []int32, code string) []int32 {
	if i, ok := c.index[code]; ok {
		return append(funds, c.funds.of[i])
	}
	return funds
}

// item completes one pick: share class, action, doubts, fit.
func (c *Core) item(a *asking, pick slate.Pick, w *work) Item {
	i := c.cheapestClass(a, pick.Product, w)
	standing := conversion.Permitted
	if w.verdicts.Information {
		standing = conversion.Information
	}
	it := Item{Code: c.products[i].Code, Score: w.scores.Product[i], Propensity: 1}
	peer := ""
	if pick.Peer >= 0 {
		it.PeerCode, peer = c.products[pick.Peer].Code, c.products[pick.Peer].Name
	}
	start := len(w.contributions)
	w.contributions = c.scorer.Contributions(&w.scores, int(i), w.contributions)
	it.Contributions = w.contributions[start:len(w.contributions):len(w.contributions)]
	c.complete(a, &it, subject{product: i, standing: standing, peer: peer, offered: &w.verdicts}, w)
	return it
}

// subject is a product that an item is completed for.
type subject struct {
	product  int32
	standing conversion.Standing
	peer     string
	offered  *eligibility.Verdicts // which share classes may be compared and chosen; nil: all
}

// complete adds 发, then 化, which speaks of its amount and cost, then 接.
func (c *Core) complete(a *asking, it *Item, s subject, w *work) {
	p, grade := &c.products[s.product], c.rules.Grade(&c.products[s.product])
	quote := c.quote(a, s)
	_, held := slices.BinarySearch(w.held, c.funds.of[s.product])
	convert := conversion.Case{
		Product: p, Grade: grade, At: a.request.At, Calendar: &c.calendar, Standing: s.standing, Level: a.facts.Level,
		Expired: c.expiry(a), Held: held, HeldVery: held && a.hasVery(p.Code), Branch: a.request.Channel == fund.Branch, Quote: quote,
		Affordable: c.means(a).Affords(p), Guardian: limitedCapacity(a.facts.Capacity),
	}
	if a.mustAsk {
		convert.Question = a.wish.Question.String()
	}
	it.Conversion, w.facts = conversion.Decide(&convert, w.facts)

	start := len(w.objections)
	w.objections, w.facts = objection.Foresee(&objection.Case{
		Product: p, Record: &c.records[s.product], Grade: grade, NewIssue: c.newIssue[s.product], PeerName: s.peer,
		StaleDays: c.model.Settings.StaleDays, Day: a.request.At.Date(),
		Level: a.level(), Need: a.wish.Need, Elder: a.personal && a.facts.Elder, HorizonMonths: a.wish.HorizonMonths,
		CostMonths: quote.Months, Amount: quote.CostAmount, Asked: quote.Suggested > 0,
		CostA: objectionCost(&quote.A), CostC: objectionCost(&quote.C), Own: objectionCost(&quote.Own),
	}, w.objections, w.facts)
	it.Objections = w.objections[start:len(w.objections):len(w.objections)]

	serves, own := c.serves(s.product, a.wish.Goal)
	start = len(w.matches)
	w.matches, w.facts = expectation.Expect(&expectation.Case{
		Wish: &a.wish, Product: p, Grade: grade, Level: a.level(), Months: c.sensibleMonths(s.product),
		Serves: serves, OwnWord: own, Drawdown: c.freshDrawdown(s.product, it.Objections), AsOf: a.request.At.Date(),
	}, w.matches, w.facts)
	it.Matched = w.matches[start:len(w.matches):len(w.matches)]
}

func limitedCapacity(c fund.Capacity) bool { return c == fund.LimitedCapacity || c == fund.NoCapacity }

func objectionCost(q *conversion.ClassCost) objection.ClassCost {
	return objection.ClassCost{Cost: q.Cost, OK: q.OK}
}

// expiry is the first day on which the last assessment holds no more; 0: none on file,
// or without a date.
func (c *Core) expiry(a *asking) fund.Date {
	on := a.profile.Assessment.On
	if on == 0 || a.facts.State != eligibility.Expired {
		return 0
	}
	return on.AddMonths(c.rules.AssessmentMonths())
}

// horizon is the customer's in months, or the model's default.
func (c *Core) horizon(a *asking) int32 {
	if a.wish.HorizonMonths > 0 {
		return a.wish.HorizonMonths
	}
	return c.model.Settings.Cost.DefaultHorizonMonths
}

// means bound the amount; assets are read only where personal facts may be.
func (c *Core) means(a *asking) *conversion.Means {
	s := &c.model.Settings.Suggestion
	m := &conversion.Means{Share: s.AUMShare, MaxShare: s.MaxAUMShare, Rounding: s.Rounding}
	if a.personal {
		m.AUM = a.profile.Person.AUM
	}
	return m
}

// quote settles the amount of a product and what it costs in each class on offer.
func (c *Core) quote(a *asking, s subject) conversion.Quote {
	p := &c.products[s.product]
	q := conversion.Quote{Months: c.horizon(a)}
	q.Days = score.HorizonDays(q.Months)
	q.Min, q.Suggested, q.Max = c.means(a).Amount(p)
	q.CostAmount = q.Suggested
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
	return conversion.CostOf(&c.products[product], c.classes[product], amount, days)
}

// cheapestClass replaces a product by the permitted share class of its fund that the
// customer can afford and that costs least for the amount and the horizon. Only the
// classes sold to everyone are exchanged: others have conditions of their own.
func (c *Core) cheapestClass(a *asking, product int32, w *work) int32 {
	if !isRetailClass(c.products[product].ShareClass) {
		return product
	}
	quote := c.quote(a, subject{product: product, offered: &w.verdicts})
	best, cost := product, quote.Own
	for _, m := range c.funds.members[c.funds.of[product]] {
		if m == product || !isRetailClass(c.products[m].ShareClass) || !w.verdicts.Has(int(m)) || c.newIssue[m] != c.newIssue[product] {
			continue
		}
		other := c.costOf(m, quote.CostAmount, quote.Days)
		if c.within(a, m, quote.CostAmount) != c.within(a, best, quote.CostAmount) {
			if c.within(a, m, quote.CostAmount) {
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
func (c *Core) within(a *asking, product int32, amount fund.Money) bool {
	means, p := c.means(a), &c.products[product]
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

// serves reports whether a product serves a goal, and whether that is its own word: where
// it names its goals those decide, as at the gate, else its class.
func (c *Core) serves(product int32, g fund.Goal) (serves, own bool) {
	if goals := c.products[product].Content.Goals; goals != 0 {
		return goals.Has(g), true
	}
	return c.model.Settings.Goals[g][c.classes[product]] > 0, false
}

// freshDrawdown finds the deepest fall among the evidence that the item shows, unless it
// is stale.
func (c *Core) freshDrawdown(product int32, objections []objection.Objection) *fund.Evidence {
	if c.records[product].StaleDays > c.model.Settings.StaleDays {
		return nil
	}
	for i := range objections {
		if objections[i].Code != objection.Drawdown {
			continue
		}
		for j := range objections[i].Evidence {
			if e := &objections[i].Evidence[j]; e.Field == "MAX_DRAWDOWN" && e.Number < 0 {
				return e
			}
		}
	}
	return nil
}

// order restores best first after share classes were exchanged, in the chooser's total
// order: an existing fund stays above an equal new issue (K03). Insertion sort: the list
// is short and nearly in order.
func (c *Core) order(out *Slate) {
	items := out.Items
	for i := 1; i < len(items); i++ {
		for j := i; j > 0 && c.before(&items[j], &items[j-1]); j-- {
			items[j-1], items[j] = items[j], items[j-1]
		}
	}
}

func (c *Core) before(a, b *Item) bool {
	if a.Score != b.Score {
		return a.Score > b.Score
	}
	if isNew := c.newIssue[c.index[a.Code]]; isNew != c.newIssue[c.index[b.Code]] {
		return !isNew
	}
	return a.Code < b.Code
}
