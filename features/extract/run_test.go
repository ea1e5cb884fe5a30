package extract_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/extract"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// largeBank has so many customers that they are read as a range, with a count each.
func largeBank(t *testing.T, customers int) *memory.Store {
	t.Helper()
	store := memory.New()
	cells := make([]features.Cell, customers)
	for i := range cells {
		cells[i] = features.Cell{CustomerID: fmt.Sprintf("C%05d", i), View: "bank", Name: "count", Value: fmt.Sprint(i), EventAt: start}
	}
	fill(t, store, cells)
	return store
}

// With more rows than memory holds, of more customers than are asked for by name, of whom
// one has very many, everything is where it belongs, and no file is left behind.
func TestExtractBeyondMemory(t *testing.T) {
	t.Parallel()
	const customers, rows = 5_000, 90_000
	store, catalogue := largeBank(t, customers), bankViews(t)
	var labels, want strings.Builder
	labels.WriteString("customer_id,as_of,padding\n")
	want.WriteString("customer_id,as_of,padding,bank.word,bank.word:status,bank.count,bank.count:status\n")
	padding := strings.Repeat("x", 20)
	for i := range rows {
		customer := (i * 7919) % (customers + 100) // a hundred are unknown
		if i%6 == 0 {
			customer = 77 // in more than one part
		}
		line := fmt.Sprintf("C%05d,2026-01-%02d,%s", customer, 2+i%20, padding)
		labels.WriteString(line + "\n")
		count := ",NOT_FOUND"
		if customer < customers {
			count = fmt.Sprint(customer) + ",PRESENT"
		}
		want.WriteString(line + ",,NOT_FOUND," + count + "\n")
	}
	dir := t.TempDir()
	for _, workers := range []int{1, 3} {
		job := extract.Job{
			Store: store, Plan: planOf(t, catalogue, "bank.word", "bank.count"), Catalogue: catalogue, Labels: labelsOf(labels.String()), Format: extract.CSV,
			Options: extract.Options{Workers: workers, Memory: extract.MinMemory / 8, TempDir: dir, Status: true},
		}
		if _, err := job.Run(t.Context(), io.Discard); err == nil {
			t.Fatal("less memory than the least was taken")
		}
		job.Options.Memory = extract.MinMemory
		var got bytes.Buffer
		sum, err := job.Run(t.Context(), &got)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Fatalf("%d workers: other rows than expected", workers)
		}
		if sum.Rows != rows || sum.Unknown == 0 || sum.Present != rows-sum.Unknown {
			t.Errorf("%+v", sum)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files left behind: %v, %v", left, err)
	}
}

// Nobody's labels are no row: the header stands alone, and nobody is read.
func TestExtractOfNothing(t *testing.T) {
	t.Parallel()
	catalogue := bankViews(t)
	job := extract.Job{Store: largeBank(t, 3), Plan: planOf(t, catalogue, "bank.count"), Catalogue: catalogue, Labels: labelsOf("customer_id,as_of\n"), Format: extract.CSV}
	var got bytes.Buffer
	if sum, err := job.Run(t.Context(), &got); err != nil || got.String() != "customer_id,as_of,bank.count\n" || sum.Customers != 0 {
		t.Errorf("%q, %+v, %v", got.String(), sum, err)
	}
	job.Format = extract.Parquet
	if sum, err := job.Run(t.Context(), &got); err != nil || sum.Rows != 0 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// broken fails while histories are read.
type broken struct {
	*memory.Store
	after int
	err   error
}

func (b *broken) Histories(ctx context.Context, q features.HistoryQuery, yield func(*features.History) error) error {
	n := 0
	return b.Store.Histories(ctx, q, func(h *features.History) error {
		if n++; n > b.after {
			return b.err
		}
		return yield(h)
	})
}

// A store that fails, a caller who goes away, a disk that is full: the error comes back as
// it is, and every worker ends.
func TestExtractThatFails(t *testing.T) {
	t.Parallel()
	catalogue, store := bankViews(t), largeBank(t, 5_000)
	var labels strings.Builder
	labels.WriteString("customer_id,as_of\n")
	for i := range 20_000 {
		fmt.Fprintf(&labels, "C%05d,2026-01-02\n", i%5_000)
	}
	job := extract.Job{Store: store, Plan: planOf(t, catalogue, "bank"), Catalogue: catalogue, Labels: labelsOf(labels.String()), Format: extract.Parquet}
	job.Options.Workers = 3
	failure := fmt.Errorf("%w: gone", features.ErrUnavailable)
	job.Store = &broken{store, 1_000, failure}
	if _, err := job.Run(t.Context(), io.Discard); !errors.Is(err, features.ErrUnavailable) {
		t.Errorf("a store that fails: %v", err)
	}
	job.Store = store
	for _, stage := range []extract.Stage{extract.ReadLabels, extract.ReadFeatures, extract.WriteRows} {
		ctx, cancel := context.WithCancel(t.Context())
		job.Options.Progress = func(at extract.Stage, _, _ int64) {
			if at == stage {
				cancel()
			}
		}
		if _, err := job.Run(ctx, io.Discard); !errors.Is(err, context.Canceled) {
			t.Errorf("ended while %s: %v", stage, err)
		}
		cancel()
	}
	job.Options.Progress = nil
	full := errors.New("disk full")
	for _, format := range []extract.Format{extract.CSV, extract.Parquet} {
		job.Format = format
		if _, err := job.Run(t.Context(), &fullWriter{left: 100, err: full}); !errors.Is(err, full) {
			t.Errorf("%s on a full disk: %v", format, err)
		}
	}
	job.Options.TempDir, job.Options.Memory = "/nowhere/at/all", extract.MinMemory
	job.Labels = labelsOf("customer_id,as_of,pad\n" + strings.Repeat("C00001,2026-01-02,x\n", 60_000))
	if _, err := job.Run(t.Context(), io.Discard); err == nil {
		t.Error("no error where nothing can be spilled")
	}
}

type fullWriter struct {
	left int
	err  error
}

func (w *fullWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, w.err
	}
	return len(p), nil
}

