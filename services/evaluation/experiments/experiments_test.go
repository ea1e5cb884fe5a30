package experiments_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
)

// customers is a source of rows that were made up.
type customers struct {
	rows []experiments.Customer
	next int
}

func (s *customers) Next(c *experiments.Customer) error {
	if s.next == len(s.rows) {
		return io.EOF
	}
	*c = s.rows[s.next]
	s.next++
	if c.ID == "bad" {
		return &experiments.RowError{At: c.At, Column: "metric", Value: "x", Want: "a number"}
	}
	return nil
}

func (s *customers) add(id, arm string, metric, pre float64, segments ...string) {
	n := int64(len(s.rows) + 1)
	s.rows = append(s.rows, experiments.Customer{
		ID: id, At: experiments.Place{File: "f.csv", Row: n, Line: n + 1},
		Row: experiments.Row{Arm: arm, Metrics: []float64{metric}, Pre: []float64{pre}, Segments: segments},
	})
}

var columns = experiments.Columns{Metrics: []string{"metric"}, Pre: []string{"pre_metric"}, Segments: []string{"channel"}}

// bank is an experiment of so many customers in each arm, which lifts the metric.
func bank(n int, lift float64) *customers {
	source := rand.New(rand.NewPCG(1, 2))
	s := &customers{}
	for i := range 2 * n {
		arm, more := "control", 0.0
		if i%2 == 1 {
			arm, more = "new", lift
		}
		pre := 10 + 3*source.NormFloat64()
		metric := .8*pre + 2*source.NormFloat64() + more
		if i%51 == 0 {
			metric = math.NaN()
		}
		if i%71 == 0 {
			pre = math.NaN()
		}
		s.add(fmt.Sprintf("C%06d", i), arm, metric, pre, []string{"APP", "BRANCH", ""}[i%3])
	}
	return s
}

