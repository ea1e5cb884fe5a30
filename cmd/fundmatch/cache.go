package main

import (
	"context"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/services/telemetry"
)

type cacheConfig struct{}

func (c *cacheConfig) check() error { return nil }

type profileCache struct{ features.Profiles }

func newProfileCache(store bankStore, _ cacheConfig, _ func() time.Time, _ telemetry.Cache) (*profileCache, error) {
	return &profileCache{store}, nil
}

func (c *profileCache) Run(ctx context.Context) { <-ctx.Done() }
func (c *profileCache) Close() error            { return nil }
