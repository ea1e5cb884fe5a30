package calibration_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/calibration"
	"github.com/fundmatch/fundmatch/matcher/score/logit"
)

func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, expected %v", name, got, want)
	}
}

// stateOf is that of forecasts in so many bins.
func stateOf(t *testing.T, bins int, p []float64, y []bool) *calibration.State {
	t.Helper()
	s, err := calibration.NewState(bins)
	for i := range p {
		if err == nil {
			err = s.Add(p[i], y[i])
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Published values (scikit-learn for Brier, log loss and AUC).
func TestPublishedCalibration(t *testing.T) {
	p := []float64{.1, .9, .8, .3, .65, .45, .7, .55, .2, .05}
	y := []bool{false, true, true, false, true, false, true, true, false, false}
	five, ten := stateOf(t, 5, p, y), stateOf(t, 10, p, y)
	near(t, "Brier", five.Brier(), .081, 1e-15)
	near(t, "RMSE", five.RMSE(), math.Sqrt(.081), 1e-15)
	near(t, "log loss", five.LogLoss(), .30481082338127824, 1e-14)
	near(t, "ECE of 5", five.ECE(), .16, 1e-14)
	near(t, "MCE of 5", five.MCE(), .325, 1e-14)
	near(t, "ECE of 10", ten.ECE(), .25, 1e-14)
	auc, err := calibration.AUC(p, y)
	if err != nil || auc != 1 {
		t.Errorf("AUC %v, %v, expected 1", auc, err)
	}
	if ten.Rows() != 10 || ten.Events() != 5 {
		t.Errorf("%d rows, %d events", ten.Rows(), ten.Events())
	}
}

// AUC by its definition, over all pairs; the binned one is the same where forecasts are the bins' lower ends.
func TestAUCByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 60).Draw(t, "n")
		grid := rapid.SliceOfN(rapid.IntRange(0, 8), n, n).Draw(t, "grid")
		y := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "y")
		p := make([]float64, n)
		right, pairs := 0.0, 0.0
		for i, g := range grid {
			p[i] = float64(g) / 8
		}
		for i := range p {
			for j := range p {
				if y[i] && !y[j] {
					pairs++
					switch {
					case p[i] > p[j]:
						right++
					case p[i] == p[j]:
						right += .5
					}
				}
			}
		}
		auc, err := calibration.AUC(p, y)
		if pairs == 0 {
			if !errors.Is(err, calibration.ErrOneClass) || !math.IsNaN(auc) {
				t.Fatalf("%v, %v, expected that there is one outcome only", auc, err)
			}
			return
		}
		if err != nil || math.Abs(auc-right/pairs) > 1e-12 {
			t.Fatalf("%v, %v, expected %v", auc, err, right/pairs)
		}
		s, err := calibration.NewState(9)
		if err != nil {
			t.Fatal(err)
		}
		for i := range p {
			if err := s.Add((float64(grid[i])+.5)/9, y[i]); err != nil {
				t.Fatal(err)
			}
		}
		if math.Abs(s.BinnedAUC()-auc) > 1e-12 {
			t.Fatalf("%v by bins, %v", s.BinnedAUC(), auc)
		}
	})
}

// The measures that models are assessed by when they are fitted are the same ones.
func TestCalibrationAgreesWithAssess(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 2))
	var rows []logit.Forecast
	s, err := calibration.NewState(10)
	if err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		p := .01 + .98*source.Float64()
		happened := source.Float64() < p*p
		rows = append(rows, logit.Forecast{Customer: "c", Probability: p, Happened: happened})
		if err := s.Add(p, happened); err != nil {
			t.Fatal(err)
		}
	}
	a, err := logit.Assess(rows, logit.AssessOptions{Replicates: 100, Seed: 1, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Brier", s.Brier(), a.Brier, 1e-12)
	near(t, "log loss", s.LogLoss(), a.LogLoss, 1e-12)
	near(t, "ECE", s.ECE(), a.ECE, 1e-12)
	if s.Events() != a.Events {
		t.Errorf("%d events, assessed %d", s.Events(), a.Events)
	}
}

// The ends of the bins, and forecasts that were certain.
func TestEdges(t *testing.T) {
	s := stateOf(t, 4, []float64{0, .25, .4999, .5, 1, 1}, []bool{false, false, true, true, true, false})
	points := s.Reliability()
	want := []calibration.Point{
		{From: 0, To: .25, Rows: 1, Predicted: 0, Observed: 0},
		{From: .25, To: .5, Rows: 2, Events: 1, Predicted: (.25 + .4999) / 2, Observed: .5},
		{From: .5, To: .75, Rows: 1, Events: 1, Predicted: .5, Observed: 1},
		{From: .75, To: 1, Rows: 2, Events: 1, Predicted: 1, Observed: .5},
	}
	if len(points) != len(want) {
		t.Fatalf("%+v", points)
	}
	for i, p := range points {
		if p.Low > p.Observed || p.High < p.Observed || p.Low < 0 || p.High > 1 || p.High-p.Low < .1 {
			t.Errorf("bin %d: %v in [%v, %v]", i, p.Observed, p.Low, p.High)
		}
		p.Low, p.High = 0, 0
		if p != want[i] {
			t.Errorf("bin %d: %+v, expected %+v", i, p, want[i])
		}
	}
	// Certain and wrong costs 36 nats, not everything.
	near(t, "log loss", stateOf(t, 1, []float64{1}, []bool{false}).LogLoss(), 52*math.Ln2, 1e-12)
	near(t, "log loss", stateOf(t, 1, []float64{1}, []bool{true}).LogLoss(), 0, 1e-15)
	empty := stateOf(t, 3, nil, nil)
	for name, v := range map[string]float64{
		"Brier": empty.Brier(), "RMSE": empty.RMSE(), "log loss": empty.LogLoss(), "ECE": empty.ECE(), "MCE": empty.MCE(), "AUC": empty.BinnedAUC(),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s of nothing: %v", name, v)
		}
	}
	if len(empty.Reliability()) != 0 {
		t.Error("nothing has a reliability curve")
	}
}

