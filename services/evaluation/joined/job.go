package joined

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// A batch is what one worker has in hand: so many records, or so many bytes of them.
const (
	batchRecords = 512
	batchBytes   = 8 << 20
)

// running is a job at work.
type running struct {
	*Job
	survey  survey
	files   *files
	market  market
	target  *target // nil: no policy
	summary Summary
	support support
	armed   bool // a row has an arm
}

// Run joins and writes the rows in the order of the log, each decision's by position. Errors: ErrOptions, ErrNoEvents,
// ErrNoDecisions, score.ErrModel of a candidate that cannot be read, those of the log, the store and the writer. Of
// several errors the first in the log's order is returned, for any number of workers.
func (j *Job) Run(ctx context.Context, out Writer) (*Summary, error) {
	r := &running{Job: j}
	if err := r.settle(); err != nil {
		return nil, err
	}
	r.files = newFiles(r.Store)
	for _, step := range []func(context.Context) error{r.settleThrough, r.takeSurvey, r.readMarket, r.makeTarget} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := r.joinAll(ctx, out); err != nil {
		return nil, err
	}
	if c := &r.summary.Records; c.Decisions == 0 {
		return nil, fmt.Errorf("%w: of %d records %d are of another channel or reader, %d without products", ErrNoDecisions, c.Read, c.Filtered, c.Empty)
	}
	return r.tellSummary(), nil
}

// settle checks the options and fills in the defaults.
func (r *running) settle() error {
	o := r.Options
	o.Workers, o.Reward = cmp.Or(o.Workers, 1), cmp.Or(o.Reward, Happened)
	if err := errors.Join(o.checkOutcome(), o.checkPolicy()); err != nil {
		return err
	}
	switch {
	case o.Workers < 1 || o.Workers > MaxWorkers:
		return fmt.Errorf("%w: %d workers, expected 1 to %d", ErrOptions, o.Workers, MaxWorkers)
	case o.Through > r.Now:
		return fmt.Errorf("%w: through %s, expected at most now, %s", ErrOptions, o.Through, r.Now)
	}
	settled := *r.Job // the caller's job stays as it is
	settled.Options = o
	r.Job = &settled
	return nil
}

// checkOutcome checks what becomes the reward.
func (o *Options) checkOutcome() error {
	hasAmount := o.Outcome == fund.OrderStart || o.Outcome == fund.OrderConfirm || o.Outcome == fund.OrderAbandon || o.Outcome == fund.Redeem
	switch {
	case o.Window <= 0 || o.Window > MaxWindow:
		return fmt.Errorf("%w: window %s, expected more than 0 and at most %s", ErrOptions, o.Window, MaxWindow)
	case o.Outcome == fund.EventUnknown || int(o.Outcome) >= fund.EventKinds:
		return fmt.Errorf("%w: no outcome, expected a kind of event", ErrOptions)
	case o.Reward != Happened && o.Reward != Amount:
		return fmt.Errorf("%w: reward %.40q, expected %s or %s", ErrOptions, o.Reward, Happened, Amount)
	case o.Reward == Amount && !hasAmount:
		return fmt.Errorf("%w: amount of %s, expected an outcome that has one: ORDER_START, ORDER_CONFIRM, ORDER_ABANDON, REDEEM", ErrOptions, o.Outcome)
	}
	return nil
}

// checkPolicy checks whose probabilities are asked for.
func (o *Options) checkPolicy() error {
	switch {
	case o.Policy != NoPolicy && o.Policy != Greedy && o.Policy != Candidate:
		return fmt.Errorf("%w: policy %.40q, expected %s or %s", ErrOptions, o.Policy, Greedy, Candidate)
	case (o.Policy == Candidate) != (len(o.Model) > 0):
		return fmt.Errorf("%w: policy %q with a model of %d bytes, expected both or none", ErrOptions, o.Policy, len(o.Model))
	}
	return nil
}

// end is where the window of a decision ends.
func (r *running) end(at fund.Instant) fund.Instant { return at.Add(r.Options.Window) }

// inRange reports whether a decision is asked for.
func (r *running) inRange(s *decisionlog.Stored) bool {
	at := fund.Instant(s.DecidedAt)
	return at >= r.Options.Since && at <= r.Options.Through
}

// recordedFrom is the first instant at which a decision that is asked for may have been recorded. Clocks of replicas
// differ by less than a day.
func (r *running) recordedFrom() int64 {
	const slack = 24 * time.Hour
	return max(0, int64(r.Options.Since.Add(-slack)))
}

