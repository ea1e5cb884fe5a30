package matcher

import (
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/switching"
)

// dealSwitch is the day on which both legs are dealt: neither before what is sold can be
// redeemed, nor before what is bought opens. Where none is in sight it is the day itself.
func (c *Core) dealSwitch(sell, buy int, at fund.Instant) Dealing {
	s, b := &c.products[sell].Terms, &c.products[buy]
	notBefore := max(s.ClosedUntil, s.NextOpenOn)
	if b.Listing.Status != fund.Subscription {
		notBefore = max(notBefore, b.Terms.ClosedUntil, b.Terms.NextOpenOn)
	}
	on, known := c.calendar.Dealing(at, notBefore)
	d := Dealing{On: on, Later: on != at.Date()}
	if known {
		d.Calendar = conversion.KnownCalendar
	}
	if d.On == 0 {
		d.On = at.Date()
	}
	return d
}

// switchHorizon is the one that he named. Where he named none it is a year at most: a longer
// one would flatter the fees that are saved, and what is only inferred of him may not.
func (c *Core) switchHorizon(a *asking) SwitchHorizon {
	if months := a.profile.Needs.HorizonMonths; months > 0 {
		return SwitchHorizon{Days: score.HorizonDays(min(months, fund.MaxHorizonMonths))}
	}
	const year = 12
	return SwitchHorizon{Days: score.HorizonDays(min(c.model.Settings.Cost.DefaultHorizonMonths, year)), Assumed: true}
}

// switchCase gathers what the assessment reads.
func (c *Core) switchCase(a *asking, sell, buy int, out *SwitchAssessment) switching.Case {
	r, p := &out.Request, a.profile
	return switching.Case{
		Sell: switching.Sale{
			Product: &c.products[sell], Lots: p.Lots, Shares: r.Shares, UnitNAV: c.records[sell].UnitNAV,
		},
		Buy: switching.Purchase{Classes: c.classesOnOffer(a, buy, &out.work), Amount: r.Amount},
		On:  out.Dealing.On, HorizonDays: out.Horizon.Days, ServiceLimit: c.rules.ServiceFeeDays(),
		Suitability: c.suitability(a, sell, buy),
		Portfolio:   c.switchPortfolio(a, sell, buy, &out.work),
		History:     c.switchHistory(a, &out.work),
	}
}

// classesOnOffer lists the product and the other retail classes of its fund about which the
// gate says nothing worse.
func (c *Core) classesOnOffer(a *asking, buy int, w *switchWork) []*fund.Product {
	w.classes = append(w.classes[:0], &c.products[buy])
	asked, _ := c.gate.Judge(buy, &a.facts, &w.work.refusals, nil)
	for _, m := range c.Classes(buy) {
		if int(m) == buy || !isRetailClass(c.products[m].ShareClass) {
			continue
		}
		if v, _ := c.gate.Judge(int(m), &a.facts, &w.work.refusals, nil); v.Outcome <= asked.Outcome {
			w.classes = append(w.classes, &c.products[m])
		}
	}
	return w.classes
}

// suitability is by the level of an assessment that holds. What is sold to a professional
// is no mismatch (S14).
func (c *Core) suitability(a *asking, sold, bought int) switching.Suitability {
	if a.facts.State != eligibility.Valid || a.facts.Professional {
		return switching.Suitability{}
	}
	from, into := c.edition(sold).Matrix(), c.edition(bought).Matrix()
	return switching.Suitability{Sold: from[a.facts.Level], Bought: into[a.facts.Level]}
}

// notInPool is the place of what is not in the pool.
const notInPool = -1

// edition is the rule book that the product at a place is sold by (S11); of what is not in the
// pool, and so of no known kind, that of public funds.
func (c *Core) edition(place int) *eligibility.Edition {
	if place == notInPool {
		return c.gate.Edition()
	}
	return c.gate.EditionOf(c.gate.Book(place))
}

