//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func historyPromises() []promise {
	return []promise{
		{"whatever was written, a read is the fold of the cells, from the head or from the past", readIsFold},
		{"duplicates and the order of writes do not matter", writesConverge},
		{"what a cut returned it returns for ever", cutsAreStable},
	}
}

// drawCell draws a cell of few names, times and values, so that they meet.
func drawCell(t *rapid.T, customerID string) features.Cell {
	c := features.Cell{
		CustomerID: customerID, View: features.TagView,
		Name:      rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"),
		Value:     rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "value"),
		EventAt:   drawTime(t, "event"),
		KnownAt:   drawTime(t, "known"),
		Tombstone: rapid.IntRange(0, 3).Draw(t, "tombstone") == 0,
		Source:    rapid.SampledFrom([]string{"", "s"}).Draw(t, "source"),
		SourceSeq: uint64(rapid.IntRange(0, 2).Draw(t, "sequence")),
	}
	if rapid.Bool().Draw(t, "ends") {
		c.ValidTo = max(c.EventAt, c.Known()) + hour
	}
	switch rapid.IntRange(0, 3).Draw(t, "view") {
	case 0:
		c.View, c.Name = features.PersonView, "segment"
	case 1:
		c.View, c.Name = features.AttributeView, "city"
	}
	return c
}

// drawTime draws one of a few hours, or the unknown time.
func drawTime(t *rapid.T, what string) fund.Instant {
	n := rapid.IntRange(0, 5).Draw(t, what)
	if n == 0 {
		return 0
	}
	return noon(day1) + fund.Instant(n)*hour
}

// moments are before, at and after each time that drawTime draws.
func moments() []fund.Instant {
	out := []fund.Instant{0, 1, later}
	for n := range fund.Instant(8) {
		out = append(out, noon(day1)+n*hour-1, noon(day1)+n*hour)
	}
	return out
}

// newCustomers imports customers that are new in each of rapid's runs.
func newCustomers(t *rapid.T, s Store, run int, names ...string) []string {
	ids := make([]string, len(names))
	cells := make([]features.Cell, len(names))
	for i, n := range names {
		ids[i] = fmt.Sprintf("%s%d", n, run)
		cells[i] = person(ids[i], "investor_type", "ORDINARY")
	}
	if _, err := s.Import(context.Background(), noon(day5), func(b features.Batch) error { return b.Cells(cells) }); err != nil {
		t.Fatal(err)
	}
	return ids
}

// wantFold compares what the store reads with the fold of the cells.
func wantFold(t *rapid.T, s Store, id string, cells []features.Cell) {
	for _, at := range moments() {
		want, err := features.Fold(id, cells, nil, features.AsKnown(at))
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Profile(context.Background(), id, at)
		if err != nil {
			t.Fatal(err)
		}
		same := *got
		same.Revision = 0
		if d := cmp.Diff(*want, same); d != "" {
			t.Fatalf("profile at %s is not the fold (-fold +read):\n%s", at, d)
		}
	}
}

func readIsFold(t *testing.T, s Store) {
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		id := newCustomers(t, s, run, "c")[0]
		all := []features.Cell{person(id, "investor_type", "ORDINARY")}
		for range rapid.IntRange(0, 6).Draw(t, "writes") {
			var cells []features.Cell
			for range rapid.IntRange(1, 3).Draw(t, "cells") {
				cells = append(cells, drawCell(t, id))
			}
			if _, err := s.Write(context.Background(), features.Write{CustomerID: id, Cells: cells, RecordedAt: noon(day5)}); err != nil {
				t.Fatal(err)
			}
			all = append(all, cells...)
		}
		wantFold(t, s, id, all)
	})
}

func writesConverge(t *testing.T, s Store) {
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		ids := newCustomers(t, s, run, "a", "b")
		var cells []features.Cell
		for range rapid.IntRange(1, 8).Draw(t, "cells") {
			cells = append(cells, drawCell(t, ids[0]))
		}
		twice := append(slices.Clone(cells), cells[:rapid.IntRange(0, len(cells)).Draw(t, "duplicates")]...)
		other := rapid.Permutation(twice).Draw(t, "order")
		for _, w := range []struct {
			id    string
			cells []features.Cell
		}{{ids[0], cells}, {ids[1], other}} {
			for _, c := range w.cells {
				c.CustomerID = w.id
				if _, err := s.Write(context.Background(), features.Write{CustomerID: w.id, Cells: []features.Cell{c}, RecordedAt: noon(day5)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, at := range moments() {
			first, err1 := s.Profile(context.Background(), ids[0], at)
			second, err2 := s.Profile(context.Background(), ids[1], at)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			a, b := *first, *second
			a.CustomerID, b.CustomerID, a.Revision, b.Revision = "", "", 0, 0
			if d := cmp.Diff(a, b); d != "" {
				t.Fatalf("at %s the order of writes shows:\n%s", at, d)
			}
		}
	})
}

//nolint:gocognit // a model beside the store: both are easier to compare in one place
func cutsAreStable(t *testing.T, s Store) {
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		code := fmt.Sprintf("P%d", run)
		model := map[fund.Date]fund.NAV{}
		type remembered struct {
			cut  features.Cut
			want []fund.NAV
		}
		var past []remembered
		for range rapid.IntRange(1, 5).Draw(r, "imports") {
			batch := map[fund.Date]fund.NAV{}
			for range rapid.IntRange(1, 3).Draw(r, "days") {
				n := nav(day1+fund.Date(rapid.IntRange(0, 4).Draw(r, "day")), float64(rapid.IntRange(1, 3).Draw(r, "value")))
				batch[n.Date] = n
			}
			var rows []fund.NAV
			for d := day1; d <= day5; d++ {
				if n, ok := batch[d]; ok {
					rows = append(rows, n)
					model[d] = n
				}
			}
			res, err := s.Import(context.Background(), noon(day5), func(b features.Batch) error {
				return errors.Join(b.Products([]fund.Product{product("P", "x")}), b.NAVs(code, rows))
			})
			if err != nil {
				r.Fatal(err)
			}
			cut := features.Cut{AsOf: noon(day1 + fund.Date(rapid.IntRange(0, 5).Draw(r, "as of"))), Seq: res.Revision.Seq}
			var want []fund.NAV
			for d := day1; d < cut.AsOf.Date(); d++ {
				if n, ok := model[d]; ok {
					want = append(want, n)
				}
			}
			past = append(past, remembered{cut, want})
			for _, p := range past {
				if d := cmp.Diff(p.want, navs(t, s, p.cut)[code]); d != "" {
					r.Fatalf("cut %+v changed (-then +now):\n%s", p.cut, d)
				}
			}
		}
	})
}

