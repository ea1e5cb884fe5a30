package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/cache"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// replica opens a store and a cache in front of it.
func replica(t *testing.T, dsn string) (*sqlstore.Store, *cache.Profiles) {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), sqlstore.OpenConfig{DSN: dsn, NoNotify: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := cache.New(s, cache.Config{Staleness: bound})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); _ = s.Close() })
	return s, c
}

// Following goes by positions, the bound by the monotonic clock: a replica whose wall clock is
// minutes off is neither missed nor believed for longer, and nothing that it wrote is lost.
func TestPostgresReplicasOfSkewedClocks(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for polls; -short is on")
	}
	t.Parallel()
	dsn := pgtest.Database(t)
	first, slow := replica(t, dsn)
	_, fast := replica(t, dsn)
	_, reader := replica(t, dsn)
	writers := [2]*cache.Profiles{slow, fast}
	now := fund.InstantOf(time.Now())
	tag := func(name string, at fund.Instant) []features.Cell {
		return []features.Cell{{CustomerID: "c", View: features.TagView, Name: name, Value: "x", EventAt: at, KnownAt: at}}
	}
	if _, err := first.Import(t.Context(), now, func(b features.Batch) error { return b.Cells(tag("start", now.Add(-time.Hour))) }); err != nil {
		t.Fatal(err)
	}
	skews := [2]time.Duration{-4 * time.Minute, 4 * time.Minute}
	for i := range 6 {
		if _, err := reader.Profile(t.Context(), "c", now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		at := fund.InstantOf(time.Now()).Add(skews[i%2])
		w := features.Write{CustomerID: "c", Cells: tag(fmt.Sprint("t", i), at), RecordedAt: at}
		if _, err := writers[i%2].Write(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		pause(bound)
		p, err := reader.Profile(t.Context(), "c", now.Add(time.Hour))
		if err != nil || len(p.Tags) != i+2 {
			t.Errorf("after write %d of a clock that is %s off: %+v, %v, want %d tags", i, skews[i%2], p, err, i+2)
		}
	}
}
