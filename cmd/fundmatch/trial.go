package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/track"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/wire"
)

// tryPool compiles what an import is about to publish, within its transaction, with the
// model and the rules in force. A pool that does not become a core is refused, so that
// the one in force stays: a service that starts would have nothing to answer with. An
// import that leaves pool and market data as they are is not tried.
//
// The products in quarantine are returned: the rest is published.
func (p *program) tryPool(ctx context.Context, store bankStore, b features.Batch, at fund.Instant) ([]*fundmatchv1.QuarantineFinding, error) {
	previewer, ok := b.(features.Previewer)
	if !ok {
		return nil, fmt.Errorf("%w: the store cannot show what it would publish", features.ErrUnavailable)
	}
	pools, err := previewer.Preview()
	if err != nil {
		return nil, err
	}
	next, err := pools.Published(ctx)
	if errors.Is(err, features.ErrNoPool) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	now, err := store.Published(ctx)
	if err == nil && now.ID == next.ID && now.Seq == next.Seq {
		return nil, nil
	}
	if err != nil && !errors.Is(err, features.ErrNoPool) {
		return nil, err
	}
	loader, err := engine.NewLoader(futurePools{pools}, store, p.version)
	if err != nil {
		return nil, err
	}
	core, err := loader.Newest(ctx, at)
	if errors.Is(err, matcher.ErrCompile) {
		return nil, &exitError{code: exitUsage, text: "nothing was imported, the pool would not compile: " + err.Error(), cause: err}
	}
	if err != nil {
		return nil, err
	}
	return wire.Quarantined(core), nil
}

// futurePools are pools that also judge the NAVs of days to come: a core reads them when
// their day is over, and must not fail then.
type futurePools struct{ features.Pools }

// lastDay is the last day that a dataset may name.
const lastDay fund.Date = 2199_12_31

// NAVs is features.Pools.
func (f futurePools) NAVs(ctx context.Context, cut features.Cut, yield func(string, []fund.NAV) error) error {
	today := cut.AsOf.Date()
	all := features.Cut{AsOf: lastDay.Start(), Seq: cut.Seq}
	return f.Pools.NAVs(ctx, all, func(code string, navs []fund.NAV) error {
		past := slices.IndexFunc(navs, func(n fund.NAV) bool { return n.Date >= today })
		if past < 0 {
			return yield(code, navs)
		}
		if _, err := track.Compute(navs, lastDay, track.Settings{}); err != nil {
			return fmt.Errorf("product %s: %w", code, err)
		}
		if past == 0 {
			return nil
		}
		return yield(code, navs[:past])
	})
}
