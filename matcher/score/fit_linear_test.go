package score_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/score"
)

func TestPredictIsThePlainDotProduct(t *testing.T) {
	t.Parallel()
	l := &score.Linear{Intercept: 1, Terms: []score.Slope{{Coefficient: 2}, {Coefficient: -.5}}}
	if y, ok := l.Predict([]float64{3, 4}); !ok || y != 5 {
		t.Errorf("got %v, %v, want 5", y, ok)
	}
	for name, x := range map[string][]float64{"too few": {1}, "too many": {1, 2, 3}, "NaN": {math.NaN(), 1}, "infinite": {math.Inf(1), 1}, "beyond": {math.MaxFloat64, 1}} {
		if y, ok := l.Predict(x); ok || y != 0 {
			t.Errorf("%s: got %v, %v; want nothing known", name, y, ok)
		}
	}
}

func TestPredictDoesNotAllocate(t *testing.T) { //nolint:paralleltest // it counts allocations
	l := &score.Linear{Intercept: 1, Terms: []score.Slope{{Coefficient: 2}, {Coefficient: -.5}}}
	x := []float64{3, 4}
	if n := testing.AllocsPerRun(100, func() { l.Predict(x) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAFitSurvivesItsEncodings(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		l := fit(t, illScaled(seed, 100, 3), score.FitOptions{Ridge: float64(seed % 2)})
		if err := l.Validate(); err != nil {
			t.Fatal(err)
		}
		parsed, err := score.ParseLinear([]byte(text(t, l)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(l, parsed); diff != "" {
			t.Errorf("JSON: %s", diff)
		}
		data, err := yaml.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		var decoded score.Linear
		if err := yaml.UnmarshalWithOptions(data, &decoded, yaml.Strict()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(l, &decoded); diff != "" {
			t.Errorf("YAML: %s", diff)
		}
	}
}

func TestAFitThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(l *score.Linear){
		"no terms":             func(l *score.Linear) { l.Terms = nil },
		"no target":            func(l *score.Linear) { l.Target.Name = "" },
		"a name twice":         func(l *score.Linear) { l.Terms[1].Name = l.Terms[0].Name },
		"the target's name":    func(l *score.Linear) { l.Terms[1].Name = l.Target.Name },
		"no rows":              func(l *score.Linear) { l.Rows = int64(len(l.Terms)) + 1 },
		"NaN intercept":        func(l *score.Linear) { l.Intercept = math.NaN() },
		"negative error":       func(l *score.Linear) { l.InterceptError = -1 },
		"infinite coefficient": func(l *score.Linear) { l.Terms[0].Coefficient = math.Inf(1) },
		"NaN mean":             func(l *score.Linear) { l.Terms[2].Mean = math.NaN() },
		"negative slope error": func(l *score.Linear) { l.Terms[0].StandardError = -1e-9 },
		"no scale":             func(l *score.Linear) { l.Terms[0].Scale = 0 },
		"no range":             func(l *score.Linear) { l.Terms[0].Most = l.Terms[0].Least },
		"R2 above 1":           func(l *score.Linear) { l.RSquared = 1.1 },
		"R2 below 0":           func(l *score.Linear) { l.RSquared = -.1 },
		"no weight":            func(l *score.Linear) { l.Weight = 0 },
		"negative ridge":       func(l *score.Linear) { l.Ridge = -1 },
		"more free than rows":  func(l *score.Linear) { l.Freedom = float64(l.Rows) + 1 },
		"NaN sigma":            func(l *score.Linear) { l.Sigma = math.NaN() },
		"condition below 1":    func(l *score.Linear) { l.Condition = .5 },
		"singular":             func(l *score.Linear) { l.Condition = 1e10 },
	} {
		l := fit(t, illScaled(1, 100, 3), score.FitOptions{})
		change(l)
		var where *score.FitError
		if err := l.Validate(); !errors.Is(err, score.ErrLinear) || !errors.As(err, &where) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJSONThatIsNoFitIsRefused(t *testing.T) {
	t.Parallel()
	good := text(t, fit(t, illScaled(1, 100, 3), score.FitOptions{}))
	for name, data := range map[string]string{
		"empty": "", "cut": good[:len(good)-5], "followed": good + "{}", "null": "null", "an unknown field": strings.Replace(good, `"rows"`, `"rowz"`, 1),
		"too long": good + strings.Repeat(" ", 1<<18), "a number as text": strings.Replace(good, `"rows":100`, `"rows":"100"`, 1),
	} {
		if _, err := score.ParseLinear([]byte(data)); !errors.Is(err, score.ErrLinear) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParseLinear: what is read can be written, read again and used; nothing panics.
func FuzzParseLinear(f *testing.F) {
	f.Add([]byte(text(f, fit(f, illScaled(1, 100, 2), score.FitOptions{}))))
	f.Add([]byte(`{"terms":[{"name":"a","scale":1e999}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := score.ParseLinear(data)
		if err != nil {
			if l != nil || !errors.Is(err, score.ErrLinear) {
				t.Fatalf("%v, %v", l, err)
			}
			return
		}
		again, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		back, err := score.ParseLinear(again)
		if err != nil {
			t.Fatalf("%v in %s", err, again)
		}
		if diff := cmp.Diff(l, back); diff != "" {
			t.Fatal(diff)
		}
		x := make([]float64, len(l.Terms))
		for i := range x {
			x[i] = l.Terms[i].Mean
		}
		if y, ok := l.Predict(x); ok && (math.IsNaN(y) || math.IsInf(y, 0)) {
			t.Fatalf("predicts %v", y)
		}
	})
}
