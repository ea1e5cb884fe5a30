//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func writePromises() []promise {
	return []promise{
		{"a guard decides within the transaction, and is not asked about a replay", guardedWrites},
		{"of writes that come together each guard sees the one before", guardsInTurn},
		{"a write to a customer who was never imported is not found", writeToUnknown},
		{"a write is seen by the next read", writeIsSeen},
		{"writing what is there changes nothing and returns the revision that stands", rewriteChangesNothing},
		{"cells that differ in one field are two cells", everyFieldCounts},
		{"a write without cells changes nothing", emptyWrite},
		{"a value that no store may keep is invalid and changes nothing", invalidWrites},
		{"one of several cells that is invalid keeps all of them out", allCellsOrNone},
		{"the limits of a profile hold at the limit and one past it", profileLimits},
		{"a repeated key gives the first receipt and does nothing", idempotentReplay},
		{"a key with another body is refused", idempotencyConflict},
		{"a key belongs to its scope", idempotencyScope},
		{"a key is forgotten after 24 hours and not before", idempotencyLife},
		{"a refused write leaves its key free", refusedWriteFreesKey},
		{"the change log names each changed customer once for a transaction", changeLog},
		{"the change log is read page by page without a gap", changePages},
	}
}

func writeToUnknown(t *testing.T, s Store) {
	known(t, s, "c1")
	_, err := s.Write(t.Context(), features.Write{CustomerID: "c2", Cells: []features.Cell{tag("c2", "a", "1", 1)}, RecordedAt: noon(day5)})
	if !errors.Is(err, features.ErrNotFound) || !strings.Contains(err.Error(), "c2") {
		t.Errorf("write: %v, want ErrNotFound that names c2", err)
	}
	if _, err := s.Profile(t.Context(), "c2", later); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("profile afterwards: %v, want ErrNotFound", err)
	}
}

func writeIsSeen(t *testing.T, s Store) {
	known(t, s, "c1")
	for i := range 20 {
		value := fmt.Sprint(i)
		r := write(t, s, tag("c1", "a", value, noon(day1)+fund.Instant(i)))
		wantTag(t, s, "c1", "a", later, value)
		if p := profile(t, s, "c1", later); !r.Changed || r.Replayed || p.Revision != r.Revision {
			t.Fatalf("receipt %+v, profile of revision %d", r, p.Revision)
		}
	}
}

func rewriteChangesNothing(t *testing.T, s Store) {
	known(t, s, "c1")
	cells := []features.Cell{tag("c1", "a", "1", noon(day1)), tag("c1", "b", "2", noon(day1))}
	first := write(t, s, cells...)
	before := changes(t, s)
	for range 2 {
		if r := write(t, s, cells...); r.Changed || r.Revision != first.Revision {
			t.Errorf("receipt %+v, want revision %d unchanged", r, first.Revision)
		}
	}
	wantSame(t, "changes", changes(t, s), before)
	if r := write(t, s, append(cells, tag("c1", "c", "3", noon(day1)))...); !r.Changed || r.Revision <= first.Revision {
		t.Errorf("receipt %+v of one new cell among old ones, want a change", r)
	}
}

func everyFieldCounts(t *testing.T, s Store) {
	known(t, s, "c1")
	base := tag("c1", "a", "1", noon(day1))
	base.KnownAt, base.ValidTo, base.Source, base.Purpose, base.SourceSeq = noon(day1)+1, noon(day3), "s", "p", 1
	write(t, s, base)
	for name, change := range map[string]func(*features.Cell){
		"view":     func(c *features.Cell) { c.View = features.AttributeView },
		"name":     func(c *features.Cell) { c.Name = "b" },
		"value":    func(c *features.Cell) { c.Value = "2" },
		"event":    func(c *features.Cell) { c.EventAt-- },
		"known":    func(c *features.Cell) { c.KnownAt-- },
		"validity": func(c *features.Cell) { c.ValidTo-- },
		"gone":     func(c *features.Cell) { c.Tombstone = true },
		"source":   func(c *features.Cell) { c.Source = "sp" },
		"purpose":  func(c *features.Cell) { c.Purpose = "" },
		"sequence": func(c *features.Cell) { c.SourceSeq++ },
	} {
		c := base
		change(&c)
		if r := write(t, s, c); !r.Changed {
			t.Errorf("another %s was taken for the same cell", name)
		}
		if r := write(t, s, c); r.Changed {
			t.Errorf("the cell of another %s was written twice", name)
		}
	}
}

