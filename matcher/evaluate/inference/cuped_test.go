package inference_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
)

func TestPublishedTheta(t *testing.T) {
	p := pairsOf([]float64{.3, .5, .9, 22}, []float64{2, 1, 5, 3})
	near(t, "theta", must(inference.Theta(p, p))(t), .018637909653276864, 1e-14)
}

// arm draws customers whose metric goes on from before.
func arm(source *rand.Rand, n int, lift float64) (pre, post []float64) {
	for range n {
		x := 10 + 3*source.NormFloat64()
		pre = append(pre, x)
		post = append(post, 5+.8*x+2*source.NormFloat64()+lift)
	}
	return pre, post
}

// CUPED by other code: theta from two passes over all customers, and Welch on what is left of each customer's metric.
func TestAdjustedAgainstOtherCode(t *testing.T) {
	source := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		preA, postA := arm(source, 5+source.IntN(60), 0)
		preB, postB := arm(source, 5+source.IntN(60), .5)
		pre, post := append(append([]float64{}, preA...), preB...), append(append([]float64{}, postA...), postB...)
		meanPre, variancePre := naive(pre)
		meanPost, _ := naive(post)
		covariance := 0.0
		for i := range pre {
			covariance += (pre[i] - meanPre) * (post[i] - meanPost) / float64(len(pre)-1)
		}
		want := covariance / variancePre
		a, b := pairsOf(preA, postA), pairsOf(preB, postB)
		theta := must(inference.Theta(a, b))(t)
		near(t, "theta", theta, want, 1e-9)

		residual := func(pre, post []float64) (out []float64) {
			for i := range pre {
				out = append(out, post[i]-want*(pre[i]-meanPre))
			}
			return out
		}
		left := must(inference.Difference(momentsOf(residual(preA, postA)), momentsOf(residual(preB, postB))))(t)
		got := must(inference.Adjusted(a, b, theta))(t)
		near(t, "difference", got.Value, left.Value, 1e-9)
		near(t, "variance", got.Variance, left.Variance, 1e-9)
		near(t, "df", got.DF, left.DF, 1e-9)

		// Relative: the same value as of the adjusted means, and the variance by slopes that are measured.
		relative := must(inference.AdjustedRelative(a, b, theta))(t)
		ratio := func(preC, postC, preT, postT float64) float64 {
			shareC := float64(a.N) / float64(a.N+b.N)
			middle := shareC*preC + (1-shareC)*preT
			return (postT-theta*(preT-middle))/(postC-theta*(preC-middle)) - 1
		}
		at := [4]float64{a.MeanPre, a.MeanPost, b.MeanPre, b.MeanPost}
		near(t, "relative", relative.Value, ratio(at[0], at[1], at[2], at[3]), 1e-9)
		var slope [4]float64
		for i := range slope {
			const h = 1e-5
			up, down := at, at
			up[i] += h
			down[i] -= h
			slope[i] = (ratio(up[0], up[1], up[2], up[3]) - ratio(down[0], down[1], down[2], down[3])) / (2 * h)
		}
		variance := 0.0
		for i, p := range []inference.Pairs{a, b} {
			x, y, n := slope[2*i], slope[2*i+1], float64(p.N)
			variance += (x*x*p.PrePre + 2*x*y*p.PrePost + y*y*p.PostPost) / (n - 1) / n
		}
		near(t, "relative variance", relative.Variance, variance, 1e-5)
	}
}

// Without a slope CUPED is Welch.
func TestAdjustedWithoutThetaIsWelch(t *testing.T) {
	source := rand.New(rand.NewPCG(5, 6))
	a, b := pairsOf(arm(source, 30, 0)), pairsOf(arm(source, 40, 1))
	for name, c := range map[string][2]inference.Contrast{
		"difference": {must(inference.Adjusted(a, b, 0))(t), must(inference.Difference(a.Post(), b.Post()))(t)},
		"relative":   {must(inference.AdjustedRelative(a, b, 0))(t), must(inference.Relative(a.Post(), b.Post()))(t)},
	} {
		near(t, name, c[0].Value, c[1].Value, 1e-14)
		near(t, name+" variance", c[0].Variance, c[1].Variance, 1e-12)
	}
}

func TestAdjustedThatCannotBeTold(t *testing.T) {
	some := pairsOf([]float64{1, 2, 3}, []float64{4, 4, 5})
	flat := pairsOf([]float64{7, 7}, []float64{1, 2})
	if _, err := inference.Theta(flat, flat); !errors.Is(err, inference.ErrNoSpread) {
		t.Errorf("one value of before: %v", err)
	}
	if theta, err := inference.Theta(inference.Pairs{}, inference.Pairs{}); !errors.Is(err, inference.ErrTooFew) || !math.IsNaN(theta) {
		t.Errorf("nobody: %v, %v", theta, err)
	}
	if _, err := inference.Adjusted(inference.Pairs{}, some, 1); !errors.Is(err, inference.ErrTooFew) {
		t.Errorf("no control: %v", err)
	}
	// What is wholly foretold has no spread left.
	line := pairsOf([]float64{1, 2, 3}, []float64{2, 4, 6})
	if _, err := inference.Adjusted(line, line, 2); !errors.Is(err, inference.ErrNoSpread) {
		t.Errorf("nothing left: %v", err)
	}
	loss := pairsOf([]float64{1, 2, 3}, []float64{-4, -4, -5})
	if _, err := inference.AdjustedRelative(loss, some, 0); !errors.Is(err, inference.ErrBase) {
		t.Errorf("share of a loss: %v", err)
	}
}
