package extract

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

const (
	// maxAtOnce bounds the labels of one customer that a worker takes at a time.
	maxAtOnce = 4096
	// maxListed is the number of customers up to which a store is asked for them by name
	// and not for all there are.
	maxListed = 4096
)

// work is some labels of one customer.
type work struct {
	customerID string
	history    *features.History // nil: the store does not know him
	labels     []label
}

// errEnough ends a reading whose rest nobody needs.
var errEnough = errors.New("enough was read")

// join reads the histories once, in the order of the ids in which the labels lie too, and
// puts a result for each label into results.
func (r *running) join(ctx context.Context, labels, results *sorter) error {
	query, err := r.query(labels)
	if err != nil {
		return err
	}
	workers := cmp.Or(r.Options.Workers, 1)
	todo := make(chan work, 2*workers)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(todo)
		return r.pair(ctx, query, labels, func(w work) error {
			select {
			case todo <- w:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	into := &collector{results: results, total: r.total, tell: r.tell(ctx, ReadFeatures), summary: &r.summary}
	for range workers {
		group.Go(func() error {
			reader := rowReader{running: r, request: view.Request{Purpose: r.Options.Purpose, Role: r.Options.Role}}
			for w := range todo {
				if err := reader.read(&w); err != nil {
					return err
				}
				if err := into.take(&reader); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// query asks for what the plan needs of the customers of the labels, and counts them.
func (r *running) query(labels *sorter) (features.HistoryQuery, error) {
	q := r.Plan.Needs()
	var ids []string
	last := ""
	err := labels.each(func(key, value []byte) error {
		id, _ := sortedLabel(key, value)
		if r.summary.Customers > 0 && string(id) == last {
			return nil
		}
		last = string(id)
		if r.summary.Customers++; r.summary.Customers <= maxListed {
			ids = append(ids, last)
		}
		return nil
	})
	if r.summary.Customers <= maxListed {
		q.CustomerIDs = append([]string{}, ids...) // not nil: nobody is not everybody
	}
	q.Through = last
	return q, err
}

// pair reads histories and labels side by side and sends the work in the order of the ids.
func (r *running) pair(ctx context.Context, q features.HistoryQuery, labels *sorter, send func(work) error) error {
	next, stop := iter.Pull2(customerLabels(labels))
	defer stop()
	p := pairing{next: next, send: send}
	if err := p.step(); err != nil || !p.more {
		return err
	}
	if err := r.Store.Histories(ctx, q, p.take); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return p.unknownUntil("")
}

// pairing stands at the labels that nobody was found for yet.
type pairing struct {
	next func() (work, error, bool)
	send func(work) error
	work work
	more bool
}

// step goes to the next labels.
func (p *pairing) step() (err error) {
	p.work, err, p.more = p.next()
	return err
}

// sendWith sends the labels with a history and goes on.
func (p *pairing) sendWith(h *features.History) error {
	p.work.history = h
	if err := p.send(p.work); err != nil {
		return err
	}
	return p.step()
}

// unknownUntil sends the labels of ids below one, or all for "": the store has nobody of
// these names.
func (p *pairing) unknownUntil(id string) error {
	for p.more && (id == "" || p.work.customerID < id) {
		if err := p.sendWith(nil); err != nil {
			return err
		}
	}
	return nil
}

// take sends the labels of the customer whose history came.
func (p *pairing) take(h *features.History) error {
	if err := p.unknownUntil(h.CustomerID); err != nil {
		return err
	}
	switch {
	case !p.more:
		return errEnough
	case p.work.customerID != h.CustomerID:
		return nil // nobody asks for him
	}
	kept := keep(h)
	for p.more && p.work.customerID == kept.CustomerID {
		if err := p.sendWith(kept); err != nil {
			return err
		}
	}
	return nil
}

// customerLabels yields the sorted labels, those of one customer together, or in several
// parts where he has many.
func customerLabels(labels *sorter) iter.Seq2[work, error] {
	return func(yield func(work, error) bool) {
		var w work
		err := labels.each(func(key, value []byte) error {
			id, l := sortedLabel(key, value)
			if len(w.labels) == maxAtOnce || len(w.labels) > 0 && w.customerID != string(id) {
				if !yield(w, nil) {
					return errEnough
				}
				w.labels = nil
			}
			if len(w.labels) == 0 {
				w.customerID = string(id)
			}
			w.labels = append(w.labels, l)
			return nil
		})
		switch {
		case errors.Is(err, errEnough):
		case err != nil:
			yield(work{}, err)
		case len(w.labels) > 0:
			yield(w, nil)
		}
	}
}

// rowReader reads the cells of labels and keeps them as the format wants them.
type rowReader struct {
	*running
	request view.Request
	cells   []view.Cell
	rows    []byte
	ends    []int // of each label's part of rows
	indexes []uint64
	present int64
	unknown int64
}

// read makes the rows of some labels of one customer.
func (r *rowReader) read(w *work) error {
	r.rows, r.ends, r.indexes, r.present, r.unknown = r.rows[:0], r.ends[:0], r.indexes[:0], 0, 0
	var then *past
	if w.history != nil {
		then = newPast(w.history)
	}
	for i := range w.labels {
		l := &w.labels[i]
		var profile *fund.Profile // nil: not known
		if then == nil {
			r.unknown++
		} else if p, err := then.asOf(l.asOf); err != nil {
			return err
		} else {
			profile = p
		}
		r.request.At = l.asOf.At
		r.cells = r.Plan.Read(profile, &r.request, r.cells[:0])
		for j := range r.cells {
			if r.cells[j].Status == view.Present {
				r.present++
			}
		}
		r.rows = r.Format.appendCells(r.rows, r.cells, r.Options.Status)
		r.ends, r.indexes = append(r.ends, len(r.rows)), append(r.indexes, l.index)
	}
	return nil
}

// collector puts the rows of all workers together.
type collector struct {
	mu      sync.Mutex
	results *sorter
	done    int64
	total   int64
	tell    func(done, total int64) error
	summary *Summary
}

// take keeps the rows that a reader has.
func (c *collector) take(r *rowReader) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	start := 0
	var key [8]byte
	for i, end := range r.ends {
		binary.BigEndian.PutUint64(key[:], r.indexes[i])
		if err := c.results.add(key[:], r.rows[start:end]); err != nil {
			return err
		}
		start = end
		c.done++
		if err := c.tell(c.done, c.total); err != nil {
			return err
		}
	}
	c.summary.Present += r.present
	c.summary.Unknown += r.unknown
	return nil
}