// switchPortfolio is what K04 measures: everything that he holds.
func (c *Core) switchPortfolio(a *asking, sold, bought int, w *switchWork) switching.Portfolio {
	conduct := &w.work.conduct
	limits := func(place int) switching.Limits {
		l, level := c.edition(place).Concentration(), a.facts.Level
		return switching.Limits{Product: l.Product[level], Issuer: l.Issuer[level], Theme: l.Theme[level]}
	}
	w.stakes = w.stakes[:0]
	f := switching.Portfolio{
		Known: len(conduct.Positions) > 0, Assets: max(a.profile.Person.AUM, conduct.Portfolio.Value),
		Sold: limits(sold), Bought: limits(bought),
	}
	for i := range conduct.Positions {
		held := &conduct.Positions[i]
		known := c.known.Product(held.ProductCode)
		if known == nil || !held.ValueOK {
			f.Known = false
			continue
		}
		w.stakes = append(w.stakes, switching.Stake{Fund: known.FundCode, Issuer: known.Issuer, Theme: known.Theme, Value: held.Value})
	}
	f.Stakes = w.stakes
	return f
}

// switchHistory is what turnover and cost are measured by. Money funds are no part of it.
func (c *Core) switchHistory(a *asking, w *switchWork) switching.History {
	p := a.profile
	h := switching.History{
		At: a.request.At, Events: p.Trail.Recent, Purchases: p.Purchases, Known: true,
		WindowDays: int32(c.rules.Switching().WindowDays), Pool: poolOf{c},
	}
	for i := range w.work.conduct.Positions {
		held := &w.work.conduct.Positions[i]
		if place, ok := c.index[held.ProductCode]; ok && c.classes[place] == fund.MoneyMarket {
			continue
		}
		h.Known = h.Known && held.ValueOK
		h.Holdings += held.Value
	}
	return h
}

// poolOf is the pool as switching asks about it.
type poolOf struct{ core *Core }

// Product implements switching.Pool.
func (p poolOf) Product(code string) *fund.Product {
	i, ok := p.core.index[code]
	if !ok {
		return nil
	}
	return &p.core.products[i]
}

// switchFacts is what K01 knows of an order that redemptions within its window may have paid:
// of several the one that speaks least for the order. The order itself is not on the trail.
func (c *Core) switchFacts(a *asking, buy int, amount fund.Money, w *switchWork) eligibility.Switch {
	worst := eligibility.Switch{}
	window := c.rules.Switching().WindowDays
	if window <= 0 {
		return worst
	}
	since := a.request.At.Date().AddDays(-window).Start()
	recent := a.profile.Trail.Recent
	var assessment switching.Assessment
	for i := len(recent) - 1; i >= 0 && recent[i].At >= since; i-- {
		if e := &recent[i]; e.Kind == fund.Redeem && e.At <= a.request.At {
			k := c.paidCase(a, e, buy, amount, w)
			switching.Assess(&k, &assessment)
			if s := switchOf(&assessment); s.Found && (!worst.Found || lessJustified(&s, &worst)) {
				worst = s
			}
		}
	}
	return worst
}

// paidCase is the switch that a redemption and an order make together. What was redeemed and
// is not in the pool has no fees that are known.
func (c *Core) paidCase(a *asking, e *fund.Event, buy int, amount fund.Money, w *switchWork) switching.Case {
	sell, sold := notInPool, &fund.Product{Code: e.ProductCode}
	if place, ok := c.Find(e.ProductCode); ok {
		sell, sold = place, &c.products[place]
	}
	history := c.switchHistory(a, w)
	history.Pending = true
	day := e.At.Date()
	return switching.Case{
		Sell: switching.Sale{
			Product: sold, Paid: switching.Paid{Proceeds: e.Amount, On: day, Acquired: history.Acquired(e.ProductCode, day)},
		},
		Buy: switching.Purchase{Classes: append(w.classes[:0], &c.products[buy]), Amount: amount},
		On:  a.request.At.Date(), HorizonDays: c.switchHorizon(a).Days, ServiceLimit: c.rules.ServiceFeeDays(),
		Suitability: c.suitability(a, sell, buy), Portfolio: c.switchPortfolio(a, sell, buy, w), History: history,
	}
}

// lessJustified orders what K01 knows of two redemptions: an unknown cost first, then the one
// without a reason, then the dearer one.
func lessJustified(a, b *eligibility.Switch) bool {
	if a.CostKnown != b.CostKnown {
		return !a.CostKnown
	}
	if a.Justified() != b.Justified() {
		return !a.Justified()
	}
	return a.Cost-a.Benefit > b.Cost-b.Benefit
}
