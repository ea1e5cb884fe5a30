package logit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/optimize"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/score/logit"
)

func columns(p int) []logit.Column {
	out := make([]logit.Column, p)
	for j := range out {
		out[j] = logit.Column{Name: fmt.Sprintf("x%d", j), Unit: "days"}
	}
	return out
}

// sample is rows to fit.
type sample struct {
	x [][]float64
	y []bool
}

// conversions draws outcomes of known coefficients, intercept first; columns differ in unit
// and lie away from zero.
func conversions(seed uint64, n int, beta ...float64) sample {
	r := rand.New(rand.NewPCG(seed, 2))
	var s sample
	for range n {
		x := make([]float64, len(beta)-1)
		eta := beta[0]
		for j := range x {
			z := r.NormFloat64()
			eta += beta[j+1] * z
			x[j] = math.Pow(10, float64(j)) * (z + 3*float64(j))
		}
		s.x, s.y = append(s.x, x), append(s.y, r.Float64() < 1/(1+math.Exp(-eta)))
	}
	return s
}

func rowsOf(t rapid.TB, s sample) *logit.Rows {
	t.Helper()
	rows, err := logit.NewRows(columns(len(s.x[0])))
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range s.x {
		if err := rows.Add(s.y[i], x); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

func fit(t rapid.TB, s sample, o logit.Options) *logit.Model {
	t.Helper()
	m, err := logit.Fit(rowsOf(t, s), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// slopes computes, independently, the slope of the mean penalised loss at the model's
// coefficients, in standardised columns.
func slopes(s sample, m *logit.Model) []float64 {
	out := make([]float64, len(m.Terms)+1)
	n := float64(len(s.y))
	for i, x := range s.x {
		eta := m.Intercept
		for j, v := range x {
			eta += v * m.Terms[j].Coefficient
		}
		d := 1 / (1 + math.Exp(-eta))
		if s.y[i] {
			d--
		}
		out[0] += d / n
		for j, v := range x {
			out[j+1] += d * (v - m.Terms[j].Mean) / m.Terms[j].Scale / n
		}
	}
	for j, c := range m.Terms {
		out[j+1] += m.Ridge * c.Coefficient * c.Scale / n
	}
	return out
}

func TestTheSlopeIsZeroAtTheSolution(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.IntRange(1, 5).Draw(t, "columns")
		beta := append([]float64{rapid.Float64Range(-4, 1).Draw(t, "intercept")}, rapid.SliceOfN(rapid.Float64Range(-2, 2), p, p).Draw(t, "beta")...)
		s := conversions(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(p+2, 1500).Draw(t, "rows"), beta...)
		o := logit.Options{Ridge: rapid.SampledFrom([]float64{0, .01, 1, 50}).Draw(t, "ridge"), Workers: 1}
		m, err := logit.Fit(rowsOf(t, s), o)
		if errors.Is(err, logit.ErrOneClass) || o.Ridge == 0 && errors.Is(err, logit.ErrSeparated) {
			t.Skip("a handful of rows")
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
		for j, g := range slopes(s, m) {
			if math.Abs(g) > 1e-12 {
				t.Errorf("slope %d is %g after %d steps", j, g, m.Steps)
			}
		}
		if m.Ridge == 0 && m.LogLoss > m.NullLogLoss*(1+1e-12) {
			t.Errorf("log loss %g is above that of the share alone, %g", m.LogLoss, m.NullLogLoss)
		}
	})
}

// A second way: L-BFGS of gonum/optimize, as far as it goes.
func TestFitEqualsLBFGS(t *testing.T) {
	t.Parallel()
	for _, ridge := range []float64{0, 20} {
		s := conversions(5, 4000, -1, .8, -.4, .1)
		m := fit(t, s, logit.Options{Ridge: ridge})
		n := float64(len(s.y))
		at := func(beta []float64, row []float64) float64 {
			eta := beta[0]
			for j, v := range row {
				eta += beta[j+1] * (v - m.Terms[j].Mean) / m.Terms[j].Scale
			}
			return eta
		}
		problem := optimize.Problem{
			Func: func(beta []float64) (loss float64) {
				for i, row := range s.x {
					eta := at(beta, row)
					loss += math.Log1p(math.Exp(eta)) / n
					if s.y[i] {
						loss -= eta / n
					}
				}
				for _, b := range beta[1:] {
					loss += ridge * b * b / 2 / n
				}
				return loss
			},
			Grad: func(grad, beta []float64) {
				clear(grad)
				for i, row := range s.x {
					d := 1 / (1 + math.Exp(-at(beta, row)))
					if s.y[i] {
						d--
					}
					grad[0] += d / n
					for j, v := range row {
						grad[j+1] += d * (v - m.Terms[j].Mean) / m.Terms[j].Scale / n
					}
				}
				for j, b := range beta[1:] {
					grad[j+1] += ridge * b / n
				}
			},
		}
		result, err := optimize.Minimize(problem, make([]float64, 4), &optimize.Settings{GradientThreshold: 1e-6}, &optimize.LBFGS{})
		if err != nil || result.Status != optimize.GradientThreshold {
			t.Fatalf("the oracle did not end: %v, %v", result.Status, err)
		}
		intercept := result.X[0]
		for j, c := range m.Terms {
			if got, want := c.Coefficient*c.Scale, result.X[j+1]; math.Abs(got-want) > 2e-5 {
				t.Errorf("ridge %g: slope %d is %v, want %v", ridge, j, got, want)
			}
			intercept -= result.X[j+1] * c.Mean / c.Scale
		}
		if math.Abs(m.Intercept-intercept) > 2e-4 {
			t.Errorf("ridge %g: intercept is %v, want %v", ridge, m.Intercept, intercept)
		}
		if want := result.F; ridge == 0 && math.Abs(m.LogLoss-want) > 1e-9 {
			t.Errorf("log loss is %v, want %v", m.LogLoss, want)
		}
	}
}

// One yes-or-no column has a closed form: the log odds ratio, with Woolf's standard error.
func TestATwoByTwoTable(t *testing.T) {
	t.Parallel()
	const a, b, c, d = 30, 70, 12, 188 // happened or not with 1, happened or not with 0
	var s sample
	for i, n := range []int{a, b, c, d} {
		for range n {
			s.x, s.y = append(s.x, []float64{float64(1 - i/2)}), append(s.y, i%2 == 0)
		}
	}
	m := fit(t, s, logit.Options{})
	for _, v := range []struct {
		name      string
		got, want float64
	}{
		{"slope", m.Terms[0].Coefficient, math.Log(float64(a*d) / float64(b*c))},
		{"its error", m.Terms[0].StandardError, math.Sqrt(1./a + 1./b + 1./c + 1./d)},
		{"intercept", m.Intercept, math.Log(float64(c) / d)},
		{"its error", m.InterceptError, math.Sqrt(1./c + 1./d)},
	} {
		if math.Abs(v.got-v.want) > 1e-12 {
			t.Errorf("%s is %.16g, want %.16g", v.name, v.got, v.want)
		}
	}
	if m.Events != a+c || m.Rows != a+b+c+d {
		t.Errorf("%d events in %d rows", m.Events, m.Rows)
	}
}

// Standard errors are the spread of the estimates over samples.
func TestStandardErrorsAreTheSpreadOfEstimates(t *testing.T) {
	t.Parallel()
	for _, ridge := range []float64{0, 20} {
		var sum, squares, expected float64
		const samples = 250
		for seed := range uint64(samples) {
			m := fit(t, conversions(seed+1000, 500, -1, .7, .2), logit.Options{Ridge: ridge, Workers: 1})
			b := m.Terms[0].Coefficient
			sum, squares, expected = sum+b/samples, squares+b*b/samples, expected+m.Terms[0].StandardError/samples
		}
		if ratio := math.Sqrt(squares-sum*sum) / expected; ratio < .88 || ratio > 1.12 {
			t.Errorf("ridge %g: the spread is %g of the standard error", ridge, ratio)
		}
	}
}

func TestWorkersGiveTheSameBits(t *testing.T) { //nolint:paralleltest // it sets GOMAXPROCS
	s := conversions(1, 80_000, -3, .5, .2, -.3)
	text := func(workers int) string {
		data, err := json.Marshal(fit(t, s, logit.Options{Workers: workers}))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	want := text(1)
	for _, workers := range []int{2, 7, 0} {
		if got := text(workers); got != want {
			t.Errorf("%d workers:\n%s\nwant\n%s", workers, got, want)
		}
	}
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	if got := text(0); got != want {
		t.Errorf("one processor:\n%s\nwant\n%s", got, want)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	good := func() sample { return conversions(3, 300, -.5, 1, .5) }
	cases := []struct {
		name   string
		change func(s *sample)
		o      logit.Options
		err    error
		column string
		row    int
	}{
		{"NaN", func(s *sample) { s.x[7][1] = math.NaN() }, logit.Options{}, logit.ErrNotFinite, "x1", 8},
		{"infinite", func(s *sample) { s.x[0][0] = math.Inf(1) }, logit.Options{}, logit.ErrNotFinite, "x0", 1},
		{"too large", func(s *sample) { s.x[0][0] = 1.1e100 }, logit.Options{}, logit.ErrNotFinite, "x0", 1},
		{"a value too few", func(s *sample) { s.x[299] = s.x[299][:1] }, logit.Options{}, logit.ErrRagged, "", 300},
		{"a value too many", func(s *sample) { s.x[9] = make([]float64, 3) }, logit.Options{}, logit.ErrRagged, "", 10},
		{"a row too few", func(s *sample) { s.x, s.y = s.x[:3], []bool{true, false, true} }, logit.Options{}, logit.ErrTooFew, "", 0},
		{"all happened", func(s *sample) { s.y = ever(300, true) }, logit.Options{Ridge: 1}, logit.ErrOneClass, "", 0},
		{"none happened", func(s *sample) { s.y = ever(300, false) }, logit.Options{}, logit.ErrOneClass, "", 0},
		{"a constant", func(s *sample) { s.setAll(1, func(int, []float64) float64 { return .1 }) }, logit.Options{}, logit.ErrConstant, "x1", 0},
		{"a constant but for rounding", func(s *sample) {
			s.setAll(1, func(i int, _ []float64) float64 { return []float64{.3, math.Nextafter(.3, 1)}[i%2] })
		}, logit.Options{Ridge: 1}, logit.ErrConstant, "x1", 0},
		{"a multiple", func(s *sample) { s.setAll(1, func(_ int, x []float64) float64 { return 7 - 1e5*x[0] }) }, logit.Options{}, logit.ErrCollinear, "x1", 0},
		{"a column that tells", func(s *sample) {
			s.setAll(1, func(i int, _ []float64) float64 { return float64(i) * sign(s.y[i]) })
		}, logit.Options{}, logit.ErrSeparated, "x1", 0},
		{"a combination that tells", func(s *sample) {
			for i := range s.y {
				s.y[i] = 3*s.x[i][0]+.1*s.x[i][1] > .2
			}
		}, logit.Options{}, logit.ErrSeparated, "x0", 0},
		{"a column that tells some", func(s *sample) { // 1 only where it happened
			s.setAll(1, func(i int, _ []float64) float64 { return float64(i%2) * (1 + sign(s.y[i])) })
		}, logit.Options{}, logit.ErrSeparated, "x1", 0},
		{"one row alone has it", func(s *sample) {
			s.setAll(1, func(i int, _ []float64) float64 { return map[bool]float64{true: 1}[i == 42] })
		}, logit.Options{}, logit.ErrSeparated, "x1", 0},
		{"a negative ridge", func(*sample) {}, logit.Options{Ridge: -1}, logit.ErrOptions, "ridge", 0},
		{"a ridge that is no number", func(*sample) {}, logit.Options{Ridge: math.NaN()}, logit.ErrOptions, "ridge", 0},
		{"too many workers", func(*sample) {}, logit.Options{Workers: 257}, logit.ErrOptions, "workers", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good()
			c.change(&s)
			err := try(t, s, c.o)
			var where *logit.DataError
			if !errors.Is(err, c.err) || !errors.As(err, &where) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
			if where.Column != c.column || where.Row != c.row {
				t.Errorf("says column %q, row %d; want %q, %d", where.Column, where.Row, c.column, c.row)
			}
			for _, part := range []string{c.err.Error(), "want", c.column} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if errors.Is(err, logit.ErrSeparated) || errors.Is(err, logit.ErrCollinear) {
				if err := try(t, s, logit.Options{Ridge: .1}); err != nil {
					t.Errorf("with a ridge: %v", err)
				}
			}
		})
	}
	if err := try(t, good(), logit.Options{Workers: 256}); err != nil {
		t.Errorf("rows without a fault: %v", err)
	}
}

// Rare events and strong columns are not separation.
func TestAlmostSeparatedIsFitted(t *testing.T) {
	t.Parallel()
	s := conversions(9, 2000, -5, 6)
	m := fit(t, s, logit.Options{})
	if c := m.Terms[0]; math.Abs(c.Coefficient-6) > 4*c.StandardError {
		t.Errorf("slope %v, error %v, want 6", c.Coefficient, c.StandardError)
	}
	for i := range s.x { // a column that tells all but two rows, one of each kind
		s.x[i] = []float64{sign(s.y[i])}
	}
	yes, no := slices.Index(s.y, true), slices.Index(s.y, false)
	s.x[yes], s.x[no] = s.x[no], s.x[yes]
	m = fit(t, s, logit.Options{})
	events := float64(m.Events)
	if want := (math.Log(events-1) + math.Log(2000-events-1)) / 2; math.Abs(m.Terms[0].Coefficient-want) > 1e-9 {
		t.Errorf("slope %v, want %v", m.Terms[0].Coefficient, want)
	}
}

// ever returns one outcome n times.
func ever(n int, happened bool) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = happened
	}
	return out
}

func sign(b bool) float64 {
	if b {
		return 1
	}
	return -1
}

func (s *sample) setAll(column int, f func(i int, x []float64) float64) {
	for i, x := range s.x {
		x[column] = f(i, x)
	}
}

func try(t *testing.T, s sample, o logit.Options) error {
	t.Helper()
	rows, err := logit.NewRows(columns(2))
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range s.x {
		if err := rows.Add(s.y[i], x); err != nil {
			return err
		}
	}
	_, err = logit.Fit(rows, o)
	return err
}

func TestColumnsThatAreRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 64)
	for name, c := range map[string][]logit.Column{
		"none": nil, "too many": columns(logit.MaxColumns + 1), "no name": {{}}, "twice": {{Name: "a"}, {Name: "a"}},
		"too long": {{Name: long + "n"}}, "unit too long": {{Name: "a", Unit: long + "n"}}, "no text": {{Name: "\xff"}},
	} {
		if _, err := logit.NewRows(c); !errors.Is(err, logit.ErrColumns) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := logit.NewRows(append(columns(logit.MaxColumns-1), logit.Column{Name: long, Unit: long})); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}

// Another unit changes the coefficient's unit and nothing else.
func TestUnitsDoNotMatter(t *testing.T) {
	t.Parallel()
	s := conversions(4, 2000, -1, .5, .5)
	a := fit(t, s, logit.Options{Ridge: 10})
	s.setAll(0, func(_ int, x []float64) float64 { return x[0] * 1024 })
	b := fit(t, s, logit.Options{Ridge: 10})
	if got, want := b.Terms[0].Coefficient*1024, a.Terms[0].Coefficient; got != want {
		t.Errorf("slope %v, want %v", got, want)
	}
	if a.Intercept != b.Intercept || a.LogLoss != b.LogLoss {
		t.Errorf("intercept %v, log loss %v; want %v, %v", b.Intercept, b.LogLoss, a.Intercept, a.LogLoss)
	}
}

func BenchmarkFit100k(b *testing.B) {
	s := conversions(1, 100_000, -3, .5, .2, -.3, .1, .1, .1, .1, .1, .1, .1, .1, .1)
	rows := rowsOf(b, s)
	for b.Loop() {
		if _, err := logit.Fit(rows, logit.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
