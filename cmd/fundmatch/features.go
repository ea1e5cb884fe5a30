package main

import "github.com/spf13/cobra"

func (p *program) featuresCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "features",
		Short: "Read features as they were: extracts, one customer as of then, receipts of decisions",
		Long: "Read the features of customers as they were at an instant, as they were known at another: the same cells, with\n" +
			"the same statuses, that a read of that time would have found.",
		Example: "  fundmatch features extract --labels labels.csv --views tag,holdings --out features.parquet\n" +
			"  fundmatch features as-of C000001 --at 2026-06-01T10:00:00+08:00\n  fundmatch features verify --since 2026-06-01T00:00:00+08:00",
		Args: arguments(0),
		RunE: needsVerb,
	}
	cmd.AddCommand(p.featuresVerbs()...)
	return cmd
}

// featuresVerbs are the verbs about features, each in a file of its own.
func (p *program) featuresVerbs() []*cobra.Command {
	return []*cobra.Command{}
}
