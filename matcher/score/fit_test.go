package score_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/sajari/regression"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/score"
)

// sample is rows to fit: y[i] was observed with x[i].
type sample struct {
	x [][]float64
	y []float64
	w []float64 // nil: all 1
}

func columns(p int) []score.Column {
	out := make([]score.Column, p)
	for j := range out {
		out[j] = score.Column{Name: fmt.Sprintf("x%d", j), Unit: "fen"}
	}
	return out
}

var target = score.Column{Name: "y", Unit: "days"}

// moments adds the rows from a row number on.
func moments(t rapid.TB, s sample, first, end int) *score.Moments {
	t.Helper()
	m, err := score.NewMoments(target, columns(len(s.x[0])), int64(first))
	if err != nil {
		t.Fatal(err)
	}
	for i := first; i < end; i++ {
		w := 1.
		if s.w != nil {
			w = s.w[i]
		}
		if err := m.AddWeighted(s.y[i], w, s.x[i]); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func fit(t rapid.TB, s sample, o score.FitOptions) *score.Linear {
	t.Helper()
	l, err := score.Fit(moments(t, s, 0, len(s.y)), o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// text is a fit's encoded bytes: equal texts are equal bits.
func text(t rapid.TB, l *score.Linear) string {
	t.Helper()
	data, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// coefficients returns the intercept and the slopes.
func coefficients(l *score.Linear) []float64 {
	out := []float64{l.Intercept}
	for _, s := range l.Terms {
		out = append(out, s.Coefficient)
	}
	return out
}

func wantClose(t rapid.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s is %.17g, want %.17g: off by %.2g of it", what, got, want, math.Abs(got-want)/math.Abs(want))
	}
}

// illScaled makes rows whose columns differ by 1e12 in scale, lie up to a million
// deviations from zero, and lean on each other.
func illScaled(seed uint64, n, p int) sample {
	r := rand.New(rand.NewPCG(seed, 1))
	s := sample{x: make([][]float64, n), y: make([]float64, n)}
	for i := range s.y {
		row := make([]float64, p)
		shared := r.NormFloat64()
		s.y[i] = 40 + r.NormFloat64()
		for j := range row {
			z := r.NormFloat64() + .8*shared
			unit := math.Pow(10, float64(j*12)/float64(p)-6)
			row[j] = unit * (z + math.Pow(10, float64((j*5)%7)))
			s.y[i] += z * float64(j+1)
		}
		s.x[i] = row
	}
	return s
}

// A second way: gonum's QR of all rows at once, intercept and all. FUNDMATCH_FIT_ROWS asks
// for more rows than the tests have time for.
func TestFitEqualsTheQRFactorisationOfAllRows(t *testing.T) {
	t.Parallel()
	most := 50_000
	if asked := os.Getenv("FUNDMATCH_FIT_ROWS"); asked != "" {
		var err error
		if most, err = strconv.Atoi(asked); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ n, p int }{{50, 3}, {256, 5}, {257, 5}, {5_000, 12}, {most, 12}} {
		s := illScaled(uint64(c.n), c.n, c.p)
		l := fit(t, s, score.FitOptions{})
		a, b := mat.NewDense(c.n, c.p+1, nil), mat.NewDense(c.n, 1, s.y)
		shift := make([]float64, c.p) // QR of columns far from zero is itself off by their distance: the oracle moves them near, exactly
		for j := range shift {
			shift[j] = s.x[0][j]
		}
		for i, row := range s.x {
			a.Set(i, 0, 1)
			for j, v := range row {
				a.Set(i, j+1, v-shift[j])
			}
		}
		var qr mat.QR
		var want mat.Dense
		qr.Factorize(a)
		if err := qr.SolveTo(&want, false, b); err != nil && !errors.As(err, new(mat.Condition)) {
			t.Fatal(err)
		}
		intercept, worst := want.At(0, 0), 0.
		for j := range c.p {
			wantClose(t, fmt.Sprintf("%d rows: slope %d", c.n, j), l.Terms[j].Coefficient, want.At(j+1, 0), 1e-9)
			worst = max(worst, math.Abs(l.Terms[j].Coefficient/want.At(j+1, 0)-1))
			intercept -= want.At(j+1, 0) * shift[j]
		}
		// The intercept is the difference of numbers as large as mean times slope.
		if got := math.Abs(l.Intercept - intercept); got > 1e-9*l.InterceptError*math.Sqrt(float64(c.n)) {
			t.Errorf("%d rows: intercept is %v, want %v", c.n, l.Intercept, intercept)
		}
		t.Logf("%d rows of %d columns: slopes differ by %.1e at most", c.n, c.p, worst)
	}
}

// exactly solves the normal equations in 2,000 bits: nothing of 53 is lost. It returns
// intercept and slopes, then their standard errors, sigma and R².
func exactly(s sample, ridge float64) (beta, deviation []float64, sigma, r2 float64) {
	const bits = 2000
	p := len(s.x[0])
	num := func(v float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(v) }
	k := p + 2
	gram := make([][]*big.Float, k) // of [1 X y]
	for i := range gram {
		gram[i] = make([]*big.Float, k)
		for j := range gram[i] {
			gram[i][j] = num(0)
		}
	}
	weight := num(0)
	for i, row := range s.x {
		all := append(append([]float64{1}, row...), s.y[i])
		w := num(1)
		if s.w != nil {
			w = num(s.w[i])
		}
		weight.Add(weight, w)
		for a := range k {
			for b := range k {
				term := new(big.Float).SetPrec(bits).Mul(num(all[a]), num(all[b]))
				gram[a][b].Add(gram[a][b], term.Mul(term, w))
			}
		}
	}
	plain := make([]*big.Float, p+1) // the diagonal before the ridge
	for j := range plain {
		plain[j] = num(0).Set(gram[j][j])
	}
	for j := 1; j <= p; j++ { // lambda * variance: ridge on columns of deviation 1
		mean := num(0).Quo(gram[0][j], weight)
		variance := num(0).Quo(gram[j][j], weight)
		variance.Sub(variance, mean.Mul(mean, mean))
		gram[j][j].Add(gram[j][j], variance.Mul(variance, num(ridge)))
	}
	// Gauss-Jordan on [A | b | I].
	rows := make([][]*big.Float, p+1)
	for i := range rows {
		rows[i] = append(append([]*big.Float{}, gram[i][:p+1]...), gram[i][p+1])
		for j := range p + 1 {
			one := 0.
			if i == j {
				one = 1
			}
			rows[i] = append(rows[i], num(one))
		}
	}
	for i := range rows {
		pivot := num(0).Set(rows[i][i])
		for c := range rows[i] {
			rows[i][c] = num(0).Quo(rows[i][c], pivot)
		}
		for j := range rows {
			if j == i {
				continue
			}
			f := num(0).Set(rows[j][i])
			for c := range rows[j] {
				rows[j][c] = num(0).Sub(rows[j][c], num(0).Mul(f, rows[i][c]))
			}
		}
	}
	left := num(0)
	for i, row := range s.x {
		e := num(s.y[i])
		for j, v := range append([]float64{1}, row...) {
			e.Sub(e, num(0).Mul(rows[j][p+1], num(v)))
		}
		e.Mul(e, e)
		if s.w != nil {
			e.Mul(e, num(s.w[i]))
		}
		left.Add(left, e)
	}
	mean := num(0).Quo(gram[0][p+1], weight)
	total := num(0).Sub(gram[p+1][p+1], num(0).Mul(num(0).Mul(mean, mean), weight))
	ratio, _ := num(0).Quo(left, total).Float64()
	// With M = (A + ridge)⁻¹: n less the trace of MA rows are free, and the variance is MAM.
	for j := range plain {
		gram[j][j].Set(plain[j])
	}
	free := num(float64(len(s.y)))
	variances := make([]*big.Float, p+1)
	for i := range variances {
		variances[i] = num(0)
		for j := range p + 1 {
			inner := num(0) // (AM) at j, i
			for k := range p + 1 {
				inner.Add(inner, num(0).Mul(gram[j][k], rows[k][p+2+i]))
			}
			if i == j {
				free.Sub(free, inner)
			}
			variances[i].Add(variances[i], num(0).Mul(rows[i][p+2+j], inner))
		}
	}
	square, _ := num(0).Quo(left, free).Float64()
	sigma = math.Sqrt(square)
	for i := range rows {
		b, _ := rows[i][p+1].Float64()
		v, _ := variances[i].Float64()
		beta, deviation = append(beta, b), append(deviation, sigma*math.Sqrt(v))
	}
	return beta, deviation, sigma, 1 - ratio
}

func TestFitEqualsExactArithmetic(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		s := illScaled(seed, 20+int(seed)*50, 1+int(seed)%6)
		if seed%3 == 1 {
			r := rand.New(rand.NewPCG(seed, 9))
			s.w = make([]float64, len(s.y))
			for i := range s.w {
				s.w[i] = math.Exp(2 * r.NormFloat64())
			}
		}
		l := fit(t, s, score.FitOptions{})
		beta, deviation, sigma, r2 := exactly(s, 0)
		for i, b := range coefficients(l) {
			wantClose(t, fmt.Sprintf("seed %d: coefficient %d", seed, i), b, beta[i], 1e-9)
		}
		wantClose(t, "intercept's standard error", l.InterceptError, deviation[0], 1e-9)
		for j := range l.Terms {
			wantClose(t, fmt.Sprintf("seed %d: standard error %d", seed, j), l.Terms[j].StandardError, deviation[j+1], 1e-9)
		}
		wantClose(t, "sigma", l.Sigma, sigma, 1e-9)
		wantClose(t, "R2", l.RSquared, r2, 1e-9)
	}
}

func TestRidgeEqualsExactArithmetic(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		s := illScaled(seed, 40+int(seed)*60, 1+int(seed)%5)
		lambda := math.Pow(10, float64(seed)-2)
		l := fit(t, s, score.FitOptions{Ridge: lambda})
		beta, deviation, sigma, r2 := exactly(s, lambda)
		for i, b := range coefficients(l) {
			wantClose(t, fmt.Sprintf("lambda %g: coefficient %d", lambda, i), b, beta[i], 1e-9)
		}
		wantClose(t, "intercept's standard error", l.InterceptError, deviation[0], 1e-9)
		for j := range l.Terms {
			wantClose(t, fmt.Sprintf("lambda %g: standard error %d", lambda, j), l.Terms[j].StandardError, deviation[j+1], 1e-9)
		}
		wantClose(t, "sigma", l.Sigma, sigma, 1e-9)
		wantClose(t, "R2", l.RSquared, r2, 1e-9)
	}
}

// longley is the data set of the National Institute of Standards and Technology (StRD) by
// which solvers of least squares are judged, with its certified values.
func longley() sample {
	rows := [][]float64{
		{60323, 83.0, 234289, 2356, 1590, 107608, 1947},
		{61122, 88.5, 259426, 2325, 1456, 108632, 1948},
		{60171, 88.2, 258054, 3682, 1616, 109773, 1949},
		{61187, 89.5, 284599, 3351, 1650, 110929, 1950},
		{63221, 96.2, 328975, 2099, 3099, 112075, 1951},
		{63639, 98.1, 346999, 1932, 3594, 113270, 1952},
		{64989, 99.0, 365385, 1870, 3547, 115094, 1953},
		{63761, 100.0, 363112, 3578, 3350, 116219, 1954},
		{66019, 101.2, 397469, 2904, 3048, 117388, 1955},
		{67857, 104.6, 419180, 2822, 2857, 118734, 1956},
		{68169, 108.4, 442769, 2936, 2798, 120445, 1957},
		{66513, 110.8, 444546, 4681, 2637, 121950, 1958},
		{68655, 112.6, 482704, 3813, 2552, 123366, 1959},
		{69564, 114.2, 502601, 3931, 2514, 125368, 1960},
		{69331, 115.7, 518173, 4806, 2572, 127852, 1961},
		{70551, 116.9, 554894, 4007, 2827, 130081, 1962},
	}
	var s sample
	for _, r := range rows {
		s.y, s.x = append(s.y, r[0]), append(s.x, r[1:])
	}
	return s
}

func TestFitReachesTheCertifiedValuesOfLongley(t *testing.T) {
	t.Parallel()
	l := fit(t, longley(), score.FitOptions{})
	const tolerance = 2e-12
	for i, want := range []struct{ value, deviation float64 }{
		{-3482258.63459582, 890420.383607373},
		{15.0618722713733, 84.9149257747669},
		{-.358191792925910e-01, .334910077722432e-01},
		{-2.02022980381683, .488399681651699},
		{-1.03322686717359, .214274163161675},
		{-.511041056535807e-01, .226073200069370},
		{1829.15146461355, 455.478499142212},
	} {
		deviation := l.InterceptError
		if i > 0 {
			deviation = l.Terms[i-1].StandardError
		}
		wantClose(t, fmt.Sprintf("B%d", i), coefficients(l)[i], want.value, tolerance)
		wantClose(t, fmt.Sprintf("deviation of B%d", i), deviation, want.deviation, tolerance)
	}
	wantClose(t, "residual deviation", l.Sigma, 304.854073561965, tolerance)
	wantClose(t, "R squared", l.RSquared, .995479004577296, tolerance)
}

// What the library answers for all rows, where it can hold them, is what Fit answers.
func TestFitEqualsTheLibraryOnAllRows(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	var s sample
	var all regression.Regression
	for range 400 {
		x := []float64{r.NormFloat64(), 5 + r.NormFloat64(), r.ExpFloat64()}
		y := 2 + x[0] - 3*x[1] + r.NormFloat64()
		s.x, s.y = append(s.x, x), append(s.y, y)
		all.Train(regression.DataPoint(y, x))
	}
	if err := all.Run(); err != nil {
		t.Fatal(err)
	}
	l := fit(t, s, score.FitOptions{})
	for i, b := range coefficients(l) {
		wantClose(t, fmt.Sprintf("coefficient %d", i), b, all.Coeff(i), 1e-11)
	}
	wantClose(t, "R2", l.RSquared, all.R2, 1e-11)
}

func TestFitRecoversExactLines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.IntRange(1, 6).Draw(t, "columns")
		n := rapid.IntRange(p+2, 600).Draw(t, "rows")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		// Hundredths: what is smaller than any unit is refused, and is another test.
		beta := rapid.SliceOfN(rapid.Map(rapid.IntRange(-1e5, 1e5), func(n int) float64 { return float64(n) / 100 }), p+1, p+1).Draw(t, "beta")
		var s sample
		for range n {
			x := make([]float64, p)
			y := beta[0]
			for j := range x {
				x[j] = r.NormFloat64()
				y += beta[j+1] * x[j]
			}
			s.x, s.y = append(s.x, x), append(s.y, y)
		}
		l, err := score.Fit(moments(t, s, 0, n), score.FitOptions{})
		if errors.Is(err, score.ErrFitConstantTarget) {
			t.Skip("no slopes")
		}
		if errors.Is(err, score.ErrFitCondition) || errors.Is(err, score.ErrFitCollinear) {
			t.Skip("a handful of rows that happen to lie together")
		}
		if err != nil {
			t.Fatal(err)
		}
		largest := slices.MaxFunc(beta, func(a, b float64) int { return int(math.Copysign(1, math.Abs(a)-math.Abs(b))) })
		for i, b := range coefficients(l) {
			if math.Abs(b-beta[i]) > 1e-13*l.Condition*(1+math.Abs(largest)) {
				t.Errorf("coefficient %d is %v, want %v (condition %g)", i, b, beta[i], l.Condition)
			}
		}
		if got, ok := l.Predict(s.x[0]); !ok || math.Abs(got-s.y[0]) > 1e-11*(1+math.Abs(largest))*float64(p) {
			t.Errorf("predicts %v, want %v", got, s.y[0])
		}
	})
}

