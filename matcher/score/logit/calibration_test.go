package logit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/score/logit"
)

// scores draws rows whose true log-odds are distort(score).
func scores(seed uint64, n int, distort func(eta float64) float64) []logit.Scored {
	r := rand.New(rand.NewPCG(seed, 4))
	out := make([]logit.Scored, n)
	for i := range out {
		eta := 1.5*r.NormFloat64() - 1
		out[i] = logit.Scored{LogOdds: eta, Happened: r.Float64() < 1/(1+math.Exp(-distort(eta)))}
	}
	return out
}

func asIs(eta float64) float64 { return eta }

// groups are rows of equal scores, ascending: how many, and how many events.
type group struct {
	score        float64
	rows, events float64
}

func groupsOf(rows []logit.Scored) []group {
	var out []group
	for _, r := range rows {
		at, found := slices.BinarySearchFunc(out, r.LogOdds, func(g group, x float64) int {
			return int(math.Copysign(1, g.score-x)) * map[bool]int{false: 1}[g.score == x]
		})
		if !found {
			out = slices.Insert(out, at, group{score: r.LogOdds})
		}
		out[at].rows++
		if r.Happened {
			out[at].events++
		}
	}
	return out
}

// bruteForce tries every division of the groups into runs and returns the fewest squares
// that a function which does not fall leaves.
func bruteForce(groups []group) float64 {
	best := math.Inf(1)
	for cuts := range 1 << (len(groups) - 1) {
		squares, before, from := 0., math.Inf(-1), 0
		for i := range groups {
			if i < len(groups)-1 && cuts>>i&1 == 0 {
				continue
			}
			var rows, events float64
			for _, g := range groups[from : i+1] {
				rows, events = rows+g.rows, events+g.events
			}
			mean := events / rows
			if mean < before {
				squares = math.Inf(1)
			}
			squares += events*(1-mean)*(1-mean) + (rows-events)*mean*mean
			before, from = mean, i+1
		}
		best = min(best, squares)
	}
	return best
}

func drawScored(t *rapid.T) []logit.Scored {
	n := rapid.IntRange(2, 24).Draw(t, "rows")
	rows := make([]logit.Scored, n)
	for i := range rows {
		rows[i] = logit.Scored{LogOdds: float64(rapid.IntRange(-4, 5).Draw(t, "score")) / 2, Happened: rapid.Bool().Draw(t, "happened")}
	}
	return rows
}

func TestIsotonicIsOptimal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := drawScored(t)
		groups := groupsOf(rows)
		c, err := logit.Isotonic(rows)
		switch {
		case errors.Is(err, logit.ErrOneClass):
			t.Skip("one class")
		case errors.Is(err, logit.ErrNotMonotone): // then one value for all is best
			var all group
			for _, g := range groups {
				all.rows, all.events = all.rows+g.rows, all.events+g.events
			}
			if one := all.events * (1 - all.events/all.rows); bruteForce(groups) < one-1e-9 {
				t.Fatalf("refused, though %g squares are left where one value leaves %g", bruteForce(groups), one)
			}
			return
		case err != nil:
			t.Fatal(err)
		}
		// Squares left by the steps: each row has the value of the step whose rows' mean
		// score is the knot's; steps are runs of groups, so they are found by summing up.
		var squares float64
		at := 0
		for _, k := range c.Knots {
			var rows, events, sum float64
			for at < len(groups) && (rows == 0 || math.Abs(sum/rows-k.LogOdds) > 1e-12 || math.Abs(events/rows-k.Probability) > 1e-12) {
				g := groups[at]
				rows, events, sum = rows+g.rows, events+g.events, sum+g.rows*g.score
				at++
			}
			squares += events*(1-k.Probability)*(1-k.Probability) + (rows-events)*k.Probability*k.Probability
		}
		if at != len(groups) {
			t.Fatalf("knots %v do not cover the groups %v", c.Knots, groups)
		}
		if want := bruteForce(groups); math.Abs(squares-want) > 1e-9 {
			t.Fatalf("%g squares are left, %g can be: %v", squares, want, c.Knots)
		}
	})
}

