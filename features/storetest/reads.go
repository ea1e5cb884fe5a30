//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func readPromises() []promise {
	return []promise{
		{"histories come in the byte order of the ids, each once", historiesInOrder},
		{"an empty store has no histories, and no heads", readOfNothing},
		{"cells come by view, name and time, purchases and events in their order", historyOrder},
		{"of a purchase a history has what was written last", purchasesOfHistory},
		{"a query leaves out what it does not ask for, never a customer", partsOfHistories},
		{"a list of ids gives those of them that are known, once, in order", listedHistories},
		{"a range goes from above one id up to another, also of a list", rangeOfHistories},
		{"all histories come from one snapshot", historiesOfOneSnapshot},
		{"an error of yield ends a reading of histories and comes back as it is", historiesStop},
		{"a reading of histories ends with its context", historiesCancelled},
		{"what an import that failed wrote is in no history", historiesOfFailedImport},
		{"a history folds into the profile of every instant", historyIsProfile},
		{"heads come in the order of the ids, nil for whoever is not known", headsInOrder},
		{"a head is the profile from its instant on", headsAreProfiles},
		{"heads of one read come from one snapshot", headsOfOneSnapshot},
		{"at most MaxHeads heads are read at once", tooManyHeads},
	}
}

// histories collects what a query yields.
func histories(t *testing.T, s Store, q features.HistoryQuery) []features.History {
	t.Helper()
	var out []features.History
	err := s.Histories(t.Context(), q, func(h *features.History) error {
		out = append(out, copied(h))
		return nil
	})
	if err != nil {
		t.Fatalf("histories: %v", err)
	}
	return out
}

// copied returns a history that stays valid after the call that yielded it.
func copied(h *features.History) features.History {
	return features.History{
		CustomerID: h.CustomerID,
		Cells:      slices.Clone(h.Cells), CellSeqs: slices.Clone(h.CellSeqs),
		Purchases: slices.Clone(h.Purchases), PurchaseSeqs: slices.Clone(h.PurchaseSeqs),
		Events: slices.Clone(h.Events), EventSeqs: slices.Clone(h.EventSeqs),
	}
}

// historyIDs names whom a query yields.
func historyIDs(t *testing.T, s Store, q features.HistoryQuery) string {
	t.Helper()
	var ids []string
	for _, h := range histories(t, s, q) {
		ids = append(ids, h.CustomerID)
	}
	return strings.Join(ids, " ")
}

