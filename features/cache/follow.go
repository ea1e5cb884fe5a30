package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"github.com/fundmatch/fundmatch/features"
)

// Clock is the cache's source of time.
type Clock interface {
	// Elapsed is the time since some fixed start. It never steps back: a clock that is
	// set back would make old entries fresh.
	Elapsed() time.Duration
	// NewTicker returns a channel that gets a value each period, and what stops it.
	NewTicker(period time.Duration) (ticks <-chan time.Time, stop func())
}

// SystemClock is the monotonic clock of the machine.
func SystemClock() Clock {
	return systemClock{start: time.Now()} //nolint:forbidigo // only differences are used, and tests give a clock of their own
}

type systemClock struct{ start time.Time }

func (c systemClock) Elapsed() time.Duration {
	return time.Since(c.start) //nolint:forbidigo // see SystemClock
}

func (systemClock) NewTicker(period time.Duration) (<-chan time.Time, func()) {
	t := time.NewTicker(period) //nolint:forbidigo // see SystemClock
	return t.C, t.Stop
}

// The bounds of following.
const (
	// changesAtOnce is how many changes one read of the log takes.
	changesAtOnce = 1000
	// maxBehind is how many changes one poll takes in one by one. A poll that finds more,
	// as after an import, forgets everything and goes on from the end of the log: that
	// costs two reads, however long the log has grown.
	maxBehind = 32 * changesAtOnce
	// maxAhead bounds what is remembered, and read again by each poll, of the changes above
	// what is settled. A transaction that runs for so long that others made more gives the
	// cache up until it ends: reads go to the store.
	maxAhead = 128 * changesAtOnce
	// workShare: polls that were woken take at most one part in so many of the time.
	workShare = 10
	// leastRest is the least time between two polls, however many wakes come.
	leastRest = 2 * time.Millisecond
)

// Waker is a store that tells when changes may have been made elsewhere. The cache polls all
// the same: a wake only makes the next poll sooner, and a lost one costs nothing but time.
type Waker interface {
	// Wake returns a channel that gets a value soon after somebody committed changes, until
	// ctx ends; then it is closed. Values that nobody took are one value; some come for
	// nothing, some are lost. nil: this store never wakes.
	Wake(ctx context.Context) <-chan struct{}
}

// Why the log cannot be followed for now; the next poll may do better.
var (
	errBehind   = errors.New("more changes lie above what is settled than are followed")
	errWentBack = errors.New("the change log is not the one that was followed: it is another server's, or ends below what was seen")
)

// follower is how far the change log is followed. What is not atomic is of the polling
// goroutine alone.
type follower struct {
	stop       func()
	origin     int64                          // of the log
	position   features.Position              // everything at or below was seen
	ahead      map[features.Position]struct{} // what was seen above it
	took       time.Duration                  // of the last good poll
	gaveUp     bool                           // ahead grew beyond its bound at this position
	following  atomic.Bool                    // position is known: changes from now on will be seen
	freshUntil atomic.Int64                   // on the clock: until then cached reads keep the bound
	floor      atomic.Int64                   // entries that expire by then are forgotten, on the clock
	began      atomic.Int64                   // on the clock, plus 1: when the last good poll began; 0: none did
}

// Age returns how long ago the last poll began that read the change log to its end: the most
// by which a cached profile may be out of date. False before the first such poll.
func (p *Profiles) Age() (time.Duration, bool) {
	began := p.log.began.Load()
	if began == 0 {
		return 0, false
	}
	return p.cfg.Clock.Elapsed() - time.Duration(began-1), true
}

// follow polls the change log twice within the bound of staleness, and when the store wakes
// it, until ctx ends.
func (p *Profiles) follow(ctx context.Context) {
	ticks, stop := p.cfg.Clock.NewTicker(p.cfg.Staleness / 2)
	defer stop()
	var wakes <-chan struct{}
	if w, ok := p.store.(Waker); ok {
		wakes = w.Wake(ctx)
	}
	for ctx.Err() == nil {
		began := p.cfg.Clock.Elapsed()
		switch err := p.poll(ctx, began); {
		case err == nil:
			p.cfg.Observe(PollDone)
		case ctx.Err() != nil:
			return
		default:
			p.cfg.Observe(PollFailed) // the next goes on from where it came to
		}
		select {
		case <-ticks:
		case _, open := <-wakes:
			if !open {
				wakes = nil
				continue
			}
			p.cfg.Observe(Woken)
			p.rest(ctx, p.cfg.Clock.Elapsed()-began)
		case <-ctx.Done():
		}
	}
}

// rest waits after a wake in proportion to what the last poll took, so that a busy bank's
// wakes, of which several meet in one poll, do not become the database's load.
func (p *Profiles) rest(ctx context.Context, since time.Duration) {
	wait := min(max(leastRest, p.log.took*workShare), p.cfg.Staleness/4) - since
	if wait <= 0 {
		return
	}
	over, stop := p.cfg.Clock.NewTicker(wait)
	defer stop()
	select {
	case <-over:
	case <-ctx.Done():
	}
}

