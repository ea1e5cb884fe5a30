package memory

import (
	"context"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Erase is features.Erasures.
func (f *Faulty) Erase(ctx context.Context, e features.Erasure) (out features.Erased, err error) {
	err = f.run(ctx, EraseMethod, func() error {
		out, err = f.store.Erase(ctx, e)
		return err
	})
	if err != nil {
		return features.Erased{}, err
	}
	return out, nil
}

// Erased is features.Erasures.
func (f *Faulty) Erased(ctx context.Context, customerID string) (out features.Erased, err error) {
	err = f.run(ctx, ErasedMethod, func() error {
		out, err = f.store.Erased(ctx, customerID)
		return err
	})
	if err != nil {
		return features.Erased{}, err
	}
	return out, nil
}

// ErasedSince is features.Erasures.
func (f *Faulty) ErasedSince(ctx context.Context, since fund.Instant, yield func(*features.Erased) error) error {
	return f.run(ctx, ErasedSinceMethod, func() error { return f.store.ErasedSince(ctx, since, yield) })
}
