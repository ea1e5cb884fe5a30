package synthetic

import (
	"math"
	"testing"
)

func TestStreamsOfNeighboursDiffer(t *testing.T) {
	seen := map[float64]bool{}
	for seed := range uint64(20) {
		for kind := marketStream; kind <= storyStream; kind++ {
			for index := -3; index < 50; index++ {
				seen[newStream(seed, kind, index).float()] = true
			}
		}
	}
	if want := 20 * int(storyStream) * 53; len(seen) != want {
		t.Fatalf("%d different first numbers, expected %d", len(seen), want)
	}
}

func TestStreamDrawsWhatItSays(t *testing.T) {
	const n = 200_000
	s := newStream(7, customerStream, 0)
	var sum, squares float64
	for range n {
		x := s.normal()
		sum += x
		squares += x * x
	}
	if mean, sd := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 0.01 || math.Abs(sd-1) > 0.01 {
		t.Errorf("normal: mean %.4f, standard deviation %.4f, expected 0 and 1", mean, sd)
	}
	hits := 0
	for range n {
		if s.chance(0.3) {
			hits++
		}
		if x := s.between(-2, 3); x < -2 || x > 3 {
			t.Fatalf("between(-2, 3) = %d", x)
		}
		if x := s.quantile([]float64{10, 20, 400}); x < 10 || x >= 400 {
			t.Fatalf("quantile = %v, expected [10, 400)", x)
		}
	}
	if share := float64(hits) / n; math.Abs(share-0.3) > 0.01 {
		t.Errorf("chance(0.3) is true in %.3f", share)
	}
}

func TestPickFollowsItsWeights(t *testing.T) {
	s := newStream(7, customerStream, 1)
	weights := []float64{0, 3, 0, 1, 0}
	var counts [5]int
	for range 100_000 {
		counts[s.pick(weights)]++
	}
	if counts[0]+counts[2]+counts[4] != 0 {
		t.Errorf("a weight of 0 was picked: %v", counts)
	}
	if ratio := float64(counts[1]) / float64(counts[3]); math.Abs(ratio-3) > 0.15 {
		t.Errorf("weights 3:1 were picked %v", counts)
	}
	if got := s.pick([]float64{0, 0}); got != -1 {
		t.Errorf("pick among zeros = %d, expected -1", got)
	}
}
