package main

import (
	"context"
	"errors"
	"runtime"

	"github.com/spf13/cobra"

	past "github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/services/frontier"
)

// frontierOptions are the flags of outcome frontier.
type frontierOptions struct {
	store, model  string
	through       string
	json, svg     string
	days, workers int
}

func (p *program) frontierCommand() *cobra.Command {
	var o frontierOptions
	cmd := &cobra.Command{
		Use:   "frontier --store STORE",
		Short: "Measure what the weight of BREACH costs in demand and saves in falls, weight by weight",
		Long: "Make the lists that the model would have made on days of the past with weights of BREACH from 0 to -10, permitted\n" +
			"products only, and print how well they met what customers bought in the six months after, how many of the listed\n" +
			"products fell within twelve months further than the customer's level is taken to bear, and what was foreseen of\n" +
			"that. docs/outcome.md tells how to read the figure. Nothing is put in force.",
		Example: "  fundmatch outcome frontier --store sqlite:bank.db --svg frontier.svg",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.frontier(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.store, "store", defaultStore, "store: sqlite:PATH or postgres://...")
	f.StringVar(&o.model, "model", activeModel, "model whose other weights are kept: a file, or active")
	f.StringVar(&o.through, "through", "", "last day that is looked at, YYYY-MM-DD (default that of the newest NAV)")
	f.IntVar(&o.days, "days", frontier.DefaultDays, "days on which lists are made, four weeks apart, the last a year before the newest NAV")
	f.StringVar(&o.json, "json", "", "file to write the report to as JSON")
	f.StringVar(&o.svg, "svg", "", "file to write the drawing to")
	f.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "days worked at together; the result does not depend on it")
	return cmd
}

// check reads the flags.
func (o *frontierOptions) check() (frontier.Options, error) {
	f := frontier.Options{Days: o.days, Workers: o.workers}
	switch {
	case o.days < 1 || o.days > frontier.MaxDays:
		return f, usageError("--days: %d, expected 1 to %d", o.days, frontier.MaxDays)
	case o.workers < 1 || o.workers > frontier.MaxWorkers:
		return f, usageError("--workers: %d, expected 1 to %d", o.workers, frontier.MaxWorkers)
	case o.json != "" && (o.json == o.svg || sameFile(o.json, o.svg)):
		return f, usageError("--svg: %s is the report, expected another name", o.svg)
	}
	if o.through != "" {
		day, err := fund.ParseDate(o.through)
		if err != nil || day == 0 {
			return f, usageError("--through: %.40q, expected a day as YYYY-MM-DD", o.through)
		}
		f.Through = day
	}
	return f, mayWrite("--model", o.model, o.json, o.svg)
}

func (p *program) frontier(ctx context.Context, o *frontierOptions) error {
	options, err := o.check()
	if err != nil {
		return err
	}
	store, err := openHistories(ctx, o.store)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing was written
	bar := p.startProgress("lists", "days", int64(options.Days))
	defer bar.end()
	options.Progress = func(done, _ int64) { bar.set(done) }
	job := frontier.Job{Store: store, AsOf: past.AsOf, Version: version, Options: options}
	if err := o.inForce(ctx, store, &job); err != nil {
		return err
	}
	report, err := job.Run(ctx)
	bar.end()
	if err != nil {
		for _, cause := range [...]error{frontier.ErrOptions, frontier.ErrNoHistory} {
			if errors.Is(err, cause) {
				return &exitError{code: exitUsage, text: err.Error(), cause: err}
			}
		}
		return err
	}
	return p.tellMeasured(report, o.json, o.svg)
}

// inForce reads the model and the rule pack.
func (o *frontierOptions) inForce(ctx context.Context, store historyStore, job *frontier.Job) error {
	model, err := modelNamed(ctx, store, o.model)
	if err != nil {
		return err
	}
	if job.Model, err = score.ParseModel(model); err != nil {
		return &exitError{code: exitUsage, text: err.Error(), cause: err}
	}
	job.Rules, err = packInForce(ctx, store)
	return err
}
