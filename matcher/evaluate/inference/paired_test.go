package inference_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
)

// before and after are of one published case (scipy's ttest_rel, numpy's percentiles of 200,000 replicates).
func beforeAndAfter(t *testing.T) []float64 {
	t.Helper()
	return must(inference.Differences(
		[]float64{61, 48, 70, 55, 66, 72, 40, 58, 63, 51},
		[]float64{65, 47, 76, 60, 65, 80, 45, 57, 70, 58}))(t)
}

func TestPublishedPairedTests(t *testing.T) {
	d := beforeAndAfter(t)
	r := must(inference.TestPairs(d, .05))(t)
	near(t, "t", r.T, 3.451642814675996, 1e-12)
	near(t, "p", r.P, .007255871356051351, 1e-11)
	near(t, "mean", r.Value, 3.9, 1e-12)
	if r.DF != 9 || !(r.Low > 0 && r.Low < 3.9 && r.High > 3.9) {
		t.Errorf("%+v", r)
	}
	low, high, err := inference.BootstrapPairs(d, inference.Resampling{Replicates: 50_000, Seed: 1, Alpha: .05})
	if err != nil || math.Abs(low-1.7) > .15 || math.Abs(high-5.9) > .15 {
		t.Errorf("bootstrap [%v, %v], %v, expected about [1.7, 5.9]", low, high, err)
	}
	// Hollander and Wolfe's depression data.
	w := must(inference.SignedRanks([]float64{.952, -.147, 1.022, .43, .62, .59, .49, -.08, .01}))(t)
	if w.W != 5 || w.N != 9 || w.Method != inference.ExactRanks {
		t.Errorf("%+v", w)
	}
	near(t, "exact p", w.P, .0390625, 1e-15)
}

// With ties, with zeros and with many differences the normal approximation is scipy's.
func TestRanksByApproximation(t *testing.T) {
	w := must(inference.SignedRanks([]float64{1, -2, 2, 3, -3, 3, 5, 0, 7, -1.5, 4}))(t)
	if w.W != 11.5 || w.N != 10 || w.Method != inference.NormalRanks {
		t.Errorf("%+v", w)
	}
	near(t, "p with ties", w.P, .101799415202487, 1e-12)
	many := []float64{
		-.602, -1.124, -.048, .62, 1.336, .31, -.353, -.585, .949, 1.835, .473, -1.033, -.758, 1.8, .403, -1.532, .116, -.963, -.429, -.288,
		-.513, .753, .137, -.389, .61, 1.03, -1.443, -.057, -.781, .027, -1.089, .221, .162, -.104, -.848, -.196, -.891, -1.155, .425, -.909,
		1.37, .917, -1.798, .472, -.902, .233, .244, -1.788, -.033, -.056, 1.162, -.981, .938, -.899, -.131, -.64, 1.649, .768, 2.632, .842,
	}
	w = must(inference.SignedRanks(many))(t)
	if w.W != 870 || w.Method != inference.NormalRanks {
		t.Errorf("%+v", w)
	}
	near(t, "p of many", w.P, .740438937130804, 1e-12)
	if w := must(inference.SignedRanks(many[:50]))(t); w.Method != inference.ExactRanks {
		t.Errorf("50 differences: %+v, expected exact", w)
	}
	if w := must(inference.SignedRanks(many[:51]))(t); w.Method != inference.NormalRanks {
		t.Errorf("51 differences: %+v, expected the approximation", w)
	}
}

// The exact p-values are the shares of all sign patterns, counted one by one.
func TestExactTestsCountAllPatterns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 9).Draw(t, "n")
		d := rapid.SliceOfNDistinct(rapid.IntRange(1, 40), n, n, rapid.ID[int]).Draw(t, "sizes")
		signs := rapid.IntRange(0, 1<<n-1).Draw(t, "signs")
		slices.Sort(d)
		values := make([]float64, n)
		signed := func(pattern, i int) int { return 1 - 2*(pattern>>i&1) }
		var sum, ranks int
		for i, size := range d {
			values[i] = float64(signed(signs, i) * size)
			sum += signed(signs, i) * size
			ranks += (1 + signed(signs, i)) / 2 * (i + 1)
		}
		total := n * (n + 1) / 2
		least := min(ranks, total-ranks)
		var far, low int
		for pattern := range 1 << n {
			s, r := 0, 0
			for i, size := range d {
				s += signed(pattern, i) * size
				r += (1 + signed(pattern, i)) / 2 * (i + 1)
			}
			if s >= max(sum, -sum) || -s >= max(sum, -sum) {
				far++
			}
			if r <= least {
				low++
			}
		}
		w, err := inference.SignedRanks(values)
		if err != nil || w.Method != inference.ExactRanks || w.W != float64(least) || math.Abs(w.P-min(1, 2*float64(low)/float64(int(1)<<n))) > 1e-12 {
			t.Fatalf("%v: ranks %+v, %v, expected W %d and p %d of %d twice", values, w, err, least, low, 1<<n)
		}
		f, err := inference.FlipSigns(values, 1, 1)
		if err != nil || !f.Exact || f.Patterns != 1<<n || f.P != float64(far)/float64(int(1)<<n) {
			t.Fatalf("%v: randomisation %+v, %v, expected %d of %d", values, f, err, far, 1<<n)
		}
	})
}

// Tenths do not add up exactly: patterns of one sum are counted as such all the same.
func TestPatternsOfOneSum(t *testing.T) {
	if r := must(inference.FlipSigns([]float64{.8, -.7, -.1, .5, -.2}, 1, 1))(t); r.P != 30./32 {
		t.Errorf("p %v, expected 30/32", r.P)
	}
}

