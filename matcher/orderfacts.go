package matcher

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// What an EVIDENCE_OPEN event names (Event.About) when it shows that he opened one of the
// papers of C05. Where the product has a version of its key facts, the event names it too:
// KEY_FACTS:2026-1. Another version is another paper.
const (
	KeyFactsOpened = "KEY_FACTS"
	OpinionOpened  = "OPINION"
	FeesOpened     = "FEES"
)

// pendingDays is for how long a confirmed order that no lot on file shows yet counts as
// held (K04): longer than any settlement, shorter than for ever where one failed.
const pendingDays = 30

// orderOf gathers what the rules know of an order of the product at a place, for whom a is
// about. These are gate facts: they are read by legal duty, whatever he said of
// personalisation.
func (c *Core) orderOf(a *asking, place int, amount fund.Money, windowDays int, w *work) eligibility.Order {
	p := a.profile
	o := eligibility.Order{
		Stakes:  c.stakesOf(a, place, w),
		Wealth:  eligibility.Wealth{AUM: max(p.Person.AUM, 0), Income: max(p.Person.Income, 0)},
		Dealing: c.dealing(place, a.request.At),
	}
	o.Amount = c.orderAmount(a, place, windowDays, o.Dealing.On, w)
	o.Amount.Fen = amount
	return o
}

// dealing is when an order given at an instant is dealt.
func (c *Core) dealing(place int, at fund.Instant) eligibility.Dealing {
	on, known := c.calendar.Dealing(at, c.opensOn(place))
	open, _ := c.calendar.Open(at.Date())
	return eligibility.Dealing{On: on, AfterCutoff: at.SinceMidnight() >= fund.Cutoff, ClosedDay: !open, Assumed: !known}
}

// opensOn is the day before which no order is dealt; 0: none. A launch takes orders although
// the fund is closed for dealing, as the conversion stage has it.
func (c *Core) opensOn(place int) fund.Date {
	p := &c.products[place]
	if p.Listing.Status == fund.Subscription {
		return 0
	}
	return max(p.Terms.ClosedUntil, p.Terms.NextOpenOn)
}

// orderAmount sums up the orders before this one: those of the product that are dealt on its
// day, and those of S15's window. The trail and the books tell of the same purchases, each
// perhaps not of all: the larger sum counts. Of the books it is as far as amounts are known.
func (c *Core) orderAmount(a *asking, place, windowDays int, on fund.Date, w *work) (out eligibility.OrderAmount) {
	p, at := a.profile, a.request.At
	since, opens := at.Date().AddDays(1-max(windowDays, 1)).Start(), c.opensOn(place)
	out.WindowOK, out.DayOK = true, true
	if complete := behaviour.Reach(&p.Trail, fund.OrderConfirm); complete != 0 {
		last, _ := c.calendar.Dealing(complete, opens) // what left the trail was dealt by then
		out.WindowOK, out.DayOK = complete < since, last < on
	}
	for _, i := range w.confirmed {
		e := &p.Trail.Recent[i]
		if e.At >= since {
			out.Window = addMoney(out.Window, e.Amount)
			out.WindowOK = out.WindowOK && e.Amount > 0
		}
		if e.ProductCode != c.products[place].Code {
			continue
		}
		if day, _ := c.calendar.Dealing(e.At, opens); day == on {
			out.Day = addMoney(out.Day, e.Amount)
			out.DayOK = out.DayOK && e.Amount > 0
		}
	}
	out.Window = max(out.Window, boughtSince(p, since.Date(), at.Date()))
	return out
}

// readOrders finds the confirmed orders on the trail, as of an instant.
func readOrders(trail *fund.Trail, at fund.Instant, w *work) {
	w.confirmed, w.suggestible = w.confirmed[:0], w.suggestible[:0]
	if trail.Tallies[fund.OrderConfirm].Count == 0 {
		return
	}
	for i := range trail.Recent {
		if e := &trail.Recent[i]; e.Kind == fund.OrderConfirm && e.At <= at {
			w.confirmed = append(w.confirmed, int32(i))
		}
	}
}

// suggestible is the largest amount that the rules of orders would let pass if it were
// ordered now on the firm's initiative (G01, S15, K04); fund.MaxMoney: nothing bounds it. An
// item asks for it several times, of its own class and of the others: it is kept.
func (c *Core) suggestible(a *asking, product int32, w *work) fund.Money {
	for i := range w.suggestible {
		if w.suggestible[i].product == product {
			return w.suggestible[i].amount
		}
	}
	amount := c.suggestNow(a, int(product), w)
	w.suggestible = append(w.suggestible, bound{product, amount})
	return amount
}

