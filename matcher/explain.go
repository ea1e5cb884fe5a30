package matcher

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// Explanation tells why one product is or is not offered to one customer.
type Explanation struct {
	Product       *fund.Product
	Place         int
	Personal      bool
	Verdict       eligibility.Verdict // of a recommendation
	Findings      []eligibility.Finding
	OrderVerdict  eligibility.Verdict // of his own order
	OrderFindings []eligibility.Finding
	Slate         Slate           // one item, whether permitted or not, and its wish
	Evidence      []fund.Evidence // the product's track record and costs
	Assumed       []fund.Field
	Breach        *BreachBasis // for a manager: how the value of BREACH came about; nil: there is none
}

// Strongest is what decides whether the product is offered to him, the first of the strongest
// in the rulebook's order; nil: no rule keeps it back, neither from a list nor from his own
// order. The findings stay in the pack's order, and none is left out.
func (e *Explanation) Strongest() *eligibility.Finding {
	var out *eligibility.Finding
	for _, findings := range [...][]eligibility.Finding{e.Findings, e.OrderFindings} {
		for i := range findings {
			f := &findings[i]
			if f.Outcome >= eligibility.Confirm && (out == nil || f.Outcome > out.Outcome) {
				out = f
			}
		}
	}
	return out
}

// Explain judges one product for one customer with every rule, scores it whether it is
// permitted or not, and shows its record. Errors: ErrUnknownProduct, ErrRequest,
// ErrOutsideValidity.
func (c *Core) Explain(p *fund.Profile, productCode string, r Request) (*Explanation, error) {
	r.Limit = MinLimit
	if err := c.checkRequest(r); err != nil {
		return nil, err
	}
	place, ok := c.Find(productCode)
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownProduct, clip(productCode))
	}
	e := &Explanation{Product: &c.products[place], Place: place, Assumed: c.gate.Assumed(place)}
	w := &e.Slate.work
	own := c.ask(p, r, r.context(fund.ByCustomer), w)
	e.OrderVerdict, e.OrderFindings = c.gate.Judge(place, &own.facts, &w.refusals, nil)
	a := c.ask(p, r, r.context(fund.ByFirm), w)
	e.Personal = a.personal
	e.Verdict, e.Findings = c.gate.Judge(place, &a.facts, &w.refusals, nil)
	c.completeOne(&a, e, w)
	e.Evidence = c.recordFacts(place, nil)
	return e, nil
}

// completeOne fills the explanation's slate with the one item.
func (c *Core) completeOne(a *asking, e *Explanation, w *work) {
	s := &e.Slate
	s.CustomerID, s.Request, s.Identity = a.profile.CustomerID, a.request, c.identity
	s.Personal, s.Wish, s.Information, s.Elder = a.personal, a.wish, e.Verdict.Information, a.facts.Elder
	// The same selection as in a list, so that the score is the list's.
	c.selectAndScore(a, w)
	w.reserve(1)
	it := Item{Code: e.Product.Code, Score: w.scores.Product[e.Place], Propensity: 1}
	it.Contributions = c.scorer.Contributions(&w.scores, e.Place, nil)
	e.Breach = c.breachBasis(a, e.Place, it.Contributions)
	if e.Verdict.Permitted {
		it.Why = WhyOf(it.Contributions, a.personal)
	}
	peer := c.chooser.Peer(int32(e.Place), &slate.Request{Permitted: w.verdicts.Permitted, Scores: w.scores.Product})
	if peer >= 0 {
		it.PeerCode = c.products[peer].Code
	}
	c.complete(a, &it, subject{product: int32(e.Place), standing: standing(e), bar: e.bar(), peer: peer, offered: &w.verdicts}, w)
	s.Items = append(s.Items, it)
	if a.request.Audience == wording.Manager {
		s.Brief = c.brief(a, w)
	}
	c.annotate(a, s)
}

