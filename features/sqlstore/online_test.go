package sqlstore

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// oneReader returns a store of one connection that reads, and of one customer.
func oneReader(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), OpenConfig{Path: filepath.Join(t.TempDir(), "bank.db"), ReadConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	_, err = s.Import(t.Context(), 1, func(b features.Batch) error {
		return b.Cells([]features.Cell{{CustomerID: "c1", View: features.PersonView, Name: "segment", Value: "retail"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// An extract that reads the whole bank for minutes does not hold up the app.
func TestHeadsDoNotWaitForLongReadings(t *testing.T) {
	s := oneReader(t)
	err := s.Histories(t.Context(), features.HistoryQuery{}, func(h *features.History) error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := s.Profile(ctx, h.CustomerID, fund.Forever)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Who waits for a connection waits as long as his own context lasts, and loses nothing.
func TestHeadsObeyTheDeadlineOfTheCaller(t *testing.T) {
	s := oneReader(t)
	s.turns <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.Profile(ctx, "c1", 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline", err)
	}
	<-s.turns
	for _, id := range []string{"c1", "nobody", "c1"} { // whatever comes of it, the connection is free again
		if _, err := s.Profile(t.Context(), id, fund.Forever); err != nil && (id == "c1" || !errors.Is(err, features.ErrNotFound)) {
			t.Error(err)
		}
	}
	if len(s.turns) != 0 {
		t.Errorf("%d turns are taken", len(s.turns))
	}
}
