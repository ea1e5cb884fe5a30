package evaluate_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate"
)

// panelOf observes customers in one stratum.
func panelOf(values ...float64) *evaluate.Panel {
	p := &evaluate.Panel{Strata: [][]int32{nil}, Series: [][][]float64{{values}}}
	for i := range values {
		p.Clusters = append(p.Clusters, fmt.Sprintf("C%05d", i))
		p.Strata[0] = append(p.Strata[0], int32(i))
	}
	return p
}

func first(m evaluate.Means) float64 { return m[0][0] }

func resample(t *testing.T, b evaluate.Bootstrap, p *evaluate.Panel, workers int) *evaluate.Resampled {
	t.Helper()
	r, err := b.Resample(p, workers)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Two strata, two series; in the second series the customer of the middle does not count.
func TestPanelMeans(t *testing.T) {
	nan := math.NaN()
	p := &evaluate.Panel{
		Clusters: []string{"a", "b", "c"},
		Strata:   [][]int32{{0, 1, 2}, {2}},
		Series:   [][][]float64{{{1, 2, 6}, {5}}, {{1, nan, 2}, {nan}}},
	}
	means, err := p.Means()
	if err != nil {
		t.Fatal(err)
	}
	if means[0][0] != 3 || means[0][1] != 5 || means[1][0] != 1.5 || !math.IsNaN(means[1][1]) {
		t.Errorf("means %v, expected [[3 5] [1.5 NaN]]", means)
	}
}

// The interval of a mean of independent customers is the normal one, within what 2,000
// replicates can tell.
func TestIntervalOfAMean(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, 4000)
	sum, squares := 0.0, 0.0
	for i := range values {
		values[i] = source.Float64()
		sum += values[i]
		squares += values[i] * values[i]
	}
	n := float64(len(values))
	mean := sum / n
	half := 1.96 * math.Sqrt((squares/n-mean*mean)/n)
	ci := resample(t, evaluate.DefaultBootstrap(), panelOf(values...), 2).Interval(first)
	if math.Abs(ci.Low-(mean-half)) > .15*half || math.Abs(ci.High-(mean+half)) > .15*half {
		t.Errorf("interval [%v, %v], expected about [%v, %v]", ci.Low, ci.High, mean-half, mean+half)
	}
}

// All rows of a customer are drawn together: ten copies of every row say no more than one,
// where a bootstrap over rows would give a third of the width.
func TestRowsOfACustomerComeTogether(t *testing.T) {
	source := rand.New(rand.NewPCG(3, 4))
	values := make([]float64, 500)
	for i := range values {
		values[i] = source.Float64()
	}
	once := panelOf(values...)
	often := panelOf(values...)
	often.Strata[0] = slices.Repeat(often.Strata[0], 10)
	often.Series[0][0] = slices.Repeat(often.Series[0][0], 10)
	b := evaluate.DefaultBootstrap()
	a, c := resample(t, b, once, 1).Interval(first), resample(t, b, often, 1).Interval(first)
	if math.Abs(a.Low-c.Low) > 1e-9 || math.Abs(a.High-c.High) > 1e-9 {
		t.Errorf("%v once, %v ten times, expected the same", a, c)
	}
}

// Nine of ten 90 % intervals cover what they are about, where customers have rows in
// several splits that are alike. 300 seeded worlds: 2.576 standard errors about .9.
func TestIntervalsCover(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates 300 worlds")
	}
	const worlds, customers, truth = 300, 150, .4
	covered := 0
	for world := range worlds {
		source := rand.New(rand.NewPCG(uint64(world), 5))
		p := &evaluate.Panel{Strata: make([][]int32, 3), Series: [][][]float64{make([][]float64, 3)}}
		for c := range int32(customers) {
			p.Clusters = append(p.Clusters, fmt.Sprintf("%d-%d", world, c))
			taste := 0.0
			if source.Float64() < truth {
				taste = 1
			}
			for s := range p.Strata {
				if source.Float64() < .7 {
					p.Strata[s] = append(p.Strata[s], c)
					p.Series[0][s] = append(p.Series[0][s], taste)
				}
			}
		}
		b := evaluate.Bootstrap{Replicates: 400, Seed: uint64(world), Level: .9}
		ci := resample(t, b, p, 2).Interval(func(m evaluate.Means) float64 { return evaluate.Mean(m[0], evaluate.Skip) })
		if ci.Low <= truth && truth <= ci.High {
			covered++
		}
	}
	if rate := float64(covered) / worlds; math.Abs(rate-.9) > 2.576*math.Sqrt(.9*.1/worlds)+.01 {
		t.Errorf("%.3f of the 90 %% intervals cover the truth", rate)
	}
}

// The difference of two series on the same customers is as narrow as their pairs are alike.
func TestDifferencesArePaired(t *testing.T) {
	source := rand.New(rand.NewPCG(6, 7))
	a, b := make([]float64, 1000), make([]float64, 1000)
	for i := range a {
		a[i] = source.Float64()
		b[i] = a[i] - .01
	}
	p := panelOf(a...)
	p.Series = append(p.Series, [][]float64{b})
	ci := resample(t, evaluate.DefaultBootstrap(), p, 2).Interval(func(m evaluate.Means) float64 { return m[0][0] - m[1][0] })
	if math.Abs(ci.Low-.01) > 1e-9 || math.Abs(ci.High-.01) > 1e-9 {
		t.Errorf("%v, expected [.01, .01]", ci)
	}
}

