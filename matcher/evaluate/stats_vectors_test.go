package evaluate_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/calibration"
	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
	"github.com/fundmatch/fundmatch/matcher/evaluate/survival"
	"github.com/fundmatch/fundmatch/matcher/evaluate/uplift"
)

const statsFile = "../../../shared/vectors/stats.json"

// statsInput holds what any of the cases of statistics brings.
type statsInput struct {
	A, B   json.RawMessage // moments, or values
	Alpha  float64
	Tuning float64

	Users   []int64
	Weights []float64

	PreA  []float64 `json:"pre_a"`
	PostA []float64 `json:"post_a"`
	PreB  []float64 `json:"pre_b"`
	PostB []float64 `json:"post_b"`

	D []float64
	P []float64
	Y []int

	Uplift    []float64
	Treatment []int

	Time  []float64
	Group []int
	Event []int
}

// statsCase computes what a case expects; an error is told as such.
type statsCase func(in *statsInput) (any, error)

// statsCases say how each published case is computed here.
func statsCases() map[string]statsCase {
	cases := map[string]statsCase{
		"st01": func(in *statsInput) (any, error) { return ofContrast(in, inference.Contrast.Welch) },
		"st03": func(in *statsInput) (any, error) {
			return ofContrast(in, func(c inference.Contrast, alpha float64) (inference.Effect, error) {
				return c.Sequential(alpha, in.Tuning)
			})
		},
		"cup1": ofTheta,
		"pt1":  ofPairedT,
		"wx2":  ofRanks,
		"bs1":  ofBootstrap,
		"mc2":  func(in *statsInput) (any, error) { return anyOf(inference.Holm(in.P)), nil },
		"cal1": ofForecasts,
		"cal3": ofForecasts,
		"up2":  ofUplift,
		"lr1":  ofLogRank,
		"lr3":  ofLogRank,
	}
	for _, id := range []string{"srm1", "srm3", "srm5", "srm7"} {
		cases[id] = ofRatio
	}
	return cases
}

func ofContrast(in *statsInput, read func(inference.Contrast, float64) (inference.Effect, error)) (any, error) {
	type sums struct {
		N       int64
		Sum     float64
		Squares float64 `json:"sum_squares"`
	}
	var arms [2]inference.Moments
	for i, raw := range []json.RawMessage{in.A, in.B} {
		var s sums
		err := json.Unmarshal(raw, &s)
		if err == nil {
			arms[i], err = inference.MomentsOf(s.N, s.Sum, s.Squares)
		}
		if err != nil {
			return nil, err
		}
	}
	c, err := inference.Relative(arms[0], arms[1])
	if err != nil {
		return nil, err
	}
	e, err := read(c, in.Alpha)
	return map[string]any{"effect": e.Value, "ci": []any{e.Low, e.High}, "stderr": e.StdErr, "p": e.P}, err
}

func ofRatio(in *statsInput) (any, error) {
	r, err := inference.SampleRatio(in.Users, in.Weights)
	if err != nil {
		return nil, err
	}
	return r.P, nil
}

func ofTheta(in *statsInput) (any, error) {
	var a, b inference.Pairs
	for i := range in.PreA {
		a.Add(in.PreA[i], in.PostA[i])
		b.Add(in.PreB[i], in.PostB[i])
	}
	return inference.Theta(a, b)
}

// differencesOf are those of a case whose arms are values.
func differencesOf(in *statsInput) ([]float64, error) {
	var a, b []float64
	if err := errors.Join(json.Unmarshal(in.A, &a), json.Unmarshal(in.B, &b)); err != nil {
		return nil, err
	}
	return inference.Differences(a, b)
}

func ofPairedT(in *statsInput) (any, error) {
	d, err := differencesOf(in)
	if err != nil {
		return nil, err
	}
	r, err := inference.TestPairs(d, .05)
	if err != nil {
		return nil, err
	}
	return map[string]any{"t": r.T, "p": r.P}, nil
}

func ofRanks(in *statsInput) (any, error) {
	r, err := inference.SignedRanks(in.D)
	if err != nil {
		return nil, err
	}
	return map[string]any{"W": r.W, "p": r.P}, nil
}

func ofBootstrap(in *statsInput) (any, error) {
	d, err := differencesOf(in)
	if err != nil {
		return nil, err
	}
	low, high, err := inference.BootstrapPairs(d, inference.Resampling{Replicates: 200_000, Seed: 1, Alpha: .05})
	return map[string]any{"ci": []any{low, high}}, err
}

func ofForecasts(in *statsInput) (any, error) {
	out := map[string]any{}
	for name, bins := range map[string]int{"5": 5, "10": 10} {
		s, err := calibration.NewState(bins)
		if err != nil {
			return nil, err
		}
		for i, p := range in.P {
			if err := s.Add(p, in.Y[i] == 1); err != nil {
				return nil, err
			}
		}
		out["brier"], out["logloss"], out["rmse"] = s.Brier(), s.LogLoss(), s.RMSE()
		out["ece"+name], out["mce"+name] = s.ECE(), s.MCE()
	}
	auc, err := calibration.AUC(in.P, truths(in.Y))
	out["auc"] = auc
	return out, err
}

func ofUplift(in *statsInput) (any, error) {
	var all []uplift.Observation
	for i, u := range in.Uplift {
		all = append(all, uplift.Observation{Uplift: u, Treated: in.Treatment[i] == 1, Happened: in.Y[i] == 1})
	}
	groups, err := uplift.Groups(all)
	if err != nil {
		return nil, err
	}
	qini, err := uplift.Qini(groups)
	if err != nil {
		return nil, err
	}
	auuc, err := uplift.AUUC(groups)
	return map[string]any{"qini": qini, "auuc": auuc}, err
}

func ofLogRank(in *statsInput) (any, error) {
	var groups [2]survival.Table
	for i, time := range in.Time {
		if err := groups[in.Group[i]].Add(time, in.Event[i] == 1); err != nil {
			return nil, err
		}
	}
	r, err := survival.Test(&groups[0], &groups[1])
	if err != nil {
		return nil, err
	}
	return map[string]any{"stat": r.Chi2, "p": r.P}, nil
}

func truths(y []int) (out []bool) {
	for _, v := range y {
		out = append(out, v == 1)
	}
	return out
}

func anyOf(values []float64) (out []any) {
	for _, v := range values {
		out = append(out, v)
	}
	return out
}

// Every published case of a statistic is reproduced within its tolerance, and none is passed over: those of money are held
// by TestPublishedMoneyVectors.
func TestPublishedStatistics(t *testing.T) {
	data, err := os.ReadFile(statsFile)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there: the published cases were not compared", statsFile)
	}
	var vectors []struct {
		ID, What  string
		Input     statsInput
		Expected  any
		Tolerance float64
	}
	if err == nil {
		err = json.Unmarshal(data, &vectors)
	}
	if err != nil || len(vectors) == 0 {
		t.Fatalf("%s: %d cases, %v", statsFile, len(vectors), err)
	}
	cases, money := statsCases(), moneyVectorCases()
	for _, v := range vectors {
		compute, is := cases[v.ID]
		if _, elsewhere := money[v.ID]; elsewhere && !is {
			continue
		}
		if !is {
			t.Errorf("%s (%s): nothing computes it", v.ID, v.What)
			continue
		}
		got, err := compute(&v.Input)
		if err != nil {
			t.Errorf("%s (%s): %v", v.ID, v.What, err)
			continue
		}
		compare(t, v.ID+" "+v.What, got, v.Expected, v.Tolerance)
	}
}
