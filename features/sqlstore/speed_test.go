package sqlstore_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// importedAt is after everything that the benchmarks import.
var importedAt = fund.Date(20260101).Start()

const (
	bulkCustomers    = 30_000
	cellsOfEach      = 12
	rowsOfEach       = cellsOfEach + 2 // his head and his entry in the change log
	typicalCustomers = 4_000
	headsOfOneRead   = 200
)

// typicalCells are what a bank knows of a customer whom it has asked everything.
func typicalCells(into []features.Cell, id string, i int) []features.Cell {
	at := fund.Date(20250105).AddDays(i % 300).Start()
	person := func(name, value string) features.Cell {
		return features.Cell{CustomerID: id, View: features.PersonView, Name: name, Value: value}
	}
	return append(into[:0],
		person("investor_type", "ORDINARY"), person("birth_date", "1980-02-29"), person("capacity", "FULL"),
		person("segment", "retail"), person("industry", "IT"), person("branch_id", fmt.Sprintf("B%02d", i%30)),
		person("manager_id", fmt.Sprintf("M%03d", i%100)), person("aum_fen", fmt.Sprint(1_000_000+i)),
		features.Cell{CustomerID: id, View: features.NeedsView, Name: features.GoalsName, Value: "GROWTH CASH"},
		features.Cell{
			CustomerID: id, View: features.AssessmentView, Name: features.AssessedName, EventAt: at,
			Value: fmt.Sprintf(`{"level":"C3","on":%q,"questionnaire":"Q-2024","channel":"APP"}`, at.Date().String()),
		},
		features.Cell{CustomerID: id, View: features.TagView, Name: "life_stage", Value: "FAMILY", EventAt: at, Source: "survey", Purpose: "marketing"},
		features.Cell{CustomerID: id, View: features.ConsentView, Name: "marketing", Value: "true", EventAt: at})
}

func fillTypicalCells(ids []string) func(features.Batch) error {
	return func(b features.Batch) error {
		var cells []features.Cell
		for i, id := range ids {
			cells = typicalCells(cells, id, i)
			if err := b.Cells(cells); err != nil {
				return err
			}
		}
		return nil
	}
}

// fillTypical gives besides three interactions and eight events of each: the head of a
// typical customer of the demo bank has 487 bytes.
func fillTypical(ids []string) func(features.Batch) error {
	return func(b features.Batch) error {
		if err := fillTypicalCells(ids)(b); err != nil {
			return err
		}
		for i, id := range ids {
			purchases := make([]features.CustomerPurchase, 3)
			for n := range purchases {
				purchases[n] = features.CustomerPurchase{CustomerID: id, Purchase: fund.Purchase{
					ProductCode: fmt.Sprintf("9%05d", n*7+i%5), KnownOn: fund.Date(20250301).AddDays(n), Kind: "BUY", Amount: 100_000,
				}}
			}
			events := make([]features.Event, 8)
			for n := range events {
				events[n] = features.Event{
					ID: fmt.Sprintf("%s-%d", id, n), CustomerID: id, Kind: []string{"CLICK", "DETAIL_VIEW", "CONTACT", "ORDER_CONFIRM"}[n%4],
					EventAt: fund.Date(20250401).AddDays(n).Start(), ProductCode: "900001", Channel: "APP", Attributes: `{"dwell_seconds":42,"page":"FEE"}`,
				}
			}
			if err := b.Purchases(purchases); err != nil {
				return err
			}
			if err := b.Events(events); err != nil {
				return err
			}
		}
		return nil
	}
}

// BenchmarkBulk loads customers who are new. Rows are their cells, heads and entries in the
// change log.
func BenchmarkBulk(b *testing.B) {
	ids := bankIDs(bulkCustomers)
	b.Run("sqlite", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			s := open(b, filepath.Join(b.TempDir(), "bank.db"))
			b.StartTimer()
			benchmarkBulk(b, s, ids)
			b.StopTimer()
			_ = s.Close()
			b.StartTimer()
		}
		b.ReportMetric(float64(len(ids)*rowsOfEach)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("postgres", func(b *testing.B) {
		server := pgtest.Server(b, pgtest.Config{Durable: true})
		for b.Loop() {
			b.StopTimer()
			s := openPostgres(b, server.Database(b))
			b.StartTimer()
			benchmarkBulk(b, s, ids)
			b.StopTimer()
			_ = s.Close()
			b.StartTimer()
		}
		b.ReportMetric(float64(len(ids)*rowsOfEach)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

func benchmarkBulk(b *testing.B, s *sqlstore.Store, ids []string) {
	b.Helper()
	res, err := s.Import(b.Context(), importedAt, fillTypicalCells(ids))
	if err != nil || res.Changed != int64(len(ids)*cellsOfEach) {
		b.Fatalf("%d rows changed, error %v", res.Changed, err)
	}
}

// BenchmarkOnline reads heads of typical customers at one client, decoding included.
func BenchmarkOnline(b *testing.B) {
	ids := bankIDs(typicalCustomers)
	b.Run("sqlite", func(b *testing.B) {
		s := open(b, filepath.Join(b.TempDir(), "bank.db"))
		if _, err := s.Import(b.Context(), importedAt, fillTypical(ids)); err != nil {
			b.Fatal(err)
		}
		benchmarkOnline(b, s, ids)
	})
	b.Run("postgres", func(b *testing.B) {
		s := openPostgres(b, pgtest.Server(b, pgtest.Config{Durable: true}).Database(b))
		if _, err := s.Import(b.Context(), importedAt, fillTypical(ids)); err != nil {
			b.Fatal(err)
		}
		benchmarkOnline(b, s, ids)
	})
}

func benchmarkOnline(b *testing.B, s *sqlstore.Store, ids []string) {
	b.Helper()
	now := fund.Date(20260101).Start()
	p, err := s.Profile(b.Context(), ids[0], now)
	if err != nil {
		b.Fatal(err)
	}
	size := len(fund.AppendProfile(nil, p))
	b.Run("head", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := s.Profile(b.Context(), ids[i*31%len(ids)], now); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(size), "head-bytes")
	})
	b.Run("heads of 200", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			from := i * 31 % (len(ids) - headsOfOneRead)
			heads, err := s.Heads(b.Context(), ids[from:from+headsOfOneRead])
			if err != nil || heads[0].Profile == nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		encoded := fund.AppendProfile(nil, p)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := fund.ParseProfile(encoded); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("histories", func(b *testing.B) {
		rows := 0
		for b.Loop() {
			err := s.Histories(b.Context(), features.HistoryQuery{}, func(h *features.History) error {
				rows += len(h.Cells) + len(h.Purchases) + len(h.Events)
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	})
}
