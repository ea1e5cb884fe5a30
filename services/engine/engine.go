// Package engine keeps the current core: it loads what a core is compiled from, compiles
// ahead of the instant at which the old one ends, swaps atomically, and keeps the last
// good one when a new pool, model or rule pack does not compile. It also compiles the
// cores of the past that replay needs.
package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// ErrNoCore says that no core speaks for now. Answers fail closed until one does.
var ErrNoCore = errors.New("no valid core")

// Config bounds how the engine follows the store. The zero value is the default.
type Config struct {
	// Poll is how often the store is asked for a newer pool, model or rule pack.
	// Default 2 s.
	Poll time.Duration
	// Lead is how long before the end of a core the next one is compiled. Default 1 min.
	Lead time.Duration
	// Ask is how long a reload waits for the store to say what is in force, Load how long a reload
	// may take in all. Default 5 s and 15 min.
	Ask, Load time.Duration
	// Observe is told about every compile, for logs and metrics. May be nil.
	Observe func(Compiled)
}

// Compiled reports one compile.
type Compiled struct {
	Identity matcher.Identity
	Core     *matcher.Core // what was compiled; nil with Err
	Products int
	Took     time.Duration
	Err      error // the last good core stays when it is not nil
}

const (
	defaultPoll = 2 * time.Second
	defaultLead = time.Minute
	defaultAsk  = 5 * time.Second
	defaultLoad = 15 * time.Minute
)

// Engine holds the current core. Its methods may be called by any number of goroutines.
type Engine struct {
	loader *Loader
	clock  func() time.Time
	config Config

	current  atomic.Pointer[matcher.Core]
	next     atomic.Pointer[matcher.Core] // speaks from the instant at which current ends
	degraded atomic.Bool                  // the newest publication did not compile

	mu       sync.Mutex
	good     versions // what current was compiled from
	rejected versions // what did not compile; not tried again
}

// New returns an engine without a core; Reload gives it one, Run keeps it.
func New(loader *Loader, clock func() time.Time, config Config) *Engine {
	if config.Poll <= 0 {
		config.Poll = defaultPoll
	}
	if config.Lead <= 0 {
		config.Lead = defaultLead
	}
	if config.Ask <= 0 {
		config.Ask = defaultAsk
	}
	if config.Load <= 0 {
		config.Load = defaultLoad
	}
	if config.Observe == nil {
		config.Observe = func(Compiled) {}
	}
	return &Engine{loader: loader, clock: clock, config: config}
}

// Core returns a core together with an instant that it speaks for: now. The error wraps
// ErrNoCore.
func (e *Engine) Core() (*matcher.Core, fund.Instant, error) {
	core, at := e.valid()
	if core == nil {
		// The caller may have slept between taking the cores and reading the clock while
		// both were replaced: it looks again before it says that there is none.
		core, at = e.valid()
	}
	if core == nil {
		return nil, at, fmt.Errorf("%w for %s", ErrNoCore, at)
	}
	return core, at, nil
}

// Lineup returns everything that is in force, together with an instant that it speaks for:
// now. The error wraps ErrNoCore.
func (e *Engine) Lineup() (*Lineup, fund.Instant, error) {
	core, at, err := e.Core()
	if err != nil {
		return nil, at, err
	}
	return Single(core), at, nil
}

// Refusals are what the store has in force and the engine does not, with the reasons: none
// while everything is in force. The slice must not be changed.
func (e *Engine) Refusals() []Refusal { return nil }

// valid returns the core that speaks for now, or nil, and now. The cores are taken before
// the clock is read: one that is swapped in speaks from an instant that has passed. The
// next is taken first: renew makes it current before it takes it out of next, so one of
// the two loads sees it.
func (e *Engine) valid() (*matcher.Core, fund.Instant) {
	next := e.next.Load()
	core := e.current.Load()
	at := fund.InstantOf(e.clock())
	for _, c := range [...]*matcher.Core{core, next} {
		if c == nil {
			continue
		}
		if from, until := c.Validity(); at >= from && at < until {
			return c, at
		}
	}
	return nil, at
}

// Degraded reports whether the newest pool, model or rule pack did not compile, so that
// an older one is in force.
func (e *Engine) Degraded() bool { return e.degraded.Load() }

