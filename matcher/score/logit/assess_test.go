package logit_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/score/logit"
)

// forecasts draws rows of customers; what is said is said(true log-odds). A customer's
// rows share a part of their log-odds that is not said.
func forecasts(seed uint64, customers, each int, shared float64, said func(eta float64) float64) []logit.Forecast {
	r := rand.New(rand.NewPCG(seed, 6))
	var out []logit.Forecast
	for c := range customers {
		own := shared * r.NormFloat64()
		for range each {
			eta := r.NormFloat64() - 1.5
			out = append(out, logit.Forecast{
				Customer: fmt.Sprintf("c%d", c), Segment: []string{"young", "old", ""}[c%3],
				Probability: logit.Sigmoid(said(eta)), Happened: r.Float64() < logit.Sigmoid(eta+own),
			})
		}
	}
	return out
}

func assess(t rapid.TB, rows []logit.Forecast, o logit.AssessOptions) *logit.Assessment {
	t.Helper()
	a, err := logit.Assess(rows, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func wantClose(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

func TestAssessByHand(t *testing.T) {
	t.Parallel()
	a := assess(t, []logit.Forecast{
		{"a", "", .1, false}, {"a", "", .2, false}, {"b", "", .3, true}, {"c", "", .8, true}, {"c", "", .8, false},
	}, logit.AssessOptions{Bins: 2, Replicates: 100})
	if a.Rows != 5 || a.Events != 2 || a.Customers != 3 {
		t.Errorf("%d rows, %d events, %d customers", a.Rows, a.Events, a.Customers)
	}
	wantClose(t, "Brier", a.Brier, (.01+.04+.49+.04+.64)/5, 1e-15)
	wantClose(t, "base", a.BaseBrier, .4*.6, 1e-15)
	wantClose(t, "skill", a.Skill.Value, 1-.244/.24, 1e-14)
	wantClose(t, "log loss", a.LogLoss, -(math.Log(.9)+math.Log(.8)+math.Log(.3)+math.Log(.8)+math.Log(.2))/5, 1e-15)
	wantClose(t, "ECE", a.ECE, (.1+.2+.7+.6)/5, 1e-15)
	if len(a.Bins) != 2 || a.Bins[0].Rows != 3 || a.Bins[0].Events != 1 || a.Bins[1].Rows != 2 || a.Bins[1].From != .8 || a.Bins[1].To != .8 {
		t.Errorf("%+v", a.Bins)
	}
	wantClose(t, "mean of the first bin", a.Bins[0].Predicted, .2, 1e-15)
	if a.Lines[0].Unknown == "" || a.Lines[0].Slope != (logit.Interval{}) {
		t.Errorf("a slope of two events: %+v", a.Lines[0])
	}
}

// Wilson's interval as in Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
func TestWilson(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{{81, 263, .2553, .3662}, {15, 148, .0624, .1605}, {0, 20, 0, .1611}, {1, 29, .0061, .1718}, {29, 29, .8830, 1}} {
		var rows []logit.Forecast
		for i := range c.n {
			rows = append(rows, logit.Forecast{Probability: .2, Happened: i < c.k})
		}
		rows = append(rows, logit.Forecast{Probability: .9, Happened: false}, logit.Forecast{Probability: .9, Happened: true})
		got := assess(t, rows, logit.AssessOptions{Bins: 2, Replicates: 100}).Bins[0].Observed
		wantClose(t, fmt.Sprintf("low of %d of %d", c.k, c.n), got.Low, c.low, 6e-5)
		wantClose(t, fmt.Sprintf("high of %d of %d", c.k, c.n), got.High, c.high, 6e-5)
		wantClose(t, "share", got.Value, float64(c.k)/float64(c.n), 1e-15)
	}
}

func TestBinsDivideTheRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 300).Draw(t, "rows")
		grid := rapid.SampledFrom([]int{2, 9, 1 << 40}).Draw(t, "grid")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		rows := make([]logit.Forecast, n)
		for i := range rows {
			rows[i] = logit.Forecast{Probability: (float64(r.IntN(grid)) + 1) / float64(grid+1), Happened: i%2 == 0}
		}
		count := rapid.IntRange(2, 20).Draw(t, "bins")
		a := assess(t, rows, logit.AssessOptions{Bins: count, Replicates: 100})
		if len(a.Bins) > count {
			t.Fatalf("%d bins, asked for %d", len(a.Bins), count)
		}
		var sum, events int64
		before := 0.
		for _, b := range a.Bins {
			if b.From <= before || b.To < b.From || b.Predicted < b.From || b.Predicted > b.To || b.Rows < 1 || b.Events > b.Rows ||
				b.Observed.Low > b.Observed.Value || b.Observed.High < b.Observed.Value {
				t.Fatalf("%+v after %v", b, before)
			}
			if grid == 1<<40 && (b.Rows < int64(n/count) || b.Rows > int64(n/count+1)) {
				t.Fatalf("%d of %d rows in one of %d bins", b.Rows, n, count)
			}
			sum, events, before = sum+b.Rows, events+b.Events, b.To
		}
		if sum != a.Rows || events != a.Events {
			t.Fatalf("%d rows, %d events in bins of %d, %d", sum, events, a.Rows, a.Events)
		}
	})
}

