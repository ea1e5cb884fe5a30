package logit_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/score/logit"
)

func TestSigmoid(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for range 200_000 {
		x := 20 * r.NormFloat64()
		if got, want := logit.Sigmoid(x), 1/(1+math.Exp(-x)); math.Abs(got-want) > 1e-15*want {
			t.Fatalf("at %v: %v, want %v", x, got, want)
		}
	}
	for x, want := range map[float64]float64{0: .5, 40: 1, math.Inf(1): 1, 1e300: 1} {
		if got := logit.Sigmoid(x); got != want {
			t.Errorf("at %v: %v, want %v", x, got, want)
		}
	}
	for _, x := range []float64{-700, -1e300, math.Inf(-1)} {
		if got := logit.Sigmoid(x); !(got > 0 && got < 1e-303) {
			t.Errorf("at %v: %v", x, got)
		}
	}
	if got := logit.Sigmoid(math.NaN()); !math.IsNaN(got) {
		t.Errorf("NaN became %v", got)
	}
}

// A calibrated probability never falls between neighbours, where the exponential does.
func TestCalibratedNeighboursDoNotFall(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	all := logit.Calibration{Method: logit.Uncalibrated, Most: 1}
	fell := 0
	for i := range 300_000 {
		x := 10 * r.NormFloat64()
		if i%2 == 0 { // where the reduction changes its multiple of ln 2
			x = (math.Floor(x) + .5) * math.Ln2
		}
		if i%3 == 0 { // where the rounding changes its multiple
			x = math.Nextafter((math.Floor(x*0x1p40)+.5)*0x1p-40, math.Inf(-1))
		}
		next := math.Nextafter(x, math.Inf(1))
		if all.Apply(next) < all.Apply(x) {
			t.Fatalf("falls from %v to %v at %v", all.Apply(x), all.Apply(next), x)
		}
		if logit.Sigmoid(next) < logit.Sigmoid(x) {
			fell++
		}
	}
	if fell == 0 {
		t.Error("the exponential never fell: the rounding is not needed")
	}
}

// The bits are the package's own on every platform.
func TestSigmoidBits(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]uint64{-3.25: 0x3fa31c8280cf1c3e, -.7: 0x3fd53c695abcd716, 1e-9: 0x3fe0000000225c18, 2.5: 0x3fed9291ddb596f8, 17: 0x3fefffffe9c61cf7} {
		if got := math.Float64bits(logit.Sigmoid(x)); got != want {
			t.Errorf("at %v: %#x, want %#x", x, got, want)
		}
	}
}

func TestPredictDoesNotAllocate(t *testing.T) { //nolint:paralleltest // it counts allocations
	m := &logit.Model{Intercept: -1, Terms: []logit.Slope{{Coefficient: .5}, {Coefficient: 2}}}
	c := &logit.Calibration{Method: logit.IsotonicSteps, Knots: []logit.Knot{{LogOdds: -1, Probability: .1}, {LogOdds: 1, Probability: .6}}, Most: 1}
	x := []float64{2, .25}
	if eta, ok := m.LogOdds(x); !ok || eta != .5 || math.Abs(c.Apply(eta)-.475) > 1e-15 {
		t.Errorf("log-odds %v, %v, calibrated %v", eta, ok, c.Apply(eta))
	}
	if p, ok := m.Predict(x); !ok || p != logit.Sigmoid(.5) {
		t.Errorf("probability %v, %v", p, ok)
	}
	if n := testing.AllocsPerRun(100, func() {
		eta, _ := m.LogOdds(x)
		m.Predict(x)
		c.Apply(eta)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	for name, x := range map[string][]float64{"too few": {1}, "too many": {1, 2, 3}, "NaN": {math.NaN(), 1}, "beyond": {1, math.MaxFloat64}} {
		if p, ok := m.Predict(x); ok || p != 0 {
			t.Errorf("%s: %v, %v; want nothing known", name, p, ok)
		}
	}
}

func BenchmarkPredict(b *testing.B) {
	m := &logit.Model{Intercept: -1, Terms: make([]logit.Slope, 20)}
	x := make([]float64, 20)
	for b.Loop() {
		m.Predict(x)
	}
}
