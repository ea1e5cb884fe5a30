//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func bitemporalPromises() []promise {
	return []promise{
		{"a past is read as it was known at any other instant", asOfAsKnown},
		{"a cell whose known time is not given counts as known at its event time, unless asked otherwise", knownOnly},
		{"a cell of a bank's own view comes back as it was written", ownCells},
		{"null is a value: it hides an older one and is no removal", nullHides},
		{"a removed feature stays with the instant of its removal", removedFeature},
		{"an ended value is not replaced by an older one", endedStays},
		{"a removal is ordered by its event time, a late write does not resurrect", lateWriteAfterRemoval},
		{"what is removed and written in the same microsecond is removed, in either order", removedInTheSameBreath},
		{"of equal event times the later known wins, an unknown known time is lowest", knownDecides},
		{"a correction speaks from when it was known on", correctionFromKnown},
		{"any order of a set of writes gives the same bytes of the head", sameBytesOfHead},
		{"one write of many cells is the same as many of one", oneOrMany},
		{"a clock that goes backwards changes nothing of what is true", clocksGoBackwards},
		{"two writers of one customer end where one would", twoWritersOfOne},
		{"a value that is no canonical JSON is invalid, at its cell", ownValuesChecked},
		{"names of own views and features are identifiers", ownNamesChecked},
		{"own features hold at their limit and one past it", ownFeaturesLimit},
		{"times hold at their bounds", timesBounded},
		{"a write of too many cells is invalid and keeps nothing", tooManyCells},
		{"an import that is cut off in the middle keeps nothing of it", importCutOff},
		{"statuses are read off the profile: the same online and from the history", statusesAgree},
		{"what is settled stays settled while writers come and go", settledStays},
		{"a change appears above where the log ended before it", changesAboveTheEnd},
	}
}

// feature returns a cell of a bank's own view.
func feature(name, value string, at fund.Instant) features.Cell {
	return features.Cell{CustomerID: "c1", View: "own", Name: name, Value: value, EventAt: at}
}

// past folds a customer's history.
func past(t *testing.T, s Store, id string, a features.AsOf) (p *fund.Profile) {
	t.Helper()
	for _, h := range histories(t, s, features.HistoryQuery{CustomerIDs: []string{id}}) {
		var err error
		if p, err = history.AsOf(&h, a); err != nil {
			t.Fatalf("fold %s as of %v: %v", id, a, err)
		}
	}
	return p
}

// valueOf returns what a profile says of own.x: "-" when it says nothing.
func valueOf(p *fund.Profile) string {
	for _, f := range p.Features {
		if f.View == "own" && f.Name == "x" {
			return f.Value
		}
	}
	return "-"
}

// wantOwn checks own.x as of an instant; "-" is nothing, "" removed.
func wantOwn(t *testing.T, s Store, at fund.Instant, want string) {
	t.Helper()
	if got := valueOf(profile(t, s, "c1", at)); got != want {
		t.Errorf("own.x at %s is %q, want %q", at, got, want)
	}
}

func asOfAsKnown(t *testing.T, s Store) {
	known(t, s, "c1")
	for i, c := range []struct{ event, known fund.Date }{{day1, day1}, {day2, day4}, {day1, day3}} {
		cell := feature("x", fmt.Sprint(i), noon(c.event))
		cell.KnownAt = noon(c.known)
		write(t, s, cell)
	}
	for _, c := range []struct {
		at, known fund.Date
		want      string
	}{
		{day1, day1, "0"},
		{day1, day2, "0"},
		{day1, day3, "2"},
		{day1, day5, "2"},
		{day2, day2, "0"},
		{day2, day3, "2"},
		{day2, day4, "1"},
		{day5, day3, "2"},
		{day5, day5, "1"},
	} {
		if got := valueOf(past(t, s, "c1", features.AsOf{At: noon(c.at), Known: noon(c.known)})); got != c.want {
			t.Errorf("as of %s as known on %s: %q, want %q", c.at, c.known, got, c.want)
		}
	}
	if got := valueOf(past(t, s, "c1", features.AsOf{At: noon(day2), Known: fund.Forever})); got != "1" {
		t.Errorf("with all that is known today: %q, want 1", got)
	}
}

func knownOnly(t *testing.T, s Store) {
	known(t, s, "c1")
	write(t, s, feature("x", "1", noon(day2)))
	sure := feature("x", "2", noon(day1))
	sure.KnownAt = noon(day1)
	write(t, s, sure)
	at := features.AsKnown(noon(day2))
	if got := valueOf(past(t, s, "c1", at)); got != "1" {
		t.Errorf("as known: %q, want 1", got)
	}
	at.KnownOnly = true
	if got := valueOf(past(t, s, "c1", at)); got != "2" {
		t.Errorf("with given known times only: %q, want 2", got)
	}
	wantOwn(t, s, noon(day2)-1, "2")
}

