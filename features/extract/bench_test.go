package extract_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/extract"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

const (
	benchCustomers = 50_000
	benchFeatures  = 20
	benchLabels    = 1_000_000
)

// benchViews has twenty features: numbers, decimals, words, flags, times.
func benchViews(b *testing.B) *view.Catalogue {
	b.Helper()
	types := []view.Type{view.Int, view.Decimal, view.String, view.Bool, view.Time}
	v := view.View{
		Definition: view.Definition{Name: "bank", Doc: "what the bank knows", Owner: "data", Version: "1"},
		Access:     view.Access{Personal: true},
	}
	for i := range benchFeatures {
		v.Features = append(v.Features, view.Feature{Name: fmt.Sprintf("f%02d", i), Type: types[i%len(types)], Doc: "a feature"})
	}
	c, err := view.Extend(nil, []view.View{v})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// benchCells are those of one customer: every feature, half of them twice.
func benchCells(dst []features.Cell, customer int, random *rand.Rand) []features.Cell {
	id := fmt.Sprintf("C%06d", customer)
	for i := range benchFeatures {
		for v := range 1 + i%2 {
			at := start + fund.Instant(random.IntN(365))*day + fund.Instant(v)
			values := [...]string{
				fmt.Sprint(random.IntN(1e6)), fmt.Sprintf("%d.%02d", random.IntN(1e4), 1+random.IntN(9)), fmt.Sprintf(`"word %d"`, random.IntN(100)),
				[...]string{"true", "false"}[random.IntN(2)], `"` + at.Time().Format("2006-01-02T15:04:05Z") + `"`,
			}
			dst = append(dst, features.Cell{
				CustomerID: id, View: "bank", Name: fmt.Sprintf("f%02d", i), Value: values[i%len(values)], EventAt: at, KnownAt: at + day,
				SourceSeq: uint64(v),
			})
		}
	}
	return dst
}

func benchStore(b *testing.B, dir string) *sqlstore.Store {
	b.Helper()
	store, err := sqlstore.Open(b.Context(), sqlstore.OpenConfig{Path: filepath.Join(dir, "bank.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	random := rand.New(rand.NewPCG(1, 2))
	_, err = store.Import(b.Context(), start+1_000*day, func(batch features.Batch) error {
		var cells []features.Cell
		for i := range benchCustomers {
			if cells = benchCells(cells, i, random); len(cells) > 10_000 || i == benchCustomers-1 {
				if err := batch.Cells(cells); err != nil {
					return err
				}
				cells = cells[:0]
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return store
}

// benchLabelFile writes labels of all customers in no order, over a year and a half.
func benchLabelFile(b *testing.B, dir string) string {
	b.Helper()
	name := filepath.Join(dir, "labels.csv")
	file, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	out, random := bufio.NewWriter(file), rand.New(rand.NewPCG(3, 4))
	fmt.Fprintln(out, "label_id,customer_id,as_of,bought")
	for i := range benchLabels {
		at := start + fund.Instant(random.Int64N(540*day))
		fmt.Fprintf(out, "L%07d,C%06d,%s,%d\n", i, random.IntN(benchCustomers), at, random.IntN(2))
	}
	if err := out.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	return name
}

// BenchmarkExtract joins 1,000,000 labels over 50,000 customers with 20 features from
// SQLite, 1,500,000 cells: the goal is below 20 s. It tells the peak of the heap as well.
func BenchmarkExtract(b *testing.B) {
	dir := b.TempDir()
	catalogue, store, labels := benchViews(b), benchStore(b, dir), benchLabelFile(b, dir)
	plan, err := catalogue.PlanViews([]string{"bank"})
	if err != nil {
		b.Fatal(err)
	}
	for _, format := range []extract.Format{extract.Parquet, extract.CSV} {
		b.Run(string(format), func(b *testing.B) {
			for b.Loop() {
				runtime.GC()
				peak := uint64(0)
				job := extract.Job{
					Store: store, Plan: plan, Catalogue: catalogue, Format: format,
					Labels: extract.Labels{Name: "labels.csv", Open: func() (io.ReadCloser, error) { return os.Open(labels) }},
					Options: extract.Options{Workers: runtime.GOMAXPROCS(0), TempDir: dir, Progress: func(_ extract.Stage, done, _ int64) {
						if done%(1<<16) == 0 {
							var m runtime.MemStats
							runtime.ReadMemStats(&m)
							peak = max(peak, m.HeapInuse)
						}
					}},
				}
				var size countingWriter
				before := cpuSeconds(b)
				sum, err := job.Run(b.Context(), &size)
				if err != nil || sum.Rows != benchLabels || sum.Present < benchLabels*benchFeatures/3 {
					b.Fatalf("%+v, %v", sum, err)
				}
				b.ReportMetric(cpuSeconds(b)-before, "cpu-s") // what a loaded machine does not change
				b.ReportMetric(float64(peak)/(1<<20), "MiB-heap")
				b.ReportMetric(float64(size)/(1<<20), "MiB-out")
			}
		})
	}
}

// cpuSeconds is what the process has used of the processors.
func cpuSeconds(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// countingWriter counts bytes.
type countingWriter int64

func (w *countingWriter) Write(p []byte) (int, error) {
	*w += countingWriter(len(p))
	return len(p), nil
}
