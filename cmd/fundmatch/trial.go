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
	"github.com/fundmatch/fundmatch/services/engine"
)

// tryPool compiles what an import is about to publish, within its transaction, with the
// model and the rules in force. A pool that does not become a core is refused, so that
// the one in force stays: a service that starts would have nothing to answer with. An
// import that leaves pool and market data as they are is not tried.
func (p *program) tryPool(ctx context.Context, store bankStore, b features.Batch, at fund.Instant) error {
	previewer, ok := b.(features.Previewer)
	if !ok {
		return fmt.Errorf("%w: the store cannot show what it would publish", features.ErrUnavailable)
	}
	pools, err := previewer.Preview()
	if err != nil {
		return err
	}
	next, err := pools.Published(ctx)
	if errors.Is(err, features.ErrNoPool) {
		return nil
	}
	if err != nil {
		return err
	}
	now, err := store.Published(ctx)
	if err == nil && now.ID == next.ID && now.Seq == next.Seq {
		return nil
	}
	if err != nil && !errors.Is(err, features.ErrNoPool) {
		return err
	}
	loader, err := engine.NewLoader(futurePools{pools}, store, p.version)
	if err != nil {
		return err
	}
	if _, err = loader.Newest(ctx, at); errors.Is(err, matcher.ErrCompile) {
		return &exitError{code: exitUsage, text: "nothing was imported, the pool would not compile: " + err.Error(), cause: err}
	}
	return err
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
