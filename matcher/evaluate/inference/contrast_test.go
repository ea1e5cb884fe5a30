package inference_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
)

// near compares within a share of the size of what is expected.
func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
		t.Errorf("%s: %v, expected %v", name, got, want)
	}
}

// must gives a value, and fails the test where there is an error in its place.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func momentsOf(values []float64) (m inference.Moments) {
	for _, v := range values {
		m.Add(v)
	}
	return m
}

func pairsOf(pre, post []float64) (p inference.Pairs) {
	for i := range pre {
		p.Add(pre[i], post[i])
	}
	return p
}

// Published values (GrowthBook's tests of its statistics).
func TestPublishedContrasts(t *testing.T) {
	b := must(inference.MomentsOf(3461, 2422.7, 134698.29))(t)
	a := must(inference.MomentsOf(3407, 1396.87, 52377.9767))(t)
	c := must(inference.Relative(a, b))(t)
	e := must(c.Welch(.05))(t)
	near(t, "effect", e.Value, .7073170731707317, 1e-12)
	near(t, "stderr", e.StdErr, .3787943616681428, 1e-12)
	near(t, "low", e.Low, -.03526008906611777, 1e-10)
	near(t, "high", e.High, 1.449894235407581, 1e-10)
	near(t, "p", e.P, .06191182745618362, 1e-10)

	a = must(inference.MomentsOf(3000, 1396.87, 52377.9767))(t)
	c = must(inference.Relative(a, b))(t)
	e = must(c.Sequential(.05, 1000))(t)
	near(t, "sequential effect", e.Value, .5033610858562358, 1e-12)
	near(t, "sequential low", e.Low, -.5584405051077315, 1e-10)
	near(t, "sequential high", e.High, 1.5651626768202032, 1e-10)
	if e.P != 1 {
		t.Errorf("sequential p: %v, expected 1", e.P)
	}
}

// The tails of Student's t agree with scipy's over all degrees of freedom that experiments have.
func TestStudentsTails(t *testing.T) {
	for _, c := range []struct{ df, q975, q9995, p33, p001, p12 float64 }{
		{1.2, 8.648826523031977, 226.5375672912979, 0.15314803541065, 0.9934197700042684, 0.03385848564162726},
		{2, 4.302652729911275, 31.599054577041514, 0.08084769380366798, 0.992929108958201, 0.00687293367715846},
		{5.5, 2.501858612469493, 6.350817503892954, 0.01864806642069366, 0.9923740198995527, 3.748050062923347e-05},
		{30, 2.0422724563012373, 3.6459586349971502, 0.002499307439798052, 0.9920874925731777, 5.580185415199261e-13},
		{181.3, 1.9731350676375279, 3.3449972442237277, 0.0011640894988351961, 0.9920322825512016, 8.538461539676583e-25},
		{6865.4, 1.9603095845639205, 3.2919444985955795, 0.0009717781870758614, 0.9920215779255188, 7.559629627764911e-33},
		{1e5, 1.9599877075346093, 3.2906240314119133, 0.0009671862623271419, 0.9920213073188231, 3.7445058119564235e-33},
		{1e7, 1.959964221767205, 3.290527704465253, 0.0009668516641929645, 0.9920212875702179, 3.554832050934651e-33},
		{1e9, 1.959963986912325, 3.2905267412216563, 0.0009668483185617753, 0.9920212873727317, 3.552982897741076e-33},
		{1e12, 1.9599639845424262, 3.290526731501655, 0.0009668482848013483, 0.9920212873707388, 3.5529642428288514e-33},
	} {
		contrast := func(z float64) inference.Contrast {
			return inference.Contrast{Value: z, Variance: 1, DF: c.df, N: 10}
		}
		for _, q := range []struct{ alpha, want float64 }{{.05, c.q975}, {.001, c.q9995}} {
			e := must(contrast(0).Welch(q.alpha))(t)
			if !(math.Abs(e.High/q.want-1) < 1e-8) || e.Low != -e.High {
				t.Errorf("df %v, alpha %v: interval [%v, %v], expected ± %v", c.df, q.alpha, e.Low, e.High, q.want)
			}
		}
		for _, p := range []struct{ z, want float64 }{{3.3, c.p33}, {-.01, c.p001}, {12, c.p12}} {
			e := must(contrast(p.z).Welch(.05))(t)
			if !(math.Abs(e.P/p.want-1) < 1e-8) {
				t.Errorf("df %v, t %v: p %v, expected %v", c.df, p.z, e.P, p.want)
			}
		}
	}
}

// naive are the mean and the sample variance of values in two passes.
func naive(values []float64) (mean, variance float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		variance += (v - mean) * (v - mean) / float64(len(values)-1)
	}
	return mean, variance
}