// standing says what the two verdicts leave to be done.
func standing(e *Explanation) conversion.Standing {
	switch {
	case e.Verdict.Information || waitsForTest(e.OrderFindings):
		// Whatever else keeps the product out, nothing can be ordered before a risk test.
		return conversion.Information
	case e.Verdict.Permitted:
		return conversion.Permitted
	case e.OrderVerdict.Permitted:
		return conversion.Confirmable
	default:
		return conversion.Refused
	}
}

// bar says what keeps the product back, where the customer is told of that in words of its
// own: of a sale the one rule that stands against it, else what hides it.
func (e *Explanation) bar() conversion.Bar {
	if bar, blocked := saleBar(e.OrderFindings); blocked {
		return bar
	}
	bar := conversion.OtherBar
	for i := range e.Findings {
		switch f := &e.Findings[i]; {
		case f.Outcome != eligibility.Hide:
		case f.Rule == eligibility.S04:
			return conversion.Unfit
		case f.Rule == eligibility.E01 && f.Reason == "ELDER_LONG_LOCKUP":
			bar = conversion.LongLockup
		}
	}
	return bar
}

// saleBar is what alone blocks his order; with several he would be sent the wrong way.
func saleBar(findings []eligibility.Finding) (bar conversion.Bar, blocked bool) {
	for i := range findings {
		f := &findings[i]
		if f.Outcome != eligibility.Block {
			continue
		}
		this := conversion.OtherBar
		switch {
		case f.Rule == eligibility.P03:
			this = conversion.NoPension
		case f.Rule == eligibility.E02 && f.Reason == "MINOR":
			return conversion.Underage, true // whatever else there is, it does not change that
		case f.Rule == eligibility.E02 && f.Reason == "CAPACITY_LIMITED":
			this = conversion.NotHisOwn
		}
		if blocked && this != bar {
			this = conversion.OtherBar
		}
		bar, blocked = this, true
	}
	return bar, blocked
}

// waitsForTest reports whether no order is possible for want of a valid assessment (S12).
func waitsForTest(findings []eligibility.Finding) bool {
	for i := range findings {
		if findings[i].Rule == eligibility.S12 && findings[i].Outcome == eligibility.Block {
			return true
		}
	}
	return false
}

// recordFacts lists what is known of a product's past: the spans' results, swings and
// falls, and gaps in its NAVs. A record too young to be shown says only so.
func (c *Core) recordFacts(place int, facts []fund.Evidence) []fund.Evidence {
	r := &c.records[place]
	nav := func(field string, unit fund.Unit, number int64, w fund.Window) {
		facts = append(facts, fund.Evidence{
			Field: field, Unit: unit, Number: number, Window: w, AsOf: r.AsOf, Stale: r.StaleDays, Source: "NAV",
		})
	}
	nav("OBSERVATIONS", fund.UnitCount, int64(r.Observations), r.Series)
	if unclear(r) {
		facts = append(facts, fund.Evidence{Field: "NAV_BASIS", Text: "UNCLEAR", Window: r.Series, AsOf: r.AsOf, Stale: r.StaleDays, Source: "NAV"})
	}
	for _, g := range r.Gaps {
		nav("NAV_GAP", fund.UnitDays, int64(g.To.DaysSince(g.From)), g)
	}
	facts = objection.DrawdownFacts(r, facts)
	if !objection.Showable(r) {
		return facts
	}
	for span := range fund.Spans {
		f := &r.Spans[span]
		for _, figure := range []struct {
			name string
			*fund.Figure
		}{
			{"RETURN_", &f.Return}, {"VOLATILITY_", &f.Volatility}, {"MAX_DRAWDOWN_", &f.Drawdown.Figure}, {"WORST_12M_", &f.Worst[fund.TwelveMonths]},
		} {
			if figure.OK {
				nav(figure.name+span.String(), fund.UnitRatio, int64(figure.Value), figure.Window)
			}
		}
	}
	return facts
}

// ProductFacts lists what is known of a product's past, dated and sourced.
func (c *Core) ProductFacts(place int) []fund.Evidence { return c.recordFacts(place, nil) }

// clip shortens a text from outside for an error message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}
