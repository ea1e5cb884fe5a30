package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/engine"
)

func (p *program) experimentsPublishCommand() *cobra.Command {
	var o artifactOptions
	cmd := &cobra.Command{
		Use:   "publish FILE --by WHO --note TEXT",
		Short: "Put a plan in force, after it was checked and its models were compiled; a running service takes it within seconds",
		Long: "Check a plan, say what changes against the one in force, compile the models of its arms with the pool and the rules\n" +
			"in force, and put it in force with who did it and why. It takes the place of the whole one before; a plan without\n" +
			"layers ends all experiments. Of plans of one name the version has to rise; a plan that was in force before may come\n" +
			"back as it was.",
		Example: "  fundmatch experiments publish experiments.yaml --by zhang.li --note 'EASE, 20 % of customers' --store sqlite:bank.db\n" +
			"  fundmatch experiments publish experiments.yaml --by zhang.li --note trial --dry-run",
		Args: arguments(0, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.experimentsPublish(cmd.Context(), args[0], &o)
		},
	}
	o.addPublication(cmd, "check, compare and compile, and change nothing")
	return cmd
}

func (p *program) experimentsPublish(ctx context.Context, name string, o *artifactOptions) (err error) {
	plan, data, err := readPlanFile(name)
	if err != nil {
		return err
	}
	now := fund.InstantOf(p.now())
	a, err := o.activation(features.ExperimentsArtifact, data, now)
	if err != nil {
		return err
	}
	store, err := openArtifacts(ctx, o.store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := engine.InstallDefaults(ctx, store, now); err != nil {
		return err
	}
	before, err := planInForce(ctx, store)
	if err != nil {
		return err
	}
	var c card
	if before.id == a.ArtifactID {
		c.line(0, "%s: 已在生效，没有变化", name)
		return c.writeTo(p.stdout)
	}
	if err := p.tryPlan(ctx, store, plan, data, &a); err != nil {
		return err
	}
	c.planChanges(before.Plan, plan)
	if o.dryRun {
		c.line(0, "试运行：没有发布")
		return c.writeTo(p.stdout)
	}
	if err := putInForce(ctx, store, data, a); err != nil {
		return err
	}
	c.line(0, "已发布　%s　版本 %d　编号 %s", plan.Name, plan.Version, a.ArtifactID)
	return c.writeTo(p.stdout)
}

// planInForce is the plan that the next one takes the place of. One that cannot be read has
// an id and no plan: what is published may be its cure.
func planInForce(ctx context.Context, store features.Models) (storedPlan, error) {
	id, data, err := store.Active(ctx, features.ExperimentsArtifact)
	switch {
	case errors.Is(err, features.ErrNotFound):
		return storedPlan{Plan: &experiment.Plan{}}, nil
	case err != nil:
		return storedPlan{}, err
	}
	plan, err := experiment.Parse(data)
	if err != nil {
		plan = nil
	}
	return storedPlan{plan, inForce{id: id, data: data}}, nil
}

// tryPlan refuses a plan that may not follow those that were in force, and one with whose
// models no core compiles: the service would go on without it, and nobody would know why.
func (p *program) tryPlan(ctx context.Context, store bankStore, plan *experiment.Plan, data []byte, a *features.Activation) error {
	if err := checkPlanVersion(ctx, store, plan, a.ArtifactID); err != nil {
		return err
	}
	var pools features.Pools = store
	if _, err := store.Published(ctx); errors.Is(err, features.ErrNoPool) {
		pools = noPools{store}
	} else if err != nil {
		return err
	}
	loader, err := engine.NewLoader(pools, engine.Suppose(store, features.ExperimentsArtifact, data), p.version)
	if err != nil {
		return err
	}
	_, refused, err := loader.Lineup(ctx, a.At)
	if err != nil {
		return err
	}
	for _, r := range refused {
		if r.Kind == features.ExperimentsArtifact {
			return &exitError{code: exitUsage, cause: r.Err, text: fmt.Sprintf("nothing was published, the service would refuse this plan: %v", r.Err)}
		}
	}
	return nil
}

// checkPlanVersion holds that one version of one name is one content, for ever.
func checkPlanVersion(ctx context.Context, store features.Models, plan *experiment.Plan, id string) error {
	history, err := store.Activations(ctx, features.ExperimentsArtifact)
	if err != nil {
		return err
	}
	newest := 0
	for _, a := range history {
		if a.ArtifactID == id {
			return nil // it comes back as it was
		}
		data, err := store.Artifact(ctx, features.ExperimentsArtifact, a.ArtifactID)
		if err != nil {
			return err
		}
		if was, err := experiment.Parse(data); err == nil && was.Name == plan.Name {
			newest = max(newest, was.Version)
		}
	}
	if plan.Version <= newest {
		return usageError("version: %d, expected one above %d, which was published under this name", plan.Version, newest)
	}
	return nil
}

// planChanges writes what a plan changes of the one in force; nil: that cannot be read.
func (c *card) planChanges(before, after *experiment.Plan) {
	if before == nil {
		c.line(0, "生效中的实验方案无法读取，不作比较")
		return
	}
	changes := planChanges(before, after)
	for _, line := range changes {
		c.line(0, "%s", line)
	}
	if len(changes) == 0 {
		c.line(0, "实验没有变化")
	}
}

// planChanges says which experiments come, go and change, in the plans' order, and where a
// change moves customers to other arms.
func planChanges(before, after *experiment.Plan) []string {
	out := []string{}
	was, is := placed(before), placed(after)
	for i := range is {
		e := &is[i]
		j := slices.IndexFunc(was, func(o placedExperiment) bool { return o.Name == e.Name })
		if j < 0 {
			out = append(out, "新增实验　"+e.layer+"/"+e.Name)
			continue
		}
		if what := e.differs(&was[j]); len(what) > 0 {
			out = append(out, "变更实验　"+e.layer+"/"+e.Name+"："+strings.Join(what, "、"))
		}
	}
	for i := range was {
		e := &was[i]
		if !slices.ContainsFunc(is, func(o placedExperiment) bool { return o.Name == e.Name }) {
			out = append(out, "取消实验　"+e.layer+"/"+e.Name)
		}
	}
	return out
}

// placedExperiment is an experiment and its layer.
type placedExperiment struct {
	*experiment.Experiment
	layer, salt string
}

func placed(p *experiment.Plan) (out []placedExperiment) {
	for i := range p.Layers {
		l := &p.Layers[i]
		for j := range l.Experiments {
			out = append(out, placedExperiment{&l.Experiments[j], l.Name, l.Salt})
		}
	}
	return out
}

func (e *placedExperiment) differs(was *placedExperiment) (what []string) {
	if e.layer != was.layer {
		what = append(what, "分层")
	}
	if e.From != was.From || e.Until != was.Until {
		what = append(what, fmt.Sprintf("时间 %s 至 %s", e.From.Date(), e.Until.Date()))
	}
	if e.FirstBucket != was.FirstBucket || e.EndBucket != was.EndBucket {
		what = append(what, fmt.Sprintf("桶 %d 至 %d → %d 至 %d", was.FirstBucket, was.EndBucket-1, e.FirstBucket, e.EndBucket-1))
	}
	if !slices.EqualFunc(e.Arms, was.Arms, sameArm) {
		what = append(what, "分组")
	}
	if e.salt != was.salt || e.Salt != was.Salt {
		what = append(what, "盐值（客户重新分组）")
	}
	return what
}

func sameArm(a, b experiment.Arm) bool {
	same := a.Name == b.Name && a.Share == b.Share && a.Control == b.Control && a.Model == b.Model && (a.Explore == nil) == (b.Explore == nil)
	return same && (a.Explore == nil || *a.Explore == *b.Explore)
}
