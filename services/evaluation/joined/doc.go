// Package joined makes a policy log of what the service decided: the recommendations of the decision log, a row for each
// product, with what became of them by the events of the feature store (docs/evaluation/joined.md). What cannot be known
// is empty, never 0: an outcome whose window is not over is censored. It reads the contracts of features and the
// decision log; the same log and store give the same rows for any number of workers.
package joined

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// Errors of this package.
var (
	// ErrOptions is wrapped when options mean nothing; the message names the option.
	ErrOptions = errors.New("join refused")
	// ErrNoEvents: the store has no event, so that nobody knows what customers did, nor until when.
	ErrNoEvents = errors.New("no events to join")
	// ErrNoDecisions: the log has no recommendation that was asked for.
	ErrNoDecisions = errors.New("no recommendations to join")
)

// Store is what a join reads beside the log.
type Store interface {
	features.Histories
	features.Pools
	features.Models
}

// Records are those of a decision log, in its order. *decisionlog.Reader is one.
type Records interface {
	// All gives every record made at or after an instant in microseconds.
	All(ctx context.Context, since int64) iter.Seq2[decisionlog.Stored, error]
}

// Writer takes the rows in their order. They are valid during the call only.
type Writer interface {
	// Write takes the next rows, of whole decisions.
	Write(rows []Row) error
}

// Job is one join.
type Job struct {
	Log     Records
	Store   Store
	Now     fund.Instant // nothing later is looked at
	Version string       // of the program, for the cores of a candidate
	Options Options
}

// Reward says what stands in the column reward.
type Reward string

// The rewards.
const (
	Happened Reward = "happened" // 1 when the outcome came within the window, else 0
	Amount   Reward = "amount"   // in fen, of all outcomes within the window; 0 when none came
)

// Policy says whose probabilities stand in the column target_propensity.
type Policy string

// The policies.
const (
	NoPolicy  Policy = ""       // nobody's: the column is empty
	Greedy    Policy = "greedy" // of the lists without exploration
	Candidate Policy = "model"  // of the lists that Options.Model would have made
)

// Options are what may be chosen. The rows depend on all but Workers and Progress.
type Options struct {
	Since   fund.Instant  // decisions from it on; 0: all
	Through fund.Instant  // what was known by it, decisions and events; 0: the newest event known by Job.Now
	Window  time.Duration // an outcome counts from the decision on until so much later
	Outcome fund.EventKind
	Reward  Reward // "": Happened
	// NeedDecision joins only events that name the decision. Without it one that names none is joined by
	// customer and product.
	NeedDecision bool
	Channel      fund.Channel      // ChannelUnknown: every one
	Audience     *wording.Audience // nil: every one
	Layer        string            // of the plan of experiments, whose arms are told; "": the first that he was in
	Policy       Policy
	Model        []byte // the candidate's file
	Workers      int    // batches at a time, 1 to MaxWorkers; 0: 1
	Progress     func(stage Stage, done, total int64)
}

// Bounds of Options.
const (
	MaxWindow  = 3 * 365 * 24 * time.Hour
	MaxWorkers = 256
)

// Stage is a part of the work.
type Stage string

// The stages, in their order.
const (
	Events    Stage = "events"    // counts customers; how many there are is not known
	Survey    Stage = "survey"    // counts records; how many there are is not known
	Decisions Stage = "decisions" // counts records
)
