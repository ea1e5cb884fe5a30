package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/extract"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func (p *program) featuresCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "features",
		Short: "Read features as they were: extracts, one customer as of then, receipts of decisions",
		Long: "Read the features of customers as they were at an instant, as they were known at another: the same cells, with\n" +
			"the same statuses, that a read of that time would have found.",
		Example: "  fundmatch features extract --labels labels.csv --views person,needs --out features.parquet\n" +
			"  fundmatch features as-of C000001 --at 2026-06-01T10:00:00+08:00\n  fundmatch features verify --since 2026-06-01T00:00:00+08:00",
		Args: arguments(0),
		RunE: needsVerb,
	}
	cmd.AddCommand(p.featuresVerbs()...)
	return cmd
}

// featuresVerbs are the verbs about features, each in a file of its own.
func (p *program) featuresVerbs() []*cobra.Command {
	return []*cobra.Command{
		p.featuresExtractCommand(),
		p.featuresAsOfCommand(),
		p.featuresVerifyCommand(),
		p.featuresCasesCommand(),
		p.featuresMonitorCommand(),
		p.featuresQuarantineCommand(),
	}
}

// featuresOptions are the flags that the verbs about features share.
type featuresOptions struct {
	store, catalogue string
	views            string
	purpose, role    string
}

func (o *featuresOptions) addStore(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.store, "store", defaultStore, "store: sqlite:PATH or postgres://...")
	cmd.Flags().StringVar(&o.catalogue, "catalogue", "", "file of the bank's views (default: those in force in the store)")
}

func (o *featuresOptions) addReader(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.views, "views", "", "views, or features as view.feature, separated by commas")
	f.StringVar(&o.purpose, "purpose", "", "what it is read for (default: the program's own purpose, which may read all)")
	f.StringVar(&o.role, "role", "", "who reads: PROGRAM, MANAGER, APP or AUDITOR (default PROGRAM)")
}

// request reads who asks and what for.
func (o *featuresOptions) request(c *view.Catalogue) (view.Request, error) {
	role, err := view.ParseRole(o.role)
	if err != nil {
		return view.Request{}, usageError("--role: %v", err)
	}
	if o.purpose == "" {
		return view.Request{Role: role}, nil
	}
	var known []string
	for _, p := range c.Purposes() {
		if p.Name == o.purpose {
			return view.Request{Purpose: o.purpose, Role: role}, nil
		}
		known = append(known, p.Name)
	}
	return view.Request{}, usageError("--purpose: %.80q, expected one of %s", o.purpose, strings.Join(known, ", "))
}

// names are the views and features that were asked for.
func (o *featuresOptions) names() []string {
	if o.views == "" {
		return nil
	}
	names := strings.Split(o.views, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// historyStore is what the verbs about features need of a store.
type historyStore interface {
	bankStore
	features.Histories
}

// openHistories opens a store that has to be there.
func openHistories(ctx context.Context, text string) (historyStore, error) {
	spec, err := parseKeptStore(text)
	if err != nil {
		return nil, err
	}
	store, err := spec.open(ctx, mustExist)
	if err != nil {
		return nil, err
	}
	if histories, ok := store.(historyStore); ok {
		return histories, nil
	}
	return nil, errors.Join(unavailableError(features.ErrUnavailable, "--store %s: this store keeps no histories", text), store.Close())
}

// parseWhen reads an instant of a flag: RFC 3339, or a day.
func parseWhen(flag, text string) (fund.Instant, error) {
	at, err := extract.ParseInstant(text)
	if err != nil {
		return 0, usageError("--%s: %.80q, expected an RFC 3339 time such as 2026-06-01T10:00:00+08:00, or a day such as 2026-06-01", flag, text)
	}
	return at, nil
}