func emptyWrite(t *testing.T, s Store) {
	known(t, s, "c1")
	before := profile(t, s, "c1", later).Revision
	r, err := s.Write(t.Context(), features.Write{CustomerID: "c1", RecordedAt: noon(day5)})
	if err != nil || r.Changed || r.Revision != before {
		t.Errorf("receipt %+v, %v, want revision %d unchanged", r, err, before)
	}
}

func invalidWrites(t *testing.T, s Store) {
	known(t, s, "c1")
	before := profile(t, s, "c1", later)
	edit := func(change func(*features.Cell)) features.Cell {
		c := tag("c1", "a", "1", noon(day1))
		change(&c)
		return c
	}
	for name, c := range map[string]features.Cell{
		"another customer":             edit(func(c *features.Cell) { c.CustomerID = "c2" }),
		"no name":                      edit(func(c *features.Cell) { c.Name = "" }),
		"a view that is no identifier": edit(func(c *features.Cell) { c.View = "no view" }),
		"an unknown column":            edit(func(c *features.Cell) { c.View = features.PersonView }),
		"a level C6": edit(func(c *features.Cell) {
			c.View, c.Name, c.Value = features.AssessmentView, features.PredictedName, "C6"
		}),
		"a level of no JSON":  edit(func(c *features.Cell) { c.View, c.Name, c.Value = features.AssessmentView, features.AssessedName, "C3" }),
		"negative money":      edit(func(c *features.Cell) { c.View, c.Name, c.Value = features.PersonView, "aum_fen", "-1" }),
		"an unknown goal":     edit(func(c *features.Cell) { c.View, c.Name, c.Value = features.NeedsView, features.GoalsName, "RICHES" }),
		"a lot of no date":    edit(func(c *features.Cell) { c.View, c.Value = features.LotView, `{"acquired_on":"2020-02-30"}` }),
		"a long value":        edit(func(c *features.Cell) { c.Value = strings.Repeat("金", fund.MaxTextLength+1) }),
		"a NUL":               edit(func(c *features.Cell) { c.Value = "a\x00b" }),
		"broken UTF-8":        edit(func(c *features.Cell) { c.Value = "\xff" }),
		"a time before 1970":  edit(func(c *features.Cell) { c.EventAt = -1 }),
		"known before 1970":   edit(func(c *features.Cell) { c.KnownAt = -1 }),
		"valid to its start":  edit(func(c *features.Cell) { c.ValidTo = c.EventAt }),
		"valid for ever back": edit(func(c *features.Cell) { c.ValidTo = 1 }),
	} {
		_, err := s.Write(t.Context(), features.Write{CustomerID: "c1", Cells: []features.Cell{c}, RecordedAt: noon(day5)})
		if !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	if _, err := s.Write(t.Context(), features.Write{CustomerID: "c1"}); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("a write without its time: %v, want ErrInvalid", err)
	}
	wantSame(t, "profile after invalid writes", profile(t, s, "c1", later), before)
}

func allCellsOrNone(t *testing.T, s Store) {
	known(t, s, "c1")
	bad := tag("c1", "b", "1", noon(day1))
	bad.View = "no view"
	cells := []features.Cell{tag("c1", "a", "1", noon(day1)), bad}
	if _, err := s.Write(t.Context(), features.Write{CustomerID: "c1", Cells: cells, RecordedAt: noon(day5)}); !errors.Is(err, features.ErrInvalid) {
		t.Fatalf("write: %v, want ErrInvalid", err)
	}
	wantTag(t, s, "c1", "a", later, "")
}