// Least squares: no other slopes leave less.
func TestTheResidualIsOrthogonal(t *testing.T) {
	t.Parallel()
	s := illScaled(7, 3000, 6)
	l := fit(t, s, score.FitOptions{})
	for j := range l.Terms {
		var inner, xx, ee float64
		for i := range s.y {
			y, _ := l.Predict(s.x[i])
			e, x := s.y[i]-y, s.x[i][j]-l.Terms[j].Mean
			inner, xx, ee = inner+e*x, xx+x*x, ee+e*e
		}
		if cosine := math.Abs(inner) / math.Sqrt(xx*ee); cosine > 1e-9 {
			t.Errorf("column %d and the residual have a cosine of %g", j, cosine)
		}
	}
}

// Timestamps, say: what lies 1e15 of its units from zero is fitted as if it began there.
func TestColumnsFarFromZeroLoseNothing(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 6))
	var near, far sample
	for i := range 3000 {
		x := []float64{float64(i / 7), float64(r.IntN(40)) / 8}
		y := 3*x[0] - x[1] + float64(r.IntN(100))/8
		near.x, near.y = append(near.x, x), append(near.y, y)
		far.x, far.y = append(far.x, []float64{x[0] + 1e15, x[1] - 5e14}), append(far.y, y-2e14)
	}
	a, b := fit(t, near, score.FitOptions{}), fit(t, far, score.FitOptions{})
	for j := range a.Terms {
		wantClose(t, "slope", b.Terms[j].Coefficient, a.Terms[j].Coefficient, 1e-13)
		wantClose(t, "standard error", b.Terms[j].StandardError, a.Terms[j].StandardError, 1e-12)
		wantClose(t, "scale", b.Terms[j].Scale, a.Terms[j].Scale, 1e-13)
	}
	wantClose(t, "R2", b.RSquared, a.RSquared, 1e-13)
}