func TestLinesTellGoodFromBad(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		said            func(float64) float64
		slope, in, mean float64
	}{
		{"right", func(e float64) float64 { return e }, 1, 0, 0},
		{"too extreme", func(e float64) float64 { return 2 * e }, .5, 0, math.NaN()},
		{"too low", func(e float64) float64 { return e - .7 }, 1, .7, .7},
	} {
		a := assess(t, forecasts(3, 6000, 5, 0, c.said), logit.AssessOptions{Replicates: 100})
		for i, l := range a.Lines {
			if name := []string{"", "old", "young"}[i]; l.Segment != name || l.Unknown != "" {
				t.Fatalf("%s: line %d: %+v", c.name, i, l)
			}
			if l.Slope.Low > c.slope+.05 || l.Slope.High < c.slope-.05 || math.Abs(l.Slope.Value-c.slope) > .06 {
				t.Errorf("%s, %q: slope %+v, want %v", c.name, l.Segment, l.Slope, c.slope)
			}
			wantClose(t, c.name+": intercept", l.Intercept.Value, c.in, .12)
			if !math.IsNaN(c.mean) {
				wantClose(t, c.name+": in the large", l.InTheLarge.Value, c.mean, .08)
			}
		}
		if rows := a.Lines[1].Rows + a.Lines[2].Rows; rows != 20_000 || a.Lines[0].Rows != 30_000 {
			t.Errorf("%s: %d rows in segments, %d in all", c.name, rows, a.Lines[0].Rows)
		}
	}
}

// The likelihood has no slope at the line, and in the large as many are foreseen as happen.
func TestLinesAreStationary(t *testing.T) {
	t.Parallel()
	rows := forecasts(5, 500, 4, .5, func(e float64) float64 { return 1.4*e + .2 })
	l := assess(t, rows, logit.AssessOptions{Replicates: 100}).Lines[0]
	var g0, g1, large float64
	for _, r := range rows {
		x := math.Log(r.Probability / (1 - r.Probability))
		y := 0.
		if r.Happened {
			y = 1
		}
		d := 1/(1+math.Exp(-l.Intercept.Value-l.Slope.Value*x)) - y
		g0, g1 = g0+d, g1+d*x
		large += 1/(1+math.Exp(-l.InTheLarge.Value-x)) - y
	}
	if math.Abs(g0)+math.Abs(g1)+math.Abs(large) > 1e-8 {
		t.Errorf("slopes of %g, %g and %g", g0, g1, large)
	}
}

// Intervals cover what is true as often as they say, though a customer's rows lean together.
func TestIntervalsCover(t *testing.T) {
	t.Parallel()
	const samples = 200
	identity := func(e float64) float64 { return e }
	all := assess(t, forecasts(1, 30_000, 5, 1.2, identity), logit.AssessOptions{Replicates: 100})
	var skill, slope, large int
	for seed := range uint64(samples) {
		a := assess(t, forecasts(seed+10, 200, 5, 1.2, identity), logit.AssessOptions{Replicates: 200, Seed: seed, Workers: 1})
		if a.Skill.Low <= all.Skill.Value && all.Skill.Value <= a.Skill.High {
			skill++
		}
		if l := a.Lines[0].Slope; l.Low <= all.Lines[0].Slope.Value && all.Lines[0].Slope.Value <= l.High {
			slope++
		}
		if l := a.Lines[0].InTheLarge; l.Low <= all.Lines[0].InTheLarge.Value && all.Lines[0].InTheLarge.Value <= l.High {
			large++
		}
	}
	for name, n := range map[string]int{"skill": skill, "slope": slope, "in the large": large} {
		if share := float64(n) / samples; share < .9 || share > .99 {
			t.Errorf("%s: covered in %.1f %% of samples, want 95 %%", name, 100*share)
		}
	}
}

