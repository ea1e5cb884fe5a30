package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/cache"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/services/storeclock"
)

// skewShare is the part of the bound of staleness that a clock may be off by. Two replicas may be
// off to different sides: what they differ by is then half the bound.
const skewShare = 4

// maxSkew returns by how much the clock of a replica may differ from the store's.
func (c *config) maxSkew() time.Duration {
	if limit := time.Duration(c.Database.MaxClockSkew); limit != 0 {
		return limit
	}
	return c.staleness() / skewShare
}

func (c *config) staleness() time.Duration {
	if bound := time.Duration(c.Cache.Staleness); bound != 0 {
		return bound
	}
	return cache.DefaultStaleness
}

// checkClock refuses a limit at which replicas could be further apart than the bound.
func (c *config) checkClock() error {
	limit, most := time.Duration(c.Database.MaxClockSkew), c.staleness()/2 //nolint:mnd // one to each side
	if limit != 0 && (limit < time.Millisecond || limit > most) {
		return &settingError{"database.max_clock_skew", limit.String(), "1ms to half of cache.staleness, " + most.String()}
	}
	return nil
}

// openClock makes the service go by the clock that its store shares with other processes, or by
// its own where there is none. It never steps back, so that what was recorded is not in the
// future of the next question.
func (s *service) openClock(ctx context.Context) error {
	s.now = steadyClock(s.program.now)
	shared, ok := s.store.(interface {
		Clock() func(context.Context) (time.Time, error)
	})
	if !ok || shared.Clock() == nil {
		return nil
	}
	s.clock = storeclock.New(storeclock.Config{
		Store: shared.Clock(), Wall: s.program.now, Elapsed: cache.SystemClock().Elapsed, Limit: s.config.maxSkew(),
		Observe: s.observeClock(),
	})
	s.now = steadyClock(s.clock.Now)
	return s.clock.Begin(ctx)
}

// profiles is the store as the cache reads and writes it.
func (s *service) profiles() features.Profiles {
	if shared, ok := s.store.(*sqlstore.Store); ok && s.clock != nil {
		return &laterWrites{Store: shared, window: 2 * s.config.maxSkew(), now: s.now} //nolint:mnd // one to each side
	}
	return s.store
}

// checkSkew says why nothing may be answered; nil: it may.
func (s *service) checkSkew() error {
	if s.clock == nil {
		return nil
	}
	return s.clock.Check()
}

// skew is by how much the own clock is ahead of the store's.
func (s *service) skew() (time.Duration, bool) {
	skew, ok := s.clock.Skew()
	return skew.Middle(), ok
}

// followClock reads the store's clock until ctx ends.
func (s *service) followClock(ctx context.Context) {
	if s.clock != nil {
		s.clock.Run(ctx)
	}
}

// observeClock logs when the clocks begin to part, when nothing is answered any more, and when
// they agree again.
func (s *service) observeClock() func(storeclock.State, storeclock.Skew) {
	last := storeclock.Agreed
	return func(now storeclock.State, skew storeclock.Skew) {
		if now == last {
			return
		}
		last = now
		ahead := slog.Int64("skew_us", skew.Middle().Microseconds())
		switch now {
		case storeclock.Agreed:
			s.logger.LogAttrs(context.Background(), slog.LevelInfo, "the clock agrees with the store's", ahead)
		case storeclock.Drifting:
			s.logger.LogAttrs(context.Background(), slog.LevelWarn, "the clock parts from the store's", ahead)
		case storeclock.Skewed, storeclock.Unknown:
			s.logger.LogAttrs(context.Background(), slog.LevelError, "the clock does not agree with the store's: nothing is answered", ahead)
		}
	}
}
