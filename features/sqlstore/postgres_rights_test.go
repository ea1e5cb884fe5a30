package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Writers who are under way when a customer is erased come before it, and are erased, or
// after it, and do not find him: no table keeps a value that names him.
func TestAnErasureMeetsWriters(t *testing.T) {
	t.Parallel()
	a, b := openTwo(t)
	const rounds, writers = 6, 6
	for round := range rounds {
		id := fmt.Sprint("c", round)
		importCells(t, a, tagOf(id, "SECRET"))
		var under sync.WaitGroup
		for i := range writers {
			under.Go(func() {
				s := []*Store{a, b}[i%2]
				c := tagOf(id, fmt.Sprint("SECRET", i))
				ahead := c
				ahead.Name, ahead.EventAt = "early", fund.Forever-1
				key := features.Idempotency{Scope: "x PUT " + id, Key: fmt.Sprint("k", i), BodyHash: [32]byte{1}}
				_, err := s.Write(t.Context(), features.Write{CustomerID: id, Cells: []features.Cell{c, ahead}, RecordedAt: 9, Idempotency: key})
				if err != nil && !errors.Is(err, features.ErrNotFound) {
					t.Errorf("a write: %v", err)
				}
				_, err = s.RecordEvents(t.Context(), features.EventBatch{RecordedAt: 9, Events: []features.Event{
					{ID: fmt.Sprint(id, "-", i), CustomerID: id, Kind: "CLICK", EventAt: 5},
				}})
				if err != nil && !errors.Is(err, features.ErrNotFound) {
					t.Errorf("an event: %v", err)
				}
			})
		}
		ask := features.Erasure{CustomerID: id, At: 9, By: "he", Salt: [32]byte{1}, Pseudonym: [16]byte{1, byte(round)}}
		if _, err := b.Erase(t.Context(), ask); err != nil {
			t.Errorf("erase: %v", err)
		}
		under.Wait()
		wantNothingOf(t, a, id)
	}
}

// wantNothingOf looks through every table that knows customers.
func wantNothingOf(t *testing.T, s *Store, id string) {
	t.Helper()
	var tables []string
	err := s.reader.SelectContext(t.Context(), &tables, `SELECT table_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND column_name = 'customer_id' ORDER BY table_name`)
	if err != nil || len(tables) < 9 {
		t.Fatalf("tables %v, %v", tables, err)
	}
	for _, table := range tables {
		switch table {
		case "changes", "erasures", "confirmations":
			continue // docs/rights.md says that they stay
		}
		var n int
		if err := s.reader.GetContext(t.Context(), &n, "SELECT COUNT(*) FROM "+table+" WHERE customer_id = $1", id); err != nil || n != 0 {
			t.Errorf("table %s has %d rows of %s, %v, want none", table, n, id, err)
		}
	}
}

// An import that has begun has read an empty store; a restore beneath it would be merged with
// what it goes on from.
func TestARestoreWaitsForAnImport(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	a := openServer(t, dsn)
	b, err := Open(t.Context(), OpenConfig{DSN: dsn, LockTimeout: 30 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	full := openServer(t, pgtest.Database(t))
	importCells(t, full, tagOf("c9", "1"))
	var archive bytes.Buffer
	if _, err := full.Backup(t.Context(), &archive, 7, nil); err != nil {
		t.Fatal(err)
	}
	restore := func(ctx context.Context) error {
		_, err := b.Restore(ctx, bytes.NewReader(archive.Bytes()), nil)
		return err
	}
	_, err = a.Import(t.Context(), 1, func(batch features.Batch) error {
		wantUnavailable(t, restore(t.Context()), "locked by another process")
		return batch.Cells([]features.Cell{tagOf("c1", "1")})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := restore(t.Context()); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("a restore after the import: %v, want that the store is not empty", err)
	}
}
