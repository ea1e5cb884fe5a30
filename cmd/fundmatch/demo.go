package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// demoOptions are the flags of demo.
type demoOptions struct {
	out, asOf           string
	customers, products int
	seed                uint64
}

func (p *program) demoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo --out DIR",
		Short: "Write a synthetic bank in the dataset format",
		Long: "Write an invented Chinese bank, its pool, market, customers and network, in the dataset format.\n" +
			"The same options give the same bytes; without any it is the bank of serve --demo on that day.",
		Example: "  fundmatch demo --out ./bank\n  fundmatch demo --out ./small --customers 500 --products 40 --seed 7 --as-of 2026-06-30",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.writeDemo(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.out, "out", "", "folder to write; it must be empty or not there")
	f.IntVar(&o.customers, "customers", synthetic.DefaultCustomers, "number of customers")
	f.IntVar(&o.products, "products", synthetic.DefaultProducts, "number of products")
	f.Uint64Var(&o.seed, "seed", synthetic.DefaultSeed, "seed of the invention, from 1")
	f.StringVar(&o.asOf, "as-of", "", "day of the bank, YYYY-MM-DD (default today in Asia/Shanghai)")
	return cmd
}

func (p *program) writeDemo(ctx context.Context, o demoOptions) error {
	if o.out == "" {
		return usageError("--out: expected the folder to write")
	}
	asOf := fund.InstantOf(p.now()).Date()
	if o.asOf != "" {
		var err error
		if asOf, err = fund.ParseDate(o.asOf); err != nil {
			return usageError("--as-of: %q, expected a day as YYYY-MM-DD", o.asOf)
		}
	}
	// Zero stands for the default inside the generator; a person who types it means it.
	switch {
	case o.customers < 1:
		return usageError("--customers: %d, expected 1 to %d", o.customers, synthetic.MaxCustomers)
	case o.products < 1:
		return usageError("--products: %d, expected %d to %d", o.products, synthetic.MinProducts, synthetic.MaxProducts)
	case o.seed == 0:
		return usageError("--seed: 0, expected a number from 1")
	}
	bank, err := synthetic.Generate(synthetic.Options{Customers: o.customers, Products: o.products, Seed: o.seed, AsOf: asOf})
	if err != nil {
		return err
	}
	bar := p.startProgress("demo", "customers", int64(o.customers))
	err = bank.WriteFolder(ctx, o.out, func(done, _ int) { bar.set(int64(done)) })
	bar.end()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "wrote %s: %d customers, %d products, as of %s, seed %d\n", o.out, o.customers, o.products, asOf, o.seed)
	return err
}

// loadDemo puts the synthetic bank into a store.
func (p *program) loadDemo(ctx context.Context, store bankStore, o synthetic.Options) (features.ImportResult, error) {
	bank, err := synthetic.Generate(o)
	if err != nil {
		return features.ImportResult{}, err
	}
	bar := p.startProgress("demo bank", "facts", -1)
	defer bar.end()
	return store.Import(ctx, recordedAt(fund.InstantOf(p.now()), o.AsOf), func(b features.Batch) error {
		return bank.Load(&watchedBatch{Batch: b, ctx: ctx, bar: bar})
	})
}

// watchedBatch is a batch that shows how far it is and refuses rows once ctx has ended:
// loading a bank takes seconds, and whoever gives up should not have to wait.
type watchedBatch struct {
	features.Batch
	ctx   context.Context //nolint:containedctx // a Batch's methods carry none
	bar   *progress
	facts int64
}

// Cells is features.Batch; every customer comes through it.
func (b *watchedBatch) Cells(rows []features.Cell) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	b.facts += int64(len(rows))
	b.bar.set(b.facts)
	return b.Batch.Cells(rows)
}

// NAVs is features.Batch; every product comes through it.
func (b *watchedBatch) NAVs(code string, rows []fund.NAV) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	return b.Batch.NAVs(code, rows)
}
