package sqlstore_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The sizes of data/fartrans and data/cn-funds.
const (
	farCustomers = 29_090
	farPurchases = 61_857
	cnProducts   = 18_270
	cnSeries     = 99
	cnNAVs       = 78_193
)

// bankIDs are like anonymised ids: in no order.
func bankIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		sum := sha256.Sum256([]byte(fmt.Sprint(i)))
		ids[i] = hex.EncodeToString(sum[:10])
	}
	return ids
}

// fillCustomers gives customers of four cells each and their purchases.
func fillCustomers(ids []string, salt string) func(b features.Batch) error {
	return func(b features.Batch) error {
		cells := make([]features.Cell, 0, 4)
		for _, id := range ids {
			cells = append(cells[:0],
				features.Cell{CustomerID: id, View: features.PersonView, Name: "investor_type", Value: "ORDINARY"},
				features.Cell{CustomerID: id, View: features.PersonView, Name: "segment", Value: "retail" + salt},
				features.Cell{CustomerID: id, View: features.PersonView, Name: "capacity", Value: "FULL"},
				features.Cell{
					CustomerID: id, View: features.AssessmentView, Name: features.AssessedName,
					Value: `{"level":"C3","on":"2020-03-05"}`, EventAt: fund.Date(20200305).Start(),
				})
			if err := b.Cells(cells); err != nil {
				return err
			}
		}
		rows := make([]features.CustomerPurchase, 0, 512)
		for i := range farPurchases {
			rows = append(rows, features.CustomerPurchase{
				CustomerID: ids[i*7919%len(ids)],
				Purchase: fund.Purchase{
					ProductCode: fmt.Sprintf("P%03d", i/len(ids)*100+i%97), KnownOn: fund.Date(20190101).AddDays(i / 80), Kind: "BUY",
				},
			})
			if len(rows) == cap(rows) || i == farPurchases-1 {
				if err := b.Purchases(rows); err != nil {
					return err
				}
				rows = rows[:0]
			}
		}
		return nil
	}
}

func fillMarket(b features.Batch) error {
	products := make([]fund.Product, cnProducts)
	for i := range products {
		products[i] = fund.Product{
			Code: fmt.Sprintf("%06d", i), Name: "华夏成长混合型证券投资基金A", Type: "混合型-偏股", ShareClass: "A",
			Grades: fund.Grades{Bank: fund.R4}, Listing: fund.Listing{Status: fund.Open, DueDiligenceID: "ASSUMED"},
		}
	}
	if err := b.Products(products); err != nil {
		return err
	}
	for s := range cnSeries {
		navs := make([]fund.NAV, cnNAVs/cnSeries)
		for i := range navs {
			navs[i] = fund.NAV{Date: fund.Date(20130101).AddDays(i), Unit: 1 + float64(i)/1000, Accum: 2 + float64(i)/1000}
		}
		if err := b.NAVs(products[s].Code, navs); err != nil {
			return err
		}
	}
	return nil
}

// benchmarkImport imports into a fresh store, or once more into one that has it.
func benchmarkImport(b *testing.B, again bool, rows int, fills ...func(features.Batch) error) {
	b.Helper()
	for b.Loop() {
		b.StopTimer()
		s := open(b, filepath.Join(b.TempDir(), "bank.db"))
		load := func(fill func(features.Batch) error) {
			if _, err := s.Import(b.Context(), importedAt, fill); err != nil {
				b.Fatal(err)
			}
		}
		if again {
			load(fills[0])
		}
		b.StartTimer()
		load(fills[len(fills)-1])
		b.StopTimer()
		_ = s.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkImport(b *testing.B) {
	ids := bankIDs(farCustomers)
	rows := 4*farCustomers + farPurchases
	b.Run("customers", func(b *testing.B) { benchmarkImport(b, false, rows, fillCustomers(ids, "")) })
	b.Run("customers/again", func(b *testing.B) { benchmarkImport(b, true, rows, fillCustomers(ids, "")) })
	b.Run("customers/changed", func(b *testing.B) {
		benchmarkImport(b, true, rows, fillCustomers(ids, ""), fillCustomers(ids, "er"))
	})
	b.Run("market", func(b *testing.B) { benchmarkImport(b, false, cnProducts+cnNAVs, fillMarket) })
	b.Run("market/again", func(b *testing.B) { benchmarkImport(b, true, cnProducts+cnNAVs, fillMarket) })
}

// loaded returns a store of the bank.
func loaded(b *testing.B, ids []string) *sqlstore.Store {
	b.Helper()
	s := open(b, filepath.Join(b.TempDir(), "bank.db"))
	for _, fill := range []func(features.Batch) error{fillCustomers(ids, ""), fillMarket} {
		if _, err := s.Import(b.Context(), importedAt, fill); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func BenchmarkRead(b *testing.B) {
	ids := bankIDs(farCustomers)
	s := loaded(b, ids)
	now, past := fund.Date(20260101).Start(), fund.Date(20190601).Start()
	b.Run("head", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := s.Profile(b.Context(), ids[i*31%len(ids)], now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("past", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := s.Profile(b.Context(), ids[i*31%len(ids)], past); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("write", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			w := features.Write{CustomerID: ids[i*31%len(ids)], RecordedAt: now, Cells: []features.Cell{{
				CustomerID: ids[i*31%len(ids)], View: features.TagView, Name: "a", Value: fmt.Sprint(i), EventAt: now,
			}}}
			w.Idempotency = features.Idempotency{Scope: "x", Key: fmt.Sprint(i)}
			if _, err := s.Write(b.Context(), w); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, n := range []int{1, 500} {
		b.Run(fmt.Sprintf("record %d events", n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				batch := features.EventBatch{RecordedAt: now}
				for j := range n {
					batch.Events = append(batch.Events, features.Event{
						ID: fmt.Sprintf("e%d-%d-%d", n, i, j), CustomerID: ids[(i*n+j)*31%len(ids)], Kind: "DETAIL_VIEW", EventAt: now,
						ProductCode: "P1", Channel: "APP", Attributes: `{"dwell_seconds":42,"page":"FEE"}`,
					})
				}
				if _, err := s.RecordEvents(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("purchases", func(b *testing.B) {
		for b.Loop() {
			n := 0
			err := s.Purchases(b.Context(), features.Cut{AsOf: now, Seq: 1 << 40}, func(_ string, rows []fund.Purchase) error {
				n += len(rows)
				return nil
			})
			if err != nil || n == 0 {
				b.Fatal(n, err)
			}
		}
	})
}
