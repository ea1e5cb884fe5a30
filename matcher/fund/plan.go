package fund

import "iter"

// The kinds of interactions that begin and end a regular investment plan (定投) in the
// dataset format. A plan runs from its PLAN until a PLAN_STOP of the same product; another
// PLAN while it runs is his renewed word on it, and may change the part's amount.
const (
	KindPlan     = "PLAN"
	KindPlanStop = "PLAN_STOP"
)

// Plan is a running order to put the same amount into a product again and again.
type Plan struct {
	ProductCode string
	StartedOn   Date  // of the first PLAN since it last stopped
	RenewedOn   Date  // of the newest PLAN after that; 0: there is none
	Amount      Money // a part, as the newest PLAN says; 0 unknown
}

// RunningPlans yields the plans that run by a profile's interactions, by product. What began
// and stopped on one day is taken to have stopped: of the two, that one moves no money.
func RunningPlans(p *Profile) iter.Seq[Plan] {
	return func(yield func(Plan) bool) {
		var running Plan
		for i := range p.Purchases {
			b := &p.Purchases[i]
			if b.ProductCode != running.ProductCode {
				if running.StartedOn != 0 && !yield(running) {
					return
				}
				running = Plan{ProductCode: b.ProductCode}
			}
			running.read(b)
		}
		if running.StartedOn != 0 {
			yield(running)
		}
	}
}

// read takes in the next interaction with the product; they come by day and kind.
func (p *Plan) read(b *Purchase) {
	switch b.Kind {
	case KindPlan:
		if p.StartedOn == 0 {
			p.StartedOn = b.KnownOn
		} else {
			p.RenewedOn = b.KnownOn
		}
		p.Amount = b.Amount
	case KindPlanStop:
		p.StartedOn, p.RenewedOn, p.Amount = 0, 0, 0
	}
}

// isPlan reports whether the interaction is about a plan and moves no shares itself.
func (p Purchase) isPlan() bool { return p.Kind == KindPlan || p.Kind == KindPlanStop }
