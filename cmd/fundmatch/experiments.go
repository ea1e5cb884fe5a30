package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func (p *program) experimentsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "experiments",
		Short: "Work with plans of experiments: check, show, publish, their history, and which arms a customer is in",
		Long: "A plan says which customers are in which arm of which experiment, from when to when. An arm chooses the model\n" +
			"and how much is explored, never a rule. docs/experiments.md tells the format.",
		Example: "  fundmatch experiments check experiments.yaml\n  fundmatch experiments assign C000001\n" +
			"  fundmatch experiments publish experiments.yaml --by zhang.li --note 'EASE, 20 % of customers'",
		Args: arguments(0),
		RunE: needsVerb,
	}
	cmd.AddCommand(
		p.experimentsCheckCommand(), p.experimentsShowCommand(), p.experimentsPublishCommand(), p.experimentsHistoryCommand(), p.experimentsAssignCommand(),
	)
	return cmd
}

func (p *program) experimentsCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a plan; exit code 2 names place, value and what was expected",
		Long: "Read a plan strictly: an unknown key, experiments of a layer that have a bucket at the same time, shares that do not\n" +
			"sum to 10000, no control or two, a control that chooses, two layers that choose the same, names and salts used twice.\n" +
			"Whether its models are in the store, publish --dry-run tells.",
		Example: "  fundmatch experiments check experiments.yaml",
		Args:    arguments(0, "FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			plan, _, err := readPlanFile(args[0])
			if err != nil {
				return err
			}
			n := 0
			for i := range plan.Layers {
				n += len(plan.Layers[i].Experiments)
			}
			var c card
			c.line(0, "%s: %s, version %d: %s, %s, %s, in order", args[0], plan.Name, plan.Version, plural(len(plan.Layers), "layer", "layers"),
				plural(n, "experiment", "experiments"), plural(len(plan.Models()), "model", "models"))
			return c.writeTo(p.stdout)
		},
	}
}

// readPlanFile reads a plan of a file strictly, and its bytes.
func readPlanFile(name string) (*experiment.Plan, []byte, error) {
	data, err := readInput(name, experiment.MaxBytes)
	if err != nil {
		return nil, nil, err
	}
	plan, err := experiment.Parse(data)
	if err != nil {
		return nil, nil, usageError("%s: %v", name, err)
	}
	return plan, data, nil
}

// storedPlan is a plan of the store; without one in force its plan is nil.
type storedPlan struct {
	*experiment.Plan
	inForce
}

// planAt reads the plan that was in force at an instant.
func planAt(ctx context.Context, store features.Models, at fund.Instant) (storedPlan, error) {
	s, err := artifactAt(ctx, store, features.ExperimentsArtifact, at)
	if errors.Is(err, features.ErrNotFound) {
		return storedPlan{}, nil
	}
	if err != nil {
		return storedPlan{}, err
	}
	plan, err := experiment.Parse(s.data)
	if err != nil {
		return storedPlan{}, unavailableError(err, "the plan in force, %s, cannot be read", s.id)
	}
	return storedPlan{plan, s}, nil
}

// planOf reads the plan of a file, or the one in force at an instant.
func (p *program) planOf(ctx context.Context, file, store string, at fund.Instant) (storedPlan, error) {
	if file != "" {
		plan, _, err := readPlanFile(file)
		return storedPlan{Plan: plan}, err
	}
	s, err := openArtifacts(ctx, store)
	if err != nil {
		return storedPlan{}, err
	}
	defer func() { _ = s.Close() }() // read only
	return planAt(ctx, s, at)
}

