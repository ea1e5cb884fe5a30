package policylog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// uniqueOf adds blocks of decisions, files in any order.
func uniqueOf(u *Unique, files [][]string, order []int) error {
	names := make([]File, len(files))
	for i := range files {
		names[i].Name = "f" + strconv.Itoa(i)
	}
	for _, i := range order {
		b := &Block{File: i}
		for j, id := range files[i] {
			b.Decisions = append(b.Decisions, Decision{ID: []byte(id), Row: int64(10*j + 1)})
		}
		if err := u.Add(b); err != nil {
			return err
		}
	}
	return u.Check(names)
}

// TestUniqueTellsTheFirst finds what comes back first, whatever the order of the blocks.
func TestUniqueTellsTheFirst(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		files := rapid.SliceOfN(rapid.SliceOf(rapid.StringMatching("[a-f][0-9]")), 1, 4).Draw(t, "files")
		order := rapid.Permutation([]int{0, 1, 2, 3}[:len(files)]).Draw(t, "order")
		type place struct {
			file string
			row  int64
		}
		seen := map[string]place{}
		var want *RepeatedError
		for i, ids := range files {
			for j, id := range ids {
				here := place{"f" + strconv.Itoa(i), int64(10*j + 1)}
				first, again := seen[id]
				if again && want == nil {
					want = &RepeatedError{File: here.file, Row: here.row, First: first.file, FirstRow: first.row}
				}
				if !again {
					seen[id] = here
				}
			}
		}
		u := newUnique(dir, rapid.IntRange(0, 500).Draw(t, "memory"))
		err := uniqueOf(u, files, order)
		var got *RepeatedError
		if errors.As(err, &got) != (want != nil) || want != nil && *got != *want {
			t.Fatalf("got %v, want %v", err, want)
		}
		if err := u.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestUniqueSpills finds one of more decisions than it holds, and leaves nothing in its folder.
func TestUniqueSpills(t *testing.T) {
	dir := t.TempDir()
	u := newUnique(dir, 100<<10)
	const n = 100_000
	b := &Block{}
	for i := range n {
		b.Decisions = append(b.Decisions, Decision{ID: []byte("d" + strconv.Itoa(i)), Row: int64(i + 1)})
	}
	b.Decisions[n-3].ID = b.Decisions[7].ID
	if err := u.Add(b); err != nil {
		t.Fatal(err)
	}
	const want = "a.csv: row 99998, decision_id: also in a.csv, row 8, expected the rows of a decision together"
	if err := u.Check([]File{{Name: "a.csv"}}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
	if err := u.Close(); err != nil {
		t.Error(err)
	}
}

// TestUniqueOfLogs counts rows as every format does, bad ones too.
func TestUniqueOfLogs(t *testing.T) {
	rows := seededRows(900, 9)
	again := slices.IndexFunc(rows[700:], func(r Row) bool { return r.Position == 1 }) + 700
	first := slices.IndexFunc(rows[300:], func(r Row) bool { return r.Position == 1 }) + 300
	old := rows[again].DecisionID
	for i := again; i < len(rows) && rows[i].DecisionID == old; i++ {
		rows[i].DecisionID = rows[first].DecisionID
	}
	rows[100].Propensity, rows[500].Propensity = -1, -1
	for _, f := range formats() {
		o := readAll()
		o.blockRows, o.SkipBad = 200, true
		path := unchecked(t, f, rows)
		blocks, err := readBlocks(t, path, o, 2, Position{})
		if err != nil {
			t.Fatal(err)
		}
		u := NewUnique(t.TempDir())
		slices.Reverse(blocks)
		for _, b := range blocks {
			if err := u.Add(b); err != nil {
				t.Fatal(err)
			}
		}
		var got *RepeatedError
		err = u.Check([]File{{Name: path}})
		if !errors.As(err, &got) || got.Row != int64(again)+1 || got.FirstRow != int64(first)+1 || got.File != path || got.First != path {
			t.Errorf("%v: %v, want rows %d and %d", f, err, again+1, first+1)
		}
		if err := u.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A decision that comes back is told by its id, which is read again from its file.
func TestUniqueNamesTheDecision(t *testing.T) {
	dir := t.TempDir()
	const head = "decision_id,customer_id,decided_at,position,product_code,reward,propensity\n"
	row := func(id string) string { return id + ",C,2026-01-01T00:00:00Z,1,P,1,.5\n" }
	a, b := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv")
	for name, text := range map[string]string{a: head + row("d1") + row("d2"), b: head + row("d3") + row("d2") + row("d1")} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log, err := Open([]string{a, b}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	repeated := &RepeatedError{File: b, Row: 2, First: a, FirstRow: 2}
	want := b + `: row 2, decision_id: "d2", also in ` + a + ", row 2, expected the rows of a decision together"
	if err := log.Named(t.Context(), fmt.Errorf("check: %w", repeated)); err.Error() != want {
		t.Errorf("told as %v, expected %s", err, want)
	}
	other := errors.New("disk")
	elsewhere := &RepeatedError{File: "-", Row: 2, First: a, FirstRow: 2}
	for _, err := range []error{nil, other, elsewhere} {
		if got := log.Named(t.Context(), err); !errors.Is(got, err) {
			t.Errorf("%v became %v", err, got)
		}
	}
}
