package dataset

import (
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// realFolder opens a folder of the real data that lies beside the repository.
func realFolder(tb testing.TB, name string) *Folder {
	tb.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "data", name)
	if _, err := os.Stat(dir); err != nil {
		tb.Skipf("the real data is not beside the repository: %v", err)
	}
	f, err := Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// The counts are those that the data's own README gives.
func TestRealEuropeanBank(t *testing.T) {
	r := &recorder{}
	report, err := realFolder(t, "fartrans").Load(t.Context(), r, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	customers, assessed := 0, 0
	for i := range r.cells {
		if r.cells[i].Name == "investor_type" {
			customers++
		}
		if r.cells[i].Name == "assessed" {
			assessed++
		}
	}
	if len(r.products) != 806 || customers != 29_090 || len(r.purchases) != 61_857 || report.Rejected != 0 {
		t.Errorf("got %d products, %d customers, %d purchases, expected 806, 29090, 61857", len(r.products), customers, len(r.purchases))
	}
	if assessed == 0 || assessed == customers {
		t.Errorf("%d of %d customers are assessed, expected some: others have a predicted level", assessed, customers)
	}
	if p := r.products[0]; p.Code != "100974271034" || p.Name != "VIOHALCO SA (el-GR)" || p.Grades.Bank != fund.R5 || len(p.Content.Attributes) != 1 || !p.Missing.Has(fund.FieldIssuer) {
		t.Errorf("the first product is %+v", p)
	}
	if len(report.Ignored) != 3 {
		t.Errorf("ignored %v, expected the three files of the backtest", report.Ignored)
	}
}

func TestRealChineseFunds(t *testing.T) {
	r := &recorder{}
	if _, err := realFolder(t, "cn-funds").Load(t.Context(), r, nil, Options{}); err != nil {
		t.Fatal(err)
	}
	navs := 0
	for code, list := range r.navs {
		navs += len(list)
		for i := range list {
			if i > 0 && list[i].Date <= list[i-1].Date {
				t.Errorf("%s: %v comes behind %v", code, list[i].Date, list[i-1].Date)
			}
		}
	}
	if len(r.products) != 18_270 || navs != 78_193 || len(r.navs) != 99 {
		t.Errorf("got %d products, %d NAVs of %d funds, expected 18270, 78193, 99", len(r.products), navs, len(r.navs))
	}
}

// BenchmarkLoad reports rows a second of reading alone: what an import spends before its store.
func BenchmarkLoad(b *testing.B) {
	for _, name := range []string{"fartrans", "cn-funds"} {
		b.Run(name, func(b *testing.B) {
			f := realFolder(b, name)
			b.ReportAllocs()
			rows := int64(0)
			for b.Loop() {
				report, err := f.Load(b.Context(), discard{}, nil, Options{})
				if err != nil {
					b.Fatal(err)
				}
				for _, file := range report.Files {
					rows += file.Rows
				}
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkReadNAVs reads rows that are made up, so that it runs everywhere.
func BenchmarkReadNAVs(b *testing.B) {
	const days = 2_000
	row := []byte{}
	for i := range days {
		row = fund.DateOfDay(15_000 + i).Append(append(row, "000001,"...))
		row = append(row, ",1.0530,1.2530\n"...)
	}
	b.SetBytes(int64(len(row)))
	b.ReportAllocs()
	for b.Loop() {
		rows, errs := drain("nav.csv", repeated(navHeader, string(row), 1, ""))
		if rows != days || len(errs) > 0 {
			b.Fatal(rows, errs)
		}
	}
	b.ReportMetric(float64(b.N)*days/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkSplit compares splitting lines into fields with what the standard library takes.
func BenchmarkSplit(b *testing.B) {
	text := strings.Repeat("0004718496C71D464F57,GRS014003032,2019-08-01,BUY,\n", 2_000)
	b.Run("dataset", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			c := newCSVReader(strings.NewReader(text), "a.csv")
			for {
				if err := c.next(); err != nil {
					break
				}
			}
		}
	})
	b.Run("encoding", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			c := csv.NewReader(strings.NewReader(text))
			c.ReuseRecord = true
			for {
				if _, err := c.Read(); err != nil {
					break
				}
			}
		}
	})
}

func BenchmarkWriteNAVs(b *testing.B) {
	b.ReportAllocs()
	rows := func(yield func(NAVRow) bool) {
		for i := range 2_000 {
			if !yield(NAVRow{ProductCode: "000001", NAV: fund.NAV{Date: fund.DateOfDay(15_000 + i), Unit: 1.053, Accum: 1.253}}) {
				return
			}
		}
	}
	for b.Loop() {
		if err := WriteNAVs(io.Discard, rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*2_000/b.Elapsed().Seconds(), "rows/s")
}