// The classic example: each later value pulls the one before down.
func TestIsotonicByHand(t *testing.T) {
	t.Parallel()
	rows := []logit.Scored{{1, false}, {2, true}, {3, false}, {4, false}, {5, true}, {5, false}, {6, true}}
	c, err := logit.Isotonic(rows)
	if err != nil {
		t.Fatal(err)
	}
	want := []logit.Knot{{1, 0}, {3, 1. / 3}, {5, .5}, {6, 1}}
	if diff := cmp.Diff(want, c.Knots); diff != "" {
		t.Error(diff)
	}
	if c.Least != .5/8 || c.Most != 1-.5/8 {
		t.Errorf("clipped to %v and %v", c.Least, c.Most)
	}
	for x, want := range map[float64]float64{-9: .5 / 8, 1: .5 / 8, 2: 1. / 6, 3: 1. / 3, 4: (1./3 + .5) / 2, 5: .5, 5.5: .75, 6: 1 - .5/8, math.Inf(1): 1 - .5/8} {
		if got := c.Apply(x); math.Abs(got-want) > 1e-15 {
			t.Errorf("at %v: %v, want %v", x, got, want)
		}
	}
}

func fitted(t rapid.TB, rows []logit.Scored) []*logit.Calibration {
	t.Helper()
	var out []*logit.Calibration
	for _, f := range []func([]logit.Scored) (*logit.Calibration, error){logit.Isotonic, logit.Platt} {
		c, err := f(rows)
		if errors.Is(err, logit.ErrOneClass) || errors.Is(err, logit.ErrNotMonotone) || errors.Is(err, logit.ErrConstant) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	if c, _, err := logit.Choose(rows, rows); err == nil {
		out = append(out, c)
	}
	return out
}

func TestCalibrationsAreMonotoneAndBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := drawScored(t)
		if rapid.Bool().Draw(t, "many") {
			rows = scores(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(50, 1500).Draw(t, "n"), asIs)
		}
		for _, c := range fitted(t, rows) {
			if err := c.Validate(); err != nil {
				t.Fatalf("%v in %+v", err, c)
			}
			wantMonotone(t, c, rapid.SliceOfN(rapid.Float64(), 2, 30).Draw(t, "x"))
		}
	})
}

func wantMonotone(t rapid.TB, c *logit.Calibration, x []float64) {
	t.Helper()
	for _, k := range c.Knots {
		x = append(x, k.LogOdds, math.Nextafter(k.LogOdds, 1e9), math.Nextafter(k.LogOdds, -1e9))
	}
	slices.Sort(x)
	before := 0.
	for _, v := range x {
		p := c.Apply(v)
		if !(p >= before && p >= c.Least && p <= c.Most) {
			t.Fatalf("at %v: %v after %v, within [%v, %v]", v, p, before, c.Least, c.Most)
		}
		before = p
	}
	if p := c.Apply(math.NaN()); !math.IsNaN(p) {
		t.Fatalf("NaN became %v", p)
	}
}

