package money_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/money"
)

// BenchmarkAdd adds a block of lists of ten with every column.
func BenchmarkAdd(b *testing.B) {
	const rows = 65_530
	r := &money.Rows{Position: make([]int32, rows), Amount: make([]float64, rows), HeldDays: make([]float64, rows)}
	for h := range r.Return {
		r.Return[h] = make([]float64, rows)
	}
	for i := range rows {
		r.Position[i] = int32(i%10 + 1)
		for h := range r.Return {
			r.Return[h][i] = float64(i%100)/200 - .2
		}
		if i%20 == 0 {
			r.Amount[i] = float64(i)
		}
		r.HeldDays[i] = float64(i % 900)
		if i%10 == 9 {
			r.Ends, r.Cluster = append(r.Ends, int32(i+1)), append(r.Cluster, uint64(i/10))
		}
	}
	s := state(b, nil)
	for b.Loop() {
		if err := s.Add(r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
