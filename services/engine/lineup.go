package engine

import (
	"maps"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/slate"
)

// Lineup is everything that is in force at an instant: the core that answers, the cores of
// the arms, and the one that runs in the shadow. All are of one pool, one rule pack, one cut
// of the data and one instant, and differ in the model alone. It is immutable: a swap
// replaces it whole, so that an answer never mixes two.
type Lineup struct {
	core   *matcher.Core
	planID string
	plan   *experiment.Plan         // nil: no experiments
	arms   map[string]*matcher.Core // by model id; the model in force is not in it
	shadow *matcher.Core            // nil: none
}

// Entry is how one customer is answered: by which core, with which exploration, and what is
// recorded of it.
type Entry struct {
	Core        *matcher.Core
	Exploration slate.Exploration
	Exposures   []experiment.Assignment
	// Shadow is the core to compare the answer with; nil: none. What an arm's model answered
	// is not compared: the question is what the shadow would change for everybody.
	Shadow *matcher.Core
}

// Single is the lineup of one core: no experiments, no shadow.
func Single(core *matcher.Core) *Lineup { return &Lineup{core: core} }

// Core is the core in force, for whoever is in no experiment.
func (l *Lineup) Core() *matcher.Core { return l.core }

// Shadow is the core whose answers are compared and never sent; nil: none.
func (l *Lineup) Shadow() *matcher.Core { return l.shadow }

// Plan is the plan of experiments in force and its id; nil: none. It must not be changed.
func (l *Lineup) Plan() (plan *experiment.Plan, id string) { return l.plan, l.planID }

// Arms are the models that arms of the plan answer with, other than the one in force, by id
// in order.
func (l *Lineup) Arms() []string { return slices.Sorted(maps.Keys(l.arms)) }

// Validity is the span [from, until) that every core of the lineup speaks for: it follows
// from pool, rules and instant, which they share.
func (l *Lineup) Validity() (from, until fund.Instant) { return l.core.Validity() }

// cores are all cores of the lineup, the one in force first.
func (l *Lineup) cores() []*matcher.Core {
	all := []*matcher.Core{l.core}
	for _, id := range l.Arms() {
		all = append(all, l.arms[id])
	}
	if l.shadow != nil {
		all = append(all, l.shadow)
	}
	return all
}

// covers reports whether the lineup speaks for an instant.
func (l *Lineup) covers(at fund.Instant) bool {
	if l == nil {
		return false
	}
	from, until := l.Validity()
	return at >= from && at < until
}

// For returns how a customer is answered at an instant: by the model of his arm, where a plan
// gives him one, and by the one in force otherwise. It is a function of plan, customer and
// instant alone, so that every replica answers him with the same model.
func (l *Lineup) For(customerID string, at fund.Instant) Entry {
	assigned := l.plan.Assign(customerID, at, nil)
	e := Entry{Core: l.core, Exposures: assigned.Exposures, Shadow: l.shadow}
	if arm := l.arms[assigned.Model]; arm != nil {
		e.Core, e.Shadow = arm, nil
	}
	if e.Exploration = e.Core.Exploration(); assigned.Explore != nil {
		e.Exploration = *assigned.Explore
	}
	return e
}

// Refusal is something that the store has in force and the engine does not: the last good
// one, or none, is in its place.
type Refusal struct {
	// Kind is what was refused; empty: the pool, by itself or with the others.
	Kind features.ArtifactKind
	// ID is the artifact's id, or the number of the pool's revision.
	ID string
	// Err says why. It wraps matcher.ErrCompile where trying again would not help.
	Err error
}