// A row of weight 3 is a row that came three times, but for the count of rows.
func TestWeightsAreRepetitions(t *testing.T) {
	t.Parallel()
	s := illScaled(5, 700, 4)
	var again sample
	for i := range s.y {
		w := 1 + i%4
		s.w = append(s.w, float64(w))
		for range w {
			again.x, again.y = append(again.x, s.x[i]), append(again.y, s.y[i])
		}
	}
	a, b := fit(t, s, score.FitOptions{Ridge: 3}), fit(t, again, score.FitOptions{Ridge: 3})
	for i := range coefficients(a) {
		wantClose(t, fmt.Sprintf("coefficient %d", i), coefficients(a)[i], coefficients(b)[i], 1e-9)
	}
	wantClose(t, "weight", a.Weight, b.Weight, 0)
	wantClose(t, "R2", a.RSquared, b.RSquared, 1e-12)
	if a.Rows != 700 {
		t.Errorf("weights made rows: %d", a.Rows)
	}
}

func TestRidgeShrinks(t *testing.T) {
	t.Parallel()
	s := illScaled(11, 500, 5)
	length, freedom := math.Inf(1), 0.
	for _, lambda := range []float64{0, 1, 10, 100, 1e3, 1e5} {
		l := fit(t, s, score.FitOptions{Ridge: lambda})
		var sum float64
		for _, c := range l.Terms {
			sum += c.Coefficient * c.Scale * c.Coefficient * c.Scale
		}
		if sum >= length || l.Freedom <= freedom {
			t.Errorf("lambda %g: standardised slopes of %g after %g, %g rows free after %g", lambda, sum, length, l.Freedom, freedom)
		}
		length, freedom = sum, l.Freedom
	}
}

// The factor of the standardised columns is well conditioned with a ridge, whatever they are.
func TestRidgeFitsCollinearColumns(t *testing.T) {
	t.Parallel()
	s := illScaled(2, 300, 2)
	for i := range s.x {
		s.x[i] = append(s.x[i], s.x[i][0]*7) // the same in another unit
	}
	if _, err := score.Fit(moments(t, s, 0, 300), score.FitOptions{}); !errors.Is(err, score.ErrFitCollinear) {
		t.Fatalf("without a ridge: %v", err)
	}
	l := fit(t, s, score.FitOptions{Ridge: 1})
	wantClose(t, "the twins' shares", l.Terms[2].Coefficient*7, l.Terms[0].Coefficient, 1e-9)
}

func TestTheResultDoesNotDependOnProcessors(t *testing.T) { //nolint:paralleltest // it sets GOMAXPROCS
	s := illScaled(1, 2000, 40)
	want := text(t, fit(t, s, score.FitOptions{Ridge: .5}))
	for _, n := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(n)
		got := text(t, fit(t, s, score.FitOptions{Ridge: .5}))
		runtime.GOMAXPROCS(before)
		if got != want {
			t.Fatalf("with %d processors:\n%s\nwant\n%s", n, got, want)
		}
	}
}
