package decisionlog

import (
	"context"
	"slices"
	"sync"
)

// pending is a record, or an operation that needs the writer for itself, on its way through the queue.
type pending struct {
	entry    entry
	customer string
	mark     fingerprint
	op       func() error

	err  error
	wake chan bool // true: lead; false: done

	hash       *hasher
	random     [3 * saltBytes]byte
	customerID [MaxCustomerIDBytes]byte
}

// reset lets go of the caller's memory.
func (p *pending) reset() {
	p.entry, p.customer, p.mark, p.op, p.err = entry{}, "", fingerprint{}, nil, nil
}

// queue gathers what waits while one caller, the leader, writes. Whoever finds no leader becomes it: alone, a caller
// writes its own record without another goroutine; in a crowd, one write serves all who waited.
type queue struct {
	mu      sync.Mutex
	waiting []*pending
	spare   []*pending
	leading bool
	closed  bool
}

// add appends p and says whether its caller leads.
func (q *queue) add(p *pending) (lead bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, ErrClosed
	}
	q.waiting = append(q.waiting, p)
	if q.leading {
		return false, nil
	}
	q.leading = true
	return true, nil
}

// addLast appends the operation after which nothing is taken; false: there was one already.
func (q *queue) addLast(p *pending) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.closed = true
	q.waiting = append(q.waiting, p)
	if !q.leading {
		q.leading = true
		p.wake <- true
	}
	return true
}

// take gives the leader all that waits.
func (q *queue) take() []*pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch := q.waiting
	q.waiting, q.spare = q.spare[:0], nil
	return batch
}

// pass gives the batch's memory back and makes the first of those who came meanwhile the leader.
func (q *queue) pass(batch []*pending) {
	clear(batch)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spare = batch[:0]
	if len(q.waiting) == 0 {
		q.leading = false
		return
	}
	q.waiting[0].wake <- true
}

// leave takes p out again; false: a leader has it, or it is to lead itself.
func (q *queue) leave(p *pending) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, p)
	if i < 0 || i == 0 && len(p.wake) > 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}

// enqueue passes p through the queue and gives what became of it.
func (l *Log) enqueue(ctx context.Context, p *pending) error {
	lead, err := l.queue.add(p)
	if err != nil {
		return err
	}
	if lead {
		return l.lead(p)
	}
	return l.await(ctx, p)
}

// await waits until a leader has written p or p has become the leader.
func (l *Log) await(ctx context.Context, p *pending) error {
	var lead bool
	select {
	case lead = <-p.wake:
	case <-ctx.Done():
		if l.queue.leave(p) {
			return ctx.Err()
		}
		lead = <-p.wake
	}
	if lead {
		return l.lead(p)
	}
	return p.err
}

// lead writes all that waits, wakes those whose it was, and passes the lead on.
func (l *Log) lead(own *pending) error {
	batch := l.queue.take()
	l.w.write(batch)
	err := own.err
	for _, p := range batch {
		if p != own {
			p.wake <- false
		}
	}
	l.queue.pass(batch)
	return err
}

// exclusively runs op as the leader, between two batches of records.
func (l *Log) exclusively(ctx context.Context, op func() error) error {
	return l.enqueue(ctx, &pending{op: op, wake: make(chan bool, 1)})
}
