package cache

import (
	"context"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Erase is features.Erasures. The customer is dropped at once, as by Write.
func (p *Profiles) Erase(ctx context.Context, e features.Erasure) (features.Erased, error) {
	defer func() {
		p.drop(e.CustomerID)
		p.settle()
	}()
	return p.store.Erase(ctx, e)
}

// Erased is features.Erasures, straight from the store.
func (p *Profiles) Erased(ctx context.Context, customerID string) (features.Erased, error) {
	return p.store.Erased(ctx, customerID)
}

// ErasedSince is features.Erasures, straight from the store.
func (p *Profiles) ErasedSince(ctx context.Context, since fund.Instant, yield func(*features.Erased) error) error {
	return p.store.ErasedSince(ctx, since, yield)
}
