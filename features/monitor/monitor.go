// Package monitor measures the features of a bank: how many customers have each, how old
// the values are, and whether their distribution moved away from that of another instant.
// Everything is counted exactly; what is estimated says its error (ages.go) and what is
// chosen is chosen by the customers' ids alone (sample.go), so that a report is the same
// for any number of workers. It shows counts, never a customer: docs/operations.md.
package monitor

import (
	"context"
	"fmt"
	"runtime"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Source is what is measured: a store's histories, and who its customers are.
type Source interface {
	features.Histories
	// CustomerIDs is that of features.Profiles.
	CustomerIDs(ctx context.Context, after string, limit int) ([]string, error)
}

// Plan reads a selection of features off a profile; *view.Plan is one. It may be used by
// several goroutines at once.
type Plan interface {
	// Columns are the features that are read.
	Columns() []view.Ref
	// Types are those of Columns, in their order.
	Types() []view.Type
	// Needs says which parts of a history they are read from.
	Needs() features.HistoryQuery
	// Read appends one cell for each of Columns.
	Read(p *fund.Profile, r *view.Request, into []view.Cell) []view.Cell
}

// Config says what is measured. Only At is needed.
type Config struct {
	At fund.Instant // as of, and as known at
	// BaselineAt is the instant to compare with, before At; 0: none. Baseline is a saved one instead.
	BaselineAt fund.Instant
	Baseline   *Baseline
	// Segments measures each segment of customers besides all of them.
	Segments bool
	// Customers are the only ones to measure, sorted, as Choose gives them; nil: all.
	Customers []string
	Workers   int                     // 0: all cores
	Progress  func(done, total int64) // of customers; nil: nobody asks; may be called by several goroutines
}

// MaxFeatures bounds the features of one report.
const MaxFeatures = 1_000

func (c *Config) check(plan Plan) error {
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Progress == nil {
		c.Progress = func(int64, int64) {}
	}
	switch refs := len(plan.Columns()); {
	case refs == 0 || refs > MaxFeatures:
		return fmt.Errorf("%w: %d features, expected 1 to %d", features.ErrInvalid, refs, MaxFeatures)
	case c.Workers < 0:
		return fmt.Errorf("%w: %d workers, expected 1 or more", features.ErrInvalid, c.Workers)
	case c.Baseline != nil && c.BaselineAt != 0:
		return fmt.Errorf("%w: a baseline's instant and a saved baseline, expected one of them", features.ErrInvalid)
	case c.BaselineAt > c.At:
		return fmt.Errorf("%w: baseline %s, expected an instant at or before %s", features.ErrInvalid, c.BaselineAt, c.At)
	}
	return nil
}

// Run measures. Errors are those of the source; features.ErrInvalid: the configuration, a
// baseline of other features, or a stored value that does not parse.
func Run(ctx context.Context, src Source, plan Plan, cfg Config) (*Report, error) {
	if err := cfg.check(plan); err != nil {
		return nil, err
	}
	r := &run{src: src, plan: plan, cfg: cfg, refs: plan.Columns(), types: plan.Types(), instants: []fund.Instant{cfg.At}}
	switch {
	case cfg.Baseline != nil:
		if err := cfg.Baseline.covers(r.refs, r.types, cfg.Segments); err != nil {
			return nil, err
		}
	case cfg.BaselineAt != 0:
		r.instants = append(r.instants, cfg.BaselineAt)
	}
	counts, err := r.measure(ctx)
	if err != nil {
		return nil, err
	}
	base := cfg.Baseline
	if cfg.BaselineAt != 0 {
		base = r.baseline(cfg.BaselineAt, counts[1])
	}
	return r.report(counts[0], base), nil
}

// TakeBaseline counts one instant, to be compared with later ones. It uses At, Segments,
// Customers, Workers and Progress of the configuration.
func TakeBaseline(ctx context.Context, src Source, plan Plan, cfg Config) (*Baseline, error) {
	cfg.BaselineAt, cfg.Baseline = 0, nil
	if err := cfg.check(plan); err != nil {
		return nil, err
	}
	r := &run{src: src, plan: plan, cfg: cfg, refs: plan.Columns(), types: plan.Types(), instants: []fund.Instant{cfg.At}}
	counts, err := r.measure(ctx)
	if err != nil {
		return nil, err
	}
	return r.baseline(cfg.At, counts[0]), nil
}
