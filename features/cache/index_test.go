package cache

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Of few buckets and hashes, so that customers meet in every way: who is found is who was
// asked for, as he was put last, and nobody is found who was dropped or let go.
func TestTheIndexFindsNobodyElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newIndex(1)
		model := map[string]*entry{}
		hash := func(id string) uint64 { return uint64(len(id)) << 32 } // all in the first bucket, some with the same hash
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			id := rapid.StringMatching(`[abc]{1,3}`).Draw(t, "id")
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				model[id] = &entry{id: id, hash: hash(id)}
				x.put(model[id])
			case 2:
				delete(model, id)
				x.drop(hash(id), id)
			case 3:
				x.forget(model[id])
				delete(model, id)
			}
			found := 0
			for _, other := range []string{id, "a", "b", "aa", "ab", "abc", "ccc"} {
				if e := x.get(hash(other), other); e != nil {
					found++
					if e != model[other] {
						t.Fatalf("%q finds %+v, want %+v", other, e, model[other])
					}
				}
			}
			if model[id] != nil && x.get(hash(id), id) == nil && len(model) == 1 {
				t.Fatalf("%q alone is not found", id)
			}
		}
	})
}

// What ristretto let go left the index, so that the bound on memory holds for both, and
// what was just filled is found at once.
func TestTheIndexKeepsWhatRistrettoKeeps(t *testing.T) {
	const customers = 2_000
	store, ids := memory.New(), make([]string, customers)
	_, err := store.Import(t.Context(), 1, func(b features.Batch) error {
		for i := range ids {
			ids[i] = fmt.Sprint("c", i)
			if err := b.Cells([]features.Cell{{CustomerID: ids[i], View: features.PersonView, Name: "segment", Value: "retail"}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(store, Config{MaxBytes: 256 << 10, Staleness: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	followed(t, p)
	for i, id := range ids {
		if _, err := p.Profile(t.Context(), id, fund.Forever); err != nil {
			t.Fatal(err)
		}
		if i == 0 && p.index.get(p.hash(id), id) == nil {
			t.Error("what was filled is not found at once")
		}
	}
	p.settle()
	kept, bytes := 0, int64(0)
	for i := range p.index.buckets {
		for j := range p.index.buckets[i] {
			e := p.index.buckets[i][j].Load()
			if e == nil {
				continue
			}
			kept, bytes = kept+1, bytes+size(e.profile)
			if same, ok := p.kept.Get(e.hash); !ok || same != e {
				t.Errorf("the index has %s, whom ristretto does not keep", e.id)
			}
		}
	}
	if kept == 0 || bytes > p.cfg.MaxBytes {
		t.Errorf("%d entries of %d bytes, want some, of at most %d bytes", kept, bytes, p.cfg.MaxBytes)
	}
}

// followed waits until the change log is followed.
func followed(t *testing.T, p *Profiles) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for p.log.freshUntil.Load() == 0 {
		if ctx.Err() != nil {
			t.Fatal("the change log is not followed")
		}
		time.Sleep(time.Millisecond)
	}
}

// Ristretto has to hear of about one hit in eight, whatever the grain of the clock.
func TestScatterIsEven(t *testing.T) {
	for _, grain := range []uint64{1, 8, 41, 100, 1000, 1_000_000} {
		told := 0
		for i := range uint64(8_000) {
			if scatter(1_234_567+i*grain)%toldOf == 0 {
				told++
			}
		}
		if told < 800 || told > 1200 {
			t.Errorf("a clock of %d ns: ristretto is told of %d hits in 8000", grain, told)
		}
	}
}
