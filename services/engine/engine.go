// Package engine keeps the current lineup: it loads what cores are compiled from, compiles
// ahead of the instant at which the old ones end, swaps atomically, and keeps the last good
// when a new pool, model, rule pack or plan of experiments does not compile. It also compiles
// the cores of the past that replay needs.
package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	// Observe is told about every compile of a core, for logs and metrics. May be nil.
	Observe func(Compiled)
	// Refuse is told about everything that the store has in force and that could not be put
	// in force here, each time it was tried. May be nil.
	Refuse func(Refusal)
}

// Compiled reports one compile.
type Compiled struct {
	Identity matcher.Identity
	Core     *matcher.Core // what was compiled; nil with Err
	Products int
	Took     time.Duration
	Derived  bool  // from a core that is there, with another model
	Err      error // the last good core stays when it is not nil
}

const (
	defaultPoll = 2 * time.Second
	defaultLead = time.Minute
	defaultAsk  = 5 * time.Second
	defaultLoad = 15 * time.Minute
)

// Engine holds the current lineup. Its methods may be called by any number of goroutines.
type Engine struct {
	loader *Loader
	clock  func() time.Time
	config Config

	inForce  atomic.Pointer[standing]
	refusals atomic.Pointer[[]Refusal]

	mu       sync.Mutex
	good     versions // what is in force
	asked    versions // what was last tried, where trying again would change nothing
	lastPlan string   // of the experiments that were in force last, unless they were ended
}

// standing is what is in force: a swap replaces it whole.
type standing struct {
	current *Lineup
	next    *Lineup // speaks from the instant at which current ends; nil until shortly before
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
	if config.Refuse == nil {
		config.Refuse = func(Refusal) {}
	}
	return &Engine{loader: loader, clock: clock, config: config}
}

// Lineup returns everything that is in force, together with an instant that it speaks for:
// now. The error wraps ErrNoCore.
func (e *Engine) Lineup() (*Lineup, fund.Instant, error) {
	lineup, at := e.valid()
	if lineup == nil {
		// The caller may have slept between taking the lineups and reading the clock while
		// both were replaced: it looks again before it says that there is none.
		lineup, at = e.valid()
	}
	if lineup == nil {
		return nil, at, fmt.Errorf("%w for %s", ErrNoCore, at)
	}
	return lineup, at, nil
}

// Core returns the core of whoever is in no experiment, together with an instant that it
// speaks for: now. The error wraps ErrNoCore.
func (e *Engine) Core() (*matcher.Core, fund.Instant, error) {
	lineup, at, err := e.Lineup()
	if err != nil {
		return nil, at, err
	}
	return lineup.core, at, nil
}

// valid returns the lineup that speaks for now, or nil, and now. The lineups are taken before
// the clock is read: one that is swapped in speaks from an instant that has passed.
func (e *Engine) valid() (*Lineup, fund.Instant) {
	s := e.inForce.Load()
	at := fund.InstantOf(e.clock())
	switch {
	case s == nil:
		return nil, at
	case s.current.covers(at):
		return s.current, at
	case s.next.covers(at):
		return s.next, at
	}
	return nil, at
}

// Refusals are what the store has in force and the engine does not, with the reasons: none
// while everything is in force. The slice must not be changed.
func (e *Engine) Refusals() []Refusal {
	if all := e.refusals.Load(); all != nil {
		return *all
	}
	return nil
}

// Degraded reports whether answers are made by something older than what the store has in
// force, because the newest pool, model, rule pack or plan of experiments was refused. A
// shadow answers nobody: without it nothing is degraded.
func (e *Engine) Degraded() bool {
	return slices.ContainsFunc(e.Refusals(), func(r Refusal) bool { return r.Kind != features.ShadowArtifact })
}

// Reload asks the store for what is in force and puts it in force here when it differs, or
// when what is here has ended. When the core does not compile, the last good versions stay
// in force and the error is returned; a plan of experiments or a shadow that is refused is no
// error, see Refusals.
func (e *Engine) Reload(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, e.config.Load)
	defer cancel()
	newest, err := e.newest(ctx)
	if err != nil {
		return err
	}
	e.succeed()
	s := e.inForce.Load()
	switch {
	case newest == e.asked && s == nil:
		return ErrNoCore // the first of all is known not to compile
	case newest == e.asked && s.current.covers(fund.InstantOf(e.clock())):
		return e.lookAhead(ctx)
	default:
		return e.replace(ctx, newest)
	}
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

// succeed makes the successor current when its time has come. What was refused for the old
// day is tried again for the new one.
func (e *Engine) succeed() {
	s := e.inForce.Load()
	if s == nil || s.next == nil {
		return
	}
	if from, _ := s.next.Validity(); fund.InstantOf(e.clock()) < from {
		return
	}
	e.inForce.Store(&standing{current: s.next})
	if len(e.Refusals()) > 0 || !e.good.complete(s.next) {
		e.asked = versions{}
	}
}