func profileLimits(t *testing.T, s Store) {
	known(t, s, "c1")
	var cells []features.Cell
	for i := range fund.MaxTags {
		cells = append(cells, tag("c1", fmt.Sprintf("t%03d", i), strings.Repeat("金", fund.MaxTextLength), noon(day1)))
	}
	write(t, s, cells...)
	over := features.Write{CustomerID: "c1", Cells: []features.Cell{tag("c1", "one more", "1", noon(day1))}, RecordedAt: noon(day5)}
	if _, err := s.Write(t.Context(), over); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("tag %d: %v, want ErrInvalid", fund.MaxTags+1, err)
	}
	if n := len(profile(t, s, "c1", later).Tags); n != fund.MaxTags {
		t.Errorf("%d tags, want %d", n, fund.MaxTags)
	}
	gone := cells[0]
	gone.Tombstone, gone.Value, gone.EventAt = true, "", noon(day2)
	write(t, s, gone, over.Cells[0])
}

// keyed returns a write under the idempotency key k.
func keyed(scope string, body byte, at fund.Instant, cells ...features.Cell) features.Write {
	return features.Write{
		CustomerID: "c1", Cells: cells, RecordedAt: at,
		Idempotency: features.Idempotency{Scope: scope, Key: "k", BodyHash: [32]byte{body}},
	}
}

func idempotentReplay(t *testing.T, s Store) {
	known(t, s, "c1")
	w := keyed("PUT tags", 1, noon(day1), tag("c1", "a", "1", noon(day1)))
	first, err := s.Write(t.Context(), w)
	if err != nil || !first.Changed || first.Replayed {
		t.Fatalf("first receipt %+v, %v", first, err)
	}
	write(t, s, tag("c1", "b", "2", noon(day1)))
	before := changes(t, s)
	w.RecordedAt += hour
	again, err := s.Write(t.Context(), w)
	want := features.Receipt{Revision: first.Revision, Changed: true, Replayed: true}
	if err != nil || again != want {
		t.Errorf("second receipt %+v, %v, want %+v", again, err, want)
	}
	wantSame(t, "changes", changes(t, s), before)
}

func idempotencyConflict(t *testing.T, s Store) {
	known(t, s, "c1")
	if _, err := s.Write(t.Context(), keyed("x", 1, noon(day1), tag("c1", "a", "1", noon(day1)))); err != nil {
		t.Fatal(err)
	}
	_, err := s.Write(t.Context(), keyed("x", 2, noon(day1), tag("c1", "a", "2", noon(day2))))
	if !errors.Is(err, features.ErrIdempotencyReused) {
		t.Errorf("error %v, want ErrIdempotencyReused", err)
	}
	wantTag(t, s, "c1", "a", later, "1")
}

func idempotencyScope(t *testing.T, s Store) {
	known(t, s, "c1")
	for i, scope := range []string{"x", "y", "x\x1fk"} {
		w := keyed(scope, byte(i), noon(day1), tag("c1", "a", fmt.Sprint(i), noon(day1)+fund.Instant(i)))
		if r, err := s.Write(t.Context(), w); err != nil || !r.Changed || r.Replayed {
			t.Errorf("scope %q: %+v, %v, want a change", scope, r, err)
		}
	}
}

