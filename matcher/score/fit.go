package score

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/sajari/regression"
)

// FitOptions are the settings of a linear fit. The zero value is ordinary least squares.
type FitOptions struct {
	// Ridge is lambda >= 0: what is added to the sum of weighted squares for each column is
	// lambda * (slope * scale)^2, where scale is the column's standard deviation. So the
	// columns' units do not matter, the intercept is not shrunk, and lambda counts in rows.
	Ridge float64
	// MaxCondition is the largest condition number of the standardised columns (and ridge
	// rows) that is fitted; 0: DefaultMaxCondition.
	MaxCondition float64
}

// DefaultMaxCondition keeps nine digits of the slopes: a relative error of 2^-53 in the
// data moves a slope by up to the condition number times as much.
const DefaultMaxCondition = 1e6

// leastOwnSpread is the share of a column's spread that must be its own, not explained by
// the columns before it. Rounding leaves some 1e-13 of a column that is a combination.
const leastOwnSpread = 1e-9

// Fit fits the target to the columns by least squares with an intercept. It reads the
// rows' triangular factor only, so its cost does not depend on their number.
//
// The solver is sajari/regression, which makes a square matrix of the rows and checks
// nothing. It is given 2(p+1) pseudo-rows instead: each row r of the triangular factor R
// of the centred, scaled [X y], once as r/√2 and once as -r/√2. As R'R = [X y]'[X y] their
// slopes are those of all rows; as they sum to zero their intercept is 0, and the true one
// follows from the means. Ridge is the rows sqrt(lambda) beside R, triangular again.
//
// Errors: ErrFitOptions, ErrFitRows, ErrFitConstant, ErrFitConstantTarget, ErrFitRange,
// ErrFitCollinear, ErrFitCondition, each within a *FitError. m is not changed.
func Fit(m *Moments, o FitOptions) (*Linear, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s, err := m.standardise()
	if err != nil {
		return nil, err
	}
	t := s.penalised(o.Ridge)
	if err := s.checkRank(t); err != nil {
		return nil, err
	}
	condition := t.condition(len(s.columns))
	if most := cmp.Or(o.MaxCondition, DefaultMaxCondition); !(condition <= most) {
		return nil, &FitError{Err: ErrFitCondition, Value: condition, Want: "at most " + number(most) + ", or a ridge"}
	}
	slopes, err := solve(t)
	if err != nil {
		return nil, err
	}
	return s.linear(t, slopes, condition, o.Ridge), nil
}

// check refuses options that mean nothing.
func (o FitOptions) check() error {
	if !(o.Ridge >= 0 && o.Ridge <= maxRidge) {
		return &FitError{Err: ErrFitOptions, Value: o.Ridge, Want: "a ridge of 0 to 1e12"}
	}
	if o.MaxCondition != 0 && !(o.MaxCondition >= 1 && o.MaxCondition <= 1/leastOwnSpread) {
		return &FitError{Err: ErrFitOptions, Value: o.MaxCondition, Want: "a condition limit of 1 to 1e9, or 0 for the default"}
	}
	return nil
}

const maxRidge = 1e12

// standardised is the problem in columns and a target of mean 0 and length 1.
type standardised struct {
	*Moments
	all    batch
	length []float64 // of each centred column, then of the target
	factor triangle
}

// standardise brings all rows together and refuses columns that cannot be scaled.
func (m *Moments) standardise() (*standardised, error) {
	p := len(m.columns)
	if m.rows < int64(p)+2 {
		return nil, &FitError{Err: ErrFitRows, Value: float64(m.rows), Want: "at least " + number(float64(p+2)) + " rows for " + number(float64(p)) + " columns"}
	}
	s := &standardised{Moments: m, all: m.whole(), length: make([]float64, p+1), factor: newTriangle(p + 1)}
	for j := range p + 1 {
		raw := s.all.factor.column(j)
		s.length[j] = math.Sqrt(dot(raw, raw))
		if err := s.checkSpread(j); err != nil {
			return nil, err
		}
		for i, v := range raw {
			s.factor.column(j)[i] = v / s.length[j]
		}
	}
	return s, nil
}

// checkSpread refuses a column without spread, or with one that only rounding made.
func (s *standardised) checkSpread(j int) error {
	column, fault := s.target, ErrFitConstantTarget
	if j < len(s.columns) {
		column, fault = s.columns[j], ErrFitConstant
	}
	largest := max(math.Abs(s.least[j]), math.Abs(s.most[j]))
	if s.least[j] != s.most[j] && largest < 1/MaxFitValue {
		return &FitError{Err: ErrFitRange, Column: column.Name, Value: largest, Want: "a value beyond ±1e-100: another unit"}
	}
	if s.least[j] == s.most[j] || s.scale(j) <= 4*epsilon*largest {
		return &FitError{Err: fault, Column: column.Name, Value: s.most[j], Want: "values that differ"}
	}
	return nil
}

const epsilon = 0x1p-52

// scale returns the standard deviation of column j, by the weights' sum.
func (s *standardised) scale(j int) float64 { return s.length[j] / math.Sqrt(s.all.weight) }

// penalised returns the factor with the rows of the ridge taken in.
func (s *standardised) penalised(lambda float64) triangle {
	if lambda == 0 {
		return s.factor
	}
	k := s.factor.k
	height := k + len(s.columns)
	rows := make([]float64, height*k)
	s.factor.stackRows(rows, height, 0)
	root := math.Sqrt(lambda / s.all.weight) // columns have length 1, not deviation 1
	for j := range s.columns {
		rows[j*height+k+j] = root
	}
	return reduce(rows, height, k)
}