// replace puts in force what of the newest versions can be, and the last good of what cannot.
func (e *Engine) replace(ctx context.Context, newest versions) error {
	put, err := e.put(ctx, newest)
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err() // whoever ends the program refuses nothing
	}
	if err == nil {
		e.settle(newest, put.made, put.refused)
		return nil
	}
	refused := []Refusal{newest.refusal(err)}
	if e.inForce.Load() == nil {
		e.settle(newest, versions{}, refused)
		return err
	}
	// The last good pool, model and rules stay, and must not end with their core's day;
	// experiments and shadow are put in force beside them: whoever ends an experiment does
	// not wait for a model to be mended.
	good := e.good
	good.plan, good.shadow = newest.plan, newest.shadow
	again, errAgain := e.put(ctx, good)
	if errAgain != nil {
		e.settle(newest, e.good, refused)
		return errors.Join(err, errAgain)
	}
	e.settle(newest, again.made, append(refused, again.refused...))
	return err
}

// settle notes what became of the newest versions. They are tried again until all that was
// refused is known to be wrong.
func (e *Engine) settle(newest, made versions, refused []Refusal) {
	e.good, e.asked = made, newest
	if made.plan != "" || newest.plan == "" {
		e.lastPlan = made.plan
	}
	for _, r := range refused {
		if !errors.Is(r.Err, matcher.ErrCompile) {
			e.asked = versions{}
		}
		e.config.Refuse(r)
	}
	e.refusals.Store(&refused)
}

// put makes the lineup of versions as of now, and its successor when it ends soon, and puts
// both in force together: what is there stays until its replacement is.
func (e *Engine) put(ctx context.Context, want versions) (*assembly, error) {
	a, err := e.assemble(ctx, want, e.clock())
	if err != nil {
		return nil, err
	}
	if _, until := a.lineup.Validity(); fund.InstantOf(e.clock()) >= until {
		// It ended while it was compiled: midnight passed.
		if a, err = e.assemble(ctx, want, e.clock()); err != nil {
			return nil, err
		}
	}
	next, err := e.successor(ctx, a.made, a.lineup)
	if err == nil && errors.Is(ctx.Err(), context.Canceled) {
		err = ctx.Err() // what is missing may be missing for that
	}
	if err != nil {
		return nil, err
	}
	e.inForce.Store(&standing{current: a.lineup, next: next})
	return a, nil
}

// lookAhead compiles the successor of what is in force when its time comes near, and again
// while it lacks something.
func (e *Engine) lookAhead(ctx context.Context) error {
	s := e.inForce.Load()
	if s.next != nil && e.good.complete(s.next) {
		return nil
	}
	next, err := e.successor(ctx, e.good, s.current)
	if err == nil && next != nil {
		e.inForce.Store(&standing{current: s.current, next: next})
	}
	return err
}

// successor makes the lineup that follows one which ends within the lead; nil when it does
// not. What it has to do without is refused when its time has come.
func (e *Engine) successor(ctx context.Context, v versions, lineup *Lineup) (*Lineup, error) {
	_, until := lineup.Validity()
	if fund.InstantOf(e.clock().Add(e.config.Lead)) < until {
		return nil, nil //nolint:nilnil // nothing follows yet
	}
	a, err := e.assemble(ctx, v, until.Time())
	if err != nil {
		return nil, err
	}
	return a.lineup, nil
}

// assemble makes a lineup as of an instant. Where one is there that speaks for it and is of
// the same pool, data and rules, its cores are taken over, and with them the instant of its
// data: a swap of the model alone reads no market data.
func (e *Engine) assemble(ctx context.Context, want versions, asOf time.Time) (*assembly, error) {
	at := fund.InstantOf(asOf)
	f := newFamily(e.loader, want.identity(at), forNewAnswers(), e.compile)
	if s := e.inForce.Load(); s != nil {
		for _, have := range [...]*Lineup{s.current, s.next} {
			if have.covers(at) && want.sameBase(have.core.Identity()) {
				f = familyOf(e.loader, have, forNewAnswers(), e.compile)
			}
		}
	}
	return f.assemble(ctx, want, e.lastPlan)
}

// compile is observed: it measures and reports.
func (e *Engine) compile(id matcher.Identity, derived bool, compile func() (*matcher.Core, error)) (*matcher.Core, error) {
	start := e.clock()
	core, err := compile()
	report := Compiled{Identity: id, Took: e.clock().Sub(start), Derived: derived, Err: err}
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
			// What was refused was reported; a store that does not answer is seen by
			// readiness, and the core goes on until it ends.
			_ = e.Reload(ctx)
		}
	}
}
