// Package training makes a model from a store's history: what was known just before each
// exposure, through the code that answers, and what became of it. It reads the contracts of
// features alone; the same history gives the same bytes for any number of workers.
// docs/training.md tells how examples are made, split and judged.
package training

import (
	"errors"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// Errors of this package.
var (
	// ErrOptions is wrapped when options mean nothing; the message names the option.
	ErrOptions = errors.New("training options refused")
	// ErrNoHistory: the store has no events that anything could be learnt from.
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
	// Base is the model in force: its settings, and its weights set by judgement. YAML.
	Base []byte
	// BaseID is the hex SHA-256 of the artifact that Base is of, Rules the pack in force.
	BaseID  string
	Rules   *eligibility.Pack
	RulesID string
	Version string // of the program
	Options Options
}

// Weights says which weights the model is written with.
type Weights string

// The choices.
const (
	Judged Weights = "judged" // those of the base
	Fitted Weights = "fitted" // those that the history says, within what the rules of the product leave
)

// Options are what may be chosen. The result depends on all but Workers and Progress.
type Options struct {
	Through    fund.Date // nothing that became known after this day is looked at; 0: the day of the newest event
	WithinDays int32     // an exposure converts when an order is confirmed within so many days; 0: DefaultWithinDays
	Weights    Weights   // "": Judged
	Name       string    // of the model; "": the base's, with "-trained"
	Workers    int       // 0: 1
	Progress   func(stage Stage, done, total int64)
}

// DefaultWithinDays is the time that an exposure is given to become an order: the dealing
// and settlement of one take days, a decision in the family weeks, and after a month he was
// shown other things.
const DefaultWithinDays = 30

// Stage is a part of the work.
type Stage string

// The stages, in their order.
const (
	Survey   Stage = "survey"   // counts customers
	Compile  Stage = "compile"  // counts cores of the past
	Examples Stage = "examples" // counts customers
	Fit      Stage = "fit"      // counts steps
)

// Result is what a training made, and what is told of it.
type Result struct {
	File   modelfile.File
	Report Report
}
