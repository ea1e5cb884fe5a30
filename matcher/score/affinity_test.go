package score_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/score"
)

func neighbours(funds int, s score.NearestSettings, baskets ...[]int32) *score.Neighbours {
	b := score.NewBaskets(s.MaxBasket)
	for _, basket := range baskets {
		b.Add(basket)
	}
	return b.Neighbours(funds, s)
}

func affinities(n *score.Neighbours, funds int, owned ...int32) []float64 {
	out := slices.Repeat([]float64{math.NaN()}, funds) // what stands there before does not count
	n.Accumulate(owned, out)
	return out
}

var usual = score.NearestSettings{OwnedPower: .5, CandidatePower: .1, Neighbours: 200, MaxBasket: 500}

// By hand: fund 0 is held by 4, fund 1 by 2 (both with 0), fund 2 by 1 (with 0).
func TestAffinityByHand(t *testing.T) {
	n := neighbours(4, usual, []int32{0, 1}, []int32{1, 0, 1}, []int32{0, 2}, []int32{0}, nil)
	if !slices.Equal(n.Holders, []int32{4, 2, 1, 0}) {
		t.Errorf("holders %v", n.Holders)
	}
	got := affinities(n, 4, 0)
	want := []float64{0, 2 / (2 * math.Pow(2, .1)), 1 / (2. * 1), 0}
	for f := range want {
		if math.Abs(got[f]-want[f]) > 1e-15 {
			t.Errorf("with fund 0, fund %d has %v, want %v", f, got[f], want[f])
		}
	}
	// The way back is another number: asymmetric.
	if back := affinities(n, 4, 1)[0]; math.Abs(back-2/(math.Sqrt2*math.Pow(4, .1))) > 1e-15 || back == got[1] {
		t.Errorf("from fund 1 to 0 it is %v", back)
	}
}

// oracle counts pairs in the most obvious way.
func oracle(funds int, baskets [][]int32, s score.NearestSettings, owned []int32) []float64 {
	holders, out := make([]float64, funds), make([]float64, funds)
	for _, b := range baskets {
		for f := range funds {
			if slices.Contains(b, int32(f)) {
				holders[f]++
			}
		}
	}
	for _, x := range owned {
		for y := range funds {
			together := 0.0
			for _, b := range baskets {
				distinct := slices.Compact(slices.Sorted(slices.Values(b)))
				if int(x) != y && len(distinct) <= s.MaxBasket && slices.Contains(b, x) && slices.Contains(b, int32(y)) {
					together++
				}
			}
			if together > 0 {
				out[y] += together / (math.Pow(holders[x], s.OwnedPower) * math.Pow(holders[y], s.CandidatePower))
			}
		}
	}
	return out
}

func TestAffinityAgainstTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		funds := rapid.IntRange(1, 9).Draw(t, "funds")
		fundIndex := rapid.Int32Range(0, int32(funds)-1)
		baskets := rapid.SliceOfN(rapid.SliceOfN(fundIndex, 0, 7), 0, 25).Draw(t, "baskets")
		s := usual
		s.MaxBasket = rapid.IntRange(2, 6).Draw(t, "largest basket")
		owned := slices.Compact(slices.Sorted(slices.Values(rapid.SliceOfN(fundIndex, 0, 5).Draw(t, "owned"))))
		want := oracle(funds, baskets, s, owned)
		got := affinities(neighbours(funds, s, baskets...), funds, owned...)
		for f := range want {
			if math.Abs(got[f]-want[f]) > 1e-12 {
				t.Fatalf("owning %v, fund %d has %v, want %v", owned, f, got[f], want[f])
			}
		}
		// Bit for bit the same in whatever order customers come.
		slices.Reverse(baskets)
		if again := affinities(neighbours(funds, s, baskets...), funds, owned...); !slices.Equal(again, got) {
			t.Fatalf("in reverse order %v, was %v", again, got)
		}
	})
}

func TestOnlyTheNearestNeighboursAreKept(t *testing.T) {
	s := usual
	s.Neighbours = 2
	// With 0: fund 3 three times, 2 twice, 1 and 4 once; 1 and 4 are cut.
	n := neighbours(5, s, []int32{0, 3}, []int32{0, 3}, []int32{0, 3}, []int32{0, 2}, []int32{0, 2}, []int32{0, 1}, []int32{0, 4})
	got := affinities(n, 5, 0)
	if got[3] == 0 || got[2] == 0 || got[1] != 0 || got[4] != 0 {
		t.Errorf("kept %v, want funds 3 and 2", got)
	}
	// Of equals the lower fund is kept, so that nobody's order decides.
	s.Neighbours = 1
	if got := affinities(neighbours(3, s, []int32{0, 2}, []int32{0, 1}), 3, 0); got[1] == 0 || got[2] != 0 {
		t.Errorf("of equals %v is kept, want fund 1", got)
	}
}

func TestFundsOutsideThePoolAreSkipped(t *testing.T) {
	n := neighbours(2, usual, []int32{-1, 0, -1, 1})
	if got := affinities(n, 2, 0); got[1] == 0 || !slices.Equal(n.Holders, []int32{1, 1}) {
		t.Errorf("%v, holders %v", got, n.Holders)
	}
}

// A basket beyond the bound counts its holders and makes no pairs.
func TestABasketTooLargeMakesNoPairs(t *testing.T) {
	s := usual
	s.MaxBasket = 2
	n := neighbours(3, s, []int32{0, 1, 2})
	if got := affinities(n, 3, 0); slices.Max(got) != 0 || !slices.Equal(n.Holders, []int32{1, 1, 1}) {
		t.Errorf("%v, holders %v", got, n.Holders)
	}
}

// nearest are the holdings of a model of before version 3.
func nearest(funds int, baskets ...[]int32) score.Holdings {
	return score.Holdings{Nearest: neighbours(funds, usual, baskets...)}
}