func TestIsotonicKeepsFewKnots(t *testing.T) {
	t.Parallel()
	var rows []logit.Scored // shares that rise step by step: every score is a step of its own
	for i := range 700 {
		for j := range 700 {
			rows = append(rows, logit.Scored{LogOdds: float64(i), Happened: j <= i})
		}
	}
	c, err := logit.Isotonic(rows)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Knots) != 350 {
		t.Errorf("%d knots, want 700 pooled two by two", len(c.Knots))
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestPlattFindsTheDistortion(t *testing.T) {
	t.Parallel()
	c, err := logit.Platt(scores(1, 200_000, func(eta float64) float64 { return .6*eta - .4 }))
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(c.Slope-.6) > .02 || math.Abs(c.Intercept+.4) > .03 {
		t.Errorf("slope %v, intercept %v, want .6 and -.4", c.Slope, c.Intercept)
	}
}

// The likelihood of Platt's targets has no slope at the solution.
func TestPlattIsStationary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := drawScored(t)
		if rapid.Bool().Draw(t, "separated") {
			for i := range rows {
				rows[i].Happened = rows[i].LogOdds > 0
			}
		}
		c, err := logit.Platt(rows)
		if errors.Is(err, logit.ErrOneClass) || errors.Is(err, logit.ErrNotMonotone) || errors.Is(err, logit.ErrConstant) {
			t.Skip("nothing to fit")
		}
		if err != nil {
			t.Fatal(err)
		}
		var events, g0, g1 float64
		for _, r := range rows {
			if r.Happened {
				events++
			}
		}
		for _, r := range rows {
			want := 1 / (float64(len(rows)) - events + 2)
			if r.Happened {
				want = (events + 1) / (events + 2)
			}
			d := 1/(1+math.Exp(-c.Intercept-c.Slope*r.LogOdds)) - want
			g0, g1 = g0+d, g1+d*r.LogOdds
		}
		if math.Abs(g0) > 1e-9 || math.Abs(g1) > 1e-9 {
			t.Fatalf("slopes of %g and %g at %+v", g0, g1, c)
		}
	})
}

func TestChooseTakesTheBestOnHeldOutRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		distort func(float64) float64
		want    logit.Method
	}{
		{"right already", asIs, logit.Uncalibrated},
		{"too extreme and shifted", func(eta float64) float64 { return .4*eta - 1 }, logit.PlattScaling},
		{"a step", func(eta float64) float64 { return 3*math.Copysign(1, eta) - 1 }, logit.IsotonicSteps},
	} {
		fit, held := scores(7, 20_000, c.distort), scores(8, 20_000, c.distort)
		got, trials, err := logit.Choose(fit, held)
		if err != nil {
			t.Fatal(err)
		}
		if got.Method != c.want || got.Rows != 40_000 {
			t.Errorf("%s: %s on %d rows, want %s on both halves: %+v", c.name, got.Method, got.Rows, c.want, trials)
		}
		for _, trial := range trials {
			if trial.Chosen != (trial.Method == c.want) || trial.Refused != "" {
				t.Errorf("%s: %+v", c.name, trial)
			}
		}
	}
}

// Both the model and the steps say the ends of the clip: what can do less wins.
func TestChooseBreaksTiesByTheSimpler(t *testing.T) {
	t.Parallel()
	var rows []logit.Scored
	for i := range 20 {
		rows = append(rows, logit.Scored{LogOdds: 50 * sign(i%2 == 0), Happened: i%2 == 0})
	}
	_, trials, err := logit.Choose(rows, rows)
	if err != nil {
		t.Fatal(err)
	}
	wantClose(t, "Brier", trials[0].Brier, .5/21*.5/21, 1e-17)
	if trials[0].Brier != trials[2].Brier || !trials[0].Chosen || trials[2].Chosen {
		t.Errorf("%+v", trials)
	}
}

// Where the outcome falls with the score, no calibration may turn it: the model stays.
func TestChooseSaysWhyAMethodWasRefused(t *testing.T) {
	t.Parallel()
	rows := scores(3, 5000, func(eta float64) float64 { return -3 * eta })
	_, trials, err := logit.Choose(rows, rows)
	if err != nil {
		t.Fatal(err)
	}
	if trials[1].Refused == "" || trials[1].Chosen || !trials[0].Chosen && !trials[2].Chosen {
		t.Errorf("%+v", trials)
	}
}

