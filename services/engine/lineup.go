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

// Plan is the plan of experiments in force; nil: none. It must not be changed.
func (l *Lineup) Plan() *experiment.Plan { return l.plan }

// Arms are the models that arms of the plan answer with, other than the one in force, by id
// in order.
func (l *Lineup) Arms() []string { return slices.Sorted(maps.Keys(l.arms)) }

// Validity is the span [from, until) that every core of the lineup speaks for.
func (l *Lineup) Validity() (from, until fund.Instant) { return l.core.Validity() }

// For returns how a customer is answered at an instant.
func (l *Lineup) For(customerID string, at fund.Instant) Entry {
	return Entry{Core: l.core, Shadow: l.shadow}
}

// Refusal is something that the store has in force and the engine does not: the last good
// one, or none, is in its place.
type Refusal struct {
	// Kind is what was refused; empty: the pool, or pool, model and rules together.
	Kind features.ArtifactKind
	// ID is the artifact's id, or the number of the pool's revision.
	ID  string
	Err error
}