func concurrencyPromises() []promise {
	return []promise{
		{"readers see whole writes while many write", wholeSnapshots},
		{"one key written many times at once is written once", concurrentKey},
		{"a reader of the change log misses nothing while many write", followedLog},
	}
}

const (
	writers       = 4
	writesOfEach  = 25
	tagsOfOneKind = 5
)

func wholeSnapshots(t *testing.T, s Store) {
	known(t, s, "c1")
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for w := range writers {
		writing.Go(func() {
			for i := range writesOfEach {
				var cells []features.Cell
				for n := range tagsOfOneKind {
					cells = append(cells, tag("c1", fmt.Sprint("t", n), fmt.Sprint(w, "/", i), noon(day1)+fund.Instant(i*writers+w)))
				}
				if _, err := s.Write(t.Context(), features.Write{CustomerID: "c1", Cells: cells, RecordedAt: noon(day5)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for r := range 2 {
		at := []fund.Instant{later, noon(day1) + writers*writesOfEach/2}[r] // one from the head, one from the past
		reading.Go(func() { readUntil(t, s, at, done) })
	}
	writing.Wait()
	close(done)
	reading.Wait()
	if n := len(changes(t, s)); n != 1+writers*writesOfEach {
		t.Errorf("%d changes, want %d", n, 1+writers*writesOfEach)
	}
}

// readUntil checks that all tags of a read come from one write, and that revisions rise.
func readUntil(t *testing.T, s Store, at fund.Instant, done <-chan struct{}) {
	last := uint64(0)
	for {
		p, err := s.Profile(t.Context(), "c1", at)
		if err != nil {
			t.Error(err)
			return
		}
		for _, tg := range p.Tags {
			if tg.Value != p.Tags[0].Value || len(p.Tags) != tagsOfOneKind {
				t.Errorf("a profile of two writes: %v", p.Tags)
				return
			}
		}
		if p.Revision < last {
			t.Errorf("revision %d after %d", p.Revision, last)
			return
		}
		last = p.Revision
		select {
		case <-done:
			return
		default:
		}
	}
}

func concurrentKey(t *testing.T, s Store) {
	known(t, s, "c1")
	before := len(changes(t, s))
	var wg sync.WaitGroup
	receipts := make([]features.Receipt, 8)
	for i := range receipts {
		wg.Go(func() {
			r, err := s.Write(t.Context(), keyed("x", 1, noon(day1), tag("c1", "a", "1", noon(day1))))
			if err != nil {
				t.Error(err)
			}
			receipts[i] = r
		})
	}
	wg.Wait()
	first := 0
	for _, r := range receipts {
		if !r.Replayed {
			first++
		}
		if r.Revision != receipts[0].Revision || !r.Changed {
			t.Errorf("receipt %+v, want the revision of %+v", r, receipts[0])
		}
	}
	if n := len(changes(t, s)) - before; first != 1 || n != 1 {
		t.Errorf("%d first receipts and %d changes, want one of each", first, n)
	}
}

//nolint:gocognit // the writers and the one reader belong together
func followedLog(t *testing.T, s Store) {
	var ids []string
	for i := range writers {
		ids = append(ids, fmt.Sprint("c", i))
	}
	known(t, s, ids...)
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			for i := range writesOfEach {
				c := tag(id, "a", fmt.Sprint(i), noon(day1))
				if _, err := s.Write(t.Context(), features.Write{CustomerID: id, Cells: []features.Cell{c}, RecordedAt: noon(day5)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var written atomic.Bool
	go func() {
		wg.Wait()
		written.Store(true)
	}()
	// A reader that goes on from what is settled, and reads again what lies above it, misses none.
	seen, read, after := map[string]int{}, map[features.Position]bool{}, features.Position{}
	for {
		last := written.Load() // before the read: a page without news then is the end
		page, err := s.Changes(t.Context(), after, 3)
		if err != nil {
			t.Fatal(err)
		}
		news := false
		for _, c := range page.Changes {
			if c.Position.Compare(after) <= 0 {
				t.Fatalf("change %+v after %v", c, after)
			}
			if !read[c.Position] {
				read[c.Position], news = true, true
				seen[c.CustomerID]++
			}
		}
		if len(page.Changes) > 0 && page.Changes[len(page.Changes)-1].Position.Compare(page.Settled) <= 0 {
			after = page.Changes[len(page.Changes)-1].Position
		} else if after.Compare(page.Settled) < 0 {
			after = page.Settled
		}
		if last && !news && len(page.Changes) < 3 {
			break
		}
	}
	for _, id := range ids {
		if seen[id] != writesOfEach+1 {
			t.Errorf("%d changes of %s, want %d", seen[id], id, writesOfEach+1)
		}
	}
}
