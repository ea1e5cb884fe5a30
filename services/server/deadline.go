package server

import (
	"context"
	"sync"
	"time"
)

// lazyDeadline is a context with a deadline whose timer starts when somebody first waits
// for it. A handler that answers from memory asks at most whether it is late (Err), and
// a timer for each of tens of thousands of requests a second costs more than such an
// answer.
type lazyDeadline struct {
	context.Context
	at time.Time

	mu     sync.Mutex
	timed  context.Context //nolint:containedctx // the context with the timer, once there is one
	cancel context.CancelFunc
	ended  bool
}

// Deadline implements context.Context.
func (d *lazyDeadline) Deadline() (time.Time, bool) { return d.at, true }

// Done implements context.Context.
func (d *lazyDeadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timed == nil {
		d.timed, d.cancel = context.WithDeadline(d.Context, d.at)
		if d.ended {
			d.cancel()
		}
	}
	return d.timed.Done()
}

// Err implements context.Context.
func (d *lazyDeadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.timed != nil:
		return d.timed.Err()
	case d.Context.Err() != nil:
		return d.Context.Err()
	case !time.Now().Before(d.at):
		return context.DeadlineExceeded
	case d.ended:
		return context.Canceled
	}
	return nil
}

// end releases the timer and cancels what waits, as a context's cancel function does.
func (d *lazyDeadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	if d.cancel != nil {
		d.cancel()
	}
}