func idempotencyLife(t *testing.T, s Store) {
	known(t, s, "c1")
	w := keyed("x", 1, noon(day1), tag("c1", "a", "1", noon(day1)))
	if _, err := s.Write(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	end := noon(day1).Add(features.IdempotencyLife * time.Hour)
	other := keyed("x", 2, end-1, tag("c1", "a", "2", noon(day2)))
	if _, err := s.Write(t.Context(), other); !errors.Is(err, features.ErrIdempotencyReused) {
		t.Errorf("just before the end: %v, want ErrIdempotencyReused", err)
	}
	other.RecordedAt = end
	if r, err := s.Write(t.Context(), other); err != nil || r.Replayed || !r.Changed {
		t.Errorf("at the end: %+v, %v, want a new write", r, err)
	}
	other.RecordedAt = end + 1
	if r, err := s.Write(t.Context(), other); err != nil || !r.Replayed {
		t.Errorf("the new record: %+v, %v, want a replay", r, err)
	}
}

func refusedWriteFreesKey(t *testing.T, s Store) {
	w := keyed("x", 1, noon(day1), tag("c1", "a", "1", noon(day1)))
	if _, err := s.Write(t.Context(), w); !errors.Is(err, features.ErrNotFound) {
		t.Fatalf("write: %v, want ErrNotFound", err)
	}
	known(t, s, "c1")
	if r, err := s.Write(t.Context(), w); err != nil || r.Replayed || !r.Changed {
		t.Errorf("write afterwards: %+v, %v, want a change", r, err)
	}
}

func changeLog(t *testing.T, s Store) {
	if got := changes(t, s); len(got) != 0 {
		t.Fatalf("an empty store has changes: %v", got)
	}
	loadCells(t, s, person("c2", "segment", "x"), person("c1", "segment", "x"), person("c2", "industry", "x"))
	write(t, s, tag("c2", "a", "1", noon(day1)))
	write(t, s, tag("c2", "a", "1", noon(day1)))
	log := changes(t, s)
	var named string
	for i, c := range log {
		named += c.CustomerID
		if i > 0 && c.Position.Compare(log[i-1].Position) <= 0 {
			t.Errorf("change %d has position %v after %v", i, c.Position, log[i-1].Position)
		}
	}
	if named != "c1c2c2" && named != "c2c1c2" {
		t.Errorf("changed customers %q, want c1 and c2 in any order, then c2", named)
	}
}

func changePages(t *testing.T, s Store) {
	var cells []features.Cell
	for i := range 1000 {
		cells = append(cells, person(fmt.Sprintf("c%04d", i), "segment", "x"))
	}
	loadCells(t, s, cells...)
	seen, after := map[string]bool{}, features.Position{}
	for {
		page, err := s.Changes(t.Context(), after, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Changes) == 0 {
			break
		}
		if len(page.Changes) > 7 {
			t.Fatalf("a page of %d, want at most 7", len(page.Changes))
		}
		for _, c := range page.Changes {
			if c.Position.Compare(after) <= 0 || seen[c.CustomerID] {
				t.Fatalf("change %+v comes after %v, seen before: %v", c, after, seen[c.CustomerID])
			}
			after, seen[c.CustomerID] = c.Position, true
		}
	}
	if len(seen) != 1000 {
		t.Errorf("%d customers in the log, want 1000", len(seen))
	}
}

func guardedWrites(t *testing.T, s Store) {
	known(t, s, "c1")
	write(t, s, tag("c1", "a", "1", noon(day1)))
	refused := errors.New("refused")
	asked := 0
	w := features.Write{
		CustomerID: "c1", Cells: []features.Cell{tag("c1", "b", "2", noon(day2))}, RecordedAt: noon(day5),
		Idempotency: features.Idempotency{Scope: "s", Key: "k"},
		Guard: func(before *fund.Profile) error {
			asked++
			wantSame(t, "tags before", len(before.Tags), 1)
			return refused
		},
	}
	if _, err := s.Write(t.Context(), w); err != refused { //nolint:errorlint // as it is
		t.Errorf("%v, want the guard's error as it is", err)
	}
	wantTag(t, s, "c1", "b", later, "")
	refused = nil
	if r, err := s.Write(t.Context(), w); err != nil || r.Replayed || !r.Changed {
		t.Errorf("allowed under the key that was left free: %+v, %v", r, err)
	}
	if r, err := s.Write(t.Context(), w); err != nil || !r.Replayed || asked != 2 {
		t.Errorf("replayed: %+v, %v, asked %d times, want 2", r, err, asked)
	}
	w.CustomerID, w.Cells, w.Idempotency.Key = "c9", nil, ""
	if _, err := s.Write(t.Context(), w); !errors.Is(err, features.ErrNotFound) || asked != 2 {
		t.Errorf("of nobody: %v, asked %d times", err, asked)
	}
}

func guardsInTurn(t *testing.T, s Store) {
	known(t, s, "c1")
	var writers sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		writers.Go(func() {
			_, errs[i] = s.Write(t.Context(), features.Write{
				CustomerID: "c1", Cells: []features.Cell{tag("c1", fmt.Sprint(i), "1", noon(day1))}, RecordedAt: noon(day5),
				Guard: func(before *fund.Profile) error {
					if len(before.Tags) > 0 {
						return errors.New("one is enough")
					}
					return nil
				},
			})
		})
	}
	writers.Wait()
	written := 0
	for _, err := range errs {
		if err == nil {
			written++
		}
	}
	if written != 1 || len(profile(t, s, "c1", later).Tags) != 1 {
		t.Errorf("%d of %d were written, want one: %v", written, len(errs), errs)
	}
}
