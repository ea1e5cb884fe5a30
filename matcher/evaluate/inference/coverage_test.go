package inference_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
)

// Of 4,000 experiments without an effect 95 % of the intervals hold 0, by Welch and by CUPED, absolute and relative: metrics
// are skewed, arms of unlike size and spread. 2.576 standard errors of 4,000 about .95 are .0089.
func TestIntervalsCoverWithoutAnEffect(t *testing.T) {
	const worlds = 4000
	source := rand.New(rand.NewPCG(7, 8))
	covered := map[string]int{}
	draw := func(n int, spread float64) (p inference.Pairs) {
		for range n {
			x := source.ExpFloat64()
			p.Add(x, 3+x+spread*source.NormFloat64())
		}
		return p
	}
	for range worlds {
		a, b := draw(300, 1), draw(150, 2)
		theta := must(inference.Theta(a, b))(t)
		for name, c := range map[string]inference.Contrast{
			"Welch":          must(inference.Difference(a.Post(), b.Post()))(t),
			"relative":       must(inference.Relative(a.Post(), b.Post()))(t),
			"CUPED":          must(inference.Adjusted(a, b, theta))(t),
			"CUPED relative": must(inference.AdjustedRelative(a, b, theta))(t),
		} {
			if e := must(c.Welch(.05))(t); e.Low <= 0 && 0 <= e.High {
				covered[name]++
			}
		}
	}
	for _, name := range []string{"Welch", "relative", "CUPED", "CUPED relative"} {
		if rate := float64(covered[name]) / worlds; math.Abs(rate-.95) > .0095 {
			t.Errorf("%s: %.4f of the intervals hold 0, expected .95", name, rate)
		} else {
			t.Logf("%s: %.4f", name, rate)
		}
	}
}

// Of 1,000 experiments without an effect, looked at after each 100 customers from 200 to 4,000, at most 5 % ever see a
// sequential interval without 0, or a p-value below .05; with Welch's, a quarter do.
func TestSequentialIntervalsHoldUnderPeeking(t *testing.T) {
	const worlds = 1000
	source := rand.New(rand.NewPCG(9, 10))
	var absolute, relative, byP, welch int
	for range worlds {
		var a, b inference.Moments
		var outAbsolute, outRelative, outP, outWelch bool
		for a.N < 2000 {
			for range 50 {
				a.Add(5 + source.NormFloat64())
				b.Add(5 + 2*source.NormFloat64())
			}
			if a.N < 100 {
				continue
			}
			c := must(inference.Difference(a, b))(t)
			e := must(c.Sequential(.05, 1000))(t)
			outAbsolute = outAbsolute || e.Low > 0 || e.High < 0
			outP = outP || e.P < .05
			e = must(must(inference.Relative(a, b))(t).Sequential(.05, 1000))(t)
			outRelative = outRelative || e.Low > 0 || e.High < 0
			e = must(c.Welch(.05))(t)
			outWelch = outWelch || e.Low > 0 || e.High < 0
		}
		for to, out := range map[*int]bool{&absolute: outAbsolute, &relative: outRelative, &byP: outP, &welch: outWelch} {
			if out {
				*to++
			}
		}
	}
	t.Logf("ever without 0: sequential %d, relative %d, by p %d, Welch %d of %d", absolute, relative, byP, welch, worlds)
	if absolute > worlds/20 || relative > worlds/20 || byP != absolute {
		t.Errorf("sequential intervals were without 0 in %d, relative in %d, p below .05 in %d of %d experiments without an effect", absolute, relative, byP, worlds)
	}
	if welch < worlds/5 {
		t.Errorf("only %d looks at Welch's interval deceive: the simulation would not see a wrong one", welch)
	}
}

// Without a mismatch the p-values of the sample ratio are uniform, by Kolmogorov and Smirnov at .001, and one of a thousand
// is below the threshold.
func TestSampleRatioIsUniform(t *testing.T) {
	const worlds = 4000
	source := rand.New(rand.NewPCG(11, 12))
	weights := []float64{.5, .3, .2}
	var p []float64
	for range worlds {
		customers := make([]int64, 3)
		for range 3000 {
			u := source.Float64()
			switch {
			case u < .5:
				customers[0]++
			case u < .8:
				customers[1]++
			default:
				customers[2]++
			}
		}
		p = append(p, must(inference.SampleRatio(customers, weights))(t).P)
	}
	slices.Sort(p)
	most := 0.0
	for i, v := range p {
		most = max(most, math.Abs(v-float64(i+1)/worlds), math.Abs(v-float64(i)/worlds))
	}
	if critical := 1.95 / math.Sqrt(worlds); most > critical {
		t.Errorf("p-values are up to %.4f from uniform, expected at most %.4f", most, critical)
	}
}