func ownCells(t *testing.T, s Store) {
	known(t, s, "c1")
	var cells []features.Cell
	for i, value := range []string{`"基金\"\\"`, "-3", "0.10", "1e3", "true", "false", "null", `["a","b"]`, "[]", `""`} {
		c := feature(fmt.Sprint("f", i), value, noon(day1))
		c.ValidTo, c.Source, c.Purpose, c.KnownAt = noon(day5), "crm", "care", noon(day1)+1
		cells = append(cells, c)
	}
	write(t, s, cells...)
	want := make([]fund.Feature, len(cells))
	for i, c := range cells {
		want[i] = fund.Feature{View: "own", Name: c.Name, Value: c.Value, From: noon(day1), To: noon(day5), Source: "crm", Purpose: "care"}
	}
	wantSame(t, "features", profile(t, s, "c1", later).Features, want)
	h := histories(t, s, features.HistoryQuery{Views: []features.View{"own"}})[0]
	wantSame(t, "cells", h.Cells, cells)
}

func nullHides(t *testing.T, s Store) {
	known(t, s, "c1")
	write(t, s, feature("x", "1", noon(day1)), feature("x", "null", noon(day2)), feature("x", "3", noon(day4)))
	for day, want := range map[fund.Date]string{day1: "1", day2: "null", day3: "null", day4: "3"} {
		wantOwn(t, s, noon(day), want)
	}
}

func removedFeature(t *testing.T, s Store) {
	known(t, s, "c1")
	gone := feature("x", "", noon(day2))
	gone.Tombstone = true
	write(t, s, feature("x", "1", noon(day1)), gone)
	want := []fund.Feature{{View: "own", Name: "x", From: noon(day2), To: fund.Forever}}
	wantSame(t, "features", profile(t, s, "c1", later).Features, want)
	wantOwn(t, s, noon(day2)-1, "1")
}

func endedStays(t *testing.T, s Store) {
	known(t, s, "c1")
	short := feature("x", "2", noon(day2))
	short.ValidTo = noon(day3)
	write(t, s, feature("x", "1", noon(day1)), short)
	p := profile(t, s, "c1", noon(day4))
	if len(p.Features) != 1 || p.Features[0].Value != "2" || p.Features[0].To != noon(day3) {
		t.Errorf("features %+v, want the one that has ended, with its end", p.Features)
	}
}

func lateWriteAfterRemoval(t *testing.T, s Store) {
	known(t, s, "c1")
	gone := feature("x", "", noon(day3))
	gone.Tombstone = true
	write(t, s, gone)
	late := feature("x", "1", noon(day2))
	late.KnownAt = noon(day4)
	write(t, s, late)
	wantOwn(t, s, later, "")
	write(t, s, feature("x", "2", noon(day4)))
	wantOwn(t, s, later, "2")
}

func removedInTheSameBreath(t *testing.T, s Store) {
	known(t, s, "c1", "c2")
	value, gone := feature("x", "9", noon(day1)), feature("x", "", noon(day1))
	gone.Tombstone = true
	write(t, s, value)
	write(t, s, gone)
	wantOwn(t, s, later, "")
	value.CustomerID, gone.CustomerID = "c2", "c2"
	write(t, s, gone)
	write(t, s, value)
	if got := valueOf(profile(t, s, "c2", later)); got != "" {
		t.Errorf("removed before it was written: %q, want removed", got)
	}
	value.SourceSeq = 1 // its writer says that it came after
	write(t, s, value)
	if got := valueOf(profile(t, s, "c2", later)); got != "9" {
		t.Errorf("written after by its writer's own order: %q, want 9", got)
	}
}

func knownDecides(t *testing.T, s Store) {
	known(t, s, "c1")
	at := func(value string, knownAt fund.Instant) features.Cell {
		c := feature("x", value, noon(day1))
		c.KnownAt = knownAt
		return c
	}
	write(t, s, at("1", noon(day3)))
	write(t, s, at("9", 0))
	wantOwn(t, s, later, "1")
	write(t, s, at("8", noon(day2)))
	wantOwn(t, s, later, "1")
	write(t, s, at("0", noon(day4)))
	wantOwn(t, s, later, "0")
}

func correctionFromKnown(t *testing.T, s Store) {
	known(t, s, "c1")
	write(t, s, feature("x", "1", noon(day1)))
	fixed := feature("x", "2", noon(day1))
	fixed.KnownAt = noon(day3)
	write(t, s, fixed)
	wantOwn(t, s, noon(day3)-1, "1")
	wantOwn(t, s, noon(day3), "2")
}

