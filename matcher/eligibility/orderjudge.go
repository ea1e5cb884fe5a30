package eligibility

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// JudgeOrder says what the rules of orders have to say about an order of product i, which
// must be less than Len, beside what Judge says of product and customer. It appends a
// finding for each part that spoke, in pack order, to dst. On the firm's own initiative
// what would have to be confirmed or reviewed is Hide: nobody is sold what he must be
// warned of. f.Situation is FirmOrder or CustomerOrder.
func (g *Gate) JudgeOrder(i int, f *Facts, o *Order, dst []OrderFinding) (Verdict, []OrderFinding) {
	given := *o
	q := orderQuestion{Order: &given, product: &g.products[i], facts: f}
	e := g.orderEdition(i)
	given.Proofs.Warned = given.Proofs.Warned || e.warns(&q)
	v := Verdict{}
	e.eachOrderPart(func(r *Rule, p *orderPart) {
		outcome := p.outcomeIn(r, f.Situation)
		if outcome == None || !p.speaks(&q) {
			return
		}
		v.Outcome = max(v.Outcome, outcome)
		found := OrderFinding{Finding: Finding{
			Rule: r.ID, Outcome: outcome, Reason: p.reason, Parameters: r.named(p.reads), Remedy: Remedy{Code: p.wayOut(outcome)}, Citation: r.Citation,
		}}
		if p.facts != nil {
			found.Facts = p.facts(&q)
		}
		found.Done = outcome == Step && p.done != nil && p.done(&q)
		dst = append(dst, found)
	})
	v.Permitted = !v.Outcome.Excludes()
	return v, dst
}

// orderEdition is what is in force for orders of a product: its book's (S11).
func (g *Gate) orderEdition(i int) *Edition { return g.EditionOf(g.Book(i)) }

// eachOrderPart goes over the parts of the rules of orders, in pack order.
func (e *Edition) eachOrderPart(yield func(r *Rule, p *orderPart)) {
	for _, r := range e.Rules {
		spec := specOf(r.ID)
		if spec == nil || spec.order == nil {
			continue
		}
		parts := spec.order(e)
		for j := range parts {
			yield(r, &parts[j])
		}
	}
}

// outcomeIn is what the part says in a situation, hardened on the firm's initiative.
func (p *orderPart) outcomeIn(r *Rule, s Situation) Outcome {
	if p.hisOnly && s != CustomerOrder {
		return None
	}
	outcomes := p.outcomes
	if outcomes == (Outcomes{}) {
		outcomes = r.Outcomes
	}
	return outcomes.onFirmsInitiative()[s]
}

// wayOut is the code of what would make the part silent.
func (p *orderPart) wayOut(o Outcome) string {
	switch {
	case p.remedy != "":
		return p.remedy
	case o == Confirm:
		return RemedyConfirm
	case o == Review:
		return RemedyReview
	}
	return ""
}

// warns reports whether a rule of orders asks for a confirmation or a review.
func (e *Edition) warns(q *orderQuestion) bool {
	warned := false
	e.eachOrderPart(func(r *Rule, p *orderPart) {
		outcome := p.outcomeIn(r, q.facts.Situation)
		warned = warned || (outcome == Confirm || outcome == Review) && p.speaks(q)
	})
	return warned
}

// named picks parameters of the entry.
func (r *Rule) named(names []string) []Parameter {
	var out []Parameter
	for i := range r.Parameters {
		if slices.Contains(names, r.Parameters[i].Name) {
			out = append(out, r.Parameters[i])
		}
	}
	return out
}

// MaxAmount is the largest amount of an order of product i at which the day limit (G01),
// the means (S15) and the concentration (K04) have nothing to say, whatever o orders;
// fund.MaxMoney: nothing that is known bounds it; 0: there is none, not even the least that
// may be ordered of the product.
//
// It does not allocate: recommendations suggest no more than this either.
func (g *Gate) MaxAmount(i int, f *Facts, o *Order) fund.Money {
	p, e := g.products[i].Product, g.orderEdition(i)
	most := o.dayRoom(p)
	if e.means != (Means{}) {
		most = min(most, e.means.room(o))
	}
	if c := &e.concentration; *c != (Concentration{}) {
		for _, of := range [...]struct {
			stake   *Stake
			percent int
		}{{&o.Stakes.Fund, c.Product[f.Level]}, {&o.Stakes.Issuer, c.Issuer[f.Level]}, {&o.Stakes.Theme, c.Theme[f.Level]}} {
			most = min(most, o.roomBeside(of.stake, of.percent))
		}
	}
	if most < max(g.MinAmount(i), 1) {
		return 0
	}
	return most
}

// MinAmount is the least that may be ordered of product i: its minimum and, where it has
// entry conditions, the rules' (P01). 0: none.
func (g *Gate) MinAmount(i int) fund.Money {
	p := g.products[i].Product
	if isPrivate(p) {
		return max(p.Terms.MinPurchase, g.orderEdition(i).qualified.MinPurchase)
	}
	return p.Terms.MinPurchase
}

// OrderReasons lists what the parts of orders may say, in the rulebook's order: every reason
// needs a text.
func OrderReasons() []ReasonSpec {
	var out []ReasonSpec
	for i := range rulebook {
		spec := &rulebook[i]
		if spec.order == nil {
			continue
		}
		r := Rule{ID: spec.id, Outcomes: spec.floor}
		for _, p := range spec.order(&Edition{}) {
			x := ReasonSpec{Rule: spec.id, Reason: p.reason, Floor: Outcomes{None, p.outcomeIn(&r, FirmOrder), p.outcomeIn(&r, CustomerOrder)}}
			for _, o := range [...]Outcome{x.Floor[CustomerOrder], Confirm, Review} {
				if code := p.wayOut(o); code != "" && o >= x.Floor[CustomerOrder] && p.outcomes == (Outcomes{}) && !slices.Contains(x.Remedies, code) {
					x.Remedies = append(x.Remedies, code)
				}
			}
			out = append(out, x)
		}
	}
	return out
}