func run(t *testing.T, s *customers, config experiments.Config) *experiments.Document {
	t.Helper()
	d, err := experiments.Run(t.Context(), s, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func codes(d *experiments.Document) (out []string) {
	for _, r := range d.Verdict.Reasons {
		out = append(out, r.Code)
	}
	return out
}

// The document says what the statistics say of the same customers, censored ones left out.
func TestDocumentHoldsTheStatistics(t *testing.T) {
	s := bank(2000, .5)
	d := run(t, s, experiments.Defaults(columns))
	var all [2]inference.Moments
	var paired [2]inference.Pairs
	var censored [2]int64
	for i, c := range s.rows {
		metric, pre := c.Row.Metrics[0], c.Row.Pre[0]
		if math.IsNaN(metric) {
			censored[i%2]++
			continue
		}
		all[i%2].Add(metric)
		if !math.IsNaN(pre) {
			paired[i%2].Add(pre, metric)
		}
	}
	if d.Rows != 4000 || d.Verdict.Status != experiments.Given || len(d.Verdict.Reasons) != 0 || len(d.Gates) != 0 {
		t.Errorf("%d rows, verdict %+v", d.Rows, d.Verdict)
	}
	for i, a := range d.Arms {
		m := a.Metrics[0]
		if a.Arm != []string{"control", "new"}[i] || a.Customers != 2000 || m.N != all[i].N || m.Censored != censored[i] ||
			m.Mean != experiments.Number(all[i].Mean) || m.SD != experiments.Number(math.Sqrt(all[i].Variance())) {
			t.Errorf("arm %+v, expected %+v", a, all[i])
		}
	}
	difference, err := inference.Difference(all[0], all[1])
	if err != nil {
		t.Fatal(err)
	}
	welch, _ := difference.Welch(.05)
	always, _ := difference.Sequential(.05, inference.DefaultTuning)
	m := d.Comparisons[0].Metrics[0]
	same := func(name string, got *experiments.Estimate, want inference.Effect) {
		if got == nil || got.Value != want.Value || got.StdErr != want.StdErr || got.Low != want.Low || got.High != want.High || got.P != want.P {
			t.Errorf("%s: %+v, expected %+v", name, got, want)
		}
	}
	same("Welch", m.Welch.Absolute, welch)
	same("sequential", m.Sequential.Absolute, always)
	theta, err := inference.Theta(paired[0], paired[1])
	if err != nil {
		t.Fatal(err)
	}
	adjusted, err := inference.Adjusted(paired[0], paired[1], theta)
	if err != nil {
		t.Fatal(err)
	}
	cuped, _ := adjusted.Welch(.05)
	same("CUPED", m.CUPED.Absolute, cuped)
	if m.CUPED.Theta != experiments.Number(theta) || m.CUPED.Customers != paired[0].N+paired[1].N || !(m.CUPED.VarianceRatio < .6) || len(m.Unknown) != 0 {
		t.Errorf("CUPED %+v, unknown %q", m.CUPED, m.Unknown)
	}
	if m.Welch.Relative == nil || m.CUPED.Relative == nil || m.Sequential.Relative == nil || m.CUPED.Sequential.Relative == nil {
		t.Errorf("%+v lacks a relative difference", m)
	}
	var inSegments int64
	for _, v := range d.Segments[0].Values {
		inSegments += v.Customers
		if len(v.Comparisons) != 1 || v.Comparisons[0].Metrics[0].Welch.Absolute == nil {
			t.Errorf("segment %q: %+v", v.Value, v.Comparisons)
		}
	}
	if d.Segments[0].Name != "channel" || len(d.Segments[0].Values) != 3 || inSegments != 4000 {
		t.Errorf("segments %+v", d.Segments)
	}
}

// p-values are adjusted over all arms and metrics at once.
func TestPValuesAreAdjustedOverAllComparisons(t *testing.T) {
	source := rand.New(rand.NewPCG(3, 4))
	s := &customers{}
	for i := range 900 {
		arm := []string{"control", "a", "b"}[i%3]
		s.add(fmt.Sprint("C", i), arm, source.NormFloat64(), math.NaN())
		c := &s.rows[len(s.rows)-1].Row
		c.Metrics, c.Pre = append(c.Metrics, source.NormFloat64()), append(c.Pre, math.NaN())
	}
	two := experiments.Columns{Metrics: []string{"bought", "complained"}, Pre: []string{"", ""}}
	d := run(t, s, experiments.Defaults(two))
	var p, holm, bh []float64
	for _, c := range d.Comparisons {
		for _, m := range c.Metrics {
			p, holm, bh = append(p, m.Welch.Absolute.P), append(holm, m.Welch.Absolute.Holm), append(bh, m.Welch.Absolute.BH)
			if m.CUPED != nil {
				t.Errorf("%+v without a value of before", m.CUPED)
			}
		}
	}
	if len(p) != 4 || !slices.Equal(holm, inference.Holm(p)) || !slices.Equal(bh, inference.BenjaminiHochberg(p)) {
		t.Errorf("p %v, Holm %v, BH %v", p, holm, bh)
	}
	if d.Comparisons[0].Arm != "a" || d.Comparisons[1].Arm != "b" || d.Arms[0].Arm != "control" {
		t.Errorf("arms %v, comparisons %v", d.Arms, d.Comparisons)
	}
	if g := d.ForGates(); g.Estimates != nil {
		t.Error("four comparisons pass for the one")
	}
}

// A verdict is withheld, with the figures there, and says why.
func TestVerdictIsWithheld(t *testing.T) {
	unlike := bank(500, 0)
	unlike.rows = slices.DeleteFunc(unlike.rows, func(c experiments.Customer) bool { return c.Row.Arm == "new" && c.At.Row%5 == 0 })
	renamed := bank(500, 0)
	for i := range renamed.rows {
		if renamed.rows[i].Row.Arm == "control" {
			renamed.rows[i].Row.Arm = "a"
		}
	}
	missing := bank(500, 0)
	for i := range missing.rows {
		if missing.rows[i].Row.Arm == "new" && i%3 == 0 {
			missing.rows[i].Row.Metrics[0] = math.NaN()
		}
	}
	flat := bank(200, 0)
	for i := range flat.rows {
		flat.rows[i].Row.Metrics[0] = 1
	}
	for name, c := range map[string]struct {
		source *customers
		change func(*experiments.Config)
		want   []string
	}{
		"arms as planned":     {bank(500, 0), nil, nil},
		"mismatch":            {unlike, nil, []string{experiments.ReasonMismatch}},
		"not mismatched":      {unlike, func(c *experiments.Config) { c.Weights = map[string]float64{"control": 500, "new": 400} }, nil},
		"other weights":       {bank(500, 0), func(c *experiments.Config) { c.Weights = map[string]float64{"control": 9, "new": 1} }, []string{experiments.ReasonMismatch}},
		"few":                 {bank(60, 0), nil, []string{experiments.ReasonTooFew, experiments.ReasonTooFew}},
		"few enough":          {bank(60, 0), func(c *experiments.Config) { c.MinCustomers = 58 }, nil},
		"one too few":         {bank(60, 0), func(c *experiments.Config) { c.MinCustomers = 59 }, []string{experiments.ReasonTooFew}},
		"nobody said who":     {renamed, nil, []string{experiments.ReasonControl}},
		"somebody said who":   {renamed, func(c *experiments.Config) { c.Control = "a" }, nil},
		"censored unequally":  {missing, nil, []string{experiments.ReasonCensoring}},
		"one value":           {flat, nil, []string{experiments.ReasonNoFigure}},
		"a planned arm empty": {bank(500, 0), func(c *experiments.Config) { c.Weights = map[string]float64{"control": 1, "new": 1, "gone": 1} }, []string{experiments.ReasonMismatch, experiments.ReasonTooFew}},
	} {
		t.Run(name, func(t *testing.T) {
			config := experiments.Defaults(columns)
			if c.change != nil {
				c.change(&config)
			}
			c.source.next = 0
			d := run(t, c.source, config)
			if got := codes(d); !slices.Equal(got, c.want) || (d.Verdict.Status == experiments.Given) != (len(c.want) == 0) {
				t.Fatalf("%s %q, expected %q: %+v", d.Verdict.Status, got, c.want, d.Verdict.Reasons)
			}
			withheld := len(c.want) > 0
			for path, is := range map[string]bool{
				"comparisons.new.metrics.metric.welch.absolute.ci95.low": withheld, "estimates.welch.absolute": withheld,
				"segments.channel": withheld, "srm.p": false, "rows": false,
			} {
				if d.Withheld(path) != is {
					t.Errorf("%s withheld: %v, expected %v", path, !is, is)
				}
			}
			if name != "one value" && d.Comparisons[0].Metrics[0].Welch.Absolute == nil {
				t.Error("the figures are not there")
			}
		})
	}
}

// What cannot be evaluated is an error that says why.
func TestWhatCannotBeEvaluated(t *testing.T) {
	one := &customers{}
	one.add("a", "control", 1, 1, "x")
	for name, c := range map[string]struct {
		source *customers
		change func(*experiments.Config)
		want   error
		text   string
	}{
		"nobody":                {&customers{}, nil, experiments.ErrData, "no rows"},
		"one arm":               {one, nil, experiments.ErrData, "customers of 1 arms, expected of 2 or more"},
		"no such control":       {bank(5, 0), func(c *experiments.Config) { c.Control = "old" }, experiments.ErrConfig, `control "old"`},
		"an arm without weight": {bank(5, 0), func(c *experiments.Config) { c.Weights = map[string]float64{"control": 1, "old": 1} }, experiments.ErrConfig, `arm "new"`},
		"alpha":                 {bank(5, 0), func(c *experiments.Config) { c.Alpha = 0 }, experiments.ErrConfig, "alpha"},
		"tuning":                {bank(5, 0), func(c *experiments.Config) { c.Tuning = 0 }, experiments.ErrConfig, "tuning"},
		"minimum":               {bank(5, 0), func(c *experiments.Config) { c.MinCustomers = 1 }, experiments.ErrConfig, "2 or more"},
		"no metric":             {bank(5, 0), func(c *experiments.Config) { c.Metrics, c.Pre = nil, nil }, experiments.ErrConfig, "metrics"},
		"a metric twice":        {bank(5, 0), func(c *experiments.Config) { c.Metrics, c.Pre = []string{"m", "m"}, []string{"", ""} }, experiments.ErrConfig, "different"},
		"a weight of 0":         {bank(5, 0), func(c *experiments.Config) { c.Weights = map[string]float64{"control": 1, "new": 0} }, experiments.ErrConfig, "above 0"},
		"one weight":            {bank(5, 0), func(c *experiments.Config) { c.Weights = map[string]float64{"control": 1} }, experiments.ErrConfig, "expected 2"},
	} {
		config := experiments.Defaults(columns)
		if c.change != nil {
			c.change(&config)
		}
		if _, err := experiments.Run(t.Context(), c.source, config, nil); !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.text) {
			t.Errorf("%s: %v, expected %v with %q", name, err, c.want, c.text)
		}
	}
}

// A customer who comes twice is an error that names both lines; with bad rows left out the second is.
func TestCustomersComeOnce(t *testing.T) {
	s := bank(200, 0)
	s.add(s.rows[6].ID, "new", 3, 3, "APP")
	_, err := experiments.Run(t.Context(), s, experiments.Defaults(columns), nil)
	if want := `f.csv:402: customer_id: "C000006", expected each customer once; he is in f.csv:8 already`; err == nil || err.Error() != want {
		t.Errorf("%v, expected %s", err, want)
	}
	bad := (*experiments.RowError)(nil)
	if !errors.As(err, &bad) || !errors.Is(err, experiments.ErrData) {
		t.Errorf("%T", err)
	}
	s.add("bad", "new", 3, 3, "APP")
	s.add("C7", "\x00", 3, 3, "APP")
	s.add("C8", "new", 1e101, 3, "APP")
	s.next = 0
	config := experiments.Defaults(columns)
	config.SkipBad = true
	d := run(t, s, config)
	clean := run(t, bank(200, 0), experiments.Defaults(columns))
	if d.Skipped.Rows != 4 || d.Rows != 404 || d.Input.SHA256 != clean.Input.SHA256 || d.Arms[1].Customers != 200 {
		t.Errorf("skipped %+v of %d, hash %s, without %s", d.Skipped, d.Rows, d.Input.SHA256, clean.Input.SHA256)
	}
	for i, want := range []experiments.BadListed{
		{Row: 401, Column: "customer_id", Value: "C000006", Expected: "each customer once"},
		{Row: 402, Column: "metric", Value: "x", Expected: "a number"},
		{Row: 403, Column: "arm", Value: "\x00", Expected: "a name of 1 to 128 bytes"},
		{Row: 404, Column: "metric", Value: "1e+101", Expected: "a number within ±1e100"},
	} {
		if d.Skipped.Listed[i] != want {
			t.Errorf("%+v, expected %+v", d.Skipped.Listed[i], want)
		}
	}
}

// The hash is of the rows: other values, orders, arms and what is not known make another, and the name of the file does not.
func TestHashOfRows(t *testing.T) {
	hash := func(change func(*customers)) string {
		s := bank(50, 0)
		change(s)
		return run(t, s, experiments.Defaults(columns)).Input.SHA256
	}
	base := hash(func(*customers) {})
	for name, change := range map[string]func(*customers){
		"the order":   func(s *customers) { s.rows[1], s.rows[3] = s.rows[3], s.rows[1] },
		"a value":     func(s *customers) { s.rows[1].Row.Metrics[0]++ },
		"not known":   func(s *customers) { s.rows[1].Row.Pre[0] = math.NaN() },
		"an arm":      func(s *customers) { s.rows[1].Row.Arm = "control" },
		"a segment":   func(s *customers) { s.rows[1].Row.Segments = []string{"APPLE"} },
		"an id":       func(s *customers) { s.rows[1].ID = "else" },
		"a zero or -": func(s *customers) { s.rows[1].Row.Pre[0] = 0 },
	} {
		if hash(change) == base {
			t.Errorf("%s does not show in the hash", name)
		}
	}
	zero := hash(func(s *customers) { s.rows[1].Row.Pre[0] = 0 })
	if minus := hash(func(s *customers) { s.rows[1].Row.Pre[0] = math.Copysign(0, -1) }); minus != zero {
		t.Error("-0 is another than 0")
	}
	if named := hash(func(s *customers) {
		for i := range s.rows {
			s.rows[i].At = experiments.Place{File: "other", Row: int64(i + 1)}
		}
	}); named != base {
		t.Error("the name of the file shows in the hash")
	}
}

// The name of an interval tells its level.
func TestIntervalsAreNamedByLevel(t *testing.T) {
	for alpha, want := range map[float64]string{.05: `"ci95":[`, .01: `"ci99":[`, .1: `"ci90":[`, .001: `"ci99.9":[`, .025: `"ci97.5":[`} {
		config := experiments.Defaults(columns)
		config.Alpha = alpha
		data, err := json.Marshal(run(t, bank(200, 0), config).Comparisons)
		if err != nil || !bytes.Contains(data, []byte(want)) || alpha != .05 && bytes.Contains(data, []byte("ci95")) {
			t.Errorf("alpha %v: no %s in %.200s, %v", alpha, want, data, err)
		}
	}
}

// The same rows give the same bytes, and what is not finite is null.
func TestDocumentIsExactJSON(t *testing.T) {
	var first []byte
	for range 3 {
		var out bytes.Buffer
		if err := run(t, bank(300, .2), experiments.Defaults(columns)).WriteJSON(&out); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = out.Bytes()
		}
		if !bytes.Equal(first, out.Bytes()) {
			t.Fatal("the same rows gave other bytes")
		}
	}
	if !json.Valid(first) || !bytes.HasPrefix(first, []byte("{\n  \"schema\": \""+experiments.Schema+`"`)) {
		t.Errorf("%.100s", first)
	}
	s := &customers{}
	for i := range 4 {
		s.add(fmt.Sprint("C", i), []string{"control", "new"}[i%2], math.NaN(), math.NaN(), "")
	}
	var out bytes.Buffer
	if err := run(t, s, experiments.Defaults(columns)).WriteJSON(&out); err != nil || !strings.Contains(out.String(), `"mean": null`) || !strings.Contains(out.String(), `"absolute": null`) {
		t.Errorf("%v: %s", err, out.String())
	}
	if err := run(t, bank(300, .2), experiments.Defaults(columns)).WriteTable(&out); err != nil || !strings.Contains(out.String(), "verdict: GIVEN") || !strings.Contains(out.String(), "CUPED") {
		t.Errorf("%v: %s", err, out.String())
	}
}