// poll drops the customers that changed since the last poll. When it comes to the end,
// all changes from before its beginning have been seen: freshness counts from there.
func (p *Profiles) poll(ctx context.Context, began time.Duration) error {
	// A poll that takes longer than the bound is of no use any more; the next one may be.
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Staleness)
	defer cancel()
	if !p.log.following.Load() {
		end, err := p.end(ctx)
		if err != nil {
			return err
		}
		p.log.position, p.log.ahead, p.log.gaveUp = end, map[features.Position]struct{}{}, false
	}
	if p.log.gaveUp {
		if err := p.resume(ctx); err != nil {
			return err
		}
	}
	if err := p.catchUp(ctx); err != nil {
		return err
	}
	p.settle()
	// Nothing is kept before the end is known and a page has said of which log it is: nothing
	// older has to be dropped, and nothing of another server's is there.
	p.log.following.Store(true)
	p.log.took = p.cfg.Clock.Elapsed() - began
	p.log.began.Store(int64(began) + 1)
	p.log.freshUntil.Store(int64(began + p.cfg.Staleness))
	return nil
}

// end asks for the end of the log.
func (p *Profiles) end(ctx context.Context) (features.Position, error) {
	end, err := p.store.ChangesEnd(ctx)
	p.heard(err)
	return end, err
}

// toEnd forgets everything and moves the position up to the end of the log.
func (p *Profiles) toEnd(ctx context.Context) error {
	end, err := p.end(ctx)
	if err != nil {
		return err
	}
	p.forget()
	p.log.position = later(p.log.position, end)
	p.forgetSettled()
	return nil
}

// forget makes entries that were read until now useless. What commits later is found by
// following, so what is read from now on may be kept.
func (p *Profiles) forget() {
	p.log.floor.Store(int64(p.cfg.Clock.Elapsed() + p.cfg.MaxAge))
}

// resume tries again to follow once more is settled than when it was given up.
func (p *Profiles) resume(ctx context.Context) error {
	from := p.log.position
	if err := p.toEnd(ctx); err != nil {
		return err
	}
	if p.log.position == from {
		return errBehind
	}
	p.log.gaveUp = false
	clear(p.log.ahead)
	return nil
}

// catchUp drops whoever changed after the position, also those above what is settled. The
// position moves up as far as everything is settled without a gap: what commits late below
// a change that was seen is found by the next poll, which reads on from there.
func (p *Profiles) catchUp(ctx context.Context) error {
	defer p.forgetSettled()
	fresh := 0 // changes that no poll saw before
	for after := p.log.position; ; {
		page, err := p.store.Changes(ctx, after, changesAtOnce)
		p.heard(err)
		if err != nil {
			return err
		}
		last, full := after, len(page.Changes) >= changesAtOnce
		if n := len(page.Changes); n > 0 {
			last = page.Changes[n-1].Position
		}
		if full && last.Compare(after) <= 0 {
			return fmt.Errorf("%w: the change log does not go on after %v", features.ErrInvalid, after)
		}
		if !p.sameLog(page.Origin) || !p.advance(after, last, page.Settled, full) {
			return p.startAnew()
		}
		fresh += p.take(&page)
		switch {
		case !full:
			return nil
		case len(p.log.ahead) > maxAhead:
			p.log.gaveUp = true
			return errBehind
		case fresh > maxBehind:
			if err := p.toEnd(ctx); err != nil {
				return err
			}
			fresh = 0
			last = later(last, p.log.position)
		}
		after = last
	}
}

// sameLog reports whether a page is of the log that is followed: the first page says which.
func (p *Profiles) sameLog(origin int64) bool {
	if !p.log.following.Load() {
		p.log.origin = origin
	}
	return p.log.origin == origin
}

// advance moves the position up to what a page that was read after a position settles. A page
// that began above the position leaves a gap in which something may have appeared since. It
// returns false when less is settled than was before: the log is another one.
func (p *Profiles) advance(after, last, settled features.Position, full bool) bool {
	if after.Compare(p.log.position) > 0 {
		return true
	}
	if settled.Compare(p.log.position) < 0 {
		return false
	}
	if full && settled.Compare(last) > 0 {
		settled = last
	}
	p.log.position = settled
	return true
}

// startAnew forgets everything, position included: the database was restored, or another one
// took its place, and what comes may have numbers that were seen before.
func (p *Profiles) startAnew() error {
	p.log.following.Store(false)
	p.log.freshUntil.Store(0)
	p.forget()
	p.log.position = features.Position{}
	return errWentBack
}

// take drops the customers of a page and returns how many of its changes are new.
func (p *Profiles) take(page *features.ChangePage) (fresh int) {
	for _, c := range page.Changes {
		if _, seen := p.log.ahead[c.Position]; seen {
			continue
		}
		fresh++
		p.drop(c.CustomerID)
		if c.Position.Compare(p.log.position) > 0 {
			p.log.ahead[c.Position] = struct{}{}
		}
	}
	if fresh > 0 && page.Lag > 0 {
		p.cfg.ObserveLag(page.Lag)
	}
	return fresh
}

// forgetSettled forgets what lies at or below the position: it does not come again.
func (p *Profiles) forgetSettled() {
	at := p.log.position
	maps.DeleteFunc(p.log.ahead, func(seen features.Position, _ struct{}) bool { return seen.Compare(at) <= 0 })
}

func later(a, b features.Position) features.Position {
	if a.Compare(b) < 0 {
		return b
	}
	return a
}
