package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// A poll counts only when what it dropped cannot come back: ristretto takes in a new entry a
// moment after it was given, also after the drop of it.
func TestAPollThatCountsHasDropped(t *testing.T) {
	store := &versions{Store: memory.New(), of: map[string]*version{"c": {}}}
	p, err := New(store, Config{MaxBytes: 256 << 20, Staleness: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	followed(t, p)
	crowd := func(from, n int) { // what keeps ristretto busy
		for i := range n {
			e := &entry{id: fmt.Sprint("x", from+i), hash: uint64(from + i)}
			p.kept.Set(e.hash, e, 1)
		}
	}
	for round := range 5 {
		p.settle()
		crowd(round*100_000, 15_000)
		s := p.shard("c")
		s.mu.Lock()
		p.keep(s, "c", &flight{drops: s.drops, profile: &fund.Profile{CustomerID: "c"}})
		s.mu.Unlock()
		crowd(round*100_000+50_000, 10_000)
		p.drop("c")
		if err := p.poll(t.Context(), p.cfg.Clock.Elapsed()); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); time.Since(began) < 30*time.Millisecond; {
			if e := p.find("c", 0); e != nil {
				t.Fatalf("round %d: the dropped entry is found again after the poll", round)
			}
		}
	}
}

// version is a customer as the store has him.
type version struct {
	stored atomic.Uint64
	told   atomic.Uint64 // of what a writer was told: who asks later reads no less
}

// tell notes that somebody was told of a version.
func (v *version) tell(revision uint64) {
	for {
		before := v.told.Load()
		if before >= revision || v.told.CompareAndSwap(before, revision) {
			return
		}
	}
}

// versions is a store that counts the writes of each customer.
type versions struct {
	*memory.Store
	of map[string]*version
}

func (s *versions) Head(_ context.Context, id string) (*fund.Profile, fund.Instant, error) {
	return &fund.Profile{CustomerID: id, Revision: s.of[id].stored.Load()}, 0, nil
}

func (s *versions) Profile(ctx context.Context, id string, _ fund.Instant) (*fund.Profile, error) {
	p, _, err := s.Head(ctx, id)
	return p, err
}

func (s *versions) Write(_ context.Context, w features.Write) (features.Receipt, error) {
	return features.Receipt{Revision: s.of[w.CustomerID].stored.Add(1), Changed: true}, nil
}

// Whoever fills, drops, evicts and asks at once: after a write was acknowledged nobody reads what
// was there before it, and nobody reads anybody else.
func TestNobodyReadsWhatWasDropped(t *testing.T) {
	const customers, goroutines = 300, 8
	store, ids := &versions{Store: memory.New(), of: map[string]*version{}}, make([]string, customers)
	for i := range ids {
		ids[i] = fmt.Sprint("c", i)
		store.of[ids[i]] = &version{}
	}
	var hits atomic.Int64
	p, err := New(store, Config{MaxBytes: minMaxBytes, Staleness: time.Minute, Observe: func(o Outcome) {
		if o == Hit {
			hits.Add(1)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	followed(t, p)
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	var all sync.WaitGroup
	for g := range uint64(goroutines) {
		all.Go(func() {
			r := rand.New(rand.NewPCG(g, 1))
			for ctx.Err() == nil {
				id := ids[min(r.IntN(customers), r.IntN(customers), r.IntN(customers))] // some are asked for often
				v := store.of[id]
				if r.IntN(20) == 0 {
					told, err := p.Write(context.Background(), features.Write{CustomerID: id})
					if err != nil {
						t.Error(err)
						return
					}
					v.tell(told.Revision)
					continue
				}
				least := v.told.Load()
				got, err := p.Profile(context.Background(), id, fund.Forever)
				if err != nil || got.CustomerID != id || got.Revision < least {
					t.Errorf("%s: %+v, %v, want version %d at least", id, got, err, least)
					return
				}
			}
		})
	}
	all.Wait()
	if hits.Load() < 100 {
		t.Errorf("%d hits: the cache was not tried", hits.Load())
	}
}