// What is merged is what was added, and a state comes back from JSON bit for bit.
func TestMergeEqualsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 50).Draw(t, "n")
		p := rapid.SliceOfN(rapid.Float64Range(0, 1), n, n).Draw(t, "p")
		y := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "y")
		cut := rapid.IntRange(0, n).Draw(t, "cut")
		add := func(from, to int) *calibration.State {
			s, err := calibration.NewState(7)
			for i := from; i < to && err == nil; i++ {
				err = s.Add(p[i], y[i])
			}
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		whole, merged := add(0, n), add(0, cut)
		if err := merged.Merge(add(cut, n)); err != nil {
			t.Fatal(err)
		}
		for name, v := range map[string][2]float64{
			"Brier": {whole.Brier(), merged.Brier()}, "log loss": {whole.LogLoss(), merged.LogLoss()},
			"ECE": {whole.ECE(), merged.ECE()}, "MCE": {whole.MCE(), merged.MCE()}, "AUC": {whole.BinnedAUC(), merged.BinnedAUC()},
		} {
			if math.Abs(v[0]-v[1]) > 1e-12 || math.IsNaN(v[0]) != math.IsNaN(v[1]) {
				t.Fatalf("%s: %v whole, %v merged", name, v[0], v[1])
			}
		}
		data, err := json.Marshal(merged)
		var back calibration.State
		if err == nil {
			err = json.Unmarshal(data, &back)
		}
		again, errAgain := json.Marshal(&back)
		if err != nil || errAgain != nil || !bytes.Equal(again, data) {
			t.Fatalf("%s came back as %s: %v, %v", data, again, err, errAgain)
		}
	})
}

func TestForecastsThatAreNone(t *testing.T) {
	s := stateOf(t, 2, nil, nil)
	for _, p := range []float64{-.1, 1.1, math.NaN(), math.Inf(1)} {
		if err := s.Add(p, true); !errors.Is(err, calibration.ErrForecast) {
			t.Errorf("%v: %v", p, err)
		}
	}
	if s.Rows() != 0 {
		t.Error("a refused forecast was added")
	}
	if err := s.Merge(stateOf(t, 3, nil, nil)); !errors.Is(err, calibration.ErrBins) {
		t.Errorf("other bins: %v", err)
	}
	for _, bins := range []int{0, -1, calibration.MaxBins + 1} {
		if _, err := calibration.NewState(bins); !errors.Is(err, calibration.ErrBins) {
			t.Errorf("%d bins: %v", bins, err)
		}
	}
	if _, err := calibration.NewState(calibration.MaxBins); err != nil {
		t.Error(err)
	}
	for _, text := range []string{
		`{"bins":[]}`, `{"bins":[{"rows":1,"events":2}]}`, `{"bins":[{"rows":1,"events":-1}]}`,
		`{"bins":[{"rows":1,"probability":1.5}]}`, `{"bins":[{}],"squares":-1}`, `{"bins":[{}],"losses":-1}`, `[]`, `{`,
	} {
		if err := json.Unmarshal([]byte(text), &calibration.State{}); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
	if _, err := calibration.AUC([]float64{math.NaN(), 1}, []bool{true, false}); !errors.Is(err, calibration.ErrForecast) {
		t.Errorf("AUC of NaN: %v", err)
	}
	if _, err := calibration.AUC([]float64{1}, nil); !errors.Is(err, calibration.ErrEmpty) {
		t.Errorf("AUC of other lengths: %v", err)
	}
}
