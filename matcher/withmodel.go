package matcher

import (
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/score"
)

// WithModel is Compile of inputs that differ from those that the core was compiled from in
// the model alone, and gives the same core. What does not depend on the model is shared, and
// the market data are read again only where the new model reads them otherwise: NAVs for
// another risk-free rate, purchases for other affinity settings. Of the inputs it takes
// identity, model and market data; products, rules, calendar and templates are the core's.
// Errors wrap ErrCompile.
func (c *Core) WithModel(in *Inputs) (*Core, error) {
	if err := c.checkModel(in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCompile, err)
	}
	next := *c
	next.identity.ModelID, next.model = in.Identity.ModelID, in.Model
	for _, step := range c.stepsTo(&next) {
		if err := step(in); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCompile, err)
		}
	}
	return &next, nil
}

// checkModel refuses inputs of another core, or without what would have to be read.
func (c *Core) checkModel(in *Inputs) error {
	same := in.Identity
	same.ModelID, same.Definitions = c.identity.ModelID, c.identity.Definitions
	switch {
	case same != c.identity:
		return fmt.Errorf("inputs of %+v, expected all but the model of %+v", in.Identity, c.identity)
	case in.Model == nil:
		return fmt.Errorf("no %s given", "model")
	case in.NAVs == nil || in.Purchases == nil:
		return fmt.Errorf("no %s given", "market data")
	}
	return nil
}

// stepsTo are the steps of Compile that the other model, which next has, makes necessary.
func (c *Core) stepsTo(next *Core) (steps []func(*Inputs) error) {
	was, is := &c.model.Settings, &next.model.Settings
	steps = append(steps, next.checkModelInputs)
	if was.Track != is.Track || !foreseesAlike(was, is) {
		steps = append(steps, next.readTracks, next.describe)
	} else {
		steps = append(steps, next.limitObjections)
	}
	if was.Affinity != is.Affinity || c.model.Affinity != next.model.Affinity {
		steps = append(steps, next.readPurchases)
	}
	return append(steps, next.compileScores)
}

// foreseesAlike reports whether two models foresee the same ranges.
func foreseesAlike(a, b *score.Settings) bool {
	if a.Outcome == nil || b.Outcome == nil {
		return a.Outcome == b.Outcome
	}
	return *a.Outcome == *b.Outcome && a.Cost.ReferenceAmount == b.Cost.ReferenceAmount
}

// limitObjections gives the subjects the model's settings of the objection stage.
func (c *Core) limitObjections(*Inputs) error {
	limits := c.objectionLimits()
	if limits == *c.limits {
		return nil
	}
	c.limits, c.subjects = &limits, slices.Clone(c.subjects)
	for i := range c.subjects {
		c.subjects[i].Limits = c.limits
	}
	return nil
}