func TestScoredRowsThatAreRefused(t *testing.T) {
	t.Parallel()
	yes, no := logit.Scored{LogOdds: 1, Happened: true}, logit.Scored{}
	for _, c := range []struct {
		name string
		rows []logit.Scored
		err  error
		row  int
	}{
		{"none", nil, logit.ErrTooFew, 0},
		{"one", []logit.Scored{yes}, logit.ErrTooFew, 0},
		{"all happened", []logit.Scored{yes, yes}, logit.ErrOneClass, 0},
		{"none happened", []logit.Scored{no, no}, logit.ErrOneClass, 0},
		{"NaN", []logit.Scored{yes, no, {LogOdds: math.NaN()}}, logit.ErrNotFinite, 3},
		{"infinite", []logit.Scored{yes, {LogOdds: math.Inf(-1)}}, logit.ErrNotFinite, 2},
		{"falling", []logit.Scored{{1, true}, {2, false}}, logit.ErrNotMonotone, 0},
	} {
		for name, f := range map[string]func([]logit.Scored) (*logit.Calibration, error){
			"isotonic": logit.Isotonic, "platt": logit.Platt,
			"choose": func(rows []logit.Scored) (*logit.Calibration, error) {
				if c.err == logit.ErrNotMonotone { //nolint:errorlint // a table of the bare errors
					return nil, c.err
				}
				got, _, err := logit.Choose(rows, []logit.Scored{yes, no})
				return got, err
			},
		} {
			_, err := f(c.rows)
			var where *logit.DataError
			if !errors.Is(err, c.err) || errors.As(err, &where) && where.Row != c.row {
				t.Errorf("%s, %s: %v", name, c.name, err)
			}
		}
	}
	if _, err := logit.Platt([]logit.Scored{{3, true}, {3, false}}); !errors.Is(err, logit.ErrConstant) {
		t.Errorf("one score for all: %v", err)
	}
}

func TestCalibrationsSurviveTheirEncodings(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		for _, c := range fitted(t, scores(seed, 400, func(eta float64) float64 { return .7 * eta })) {
			data, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			var fromJSON, fromYAML logit.Calibration
			if err := json.Unmarshal(data, &fromJSON); err != nil {
				t.Fatal(err)
			}
			if data, err = yaml.Marshal(c); err != nil {
				t.Fatal(err)
			}
			if err := yaml.UnmarshalWithOptions(data, &fromYAML, yaml.Strict()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c, &fromJSON) + cmp.Diff(c, &fromYAML); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestCalibrationsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	good := fitted(t, scores(1, 400, asIs))
	for name, change := range map[string]func(iso, platt *logit.Calibration){
		"an unknown method":  func(a, b *logit.Calibration) { a.Method, b.Method = "SPLINE", "" },
		"no rows":            func(a, b *logit.Calibration) { a.Rows, b.Rows = 0, 1 },
		"another clip":       func(a, b *logit.Calibration) { a.Least, b.Most = 0, 1 },
		"NaN":                func(a, b *logit.Calibration) { a.Knots[0].Probability, b.Slope = math.NaN(), math.NaN() },
		"infinite":           func(a, b *logit.Calibration) { a.Knots[0].LogOdds, b.Intercept = math.Inf(-1), math.Inf(1) },
		"no or flat":         func(a, b *logit.Calibration) { a.Knots, b.Slope = nil, 0 },
		"a single knot":      func(a, b *logit.Calibration) { a.Knots, b.Slope = a.Knots[:1], math.NaN() },
		"falling":            func(a, b *logit.Calibration) { a.Knots[1].Probability, b.Slope = 0, -1; a.Knots[0].Probability = .1 },
		"not in order":       func(a, b *logit.Calibration) { a.Knots[0].LogOdds, b.Slope = a.Knots[1].LogOdds, math.Inf(1) },
		"not a probability":  func(a, b *logit.Calibration) { a.Knots[len(a.Knots)-1].Probability, b.Slope = 1.01, 0 },
		"too many, or knots": func(a, b *logit.Calibration) { b.Knots = a.Knots; a.Knots = make([]logit.Knot, logit.MaxKnots+1) },
	} {
		for i := range 2 {
			c := [2]logit.Calibration{*good[0], *good[1]}
			c[0].Knots = slices.Clone(c[0].Knots)
			change(&c[0], &c[1])
			if err := c[i].Validate(); !errors.Is(err, logit.ErrModel) {
				t.Errorf("%s: %s: %v", name, good[i].Method, err)
			}
		}
	}
}

// FuzzCalibration: what is decoded and valid is monotone and bounded; nothing panics.
func FuzzCalibration(f *testing.F) {
	for _, c := range fitted(f, scores(1, 60, asIs)) {
		data, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, 1.5)
	}
	f.Add([]byte(`{"method":"ISOTONIC","knots":[{"log_odds":-1e308,"probability":0},{"log_odds":1e308,"probability":1}],"rows":9,"least":0.05,"most":0.95}`), 3.)
	f.Add([]byte(`{"method":"PLATT","slope":1e308,"intercept":-1e308,"rows":9,"least":0.05,"most":0.95}`), 1e308)
	f.Fuzz(func(t *testing.T, data []byte, x float64) {
		var c logit.Calibration
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if decoder.Decode(&c) != nil || c.Validate() != nil || math.IsNaN(x) {
			return
		}
		wantMonotone(t, &c, []float64{x, -x, x / 2, 0, math.Inf(-1), math.Inf(1)})
	})
}

