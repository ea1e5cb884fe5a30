// Package training makes a model from a store's history: what was known just before each
// exposure, through the code that answers, and what became of it. It reads the contracts of
// features alone; the same history gives the same bytes for any number of workers.
// docs/training.md tells how examples are made, split and judged.
package training

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
)

// Errors of this package.
var (
	// ErrOptions is wrapped when options mean nothing; the message names the option.
	ErrOptions = errors.New("training options refused")
	// ErrNoHistory: the store has no exposures that anything could be learnt from.
	ErrNoHistory = errors.New("no history to learn from")
)

// Store is what a training reads.
type Store interface {
	features.Histories
	features.Pools
}

// Job is one training.
type Job struct {
	Store Store
	// AsOf folds a history into the profile of a past, as history.AsOf does.
	AsOf func(*features.History, features.AsOf) (*fund.Profile, error)
	// Base is the model in force: its settings, and its weights set by judgement. Plain YAML, or
	// a model file with that YAML inside.
	Base    []byte
	Rules   *eligibility.Pack // the pack in force
	Version string            // of the program
	Options Options
}

// Weights says which weights the model is written with.
type Weights string

// The choices.
const (
	Judged Weights = "judged" // those of the base
	Fitted Weights = "fitted" // those that the history says, within what Bound leaves
)

// Options are what may be chosen. The result depends on all but Workers and Progress.
type Options struct {
	Through    fund.Date // nothing that became known after this day is looked at; 0: the day of the newest event
	WithinDays int32     // an exposure converts when an order is confirmed within so many days; 0: DefaultWithinDays
	Weights    Weights   // "": Judged
	Workers    int       // customers read at a time, 1 to MaxWorkers; 0: 1
	Progress   func(stage Stage, done, total int64)
}

// The defaults and bounds of Options.
const (
	// DefaultWithinDays is the time that an exposure is given to become an order: a decision in
	// the family takes weeks, and after a month he was shown other things.
	DefaultWithinDays = 30
	MaxWithinDays     = 180
	MaxWorkers        = 256
)

// Stage is a part of the work.
type Stage string

// The stages, in their order.
const (
	Survey   Stage = "survey"   // counts customers; how many there are is not known
	Owners   Stage = "owners"   // counts customers
	Cores    Stage = "cores"    // counts cores of the past
	Examples Stage = "examples" // counts customers
	Fit      Stage = "fit"      // counts steps
)

// Result is what a training made, and what is told of it.
type Result struct {
	Model  []byte // of the model file; its SHA-256 is the model's id
	Report Report
}

// running is a job at work.
type running struct {
	*Job
	base   *score.Model
	yaml   []byte // the base's settings and weights
	survey survey
	pool   poolOf
	owners []owner // by place in survey.customers
	cores  snapshots
	report Report

	outcomes    *outcome.Params // nil: the base's stay
	toldOutcome *Outcome
	marketHash  [sha256.Size]byte // of the NAVs that were read for them
}

// Run reads the history, fits, judges what was fitted on what was held out, and returns the
// model. Errors: ErrOptions, ErrNoHistory, score.ErrModel of a base that cannot be read,
// those of the store and of matcher.Compile. What there is too little history for is left
// out of the model, and the report's notices say so.
func (j *Job) Run(ctx context.Context) (*Result, error) {
	r := &running{Job: j}
	if err := r.settle(); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{r.takeSurvey, r.readPool, r.readOwners, r.compileCores, r.fitOutcome} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	gathered, err := r.gather(ctx)
	if err != nil {
		return nil, err
	}
	if c := &gathered.counts; c.Examples == 0 {
		return nil, fmt.Errorf("%w: of %d exposures by %s none is an example: %d shown again that day, %d of which the %d days are not over, "+
			"%d not in the pool, %d without personalisation, %d not to be offered", ErrNoHistory, c.Exposures, r.survey.through,
			c.Repeated, c.OpenWindow, r.Options.WithinDays, c.NotInPool, c.Impersonal, c.NotOffered)
	}
	return r.fit(ctx, gathered)
}

// settle checks the options, fills in the defaults and reads the base.
func (r *running) settle() (err error) {
	o := r.Options
	o.WithinDays, o.Workers, o.Weights = cmp.Or(o.WithinDays, DefaultWithinDays), cmp.Or(o.Workers, 1), cmp.Or(o.Weights, Judged)
	switch {
	case o.WithinDays < 1 || o.WithinDays > MaxWithinDays:
		return fmt.Errorf("%w: within %d days, expected 1 to %d", ErrOptions, o.WithinDays, MaxWithinDays)
	case o.Workers < 1 || o.Workers > MaxWorkers:
		return fmt.Errorf("%w: %d workers, expected 1 to %d", ErrOptions, o.Workers, MaxWorkers)
	case o.Weights != Judged && o.Weights != Fitted:
		return fmt.Errorf("%w: weights %.40q, expected %s or %s", ErrOptions, o.Weights, Judged, Fitted)
	}
	settled := *r.Job // the caller's job stays as it is
	settled.Options = o
	r.Job = &settled
	r.yaml = r.Base
	if modelfile.Is(r.Base) {
		file, err := modelfile.Decode(r.Base)
		if err != nil {
			return fmt.Errorf("%w: %w", score.ErrModel, err)
		}
		r.yaml = file.Sections[modelfile.SectionModel]
	}
	r.base, err = score.ParseModel(r.yaml)
	return err
}

// tell reports how far a stage is.
func (r *running) tell(stage Stage, done, total int64) {
	if r.Options.Progress != nil {
		r.Options.Progress(stage, done, total)
	}
}
