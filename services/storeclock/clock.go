// Package storeclock tells the time by the clock of a store that several processes share.
//
// A fact is dated by the process that takes it, and a question is asked as of an instant of the
// process that answers: where their clocks differ, a fact lies in the other's future and is not
// obeyed, or an earlier fact of a faster clock outlives it. So all of them go by one clock, the
// store's, which each knows to within the time that a reading of it takes. Their own clock says
// whether that one can be right: where the two differ by more than a limit nobody can tell which
// is wrong, and nothing may be answered.
package storeclock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ErrSkewed says that nothing may be answered: the clocks of this process and of the store differ
// by more than the limit, or may do so for all that is known.
var ErrSkewed = errors.New("the clocks of this process and of the store do not agree")

// Source reads the clock of the store at some instant between the call and its return.
type Source func(context.Context) (time.Time, error)

// Config is what a Clock goes by. All of it is needed, but for Observe.
type Config struct {
	// Store reads the store's clock.
	Store Source
	// Wall is the clock of this process, which may step.
	Wall func() time.Time
	// Elapsed is the time since some fixed start. It never steps.
	Elapsed func() time.Duration
	// Limit is how much the clocks may differ.
	Limit time.Duration
	// Observe, when not nil, is told of each reading of the store's clock by Run.
	Observe func(State, Skew)
}

// State is what is known of the clocks.
type State uint8

// The states.
const (
	Unknown  State = iota // the store's clock was not read yet
	Agreed                // they are known to differ by at most half the limit
	Drifting              // they are known to differ by at most the limit
	Skewed                // they are not: ErrSkewed
)

// Skew bounds by how much the clock of the process is ahead of the store's.
type Skew struct{ Least, Most time.Duration }

// Middle is the likeliest of them.
func (s Skew) Middle() time.Duration { return s.Least + (s.Most-s.Least)/2 }

// grainShown is as exact as anybody wants to read it.
const grainShown = 100 * time.Microsecond

// within reports whether no difference beyond a limit is possible.
func (s Skew) within(limit time.Duration) bool { return s.Least >= -limit && s.Most <= limit }

// String is such as "180ms ahead of the store's, give or take 2ms".
func (s Skew) String() string {
	middle, word := s.Middle(), "ahead of"
	if middle < 0 {
		middle, word = -middle, "behind"
	}
	return fmt.Sprintf("%s %s the store's, give or take %s",
		middle.Round(grainShown), word, ((s.Most - s.Least) / 2).Round(grainShown)) //nolint:mnd // half of it to each side
}

// drift is the part of a time by which two good clocks may part in it; time servers correct by
// at most half of that.
const drift = 1000

// grain is the grain of the store's clock.
const grain = time.Microsecond

// span bounds what the store's clock shows when Elapsed is zero, in nanoseconds since the Unix
// epoch, as it was known at an instant of Elapsed.
type span struct {
	low, high int64
	at        time.Duration
}

// later returns the span as it is known later.
func (s span) later(at time.Duration) span {
	apart := int64(max(at-s.at, 0)) / drift
	return span{s.low - apart, s.high + apart, max(s.at, at)}
}

// Clock is the store's clock as this process knows it. It is safe for concurrent use.
type Clock struct {
	cfg   Config
	known atomic.Pointer[span]
	mu    sync.Mutex // orders those who read the store's clock
}

// New returns a clock that knows nothing of the store's yet.
func New(cfg Config) *Clock {
	if cfg.Observe == nil {
		cfg.Observe = func(State, Skew) {}
	}
	return &Clock{cfg: cfg}
}

// Now is the time by the store's clock; by the own one before that was read. It may step back
// by as much as was not known.
func (c *Clock) Now() time.Time {
	s := c.known.Load()
	if s == nil {
		return c.cfg.Wall()
	}
	return time.Unix(0, s.low+(s.high-s.low)/2+int64(c.cfg.Elapsed()))
}

// Skew compares the clocks as they are now. False before the store's was read. A clock that was
// set since is noticed at once: the time that passed is measured besides.
func (c *Clock) Skew() (Skew, bool) {
	s := c.known.Load()
	if s == nil {
		return Skew{}, false
	}
	var out Skew
	for range closeLooks {
		before := c.cfg.Elapsed()
		wall := c.cfg.Wall().UnixNano()
		after := c.cfg.Elapsed()
		now := s.later(after)
		out = Skew{time.Duration(wall-now.high) - after, time.Duration(wall-now.low) - before}
		if after-before < c.cfg.Limit/8 { //nolint:mnd // a small part of it
			break // nobody slept between the looks at the two
		}
	}
	return out, true
}

// closeLooks is how often two clocks are looked at together.
const closeLooks = 3

// State is what is known of the clocks now.
func (c *Clock) State() State {
	skew, ok := c.Skew()
	return c.judge(skew, ok)
}

func (c *Clock) judge(skew Skew, ok bool) State {
	switch {
	case !ok:
		return Unknown
	case skew.within(c.cfg.Limit / 2): //nolint:mnd // see Agreed
		return Agreed
	case skew.within(c.cfg.Limit):
		return Drifting
	}
	return Skewed
}

// Check says whether anything may be answered. Errors wrap ErrSkewed.
func (c *Clock) Check() error {
	skew, ok := c.Skew()
	switch c.judge(skew, ok) {
	case Unknown:
		return fmt.Errorf("%w: the store's was not read yet", ErrSkewed)
	case Skewed:
		return fmt.Errorf("%w: the own is %s, expected at most %s", ErrSkewed, skew, c.cfg.Limit)
	case Agreed, Drifting:
	}
	return nil
}

// Read reads the store's clock once. What is learned of it only grows more exact, but for what
// two clocks may part in the time since, unless one of them was set.
func (c *Clock) Read(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.cfg.Elapsed()
	at, err := c.cfg.Store(ctx)
	if err != nil {
		return err
	}
	after := c.cfg.Elapsed()
	read := span{at.UnixNano() - int64(after), at.UnixNano() - int64(before) + int64(grain), after}
	if old := c.known.Load(); old != nil {
		known := old.later(after)
		if low, high := max(known.low, read.low), min(known.high, read.high); low <= high {
			read.low, read.high = low, high
		}
	}
	c.known.Store(&read)
	return nil
}

// The readings of Begin and Run.
const (
	firstReadings = 5
	readEvery     = time.Second
	readTimeout   = 2 * time.Second
)

// Begin reads the store's clock, several times where the first readings took too long to tell
// anything. Errors are those of the source.
func (c *Clock) Begin(ctx context.Context) error {
	for range firstReadings {
		if err := c.Read(ctx); err != nil {
			return err
		}
		if s := c.known.Load(); s.high-s.low < int64(c.cfg.Limit)/4 { //nolint:mnd // a small part of it
			break
		}
	}
	return nil
}

// Run reads the store's clock every second until ctx ends. A reading that fails is left out.
func (c *Clock) Run(ctx context.Context) {
	ticks := time.NewTicker(readEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			step, cancel := context.WithTimeout(ctx, readTimeout)
			err := c.Read(step)
			cancel()
			if err == nil {
				skew, ok := c.Skew()
				c.cfg.Observe(c.judge(skew, ok), skew)
			}
		}
	}
}