// Welch by other code: both forms of the degrees of freedom, and the relative variance by slopes that are measured.
func TestContrastsAgainstOtherCode(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		a, b := make([]float64, 2+source.IntN(40)), make([]float64, 2+source.IntN(40))
		for i := range a {
			a[i] = 20 + 3*source.NormFloat64()
		}
		for i := range b {
			b[i] = 22 + 5*source.NormFloat64()
		}
		ma, va := naive(a)
		mb, vb := naive(b)
		na, nb := float64(len(a)), float64(len(b))
		c := must(inference.Difference(momentsOf(a), momentsOf(b)))(t)
		near(t, "difference", c.Value, mb-ma, 1e-12)
		near(t, "variance", c.Variance, va/na+vb/nb, 1e-12)
		sum := va/na + vb/nb
		near(t, "df", c.DF, sum*sum/(va*va/(na*na*(na-1))+vb*vb/(nb*nb*(nb-1))), 1e-9)

		r := must(inference.Relative(momentsOf(a), momentsOf(b)))(t)
		const h = 1e-5
		slopeA := ((mb/(ma+h) - 1) - (mb/(ma-h) - 1)) / (2 * h)
		slopeB := (((mb+h)/ma - 1) - ((mb-h)/ma - 1)) / (2 * h)
		near(t, "relative", r.Value, mb/ma-1, 1e-12)
		near(t, "relative variance", r.Variance, slopeA*slopeA*va/na+slopeB*slopeB*vb/nb, 1e-6)
	}
}

// Swapped arms give the opposite difference; a scale changes a difference by itself and a relative one not at all.
func TestContrastsKeepTheirSymmetries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(1, 100), 3, 30)
		a, b := momentsOf(values.Draw(t, "a")), momentsOf(values.Draw(t, "b"))
		scale := rapid.Float64Range(.01, 100).Draw(t, "scale")
		there, err := inference.Difference(a, b)
		back, errBack := inference.Difference(b, a)
		if (err == nil) != (errBack == nil) {
			t.Fatalf("%v, and %v the other way", err, errBack)
		}
		if err != nil {
			return
		}
		if there.Value != -back.Value || there.Variance != back.Variance && math.Abs(there.Variance/back.Variance-1) > 1e-12 {
			t.Fatalf("%+v, %+v the other way", there, back)
		}
		scaled := func(m inference.Moments) inference.Moments {
			return inference.Moments{N: m.N, Mean: scale * m.Mean, M2: scale * scale * m.M2}
		}
		r, err := inference.Relative(a, b)
		s, errScaled := inference.Relative(scaled(a), scaled(b))
		if err != nil || errScaled != nil {
			t.Fatal(err, errScaled)
		}
		if math.Abs(r.Value-s.Value) > 1e-9 || math.Abs(r.Variance/s.Variance-1) > 1e-9 {
			t.Fatalf("relative %+v, scaled %+v", r, s)
		}
	})
}

// An interval leaves 0 out exactly where its p-value is below alpha, for both ways to read a contrast.
func TestIntervalsAndPValuesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := inference.Contrast{
			Value: rapid.Float64Range(-8, 8).Draw(t, "value"), Variance: rapid.Float64Range(.01, 4).Draw(t, "variance"),
			DF: rapid.Float64Range(1, 1e6).Draw(t, "df"), N: rapid.Int64Range(2, 1e8).Draw(t, "n"),
		}
		alpha := rapid.Float64Range(.001, .5).Draw(t, "alpha")
		for name, read := range map[string]func(float64) (inference.Effect, error){
			"Welch":      c.Welch,
			"sequential": func(alpha float64) (inference.Effect, error) { return c.Sequential(alpha, 5000) },
		} {
			e, err := read(alpha)
			if err != nil {
				t.Fatal(err)
			}
			edge := math.Min(math.Abs(e.Low), math.Abs(e.High)) < 1e-7 || math.Abs(e.P-alpha) < 1e-7
			if out := e.Low > 0 || e.High < 0; !edge && out != (e.P < alpha) {
				t.Fatalf("%s: [%v, %v] at alpha %v with p %v", name, e.Low, e.High, alpha, e.P)
			}
			if e.Low > e.Value || e.High < e.Value || !(e.P >= 0 && e.P <= 1) {
				t.Fatalf("%s: %+v", name, e)
			}
		}
		once, _ := c.Welch(alpha)
		always, _ := c.Sequential(alpha, 5000)
		if c.DF > 200 && alpha < .1 && always.High < once.High {
			t.Fatalf("the interval of any look [%v, %v] is within that of one look [%v, %v]", always.Low, always.High, once.Low, once.High)
		}
	})
}