// Draws are Poisson(1): mean and variance 1, and e^-1 of the customers not there.
func TestDrawsArePoisson(t *testing.T) {
	// Of one customer with the value 1 and one with 0 the mean is w/(w+v): NaN when
	// neither is there, e^-2 of the time, and 1 when only the first is.
	p := panelOf(1, 0)
	r := resample(t, evaluate.Bootstrap{Replicates: 200_000, Seed: 9, Level: .95}, p, 2)
	neither, only, n := 0, 0, 0
	r.Interval(func(m evaluate.Means) float64 {
		n++
		switch {
		case math.IsNaN(m[0][0]):
			neither++
		case m[0][0] == 1:
			only++
		}
		return m[0][0]
	})
	e := math.Exp(-1)
	for name, c := range map[string]struct {
		got  int
		want float64
	}{"neither": {neither, e * e}, "only the first": {only, e * (1 - e)}} {
		sigma := math.Sqrt(c.want * (1 - c.want) / float64(n))
		if got := float64(c.got) / float64(n); math.Abs(got-c.want) > 4*sigma {
			t.Errorf("%s: %v, expected %v within %v", name, got, c.want, 4*sigma)
		}
	}
}

// Workers, and the order and numbers of the customers, change no bit; the seed and the id do.
func TestResamplingIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "customers")
		values := rapid.SliceOfN(rapid.Float64Range(0, 1), n, n).Draw(t, "values")
		b := evaluate.Bootstrap{Replicates: rapid.IntRange(2, 50).Draw(t, "replicates"), Seed: rapid.Uint64().Draw(t, "seed"), Level: .9}
		p := panelOf(values...)
		one, err := b.Resample(p, 1)
		if err != nil {
			t.Fatal(err)
		}
		many, err := b.Resample(p, rapid.IntRange(2, 9).Draw(t, "workers"))
		if err != nil {
			t.Fatal(err)
		}
		if x, y := one.Interval(first), many.Interval(first); x != y && !math.IsNaN(x.Low) {
			t.Fatalf("%v on one worker, %v on several", x, y)
		}
		renumbered := panelOf(values...)
		renumbered.Clusters = append([]string{"nobody"}, renumbered.Clusters...)
		for i := range renumbered.Strata[0] {
			renumbered.Strata[0][i]++
		}
		other, err := b.Resample(renumbered, 1)
		if err != nil {
			t.Fatal(err)
		}
		if x, y := one.Interval(first), other.Interval(first); x != y && !math.IsNaN(x.Low) {
			t.Fatalf("%v, and %v with a customer more who was not observed", x, y)
		}
	})
}

func TestSeedsAndIdsMatter(t *testing.T) {
	values := []float64{.1, .9, .3, .4, .8, .2, .7}
	b := evaluate.Bootstrap{Replicates: 20, Seed: 1, Level: .9}
	base := resample(t, b, panelOf(values...), 1).Interval(first)
	b.Seed = 2
	if other := resample(t, b, panelOf(values...), 1).Interval(first); other == base {
		t.Error("another seed gave the same interval")
	}
	b.Seed = 1
	p := panelOf(values...)
	p.Clusters[0] = "another"
	if other := resample(t, b, p, 1).Interval(first); other == base {
		t.Error("another id gave the same interval")
	}
}

// The ends lie between the nearest replicates.
func TestIntervalOfKnownReplicates(t *testing.T) {
	p := panelOf(1)
	r := resample(t, evaluate.Bootstrap{Replicates: 5, Seed: 1, Level: .5}, p, 1)
	i := 0.0
	ci := r.Interval(func(evaluate.Means) float64 { i++; return i }) // 1 to 5
	if ci != (evaluate.Interval{Low: 2, High: 4}) {
		t.Errorf("%v, expected [2, 4]", ci)
	}
	i = 0
	ci = r.Interval(func(evaluate.Means) float64 {
		if i++; i > 2 {
			return math.NaN()
		}
		return i
	})
	if ci != (evaluate.Interval{Low: 1.25, High: 1.75}) {
		t.Errorf("of two that can be told: %v, expected [1.25, 1.75]", ci)
	}
	if ci = r.Interval(func(evaluate.Means) float64 { return math.NaN() }); !math.IsNaN(ci.Low) || !math.IsNaN(ci.High) {
		t.Errorf("of none: %v, expected NaN", ci)
	}
}

func TestPanelsThatAreNone(t *testing.T) {
	short := panelOf(1, 2)
	short.Series[0][0] = short.Series[0][0][:1]
	strata := panelOf(1, 2)
	strata.Series[0] = nil
	beyond := panelOf(1, 2)
	beyond.Strata[0][1] = 2
	negative := panelOf(1, 2)
	negative.Strata[0][1] = -1
	for name, p := range map[string]*evaluate.Panel{"a value short": short, "a stratum short": strata, "a cluster that is not there": beyond, "a negative one": negative} {
		if _, err := p.Means(); !errors.Is(err, evaluate.ErrPanel) {
			t.Errorf("%s: means gave %v", name, err)
		}
		if _, err := evaluate.DefaultBootstrap().Resample(p, 1); !errors.Is(err, evaluate.ErrPanel) {
			t.Errorf("%s: resample gave %v", name, err)
		}
	}
	for _, b := range []evaluate.Bootstrap{{Replicates: 1, Level: .9}, {Replicates: 9}, {Replicates: 9, Level: 1}, {Replicates: 9, Level: math.NaN()}} {
		if _, err := b.Resample(panelOf(1), 1); !errors.Is(err, evaluate.ErrPanel) {
			t.Errorf("%+v: %v", b, err)
		}
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func BenchmarkResample(b *testing.B) {
	values := make([]float64, 90_000)
	p := panelOf(values...)
	for range 5 {
		p.Series = append(p.Series, [][]float64{values})
	}
	boot := evaluate.Bootstrap{Replicates: 20, Seed: 1, Level: .95}
	for b.Loop() {
		if _, err := boot.Resample(p, 1); err != nil {
			b.Fatal(err)
		}
	}
}