// checkRank refuses a column of which nothing, or what rounding leaves, is its own.
func (s *standardised) checkRank(t triangle) error {
	for j := range s.columns {
		c := t.column(j)
		if own := math.Abs(c[j]) / math.Sqrt(dot(c, c)); !(own > leastOwnSpread) {
			return &FitError{
				Err: ErrFitCollinear, Column: s.columns[j].Name, Value: own, Others: s.makeUp(t, j),
				Want: "more than 1e-9 of its spread not explained by columns before it",
			}
		}
	}
	return nil
}

// makeUp names the columns before j that column j is a combination of, the largest share
// first.
func (s *standardised) makeUp(t triangle, j int) []string {
	shares := slices.Clone(t.column(j)[:j])
	t.solveUpper(shares)
	order := make([]int, 0, j)
	for i, share := range shares {
		if math.Abs(share) > 1e-6 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(math.Abs(shares[b]), math.Abs(shares[a])) })
	names := make([]string, len(order))
	for i, at := range order {
		names[i] = s.columns[at].Name
	}
	return names
}

// solve returns the slopes of the pseudo-rows of a triangle whose last column is the target.
func solve(t triangle) ([]float64, error) {
	p := t.k - 1
	var r regression.Regression
	for i := range t.k {
		for _, sign := range [...]float64{1, -1} {
			row := make([]float64, t.k)
			for j := i; j < t.k; j++ {
				row[j] = sign * t.at[j*t.k+i] / math.Sqrt2
			}
			r.Train(regression.DataPoint(row[p], row[:p]))
		}
	}
	if err := r.Run(); err != nil {
		return nil, &FitError{Err: ErrFitRows, Value: float64(2 * t.k), Want: err.Error()}
	}
	slopes := make([]float64, p)
	for j := range slopes {
		slopes[j] = r.Coeff(j + 1)
		if math.IsNaN(slopes[j]) || math.IsInf(slopes[j], 0) {
			return nil, &FitError{Err: ErrFitNotFinite, Value: slopes[j], Want: "a finite slope"}
		}
	}
	return slopes, nil
}

// linear puts the result into the columns' units. slopes are those of s.factor's columns.
func (s *standardised) linear(t triangle, slopes []float64, condition, ridge float64) *Linear {
	p := len(s.columns)
	rest, freedom := s.residual(t, slopes, ridge)
	sigma := s.length[p] * math.Sqrt(rest/freedom)
	out := &Linear{
		Target: s.target, Terms: make([]Slope, p), Rows: s.rows, Weight: s.all.weight, Ridge: ridge,
		Freedom: freedom, Sigma: sigma, RSquared: 1 - rest, Condition: condition,
	}
	unit := make([]float64, p)
	means := make([]float64, p)
	var intercept sum
	intercept.add(s.all.high[p], 1)
	intercept.add(s.all.low[p], 1)
	for j, c := range s.columns {
		slope := float64(slopes[j]*s.length[p]) / s.length[j]
		intercept.add(-slope, s.all.high[j])
		intercept.add(-slope, s.all.low[j])
		means[j] = s.all.high[j] / s.length[j]
		clear(unit)
		unit[j] = 1
		out.Terms[j] = Slope{
			Name: c.Name, Unit: c.Unit, Coefficient: slope,
			StandardError: sigma * s.spread(t, unit, ridge) / s.length[j],
			Mean:          s.all.high[j], Scale: s.scale(j), Least: s.least[j], Most: s.most[j],
		}
	}
	out.Intercept = intercept.value()
	out.InterceptError = sigma * math.Hypot(1/math.Sqrt(s.all.weight), s.spread(t, means, ridge))
	return out
}

// residual returns the share of the target's squares that the slopes leave, and how many
// rows are free to judge by: n - 1 - the trace of the hat matrix, which is p without ridge.
func (s *standardised) residual(t triangle, slopes []float64, ridge float64) (rest, freedom float64) {
	p := len(slopes)
	last := s.factor.column(p)
	rest = float64(last[p] * last[p])
	if ridge == 0 {
		return rest, float64(s.rows - 1 - int64(p))
	}
	left := s.times(slopes)
	for i := range left {
		d := last[i] - left[i]
		rest += float64(d * d)
	}
	freedom = float64(s.rows - 1)
	unit := make([]float64, p)
	for j := range p {
		clear(unit)
		unit[j] = 1
		t.solveUpper(unit)
		row := s.times(unit)
		freedom -= dot(row, row)
	}
	return rest, freedom
}

// spread returns the standard error of the combination v of the slopes, by sigma: the
// length of M'v, where M is R⁻¹, and with a ridge T⁻¹T⁻'R', T being the factor with it.
func (s *standardised) spread(t triangle, v []float64, ridge float64) float64 {
	x := slices.Clone(v)
	t.solveLower(x)
	if ridge != 0 {
		t.solveUpper(x)
		x = s.times(x)
	}
	return math.Sqrt(dot(x, x))
}

// times returns the rows of the factor times v.
func (s *standardised) times(v []float64) []float64 {
	out := make([]float64, len(v))
	for j, f := range v {
		subtract(out[:j+1], -f, s.factor.column(j))
	}
	return out
}

// sum adds products with twice the digits (Ogita, Rump and Oishi 2005): means far from
// zero times slopes cancel against each other in the intercept.
type sum struct{ high, low float64 }

func (s *sum) add(a, b float64) {
	product := float64(a * b)
	rest := math.FMA(a, b, -product)
	high, left := twoSum(s.high, product)
	s.high, s.low = high, s.low+(left+rest)
}

func (s *sum) value() float64 { return s.high + s.low }

// number writes a count or a limit for an error.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
