package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features/view"
)

func (p *program) viewsShowCommand() *cobra.Command {
	var o artifactOptions
	cmd := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Show the views and purposes in force at an instant, the built-in ones among them",
		Example: "  fundmatch views show\n  fundmatch views show --at 2026-02-01T00:00:00+08:00 --json\n" +
			"  fundmatch views show views.yaml",
		Args: arguments(1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.viewsShow(cmd.Context(), args, &o)
		},
	}
	o.addStore(cmd)
	o.addJSON(cmd)
	cmd.Flags().StringVar(&o.at, "at", "", "the instant, RFC 3339 (default now): the catalogue that was in force then")
	return cmd
}

// viewsAnswer is what views show --json prints.
type viewsAnswer struct {
	ID        string          `json:"id"`        // of the published catalogue; empty: the built-in one, or a file
	Published *published      `json:"published"` // null: the built-in one, or a file
	Purposes  []purposeAnswer `json:"purposes"`  // the built-in ones first
	Views     []viewAnswer    `json:"views"`     // the built-in ones first
}

type purposeAnswer struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Doc     string `json:"doc"`
	BuiltIn bool   `json:"builtIn"`
}

// viewAnswer is one view.
type viewAnswer struct {
	Name    string `json:"name"`
	Doc     string `json:"doc"`
	Owner   string `json:"owner"`
	Version string `json:"version"`
	BuiltIn bool   `json:"builtIn"` // perhaps refined by the bank
	Derived bool   `json:"derived"` // computed from other facts, and never written
	Open    string `json:"open"`    // type of the names that are not declared; empty: there are no others

	viewAccessAnswer
	Features []featureAnswer `json:"features"`
}

// viewAccessAnswer says who may read a view, for what, and how old it may be.
type viewAccessAnswer struct {
	Personal     bool     `json:"personal"`
	Purposes     []string `json:"purposes"`
	NeedsConsent []string `json:"needsConsent"`
	Roles        []string `json:"roles"`     // besides the program
	MaxAge       string   `json:"maxAge"`    // such as 30d; empty: no bound
	LookBack     string   `json:"lookBack"`  //
	Retention    string   `json:"retention"` //
}

type featureAnswer struct {
	Name  string   `json:"name"`
	Type  string   `json:"type"`
	Doc   string   `json:"doc"`
	Roles []string `json:"roles"` // empty: the view's
}

func (p *program) viewsShow(ctx context.Context, args []string, o *artifactOptions) error {
	at, err := o.instant(p.now())
	if err != nil {
		return err
	}
	var a viewsAnswer
	if len(args) == 1 {
		c, _, err := readViewsFile(args[0])
		if err != nil {
			return err
		}
		a = newViewsAnswer(c)
	} else {
		store, err := openArtifacts(ctx, o.store)
		if err != nil {
			return err
		}
		defer func() { _ = store.Close() }() // read only
		stored, err := viewsAt(ctx, store, at)
		if err != nil {
			return err
		}
		if a = newViewsAnswer(stored.Catalogue); stored.id != "" {
			a.ID, a.Published = stored.id, newPublished(stored.last)
		}
	}
	if o.json {
		return p.printJSON(a)
	}
	var c card
	c.views(&a)
	return c.writeTo(p.stdout)
}

func newViewsAnswer(c *view.Catalogue) (a viewsAnswer) {
	builtIn := view.Default()
	purposes := len(builtIn.Purposes()) // they come first
	for i, p := range c.Purposes() {
		a.Purposes = append(a.Purposes, purposeAnswer{p.Name, p.Kind.String(), p.Doc, i < purposes})
	}
	for _, v := range c.Views() {
		_, ours := builtIn.View(v.Name)
		x := viewAnswer{
			Name: v.Name, Doc: v.Doc, Owner: v.Owner, Version: v.Version, BuiltIn: ours, Derived: v.Derived, Features: []featureAnswer{},
			viewAccessAnswer: viewAccessAnswer{
				Personal: v.Personal, Purposes: append([]string{}, v.Purposes...), NeedsConsent: append([]string{}, v.NeedsConsent...),
				Roles: roleTexts(v.Roles), MaxAge: spanText(v.MaxAge), LookBack: spanText(v.LookBack), Retention: spanText(v.Retention),
			},
		}
		if v.Open != 0 {
			x.Open = v.Open.String()
		}
		for _, f := range v.Features {
			x.Features = append(x.Features, featureAnswer{f.Name, f.Type.String(), f.Doc, roleTexts(f.Roles)})
		}
		a.Views = append(a.Views, x)
	}
	return a
}

// views writes a catalogue in the words of its file.
func (c *card) views(a *viewsAnswer) {
	if a.Published != nil {
		c.line(0, "catalogue %s", a.ID)
		c.line(0, "in force since %s  %s  %s", shanghai(a.Published.at.Time()), a.Published.By, a.Published.Note)
	}
	for i := range a.Purposes {
		x := &a.Purposes[i]
		c.line(0, "purpose %s (%s%s): %s", x.Name, x.Kind, builtInText(x.BuiltIn), x.Doc)
	}
	for i := range a.Views {
		c.line(0, "")
		c.view(&a.Views[i])
	}
}

func (c *card) view(v *viewAnswer) {
	personal := "personal"
	if !v.Personal {
		personal = "not personal"
	}
	c.line(0, "view %s (version %s, %s%s): %s", v.Name, v.Version, personal, builtInText(v.BuiltIn), v.Doc)
	c.textLine(1, "owner ", v.Owner)
	for _, list := range [...]struct {
		name  string
		items []string
	}{{"purposes", v.Purposes}, {"needs_consent", v.NeedsConsent}, {"roles", v.Roles}} {
		if len(list.items) > 0 {
			c.line(1, "%s %s", list.name, strings.Join(list.items, ", "))
		}
	}
	c.textLine(1, "max_age ", v.MaxAge)
	c.textLine(1, "look_back ", v.LookBack)
	c.textLine(1, "retention ", v.Retention)
	for i := range v.Features {
		f := &v.Features[i]
		roles := ""
		if len(f.Roles) > 0 {
			roles = " for " + strings.Join(f.Roles, ", ")
		}
		c.line(1, "%s %s%s  %s", f.Name, f.Type, roles, f.Doc)
	}
	c.textLine(1, "any other name: ", v.Open)
}

func builtInText(yes bool) string {
	if yes {
		return ", built in"
	}
	return ""
}