// Rows of one customer are one piece of evidence: saying each row ten times adds nothing,
// unless they are ten customers'.
func TestCustomersAreResampledNotRows(t *testing.T) {
	t.Parallel()
	once := forecasts(2, 1000, 1, 0, func(e float64) float64 { return e })
	var again []logit.Forecast
	for _, r := range once {
		for range 10 {
			again = append(again, r)
		}
	}
	o := logit.AssessOptions{Replicates: 500, Seed: 4}
	a, b := assess(t, once, o), assess(t, again, o)
	width := func(i logit.Interval) float64 { return i.High - i.Low }
	wantClose(t, "width of the skill", width(b.Skill), width(a.Skill), 1e-9)
	wantClose(t, "width of the slope", width(b.Lines[0].Slope), width(a.Lines[0].Slope), 1e-6)
	wantClose(t, "width in the large", width(b.Lines[0].InTheLarge), width(a.Lines[0].InTheLarge), 1e-6)
	for i := range again {
		again[i].Customer = fmt.Sprint(i)
	}
	c := assess(t, again, o)
	if ratio := width(a.Skill) / width(c.Skill); ratio < 2.5 || ratio > 4 {
		t.Errorf("ten times the customers make the interval %g times narrower, want √10", ratio)
	}
}

func TestAssessIsTheSameForAnyWorkers(t *testing.T) {
	t.Parallel()
	rows := forecasts(9, 2000, 3, .5, func(e float64) float64 { return e })
	text := func(workers int, seed uint64) string {
		data, err := json.Marshal(assess(t, rows, logit.AssessOptions{Workers: workers, Seed: seed}))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	want := text(1, 5)
	for _, workers := range []int{0, 2, 7} {
		if got := text(workers, 5); got != want {
			t.Errorf("%d workers:\n%s\nwant\n%s", workers, got, want)
		}
	}
	if text(1, 6) == want {
		t.Error("the seed changes nothing")
	}
}

func TestForecastsThatAreRefused(t *testing.T) {
	t.Parallel()
	yes, no := logit.Forecast{Probability: .4, Happened: true}, logit.Forecast{Probability: .3}
	for _, c := range []struct {
		name string
		rows []logit.Forecast
		o    logit.AssessOptions
		err  error
		row  int
	}{
		{"one row", []logit.Forecast{yes}, logit.AssessOptions{}, logit.ErrTooFew, 0},
		{"all happened", []logit.Forecast{yes, yes}, logit.AssessOptions{}, logit.ErrOneClass, 0},
		{"none happened", []logit.Forecast{no, no}, logit.AssessOptions{}, logit.ErrOneClass, 0},
		{"certain", []logit.Forecast{yes, no, {Probability: 1}}, logit.AssessOptions{}, logit.ErrNotFinite, 3},
		{"impossible", []logit.Forecast{yes, {Probability: 0}}, logit.AssessOptions{}, logit.ErrNotFinite, 2},
		{"NaN", []logit.Forecast{{Probability: math.NaN()}, no}, logit.AssessOptions{}, logit.ErrNotFinite, 1},
		{"one bin", []logit.Forecast{yes, no}, logit.AssessOptions{Bins: 1}, logit.ErrOptions, 0},
		{"too many bins", []logit.Forecast{yes, no}, logit.AssessOptions{Bins: 101}, logit.ErrOptions, 0},
		{"too few replicates", []logit.Forecast{yes, no}, logit.AssessOptions{Replicates: 99}, logit.ErrOptions, 0},
		{"too many replicates", []logit.Forecast{yes, no}, logit.AssessOptions{Replicates: 10_001}, logit.ErrOptions, 0},
		{"too many workers", []logit.Forecast{yes, no}, logit.AssessOptions{Workers: 257}, logit.ErrOptions, 0},
	} {
		_, err := logit.Assess(c.rows, c.o)
		var where *logit.DataError
		if !errors.Is(err, c.err) || !errors.As(err, &where) || where.Row != c.row {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	assess(t, []logit.Forecast{yes, no}, logit.AssessOptions{Bins: 100, Replicates: 100, Workers: 256})
}

// A segment without events says so, and does not show up as a slope.
func TestAThinSegmentIsUnknown(t *testing.T) {
	t.Parallel()
	rows := forecasts(4, 600, 3, 0, func(e float64) float64 { return e })
	for i := range 12 {
		rows = append(rows, logit.Forecast{Customer: "z", Segment: "thin", Probability: .2, Happened: i < 9})
	}
	for i := range 40 {
		rows = append(rows, logit.Forecast{Customer: fmt.Sprint("y", i), Segment: "flat", Probability: .2, Happened: i < 20})
	}
	lines := assess(t, rows, logit.AssessOptions{Replicates: 100}).Lines
	if len(lines) != 5 || lines[1].Segment != "flat" || lines[3].Segment != "thin" {
		t.Fatalf("%+v", lines)
	}
	if l := lines[3]; !strings.Contains(l.Unknown, "9 events in 12 rows") || l.Slope != (logit.Interval{}) || l.Observed != .75 {
		t.Errorf("%+v", l)
	}
	if l := lines[1]; l.Unknown == "" {
		t.Errorf("a slope of one probability: %+v", l)
	}
}

// Thresholds of the hash are those of a Poisson(1) number.
func TestTheBootstrapIsUnbiased(t *testing.T) {
	t.Parallel()
	// The spread of a mean over replicates is the one that theory gives: a Brier score of
	// n customers of one row, half of which are .01 and half .25, has that of the rows / √n.
	var rows []logit.Forecast
	for i := range 4000 {
		rows = append(rows, logit.Forecast{Customer: fmt.Sprint(i), Probability: []float64{.1, .5}[i%2], Happened: i%4 == 1})
	}
	a := assess(t, rows, logit.AssessOptions{Replicates: 4000, Seed: 1})
	// Linearised: skill = 1 - B/(s(1-s)); the spread of B/(s(1-s)) - B(1-2s)/(s(1-s))² s over rows.
	var mean, squares float64
	base := a.BaseBrier
	share := float64(a.Events) / float64(a.Rows)
	for _, r := range rows {
		d, y := r.Probability, 0.
		if r.Happened {
			d, y = 1-d, 1
		}
		v := d*d/base - a.Brier*(1-2*share)/base/base*y
		mean, squares = mean+v/4000, squares+v*v/4000
	}
	want := 2 * 1.959964 * math.Sqrt((squares-mean*mean)/4000)
	if ratio := (a.Skill.High - a.Skill.Low) / want; ratio < .93 || ratio > 1.07 {
		t.Errorf("the interval is %g of what theory gives", ratio)
	}
	if middle := (a.Skill.High + a.Skill.Low) / 2; math.Abs(middle-a.Skill.Value) > .05*want {
		t.Errorf("the interval's middle is %v, the skill %v", middle, a.Skill.Value)
	}
}

func TestTheDrawing(t *testing.T) {
	t.Parallel()
	a := assess(t, forecasts(1, 3000, 4, .3, func(e float64) float64 { return e }), logit.AssessOptions{})
	var first, second bytes.Buffer
	if err := a.WriteSVG(&first, `conversion <b> & "quotes" 申购`); err != nil {
		t.Fatal(err)
	}
	if err := a.WriteSVG(&second, `conversion <b> & "quotes" 申购`); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Error("two drawings of one assessment differ")
	}
	count := map[string]int{}
	var words []string
	for decoder := xml.NewDecoder(&first); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			count[token.Name.Local]++
		case xml.CharData:
			words = append(words, string(token))
		}
	}
	if count["circle"] != len(a.Bins) || count["script"] != 0 || count["b"] != 0 {
		t.Errorf("%v for %d bins", count, len(a.Bins))
	}
	for _, want := range []string{`conversion <b> & "quotes" 申购`, "12000 rows", fmt.Sprintf("skill %.3f", a.Skill.Value), fmt.Sprintf("slope %.2f", a.Lines[0].Slope.Value)} {
		if !strings.Contains(strings.Join(words, "|"), want) {
			t.Errorf("%q is not in %q", want, words)
		}
	}
	if strings.Contains(second.String(), "NaN") || strings.Contains(second.String(), "Inf") {
		t.Error(second.String())
	}
	if err := a.WriteSVG(broken{}, ""); err == nil {
		t.Error("a writer's error was lost")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func BenchmarkAssess(b *testing.B) {
	rows := forecasts(1, 20_000, 5, .3, func(e float64) float64 { return e })
	for b.Loop() {
		assess(b, rows, logit.AssessOptions{})
	}
}