// FuzzModel: what is decoded and valid predicts probabilities; nothing panics.
func FuzzModel(f *testing.F) {
	data, err := json.Marshal(fit(f, conversions(1, 100, -1, .5), logit.Options{}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, 1.)
	f.Fuzz(func(t *testing.T, data []byte, x float64) {
		var m logit.Model
		if json.Unmarshal(data, &m) != nil || m.Validate() != nil {
			return
		}
		all := make([]float64, len(m.Terms))
		for i := range all {
			all[i] = x
		}
		if p, ok := m.Predict(all); ok && !(p > 0 && p <= 1) {
			t.Fatalf("predicts %v", p)
		}
	})
}

func TestAModelSurvivesItsEncodings(t *testing.T) {
	t.Parallel()
	m := fit(t, conversions(1, 400, -1, .5, .1), logit.Options{Ridge: 1})
	data, err := yaml.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var decoded logit.Model
	if err := yaml.UnmarshalWithOptions(data, &decoded, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, &decoded); diff != "" {
		t.Error(diff)
	}
	for name, change := range map[string]func(m *logit.Model){
		"no terms":       func(m *logit.Model) { m.Terms = nil },
		"no events":      func(m *logit.Model) { m.Events = 0 },
		"all events":     func(m *logit.Model) { m.Events = m.Rows },
		"NaN":            func(m *logit.Model) { m.Intercept = math.NaN() },
		"negative":       func(m *logit.Model) { m.InterceptError = -1 },
		"ridge":          func(m *logit.Model) { m.Ridge = math.Inf(1) },
		"null loss":      func(m *logit.Model) { m.NullLogLoss = 1 },
		"loss":           func(m *logit.Model) { m.LogLoss = -1 },
		"steps":          func(m *logit.Model) { m.Steps = -1 },
		"a name twice":   func(m *logit.Model) { m.Terms[0].Name = m.Terms[1].Name },
		"no name":        func(m *logit.Model) { m.Terms[0].Name = "" },
		"infinite slope": func(m *logit.Model) { m.Terms[1].Coefficient = math.Inf(1) },
		"NaN error":      func(m *logit.Model) { m.Terms[1].StandardError = math.NaN() },
		"no scale":       func(m *logit.Model) { m.Terms[1].Scale = 0 },
		"no range":       func(m *logit.Model) { m.Terms[1].Least = m.Terms[1].Most },
	} {
		bad := *m
		bad.Terms = slices.Clone(m.Terms)
		change(&bad)
		if err := bad.Validate(); !errors.Is(err, logit.ErrModel) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
