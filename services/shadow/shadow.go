// Package shadow asks a second model what it would have answered, off the latency path, and
// says how far that is from what was answered. Nothing that it computes is ever sent.
package shadow

import (
	"context"
	"sync"
	"time"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Config bounds the work. The zero value is the default.
type Config struct {
	// Queue is how many answers may wait to be compared; what comes when it is full is
	// counted and dropped. Default 256.
	Queue int
	// Every is how often Report is called while anything is offered. Default 1 min.
	Every time.Duration
	// Observe is told about every comparison, for metrics. May be nil.
	Observe func(Comparison)
	// Dropped is told about every answer that is not compared because too many wait. May be
	// nil. It runs on the path of the answer.
	Dropped func()
	// Report is told what was found so far, for the log. May be nil.
	Report func(Summary)
}

const (
	defaultQueue = 256
	defaultEvery = time.Minute
)

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
	// Same: the same products in the same order.
	Same bool
	// Violations are products of the shadow's list that the rules do not permit him: always 0,
	// since rules gate and models rank.
	Violations int
	// Err says that the shadow gave no answer; the rest is zero then.
	Err error
}

// Comparer compares answers with a shadow's. Its methods may be called by any number of
// goroutines.
type Comparer struct {
	config Config
	free   chan *answer // empty ones: an offer takes one, or is dropped
	queue  chan *answer // of the same capacity: whoever holds an answer never waits

	mu  sync.Mutex
	sum totals
}

// answer is what is kept of an answer until it is compared.
type answer struct {
	inForce string // model that answered
	shadow  *matcher.Core
	profile *fund.Profile
	request matcher.Request
	items   []ranked
}

// New returns a comparer; Run makes it work.
func New(config Config) *Comparer {
	if config.Queue <= 0 {
		config.Queue = defaultQueue
	}
	if config.Every <= 0 {
		config.Every = defaultEvery
	}
	if config.Observe == nil {
		config.Observe = func(Comparison) {}
	}
	if config.Dropped == nil {
		config.Dropped = func() {}
	}
	if config.Report == nil {
		config.Report = func(Summary) {}
	}
	c := &Comparer{config: config, free: make(chan *answer, config.Queue), queue: make(chan *answer, config.Queue)}
	for range config.Queue {
		c.free <- new(answer)
	}
	return c
}

// Offer hands over an answer that was given. It never blocks, and keeps neither the slate nor
// its buffers; the profile is read later and must not change.
func (c *Comparer) Offer(shadow *matcher.Core, profile *fund.Profile, given *matcher.Slate) {
	var a *answer
	select {
	case a = <-c.free:
	default:
		c.count(given.Identity.ModelID, shadow, given.Request.At, func(t *totals) { t.Dropped++ })
		c.config.Dropped()
		return
	}
	a.inForce, a.shadow, a.profile, a.request = given.Identity.ModelID, shadow, profile, given.Request
	a.request.Exposures = nil // they change no answer, and are not ours to keep
	for i := range given.Items {
		a.items = append(a.items, ranked{given.Items[i].Code, given.Items[i].Score})
	}
	c.queue <- a
}

// Run compares what is offered until ctx ends, then what is still queued, and returns.
func (c *Comparer) Run(ctx context.Context) {
	tick := time.NewTicker(c.config.Every)
	defer tick.Stop()
	w := worker{comparer: c}
	for {
		select {
		case a := <-c.queue:
			w.take(a)
		case <-tick.C:
			w.report()
		case <-ctx.Done():
			w.drain()
			w.report()
			return
		}
	}
}

// worker has the buffers of one goroutine.
type worker struct {
	comparer *Comparer
	slate    matcher.Slate
	judged   matcher.Slate
	items    []ranked
	told     Summary
}

// report tells what was found, if anything was since it was told last.
func (w *worker) report() {
	if s := w.comparer.Summary(); s != w.told {
		w.told = s
		w.comparer.config.Report(s)
	}
}

// drain takes what is queued.
func (w *worker) drain() {
	for {
		select {
		case a := <-w.comparer.queue:
			w.take(a)
		default:
			return
		}
	}
}

// take compares an answer and gives back what it was kept in.
func (w *worker) take(a *answer) {
	found := w.compare(a)
	w.comparer.config.Observe(found)
	w.comparer.count(a.inForce, a.shadow, a.request.At, func(t *totals) { t.add(&found) })
	*a = answer{items: a.items[:0]} // a profile may be large
	w.comparer.free <- a
}

func (w *worker) compare(a *answer) Comparison {
	if err := a.shadow.Match(a.profile, a.request, &w.slate); err != nil {
		return Comparison{Err: err}
	}
	w.items = w.items[:0]
	for i := range w.slate.Items {
		w.items = append(w.items, ranked{w.slate.Items[i].Code, w.slate.Items[i].Score})
	}
	found := compare(a.items, w.items)
	found.Violations, found.Err = a.shadow.Violations(a.profile, &w.slate, &w.judged)
	return found
}