// An interruption ends the run.
func TestRunIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	seen := int64(0)
	_, err := experiments.Run(ctx, bank(10_000, 0), experiments.Defaults(columns), func(rows int64) {
		seen = rows
		cancel()
	})
	if !errors.Is(err, context.Canceled) || seen != 4096 {
		t.Errorf("%v after %d rows", err, seen)
	}
}

// States that are merged say what one says, within a last digit.
func TestMergedStatesEqualTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var states [3]*experiments.State
		for i := range states {
			var err error
			if states[i], err = experiments.NewState(columns); err != nil {
				t.Fatal(err)
			}
		}
		n := rapid.IntRange(4, 60).Draw(t, "n")
		cut := rapid.IntRange(0, n).Draw(t, "cut")
		value := rapid.OneOf(rapid.Float64Range(-50, 100), rapid.Just(math.NaN()))
		for i := range n {
			arm := []string{"control", "new"}[i%2]
			if i > 3 {
				arm = rapid.SampledFrom([]string{"control", "new", "third"}).Draw(t, "arm")
			}
			row := experiments.Row{
				Arm: arm, Metrics: []float64{value.Draw(t, "metric")}, Pre: []float64{value.Draw(t, "pre")},
				Segments: []string{rapid.SampledFrom([]string{"", "APP", "BRANCH"}).Draw(t, "segment")},
			}
			part := states[1]
			if i >= cut {
				part = states[2]
			}
			if err := errors.Join(states[0].Add(&row), part.Add(&row)); err != nil {
				t.Fatal(err)
			}
		}
		if err := states[1].Merge(states[2]); err != nil {
			t.Fatal(err)
		}
		whole, errWhole := states[0].Judge(experiments.Defaults(columns))
		merged, errMerged := states[1].Judge(experiments.Defaults(columns))
		if errWhole != nil || errMerged != nil {
			t.Fatal(errWhole, errMerged)
		}
		if whole.Rows != int64(n) || merged.Rows != whole.Rows || len(whole.Comparisons) != len(merged.Comparisons) || len(whole.Verdict.Reasons) != len(merged.Verdict.Reasons) {
			t.Fatalf("%+v whole, %+v merged", whole, merged)
		}
		for i := range whole.Arms {
			a, b := whole.Arms[i].Metrics[0], merged.Arms[i].Metrics[0]
			if a.N != b.N || a.Censored != b.Censored || math.Abs(float64(a.Mean-b.Mean)) > 1e-9 {
				t.Fatalf("%+v whole, %+v merged", a, b)
			}
		}
	})
}

