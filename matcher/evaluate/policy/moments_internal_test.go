package policy

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestCensoredRowsAddNothing: rows taken one by one, as soon as one of them is censored, come to the sums of those that are
// taken without a branch; weights on the steps, 0 and -0 among them.
func TestCensoredRowsAddNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	all := steps(10)
	for range 200 {
		n := 1 + r.IntN(lookRows)
		weight, reward := make([]float64, n), make([]float64, n)
		var knownWeight, knownReward []float64
		for i := range n {
			weight[i] = []float64{0, math.Copysign(0, -1), 1, 2, 2.0000000000000004, 5, 1e100, r.ExpFloat64(), 30 * r.Float64()}[r.IntN(9)]
			if reward[i] = r.Float64() - .5; r.IntN(9) == 0 {
				reward[i] = math.NaN()
				continue
			}
			knownWeight, knownReward = append(knownWeight, weight[i]), append(knownReward, reward[i])
		}
		got := partial{shift: .25, first: math.Float64bits(all[0])}
		want := got
		got.add(weight, reward, all)
		want.add(knownWeight, knownReward, all)
		got.bands[0].r, got.bands[0].rr = want.bands[0].r, want.bands[0].rr // nobody asks for them
		for i := range got.bands {
			a, b := got.bands[i], want.bands[i]
			if i > 0 && a != b || a.n != b.n || math.Abs(a.dwdw-b.dwdw) > 1e-9*b.dwdw || math.Abs(a.dwx-b.dwx) > 1e-9*b.dwdw {
				t.Fatalf("band %d: %v, of the known rows alone %v", i, a, b)
			}
		}
		for bin := range bins {
			a, b := int32(0), int32(0)
			for k := range 4 {
				a, b = a+got.weights[4*bin+k], b+want.weights[4*bin+k]
			}
			if a != b {
				t.Fatalf("bin %d: %d rows, %d known", bin, a, b)
			}
		}
	}
}
