package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	past "github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
	"github.com/fundmatch/fundmatch/services/training"
)

// trainOptions are the flags of train.
type trainOptions struct {
	store, out, svg string
	base, through   string
	weights         string
	within          int32
	workers         int
	json            bool
}

func (p *program) trainCommand() *cobra.Command {
	var o trainOptions
	cmd := &cobra.Command{
		Use:   "train [--out MODEL]",
		Short: "Fit a model from the store's history and print how well it holds",
		Long: "Fit the probability of conversion, and the weights of the score, from what was known just before each exposure\n" +
			"and what became of it. The last part of the history, and half of the customers, only judge. The figures are\n" +
			"printed; --out writes the model file, which fundmatch models put takes. The same history gives the same bytes\n" +
			"for any number of workers. Nothing is put in force. docs/training.md tells how and why.",
		Example: "  fundmatch train --out model.fm --svg reliability.svg\n  fundmatch train --through 2026-06-30 --weights fitted --out model.fm --json",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.train(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.store, "store", defaultStore, "store: sqlite:PATH or postgres://...")
	f.StringVar(&o.out, "out", "", "model file to write; without it the figures alone are printed")
	f.StringVar(&o.svg, "svg", "", "drawing of the reliability on what was held out, to write")
	f.StringVar(&o.base, "base", activeModel, "model whose settings are kept and whose weights were judged: a file, or active")
	f.StringVar(&o.through, "through", "", "last day that is looked at, YYYY-MM-DD (default that of the newest event)")
	f.StringVar(&o.weights, "weights", string(training.Judged), "weights of the model: judged, those of the base, or fitted")
	f.Int32Var(&o.within, "within", training.DefaultWithinDays, "days within which an order counts for an exposure")
	f.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "parts of the customers read at a time; the result does not depend on it")
	f.BoolVar(&o.json, "json", false, "print one JSON document")
	return cmd
}

// check reads the flags.
func (o *trainOptions) check() (training.Options, error) {
	t := training.Options{WithinDays: o.within, Weights: training.Weights(o.weights), Workers: o.workers}
	switch {
	case o.within < 1 || o.within > training.MaxWithinDays:
		return t, usageError("--within: %d, expected 1 to %d days", o.within, training.MaxWithinDays)
	case o.workers < 1 || o.workers > training.MaxWorkers:
		return t, usageError("--workers: %d, expected 1 to %d", o.workers, training.MaxWorkers)
	case t.Weights != training.Judged && t.Weights != training.Fitted:
		return t, usageError("--weights: %.40q, expected %s or %s", o.weights, training.Judged, training.Fitted)
	}
	if o.through != "" {
		day, err := fund.ParseDate(o.through)
		if err != nil {
			return t, usageError("--through: %.40q, expected a day as YYYY-MM-DD", o.through)
		}
		t.Through = day
	}
	if err := mayWrite("--base", o.base, o.out, o.svg); err != nil {
		return t, err
	}
	if o.out != "" && (sameFile(o.out, o.svg) || filepath.Clean(o.out) == filepath.Clean(o.svg)) {
		return t, usageError("--svg: %s is the model file, expected another name", o.svg)
	}
	return t, nil
}

func (p *program) train(ctx context.Context, o *trainOptions) error {
	options, err := o.check()
	if err != nil {
		return err
	}
	store, err := openHistories(ctx, o.store)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing was written
	job, err := o.job(ctx, store, options)
	if err != nil {
		return err
	}
	bar := p.startProgress(string(training.Survey), "customers", -1)
	defer bar.end()
	stage := training.Survey
	job.Options.Progress = inTurn(func(at training.Stage, done, total int64) {
		if at != stage {
			stage = at
			bar.rename(string(at), total)
		}
		bar.set(done)
	})
	result, err := job.Run(ctx)
	bar.end()
	if err != nil {
		return trainingError(err)
	}
	if err := o.write(result); err != nil {
		return err
	}
	return p.tellTraining(o, &result.Report)
}

// inTurn lets one worker at a time tell how far it is.
func inTurn(tell func(training.Stage, int64, int64)) func(training.Stage, int64, int64) {
	turn := make(chan struct{}, 1)
	return func(stage training.Stage, done, total int64) {
		turn <- struct{}{}
		tell(stage, done, total)
		<-turn
	}
}

// trainingError says whose mistake an error of a training is.
func trainingError(err error) error {
	for _, cause := range [...]error{training.ErrOptions, training.ErrNoHistory, score.ErrModel, modelfile.ErrModelFile} {
		if errors.Is(err, cause) {
			return &exitError{code: exitUsage, text: err.Error(), cause: err}
		}
	}
	return err
}

// job puts together what a training reads.
func (o *trainOptions) job(ctx context.Context, store historyStore, options training.Options) (*training.Job, error) {
	base, err := modelNamed(ctx, store, o.base)
	if err != nil {
		return nil, err
	}
	rules, err := packInForce(ctx, store)
	if err != nil {
		return nil, err
	}
	return &training.Job{Store: store, AsOf: past.AsOf, Version: version, Base: base, Rules: rules, Options: options}, nil
}

// write writes the drawing and the model, each whole or not at all, and the model last: where
// it lies, everything was done.
func (o *trainOptions) write(result *training.Result) error {
	if o.svg != "" {
		if result.Report.Conversion == nil {
			return usageError("--svg: there is no probability of conversion to draw: %s", firstOf(result.Report.Notices))
		}
		err := writeFile(o.svg, func(w io.Writer) error {
			return result.Report.Conversion.Assessment.WriteSVG(w, "Probability of an order, held out")
		})
		if err != nil {
			return err
		}
	}
	if o.out == "" {
		return nil
	}
	return writeFiles(bytesTo(o.out, result.Model))
}

func firstOf(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}
