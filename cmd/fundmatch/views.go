package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func (p *program) viewsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "views",
		Short: "Work with the catalogue of views: check, show, publish, and its history",
		Long: "A catalogue says which features a bank keeps of its customers besides the built-in ones: their types, who answers\n" +
			"for them, who may read them for what, and how old they may be. It is in force from its publication on, and what\n" +
			"is read as of an instant of the past is read by the catalogue of that time. docs/features.md tells the format.",
		Example: "  fundmatch views check views.yaml\n" +
			"  fundmatch views publish views.yaml --by zhang.li --note 'salary, data council 2026-12'\n  fundmatch views show --json",
		Args: arguments(0),
		RunE: needsVerb,
	}
	cmd.AddCommand(p.viewsCheckCommand(), p.viewsShowCommand(), p.viewsPublishCommand(), p.viewsHistoryCommand())
	return cmd
}

func (p *program) viewsCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a catalogue of views as publishing would; exit code 2 names line, place, value and what was expected",
		Long: "Read a catalogue of views strictly: an unknown key, a type, purpose or role that there is not, a span out of its\n" +
			"bounds, a view without owner or version, a built-in view that is given less than it has.",
		Example: "  fundmatch views check views.yaml",
		Args:    arguments(0, "FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, _, err := readViewsFile(args[0])
			if err != nil {
				return err
			}
			var out card
			out.line(0, "%s: in order: %s", args[0], bankViewsText(c))
			return out.writeTo(p.stdout)
		},
	}
}

// bankViewsText counts what a bank's catalogue has besides the built-in one.
func bankViewsText(c *view.Catalogue) string {
	builtIn := view.Default()
	own, names := len(c.Views())-len(builtIn.Views()), 0
	for _, v := range c.Views() {
		names += len(v.Features)
	}
	for _, v := range builtIn.Views() {
		names -= len(v.Features)
	}
	return plural(own, "view", "views") + " and " + plural(names, "named feature", "named features") + " of the bank's, " +
		plural(len(c.Purposes())-len(builtIn.Purposes()), "purpose", "purposes")
}

func (p *program) viewsPublishCommand() *cobra.Command {
	var o artifactOptions
	cmd := &cobra.Command{
		Use:   "publish FILE --by WHO --note TEXT",
		Short: "Put a catalogue of views in force, after it was checked and compared",
		Long: "Check a catalogue of views, say what changes against the one in force, and put it in force with who did it and\n" +
			"why. A feature keeps its type for as long as the version of its view's definition stays the same: what was\n" +
			"written under it could not be read any more. The values of a view that is left out stay in the store, unread.",
		Example: "  fundmatch views publish views.yaml --by zhang.li --note 'salary, data council 2026-12' --store sqlite:bank.db\n" +
			"  fundmatch views publish views.yaml --by zhang.li --note trial --dry-run",
		Args: arguments(0, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.viewsPublish(cmd.Context(), args[0], &o)
		},
	}
	o.addPublication(cmd, "check and compare, and change nothing")
	return cmd
}

func (p *program) viewsPublish(ctx context.Context, name string, o *artifactOptions) error {
	catalogue, data, err := readViewsFile(name)
	if err != nil {
		return err
	}
	a, err := o.activation(features.ViewsArtifact, data, fund.InstantOf(p.now()))
	if err != nil {
		return err
	}
	store, err := openArtifacts(ctx, o.store)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // what was committed is on disk
	history, err := readViewsHistory(ctx, store)
	if err != nil {
		return err
	}
	var c card
	if n := len(history); n > 0 && history[n-1].ArtifactID == a.ArtifactID {
		c.line(0, "%s: in force already, nothing changed", name)
		return c.writeTo(p.stdout)
	}
	if err := history.checkSuccession(catalogue); err != nil {
		return err
	}
	c.viewChanges(0, history.changes(len(history), catalogue))
	if o.dryRun {
		c.line(0, "trial: nothing was published")
		return c.writeTo(p.stdout)
	}
	if err := putInForce(ctx, store, data, a); err != nil {
		return err
	}
	c.line(0, "published %s: %s", a.ArtifactID, bankViewsText(catalogue))
	return c.writeTo(p.stdout)
}

