package draw_test

import (
	"math"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/draw"
)

// The first numbers of splitmix64 from the state 1234567, as its authors' code gives them
// (https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64).
func TestMixIsSplitmix64(t *testing.T) {
	t.Parallel()
	state := uint64(1234567)
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		if got := draw.Mix(state); got != want {
			t.Errorf("number %d: %d, expected %d", i+1, got, want)
		}
		state += draw.Golden
	}
}

// Draws have the chances of Poisson(1), by 100,000 of them within 4 standard errors, and other keys draw otherwise.
func TestDrawsArePoisson(t *testing.T) {
	t.Parallel()
	const customers = 100_000
	table := draw.NewPoisson()
	first, second := draw.Key(1, 0), draw.Key(1, 1)
	var counts [4]float64
	same := 0
	for c := range uint64(customers) {
		n := table.Draw(draw.Mix(c ^ first))
		if n < float64(len(counts)) {
			counts[int(n)]++
		}
		if table.Draw(draw.Mix(c^second)) == n {
			same++
		}
	}
	chance := 1 / math.E
	for k, n := range counts {
		if off := math.Abs(n/customers - chance); off > 4*math.Sqrt(chance*(1-chance)/customers) {
			t.Errorf("%d: %v of %d, expected a share of %v", k, n, customers, chance)
		}
		chance /= float64(k + 1)
	}
	if share := float64(same) / customers; share > .35 { // two independent draws agree with chance .309
		t.Errorf("two replicates draw alike for %v of the customers", share)
	}
	if table.Draw(0) != 0 || table.Draw(math.MaxUint64) < 15 {
		t.Error("the ends of the range are not the least and the most")
	}
}
