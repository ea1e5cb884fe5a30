package backtest

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// top is the head of the sorted permitted: by score, equals by number.
func TestTopIsTheHeadOfTheSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 200).Draw(t, "products")
		k := rapid.IntRange(1, 12).Draw(t, "k")
		score := make([]float64, n)
		permitted := make([]uint64, (n+63)/64)
		var want []int32
		for i := range n {
			score[i] = float64(rapid.IntRange(-3, 3).Draw(t, "score"))
			if rapid.Bool().Draw(t, "permitted") {
				permitted[i/64] |= 1 << (i % 64)
				want = append(want, int32(i))
			}
		}
		slices.SortStableFunc(want, func(a, b int32) int { return cmp.Compare(score[b], score[a]) })
		want = want[:min(k, len(want))]
		before := []int32{-7}
		if got := top(score, permitted, k, before); !slices.Equal(got, append(before, want...)) {
			t.Fatalf("%v, expected %v behind what was there", got, want)
		}
	})
}

// Models of a few hundred products are trained side by side, those of 5,000 one at a time:
// what they need must fit.
func TestSplitsAtATime(t *testing.T) {
	for _, c := range []struct{ products, workers, splits, want int }{
		{806, 2, 46, 2}, {806, 64, 46, 25}, {806, 8, 3, 3}, {5000, 8, 46, 1}, {20_000, 2, 46, 1}, {0, 4, 46, 4},
	} {
		j := &job{data: &Data{products: make([]fund.Product, c.products)}, config: Config{Workers: c.workers}, splits: make([]*split, c.splits)}
		if got := j.atOnce(); got != c.want {
			t.Errorf("%+v: %d at once", c, got)
		}
	}
}