// crowd imports so many customers that no store reads all of them in one go, each with a
// segment, a purchase and an event.
func crowd(t *testing.T, s Store) []string {
	t.Helper()
	ids := make([]string, 700)
	load(t, s, func(b features.Batch) error {
		for i := range ids {
			ids[i] = fmt.Sprintf("c%03d", i)
			err := errors.Join(
				b.Cells([]features.Cell{person(ids[i], "segment", "retail")}),
				b.Purchases([]features.CustomerPurchase{bought(ids[i], "P1", day1, 5)}),
				b.Events([]features.Event{did("e"+ids[i], ids[i], "CLICK", noon(day1))}))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return ids
}

func historiesInOrder(t *testing.T, s Store) {
	known(t, s, "b", "a", "B", "a.1", "a-1", "a_1", "10", "9", "aa")
	if got, want := historyIDs(t, s, features.HistoryQuery{}), "10 9 B a a-1 a.1 a_1 aa b"; got != want {
		t.Errorf("histories of %s, want %s", got, want)
	}
	ids := crowd(t, s)
	got := strings.Fields(historyIDs(t, s, features.HistoryQuery{After: "b"}))
	wantSame(t, "histories of a crowd", got, ids)
}

func readOfNothing(t *testing.T, s Store) {
	if got := historyIDs(t, s, features.HistoryQuery{}); got != "" {
		t.Errorf("histories of %s in an empty store", got)
	}
	heads, err := s.Heads(t.Context(), []string{"c1"})
	if err != nil || len(heads) != 1 || heads[0].Profile != nil {
		t.Errorf("heads %v, error %v in an empty store, want one of nobody", heads, err)
	}
	if heads, err = s.Heads(t.Context(), nil); err != nil || len(heads) != 0 {
		t.Errorf("heads %v, error %v of nobody, want none", heads, err)
	}
}

func historyOrder(t *testing.T, s Store) {
	known(t, s, "c1")
	gone := tag("c1", "a", "9", noon(day2)) // in the same breath as a value: after it
	gone.Tombstone = true
	late := tag("c1", "a", "0", noon(day1))
	late.KnownAt = noon(day3)
	second := tag("c1", "a", "0", noon(day2))
	second.SourceSeq = 7
	want := []features.Cell{
		person("c1", "investor_type", "ORDINARY"), tag("c1", "a", "1", noon(day1)), late, tag("c1", "a", "0", noon(day2)),
		tag("c1", "a", "1", noon(day2)), gone, second, tag("c1", "b", "0", noon(day1)),
	}
	for _, i := range []int{5, 2, 7, 4, 1, 6, 3} {
		write(t, s, want[i])
	}
	record(t, s, noon(day3), did("e3", "c1", "CLICK", noon(day2)), did("e1", "c1", "CLICK", noon(day2)), did("e2", "c1", "CLICK", noon(day1)))
	load(t, s, func(b features.Batch) error {
		return b.Purchases([]features.CustomerPurchase{bought("c1", "P2", day1, 1), bought("c1", "P1", day2, 1), bought("c1", "P1", day1, 1)})
	})
	got := histories(t, s, features.HistoryQuery{})[0]
	for i := range got.Cells {
		if got.Cells[i].View == features.PersonView {
			got.Cells[i].SourceSeq = 0 // an import gives its own
		}
	}
	wantSame(t, "cells", got.Cells, want)
	if !slices.IsSortedFunc(got.Events, func(a, b features.Event) int { return features.CompareEvents(&a, &b) }) || len(got.Events) != 3 {
		t.Errorf("events %v, want three in order", got.Events)
	}
	if !slices.IsSortedFunc(got.Purchases, features.ComparePurchases) || len(got.Purchases) != 3 {
		t.Errorf("purchases %v, want three in order", got.Purchases)
	}
	if len(got.CellSeqs) != len(got.Cells) || len(got.PurchaseSeqs) != 3 || len(got.EventSeqs) != 3 {
		t.Errorf("%d, %d and %d sequence numbers of as many rows", len(got.CellSeqs), len(got.PurchaseSeqs), len(got.EventSeqs))
	}
	if got.CellSeqs[1] <= got.CellSeqs[0] || got.CellSeqs[3] <= got.CellSeqs[1] || got.EventSeqs[0] <= got.CellSeqs[3] {
		t.Errorf("sequence numbers %v of cells and %v of events do not tell the order of the writes", got.CellSeqs, got.EventSeqs)
	}
}

func purchasesOfHistory(t *testing.T, s Store) {
	known(t, s, "c1")
	for _, amount := range []fund.Money{5, 9, 7} {
		load(t, s, func(b features.Batch) error {
			return b.Purchases([]features.CustomerPurchase{bought("c1", "P1", day1, amount)})
		})
	}
	h := histories(t, s, features.HistoryQuery{})[0]
	if len(h.Purchases) != 1 || h.Purchases[0].Amount != 7 {
		t.Errorf("purchases %v, want the last amount only", h.Purchases)
	}
	if p := profile(t, s, "c1", later); len(h.PurchaseSeqs) != 1 || h.PurchaseSeqs[0] != p.Revision {
		t.Errorf("sequence numbers %v, want that of the last import, %d", h.PurchaseSeqs, p.Revision)
	}
}

func partsOfHistories(t *testing.T, s Store) {
	crowd(t, s)
	known(t, s, "x")
	own := features.Cell{CustomerID: "x", View: "bank.own", Name: "n", Value: `"v"`, EventAt: noon(day1)}
	write(t, s, own, tag("x", "a", "1", noon(day1)))
	count := func(q features.HistoryQuery) (customers, cells, purchases, events int) {
		for _, h := range histories(t, s, q) {
			customers++
			cells, purchases, events = cells+len(h.Cells), purchases+len(h.Purchases), events+len(h.Events)
		}
		return customers, cells, purchases, events
	}
	for _, c := range []struct {
		name  string
		query features.HistoryQuery
		want  [4]int
	}{
		{"everything", features.HistoryQuery{}, [4]int{701, 703, 700, 700}},
		{"no purchases", features.HistoryQuery{NoPurchases: true}, [4]int{701, 703, 0, 700}},
		{"no events", features.HistoryQuery{NoEvents: true}, [4]int{701, 703, 700, 0}},
		{"one view", features.HistoryQuery{Views: []features.View{features.TagView}}, [4]int{701, 1, 700, 700}},
		{"two views", features.HistoryQuery{Views: []features.View{"bank.own", features.TagView}, NoEvents: true}, [4]int{701, 2, 700, 0}},
		{"no view", features.HistoryQuery{Views: []features.View{}, NoPurchases: true}, [4]int{701, 0, 0, 700}},
		{"a view of nobody", features.HistoryQuery{Views: []features.View{"nobodys", "no view'\""}, NoPurchases: true, NoEvents: true}, [4]int{701, 0, 0, 0}},
	} {
		customers, cells, bought, done := count(c.query)
		if got := [4]int{customers, cells, bought, done}; got != c.want {
			t.Errorf("%s: %v customers, cells, purchases, events, want %v", c.name, got, c.want)
		}
	}
}

func listedHistories(t *testing.T, s Store) {
	ids := crowd(t, s)
	known(t, s, "b", "a")
	for _, c := range []struct {
		ids  []string
		want string
	}{
		{[]string{"b", "a", "b"}, "a b"},
		{[]string{"b", "nobody", "", "a b", "a\x00", "\xff", `a"`, "c000"}, "b c000"},
		{[]string{"nobody"}, ""},
		{[]string{}, ""},
	} {
		if got := historyIDs(t, s, features.HistoryQuery{CustomerIDs: c.ids}); got != c.want {
			t.Errorf("histories of %q: %s, want %s", c.ids, got, c.want)
		}
	}
	most := slices.Clone(ids[3:])
	slices.Reverse(most)
	wantSame(t, "a long list", strings.Fields(historyIDs(t, s, features.HistoryQuery{CustomerIDs: most})), ids[3:])
	all := histories(t, s, features.HistoryQuery{})
	wantSame(t, "what a list and what a range tells", histories(t, s, features.HistoryQuery{CustomerIDs: append([]string{"b", "a"}, ids...)}), all)
}

func rangeOfHistories(t *testing.T, s Store) {
	known(t, s, "a", "b", "b1", "c", "d")
	for _, c := range []struct {
		query features.HistoryQuery
		want  string
	}{
		{features.HistoryQuery{After: "b"}, "b1 c d"},
		{features.HistoryQuery{Through: "b1"}, "a b b1"},
		{features.HistoryQuery{After: "a", Through: "c"}, "b b1 c"},
		{features.HistoryQuery{After: "a0", Through: "b0"}, "b"},
		{features.HistoryQuery{After: "c", Through: "b"}, ""},
		{features.HistoryQuery{After: "d"}, ""},
		{features.HistoryQuery{After: "a", Through: "c", CustomerIDs: []string{"d", "c", "a"}}, "c"},
	} {
		if got := historyIDs(t, s, c.query); got != c.want {
			t.Errorf("histories of %+v: %q, want %q", c.query, got, c.want)
		}
	}
}

// While a reading is under way somebody writes to whoever comes last, imports another, and
// records an event: none of it may be seen.
func historiesOfOneSnapshot(t *testing.T, s Store) {
	ids := crowd(t, s)
	last := ids[len(ids)-1]
	for i, q := range []features.HistoryQuery{{Through: "d0"}, {CustomerIDs: append([]string{"d1"}, ids...)}} {
		before, seen := profile(t, s, last, later).Revision, 0
		err := s.Histories(t.Context(), q, func(h *features.History) error {
			if seen++; seen == 1 {
				write(t, s, tag(last, fmt.Sprint("a", i), "1", noon(day1)))
				record(t, s, noon(day2), did(fmt.Sprint("late", i), last, "CLICK", noon(day2)))
				known(t, s, fmt.Sprint("d", i))
			}
			if newest := slices.Max(slices.Concat(h.CellSeqs, h.EventSeqs)); newest > before {
				t.Errorf("history of %s has a row of transaction %d, the reading began at %d", h.CustomerID, newest, before)
			}
			return nil
		})
		if err != nil || seen != len(ids) {
			t.Errorf("%d histories, error %v, want %d", seen, err, len(ids))
		}
	}
}

func historiesStop(t *testing.T, s Store) {
	crowd(t, s)
	stop := errors.New("enough")
	for _, after := range []int{1, 300} {
		n := 0
		err := s.Histories(t.Context(), features.HistoryQuery{}, func(*features.History) error {
			if n++; n == after {
				return stop
			}
			return nil
		})
		if err != stop || n != after { //nolint:errorlint // as it is
			t.Errorf("error %v after %d histories, want %v after %d", err, n, stop, after)
		}
	}
	wantStored(t, s)
}

// wantStored reads the whole bank once more: what was given up left nothing locked.
func wantStored(t *testing.T, s Store) {
	t.Helper()
	if n := len(histories(t, s, features.HistoryQuery{NoEvents: true})); n != 700 {
		t.Errorf("%d histories, want 700", n)
	}
	write(t, s, tag("c000", "after", "1", noon(day1)))
}

func historiesCancelled(t *testing.T, s Store) {
	crowd(t, s)
	err := s.Histories(cancelled(t), features.HistoryQuery{}, func(*features.History) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	err = s.Histories(ctx, features.HistoryQuery{}, func(*features.History) error {
		n++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || n == 700 {
		t.Errorf("error %v after %d histories, want %v before the end", err, n, context.Canceled)
	}
	if _, err := s.Heads(cancelled(t), []string{"c000"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v of heads, want %v", err, context.Canceled)
	}
	wantStored(t, s)
}

func historiesOfFailedImport(t *testing.T, s Store) {
	known(t, s, "c1")
	before := histories(t, s, features.HistoryQuery{})
	broken := errors.New("broken")
	_, err := s.Import(t.Context(), noon(day5), func(b features.Batch) error {
		return errors.Join(b.Cells([]features.Cell{tag("c1", "a", "1", noon(day1)), tag("c2", "a", "1", noon(day1))}), broken)
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	wantSame(t, "histories", histories(t, s, features.HistoryQuery{}), before)
}

// historyIsProfile writes at random in every way, and reads each customer as of every
// instant online and from his history.
func historyIsProfile(t *testing.T, s Store) {
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		ids := newCustomers(t, s, run, "a", "b")
		for i := range rapid.IntRange(0, 6).Draw(t, "writes") {
			id := ids[rapid.IntRange(0, 1).Draw(t, "whose")]
			if err := anyWrite(t, s, id, fmt.Sprintf("%d-%d", run, i)); err != nil {
				t.Fatal(err)
			}
		}
		read := 0
		err := s.Histories(context.Background(), features.HistoryQuery{CustomerIDs: ids}, func(h *features.History) error {
			read++
			for _, at := range moments() {
				wantProfileOf(t, s, h, at)
			}
			return nil
		})
		if err != nil || read != len(ids) {
			t.Fatalf("%d histories, error %v", read, err)
		}
	})
}

// anyWrite writes a cell, an event or a purchase of a customer.
func anyWrite(t *rapid.T, s Store, id, unique string) error {
	ctx := context.Background()
	switch rapid.IntRange(0, 3).Draw(t, "what") {
	case 0:
		e := drawEvent(t, "e"+unique, id)
		_, err := s.RecordEvents(ctx, features.EventBatch{Events: []features.Event{e}, RecordedAt: noon(day3)})
		return err
	case 1:
		row := bought(id, rapid.SampledFrom([]string{"P1", "P2"}).Draw(t, "product"), day1+fund.Date(rapid.IntRange(0, 1).Draw(t, "day")),
			fund.Money(rapid.IntRange(1, 3).Draw(t, "amount")))
		_, err := s.Import(ctx, noon(day5), func(b features.Batch) error { return b.Purchases([]features.CustomerPurchase{row}) })
		return err
	}
	_, err := s.Write(ctx, features.Write{CustomerID: id, Cells: []features.Cell{drawCell(t, id)}, RecordedAt: noon(day5)})
	return err
}

func wantProfileOf(t *rapid.T, s Store, h *features.History, at fund.Instant) {
	folded, err := history.AsOf(h, features.AsKnown(at))
	if err != nil {
		t.Fatal(err)
	}
	read, err := s.Profile(context.Background(), h.CustomerID, at)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(fund.AppendProfile(nil, folded), fund.AppendProfile(nil, read)) {
		t.Fatalf("at %s the history folds into another profile than a read gives (-history +read):\n%s", at, cmp.Diff(folded, read))
	}
}

func headsInOrder(t *testing.T, s Store) {
	known(t, s, "a", "b", "c")
	ids := []string{"c", "nobody", "a", "", "a b", "\x00", "\xff", `"`, "c", "b"}
	heads, err := s.Heads(t.Context(), ids)
	if err != nil || len(heads) != len(ids) {
		t.Fatalf("%d heads of %d, error %v", len(heads), len(ids), err)
	}
	for i, id := range ids {
		got := ""
		if heads[i].Profile != nil {
			got = heads[i].Profile.CustomerID
		}
		want := ""
		if id == "a" || id == "b" || id == "c" {
			want = id
		}
		if got != want {
			t.Errorf("heads[%d] is of %q, want %q", i, got, want)
		}
	}
}

func headsAreProfiles(t *testing.T, s Store) {
	ids := crowd(t, s)
	write(t, s, tag(ids[5], "a", "1", noon(day4)))
	record(t, s, noon(day3), did("later", ids[6], "CLICK", noon(day3)))
	heads, err := s.Heads(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range heads {
		if i > 20 && i < len(ids)-20 {
			continue
		}
		wantSame(t, "head of "+ids[i], h.Profile, profile(t, s, ids[i], h.From))
		wantSame(t, "head of "+ids[i]+" later", h.Profile, profile(t, s, ids[i], later))
	}
	if heads[5].From != noon(day4) || heads[6].From != noon(day3) || heads[7].From != noon(day1) {
		t.Errorf("heads from %s, %s and %s, want each from its newest fact on", heads[5].From, heads[6].From, heads[7].From)
	}
}

// One batch of events is of two customers: whoever reads both sees as many of each.
func headsOfOneSnapshot(t *testing.T, s Store) {
	known(t, s, "a", "b")
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := range writesOfEach * 2 {
			at := noon(day1) + fund.Instant(i)
			batch := features.EventBatch{RecordedAt: at, Events: []features.Event{
				did(fmt.Sprint("a", i), "a", "CLICK", at), did(fmt.Sprint("b", i), "b", "CLICK", at),
			}}
			if _, err := s.RecordEvents(t.Context(), batch); err != nil {
				t.Error(err)
			}
		}
	})
	for n := int32(0); n < writesOfEach*2; {
		heads, err := s.Heads(t.Context(), []string{"b", "a"})
		if err != nil {
			t.Error(err)
			break
		}
		n = clicks(heads[0].Profile)
		if other := clicks(heads[1].Profile); other != n {
			t.Errorf("%d clicks of one, %d of the other", n, other)
			break
		}
		if t.Failed() {
			break
		}
	}
	writing.Wait()
}

func clicks(p *fund.Profile) (n int32) {
	for _, y := range p.Trail.Tallies {
		n += y.Count
	}
	return n
}

func tooManyHeads(t *testing.T, s Store) {
	known(t, s, "a")
	ids := slices.Repeat([]string{"a"}, features.MaxHeads)
	heads, err := s.Heads(t.Context(), ids)
	if err != nil || heads[features.MaxHeads-1].Profile == nil {
		t.Errorf("error %v at the limit", err)
	}
	if _, err := s.Heads(t.Context(), append(ids, "b")); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("error %v beyond the limit, want %v", err, features.ErrInvalid)
	}
}
