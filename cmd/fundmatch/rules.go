package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// activePack stands for the rule pack in force where a file may be named.
const activePack = "active"

func (p *program) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Work with rule packs: show, check, compare, publish, and their history",
		Long: "A rule pack holds what a bank may set of the suitability and conduct rules: parameters, stricter outcomes,\n" +
			"periods. It is changed by publishing another one, never by rebuilding; a running service takes it within\n" +
			"seconds. docs/rules.md is the built-in pack in words.",
		Example: "  fundmatch rules show\n  fundmatch rules diff active bank-rules.yaml\n" +
			"  fundmatch rules publish bank-rules.yaml --by zhang.li --note '董事会决议 2026-12'",
		Args: arguments(0),
		RunE: needsVerb,
	}
	cmd.AddCommand(p.rulesShowCommand(), p.rulesCheckCommand(), p.rulesDiffCommand(), p.rulesPublishCommand(), p.rulesHistoryCommand())
	return cmd
}

func (p *program) rulesCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a rule pack as publishing would; exit code 2 names place, value and what was expected",
		Long: "Read a rule pack strictly: an unknown key, rule or parameter, a missing citation, a value out of its bounds, an\n" +
			"outcome weaker than the rulebook's, a legal rule that is missing, switched off or not in force at some instant.",
		Example: "  fundmatch rules check bank-rules.yaml",
		Args:    arguments(0, "FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			pack, _, err := readPackFile(args[0])
			if err != nil {
				return err
			}
			var c card
			c.line(0, "%s: %s, version %s: %s, in order", args[0], pack.Name, pack.Version, plural(len(pack.Rules), "entry", "entries"))
			return c.writeTo(p.stdout)
		},
	}
}

// readPackFile reads a rule pack of a file strictly, and its bytes.
func readPackFile(name string) (*eligibility.Pack, []byte, error) {
	data, err := readInput(name, eligibility.MaxPackBytes)
	if err != nil {
		return nil, nil, err
	}
	pack, err := eligibility.ParsePack(data)
	if err != nil {
		return nil, nil, usageError("%s: %v", name, err)
	}
	return pack, data, nil
}

// storedPack is a rule pack of the store.
type storedPack struct {
	*eligibility.Pack
	inForce
}

// packAt reads the rule pack that was in force at an instant.
func packAt(ctx context.Context, store features.Models, at fund.Instant) (storedPack, error) {
	s, err := artifactAt(ctx, store, features.RulesArtifact, at)
	if errors.Is(err, features.ErrNotFound) {
		return storedPack{}, unavailableError(err, "no rule pack is in force: fundmatch migrate puts the built-in one in force")
	}
	if err != nil {
		return storedPack{}, err
	}
	pack, err := eligibility.ParseRecorded(s.data)
	return storedPack{pack, s}, err
}

func (p *program) rulesDiffCommand() *cobra.Command {
	var o artifactOptions
	cmd := &cobra.Command{
		Use:   "diff BEFORE AFTER",
		Short: "Say in words what differs between two rule packs: files, or active for the one in force",
		Example: "  fundmatch rules diff active bank-rules.yaml\n" +
			"  fundmatch rules diff bank-rules-2026.yaml bank-rules-2027.yaml --json",
		Args: arguments(0, "BEFORE", "AFTER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.rulesDiff(cmd.Context(), args, &o)
		},
	}
	o.addStore(cmd)
	o.addJSON(cmd)
	return cmd
}

// diffAnswer is what rules diff --json prints.
type diffAnswer struct {
	Changes []changeAnswer `json:"changes"`
}

// changeAnswer is one eligibility.Change.
type changeAnswer struct {
	Rule   string `json:"rule"` // empty: of the pack as a whole
	Book   string `json:"book"` // empty: both
	From   string `json:"from"` // of the entry; empty: since ever
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
	Effect string `json:"effect"` // STRICTER, LAXER, or empty
	Words  string `json:"words"`
}

func changeAnswers(changes []eligibility.Change) []changeAnswer {
	out := make([]changeAnswer, len(changes))
	for i := range changes {
		c := &changes[i]
		out[i] = changeAnswer{
			string(c.Rule), c.Book.String(), c.From.String(), string(c.Kind), c.Name, c.Before, c.After, string(c.Effect), c.Words(),
		}
	}
	return out
}

func (p *program) rulesDiff(ctx context.Context, args []string, o *artifactOptions) error {
	var packs [2]*eligibility.Pack
	for i, name := range args {
		var err error
		if name == activePack {
			packs[i], err = p.activePack(ctx, o.store)
		} else {
			packs[i], _, err = readPackFile(name)
		}
		if err != nil {
			return err
		}
	}
	changes := eligibility.Diff(packs[0], packs[1])
	if o.json {
		return p.printJSON(diffAnswer{changeAnswers(changes)})
	}
	var c card
	c.changes(0, changes)
	return c.writeTo(p.stdout)
}

func (p *program) activePack(ctx context.Context, store string) (*eligibility.Pack, error) {
	s, err := openArtifacts(ctx, store)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }() // read only
	pack, err := packAt(ctx, s, fund.InstantOf(p.now()))
	return pack.Pack, err
}

// changes writes what differs, or that nothing does.
func (c *card) changes(indent int, changes []eligibility.Change) {
	if len(changes) == 0 {
		c.line(indent, "没有变化")
	}
	for i := range changes {
		c.line(indent, "%s", changes[i].Words())
	}
}
