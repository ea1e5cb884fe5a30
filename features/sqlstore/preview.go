package sqlstore

import (
	"context"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// preview is pool and market data as the transaction of an import sees them.
type preview struct {
	market
	batch *batch
}

// The queries of market.
const (
	firstOfMarket = selectPublished
	lastOfMarket  = selectCalendar
)

// Preview is features.Previewer.
func (b *batch) Preview() (features.Pools, error) {
	if err := b.flush(); err != nil {
		return nil, fail(b.ctx, "preview the pool", err)
	}
	// The store's statements are the readers': they do not see what is not committed.
	within := make(map[statement]*sqlx.Stmt)
	for st := firstOfMarket; st <= lastOfMarket; st++ {
		stmt, err := b.tx.PreparexContext(b.ctx, b.store.dialect.text(st)) //nolint:sqlclosecheck // closed with the transaction
		if err != nil {
			return nil, fail(b.ctx, "preview the pool", err)
		}
		within[st] = stmt
	}
	return &preview{market{func(st statement) *sqlx.Stmt { return within[st] }}, b}, nil
}

// Published is features.Pools.
func (p *preview) Published(ctx context.Context) (features.Revision, error) {
	if p.batch.poolMoved {
		r, err := p.batch.candidate(ctx)
		return r, fail(ctx, "preview the pool", err)
	}
	r, err := p.market.Published(ctx)
	if err == nil && p.batch.market {
		r.Seq = p.batch.seq // the transaction is not in its table yet
	}
	return r, err
}

// Pool is features.Pools.
func (p *preview) Pool(ctx context.Context, revision uint64) ([]fund.Product, error) {
	if !p.batch.poolMoved {
		return p.market.Pool(ctx, revision)
	}
	r, err := p.batch.candidate(ctx)
	if err != nil {
		return nil, fail(ctx, "preview the pool", err)
	}
	if revision != r.ID {
		return p.market.Pool(ctx, revision)
	}
	out := make([]fund.Product, 0, len(p.batch.pool))
	for _, code := range slices.Sorted(maps.Keys(p.batch.pool)) {
		product, err := fund.ParseProduct(p.batch.pool[code])
		if err != nil {
			return nil, fail(ctx, "preview the pool", err)
		}
		out = append(out, *product)
	}
	return out, nil
}