// headBytes returns the canonical bytes of a head without what tells one writing from another.
func headBytes(t *rapid.T, s Store, id string) string {
	heads, err := s.Heads(context.Background(), []string{id})
	if err != nil || heads[0].Profile == nil {
		t.Fatalf("head of %s: %v", id, err)
	}
	p := *heads[0].Profile
	p.CustomerID, p.Revision = "", 0
	return string(fund.AppendProfile(nil, &p)) + heads[0].From.String()
}

func drawOwn(t *rapid.T, id string) features.Cell {
	c := drawCell(t, id)
	if rapid.Bool().Draw(t, "own") {
		c.View, c.Name, c.Value = "own", rapid.SampledFrom([]string{"x", "y"}).Draw(t, "feature"), rapid.SampledFrom([]string{"1", "2", "null"}).Draw(t, "json")
	}
	return c
}

func sameBytesOfHead(t *testing.T, s Store) {
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		ids := newCustomers(t, s, run, "a", "b", "c")
		cells := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) features.Cell { return drawOwn(t, "c") }), 1, 6).Draw(t, "cells")
		var heads []string
		for i, id := range ids {
			order := cells
			if i > 0 {
				order = rapid.Permutation(append(slices.Clone(cells), cells[:i]...)[:len(cells)+min(i, len(cells))]).Draw(t, "order")
			}
			for _, c := range order {
				c.CustomerID = id
				if _, err := s.Write(context.Background(), features.Write{CustomerID: id, Cells: []features.Cell{c}, RecordedAt: noon(day5)}); err != nil {
					t.Fatal(err)
				}
			}
			heads = append(heads, headBytes(t, s, id))
		}
		if heads[0] != heads[1] || heads[0] != heads[2] {
			t.Fatalf("the order of %v shows in the head", cells)
		}
	})
}

