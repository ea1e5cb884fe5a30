package cache_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/dgraph-io/ristretto/v2"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/cache"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

const benchCustomers = 1024

// warm returns a cache that holds all of its customers.
func warm(tb testing.TB) (*cache.Profiles, []string) {
	tb.Helper()
	store, ids := memory.New(), make([]string, benchCustomers)
	_, err := store.Import(tb.Context(), noon, func(b features.Batch) error {
		for i := range ids {
			ids[i] = fmt.Sprintf("%020d", i)
			if err := b.Cells([]features.Cell{tag(ids[i], "0", noon)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	c, err := cache.New(store, cache.Config{Staleness: time.Minute})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	for range 5 { // ristretto takes entries when it likes to
		for _, id := range ids {
			if _, err := c.Profile(tb.Context(), id, later); err != nil {
				tb.Fatal(err)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return c, ids
}

func TestAHitAllocatesNothing(t *testing.T) {
	c, ids := warm(t)
	n := 0
	// ristretto itself hands a full batch of accesses on now and then.
	if got := testing.AllocsPerRun(1000, func() {
		if _, err := c.Profile(t.Context(), ids[n%16], later); err != nil {
			t.Error(err)
		}
		n++
	}); got >= 1 {
		t.Errorf("%v allocations a read, want none", got)
	}
}

func BenchmarkHit(b *testing.B) {
	c, ids := warm(b)
	bare, err := ristretto.NewCache(&ristretto.Config[string, *fund.Profile]{NumCounters: 1 << 16, MaxCost: 1 << 26, BufferItems: 64})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(bare.Close)
	for _, id := range ids {
		bare.Set(id, &fund.Profile{CustomerID: id}, 1024)
	}
	bare.Wait()
	ctx := b.Context()
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, ok := bare.Get(ids[i%benchCustomers]); !ok {
				b.Fatal("a miss")
			}
		}
	})
	b.Run("profile", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := c.Profile(ctx, ids[i%benchCustomers], later); err != nil {
				b.Fatal(err)
			}
		}
	})
}
