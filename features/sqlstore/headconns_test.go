package sqlstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// oneHeadConn returns a store of one connection that reads heads, and of one customer.
func oneHeadConn(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), OpenConfig{DSN: pgtest.Database(t), ReadConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	importCells(t, s, tagOf("c1", "1"))
	return s
}

// wantHead reads the one customer.
func wantHead(t *testing.T, s *Store) {
	t.Helper()
	if p, err := s.Profile(t.Context(), "c1", fund.Forever); err != nil || p.CustomerID != "c1" {
		t.Errorf("%+v, %v, want c1", p, err)
	}
}

// Who waits for a connection waits as long as his own context lasts, and loses nothing.
func TestServersHeadsObeyTheDeadlineOfTheCaller(t *testing.T) {
	t.Parallel()
	s := oneHeadConn(t)
	s.heads.turns <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.Profile(ctx, "c1", 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline", err)
	}
	<-s.heads.turns
	for _, id := range []string{"nobody", "c1", "a\x00b"} { // whatever comes of it, the connection is free again
		if _, err := s.Profile(t.Context(), id, fund.Forever); err != nil && (id == "c1" || !errors.Is(err, features.ErrNotFound)) {
			t.Error(err)
		}
	}
	if len(s.heads.turns) != 0 || len(s.heads.idle) != 1 {
		t.Errorf("%d turns are taken, %d connections idle, want 0 and 1", len(s.heads.turns), len(s.heads.idle))
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Profile(gone, "c1", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that the caller has gone", err)
	}
	wantHead(t, s)
}

// Connections live for a while, so that they come to a new primary.
func TestAnOldConnectionIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	s := oneHeadConn(t)
	wantHead(t, s)
	first := s.heads.idle[0]
	wantHead(t, s)
	if s.heads.idle[0] != first {
		t.Error("a young connection was not used again")
	}
	first.end()
	wantHead(t, s)
	if s.heads.idle[0] == first || !first.IsClosed() {
		t.Error("an old connection was used again, or left open")
	}
}

// A connection that is in use when the store is closed serves its read and ends with it.
func TestAClosedStoreHasNoHeads(t *testing.T) {
	t.Parallel()
	s := oneHeadConn(t)
	wantHead(t, s)
	conn, err := s.heads.take()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := conn.read(t.Context(), "c1"); err != nil {
		t.Errorf("the read that runs: %v", err)
	}
	s.heads.giveBack(conn)
	if !conn.IsClosed() {
		t.Error("the connection is open")
	}
	_, err = s.Profile(t.Context(), "c1", 1)
	wantUnavailable(t, err, "the store is closed")
}
