package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Of files that belong together none takes its place before all are written, and a failure leaves what was there.
func TestFilesThatBelongTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := filepath.Join(dir, "a.json"), filepath.Join(dir, "a.run.json")
	if err := writeFiles(bytesTo(first, []byte("old")), bytesTo(second, []byte("old too"))); err != nil {
		t.Fatal(err)
	}
	full := errors.New("the disk is full")
	err := writeFiles(bytesTo(second, []byte("new too")), output{first, func(w io.Writer) error {
		if _, err := w.Write([]byte("new")); err != nil {
			return err
		}
		return full
	}})
	if !errors.Is(err, full) || readFile(t, first) != "old" || readFile(t, second) != "old too" {
		t.Errorf("%v, and %s beside %s", err, readFile(t, first), readFile(t, second))
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%v is left, %v", entries, err)
	}
	if err := writeFiles(bytesTo(first, []byte("new")), bytesTo(second, []byte("new too"))); err != nil || readFile(t, first) != "new" || readFile(t, second) != "new too" {
		t.Errorf("%v, and %s beside %s", err, readFile(t, first), readFile(t, second))
	}
}

// A file is not written twice, whatever it is called: a checkpoint in the place of the result would be removed with it.
func TestOutputsAreDistinct(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := errors.Join(os.WriteFile("there.json", nil, 0o600), os.Link("there.json", "linked.json")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		a, b     string
		distinct bool
	}{
		{"a.json", "b.json", true},
		{"-", "-", true},
		{"", "", true},
		{"a.json", "a.json", false},
		{"a.json", "./a.json", false},
		{filepath.Join(dir, "a.json"), "a.json", false},
		{"there.json", "linked.json", false},
	} {
		if err := distinctOutputs(c.a, c.b); (err == nil) != c.distinct {
			t.Errorf("%q and %q: %v", c.a, c.b, err)
		}
	}
}
