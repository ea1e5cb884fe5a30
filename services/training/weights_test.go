package training

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// aPush is a history in which people bought what cost more and fell further, and, by the
// same measure each, what others like them have.
func aPush(t *testing.T, orders func(values *[score.Features]float64) float64) (*running, []pair) {
	t.Helper()
	r := &running{Job: jobOn(t, nil, Options{})}
	if err := r.settle(); err != nil {
		t.Fatal(err)
	}
	pairs := make([]pair, 40_000)
	draw := uint64(1)
	next := func() float64 { // Knuth's MMIX generator: the same pairs always
		draw = draw*6364136223846793005 + 1442695040888963407
		return float64(draw>>11) / (1 << 53)
	}
	for i := range pairs {
		x := &pairs[i]
		for f := range x.values {
			x.values[f] = next()
		}
		x.values[score.Quality] = .5 // nobody has a record
		x.values[score.Cost] /= 50
		x.bought = next() < orders(&x.values)
	}
	return r, pairs
}

// A weight that is learnt from a push does not learn the push: what protects is never weaker
// than judged, what follows demand never stronger, and a sign is never turned.
func TestFittedWeightsDoNotLearnThePush(t *testing.T) {
	r, pairs := aPush(t, func(v *[score.Features]float64) float64 {
		return .02 + .1*v[score.Affinity] + 2*v[score.Cost] + .1*(1-v[score.LossFit]) + .3*v[score.LiquidityFit] + .1*v[score.Objected]
	})
	weights, err := r.fitWeights(pairs)
	if err != nil {
		t.Fatal(err)
	}
	judged := r.base.Weights
	for f := range score.Features {
		w := weights[f]
		sign := direction(f)
		if w.Feature != f.String() || w.Judged != judged[f] {
			t.Errorf("%d: %+v", f, w)
		}
		if protects(f) && sign*w.Fitted < sign*judged[f] || !protects(f) && sign*w.Fitted > sign*judged[f] || sign*w.Fitted < 0 {
			t.Errorf("%s: %v, judged %v", f, w.Fitted, judged[f])
		}
	}
	for f, want := range map[score.Feature]Bound{
		score.Cost: Protected, score.LossFit: Protected, score.Objected: Protected, score.Quality: Constant, score.LiquidityFit: Unbound,
	} {
		if weights[f].Bound != want {
			t.Errorf("%s: bound %q, expected %q: %+v", f, weights[f].Bound, want, weights[f])
		}
	}
	if cost := weights[score.Cost]; cost.Free <= 0 || cost.StandardError <= 0 || cost.Free < 2*cost.StandardError {
		t.Errorf("the regression alone does not see the push: %+v", cost)
	}
	if strengthened := weights[score.LiquidityFit]; strengthened.Fitted <= judged[score.LiquidityFit] {
		t.Errorf("what protects and was wanted is not strengthened: %+v", strengthened)
	}
}

func TestWeightsNeedOrders(t *testing.T) {
	r, pairs := aPush(t, func(*[score.Features]float64) float64 { return .001 })
	if _, err := r.fitWeights(pairs); !errors.Is(err, errTooLittle) {
		t.Errorf("40 orders: %v", err)
	}
	if _, err := r.fitWeights(pairs[:100]); !errors.Is(err, errTooLittle) || !strings.Contains(err.Error(), "100 pairs") {
		t.Errorf("100 pairs: %v", err)
	}
}

// Fitted weights are written into the base's own text, which keeps all else that it says.
func TestFittedWeightsAreWritten(t *testing.T) {
	r, pairs := aPush(t, func(v *[score.Features]float64) float64 { return .05 + .3*v[score.LiquidityFit] })
	weights, err := r.fitWeights(pairs)
	if err != nil {
		t.Fatal(err)
	}
	r.Options.Weights = Fitted
	r.report = Report{Name: "ours-trained", Version: 7, Weights: weights, Training: modelfile.Window{From: "2026-01-01"}}
	text, err := r.settings()
	if err != nil {
		t.Fatal(err)
	}
	m, err := score.ParseModel(text)
	if err != nil {
		t.Fatal(err)
	}
	for f := range score.Features {
		if m.Weights[f] != weights[f].Fitted || m.Reasons[f] != r.base.Reasons[f] {
			t.Errorf("%s: %v because %q, expected %v", f, m.Weights[f], m.Reasons[f], weights[f].Fitted)
		}
	}
	if m.Name != "ours-trained" || m.Version != 7 || m.Settings.StaleDays != r.base.Settings.StaleDays || math.Abs(m.Weights[score.Cost]) < 8 {
		t.Errorf("%s %d: %+v", m.Name, m.Version, m.Weights)
	}
	r.yaml = []byte(strings.Replace(string(r.yaml), "- feature: COST\n", "- {feature: COST, weight: -8.0, reason: x}\n  - feature: COST\n", 1))
	if _, err := r.settings(); !errors.Is(err, score.ErrModel) {
		t.Errorf("a base that says a weight twice: %v", err)
	}
}