// Reload asks the store for what is in force and compiles it when it differs from the
// current core or that core has ended. When it does not compile, the last good versions
// stay in force and the error is returned.
func (e *Engine) Reload(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, e.config.Load)
	defer cancel()
	newest, err := e.newest(ctx)
	if err != nil {
		return err
	}
	switch newest {
	case e.good:
		e.degraded.Store(false) // what did not compile was taken back
		return e.renew(ctx)
	case e.rejected:
		return e.renew(ctx)
	}
	if err := e.replace(ctx, newest); err != nil {
		e.degraded.Store(true)
		if errors.Is(err, matcher.ErrCompile) {
			e.rejected = newest
		}
		if e.current.Load() == nil {
			return err
		}
		// The last good versions stay, and must not end with their core's day.
		return errors.Join(err, e.renew(ctx))
	}
	e.good, e.rejected = newest, versions{}
	e.degraded.Store(false)
	return nil
}

// newest asks the store what is in force, but not for long: one that says nothing must not keep
// the engine from asking again.
func (e *Engine) newest(ctx context.Context) (versions, error) {
	inner, cancel := context.WithTimeout(ctx, e.config.Ask)
	defer cancel()
	v, err := e.loader.newest(inner)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return versions{}, fmt.Errorf("%w: no answer within %s", features.ErrUnavailable, e.config.Ask)
	}
	return v, err
}

// replace compiles versions as of now, and their successor when they end soon, and puts
// both in force together: a core that is there stays until its replacement is.
func (e *Engine) replace(ctx context.Context, v versions) error {
	core, err := e.compile(ctx, v, e.clock())
	if err != nil {
		return err
	}
	if _, until := core.Validity(); fund.InstantOf(e.clock()) >= until {
		// It ended while it was compiled: midnight passed.
		if core, err = e.compile(ctx, v, e.clock()); err != nil {
			return err
		}
	}
	next, err := e.successor(ctx, v, core)
	if err != nil {
		return err
	}
	e.current.Store(core)
	e.next.Store(next)
	return nil
}

// successor compiles the core that follows one which ends within the lead; nil when it
// does not.
func (e *Engine) successor(ctx context.Context, v versions, core *matcher.Core) (*matcher.Core, error) {
	_, until := core.Validity()
	if fund.InstantOf(e.clock().Add(e.config.Lead)) < until {
		return nil, nil //nolint:nilnil // nothing follows yet
	}
	return e.compile(ctx, v, until.Time())
}

// renew keeps the good versions in force: it takes up the successor when its time has
// come, compiles it ahead, and compiles anew when the current core does not speak for now.
func (e *Engine) renew(ctx context.Context) error {
	current := e.current.Load()
	if current == nil {
		return ErrNoCore
	}
	now := fund.InstantOf(e.clock())
	next := e.next.Load()
	if next != nil {
		if from, _ := next.Validity(); now >= from {
			e.current.Store(next)
			e.next.Store(nil)
			current, next = next, nil
		}
	}
	from, until := current.Validity()
	switch {
	case now < from || now >= until:
		// Past its end, or the clock was ahead when it was compiled and has been set back.
		e.rejected = versions{} // another day: what did not compile may do so now
		return e.replace(ctx, e.good)
	case next == nil:
		next, err := e.successor(ctx, e.good, current)
		if err != nil {
			return err
		}
		if next != nil {
			e.rejected = versions{}
			e.next.Store(next)
		}
	}
	return nil
}

func (e *Engine) compile(ctx context.Context, v versions, asOf time.Time) (*matcher.Core, error) {
	start := e.clock()
	core, err := e.loader.compile(ctx, v.identity(fund.InstantOf(asOf)), forNewAnswers())
	report := Compiled{Identity: v.identity(fund.InstantOf(asOf)), Took: e.clock().Sub(start), Err: err}
	if err == nil {
		report.Core, report.Identity, report.Products = core, core.Identity(), core.Len()
	}
	e.config.Observe(report)
	return core, err
}

// Run follows the store until ctx ends. Errors are reported through Config.Observe and
// tried again; the last good core stays.
func (e *Engine) Run(ctx context.Context) {
	ticker := time.NewTicker(e.config.Poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			// A failed compile was reported; a store that does not answer is seen by
			// readiness, and the core goes on until it ends.
			_ = e.Reload(ctx)
		}
	}
}
