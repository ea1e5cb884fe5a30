package joined

import (
	"context"
	"fmt"
	"sync"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// files keeps what decisions name: pools, rule packs and models, each read once. A log names few of them; when it names
// many, those that were read longest ago are let go.
type files struct {
	store Store

	mu     sync.Mutex
	pools  recent[uint64, *pool]
	packs  recent[string, *eligibility.Pack]
	models recent[string, *score.Model]
}

// maxFiles bounds what is kept of a kind: decisions of one time name one or two.
const maxFiles = 8

func newFiles(store Store) *files { return &files{store: store} }

// recent keeps the newest values by key.
type recent[K comparable, V any] struct {
	values map[K]V
	order  []K
}

// get returns the value of a key, which read gives where it is not kept.
func (r *recent[K, V]) get(key K, read func() (V, error)) (V, error) {
	if v, ok := r.values[key]; ok {
		return v, nil
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	if len(r.order) == maxFiles {
		delete(r.values, r.order[0])
		r.order = r.order[1:]
	}
	if r.values == nil {
		r.values = map[K]V{}
	}
	r.values[key], r.order = v, append(r.order, key)
	return v, nil
}

// pool is a revision of the pool.
type pool struct {
	products []fund.Product
	index    map[string]int // by code
}

// product finds one by its code; nil: it is not in the pool.
func (p *pool) product(code string) *fund.Product {
	if i, ok := p.index[code]; ok {
		return &p.products[i]
	}
	return nil
}

// fundOf is what all share classes have in common: what a customer ordered in another class than the one that he was
// shown is the same fund. A product that is not in the pool is a fund by itself.
func (p *pool) fundOf(code string) string {
	if product := p.product(code); product != nil {
		return product.FundCode()
	}
	return code
}

// pool reads the revision that a decision was made from.
func (f *files) pool(ctx context.Context, revision uint64) (*pool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pools.get(revision, func() (*pool, error) {
		products, err := f.store.Pool(ctx, revision)
		if err != nil {
			return nil, fmt.Errorf("pool revision %d: %w", revision, err)
		}
		p := &pool{products: products, index: make(map[string]int, len(products))}
		for i := range products {
			p.index[products[i].Code] = i
		}
		return p, nil
	})
}

// pack reads a rule pack, also one that lacks rules that came later.
func (f *files) pack(ctx context.Context, id string) (*eligibility.Pack, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.packs.get(id, func() (*eligibility.Pack, error) {
		data, err := f.store.Artifact(ctx, features.RulesArtifact, id)
		if err != nil {
			return nil, fmt.Errorf("rule pack %s: %w", id, err)
		}
		pack, err := eligibility.ParseRecorded(data)
		if err != nil {
			return nil, fmt.Errorf("rule pack %s: %w", id, err)
		}
		return pack, nil
	})
}

// model reads a model, also one that lacks features that came later.
func (f *files) model(ctx context.Context, id string) (*score.Model, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.models.get(id, func() (*score.Model, error) {
		data, err := f.store.Artifact(ctx, features.ModelArtifact, id)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", id, err)
		}
		m, err := score.ParseRecorded(data)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", id, err)
		}
		return m, nil
	})
}
