package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/slate"
)

func (p *program) experimentsShowCommand() *cobra.Command {
	var o artifactOptions
	cmd := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Show the plan in force at an instant, or a file: layers, experiments, arms, and what runs",
		Example: "  fundmatch experiments show\n  fundmatch experiments show --at 2026-12-15T00:00:00+08:00 --json\n" +
			"  fundmatch experiments show experiments.yaml",
		Args: arguments(1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.experimentsShow(cmd.Context(), strings.Join(args, ""), &o)
		},
	}
	o.addStore(cmd)
	o.addJSON(cmd)
	cmd.Flags().StringVar(&o.at, "at", "", "the instant, RFC 3339 (default now)")
	return cmd
}

// planAnswer is what experiments show --json prints.
type planAnswer struct {
	Name      string        `json:"name"` // empty: no plan is in force
	Version   int           `json:"version"`
	ID        string        `json:"id"`        // of the published plan; empty: a file, or none
	Published *published    `json:"published"` // null: a file, or none
	At        string        `json:"at"`
	Layers    []layerAnswer `json:"layers"`

	at fund.Instant
}

type layerAnswer struct {
	Name        string             `json:"name"`
	Salt        string             `json:"salt"`
	Experiments []experimentAnswer `json:"experiments"`
}

type experimentAnswer struct {
	Name        string      `json:"name"`
	Salt        string      `json:"salt"`
	From        string      `json:"from"`  // the first day
	Until       string      `json:"until"` // the first day after
	State       string      `json:"state"` // PLANNED, RUNNING or ENDED
	FirstBucket int         `json:"firstBucket"`
	EndBucket   int         `json:"endBucket"`
	Arms        []armAnswer `json:"arms"`
}

type armAnswer struct {
	Name        string             `json:"name"`
	ShareBps    int                `json:"shareBps"`
	Control     bool               `json:"control"`
	Model       string             `json:"model"`       // empty: the one in force
	Exploration *explorationAnswer `json:"exploration"` // null: the model's own
}

type explorationAnswer struct {
	ProbabilityBps int     `json:"probabilityBps"`
	Next           int     `json:"next"`
	MaxGap         float64 `json:"maxGap"`
}

func newExplorationAnswer(e *slate.Exploration) *explorationAnswer {
	if e == nil {
		return nil
	}
	return &explorationAnswer{int(e.Probability), e.Next, e.MaxGap}
}

func (e *explorationAnswer) words() string {
	if e.ProbabilityBps == 0 {
		return "不探索"
	}
	return fmt.Sprintf("概率 %s，其后 %d 个产品，分差至多 %g", percent(e.ProbabilityBps), e.Next, e.MaxGap)
}

// percent writes basis points.
func percent(bps int) string { return fmt.Sprintf("%g%%", float64(bps)/100) }

func (p *program) experimentsShow(ctx context.Context, file string, o *artifactOptions) error {
	at, err := o.instant(p.now())
	if err != nil {
		return err
	}
	plan, err := p.planOf(ctx, file, o.store, at)
	if err != nil {
		return err
	}
	a := planAnswer{ID: plan.id, At: at.String(), at: at, Layers: []layerAnswer{}}
	if plan.id != "" {
		a.Published = newPublished(plan.last)
	}
	if plan.Plan != nil {
		a.read(plan.Plan)
	}
	if o.json {
		return p.printJSON(a)
	}
	var c card
	c.plan(&a)
	return c.writeTo(p.stdout)
}

func (a *planAnswer) read(plan *experiment.Plan) {
	a.Name, a.Version = plan.Name, plan.Version
	for i := range plan.Layers {
		l := &plan.Layers[i]
		layer := layerAnswer{Name: l.Name, Salt: l.Salt, Experiments: []experimentAnswer{}}
		for j := range l.Experiments {
			layer.Experiments = append(layer.Experiments, newExperimentAnswer(&l.Experiments[j], a.at))
		}
		a.Layers = append(a.Layers, layer)
	}
}

func newExperimentAnswer(e *experiment.Experiment, at fund.Instant) experimentAnswer {
	a := experimentAnswer{
		Name: e.Name, Salt: e.Salt, From: e.From.Date().String(), Until: e.Until.Date().String(), State: "RUNNING",
		FirstBucket: e.FirstBucket, EndBucket: e.EndBucket,
	}
	switch {
	case at < e.From:
		a.State = "PLANNED"
	case at >= e.Until:
		a.State = "ENDED"
	}
	for i := range e.Arms {
		arm := &e.Arms[i]
		a.Arms = append(a.Arms, armAnswer{arm.Name, int(arm.Share), arm.Control, arm.Model, newExplorationAnswer(arm.Explore)})
	}
	return a
}

