package affinity_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// syntheticBank is customers who each like a few of the tastes, and buy funds of them as
// popularity has it (a Zipf law), over two years.
func syntheticBank(tb testing.TB, funds, customers, mean int) (*affinity.History, []affinity.Item) {
	tb.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	items := make([]affinity.Item, funds)
	taste := make([][]int32, min(40, funds/5))
	for y := range items {
		k := y % len(taste)
		items[y] = affinity.Item{Kind: int32(k % 12), Issuer: int32(rng.IntN(150)), Theme: affinity.Unknown, Goal: affinity.Unknown, Market: affinity.Unknown}
		taste[k] = append(taste[k], int32(y))
	}
	h := affinity.NewHistory(funds)
	for range customers {
		n := 1 + int(rng.ExpFloat64()*float64(mean-1))
		c := affinity.Customer{
			Groups: []affinity.Fact{{Value: int32(rng.IntN(6)), Day: affinity.Always}},
			Levels: []affinity.Fact{{Value: int32(1 + rng.IntN(5)), Day: int32(rng.IntN(700))}},
		}
		a, b := taste[rng.IntN(len(taste))], taste[rng.IntN(len(taste))]
		for range n {
			list := a
			if rng.IntN(3) == 0 {
				list = b
			}
			at := int(float64(len(list)) * math.Pow(rng.Float64(), 2))
			c.Purchases = append(c.Purchases, affinity.Purchase{Item: list[at], Day: int32(rng.IntN(730))})
		}
		if err := h.Add(c); err != nil {
			tb.Fatal(err)
		}
	}
	return h, items
}

// BenchmarkTrain is the size: 5,000 funds and 10 M purchases, and reports what
// the process has taken from the system.
func BenchmarkTrain(b *testing.B) {
	for _, size := range []struct {
		name                   string
		funds, customers, mean int
	}{
		{"funds=300/purchases=200k", 300, 20_000, 10},
		{"funds=5000/purchases=10M", 5000, 1_150_000, 10},
	} {
		b.Run(size.name, func(b *testing.B) {
			h, items := syntheticBank(b, size.funds, size.customers, size.mean)
			b.Logf("%d purchases of %d customers", h.Purchases(), h.Customers())
			for b.Loop() {
				if _, err := affinity.Train(b.Context(), h, items, 730, affinity.Default(), affinity.Options{Workers: runtime.GOMAXPROCS(0)}); err != nil {
					b.Fatal(err)
				}
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys)/1e6, "MB-sys")
		})
	}
}

// BenchmarkAffinity is one customer with five funds among 300, and among 5,000.
func BenchmarkAffinity(b *testing.B) {
	for _, funds := range []int{300, 5000} {
		b.Run("funds="+map[int]string{300: "300", 5000: "5000"}[funds], func(b *testing.B) {
			h, items := syntheticBank(b, funds, 50_000, 10)
			s := affinity.Default()
			s.Joint.Funds = 1000
			m, err := affinity.Train(b.Context(), h, items, 730, s, affinity.Options{Workers: 2})
			if err != nil {
				b.Fatal(err)
			}
			q := affinity.Query{Owned: []int32{3, 17, 40, 99, 250}, Group: 2, Level: 3}
			dst, scratch := slices.Repeat([]float64{0}, funds), &affinity.Scratch{}
			b.ReportAllocs()
			for b.Loop() {
				m.Affinity(&q, scratch, dst)
			}
		})
	}
}
