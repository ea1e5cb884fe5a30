package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/engine"
)

func (p *program) migrateCommand() *cobra.Command {
	store := ""
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Make the store, or bring its schema up to date",
		Long: "Make the store, or bring its schema up to date, and put the built-in model and rule pack in force where\n" +
			"none is. Every verb that opens a store does so too; this one does nothing else, and, as serve does, replaces\n" +
			"the built-in of an older program: run it after an upgrade.",
		Example: "  fundmatch migrate --store sqlite:bank.db",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.migrate(cmd.Context(), store)
		},
	}
	cmd.Flags().StringVar(&store, "store", defaultStore, "store: sqlite:PATH or postgres://...")
	return cmd
}

func (p *program) migrate(ctx context.Context, text string) error {
	spec, err := parseKeptStore(text)
	if err != nil {
		return err
	}
	store, err := spec.open(ctx, create)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // what was committed is on disk
	if err := engine.RenewDefaults(ctx, store, fund.InstantOf(p.now())); err != nil {
		return err
	}
	schema := "up to date"
	if v, ok := store.(interface{ SchemaVersion() int64 }); ok {
		schema = fmt.Sprintf("on schema %d", v.SchemaVersion())
	}
	_, err = fmt.Fprintf(p.stdout, "%s is %s\n", spec.text, schema)
	return err
}
