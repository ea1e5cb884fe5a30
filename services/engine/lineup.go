package engine

import (
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/slate"
)

// Lineup is everything that is in force at an instant: the core that answers, the cores of
// the arms, and the one that runs in the shadow. All are of one pool and one rule pack and
// differ in the model alone. It is immutable: a swap replaces it whole, so that an answer
// never mixes two.
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
}

// Core is the core in force, for whoever is in no experiment.
func (l *Lineup) Core() *matcher.Core { return l.core }

// Shadow is the core whose answers are compared and never sent; nil: none.
func (l *Lineup) Shadow() *matcher.Core { return l.shadow }

// For returns how a customer is answered at an instant.
func (l *Lineup) For(customerID string, at fund.Instant) Entry {
	return Entry{Core: l.core}
}
