package synthetic

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func mustEqual(t *testing.T, got, want any) {
	t.Helper()
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("differs (-want +got):\n%s", diff)
	}
}

// write writes a bank into a new folder.
func write(t *testing.T, b *Bank) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bank")
	if err := b.WriteFolder(t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// hashes returns a line of SHA-256 and name for each file of a folder.
func hashes(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%x  %s\n", sha256.Sum256(data), e.Name())
	}
	return out.String()
}

// golden compares with a file of testdata, or rewrites it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; rewrite it with -update when that is meant (-want +got):\n%s", path, diff)
	}
}

// TestSameOptionsSameBytes holds the bytes over time too: what the demo bank is may
// change, but not by accident.
func TestSameOptionsSameBytes(t *testing.T) {
	first, second := write(t, smallBank(t)), write(t, smallBank(t))
	if a, b := hashes(t, first), hashes(t, second); a != b {
		t.Fatalf("two banks of the same options:\n%s\n%s", a, b)
	}
	golden(t, "hashes.golden", hashes(t, first))
}

func TestAnotherSeedGivesAnotherBank(t *testing.T) {
	one := hashes(t, write(t, smallBank(t)))
	other := hashes(t, write(t, generate(t, Options{Customers: 150, Products: 60, Seed: 2, AsOf: asOf})))
	for _, line := range strings.Split(strings.TrimSpace(other), "\n") {
		name := line[66:]
		same := strings.Contains(one, line)
		if fixed := name == "calendar.csv" || name == "branches.csv"; same != fixed {
			t.Errorf("%s: the same bytes with another seed: %v", name, same)
		}
	}
}

// TestStoriesStayAsTheyAreTold shows the rows of the story customers: docs and golden
// answers rest on them.
func TestStoriesStayAsTheyAreTold(t *testing.T) {
	dir := write(t, smallBank(t))
	var out strings.Builder
	for _, file := range []string{"customers.csv", "assessments.csv", "interactions.csv", "holdings.csv", "tags.csv"} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "# %s\n", file)
		for i, line := range strings.SplitAfter(string(data), "\n") {
			if i == 0 || strings.HasPrefix(line, "DEMO-") {
				out.WriteString(line)
			}
		}
	}
	golden(t, "stories.golden", out.String())
}

// TestImportedFolderIsTheLoadedBank sends the files through the strict reader, which
// also checks that every customer and product that a row names is there, and compares
// with what Load gives.
func TestImportedFolderIsTheLoadedBank(t *testing.T) {
	b := smallBank(t)
	folder, err := dataset.Open(write(t, b))
	if err != nil {
		t.Fatal(err)
	}
	imported, loaded := newRecorder(), newRecorder()
	report, err := folder.Load(t.Context(), imported, nil, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Files) != 12 || len(report.Ignored) != 0 {
		t.Errorf("files %v, ignored %v, expected all 12 of the format", report.Files, report.Ignored)
	}
	if err := b.Load(loaded); err != nil {
		t.Fatal(err)
	}
	imported.sort()
	loaded.sort()
	mustEqual(t, loaded.products, imported.products)
	mustEqual(t, loaded.navs, imported.navs)
	mustEqual(t, loaded.calendar, imported.calendar)
	mustEqual(t, loaded.cells, imported.cells)
	mustEqual(t, loaded.purchases, imported.purchases)
	mustEqual(t, loaded.events, imported.events)
	mustEqual(t, loaded.managers, imported.managers)
	mustEqual(t, loaded.branches, imported.branches)
	if len(loaded.products) != 60 || len(loaded.cells) == 0 || len(loaded.purchases) == 0 || len(loaded.events) == 0 {
		t.Error("the bank is empty, so that the comparison says nothing")
	}
}

// recorder is a batch that keeps what it is given.
type recorder struct {
	products  []fund.Product
	navs      map[string][]fund.NAV
	calendar  []features.CalendarDay
	cells     []features.Cell
	purchases []features.CustomerPurchase
	events    []features.Event
	managers  []features.Manager
	branches  []features.Branch
	fail      error // returned by Cells
}

func newRecorder() *recorder { return &recorder{navs: map[string][]fund.NAV{}} }

