// Package experiment says which arm of which experiment a customer is in. Buckets are
// stateless: a salted hash of the customer's id, so that every replica, every channel and a
// later evaluation agree without asking anybody (Tang et al., Overlapping Experiment
// Infrastructure, 2010). An arm chooses a model and settings of exploration; there is no
// field for a rule, so that no experiment can touch the gate.
package experiment

import (
	"errors"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/slate"
)

// Buckets is how many buckets a layer has. A share is a number of buckets: basis points.
const Buckets = 10_000

// ErrPlan is wrapped by every error about a plan file; the message names the place, the
// value and what was expected.
var ErrPlan = errors.New("experiments refused")

// Plan is a parsed and checked file of experiments (kind EXPERIMENTS in the store). The zero
// value has none. It is immutable and may be used by any number of goroutines.
type Plan struct {
	Name    string
	Version int
	Layers  []Layer
}

// Layer is a set of experiments of which a customer is in one at most: each has buckets of
// its own. Layers draw independently of each other (each has its salt), so only one layer of
// a plan may choose the model and only one the exploration.
type Layer struct {
	Name        string
	Salt        string // of the buckets (see Bucket); changing it shuffles the customers anew
	Experiments []Experiment
}

// Experiment runs in [From, Until) on the buckets [FirstBucket, EndBucket) of its layer. It
// begins and ends at midnight in Asia/Shanghai, where every core ends, so that an answer's
// end of validity holds for it too.
type Experiment struct {
	Name                   string
	Salt                   string // of the arms within the experiment
	From, Until            fund.Instant
	FirstBucket, EndBucket int
	Arms                   []Arm
}

// Arm is one of the alternatives that are compared. Exactly one arm of an experiment is the
// control: it gets what everybody gets and chooses nothing.
type Arm struct {
	Name    string
	Share   fund.BasisPoints // of the experiment's customers; the arms' shares sum to Buckets
	Control bool
	// Model is the hex SHA-256 of the model artifact that scores this arm; empty: the one in
	// force.
	Model string
	// Explore replaces the model's exploration; nil: the model's own.
	Explore *slate.Exploration
}

// Assignment is an exposure: that the customer was in this arm when the answer was made. It
// is sealed in the decision record.
type Assignment struct {
	Layer, Experiment, Arm string
}

// Assigned is what a customer's arms choose at an instant.
type Assigned struct {
	Exposures []Assignment       // one an experiment that he is in, the control arms too, in the plan's order
	Model     string             // hex id; empty: the model in force
	Explore   *slate.Exploration // nil: the model's own
}