// A store is asked only for what the plan needs, and by name for few customers.
func TestExtractAsksForLittle(t *testing.T) {
	t.Parallel()
	catalogue := bankViews(t)
	for _, c := range []struct {
		labels int
		byName bool
	}{{2, true}, {5_000, false}} {
		var asked atomic.Pointer[features.HistoryQuery]
		var labels strings.Builder
		labels.WriteString("customer_id,as_of\n")
		for i := range c.labels {
			fmt.Fprintf(&labels, "C%05d,2026-01-02\n", i)
		}
		job := extract.Job{
			Store: &spy{largeBank(t, 10), &asked}, Plan: planOf(t, catalogue, "bank.count"), Catalogue: catalogue,
			Labels: labelsOf(labels.String()), Format: extract.CSV,
		}
		if _, err := job.Run(t.Context(), io.Discard); err != nil {
			t.Fatal(err)
		}
		q := asked.Load()
		if !q.NoEvents || !q.NoPurchases || len(q.Views) != 3 || (q.CustomerIDs != nil) != c.byName || q.Through != fmt.Sprintf("C%05d", c.labels-1) {
			t.Errorf("%d labels: %d ids, through %s, views %v, %+v", c.labels, len(q.CustomerIDs), q.Through, q.Views, q.NoEvents)
		}
	}
}

type spy struct {
	*memory.Store
	asked *atomic.Pointer[features.HistoryQuery]
}

func (s *spy) Histories(ctx context.Context, q features.HistoryQuery, yield func(*features.History) error) error {
	s.asked.Store(&q)
	return s.Store.Histories(ctx, q, yield)
}

// A receipt finds what differs, and why.
func TestCheckReceipt(t *testing.T) {
	t.Parallel()
	catalogue := bankViews(t)
	cell := func(name, value string, event, known fund.Instant) features.Cell {
		return features.Cell{CustomerID: "C1", View: "bank", Name: name, Value: value, EventAt: event, KnownAt: known}
	}
	const at = start + 10*day
	before := []features.Cell{cell("count", "1", start, 0), cell("word", `"a"`, start, 0), cell("flag", "null", start, 0)}
	sealed, err := features.Fold("C1", before, nil, features.AsKnown(at))
	if err != nil {
		t.Fatal(err)
	}
	sealed.Revision = 5
	for _, c := range []struct {
		name    string
		cells   []features.Cell
		seqs    []uint64
		matches int
		want    []string
	}{
		{"nothing came", before, []uint64{5, 5, 5}, 3, nil},
		{"dated back without a known time", append([]features.Cell{cell("rate", "0.5", start, 0)}, before...), []uint64{9, 5, 5, 5}, 3, []string{
			"bank.rate EXTRA written later (transaction 9, the decision saw 5) and dated back without a known time: it counts as known from 2025-12-31T16:00:00Z on",
		}},
		{"dated back with a known time", append([]features.Cell{cell("count", "2", start+day, start+day)}, before...), []uint64{8, 5, 5, 5}, 2, []string{
			"bank.count MISMATCH written later (transaction 8, the decision saw 5) with a known time before the decision, 2026-01-01T16:00:00Z",
		}},
		{"known later", append([]features.Cell{cell("count", "2", start+day, at+1)}, before...), []uint64{8, 5, 5, 5}, 3, nil},
		{"gone", before[1:], []uint64{5, 5}, 2, []string{"bank.count MISSING "}},
		{"null is something", before[:2], []uint64{5, 5}, 2, []string{"bank.flag MISSING "}},
		{"the same value since another time", []features.Cell{cell("count", "1", start+1, 0), before[1], before[2]}, []uint64{5, 5, 5}, 2, []string{"bank.count MISMATCH "}},
	} {
		got, err := extract.CheckReceipt(catalogue, sealed, &features.History{CustomerID: "C1", Cells: c.cells, CellSeqs: c.seqs}, at)
		if err != nil {
			t.Fatal(err)
		}
		var findings []string
		for _, f := range got.Findings {
			findings = append(findings, fmt.Sprintf("%s %s %s", f.Feature, f.Verdict, f.Why))
		}
		if got.Matches != c.matches || fmt.Sprint(findings) != fmt.Sprint(c.want) {
			t.Errorf("%s: %d matches, %q; want %d, %q", c.name, got.Matches, findings, c.matches, c.want)
		}
	}
}

// What no feature reads is compared as well: lots, a trail, cells of views that are not declared.
func TestCheckReceiptOfParts(t *testing.T) {
	t.Parallel()
	sealed := &fund.Profile{
		CustomerID: "C1", Lots: []fund.Lot{{ProductCode: "P1", Shares: 10, AcquiredOn: start.Date(), Account: "A"}},
		Features: []fund.Feature{{View: "unheard", Name: "of", Value: "1", To: fund.Forever}},
	}
	got, err := extract.CheckReceipt(view.Default(), sealed, nil, start+day)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]extract.Verdict{}
	for _, f := range got.Findings {
		found[f.Feature] = f.Verdict
	}
	if got.Matches != 0 || found["profile.lots"] != extract.Missing || found["profile.undeclared"] != extract.Missing || found["holdings.lots"] != extract.Missing {
		t.Errorf("%+v", got)
	}
}
