package monitor

import (
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// run is one measurement: a pass over the ids, one over the histories of a sample, from
// which the bins are made, and one over everybody's, which are counted at each instant.
type run struct {
	src      Source
	plan     Plan
	cfg      Config
	refs     []view.Ref
	types    []view.Type
	instants []fund.Instant // At, then that of the baseline
	frame    *frame
}

// measure returns the counts of each instant.
func (r *run) measure(ctx context.Context) ([]*counts, error) {
	work, sample, total, err := r.divide(ctx)
	if err != nil {
		return nil, err
	}
	if r.cfg.Baseline != nil {
		r.frame = r.cfg.Baseline.frameFor(r.refs, r.cfg.Segments)
	} else if r.frame, err = r.makeFrame(ctx, sample); err != nil {
		return nil, err
	}
	return r.countAll(ctx, work, total)
}

// divide says what there is to read, in parts, whom the frame is made from, and how many
// customers there are.
func (r *run) divide(ctx context.Context) (work []features.HistoryQuery, sample []string, total int64, err error) {
	if ids := r.cfg.Customers; ids != nil {
		for part := range slices.Chunk(ids, rangeSize) {
			work = append(work, features.HistoryQuery{CustomerIDs: part})
		}
		c := chosen{most: binSample}
		for _, id := range ids {
			c.offer(id)
		}
		return work, c.ids(), int64(len(ids)), nil
	}
	s, err := surveyed(ctx, r.src, binSample)
	if err != nil {
		return nil, nil, 0, err
	}
	after := ""
	for _, end := range s.ends {
		work = append(work, features.HistoryQuery{After: after, Through: end})
		after = end
	}
	return work, s.chosen.ids(), s.customers, nil
}

// makeFrame cuts the bins by the values of the baseline, as the index asks, and takes the
// segments of all instants. Without any baseline values those of now cut.
func (r *run) makeFrame(ctx context.Context, sample []string) (*frame, error) {
	framers := make([]*framer, len(r.instants))
	for i := range framers {
		framers[i] = newFramer(r.types)
	}
	if len(sample) > 0 {
		err := r.read(ctx, features.HistoryQuery{CustomerIDs: sample}, func(i int, p *fund.Profile, cells []view.Cell) {
			framers[i].add(p, cells)
		})
		if err != nil {
			return nil, err
		}
	}
	base := framers[len(framers)-1]
	for i := range base.values {
		if base.values[i].seen == 0 {
			base.values[i] = framers[0].values[i]
		}
	}
	if len(framers) > 1 {
		for s, n := range framers[0].segments {
			base.segments[s] += n
		}
	}
	return base.frame(r.cfg.Segments), nil
}

// countAll counts all parts, several at once.
func (r *run) countAll(ctx context.Context, work []features.HistoryQuery, total int64) ([]*counts, error) {
	var done, next atomic.Int64
	workers := max(min(r.cfg.Workers, len(work)), 1)
	parts := make([][]*counts, workers)
	group, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		parts[w] = r.newCounts()
		count := func(i int, p *fund.Profile, cells []view.Cell) {
			parts[w][i].add(p, cells, r.instants[i])
			if i == 0 {
				r.cfg.Progress(done.Add(1), total)
			}
		}
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(work)); i = next.Add(1) - 1 {
				if err := r.read(ctx, work[i], count); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, part := range parts[1:] {
		for i := range part {
			parts[0][i].merge(part[i])
		}
	}
	return parts[0], nil
}

func (r *run) newCounts() []*counts {
	out := make([]*counts, len(r.instants))
	for i := range out {
		out[i] = newCounts(r.frame)
	}
	return out
}

// read calls f for each customer of a query and each instant at which a cell of him was
// known: one who came later is no missing value of the past.
func (r *run) read(ctx context.Context, q features.HistoryQuery, f func(instant int, p *fund.Profile, cells []view.Cell)) error {
	needs := r.plan.Needs()
	q.NoPurchases, q.NoEvents = needs.NoPurchases, needs.NoEvents
	var cells []view.Cell
	return r.src.Histories(ctx, q, func(h *features.History) error {
		for i, at := range r.instants {
			asOf := features.AsKnown(at)
			if !slices.ContainsFunc(h.Cells, func(c features.Cell) bool { return c.Visible(asOf) }) {
				continue
			}
			p, err := history.AsOf(h, asOf)
			if err != nil {
				return err
			}
			cells = r.plan.Read(p, &view.Request{At: at}, cells[:0])
			f(i, p, cells)
		}
		return nil
	})
}

// report puts counts and baseline side by side.
func (r *run) report(now *counts, base *Baseline) *Report {
	out := &Report{At: r.cfg.At, Customers: now.customers, Segments: r.frame.names()}
	var before [][]baseLine
	if base != nil {
		out.BaselineAt, out.BaselineCustomers = base.at, base.customers
		before = base.linesFor(r.refs, r.frame.segments != nil)
	}
	if n := len(out.Segments); n > 0 && now.lines[0][n].rows == 0 && !slices.ContainsFunc(before, func(f []baseLine) bool { return f[n].Rows > 0 }) {
		out.Segments = out.Segments[:n-1] // no customer is of another segment
	}
	names := append([]string{""}, out.Segments...)
	for i, ref := range r.refs {
		f := Feature{Ref: ref, Type: r.types[i]}
		for j := range names {
			l := &now.lines[i][j]
			row := Line{Segment: names[j], Rows: l.rows, Statuses: l.statuses, Age: l.age()}
			if before != nil {
				b := &before[i][j]
				row.BaselineRows, row.BaselineFill = b.Rows, share(b.Present, b.Rows)
				row.Drift = drift(l.bins, b.Bins)
			}
			f.Lines = append(f.Lines, row)
		}
		out.Features = append(out.Features, f)
	}
	return out
}
