// Package storetest runs the promises of package features on a store. Every store
// passes all of it: what is said there in prose is a named case here.
package storetest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Store is all that a store promises.
type Store interface { //nolint:interfacebloat // all that a store promises
	features.Profiles
	features.Events
	features.Staff
	features.Pools
	features.Models
	features.Confirmations
	features.Importer
	features.Histories
	features.Erasures
	features.Quarantine
	// Close ends the store; closing it again does nothing.
	Close() error
}

// promise is one named case.
type promise struct {
	name string
	keep func(t *testing.T, s Store)
}

// Run checks every promise, each on a store of its own that open returns empty. Run
// closes it.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for _, group := range groups() {
		t.Run(group.name, func(t *testing.T) {
			for _, p := range group.promises {
				t.Run(p.name, func(t *testing.T) {
					s := open(t)
					defer func() {
						if err := s.Close(); err != nil {
							t.Errorf("close: %v", err)
						}
					}()
					p.keep(t, s)
				})
			}
		})
	}
}

// group is some cases about one concern.
type group struct {
	name     string
	promises []promise
}

func groups() []group {
	return []group{
		{"profiles", profilePromises()},
		{"writes", writePromises()},
		{"imports", importPromises()},
		{"pools", poolPromises()},
		{"models", modelPromises()},
		{"confirmations", confirmationPromises()},
		{"events", eventPromises()},
		{"histories", historyPromises()},
		{"reads", readPromises()},
		{"erasures", erasurePromises()},
		{"quarantine", quarantinePromises()},
		{"postings", postingPromises()},
		{"bitemporal", bitemporalPromises()},
		{"concurrency", concurrencyPromises()},
	}
}

// The days and instants of the cases.
const (
	day1 fund.Date = 2020_03_01
	day2 fund.Date = 2020_03_02
	day3 fund.Date = 2020_03_03
	day4 fund.Date = 2020_03_04
	day5 fund.Date = 2020_03_05
)

// noon returns noon of a day in Asia/Shanghai.
func noon(d fund.Date) fund.Instant { return d.Start() + 12*hour }

const hour fund.Instant = 3_600_000_000

// later is after everything that a case writes.
var later = noon(2199_12_31)

// tag returns a tag that is known when it becomes true.
func tag(customerID, name, value string, at fund.Instant) features.Cell {
	return features.Cell{CustomerID: customerID, View: features.TagView, Name: name, Value: value, EventAt: at}
}

// person returns a fact that is known always.
func person(customerID, name, value string) features.Cell {
	return features.Cell{CustomerID: customerID, View: features.PersonView, Name: name, Value: value}
}

// load imports what fill gives.
func load(t *testing.T, s Store, fill func(features.Batch) error) features.ImportResult {
	t.Helper()
	res, err := s.Import(t.Context(), noon(day5), fill)
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	return res
}

// loadCells imports cells.
func loadCells(t *testing.T, s Store, cells ...features.Cell) features.ImportResult {
	t.Helper()
	return load(t, s, func(b features.Batch) error { return b.Cells(cells) })
}

// known makes customers known.
func known(t *testing.T, s Store, ids ...string) {
	t.Helper()
	for _, id := range ids {
		loadCells(t, s, person(id, "investor_type", "ORDINARY"))
	}
}

// write records cells and must succeed.
func write(t *testing.T, s Store, cells ...features.Cell) features.Receipt {
	t.Helper()
	r, err := s.Write(t.Context(), features.Write{CustomerID: cells[0].CustomerID, Cells: cells, RecordedAt: noon(day5)})
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	return r
}

// profile reads a profile and must succeed.
func profile(t *testing.T, s features.Profiles, id string, at fund.Instant) *fund.Profile {
	t.Helper()
	p, err := s.Profile(t.Context(), id, at)
	if err != nil {
		t.Fatalf("profile of %s at %s: %v", id, at, err)
	}
	return p
}

// wantTag checks the value of a tag as of an instant; "" is none.
func wantTag(t *testing.T, s Store, id, name string, at fund.Instant, want string) {
	t.Helper()
	got := ""
	for _, tg := range profile(t, s, id, at).Tags {
		if tg.Name == name {
			got = tg.Value
		}
	}
	if got != want {
		t.Errorf("tag %s of %s at %s is %q, want %q", name, id, at, got, want)
	}
}

// changes reads the whole change log.
func changes(t *testing.T, s Store) []features.Change {
	t.Helper()
	c, err := s.Changes(t.Context(), features.Position{}, 1_000_000)
	if err != nil {
		t.Fatalf("changes: %v", err)
	}
	return c.Changes
}

// published reads the revision in force and must succeed.
func published(t *testing.T, s Store) features.Revision {
	t.Helper()
	r, err := s.Published(t.Context())
	if err != nil {
		t.Fatalf("published: %v", err)
	}
	return r
}

// wantSame compares two values.
func wantSame(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b fund.Calendar) bool { return cmp.Equal(openDays(a), openDays(b)) })); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// openDays writes down what a calendar says of the days of the cases.
func openDays(c fund.Calendar) string {
	out := ""
	for d := day1; d <= day5; d++ {
		open, known := c.Open(d)
		switch {
		case !known:
			out += "?"
		case open:
			out += "o"
		default:
			out += "x"
		}
	}
	return out
}

// navs collects a cut's NAVs.
func navs(t *testing.T, s Store, cut features.Cut) map[string][]fund.NAV {
	t.Helper()
	out, last := map[string][]fund.NAV{}, ""
	err := s.NAVs(t.Context(), cut, func(code string, rows []fund.NAV) error {
		if code <= last {
			t.Errorf("product %s after %s, expected code order", code, last)
		}
		last = code
		out[code] = append([]fund.NAV(nil), rows...)
		return nil
	})
	if err != nil {
		t.Fatalf("NAVs: %v", err)
	}
	return out
}

// purchases collects a cut's purchases.
func purchases(t *testing.T, s Store, cut features.Cut) map[string][]fund.Purchase {
	t.Helper()
	out, last := map[string][]fund.Purchase{}, ""
	err := s.Purchases(t.Context(), cut, func(id string, rows []fund.Purchase) error {
		if id <= last {
			t.Errorf("customer %s after %s, expected id order", id, last)
		}
		last = id
		out[id] = append([]fund.Purchase(nil), rows...)
		return nil
	})
	if err != nil {
		t.Fatalf("purchases: %v", err)
	}
	return out
}

// cancelled returns a context that has ended.
func cancelled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
