package score_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// orders draws amounts whose median is e^(8 + x/2) yuan, with a deviation of .6 in ln.
func orders(n int) []score.Order {
	r := rand.New(rand.NewPCG(1, 8))
	out := make([]score.Order, n)
	for i := range out {
		x := r.NormFloat64()
		out[i] = score.Order{Amount: fund.Money(math.Exp(8+x/2+.6*r.NormFloat64()) * 100), X: []float64{x}}
	}
	return out
}

func TestAmountsAreMediansAndMeans(t *testing.T) {
	t.Parallel()
	a, err := score.FitAmount(columns(1), orders(100_000), score.FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantClose(t, "slope", a.Log.Terms[0].Coefficient, .5, .02)
	wantClose(t, "intercept", a.Log.Intercept, 8, .001)
	wantClose(t, "smearing", a.Smearing, math.Exp(.18), .01)
	for _, x := range []float64{-1, 0, 2} {
		median, ok := a.Median([]float64{x})
		mean, okToo := a.Mean([]float64{x})
		if !ok || !okToo {
			t.Fatal("unknown")
		}
		wantClose(t, "median", float64(median), math.Exp(8+x/2)*100, .02)
		wantClose(t, "mean", float64(mean), math.Exp(8+x/2+.18)*100, .02)
	}
	for name, x := range map[string][]float64{"too few": {}, "too much": {100}, "too little": {-100}, "NaN": {math.NaN()}} {
		if got, ok := a.Median(x); ok || got != 0 {
			t.Errorf("%s: %v, %v; want nothing known", name, got, ok)
		}
	}
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var decoded score.AmountFit
	if err := json.Unmarshal(data, &decoded); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, &decoded); diff != "" || decoded.Validate() != nil {
		t.Error(diff, decoded.Validate())
	}
	for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		decoded.Smearing = bad
		if err := decoded.Validate(); !errors.Is(err, score.ErrLinear) {
			t.Errorf("smearing %v: %v", bad, err)
		}
	}
	decoded = score.AmountFit{Smearing: 1}
	if err := decoded.Validate(); !errors.Is(err, score.ErrLinear) {
		t.Errorf("without a fit: %v", err)
	}
}

func TestAmountsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func([]score.Order)
		err    error
		row    int64
	}{
		"nothing":  {func(o []score.Order) { o[3].Amount = 0 }, score.ErrFitRange, 4},
		"negative": {func(o []score.Order) { o[0].Amount = -1 }, score.ErrFitRange, 1},
		"too much": {func(o []score.Order) { o[9].Amount = fund.MaxMoney + 1 }, score.ErrFitRange, 10},
		"ragged":   {func(o []score.Order) { o[5].X = nil }, score.ErrFitRagged, 6},
	} {
		rows := orders(50)
		c.change(rows)
		_, err := score.FitAmount(columns(1), rows, score.FitOptions{})
		var where *score.FitError
		if !errors.Is(err, c.err) || !errors.As(err, &where) || where.Row != c.row {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := score.FitAmount(nil, orders(50), score.FitOptions{}); !errors.Is(err, score.ErrFitColumns) {
		t.Errorf("no columns: %v", err)
	}
	if _, err := score.FitAmount(columns(1), nil, score.FitOptions{}); !errors.Is(err, score.ErrFitRows) {
		t.Errorf("no rows: %v", err)
	}
	edge := orders(50)
	edge[0].Amount, edge[1].Amount = 1, fund.MaxMoney
	if _, err := score.FitAmount(columns(1), edge, score.FitOptions{}); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}
