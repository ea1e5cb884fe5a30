package score_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/logit"
)

// aConversion is a small model: one input raises the log-odds, one lowers them.
func aConversion(tb testing.TB) *score.Conversion {
	tb.Helper()
	fit := logit.Model{
		Intercept: -1, Rows: 1000, Events: 300, Ridge: 1, LogLoss: .5, NullLogLoss: .6, Steps: 4,
		Terms: []logit.Slope{
			{Name: "GOAL_FIT", Coefficient: 2, StandardError: .1, Mean: .5, Scale: .3, Most: 1},
			{Name: "DOUBTS", Coefficient: -.5, StandardError: .1, Mean: .1, Scale: .4, Most: 3},
		},
	}
	m, err := score.NewConversion(30, &fit, &logit.Calibration{Method: logit.Uncalibrated, Least: .5 / 1001, Most: 1 - .5/1001, Rows: 1000})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func encoded(tb testing.TB, m *score.Conversion) []byte {
	tb.Helper()
	data, err := m.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestAConversionModelIsReadAsItWasWritten(t *testing.T) {
	m := aConversion(t)
	data := encoded(t, m)
	read, err := score.ParseConversion(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, read, cmpopts.EquateEmpty(), cmp.AllowUnexported(score.Conversion{})); diff != "" {
		t.Errorf("- written, + read:\n%s", diff)
	}
	if again := encoded(t, read); !bytes.Equal(again, data) {
		t.Errorf("written again:\n%s\n%s", data, again)
	}
}

// The probability is the logistic function of a sum that a person can add up himself, in
// millionths; inputs that the model does not name count nothing.
func TestProbabilityOfASumByHand(t *testing.T) {
	m := aConversion(t)
	for _, c := range []struct {
		goal, doubts float64
		want         fund.Ratio
	}{
		{0, 0, 268_941}, // of e to 1: log-odds -1
		{1, 0, 731_059}, // log-odds 1
		{1, 2, 500_000}, // log-odds 0, by both
		{.5, 0, 500_000},
		{-1000, 0, 500}, // what was never seen is not certain: half an event of 1001
	} {
		in := score.ConversionInputs{score.InputGoalFit: c.goal, score.InputDoubts: c.doubts, score.InputBranch: 17}
		if got := m.Probability(&in); got != (fund.Measure{Value: c.want, OK: true}) {
			t.Errorf("goal fit %v, doubts %v: %+v, expected %d", c.goal, c.doubts, got, c.want)
		}
	}
	if got := m.Probability(&score.ConversionInputs{score.InputGoalFit: math.NaN()}); got.OK {
		t.Errorf("of an input that is no number: %+v, expected not known", got)
	}
}

func TestParseConversionRefuses(t *testing.T) {
	good := string(encoded(t, aConversion(t)))
	change := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("%q is not in %s", from, good)
		}
		return strings.Replace(good, from, to, 1)
	}
	for name, c := range map[string]struct{ in, says string }{
		"nothing":                {"", "byte 0"},
		"another document":       {good + "{}", "more than one"},
		"a cut":                  {good[:len(good)/2], "byte"},
		"an unknown key":         {change(`{"schema"`, `{"commission":1,"schema"`), "unknown field"},
		"another schema":         {change("conversion/v1", "conversion/v2"), `"fundmatch.conversion/v1"`},
		"other definitions":      {change(`"definition":"1"`, `"definition":"2"`), "other inputs"},
		"no days":                {change(`"withinDays":30`, `"withinDays":0`), "1 to 365"},
		"too many days":          {change(`"withinDays":30`, `"withinDays":366`), "1 to 365"},
		"no fit":                 {change(`"fit":{`, `"fit":null,"Fit2":{`), "unknown field"},
		"an unknown input":       {change(`"GOAL_FIT"`, `"HUNCH"`), `"HUNCH", expected one of AFFINITY`},
		"a forbidden input":      {change(`"GOAL_FIT"`, `"COMMISSION"`), "F04"},
		"an input twice":         {change(`"DOUBTS"`, `"GOAL_FIT"`), "GOAL_FIT"},
		"inputs out of order":    {change(`"DOUBTS"`, `"AFFINITY"`), "out of order"},
		"a negative scale":       {change(`"scale":0.3`, `"scale":-1`), "fit"},
		"an unknown calibration": {change(`"NONE"`, `"HOPE"`), "calibration"},
		"a certainty":            {change(`"most":0.9995`, `"most":1.9995`), "calibration"},
	} {
		_, err := score.ParseConversion([]byte(c.in))
		if !errors.Is(err, score.ErrModel) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, expected a refusal that says %q", name, err, c.says)
		}
	}
	if _, err := score.ParseConversion([]byte(change(`"GOAL_FIT"`, `"TRAILING_FEE"`))); !errors.Is(err, score.ErrForbiddenInput) {
		t.Errorf("a trailing fee as an input: %v, expected it refused by F04", err)
	}
	if _, err := score.ParseConversion(make([]byte, 1<<20+1)); !errors.Is(err, score.ErrModel) {
		t.Errorf("a megabyte and a byte: %v", err)
	}
}

// No name of an input is one that the seller earns by, and each is one name.
func TestInputNames(t *testing.T) {
	seen := map[string]bool{}
	for i := range score.ConversionInputCount {
		name := i.String()
		if err := score.CheckInput(name); err != nil || seen[name] || name != strings.ToUpper(name) || strings.HasPrefix(name, "INPUT_") {
			t.Errorf("input %d: %q: %v, twice %v", i, name, err, seen[name])
		}
		seen[name] = true
	}
	for i, name := range []string{"AFFINITY", "GOAL_FIT", "HORIZON_FIT", "LIQUIDITY_FIT", "LOSS_FIT", "QUALITY", "COST", "POPULARITY", "OBJECTED"} {
		if got := score.ConversionInput(i).String(); got != name || score.Feature(i).String() != name {
			t.Errorf("input %d is %s, the feature %s, expected %s", i, got, score.Feature(i), name)
		}
	}
	if got := score.ConversionInputCount.String(); got != "INPUT_27" {
		t.Errorf("%s: the definition has 27 inputs; more or other ones are another definition", got)
	}
}

// What comes from outside never panics, and what is read is written as one document.
func FuzzParseConversion(f *testing.F) {
	f.Add(encoded(f, aConversion(f)))
	f.Add([]byte(`{"schema":"fundmatch.conversion/v1","definition":"1","withinDays":30,"fit":{},"calibration":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := score.ParseConversion(data)
		if err != nil {
			if !errors.Is(err, score.ErrModel) {
				t.Fatalf("%v is no ErrModel", err)
			}
			return
		}
		var in score.ConversionInputs
		if p := m.Probability(&in); p.OK && (p.Value < 0 || p.Value > 1_000_000) {
			t.Fatalf("probability %d", p.Value)
		}
		once := encoded(t, m)
		again, err := score.ParseConversion(once)
		if err != nil || !bytes.Equal(encoded(t, again), once) {
			t.Fatalf("read back as another model: %v", err)
		}
	})
}
