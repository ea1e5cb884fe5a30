package main

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/cache"
	"github.com/fundmatch/fundmatch/services/telemetry"
)

// cacheConfig are the settings of the profile cache.
type cacheConfig struct {
	MaxBytes    whole    `yaml:"max_bytes"`
	Staleness   duration `yaml:"staleness"`
	MaxAge      duration `yaml:"max_age"`
	FillTimeout duration `yaml:"fill_timeout"`
	MaxFills    whole    `yaml:"max_fills"`
}

// The bounds of the cache's settings: wide enough for every use, narrow enough to catch
// a wrong unit.
const (
	minCacheBytes  = 64 << 10
	maxCacheBytes  = 64 << 30
	maxCacheFills  = 1 << 16
	maxStaleness   = time.Minute
	maxFillTimeout = time.Minute
	maxCacheAge    = 24 * time.Hour
)

func (c *cacheConfig) check() error {
	if c.MaxBytes != 0 && (c.MaxBytes < minCacheBytes || c.MaxBytes > maxCacheBytes) {
		return &settingError{"cache.max_bytes", strconv.FormatInt(int64(c.MaxBytes), 10), "65536 to 68719476736"}
	}
	if c.MaxFills > maxCacheFills {
		return &settingError{"cache.max_fills", strconv.Itoa(int(c.MaxFills)), "0 (default) to 65536"}
	}
	for _, d := range [...]struct {
		field string
		value duration
		most  time.Duration
	}{
		{"cache.staleness", c.Staleness, maxStaleness},
		{"cache.max_age", c.MaxAge, maxCacheAge},
		{"cache.fill_timeout", c.FillTimeout, maxFillTimeout},
	} {
		if v := time.Duration(d.value); v != 0 && (v < time.Millisecond || v > d.most) {
			return &settingError{d.field, v.String(), "1ms to " + d.most.String()}
		}
	}
	return nil
}

// newProfileCache puts the cache in front of a store.
func newProfileCache(store features.Profiles, c *cacheConfig, metrics *telemetry.Metrics) (*cache.Profiles, error) {
	meter, log := metrics.Cache, &metrics.ChangeLog
	counters := [cache.Outcomes]prometheus.Counter{
		cache.Hit: meter.Hits, cache.Miss: meter.Misses, cache.Stale: meter.Stale, cache.Dropped: meter.Drops, cache.Refused: meter.Refused,
		cache.PollDone: log.Polled, cache.PollFailed: log.Failed, cache.Woken: log.Wakes,
	}
	kept, err := cache.New(store, cache.Config{
		MaxBytes: int64(c.MaxBytes), Staleness: time.Duration(c.Staleness), MaxAge: time.Duration(c.MaxAge),
		FillTimeout: time.Duration(c.FillTimeout), MaxFills: int(c.MaxFills),
		Observe: func(o cache.Outcome) {
			if counter := counters[o]; counter != nil {
				counter.Inc()
			}
		},
		ObserveLag: func(lag time.Duration) { log.Lag.Observe(lag.Seconds()) },
	})
	if err != nil {
		return nil, err
	}
	log.WatchAge(kept.Age)
	return kept, nil
}
