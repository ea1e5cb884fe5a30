package score_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/score"
)

// holdings draws how long is held, exponential with a mean of 200 days, or 600 with a 1,
// and when one looks: on any of the first 1,000 days.
func holdings(seed uint64, n int) (rows []score.Holding, all []score.Holding) {
	r := rand.New(rand.NewPCG(seed, 7))
	for range n {
		x := float64(r.IntN(2))
		held := int32(r.ExpFloat64() * (200 + 400*x))
		looked := r.Int32N(1000)
		all = append(all, score.Holding{Days: held, Ended: true, X: []float64{x}})
		rows = append(rows, score.Holding{Days: min(held, looked), Ended: held <= looked, X: []float64{x}})
	}
	return rows, all
}

func fitHolding(t rapid.TB, rows []score.Holding, horizon int32) *score.HoldingFit {
	t.Helper()
	h, err := score.FitHolding(columns(1), rows, horizon, score.FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Validate(); err != nil {
		t.Fatal(err)
	}
	return h
}

// What is fitted from those seen is what all, followed to the end, would have given. To
// leave out who holds still gives far less.
func TestHoldingCountsThePatient(t *testing.T) {
	t.Parallel()
	const horizon = 730
	rows, all := holdings(1, 200_000)
	h, truth := fitHolding(t, rows, horizon), fitHolding(t, all, horizon)
	var impatient []score.Holding
	for _, r := range rows {
		if r.Ended {
			impatient = append(impatient, r)
		}
	}
	naive := fitHolding(t, impatient, horizon)
	for _, x := range []float64{0, 1} {
		got, ok := h.Days([]float64{x})
		want, _ := truth.Days([]float64{x})
		wrong, _ := naive.Days([]float64{x})
		if !ok || math.Abs(got-want) > .03*want {
			t.Errorf("x %v: %v days, want %v", x, got, want)
		}
		if wrong > .9*want {
			t.Errorf("x %v: who has sold alone held for %v days, all for %v: the test tests nothing", x, wrong, want)
		}
	}
	if truth.Unseen != 0 || truth.Seen != 1 || truth.Linear.Weight != 200_000 {
		t.Errorf("with all seen to the end nobody weighs more: %+v", truth)
	}
	if math.Abs(h.Seen-.27) > .02 || h.Unseen < 40_000 {
		t.Errorf("%v seen, %v unseen", h.Seen, h.Unseen)
	}
}

// Those seen stand for all: their weights add up to the number of rows.
func TestHoldingWeightsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(10, 400).Draw(t, "rows")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
		rows := make([]score.Holding, n)
		for i := range rows {
			rows[i] = score.Holding{Days: r.Int32N(12), Ended: r.IntN(3) > 0, X: []float64{r.NormFloat64()}}
		}
		h, err := score.FitHolding(columns(1), rows, rapid.Int32Range(1, 12).Draw(t, "horizon"), score.FitOptions{})
		if errors.Is(err, score.ErrFitWeight) || errors.Is(err, score.ErrFitRows) || errors.Is(err, score.ErrFitConstantTarget) {
			t.Skip("too few are seen")
		}
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(h.Linear.Weight-float64(n)) > 1e-9*float64(n) {
			t.Fatalf("weights of %v for %d rows: %+v", h.Linear.Weight, n, h)
		}
	})
}

// By hand: of four, one is looked at on day 1. The sale of that day comes before, so two
// stay at risk; those who go on count 1/(1 - 1/3) each.
func TestHoldingByHand(t *testing.T) {
	t.Parallel()
	x := func(v float64) []float64 { return []float64{v} }
	rows := []score.Holding{{1, true, x(0)}, {1, false, x(1)}, {2, true, x(2)}, {5, false, x(4)}}
	h := fitHolding(t, rows, 4)
	if h.Rows != 4 || h.Unseen != 1 || math.Abs(h.Seen-2./3) > 1e-15 || math.Abs(h.Linear.Weight-4) > 1e-15 {
		t.Errorf("%+v", h)
	}
	// Weighted least squares of (0, 1), (2, 2), (4, 4) with weights 1, 1.5, 1.5.
	wantClose(t, "slope", h.Linear.Terms[0].Coefficient, 7.5/9.75, 1e-13)
	for v, want := range map[float64]float64{-99: 0, 99: 4} {
		if got, ok := h.Days(x(v)); !ok || got != want {
			t.Errorf("at %v: %v, want %v", v, got, want)
		}
	}
	if _, ok := h.Days(nil); ok {
		t.Error("days of nothing")
	}
}

func TestHoldingsThatAreRefused(t *testing.T) {
	t.Parallel()
	rows, _ := holdings(3, 1000)
	bad := append([]score.Holding{{Days: -1, X: []float64{1}}}, rows...)
	ragged := append([]score.Holding{}, rows...)
	ragged[7] = score.Holding{Days: 1, Ended: true}
	for name, c := range map[string]struct {
		columns []score.Column
		rows    []score.Holding
		horizon int32
		err     error
	}{
		"no horizon":       {columns(1), rows, 0, score.ErrFitOptions},
		"too long":         {columns(1), rows, 36_526, score.ErrFitOptions},
		"seen by too few":  {columns(1), rows, 999, score.ErrFitWeight},
		"before it began":  {columns(1), bad, 300, score.ErrFitRange},
		"ragged":           {columns(1), ragged, 300, score.ErrFitRagged},
		"none":             {columns(1), nil, 300, score.ErrFitRows},
		"no columns":       {nil, rows, 300, score.ErrFitColumns},
		"the target again": {[]score.Column{{Name: "holding"}}, rows, 300, score.ErrFitColumns},
	} {
		if _, err := score.FitHolding(c.columns, c.rows, c.horizon, score.FitOptions{}); !errors.Is(err, c.err) || !errors.As(err, new(*score.FitError)) {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
	}
}

func TestAHoldingFitSurvivesJSON(t *testing.T) {
	t.Parallel()
	rows, _ := holdings(2, 3000)
	h := fitHolding(t, rows, 365)
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var decoded score.HoldingFit
	if err := json.Unmarshal(data, &decoded); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, &decoded); diff != "" {
		t.Error(diff)
	}
	for name, change := range map[string]func(h *score.HoldingFit){
		"no horizon":      func(h *score.HoldingFit) { h.HorizonDays = 0 },
		"too long":        func(h *score.HoldingFit) { h.HorizonDays = 36_526 },
		"rows":            func(h *score.HoldingFit) { h.Rows++ },
		"negative unseen": func(h *score.HoldingFit) { h.Unseen = -1; h.Rows = h.Linear.Rows - 1 },
		"hardly seen":     func(h *score.HoldingFit) { h.Seen = .049 },
		"NaN seen":        func(h *score.HoldingFit) { h.Seen = math.NaN() },
		"seen too well":   func(h *score.HoldingFit) { h.Seen = 1.01 },
		"a bad fit":       func(h *score.HoldingFit) { h.Linear.Sigma = -1 },
	} {
		bad := *h
		change(&bad)
		if err := bad.Validate(); !errors.Is(err, score.ErrLinear) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
