package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

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
		if found, ok := q.ask(r, p); ok {
			v.Outcome = max(v.Outcome, found.Outcome)
			dst = append(dst, OrderFinding{Finding: found, Done: found.Outcome == Step && p.done != nil && p.done(&q)})
		}
	})
	v.Permitted = !v.Outcome.Excludes()
	return v, dst
}

// ask returns what a part of a rule's entry says about the order; not OK: nothing.
func (q *orderQuestion) ask(r *Rule, p *orderPart) (f Finding, ok bool) {
	outcome := outcomeIn(p, r, q.facts.Situation)
	if outcome == None || !p.speaks(q) {
		return f, false
	}
	f = Finding{
		Rule: r.ID, Outcome: outcome, Reason: p.reason, Parameters: r.parameters(p.reads), Remedy: Remedy{Code: remedyOf(p, outcome)}, Citation: r.Citation,
	}
	if p.facts != nil {
		f.Facts = p.facts(q)
	}
	return f, true
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
func outcomeIn(p *orderPart, r *Rule, s Situation) Outcome {
	if p.hisOnly && s != CustomerOrder {
		return None
	}
	outcomes := p.outcomes
	if outcomes == (Outcomes{}) {
		outcomes = r.Outcomes
	}
	return outcomes.onFirmsInitiative()[s]
}

// remedyOf is the code of what would make the part silent.
func remedyOf(p *orderPart, o Outcome) string {
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
		outcome := outcomeIn(p, r, q.facts.Situation)
		warned = warned || (outcome == Confirm || outcome == Review) && p.speaks(q)
	})
	return warned
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
