package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// maxModels bounds the models that one plan answers with: each is a scorer in memory, and is
// compiled again with every pool.
const maxModels = 16

// family makes the cores of one pool, rule pack, cut of the data and instant: each model's
// once, all but the first from another of them (matcher.Core.WithModel).
type family struct {
	loader   *Loader
	identity matcher.Identity // but for the model
	parse    parsers
	compiles observed
	cores    map[string]*matcher.Core // by model id
	plans    map[string]*experiment.Plan
}

// observed runs one compile and reports it. derived: from another core of the family.
type observed func(id matcher.Identity, derived bool, compile func() (*matcher.Core, error)) (*matcher.Core, error)

// unobserved is for cores that nothing is reported of.
func unobserved(_ matcher.Identity, _ bool, compile func() (*matcher.Core, error)) (*matcher.Core, error) {
	return compile()
}

// newFamily returns the family of an identity without a core.
func newFamily(l *Loader, id matcher.Identity, parse parsers, compiles observed) *family {
	id.ModelID, id.Definitions = "", ""
	return &family{
		loader: l, identity: id, parse: parse, compiles: compiles,
		cores: map[string]*matcher.Core{}, plans: map[string]*experiment.Plan{},
	}
}

// familyOf returns the family that a lineup is of, with what the lineup has.
func familyOf(l *Loader, have *Lineup, parse parsers, compiles observed) *family {
	f := newFamily(l, have.core.Identity(), parse, compiles)
	for _, core := range have.cores() {
		f.cores[core.Identity().ModelID] = core
	}
	if have.plan != nil {
		f.plans[have.planID] = have.plan
	}
	return f
}

// core returns the core of a model, which is kept as an artifact of a kind.
func (f *family) core(ctx context.Context, kind features.ArtifactKind, model string) (*matcher.Core, error) {
	if core := f.cores[model]; core != nil {
		return core, nil
	}
	id := f.identity
	id.ModelID = model
	core, err := f.compiles(id, len(f.cores) > 0, func() (*matcher.Core, error) { return f.compile(ctx, kind, id) })
	if err == nil {
		f.cores[model] = core
	}
	return core, err
}

// compile makes a core from a sibling, or from the start where there is none.
func (f *family) compile(ctx context.Context, kind features.ArtifactKind, id matcher.Identity) (*matcher.Core, error) {
	model, err := f.loader.model(ctx, kind, id.ModelID, f.parse)
	if err != nil {
		return nil, err
	}
	for _, sibling := range f.cores { // whichever: all share what the model does not decide
		in := f.loader.market(ctx, id)
		in.Model = model
		core, err := sibling.WithModel(in)
		if err != nil {
			return nil, &artifactError{kind, id.ModelID, err}
		}
		return core, nil
	}
	return f.loader.compile(ctx, id, model, f.parse)
}

// plan reads a plan of experiments and compiles the models of its arms. It is refused as a
// whole: an arm without its model would show its customers the control's, and be taken for
// the arm.
func (f *family) plan(ctx context.Context, id, inForce string, from fund.Instant) (*experiment.Plan, map[string]*matcher.Core, error) {
	plan, err := f.readPlan(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	models := modelsOf(plan, from)
	if len(models) > maxModels {
		return nil, nil, fmt.Errorf("%w: %d models in arms of experiments, expected at most %d", matcher.ErrCompile, len(models), maxModels)
	}
	arms := make(map[string]*matcher.Core, len(models))
	for _, model := range models {
		if model == inForce {
			continue
		}
		switch arms[model], err = f.core(ctx, features.ModelArtifact, model); {
		case errors.Is(err, features.ErrNotFound):
			return nil, nil, fmt.Errorf("the model of an arm: %w, expected one that fundmatch models list shows", err)
		case err != nil:
			return nil, nil, fmt.Errorf("the model of an arm, %s: %w", model, err)
		}
	}
	return plan, arms, nil
}

func (f *family) readPlan(ctx context.Context, id string) (*experiment.Plan, error) {
	if plan := f.plans[id]; plan != nil {
		return plan, nil
	}
	data, err := f.loader.artifact(ctx, features.ExperimentsArtifact, id)
	if err != nil {
		return nil, err
	}
	plan, err := experiment.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", matcher.ErrCompile, err)
	}
	f.plans[id] = plan
	return plan, nil
}

// modelsOf lists the models of the experiments that have not ended at an instant. Those of
// experiments to come are among them, so that a plan that cannot run is refused at once and
// not in the night in which it would begin.
func modelsOf(plan *experiment.Plan, at fund.Instant) []string {
	left := experiment.Plan{Layers: make([]experiment.Layer, len(plan.Layers))}
	for i := range plan.Layers {
		for _, e := range plan.Layers[i].Experiments {
			if e.Until > at {
				left.Layers[i].Experiments = append(left.Layers[i].Experiments, e)
			}
		}
	}
	return left.Models()
}

// assembly is a lineup, and what was refused on the way to it.
type assembly struct {
	lineup  *Lineup
	made    versions // what the lineup is of: where something was refused not what was asked for
	refused []Refusal
}

// assemble makes the lineup of versions. The error is that of the core that answers, without
// which there is none. A plan that is refused leaves its place to another, the last good one
// (empty: none), and a shadow to none.
func (f *family) assemble(ctx context.Context, want versions, lastPlan string) (*assembly, error) {
	core, err := f.core(ctx, features.ModelArtifact, want.model)
	if err != nil {
		return nil, err
	}
	a := &assembly{lineup: &Lineup{core: core}, made: want}
	a.experiment(ctx, f, lastPlan)
	if want.shadow == want.model { // its own shadow is none
		a.made.shadow = ""
	}
	if a.made.shadow == "" {
		return a, nil
	}
	if a.lineup.shadow, err = f.core(ctx, features.ShadowArtifact, want.shadow); err != nil {
		a.refused, a.made.shadow = append(a.refused, Refusal{features.ShadowArtifact, want.shadow, err}), ""
	}
	return a, nil
}

// complete reports whether a lineup of the versions lacks nothing.
func (v versions) complete(l *Lineup) bool {
	return l.planID == v.plan && (l.shadow != nil) == (v.shadow != "")
}

// experiment puts the plan that was asked for into the lineup, or else the last good one.
func (a *assembly) experiment(ctx context.Context, f *family, last string) {
	from, _ := a.lineup.Validity()
	for _, id := range [...]string{a.made.plan, last} {
		if a.made.plan = id; id == "" {
			return
		}
		plan, arms, err := f.plan(ctx, id, a.made.model, from)
		if err == nil {
			a.lineup.planID, a.lineup.plan, a.lineup.arms = id, plan, arms
			return
		}
		a.refused, a.made.plan = append(a.refused, Refusal{features.ExperimentsArtifact, id, err}), ""
		if id == last {
			return
		}
	}
}