// bound is the largest amount that may be suggested of a product.
type bound struct {
	product int32
	amount  fund.Money
}

func (c *Core) suggestNow(a *asking, place int, w *work) fund.Money {
	facts := a.facts
	facts.Situation = eligibility.FirmOrder
	order := c.orderOf(a, place, 0, c.gate.OrderTerms(place).WindowDays, w)
	return c.gate.MaxAmount(place, &facts, &order)
}

// boughtSince sums up what he bought, by the books, from one day to another.
func boughtSince(p *fund.Profile, from, to fund.Date) (sum fund.Money) {
	for i := range p.Purchases {
		if b := &p.Purchases[i]; b.Owns() && b.KnownOn >= from && b.KnownOn <= to {
			sum = addMoney(sum, b.Amount)
		}
	}
	return sum
}

// mostOrdered bounds sums of orders: more than anybody has.
const mostOrdered = 10 * fund.MaxMoney

// addMoney adds an amount that is known, and stops at the bound.
func addMoney(sum, m fund.Money) fund.Money { return min(sum+min(max(m, 0), mostOrdered), mostOrdered) }

// stakesOf sums up what he has of the product's fund, issuer and themes: the value of a
// position or, where there is none, its cost; and orders that are not on file yet.
func (c *Core) stakesOf(a *asking, place int, w *work) eligibility.Stakes {
	s := stakeSums{core: c, product: &c.products[place], fund: c.funds.of[place]}
	s.themes = w.themes[:0]
	for range s.product.Content.Themes {
		s.themes = append(s.themes, 0)
	}
	for i := range w.conduct.Positions {
		position := &w.conduct.Positions[i]
		switch {
		case position.ValueOK:
			s.add(position.ProductCode, position.Value)
		case position.CostOK:
			s.add(position.ProductCode, position.Cost)
		}
	}
	from := a.request.At.Date().AddDays(-pendingDays).Start()
	for _, i := range w.confirmed {
		e := &a.profile.Trail.Recent[i]
		if e.At < from {
			continue
		}
		if held := w.conduct.Position(e.ProductCode); held == nil || held.LastOn < e.At.Date() {
			s.add(e.ProductCode, e.Amount)
		}
	}
	w.themes = s.themes
	return s.stakes()
}

// stakeSums are the sums while they are made.
type stakeSums struct {
	core                 *Core
	product              *fund.Product
	fund                 int32
	total, inFund, inIss fund.Money
	themes               []fund.Money // of each of the product's
}

func (s *stakeSums) add(code string, m fund.Money) {
	s.total = addMoney(s.total, m)
	i, ok := s.core.index[code]
	if !ok {
		return
	}
	other := &s.core.products[i]
	if s.core.funds.of[i] == s.fund {
		s.inFund = addMoney(s.inFund, m)
	}
	if other.Parties.Issuer == s.product.Parties.Issuer {
		s.inIss = addMoney(s.inIss, m)
	}
	for j, theme := range s.product.Content.Themes {
		if slices.Contains(other.Content.Themes, theme) {
			s.themes[j] = addMoney(s.themes[j], m)
		}
	}
}

func (s *stakeSums) stakes() eligibility.Stakes {
	out := eligibility.Stakes{
		Portfolio: s.total, Fund: eligibility.Stake{Value: s.inFund, OK: true},
		Issuer: eligibility.Stake{OK: s.product.Parties.Issuer != ""}, Theme: eligibility.Stake{OK: len(s.themes) > 0},
	}
	if out.Issuer.OK {
		out.Issuer.Value = s.inIss
	}
	if out.Theme.OK {
		out.Theme.Value = slices.Max(s.themes)
	}
	return out
}

// readPapers finds what he opened of the papers of C05, by the instant of the order.
func (c *Core) readPapers(proofs *eligibility.Proofs, p *fund.Profile, place int, at fund.Instant) {
	product := &c.products[place]
	keyFacts := KeyFactsOpened
	if v := product.Listing.KeyFactsVersion; v != "" {
		keyFacts += ":" + v
	}
	for i := range p.Trail.Recent {
		e := &p.Trail.Recent[i]
		if e.Kind != fund.EvidenceOpen || e.At > at || e.ProductCode != product.Code {
			continue
		}
		switch e.About {
		case keyFacts:
			proofs.KeyFacts = true
		case OpinionOpened:
			proofs.Opinion = true
		case FeesOpened:
			proofs.Fees = true
		}
	}
}
