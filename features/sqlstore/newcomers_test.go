package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/features/storetest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// An import keeps every promise, also when it can hold next to nothing in memory.
func TestPromisesHoldWithFewNewcomersInMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		t.Helper()
		s := openInternal(t, filepath.Join(t.TempDir(), "bank.db"))
		s.newcomerBytes = 2 * bytesOfRow
		return s
	})
}

// everyWay gives rows of customers in three passes, some of them about customers of whom
// nothing else is said, so that whatever is written early is spoken of again.
func everyWay(customers int) func(features.Batch) error {
	return func(b features.Batch) error {
		for pass := range 3 {
			for i := range customers {
				id := fmt.Sprintf("c%03d", (i*7+pass)%customers)
				at := fund.Date(20240101).AddDays(pass*3 + i%5).Start()
				err := errors.Join(
					b.Cells([]features.Cell{
						{CustomerID: id, View: features.TagView, Name: "a", Value: fmt.Sprint(pass), EventAt: at},
						{CustomerID: id, View: features.PersonView, Name: "segment", Value: "retail"},
					}),
					b.Purchases([]features.CustomerPurchase{{CustomerID: id + "p", Purchase: fund.Purchase{
						ProductCode: fmt.Sprint("P", pass), KnownOn: at.Date(), Kind: "BUY", Amount: 5,
					}}}),
					b.Events([]features.Event{{ID: fmt.Sprintf("e%d-%d", pass, i), CustomerID: id, Kind: "CLICK", EventAt: at}}))
				if err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// whole is all that a store tells of its customers.
func whole(t *testing.T, s *Store) (all []features.History, heads [][]byte) {
	t.Helper()
	err := s.Histories(t.Context(), features.HistoryQuery{}, func(h *features.History) error {
		all = append(all, *h)
		one, err := s.Heads(context.WithoutCancel(t.Context()), []string{h.CustomerID})
		heads = append(heads, fmt.Appendf(fund.AppendProfile(nil, one[0].Profile), " from %d", one[0].From))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, heads
}

// What is in the store does not depend on how much of an import waited in memory, nor on the
// way that the rows were written: row by row or by COPY.
func TestNewcomersAreWrittenAlike(t *testing.T) {
	var want []features.History
	var wantHeads [][]byte
	for _, c := range []struct {
		name  string
		bytes int
		open  func(t *testing.T) *Store
	}{
		{"all in memory", maxNewcomerBytes, sqliteOf},
		{"one row in memory", 1, sqliteOf},
		{"some", 37 * bytesOfRow, sqliteOf},
		{"postgres", maxNewcomerBytes, postgresOf},
		{"postgres, some", 37 * bytesOfRow, postgresOf},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.open(t)
			s.newcomerBytes = c.bytes
			res, err := s.Import(t.Context(), fund.Date(20250101).Start(), everyWay(40))
			if err != nil {
				t.Fatal(err)
			}
			all, heads := whole(t, s)
			if want == nil {
				want, wantHeads = all, heads
			}
			if d := cmp.Diff(want, all); d != "" {
				t.Errorf("histories (-all in memory +%s):\n%s", c.name, d)
			}
			if d := cmp.Diff(wantHeads, heads); d != "" {
				t.Errorf("heads (-all in memory +%s):\n%s", c.name, d)
			}
			if res.Changed != 40*(3+1+3+3) { // the segment is said three times and kept once
				t.Errorf("%d rows changed", res.Changed)
			}
			page, err := s.Changes(t.Context(), features.Position{}, 1000)
			if err != nil || len(page.Changes) != 80 {
				t.Errorf("%d changes, error %v, want one for each customer", len(page.Changes), err)
			}
			if again, err := s.Import(t.Context(), fund.Date(20250101).Start(), everyWay(40)); err != nil || again.Changed != 0 {
				t.Errorf("%d rows changed by the same import again, error %v", again.Changed, err)
			}
		})
	}
}

func sqliteOf(t *testing.T) *Store {
	t.Helper()
	return openInternal(t, filepath.Join(t.TempDir(), "bank.db"))
}

func postgresOf(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), OpenConfig{DSN: pgtest.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Newcomers who cannot be read back are refused whole, while others are being prepared.
func TestAnImportOfABadNewcomerChangesNothing(t *testing.T) {
	s := sqliteOf(t)
	_, err := s.Import(t.Context(), fund.Date(20250101).Start(), func(b features.Batch) error {
		if err := everyWay(400)(b); err != nil {
			return err
		}
		for i := range fund.MaxTags + 1 {
			cell := features.Cell{CustomerID: "c200", View: features.TagView, Name: fmt.Sprint("n", i), Value: "1"}
			if err := b.Cells([]features.Cell{cell}); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, features.ErrInvalid) {
		t.Errorf("error %v, want ErrInvalid", err)
	}
	if all, _ := whole(t, s); len(all) != 0 {
		t.Errorf("%d customers are there", len(all))
	}
	if _, err := s.Import(t.Context(), fund.Date(20250101).Start(), everyWay(4)); err != nil {
		t.Errorf("the next import: %v", err)
	}
}

// A correction that gives an event of somebody known to somebody new is in the heads of both,
// whatever else the import says of the newcomer, before or after.
func TestAnEventMovesToANewcomer(t *testing.T) {
	at := fund.Date(20250101).Start()
	cell := func(name string) []features.Cell {
		return []features.Cell{{CustomerID: "new", View: features.TagView, Name: name, Value: "1", EventAt: 1}}
	}
	move := []features.Event{{ID: "e1", CustomerID: "new", Kind: "CLICK", EventAt: 5}}
	for name, fill := range map[string]func(b features.Batch) error{
		"alone":  func(b features.Batch) error { return b.Events(move) },
		"after":  func(b features.Batch) error { return errors.Join(b.Cells(cell("a")), b.Events(move)) },
		"before": func(b features.Batch) error { return errors.Join(b.Events(move), b.Cells(cell("a"))) },
		"within": func(b features.Batch) error {
			return errors.Join(b.Cells(cell("a")), b.Events(move), b.Cells(cell("b")))
		},
	} {
		for _, open := range []func(*testing.T) *Store{sqliteOf, postgresOf} {
			t.Run(name, func(t *testing.T) {
				s := open(t)
				for _, f := range []func(features.Batch) error{
					func(b features.Batch) error {
						return b.Events([]features.Event{{ID: "e1", CustomerID: "old", Kind: "CLICK", EventAt: 5}})
					}, fill,
				} {
					if _, err := s.Import(t.Context(), at, f); err != nil {
						t.Fatal(err)
					}
				}
				all, _ := whole(t, s)
				for i, clicks := range []int{1, 0} { // of new, of old
					want, err := history.AsOf(&all[i], features.AsKnown(fund.Forever))
					if err != nil {
						t.Fatal(err)
					}
					got, err := s.Profile(t.Context(), all[i].CustomerID, fund.Forever)
					if err != nil {
						t.Fatal(err)
					}
					if d := cmp.Diff(want, got); d != "" || len(got.Trail.Recent) != clicks {
						t.Errorf("head of %s is not the fold of his rows (-fold +head):\n%s", all[i].CustomerID, d)
					}
				}
			})
		}
	}
}