func oneOrMany(t *testing.T, s Store) {
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		ids := newCustomers(t, s, run, "one", "many")
		cells := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) features.Cell { return drawOwn(t, "c") }), 1, 5).Draw(t, "cells")
		for i, id := range ids {
			all := slices.Clone(cells)
			for j := range all {
				all[j].CustomerID = id
			}
			for part := range slices.Chunk(all, []int{len(all), 1}[i]) {
				if _, err := s.Write(context.Background(), features.Write{CustomerID: id, Cells: part, RecordedAt: noon(day5)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if headBytes(t, s, ids[0]) != headBytes(t, s, ids[1]) {
			t.Fatalf("%v in one write is another head than one by one", cells)
		}
	})
}

func clocksGoBackwards(t *testing.T, s Store) {
	known(t, s, "c1")
	revision := uint64(0)
	for i, recorded := range []fund.Instant{noon(day5), noon(day3), noon(day4), noon(day3) - hour} {
		c := feature("x", fmt.Sprint(i), noon(day1)+fund.Instant(i))
		r, err := s.Write(t.Context(), features.Write{CustomerID: "c1", Cells: []features.Cell{c}, RecordedAt: recorded})
		if err != nil || !r.Changed || r.Revision <= revision {
			t.Fatalf("write %d, recorded at %s: %+v, %v, want a revision above %d", i, recorded, r, err, revision)
		}
		revision = r.Revision
		wantOwn(t, s, later, fmt.Sprint(i))
	}
	log := changes(t, s)
	for i := 1; i < len(log); i++ {
		if log[i].Position.Compare(log[i-1].Position) <= 0 {
			t.Errorf("change %v after %v", log[i].Position, log[i-1].Position)
		}
	}
	record(t, s, noon(day5), did("e1", "c1", "CLICK", noon(day2)))
	record(t, s, noon(day4), did("e2", "c1", "CLICK", noon(day1)))
	if got := eventIDs(t, s, "c1", later); got != "e2 e1" {
		t.Errorf("events %s, want them by their own time", got)
	}
}

func twoWritersOfOne(t *testing.T, s Store) {
	known(t, s, "c1", "c2")
	var all [2][]features.Cell
	for w := range all {
		for i := range writesOfEach {
			c := feature([]string{"x", "y"}[i%2], fmt.Sprint(w*100+i), noon(day1)+fund.Instant(i/4))
			c.Tombstone = i%7 == 3
			if c.Tombstone {
				c.Value = ""
			}
			all[w] = append(all[w], c)
		}
	}
	var writing sync.WaitGroup
	for _, cells := range all {
		writing.Go(func() {
			for _, c := range cells {
				if _, err := s.Write(t.Context(), features.Write{CustomerID: "c1", Cells: []features.Cell{c}, RecordedAt: noon(day5)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	alone := slices.Concat(all[1], all[0])
	for i := range alone {
		alone[i].CustomerID = "c2"
	}
	write(t, s, alone...)
	wantSame(t, "features", profile(t, s, "c1", later).Features, profile(t, s, "c2", later).Features)
}

// wantInvalid writes what no store may keep.
func wantInvalid(t *testing.T, s Store, name string, cells ...features.Cell) {
	t.Helper()
	_, err := s.Write(t.Context(), features.Write{CustomerID: "c1", Cells: cells, RecordedAt: noon(day5)})
	if !errors.Is(err, features.ErrInvalid) {
		t.Errorf("%s: %v, want ErrInvalid", name, err)
	}
	_, err = s.Import(t.Context(), noon(day5), func(b features.Batch) error { return b.Cells(cells) })
	if !errors.Is(err, features.ErrInvalid) {
		t.Errorf("%s, imported: %v, want ErrInvalid", name, err)
	}
}

func ownValuesChecked(t *testing.T, s Store) {
	known(t, s, "c1")
	before := profile(t, s, "c1", later)
	for _, value := range []string{"", "x", "{}", "[1]", "[[]]", `[null]`, "1 2", " 1", "1 ", `"a`, "NaN", "01", "+1", "tru", `["a", "b"]`, "\"\x00\""} {
		wantInvalid(t, s, fmt.Sprintf("value %q", value), feature("y", "1", noon(day1)), feature("x", value, noon(day1)))
	}
	wantSame(t, "profile", profile(t, s, "c1", later), before)
}

func ownNamesChecked(t *testing.T, s Store) {
	known(t, s, "c1")
	for _, name := range []string{"", "a b", "-a", "名", "a/b", "a\x00", fmt.Sprintf("%065d", 1)} {
		wantInvalid(t, s, fmt.Sprintf("feature %q", name), feature(name, "1", noon(day1)))
		c := feature("x", "1", noon(day1))
		c.View = features.View(name)
		wantInvalid(t, s, fmt.Sprintf("view %q", name), c)
	}
	write(t, s, feature(fmt.Sprintf("%064d", 1), "1", noon(day1)))
}

func ownFeaturesLimit(t *testing.T, s Store) {
	known(t, s, "c1")
	cells := make([]features.Cell, fund.MaxFeatures)
	for i := range cells {
		cells[i] = feature(fmt.Sprintf("f%03d", i), "1", noon(day1))
	}
	write(t, s, cells...)
	wantInvalid(t, s, "one more", feature("x", "1", noon(day1)))
	if n := len(profile(t, s, "c1", later).Features); n != fund.MaxFeatures {
		t.Errorf("%d features, want %d", n, fund.MaxFeatures)
	}
}

func timesBounded(t *testing.T, s Store) {
	known(t, s, "c1")
	for name, edit := range map[string]func(*features.Cell){
		"event for ever":           func(c *features.Cell) { c.EventAt = fund.Forever },
		"known for ever":           func(c *features.Cell) { c.KnownAt = fund.Forever },
		"event before 1970":        func(c *features.Cell) { c.EventAt = -1 },
		"known before 1970":        func(c *features.Cell) { c.KnownAt = -1 },
		"an end before 1970":       func(c *features.Cell) { c.ValidTo = -1 },
		"an end at its start":      func(c *features.Cell) { c.ValidTo = c.EventAt },
		"an end before its start":  func(c *features.Cell) { c.ValidTo = c.EventAt - 1 },
		"an end of what is always": func(c *features.Cell) { c.EventAt, c.ValidTo = 0, -1 },
	} {
		c := feature("x", "1", noon(day1))
		edit(&c)
		wantInvalid(t, s, name, c)
	}
	first := feature("x", "1", 1)
	first.KnownAt, first.ValidTo = 1, 2
	write(t, s, first)
	wantOwn(t, s, 1, "1")
	wantOwn(t, s, 0, "-")
}

func tooManyCells(t *testing.T, s Store) {
	known(t, s, "c1")
	cells := slices.Repeat([]features.Cell{feature("x", "1", noon(day1))}, features.MaxCellsPerWrite+1)
	_, err := s.Write(t.Context(), features.Write{CustomerID: "c1", Cells: cells, RecordedAt: noon(day5)})
	if !errors.Is(err, features.ErrInvalid) {
		t.Errorf("%d cells: %v, want ErrInvalid", len(cells), err)
	}
	wantOwn(t, s, later, "-")
	if r := write(t, s, cells[1:]...); !r.Changed {
		t.Errorf("%+v at the limit, want a change", r)
	}
}

func importCutOff(t *testing.T, s Store) {
	known(t, s, "c1")
	before := state(t, s)
	ctx, cut := context.WithCancel(t.Context())
	defer cut()
	_, err := s.Import(ctx, noon(day5), func(b features.Batch) error {
		for i := range 50 {
			if err := b.Cells([]features.Cell{feature("x", fmt.Sprint(i), noon(day1)+fund.Instant(i)), person(fmt.Sprint("n", i), "segment", "x")}); err != nil {
				return err
			}
			if i == 30 {
				cut()
			}
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an import whose caller went away: %v, want %v", err, context.Canceled)
	}
	wantSame(t, "state", state(t, s), before)
	loadCells(t, s, feature("x", "1", noon(day1)))
	wantOwn(t, s, later, "1")
}

func statusesAgree(t *testing.T, s Store) {
	catalogue, err := view.Extend(nil, []view.View{{
		Definition: view.Definition{Name: "own", Owner: "test", Version: "1"}, Span: view.Span{MaxAge: 36 * 3_600_000_000_000},
		Features: []view.Feature{{Name: "x", Type: view.Int}, {Name: "y", Type: view.Int}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := catalogue.PlanViews([]string{"own"})
	if err != nil {
		t.Fatal(err)
	}
	known(t, s, "c1")
	ends := feature("x", "2", noon(day2))
	ends.ValidTo = noon(day3)
	write(t, s, feature("x", "1", noon(day1)), ends, feature("x", "null", noon(day4)), feature("y", "7", noon(day1)))
	want := map[fund.Instant]string{
		noon(day1) - 1:           "NOT_FOUND NOT_FOUND",
		noon(day1):               "PRESENT PRESENT",
		noon(day2):               "PRESENT PRESENT",
		noon(day2) + 12*hour:     "PRESENT PRESENT",
		noon(day2) + 12*hour + 1: "PRESENT OUTSIDE_MAX_AGE",
		noon(day3):               "EXPIRED OUTSIDE_MAX_AGE",
		noon(day4):               "NULL_VALUE OUTSIDE_MAX_AGE",
		later:                    "OUTSIDE_MAX_AGE OUTSIDE_MAX_AGE",
	}
	for at, statuses := range want {
		for how, p := range map[string]*fund.Profile{"online": profile(t, s, "c1", at), "from the history": past(t, s, "c1", features.AsKnown(at))} {
			cells := plan.Read(p, &view.Request{At: at}, nil)
			if got := cells[0].Status.String() + " " + cells[1].Status.String(); got != statuses {
				t.Errorf("%s at %s: %s, want %s", how, at, got, statuses)
			}
		}
	}
}

func settledStays(t *testing.T, s Store) {
	ids := make([]string, writers)
	for i := range ids {
		ids[i] = fmt.Sprint("c", i)
	}
	known(t, s, ids...)
	var writing sync.WaitGroup
	for _, id := range ids {
		writing.Go(func() {
			for i := range writesOfEach {
				c := tag(id, "a", fmt.Sprint(i), noon(day1)+fund.Instant(i))
				if _, err := s.Write(t.Context(), features.Write{CustomerID: id, Cells: []features.Cell{c}, RecordedAt: noon(day5)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	// What a page says is settled is compared with the whole log, when all is written.
	var pages []features.ChangePage
	for range 20 {
		page, err := s.Changes(t.Context(), features.Position{}, 1_000)
		if err != nil {
			t.Error(err)
			break
		}
		pages = append(pages, page)
	}
	writing.Wait()
	log := changes(t, s)
	for _, page := range pages {
		below := func(cs []features.Change) []features.Change {
			return slices.DeleteFunc(slices.Clone(cs), func(c features.Change) bool { return c.Position.Compare(page.Settled) > 0 })
		}
		wantSame(t, "the log up to what was settled", below(log), below(page.Changes))
	}
}

func changesAboveTheEnd(t *testing.T, s Store) {
	known(t, s, "c1")
	for i := range 5 {
		end, err := s.ChangesEnd(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, tag("c1", "a", fmt.Sprint(i), noon(day1)+fund.Instant(i)))
		page, err := s.Changes(t.Context(), end, 10)
		if err != nil || len(page.Changes) == 0 || page.Changes[len(page.Changes)-1].CustomerID != "c1" {
			t.Errorf("after %v: %v, %v, want the change that came after", end, page.Changes, err)
		}
	}
	if _, err := s.Changes(t.Context(), features.Position{}, 0); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("a page of nothing: %v, want ErrInvalid", err)
	}
}