func (p *program) experimentsAssignCommand() *cobra.Command {
	var o artifactOptions
	var file string
	cmd := &cobra.Command{
		Use:   "assign CUSTOMER_ID",
		Short: "Say which arms a customer is in at an instant, by the plan in force then or by a file",
		Long: "Say for each layer of a plan the customer's bucket, and the experiment and arm that he is in. It is a hash of his\n" +
			"id, so that it can be asked of a plan that is not published yet, and of a customer whom the bank does not have.",
		Example: "  fundmatch experiments assign C000001\n  fundmatch experiments assign C000001 --plan experiments.yaml --at 2026-12-15T00:00:00+08:00 --json",
		Args:    arguments(0, "CUSTOMER_ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.experimentsAssign(cmd.Context(), args[0], file, &o)
		},
	}
	o.addStore(cmd)
	o.addJSON(cmd)
	cmd.Flags().StringVar(&file, "plan", "", "a file instead of the plan in force")
	cmd.Flags().StringVar(&o.at, "at", "", "the instant, RFC 3339 (default now)")
	return cmd
}

// assignAnswer is what experiments assign --json prints.
type assignAnswer struct {
	CustomerID  string             `json:"customerId"`
	At          string             `json:"at"`
	Plan        string             `json:"plan"` // empty: none is in force
	Version     int                `json:"version"`
	ID          string             `json:"id"` // of the published plan; empty: a file, or none
	Layers      []assignedLayer    `json:"layers"`
	Model       string             `json:"model"`       // empty: the one in force
	Exploration *explorationAnswer `json:"exploration"` // null: the model's own
}

// assignedLayer is a customer's place in one layer.
type assignedLayer struct {
	Layer      string `json:"layer"`
	Bucket     int    `json:"bucket"`
	Experiment string `json:"experiment"` // empty: his bucket is free
	Arm        string `json:"arm"`
}

func (p *program) experimentsAssign(ctx context.Context, customerID, file string, o *artifactOptions) error {
	if fund.CheckID(customerID) != nil {
		return usageError("%.80q, expected a customer id of 1 to 64 of 0-9 A-Z a-z . _ -", customerID)
	}
	at, err := o.instant(p.now())
	if err != nil {
		return err
	}
	plan, err := p.planOf(ctx, file, o.store, at)
	if err != nil {
		return err
	}
	a := assignAnswer{CustomerID: customerID, At: at.String(), ID: plan.id, Layers: []assignedLayer{}}
	if plan.Plan != nil {
		a.read(plan.Plan, at)
	}
	if o.json {
		return p.printJSON(a)
	}
	var c card
	c.assigned(&a, at)
	return c.writeTo(p.stdout)
}

// read asks a plan.
func (a *assignAnswer) read(plan *experiment.Plan, at fund.Instant) {
	assigned := plan.Assign(a.CustomerID, at, nil)
	a.Plan, a.Version, a.Model, a.Exploration = plan.Name, plan.Version, assigned.Model, newExplorationAnswer(assigned.Explore)
	for i := range plan.Layers {
		l := assignedLayer{Layer: plan.Layers[i].Name, Bucket: experiment.Bucket(plan.Layers[i].Salt, a.CustomerID)}
		for _, x := range assigned.Exposures {
			if x.Layer == l.Layer {
				l.Experiment, l.Arm = x.Experiment, x.Arm
			}
		}
		a.Layers = append(a.Layers, l)
	}
}

func (c *card) assigned(a *assignAnswer, at fund.Instant) {
	c.line(0, "客户　%s　时点　%s", a.CustomerID, shanghai(at.Time()))
	if a.Plan == "" {
		c.line(0, "没有生效的实验方案")
		return
	}
	c.line(0, "方案　%s　版本 %d", a.Plan, a.Version)
	for _, l := range a.Layers {
		if l.Experiment == "" {
			c.line(1, "%s　桶 %d　不在实验中", l.Layer, l.Bucket)
			continue
		}
		c.line(1, "%s　桶 %d　实验 %s　分组 %s", l.Layer, l.Bucket, l.Experiment, l.Arm)
	}
	if a.Model != "" {
		c.line(0, "模型　%s", a.Model)
	}
	if a.Exploration != nil {
		c.line(0, "探索　%s", a.Exploration.words())
	}
}