// stateWords are the states of an experiment in zh-CN.
func stateWords(state string) string {
	switch state {
	case "PLANNED":
		return "未开始"
	case "ENDED":
		return "已结束"
	default:
		return "进行中"
	}
}

func (c *card) plan(a *planAnswer) {
	if a.Name == "" {
		c.line(0, "没有生效的实验方案")
		return
	}
	c.line(0, "实验方案　%s　版本 %d", a.Name, a.Version)
	if a.Published != nil {
		c.line(0, "编号　%s", a.ID)
		c.line(0, "启用　%s　%s　%s", shanghai(a.Published.at.Time()), a.Published.By, a.Published.Note)
	}
	c.line(0, "时点　%s", shanghai(a.at.Time()))
	for i := range a.Layers {
		l := &a.Layers[i]
		c.line(0, "")
		c.line(0, "分层　%s　盐值 %s", l.Name, l.Salt)
		for j := range l.Experiments {
			c.experiment(&l.Experiments[j])
		}
	}
}

func (c *card) experiment(e *experimentAnswer) {
	c.line(1, "%s　%s　%s 至 %s（不含）　桶 %d 至 %d（%s）　盐值 %s", e.Name, stateWords(e.State), e.From, e.Until,
		e.FirstBucket, e.EndBucket-1, percent(e.EndBucket-e.FirstBucket), e.Salt)
	for i := range e.Arms {
		arm := &e.Arms[i]
		says := "对照组：与其他客户相同"
		if !arm.Control {
			var chosen []string
			if arm.Model != "" {
				chosen = append(chosen, "模型 "+arm.Model)
			}
			if arm.Exploration != nil {
				chosen = append(chosen, "探索 "+arm.Exploration.words())
			}
			says = strings.Join(chosen, "　")
		}
		c.line(2, "%s　%s　%s", arm.Name, percent(arm.ShareBps), says)
	}
}

func (p *program) experimentsHistoryCommand() *cobra.Command {
	var o artifactOptions
	cmd := &cobra.Command{
		Use:     "history",
		Short:   "Tell who put which plan in force, when, why, and what it changed against the one before",
		Example: "  fundmatch experiments history --store sqlite:bank.db\n  fundmatch experiments history --json",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.experimentsHistory(cmd.Context(), &o)
		},
	}
	o.addStore(cmd)
	o.addJSON(cmd)
	return cmd
}

// planHistory is what experiments history --json prints, oldest first.
type planHistory struct {
	History []planPublication `json:"history"`
}

// planPublication is one entry of the history.
type planPublication struct {
	published
	ID      string   `json:"id"`
	Name    string   `json:"name"` // empty: the plan cannot be read any more
	Version int      `json:"version"`
	Changes []string `json:"changes"` // against the one before, in words
}

func (p *program) experimentsHistory(ctx context.Context, o *artifactOptions) error {
	store, err := openArtifacts(ctx, o.store)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // read only
	history, err := store.Activations(ctx, features.ExperimentsArtifact)
	if err != nil {
		return err
	}
	a := planHistory{History: make([]planPublication, len(history))}
	before := &experiment.Plan{}
	for i, entry := range history {
		h := &a.History[i]
		h.published, h.ID, h.Changes = *newPublished(entry), entry.ArtifactID, []string{}
		data, err := store.Artifact(ctx, features.ExperimentsArtifact, entry.ArtifactID)
		if err != nil {
			return err
		}
		plan, err := experiment.Parse(data)
		if err != nil {
			continue // what once got in force is history, whatever it is
		}
		h.Name, h.Version, h.Changes = plan.Name, plan.Version, planChanges(before, plan)
		before = plan
	}
	if o.json {
		return p.printJSON(a)
	}
	var c card
	for i := range a.History {
		c.planPublication(&a.History[i])
	}
	if len(a.History) == 0 {
		c.line(0, "还没有启用过实验方案")
	}
	return c.writeTo(p.stdout)
}

func (c *card) planPublication(h *planPublication) {
	c.line(0, "%s　%s　%s", shanghai(h.at.Time()), h.By, h.Note)
	if h.Name == "" {
		c.line(1, "无法读取的实验方案　编号 %s", h.ID)
		return
	}
	c.line(1, "%s　版本 %d　编号 %s", h.Name, h.Version, h.ID)
	for _, line := range h.Changes {
		c.line(1, "%s", line)
	}
}
