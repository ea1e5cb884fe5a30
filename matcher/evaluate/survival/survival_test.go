package survival_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/survival"
)

func tableOf(t *testing.T, left, there []float64) *survival.Table {
	t.Helper()
	var table survival.Table
	for _, time := range left {
		if err := table.Add(time, true); err != nil {
			t.Fatal(err)
		}
	}
	for _, time := range there {
		if err := table.Add(time, false); err != nil {
			t.Fatal(err)
		}
	}
	return &table
}

// Freireich's leukaemia trial, of every textbook.
func leukaemia(t *testing.T) (treated, placebo *survival.Table) {
	t.Helper()
	treated = tableOf(t, []float64{6, 6, 6, 7, 10, 13, 16, 22, 23}, []float64{6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 25})
	placebo = tableOf(t, []float64{1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23}, nil)
	return treated, placebo
}

func TestPublishedSurvival(t *testing.T) {
	treated, placebo := leukaemia(t)
	curve, err := survival.KaplanMeier(treated, .05, survival.Plain)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		time        float64
		atRisk      int64
		survival    float64
		standardErr float64
	}{
		{6, 21, .857, .0764},
		{7, 17, .807, .0869},
		{10, 15, .753, .0963},
		{13, 12, .690, .1068},
		{16, 11, .627, .1141},
		{22, 7, .538, .1282},
		{23, 6, .448, .1346},
	}
	if len(curve) != len(want) {
		t.Fatalf("%+v", curve)
	}
	for i, w := range want {
		p := curve[i]
		if p.Time != w.time || p.AtRisk != w.atRisk || math.Abs(p.Survival-w.survival) > .0006 || math.Abs(p.StdErr-w.standardErr) > .00006 {
			t.Errorf("%+v, expected %+v", p, w)
		}
		if math.Abs(p.High-min(1, p.Survival+1.959963984540054*p.StdErr)) > 1e-12 || math.Abs(p.Low-(p.Survival-1.959963984540054*p.StdErr)) > 1e-12 {
			t.Errorf("interval [%v, %v] about %v", p.Low, p.High, p.Survival)
		}
	}
	if median, ok := survival.Median(curve); !ok || median != 23 {
		t.Errorf("median %v, %v, expected 23", median, ok)
	}
	r, err := survival.Test(placebo, treated)
	if err != nil || math.Abs(r.Chi2-16.79294098921654) > 1e-10 || math.Abs(r.P-4.168809109334532e-05) > 1e-14 || r.Observed != 21 || math.Abs(r.Expected-10.749) > .001 {
		t.Errorf("log-rank %+v, %v", r, err)
	}
	// R: survdiff.
	r, err = survival.Test(tableOf(t, []float64{10, 20, 50}, nil), tableOf(t, []float64{10, 20, 30}, nil))
	if err != nil || math.Abs(r.Chi2-.2542372881355932) > 1e-12 || math.Abs(r.P-.6141071500553654) > 1e-12 {
		t.Errorf("log-rank %+v, %v", r, err)
	}
}

// On the log-log scale the interval stays within 0 and 1; once all left it is 0.
func TestIntervalsStayWithin(t *testing.T) {
	_, placebo := leukaemia(t)
	for _, scale := range []survival.Transform{survival.Plain, survival.LogLog} {
		curve, err := survival.KaplanMeier(placebo, .05, scale)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range curve[:len(curve)-1] {
			if !(p.Low >= 0 && p.Low < p.Survival && p.Survival < p.High && p.High <= 1) {
				t.Errorf("scale %d: %+v", scale, p)
			}
		}
		if last := curve[len(curve)-1]; last.Survival != 0 || last.Low != 0 || last.High != 0 || last.StdErr != 0 {
			t.Errorf("scale %d: %+v, expected 0", scale, last)
		}
	}
	// R: survfit(conf.type = "log-log") of the treated at 10.
	treated, _ := leukaemia(t)
	curve, err := survival.KaplanMeier(treated, .05, survival.LogLog)
	if err != nil || math.Abs(curve[2].Low-.503) > .0006 || math.Abs(curve[2].High-.889) > .0006 {
		t.Errorf("%+v, %v, expected [.503, .889]", curve[2], err)
	}
}