func (r *recorder) Products(rows []fund.Product) error {
	r.products = append(r.products, rows...)
	return nil
}

func (r *recorder) NAVs(code string, rows []fund.NAV) error {
	r.navs[code] = append(r.navs[code], rows...)
	return nil
}

func (r *recorder) Calendar(rows []features.CalendarDay) error {
	r.calendar = append(r.calendar, rows...)
	return nil
}

func (r *recorder) Cells(rows []features.Cell) error {
	r.cells = append(r.cells, rows...)
	return r.fail
}

func (r *recorder) Purchases(rows []features.CustomerPurchase) error {
	r.purchases = append(r.purchases, rows...)
	return nil
}

func (r *recorder) Events(rows []features.Event) error {
	r.events = append(r.events, rows...)
	return nil
}

func (r *recorder) Managers(rows []features.Manager) error {
	r.managers = append(r.managers, rows...)
	return nil
}

func (r *recorder) Branches(rows []features.Branch) error {
	r.branches = append(r.branches, rows...)
	return nil
}

// sort brings the cells, which come by file or by customer, into one order.
func (r *recorder) sort() {
	slices.SortStableFunc(r.cells, func(a, b features.Cell) int {
		return cmp.Or(
			cmp.Compare(a.CustomerID, b.CustomerID), cmp.Compare(a.View, b.View), cmp.Compare(a.Name, b.Name), features.Compare(&a, &b),
		)
	})
}

func TestLoadReturnsTheBatchsError(t *testing.T) {
	r := newRecorder()
	r.fail = errors.New("disk full")
	if err := smallBank(t).Load(r); !errors.Is(err, r.fail) {
		t.Fatalf("error %v, expected the batch's", err)
	}
}

func TestAFolderInUseIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "mine.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := smallBank(t).WriteFolder(t.Context(), dir, nil); !errors.Is(err, ErrFolderInUse) {
		t.Fatalf("error %v, expected ErrFolderInUse", err)
	}
	assertHolds(t, dir, "mine.txt")
}

func TestAnEmptyFolderIsFilled(t *testing.T) {
	dir := t.TempDir()
	if err := smallBank(t).WriteFolder(t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	folder, err := dataset.Open(dir)
	if err != nil || len(folder.Files()) != 12 {
		t.Fatalf("files %v, error %v, expected 12", folder, err)
	}
}

func TestAnInterruptedWriteLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	b := generate(t, Options{Customers: 5_000, Products: 40, AsOf: asOf})
	for _, after := range []int{1, 1_000} {
		ctx, cancel := context.WithCancel(t.Context())
		err := b.WriteFolder(ctx, filepath.Join(parent, "bank"), func(done, total int) {
			if total != 5_000 || done > total {
				t.Errorf("progress %d of %d", done, total)
			}
			if done >= after {
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, expected that it was cancelled", err)
		}
		assertHolds(t, parent)
	}
}

func TestAWriteThatFailsLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	b := generate(t, Options{Customers: 2_000, Products: 40, AsOf: asOf})
	// The sixth file of the format cannot be made: something has its name.
	err := b.WriteFolder(t.Context(), filepath.Join(parent, "bank"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(parent, "bank")); err != nil {
		t.Fatal(err)
	}
	blocked := filepath.Join(parent, "blocked")
	if err := os.MkdirAll(filepath.Join(blocked, "tags.csv"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := b.writeFiles(t.Context(), blocked, nil); !errors.Is(err, os.ErrExist) {
		t.Fatalf("error %v, expected that tags.csv exists", err)
	}
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.WriteFolder(t.Context(), filepath.Join(file, "bank"), nil); err == nil {
		t.Fatal("a folder was written below a file")
	}
	assertHolds(t, parent, "blocked", "file")
}

// assertHolds checks that a directory holds these names and nothing else.
func assertHolds(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s holds %v, expected %v", dir, got, want)
	}
}

func TestFilesAreTextThatPeopleCanRead(t *testing.T) {
	dir := write(t, smallBank(t))
	data, err := os.ReadFile(filepath.Join(dir, "products.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte("货币")) || bytes.Contains(data, []byte("\r")) || bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		t.Error("products.csv is not plain UTF-8 with LF and Chinese names")
	}
}
