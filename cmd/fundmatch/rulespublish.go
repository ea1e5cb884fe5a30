package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/engine"
)

func (p *program) rulesPublishCommand() *cobra.Command {
	var o artifactOptions
	cmd := &cobra.Command{
		Use:   "publish FILE --by WHO --note TEXT",
		Short: "Put a rule pack in force, after it was checked, compared and compiled; a running service takes it within seconds",
		Long: "Check a rule pack, say what changes against the one in force, compile it with the pool and the model in force, now\n" +
			"and at every instant at which one of its entries begins or ends, and put it in force with who did it and why. What\n" +
			"is to change later has an effective_from later: the pack is in force at once, the entry from then on.\n\n" +
			"A bank's pack has a name of its own, since a newer program replaces its own built-in. Of packs of one name the\n" +
			"version has to rise, compared as text; a pack that was in force before may come back as it was.",
		Example: "  fundmatch rules publish bank-rules.yaml --by zhang.li --note '董事会决议 2026-12' --store sqlite:bank.db\n" +
			"  fundmatch rules publish bank-rules.yaml --by zhang.li --note trial --dry-run",
		Args: arguments(0, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.rulesPublish(cmd.Context(), args[0], &o)
		},
	}
	o.addPublication(cmd, "check, compare and compile, and change nothing")
	return cmd
}

func (p *program) rulesPublish(ctx context.Context, name string, o *artifactOptions) (err error) {
	pack, data, err := readPackFile(name)
	if err != nil {
		return err
	}
	now := fund.InstantOf(p.now())
	a, err := o.activation(features.RulesArtifact, data, now)
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
	id, active, err := store.Active(ctx, features.RulesArtifact)
	if err != nil {
		return err
	}
	var c card
	if id == a.ArtifactID {
		c.line(0, "%s: 已在生效，没有变化", name)
		return c.writeTo(p.stdout)
	}
	if err := p.tryRules(ctx, store, pack, data, &a); err != nil {
		return err
	}
	if err := c.against(active, pack); err != nil {
		return err
	}
	if o.dryRun {
		c.line(0, "试运行：没有发布")
		return c.writeTo(p.stdout)
	}
	if err := putInForce(ctx, store, data, a); err != nil {
		return err
	}
	c.line(0, "已发布　%s　版本 %s　编号 %s", pack.Name, pack.Version, a.ArtifactID)
	return c.writeTo(p.stdout)
}

// against writes what a pack changes of the one in force.
func (c *card) against(active []byte, pack *eligibility.Pack) error {
	before, err := eligibility.ParseRecorded(active)
	if err != nil {
		c.line(0, "生效中的规则包无法读取，不作比较：%v", err) // what is published may be its cure
		return nil
	}
	c.changes(0, eligibility.Diff(before, pack))
	return nil
}

// tryRules refuses a pack that may not follow those that were in force, and one with which
// no core compiles: the service would go on with the old one, and nobody would know why.
func (p *program) tryRules(ctx context.Context, store bankStore, pack *eligibility.Pack, data []byte, a *features.Activation) error {
	if err := checkSuccession(ctx, store, pack, a.ArtifactID); err != nil {
		return err
	}
	var pools features.Pools = store
	if _, err := store.Published(ctx); errors.Is(err, features.ErrNoPool) {
		pools = noPools{store}
	} else if err != nil {
		return err
	}
	loader, err := engine.NewLoader(futurePools{pools}, engine.Suppose(store, features.RulesArtifact, data), p.version)
	if err != nil {
		return err
	}
	instants := []fund.Instant{a.At}
	for _, b := range pack.Boundaries() {
		if b > a.At {
			instants = append(instants, b)
		}
	}
	bar := p.startProgress("compile", "cores", int64(len(instants)))
	defer bar.end()
	for i, at := range instants {
		if _, err := loader.Newest(ctx, at); errors.Is(err, matcher.ErrCompile) {
			return &exitError{
				code: exitUsage, cause: err,
				text: fmt.Sprintf("nothing was published, with this pack the core of %s would not compile: %v", shanghai(at.Time()), err),
			}
		} else if err != nil {
			return err
		}
		bar.set(int64(i + 1))
	}
	return nil
}

// checkSuccession holds that one version of one name is one content, for ever, and that the
// built-in's name is the program's.
func checkSuccession(ctx context.Context, store features.Models, pack *eligibility.Pack, id string) error {
	builtIn, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(eligibility.Default()); pack.Name == builtIn.Name && id != hex.EncodeToString(sum[:]) {
		return usageError("name: %q is the built-in pack's, which a newer program replaces; expected a name of the bank's own", pack.Name)
	}
	history, err := store.Activations(ctx, features.RulesArtifact)
	if err != nil {
		return err
	}
	newest := ""
	for _, a := range history {
		if a.ArtifactID == id {
			return nil // it comes back as it was
		}
		data, err := store.Artifact(ctx, features.RulesArtifact, a.ArtifactID)
		if err != nil {
			return err
		}
		if was, err := eligibility.ParseRecorded(data); err == nil && was.Name == pack.Name {
			newest = max(newest, was.Version)
		}
	}
	if pack.Version <= newest {
		return usageError("version: %q, expected one that is greater as text than %q, which was published under this name", pack.Version, newest)
	}
	return nil
}

// noPools stand for a bank that has published no product yet: its rules come first.
type noPools struct{ features.Pools }

// Published is features.Pools.
func (noPools) Published(context.Context) (features.Revision, error) { return features.Revision{}, nil }

// Pool is features.Pools.
func (noPools) Pool(context.Context, uint64) ([]fund.Product, error) { return nil, nil }

// NAVs is features.Pools.
func (noPools) NAVs(context.Context, features.Cut, func(string, []fund.NAV) error) error { return nil }