func TestContrastsThatCannotBeTold(t *testing.T) {
	one, same, some := momentsOf([]float64{1}), momentsOf([]float64{2, 2, 2}), momentsOf([]float64{1, 2, 4})
	loss, none := momentsOf([]float64{-1, -3}), momentsOf([]float64{-1, 1})
	huge := momentsOf([]float64{-1e100, 1e100})
	type both struct{ control, treated inference.Moments }
	for name, c := range map[string]struct {
		contrast func(a, b inference.Moments) (inference.Contrast, error)
		arms     both
		want     error
	}{
		"one customer":          {inference.Difference, both{one, some}, inference.ErrTooFew},
		"nobody":                {inference.Difference, both{some, inference.Moments{}}, inference.ErrTooFew},
		"all the same":          {inference.Difference, both{same, same}, inference.ErrNoSpread},
		"one arm the same":      {inference.Difference, both{same, some}, nil},
		"share of a loss":       {inference.Relative, both{loss, some}, inference.ErrBase},
		"share of nothing":      {inference.Relative, both{none, some}, inference.ErrBase},
		"relative one customer": {inference.Relative, both{one, some}, inference.ErrTooFew},
		"largest values":        {inference.Difference, both{huge, some}, nil},
	} {
		if _, err := c.contrast(c.arms.control, c.arms.treated); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, expected %v", name, err, c.want)
		}
	}
	c := must(inference.Difference(some, some))(t)
	for _, alpha := range []float64{0, 1, -1, math.NaN()} {
		if _, err := c.Welch(alpha); !errors.Is(err, inference.ErrOptions) {
			t.Errorf("Welch at alpha %v: %v", alpha, err)
		}
		if _, err := c.Sequential(alpha, 100); !errors.Is(err, inference.ErrOptions) {
			t.Errorf("sequential at alpha %v: %v", alpha, err)
		}
	}
	for _, tuning := range []float64{0, .5, 1e16, math.NaN()} {
		if _, err := c.Sequential(.05, tuning); !errors.Is(err, inference.ErrOptions) {
			t.Errorf("tuning %v: %v", tuning, err)
		}
	}
}

// What is merged is what was added, for moments and for pairs, and both come back from JSON bit for bit.
func TestMergeEqualsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 0, 60).Draw(t, "values")
		pre := rapid.SliceOfN(rapid.Float64Range(-1e3, 1e3), len(values), len(values)).Draw(t, "pre")
		cut := rapid.IntRange(0, len(values)).Draw(t, "cut")
		whole, first := momentsOf(values), momentsOf(values[:cut])
		first.Merge(momentsOf(values[cut:]))
		same := func(name string, got, want, scale float64) {
			if math.Abs(got-want) > 1e-12*scale {
				t.Fatalf("%s: %v merged, %v whole", name, got, want)
			}
		}
		same("n", float64(first.N), float64(whole.N), 1)
		same("mean", first.Mean, whole.Mean, 1e6)
		same("m2", first.M2, whole.M2, 1e14)
		pairs, part := pairsOf(pre, values), pairsOf(pre[:cut], values[:cut])
		part.Merge(pairsOf(pre[cut:], values[cut:]))
		same("pre pre", part.PrePre, pairs.PrePre, 1e8)
		same("pre post", part.PrePost, pairs.PrePost, 1e11)
		same("post post", part.PostPost, pairs.PostPost, 1e14)
		same("post", part.MeanPost, pairs.MeanPost, 1e6)
		same("pre", part.MeanPre, pairs.MeanPre, 1e3)
		if part.N != pairs.N || pairs.Post() != whole || pairs.Pre() != momentsOf(pre) {
			t.Fatalf("pairs %+v, moments %+v", pairs, whole)
		}
		var back inference.Pairs
		data, err := json.Marshal(pairs)
		if err == nil {
			err = json.Unmarshal(data, &back)
		}
		if err != nil || back != pairs {
			t.Fatalf("%s came back as %+v: %v", data, back, err)
		}
	})
}

// A mean that is large beside the spread costs no digits, where a sum of squares has none left.
func TestMomentsKeepTheirDigits(t *testing.T) {
	var m inference.Moments
	for i := range 1000 {
		m.Add(1e9 + float64(i%2))
	}
	near(t, "variance", m.Variance(), .25*1000/999, 1e-9)
	if one := momentsOf([]float64{5}); !math.IsNaN(one.Variance()) {
		t.Error("one observation has a variance")
	}
}

func TestMomentsOfSums(t *testing.T) {
	m := must(inference.MomentsOf(4, 10, 30))(t)
	near(t, "mean", m.Mean, 2.5, 0)
	near(t, "variance", m.Variance(), 5./3, 1e-15)
	for _, c := range []struct {
		n            int64
		sum, squares float64
	}{{-1, 0, 0}, {0, 1, 1}, {2, math.NaN(), 1}, {2, 1, math.Inf(1)}, {2, 1, -1}, {2, 10, 1}} {
		if _, err := inference.MomentsOf(c.n, c.sum, c.squares); !errors.Is(err, inference.ErrValue) {
			t.Errorf("%+v: %v, expected %v", c, err, inference.ErrValue)
		}
	}
}
