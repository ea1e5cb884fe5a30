package track

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestSortsAsComparingWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]int64{0, 1, 3000, 1 << 40, math.MaxInt64 / 4}).Draw(t, "most")
		values := rapid.SliceOf(rapid.Custom(func(t *rapid.T) fund.Ratio {
			return fund.Ratio(rapid.Int64Range(-most, most).Draw(t, "value"))
		})).Draw(t, "values")
		want := slices.Sorted(slices.Values(values))
		if got := sortRatios(values, make([]fund.Ratio, len(values))); !slices.Equal(got, want) {
			t.Errorf("%v, expected %v", got, want)
		}
	})
}

// BenchmarkSort compares the two ways at the size of a holding's results. The values
// differ from run to run: a processor learns one order by heart.
func BenchmarkSort(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1)) // #nosec G404 -- a benchmark's values
	var results [128][2400]fund.Ratio
	for i := range results {
		for j := range results[i] {
			results[i][j] = fund.Ratio(200_000 * r.NormFloat64())
		}
	}
	values, spare := make([]fund.Ratio, len(results[0])), make([]fund.Ratio, len(results[0]))
	b.Run("digits", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			copy(values, results[i%len(results)][:])
			sortRatios(values, spare)
		}
	})
	b.Run("comparing", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			copy(values, results[i%len(results)][:])
			slices.Sort(values)
		}
	})
}
