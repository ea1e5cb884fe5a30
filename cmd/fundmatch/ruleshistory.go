package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
)

func (p *program) rulesHistoryCommand() *cobra.Command {
	var o artifactOptions
	cmd := &cobra.Command{
		Use:     "history",
		Short:   "Tell who put which rule pack in force, when, why, and what it changed against the one before",
		Example: "  fundmatch rules history --store sqlite:bank.db\n  fundmatch rules history --json",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.rulesHistory(cmd.Context(), &o)
		},
	}
	o.addStore(cmd)
	o.addJSON(cmd)
	return cmd
}

// historyAnswer is what rules history --json prints, oldest first.
type historyAnswer struct {
	History []publication `json:"history"`
}

// publication is one entry of the history.
type publication struct {
	published
	ID      string         `json:"id"`
	Name    string         `json:"name"`    // empty: the pack cannot be read any more
	Version string         `json:"version"` //
	First   bool           `json:"first"`   // there was none before
	Changes []changeAnswer `json:"changes"` // against the one before
}

func (p *program) rulesHistory(ctx context.Context, o *artifactOptions) error {
	store, err := openArtifacts(ctx, o.store)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // read only
	history, err := store.Activations(ctx, features.RulesArtifact)
	if err != nil {
		return err
	}
	a := historyAnswer{History: make([]publication, len(history))}
	var before *eligibility.Pack
	for i, entry := range history {
		if before, err = a.History[i].read(ctx, store, entry, before); err != nil {
			return err
		}
		a.History[i].First = i == 0
	}
	if o.json {
		return p.printJSON(a)
	}
	var c card
	for i := range a.History {
		c.publication(&a.History[i])
	}
	if len(a.History) == 0 {
		c.line(0, "还没有启用过规则包")
	}
	return c.writeTo(p.stdout)
}

// read fills in one publication and returns its pack, or the one before where its own
// cannot be read.
func (p *publication) read(ctx context.Context, store features.Models, a features.Activation, before *eligibility.Pack) (*eligibility.Pack, error) {
	p.published, p.ID, p.Changes = *newPublished(a), a.ArtifactID, []changeAnswer{}
	data, err := store.Artifact(ctx, features.RulesArtifact, a.ArtifactID)
	if err != nil {
		return nil, err
	}
	pack, err := eligibility.ParseRecorded(data)
	if err != nil {
		return before, nil //nolint:nilerr // what once got in force is history, whatever it is
	}
	p.Name, p.Version = pack.Name, pack.Version
	if before != nil {
		p.Changes = changeAnswers(eligibility.Diff(before, pack))
	}
	return pack, nil
}

func (c *card) publication(p *publication) {
	c.line(0, "%s　%s　%s", shanghai(p.at.Time()), p.By, p.Note)
	if p.Name == "" {
		c.line(1, "无法读取的规则包　编号 %s", p.ID)
		return
	}
	c.line(1, "%s　版本 %s　编号 %s", p.Name, p.Version, p.ID)
	switch {
	case p.First:
		c.line(1, "首次启用")
	case len(p.Changes) == 0:
		c.line(1, "没有变化")
	}
	for i := range p.Changes {
		c.line(1, "%s", p.Changes[i].Words)
	}
}
