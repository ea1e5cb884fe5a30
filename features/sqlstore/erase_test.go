package sqlstore_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// eraserEnv makes the test binary erase in a store again and again until it is killed.
const eraserEnv = "SQLSTORE_TEST_ERASER"

// secret is a value that must not be in any file after the erasure.
const secret = "SECRET-VALUE-OF-A-CUSTOMER"

// secretFacts brings facts of every kind with the secret in them.
func secretFacts(b features.Batch, id string) error {
	var cells []features.Cell
	for i := range 40 { // several pages, and a value that needs pages of its own
		cells = append(cells, features.Cell{CustomerID: id, View: features.TagView, Name: fmt.Sprint("t", i), Value: secret + "-" + id, EventAt: 1, Source: secret})
	}
	long := "[" + strings.Repeat(" ", 50_000) + `{"product_code":"P1","shares":1,"acquired_on":"2020-01-01","account":"` + secret + `"}]`
	cells = append(cells, features.Cell{CustomerID: id, View: features.HoldingsView, Name: features.SnapshotName, Value: long, EventAt: 1})
	event := features.Event{ID: "e-" + id, CustomerID: id, Kind: "CLICK", EventAt: 1, Channel: secret}
	return errors.Join(b.Cells(cells), b.Events([]features.Event{event}), b.Purchases([]features.CustomerPurchase{{
		CustomerID: id, Purchase: fund.Purchase{ProductCode: "P1", KnownOn: 20200101, Kind: "BUY", Amount: 77},
	}}))
}

func forget(id string) features.Erasure {
	return features.Erasure{CustomerID: id, At: recorded, By: "test", Salt: [32]byte{1}, Pseudonym: [16]byte{1, byte(len(id)), id[len(id)-1], id[len(id)-2]}}
}

// holding returns the files of a folder that hold the secret.
func holding(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(secret)) {
			names = append(names, filepath.Base(name))
		}
	}
	return names
}

func TestNothingErasedIsLeftInTheFiles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "bank.db"))
	if _, err := s.Import(t.Context(), recorded, func(b features.Batch) error { return secretFacts(b, "c1") }); err != nil {
		t.Fatal(err)
	}
	// Older versions of his head and cells, and what came too early.
	for i := range 30 {
		_, err := s.Write(t.Context(), features.Write{CustomerID: "c1", RecordedAt: recorded, Cells: []features.Cell{
			{CustomerID: "c1", View: features.TagView, Name: fmt.Sprint("w", i), Value: secret, EventAt: 1, KnownAt: fund.Instant(i + 1)},
			{CustomerID: "c1", View: features.TagView, Name: "early", Value: secret, EventAt: recorded + 10_000_000_000, KnownAt: 1},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(holding(t, dir)) == 0 {
		t.Fatal("the test does not find the secret that is there")
	}
	if _, err := s.Erase(t.Context(), forget("c1")); err != nil {
		t.Fatal(err)
	}
	if names := holding(t, dir); len(names) != 0 {
		t.Errorf("while the store is open the secret is in %v", names)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if names := holding(t, dir); len(names) != 0 {
		t.Errorf("after closing the secret is in %v", names)
	}
}

// eraser erases one customer after another, says each that it is done with, and waits when
// there are no more.
func eraser(path string) {
	ctx := context.Background()
	s, err := sqlstore.Open(ctx, sqlstore.OpenConfig{Path: path})
	if err != nil {
		panic(err)
	}
	for i := range 40 {
		id := fmt.Sprintf("c%02d", i)
		if _, err := s.Erase(ctx, forget(id)); err != nil {
			panic(err)
		}
		if _, err := os.Stdout.WriteString(id + "\n"); err != nil {
			panic(err)
		}
	}
	select {}
}

// Whenever a process that erases is killed, each customer is there whole or not at all, and
// who was told erased is.
func TestAKilledErasureIsAllOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.db")
	s := open(t, path)
	whole := map[string]*fund.Profile{}
	for i := range 40 {
		id := fmt.Sprintf("c%02d", i)
		if _, err := s.Import(t.Context(), recorded, func(b features.Batch) error { return secretFacts(b, id) }); err != nil {
			t.Fatal(err)
		}
		p, err := s.Profile(t.Context(), id, recorded)
		if err != nil {
			t.Fatal(err)
		}
		whole[id] = p
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, after := range []int{1, 7, 15} {
		for id := range killedEraser(t, path, after) {
			delete(whole, id)
		}
		s := open(t, path)
		for i := range 40 {
			id := fmt.Sprintf("c%02d", i)
			got, err := s.Profile(t.Context(), id, recorded)
			want, kept := whole[id]
			if errors.Is(err, features.ErrNotFound) {
				if _, err := s.Erased(t.Context(), id); err != nil {
					t.Errorf("%s is gone without an erasure: %v", id, err)
				}
				delete(whole, id) // it was committed before it could be told
				continue
			}
			if !kept || err != nil {
				t.Errorf("%s was told erased and is there: %v", id, err)
			} else if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s is not whole (-want +got):\n%s", id, d)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killedEraser kills an eraser once it has told of so many, and returns whom it told.
func killedEraser(t *testing.T, path string, after int) map[string]bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this test itself
	cmd.Env = append(os.Environ(), eraserEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	lines := bufio.NewScanner(out)
	for len(told) < after && lines.Scan() {
		told[lines.Text()] = true
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		told[lines.Text()] = true
	}
	_ = cmd.Wait()
	if len(told) < after {
		t.Fatalf("the eraser told of %v only", told)
	}
	return told
}