// Without censoring the curve is the share that is left, and its error that of a share.
func TestSurvivalWithoutCensoring(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.IntRange(1, 12), 1, 60).Draw(t, "times")
		var table survival.Table
		for _, time := range times {
			if err := table.Add(float64(time), true); err != nil {
				t.Fatal(err)
			}
		}
		curve, err := survival.KaplanMeier(&table, .05, survival.Plain)
		if err != nil {
			t.Fatal(err)
		}
		n := float64(len(times))
		for _, p := range curve {
			left := 0.0
			for _, time := range times {
				if float64(time) > p.Time {
					left++
				}
			}
			if math.Abs(p.Survival-left/n) > 1e-12 || math.Abs(p.StdErr-math.Sqrt(left/n*(1-left/n)/n)) > 1e-12 {
				t.Fatalf("%+v, expected a share of %v", p, left/n)
			}
		}
	})
}

// Of 2,000 pairs of groups that leave alike, 5 % have a p-value below .05: within 3 standard errors.
func TestLogRankOfAlikeGroups(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 2))
	const worlds = 2000
	found := 0
	for range worlds {
		var groups [2]survival.Table
		for i := range 160 {
			day := math.Ceil(30 * source.ExpFloat64())
			seen := float64(20 + source.IntN(60))
			if err := groups[i%2].Add(min(day, seen), day <= seen); err != nil {
				t.Fatal(err)
			}
		}
		r, err := survival.Test(&groups[0], &groups[1])
		if err != nil {
			t.Fatal(err)
		}
		if r.P < .05 {
			found++
		}
	}
	if rate := float64(found) / worlds; math.Abs(rate-.05) > .0147 {
		t.Errorf("%.4f of the groups are told apart, expected .05", rate)
	}
}

// A merged table is exactly that of all, in any order, and comes back from JSON.
func TestMergeEqualsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOf(rapid.IntRange(0, 9)).Draw(t, "times")
		var whole survival.Table
		var parts [2]survival.Table
		for i, time := range times {
			left := rapid.Bool().Draw(t, "left")
			if err := errors.Join(whole.Add(float64(time), left), parts[i%2].Add(float64(time), left)); err != nil {
				t.Fatal(err)
			}
		}
		if err := parts[1].Merge(&parts[0]); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(parts[1].Rows(), whole.Rows()) || whole.Customers() != int64(len(times)) {
			t.Fatalf("%v merged, %v whole", parts[1].Rows(), whole.Rows())
		}
		data, err := json.Marshal(&whole)
		var back survival.Table
		if err == nil {
			err = json.Unmarshal(data, &back)
		}
		if err != nil || !slices.Equal(back.Rows(), whole.Rows()) {
			t.Fatalf("%s came back as %v: %v", data, back.Rows(), err)
		}
	})
}

func TestSurvivalThatCannotBeTold(t *testing.T) {
	var table survival.Table
	for _, time := range []float64{-1, math.NaN(), math.Inf(1)} {
		if err := table.Add(time, true); !errors.Is(err, survival.ErrTime) {
			t.Errorf("%v: %v", time, err)
		}
	}
	for _, alpha := range []float64{0, 1, math.NaN()} {
		if _, err := survival.KaplanMeier(&table, alpha, survival.Plain); !errors.Is(err, survival.ErrOptions) {
			t.Errorf("alpha %v: %v", alpha, err)
		}
	}
	if curve, err := survival.KaplanMeier(&table, .05, survival.Plain); err != nil || len(curve) != 0 {
		t.Errorf("nobody: %v, %v", curve, err)
	}
	still := tableOf(t, nil, []float64{5, 6})
	if _, ok := survival.Median(nil); ok {
		t.Error("a curve of nobody has a median")
	}
	for name, pair := range map[string][2]*survival.Table{
		"nobody leaves": {still, still}, "one group": {still, &table}, "apart": {tableOf(t, []float64{5}, nil), tableOf(t, nil, []float64{1})},
	} {
		if _, err := survival.Test(pair[0], pair[1]); !errors.Is(err, survival.ErrNothing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{
		`{}`, `[{"time":1,"events":-1}]`, `[{"time":1,"censored":-1}]`, `[{"time":2,"events":1},{"time":2,"events":1}]`, `[{"time":-1}]`,
	} {
		if err := json.Unmarshal([]byte(text), &table); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

// The limit of different times, at it and one past it.
func TestTimesAreBounded(t *testing.T) {
	var table, one survival.Table
	for i := range survival.MaxTimes {
		if err := table.Add(float64(i), true); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Add(3, true); err != nil {
		t.Errorf("a time that was there: %v", err)
	}
	if err := table.Add(.5, true); !errors.Is(err, survival.ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	if err := one.Add(.5, true); err != nil {
		t.Fatal(err)
	}
	if err := table.Merge(&one); !errors.Is(err, survival.ErrTooMany) || table.Customers() != survival.MaxTimes+1 {
		t.Errorf("merged one more: %v, %d customers", err, table.Customers())
	}
}