// tell reports how far a stage is.
func (r *running) tell(stage Stage, done, total int64) {
	if r.Options.Progress != nil {
		r.Options.Progress(stage, done, total)
	}
}

// batch is some records in the log's order, and what a worker made of them.
type batch struct {
	stored []decisionlog.Stored
	bytes  int
	rows   []Row
	counts batchCounts
	err    error
	done   chan struct{}
}

// batchCounts are what a batch adds to the summary.
type batchCounts struct {
	records  RecordCounts
	withheld WithheldCounts
	events   EventCounts
	censored int64
	support  support
}

// joinAll joins batch after batch: a reader, some workers, and a writer that takes them in the reader's order. As many
// batches as there are workers, and two, are in memory.
func (r *running) joinAll(ctx context.Context, out Writer) error {
	group, ctx := errgroup.WithContext(ctx)
	work, ordered := make(chan *batch), make(chan *batch, r.Options.Workers)
	group.Go(func() error {
		defer close(work)
		defer close(ordered)
		return r.readBatches(ctx, func(b *batch) error {
			for _, to := range [...]chan *batch{ordered, work} {
				select {
				case to <- b:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	})
	for range r.Options.Workers {
		group.Go(func() error {
			w := worker{running: r}
			for b := range work {
				if b.err == nil {
					b.err = w.join(ctx, b)
				}
				close(b.done)
			}
			return nil
		})
	}
	group.Go(func() error { return r.writeBatches(ctx, ordered, out) })
	return group.Wait()
}

// readBatches reads the log. An error of it is the last batch's, so that it is told in its turn.
func (r *running) readBatches(ctx context.Context, yield func(*batch) error) error {
	next := &batch{done: make(chan struct{})}
	flush := func() error {
		full := next
		next = &batch{done: make(chan struct{})}
		return yield(full)
	}
	for stored, err := range r.Log.All(ctx, r.recordedFrom()) {
		if err != nil {
			next.err = err
			return flush()
		}
		next.stored = append(next.stored, stored)
		next.bytes += len(stored.Payload) + len(stored.Profile)
		if len(next.stored) == batchRecords || next.bytes >= batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func (r *running) writeBatches(ctx context.Context, ordered <-chan *batch, out Writer) error {
	for b := range ordered {
		select {
		case <-b.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if b.err != nil {
			return b.err
		}
		if len(b.rows) > 0 {
			if err := out.Write(b.rows); err != nil {
				return err
			}
		}
		r.count(b)
		r.tell(Decisions, r.summary.Records.Read, r.survey.records)
	}
	return ctx.Err()
}

// count adds a batch to the summary.
func (r *running) count(b *batch) {
	s, c := &r.summary, &b.counts
	s.Records.add(&c.records)
	s.Withheld.add(&c.withheld)
	s.Joined.add(&c.events)
	s.Rows += int64(len(b.rows))
	for i := range b.rows {
		r.armed = r.armed || b.rows[i].Texts[arm] != ""
	}
	s.Censored += c.censored
	r.support.add(&c.support)
}

// tellSummary puts the summary together.
func (r *running) tellSummary() *Summary {
	s, o := &r.summary, &r.Options
	s.Schema, s.Through, s.Window = SummarySchema, o.Through.String(), o.Window.String()
	if o.Since != 0 {
		s.Since = o.Since.String()
	}
	s.Outcome, s.Reward = o.Outcome.String(), string(o.Reward)
	if s.Notices == nil {
		s.Notices = []string{}
	}
	if s.Rows > 0 && s.Censored == s.Rows {
		s.Notices = append(s.Notices, fmt.Sprintf("no row has a reward, and nothing can be estimated: the window of %d of %d decisions is not over by %s; wait, or join with a shorter window",
			s.Records.OpenEnded, s.Records.Decisions, s.Through))
	}
	if r.Options.Policy != NoPolicy {
		s.Policy = r.support.summary(o.Policy, r.target)
	}
	if o.Layer != "" && !r.armed {
		s.Notices = append(s.Notices, fmt.Sprintf("no decision was made under an experiment of the layer %.80q: arm is empty in all rows", o.Layer))
	}
	return s
}

// readViews are what a customer said about the use of his facts.
func readViews() []features.View {
	return []features.View{features.ConsentView, features.PersonalizationView}
}
