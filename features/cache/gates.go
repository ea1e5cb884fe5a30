package cache

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// A store that stalls must not gather waiting callers until the process has no room for those
// whom the cache can answer. Three gates bound who waits: a caller before a full one is refused
// at once. While nothing at all comes back from the store, the gates are narrow.

// atOnceWhenSilent is how many of a gate ask a store that has not answered for longer than the
// bound: enough to notice that it is back, too few to weigh on it or on us.
const atOnceWhenSilent = 16

// gates are the ways to the store.
type gates struct {
	fills    gate
	reads    gate // that nobody shares: of the past, of events, of staff, and fills that found no place
	writes   gate
	answered atomic.Int64 // on the clock: when the store last answered anything
}

// gate bounds how many are under way.
type gate struct {
	running atomic.Int64
	limit   int64
}

func (g *gates) open(cfg *Config) {
	n := int64(cfg.MaxFills)
	g.fills.limit, g.reads.limit, g.writes.limit = n, n, 2*n
	g.answered.Store(int64(cfg.Clock.Elapsed()))
}

// enter lets one more in, or not. Whoever is let in leaves.
func (g *gate) enter(narrow bool) bool {
	limit := g.limit
	if narrow {
		limit = min(limit, atOnceWhenSilent)
	}
	if g.running.Add(1) > limit {
		g.running.Add(-1)
		return false
	}
	return true
}

func (g *gate) leave() { g.running.Add(-1) }

// enter refuses a caller for whom there is no place.
func (p *Profiles) enter(g *gate) error {
	if g.enter(p.silent()) {
		return nil
	}
	p.cfg.Observe(Refused)
	return fmt.Errorf("%w: %d calls wait for it already", features.ErrUnavailable, g.running.Load())
}

// silent reports whether nothing has come back from the store for longer than the bound. The
// polls ask it more often than that.
func (p *Profiles) silent() bool {
	return int64(p.cfg.Clock.Elapsed())-p.gates.answered.Load() > int64(p.cfg.Staleness)
}

// heard notes that the store answered, if it did: that there is no such customer is an answer.
func (p *Profiles) heard(err error) {
	for _, silence := range [...]error{features.ErrUnavailable, context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, silence) {
			return
		}
	}
	p.gates.answered.Store(int64(p.cfg.Clock.Elapsed()))
}

// through reads a profile that the cache cannot give.
func (p *Profiles) through(ctx context.Context, id string, at fund.Instant) (profile *fund.Profile, err error) {
	err = p.bounded(ctx, func(ctx context.Context) (err error) {
		profile, err = p.store.Profile(ctx, id, at)
		return err
	})
	if err != nil {
		return nil, err
	}
	return profile, nil
}

// bounded reads from the store on behalf of one caller, for no longer than a fill.
func (p *Profiles) bounded(ctx context.Context, read func(context.Context) error) error {
	if err := p.enter(&p.gates.reads); err != nil {
		return err
	}
	defer p.gates.reads.leave()
	inner, cancel := context.WithTimeout(ctx, p.cfg.FillTimeout)
	defer cancel()
	err := read(inner)
	p.heard(err)
	if ended := ctx.Err(); ended != nil && err != nil {
		return ended
	}
	return p.ownDeadline(err)
}

// ownDeadline tells the end of a read's time from that of its caller's: nobody should take the
// one for the other.
func (p *Profiles) ownDeadline(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: no answer within %s", features.ErrUnavailable, p.cfg.FillTimeout)
}
