package inference_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
)

// Published values (GrowthBook's tests of its statistics).
func TestPublishedSampleRatios(t *testing.T) {
	for _, c := range []struct {
		users    []int64
		weights  []float64
		p        float64
		mismatch bool
	}{
		{[]int64{1000, 1200}, []float64{.5, .5}, 2.007865612426481e-05, true},
		{[]int64{310, 98}, []float64{.75, .25}, .647434185701797, false},
		{[]int64{310, 98}, []float64{3, 1}, .647434185701797, false},
		{[]int64{0, 10, 10}, []float64{.34, .33, .33}, .0057906244034232005, false},
		{[]int64{500, 500}, []float64{.5, .5}, 1, false},
		{[]int64{0, 1 << 50}, []float64{.5, .5}, 0, true},
	} {
		r := must(inference.SampleRatio(c.users, c.weights))(t)
		near(t, "p", r.P, c.p, 1e-12)
		if r.Mismatch() != c.mismatch || r.DF != len(c.users)-1 || len(r.Expected) != len(c.users) {
			t.Errorf("%v against %v: %+v", c.users, c.weights, r)
		}
	}
}

func TestSampleRatiosThatMeanNothing(t *testing.T) {
	for _, c := range []struct {
		users   []int64
		weights []float64
		want    error
	}{
		{[]int64{1}, []float64{1}, inference.ErrOptions},
		{[]int64{1, 2}, []float64{1}, inference.ErrOptions},
		{[]int64{1, 2}, []float64{1, 0}, inference.ErrOptions},
		{[]int64{1, 2}, []float64{1, math.NaN()}, inference.ErrOptions},
		{[]int64{1, -2}, []float64{1, 1}, inference.ErrValue},
		{[]int64{0, 0}, []float64{1, 1}, inference.ErrTooFew},
	} {
		if _, err := inference.SampleRatio(c.users, c.weights); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// The test of a contingency table agrees with scipy's.
func TestSameShare(t *testing.T) {
	r := must(inference.SameShare([]int64{30, 45, 10}, []int64{100, 125, 100}))(t)
	near(t, "chi2", r.Chi2, 20.551470588235297, 1e-12)
	near(t, "p", r.P, 3.445917409835353e-05, 1e-10)
	near(t, "expected", r.Expected[1], 32.69230769230769, 1e-12)
	for _, events := range [][]int64{{0, 0}, {5, 7}} {
		if r := must(inference.SameShare(events, []int64{5, 7}))(t); r.P != 1 || r.Mismatch() {
			t.Errorf("%v of 5 and 7: %+v, expected no difference", events, r)
		}
	}
	for _, c := range []struct {
		events, customers []int64
		want              error
	}{
		{[]int64{1}, []int64{2}, inference.ErrOptions},
		{[]int64{0, 1}, []int64{0, 2}, inference.ErrTooFew},
		{[]int64{3, 1}, []int64{2, 2}, inference.ErrValue},
		{[]int64{-1, 1}, []int64{2, 2}, inference.ErrValue},
	} {
		if _, err := inference.SameShare(c.events, c.customers); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestAdjustedPValues(t *testing.T) {
	p := []float64{.01, .04, .03, .005, .55, .6}
	for i, want := range []float64{.05, .12, .12, .03, 1, 1} {
		near(t, "Holm", inference.Holm(p)[i], want, 1e-12)
	}
	// R: p.adjust(p, "BH").
	for i, want := range []float64{.03, .06, .06, .03, .6, .6} {
		near(t, "Benjamini-Hochberg", inference.BenjaminiHochberg(p)[i], want, 1e-12)
	}
	if p[0] != .01 {
		t.Error("what was given was changed")
	}
	// What could not be compared is not counted.
	with := inference.Holm([]float64{math.NaN(), .01, .04})
	if !math.IsNaN(with[0]) || math.Abs(with[1]-.02) > 1e-15 || with[2] != .04 {
		t.Errorf("%v, expected [NaN .02 .04]", with)
	}
	if len(inference.Holm(nil)) != 0 || len(inference.BenjaminiHochberg(nil)) != 0 {
		t.Error("nothing adjusted is something")
	}
}

// By the definitions, one by one: the smallest alpha at which the procedure takes the p-value.
func TestAdjustedPValuesByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 12).Draw(t, "p")
		holm, bh := inference.Holm(p), inference.BenjaminiHochberg(p)
		sorted := slices.Sorted(slices.Values(p))
		m := float64(len(p))
		for i, v := range p {
			rank := slices.Index(sorted, v) // of equal ones the first
			last := len(sorted) - 1
			for sorted[last] != v {
				last--
			}
			wantHolm, wantBH := 0.0, 1.0
			for j := 0; j <= last; j++ {
				wantHolm = max(wantHolm, min(1, sorted[j]*(m-float64(j))))
			}
			for j := rank; j < len(sorted); j++ {
				wantBH = min(wantBH, sorted[j]*m/float64(j+1))
			}
			if rank == last && math.Abs(holm[i]-wantHolm) > 1e-12 || math.Abs(bh[i]-wantBH) > 1e-12 {
				t.Fatalf("%v: Holm %v, expected %v; BH %v, expected %v", p, holm[i], wantHolm, bh[i], wantBH)
			}
			if holm[i] < v || bh[i] < v-1e-15 || bh[i] > holm[i]+1e-12 {
				t.Fatalf("p %v: Holm %v, BH %v: expected p <= BH <= Holm", v, holm[i], bh[i])
			}
		}
	})
}