// The limits, at each and one past it.
func TestStateIsBounded(t *testing.T) {
	fill := func(names int, row func(i int) experiments.Row) error {
		s, err := experiments.NewState(columns)
		for i := 0; i < names && err == nil; i++ {
			r := row(i)
			r.Metrics, r.Pre = []float64{1}, []float64{1}
			err = s.Add(&r)
		}
		return err
	}
	arms := func(i int) experiments.Row { return experiments.Row{Arm: fmt.Sprint("a", i), Segments: []string{""}} }
	values := func(i int) experiments.Row { return experiments.Row{Arm: "a", Segments: []string{fmt.Sprint("v", i)}} }
	long := func(n int) func(int) experiments.Row {
		return func(int) experiments.Row { return experiments.Row{Arm: strings.Repeat("x", n), Segments: []string{""}} }
	}
	for name, c := range map[string]struct {
		limit int
		row   func(i int) experiments.Row
	}{"arms": {experiments.MaxArms, arms}, "values": {experiments.MaxValues, values}} {
		if err := fill(c.limit, c.row); err != nil {
			t.Errorf("%d %s: %v", c.limit, name, err)
		}
		if err := fill(c.limit+1, c.row); !errors.As(err, new(*experiments.ValueError)) || !errors.Is(err, experiments.ErrData) {
			t.Errorf("%d %s: %v", c.limit+1, name, err)
		}
	}
	if err := fill(1, long(experiments.MaxName)); err != nil {
		t.Error(err)
	}
	if err := fill(1, long(experiments.MaxName+1)); !errors.Is(err, experiments.ErrData) {
		t.Errorf("a long name: %v", err)
	}
	if err := fill(1, func(int) experiments.Row { return experiments.Row{Arm: "a"} }); !errors.Is(err, experiments.ErrData) {
		t.Errorf("a row without its segment: %v", err)
	}
	a, err := experiments.NewState(columns)
	b, errOther := experiments.NewState(experiments.Columns{Metrics: []string{"other"}, Pre: []string{""}})
	if err != nil || errOther != nil || !errors.Is(a.Merge(b), experiments.ErrData) {
		t.Error("states of other columns were merged")
	}
}

// A run sums blocks of so many rows, and then the blocks in their order: bit for bit what their states merge to.
func TestRunSumsBlocks(t *testing.T) {
	s := bank(experiments.BlockRows+100, .1) // two blocks and a part
	d := run(t, s, experiments.Defaults(columns))
	all, err := experiments.NewState(columns)
	if err != nil {
		t.Fatal(err)
	}
	for rows := range slices.Chunk(s.rows, experiments.BlockRows) {
		block, err := experiments.NewState(columns)
		for i := range rows {
			if err == nil {
				err = block.Add(&rows[i].Row)
			}
		}
		if err == nil {
			err = all.Merge(block)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	want, err := all.Judge(experiments.Defaults(columns))
	if err != nil || want.Input != nil {
		t.Fatalf("%+v, %v", want.Input, err)
	}
	want.Input = d.Input
	var got, merged bytes.Buffer
	if err := errors.Join(d.WriteJSON(&got), want.WriteJSON(&merged)); err != nil || !bytes.Equal(got.Bytes(), merged.Bytes()) {
		t.Errorf("%v: the run and the blocks say something else", err)
	}
}