// checkSuccession holds that one version of the definition of a bank's own view has one type
// for each feature, for ever: a value is read by the type that it was written under. The
// values of built-in views are texts, and their versions are the program's.
func (h viewsHistory) checkSuccession(next *view.Catalogue) error {
	for _, v := range next.Views()[len(view.Default().Views()):] {
		for i := range h {
			if h[i].err != nil {
				continue // it cannot be read: what it meant nobody knows
			}
			was, ok := h[i].catalogue.View(v.Name)
			if !ok || was.Version != v.Version {
				continue
			}
			if name, is, then := redefined(&was, &v); name != "" {
				return usageError("view %s, %s: type %s, expected %s as published on %s under version %q of the view, or another version",
					v.Name, name, is, then, shanghai(h[i].At.Time()), v.Version)
			}
		}
	}
	return nil
}

// redefined finds a name that has another type in both views, where both give it one.
func redefined(before, after *view.View) (name string, is, was view.Type) {
	names := append(slices.Clone(before.Features), after.Features...)
	for i := range names {
		was, is := typeOf(before, names[i].Name), typeOf(after, names[i].Name)
		if was != 0 && is != 0 && was != is {
			return "feature " + names[i].Name, is, was
		}
	}
	if was, is := before.Open, after.Open; was != 0 && is != 0 && was != is {
		return "open", is, was
	}
	return "", 0, 0
}

// typeOf is the type that a view gives a name, declared or not; 0: none.
func typeOf(v *view.View, name string) view.Type {
	for i := range v.Features {
		if v.Features[i].Name == name {
			return v.Features[i].Type
		}
	}
	return v.Open
}

func (p *program) viewsHistoryCommand() *cobra.Command {
	var o artifactOptions
	cmd := &cobra.Command{
		Use:     "history",
		Short:   "Tell who put which catalogue of views in force, when, why, and what it changed against the one before",
		Example: "  fundmatch views history --store sqlite:bank.db\n  fundmatch views history --json",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.viewsHistory(cmd.Context(), &o)
		},
	}
	o.addStore(cmd)
	o.addJSON(cmd)
	return cmd
}

// viewsHistoryAnswer is what views history --json prints, oldest first.
type viewsHistoryAnswer struct {
	History []viewsPublication `json:"history"`
}

// viewsPublication is one entry of the history.
type viewsPublication struct {
	published
	ID       string       `json:"id"`
	Readable bool         `json:"readable"` // false: this program cannot read it
	Changes  []viewChange `json:"changes"`  // against the one before, the first against the built-in one
}

func (p *program) viewsHistory(ctx context.Context, o *artifactOptions) error {
	store, err := openArtifacts(ctx, o.store)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // read only
	history, err := readViewsHistory(ctx, store)
	if err != nil {
		return err
	}
	a := viewsHistoryAnswer{History: make([]viewsPublication, len(history))}
	for i := range history {
		h := &history[i]
		a.History[i] = viewsPublication{published: *newPublished(h.Activation), ID: h.ArtifactID, Readable: h.err == nil, Changes: []viewChange{}}
		if h.err == nil {
			a.History[i].Changes = history.changes(i, h.catalogue)
		}
	}
	if o.json {
		return p.printJSON(a)
	}
	var c card
	for i := range a.History {
		x := &a.History[i]
		c.line(0, "%s  %s  %s", shanghai(x.at.Time()), x.By, x.Note)
		if c.line(1, "%s", x.ID); !x.Readable {
			c.line(1, "this program cannot read it")
			continue
		}
		c.viewChanges(1, x.Changes)
	}
	if len(a.History) == 0 {
		c.line(0, "no catalogue was ever published: the built-in views are in force")
	}
	return c.writeTo(p.stdout)
}

// changes compares a catalogue with the newest that can be read of the first n, or with the
// built-in one where there is none.
func (h viewsHistory) changes(n int, next *view.Catalogue) []viewChange {
	for i := n - 1; i >= 0; i-- {
		if h[i].err == nil {
			return diffViews(h[i].catalogue, next)
		}
	}
	return diffViews(view.Default(), next)
}

// viewChanges writes what differs, or that nothing does.
func (c *card) viewChanges(indent int, changes []viewChange) {
	if len(changes) == 0 {
		c.line(indent, "no view changes")
	}
	for i := range changes {
		x := &changes[i]
		switch {
		case x.Before == "":
			c.line(indent, "+ %s: %s", x.Place, x.After)
		case x.After == "":
			c.line(indent, "- %s: %s", x.Place, x.Before)
		default:
			c.line(indent, "%s: %s -> %s", x.Place, x.Before, x.After)
		}
	}
}