// Drawn patterns say what all patterns say, within what so many draws can tell, and the same seed says the same.
func TestDrawnPatterns(t *testing.T) {
	source := rand.New(rand.NewPCG(13, 14))
	few := make([]float64, 20)
	for i := range few {
		few[i] = .35 + source.NormFloat64()
	}
	exact := must(inference.FlipSigns(few, 1, 1))(t)
	// Twenty-one differences of which one is 0 have the same p-value, and are drawn.
	many := append(slices.Clone(few), 0)
	drawn := must(inference.FlipSigns(many, 100_000, 7))(t)
	if drawn.Exact || drawn.Patterns != 100_000 || math.Abs(drawn.P-exact.P) > 4*math.Sqrt(exact.P*(1-exact.P)/100_000) {
		t.Errorf("drawn %+v, exact %+v", drawn, exact)
	}
	if again := must(inference.FlipSigns(many, 100_000, 7))(t); *again != *drawn {
		t.Errorf("%+v, and again %+v", drawn, again)
	}
	if other := must(inference.FlipSigns(many, 100_000, 8))(t); other.P == drawn.P {
		t.Error("another seed draws the same patterns")
	}
	// More differences than bits of a word: as far from 0 as they can be, no draw is as far.
	all := slices.Repeat([]float64{1}, 200)
	if r := must(inference.FlipSigns(all, 999, 1))(t); r.P != 1./1000 {
		t.Errorf("200 differences of 1: p %v, expected 1/1000, which is never 0", r.P)
	}
}

// The bootstrap of independent arms is about the normal interval, and paired arms that are alike have a narrow one.
func TestBootstrapOfArms(t *testing.T) {
	source := rand.New(rand.NewPCG(15, 16))
	a, b := make([]float64, 400), make([]float64, 300)
	for i := range a {
		a[i] = source.NormFloat64()
	}
	for i := range b {
		b[i] = 1 + 2*source.NormFloat64()
	}
	e := must(must(inference.Difference(momentsOf(a), momentsOf(b)))(t).Welch(.1))(t)
	low, high, err := inference.BootstrapArms(a, b, inference.Resampling{Replicates: 5000, Seed: 3, Alpha: .1})
	if half := (e.High - e.Low) / 2; err != nil || math.Abs(low-e.Low) > .1*half || math.Abs(high-e.High) > .1*half {
		t.Errorf("bootstrap [%v, %v], %v, expected about [%v, %v]", low, high, err, e.Low, e.High)
	}
	again, _, _ := inference.BootstrapArms(a, b, inference.Resampling{Replicates: 5000, Seed: 3, Alpha: .1})
	other, _, _ := inference.BootstrapArms(a, b, inference.Resampling{Replicates: 5000, Seed: 4, Alpha: .1})
	if again != low || other == low {
		t.Errorf("low end %v, again %v, by another seed %v", low, again, other)
	}
	if low, high, err := inference.BootstrapPairs([]float64{2, 2, 2}, inference.Resampling{Replicates: 2, Seed: 1, Alpha: .05}); err != nil || low != 2 || high != 2 {
		t.Errorf("[%v, %v], %v, expected [2, 2]", low, high, err)
	}
}

func TestPairedTestsThatCannotBeTold(t *testing.T) {
	nan := math.NaN()
	fine := inference.Resampling{Replicates: 10, Seed: 1, Alpha: .05}
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"no pairs":              {second(inference.Differences([]float64{1}, nil)), inference.ErrValue},
		"a pair with NaN":       {second(inference.Differences([]float64{1}, []float64{nan})), inference.ErrValue},
		"t of one":              {second(inference.TestPairs([]float64{1}, .05)), inference.ErrTooFew},
		"t of the same":         {second(inference.TestPairs([]float64{1, 1}, .05)), inference.ErrNoSpread},
		"t at alpha 2":          {second(inference.TestPairs([]float64{1, 2}, 2)), inference.ErrOptions},
		"t of NaN":              {second(inference.TestPairs([]float64{1, nan}, .05)), inference.ErrValue},
		"ranks of zeros":        {second(inference.SignedRanks([]float64{0, 0})), inference.ErrTooFew},
		"ranks of infinity":     {second(inference.SignedRanks([]float64{math.Inf(1)})), inference.ErrValue},
		"signs of nothing":      {second(inference.FlipSigns(nil, 10, 1)), inference.ErrTooFew},
		"signs never":           {second(inference.FlipSigns([]float64{1}, 0, 1)), inference.ErrOptions},
		"signs too often":       {second(inference.FlipSigns([]float64{1}, inference.MaxReplicates+1, 1)), inference.ErrOptions},
		"bootstrap of nothing":  {third(inference.BootstrapPairs(nil, fine)), inference.ErrTooFew},
		"bootstrap of one arm":  {third(inference.BootstrapArms([]float64{1}, nil, fine)), inference.ErrTooFew},
		"bootstrap of NaN":      {third(inference.BootstrapPairs([]float64{nan}, fine)), inference.ErrValue},
		"bootstrap once":        {third(inference.BootstrapPairs([]float64{1}, inference.Resampling{Replicates: 1, Alpha: .05})), inference.ErrOptions},
		"bootstrap at alpha 0":  {third(inference.BootstrapPairs([]float64{1}, inference.Resampling{Replicates: 10})), inference.ErrOptions},
		"bootstrap without end": {third(inference.BootstrapPairs([]float64{1}, inference.Resampling{Replicates: 1 << 40, Alpha: .05})), inference.ErrOptions},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, expected %v", name, c.err, c.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func third[T any](_, _ T, err error) error { return err }
