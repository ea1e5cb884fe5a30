package logit

import (
	"math"
	"runtime"
)

// Options are the settings of Fit.
type Options struct {
	// Ridge is lambda >= 0: lambda/2 * the sum of (slope * scale)² is taken from the
	// log-likelihood, scale being the column's standard deviation. The intercept is free.
	Ridge float64
	// Workers is how many goroutines share the rows, 1 to 256; 0: as many as there are
	// processors. The result is the same for every number.
	Workers int
}

const (
	maxRidge   = 1e12
	maxWorkers = 256
	maxSteps   = 60
	// flatSlope is the largest slope of the mean log-likelihood at a solution. The step
	// taken from there leaves about its square.
	flatSlope = 1e-9
	// stillStep is the largest change of a row's log-odds in the last step. Where outcomes
	// are separated every step moves some row by about 1, while the slope fades all the same.
	stillStep = 1e-6
	// leastOwnVariance is the share of a column's variance that must be its own, not
	// explained by the columns before it.
	leastOwnVariance = 1e-10
)

// Fit finds the coefficients of largest likelihood, less the ridge, by Newton's method on
// standardised columns: the Hessian is exact, so a dozen passes over the rows reach the
// last digits, where L-BFGS would stop at a slope of 1e-6 (the tests hold one against the
// other). Standard errors are by H⁻¹FH⁻¹, F being the Fisher information of the rows and H
// that plus the ridge; without a ridge F⁻¹.
//
// Errors: ErrOptions, ErrTooFew (fewer rows than columns + 2), ErrOneClass, ErrConstant,
// ErrCollinear (without a ridge), ErrSeparated, ErrNotConverged, each within a *DataError.
// rows are not changed.
func Fit(rows *Rows, o Options) (*Model, error) {
	if !(o.Ridge >= 0 && o.Ridge <= maxRidge) {
		return nil, &DataError{Err: ErrOptions, Column: "ridge", Value: o.Ridge, Want: "0 to 1e12"}
	}
	workers, err := settledWorkers(o.Workers)
	if err != nil {
		return nil, err
	}
	o.Workers = workers
	s, err := standardise(rows, o)
	if err != nil {
		return nil, err
	}
	if err := s.checkRank(); err != nil {
		return nil, err
	}
	return s.climb()
}

// settledWorkers returns how many goroutines share the work.
func settledWorkers(workers int) (int, error) {
	if workers < 0 || workers > maxWorkers {
		return 0, &DataError{Err: ErrOptions, Column: "workers", Value: float64(workers), Want: "0 to 256"}
	}
	if workers == 0 {
		workers = min(runtime.GOMAXPROCS(0), maxWorkers)
	}
	return workers, nil
}

// climb takes Newton steps from the share of events alone until they end.
func (s *standardised) climb() (*Model, error) {
	q := s.p + 1
	at := make([]float64, q)
	share := float64(s.rows.events) / float64(s.n)
	at[0] = math.Log(share / (1 - share))
	here := s.evaluate(at)
	null := here.loss
	for taken := 1; taken <= maxSteps; taken++ {
		factor, ok := choleskyOf(here.hessian, q, 0)
		if ok < q {
			return nil, s.separated(at, taken)
		}
		step := factor.solve(here.slope)
		moved := s.largestMove(step)
		flat := largest(here.slope) <= flatSlope*float64(s.n)
		next, there := s.descend(at, step, here)
		if there.margin > 0 && s.ridge == 0 {
			return nil, s.separated(step, taken)
		}
		at, here = next, there
		if flat && moved <= stillStep {
			return s.model(at, here, null, taken)
		}
		if moved > stillStep && taken == maxSteps {
			return nil, s.separated(step, taken)
		}
	}
	return nil, &DataError{Err: ErrNotConverged, Value: largest(here.slope) / float64(s.n), Want: "a slope of at most 1e-9 a row"}
}

// descend takes the step, or a half, a quarter of it and so on where the whole raises the
// loss by more than rounding does.
func (s *standardised) descend(at, step []float64, here evaluation) ([]float64, evaluation) {
	next := make([]float64, len(at))
	for part := 1.; ; part /= 2 {
		for j := range at {
			next[j] = at[j] - float64(part*step[j])
		}
		there := s.evaluate(next)
		if there.loss <= here.loss+1e-10*math.Abs(here.loss) || part < 1e-9 {
			return next, there
		}
	}
}

// separated says which column tells the outcomes apart: the one that the step moves most.
func (s *standardised) separated(step []float64, taken int) error {
	most := 0
	for j := range s.p {
		if math.Abs(step[j+1]) > math.Abs(step[most+1]) {
			most = j
		}
	}
	return &DataError{Err: ErrSeparated, Column: s.rows.columns[most].Name, Value: float64(taken), Want: "steps that end; a ridge above 0, or without the column"}
}

// model puts the result into the columns' units.
func (s *standardised) model(at []float64, here evaluation, null float64, taken int) (*Model, error) {
	q := s.p + 1
	factor, ok := choleskyOf(here.hessian, q, 0)
	if ok < q {
		return nil, s.separated(at, taken)
	}
	out := &Model{
		Intercept: at[0], Terms: make([]Slope, s.p), Rows: int64(s.n), Events: int64(s.rows.events),
		Ridge: s.ridge, LogLoss: here.likelihood / float64(s.n), NullLogLoss: null / float64(s.n), Steps: taken,
	}
	toIntercept, unit := make([]float64, q), make([]float64, q)
	toIntercept[0] = 1
	for j, c := range s.rows.columns {
		slope := at[j+1] / s.scale[j]
		out.Intercept -= float64(slope * s.mean[j])
		toIntercept[j+1] = -s.mean[j] / s.scale[j]
		clear(unit)
		unit[j+1] = 1
		out.Terms[j] = Slope{
			Name: c.Name, Unit: c.Unit, Coefficient: slope,
			StandardError: s.deviation(factor, here, unit) / s.scale[j],
			Mean:          s.mean[j], Scale: s.scale[j], Least: s.least[j], Most: s.most[j],
		}
	}
	out.InterceptError = s.deviation(factor, here, toIntercept)
	return out, nil
}

// deviation returns the standard error of the combination v: the root of v'H⁻¹FH⁻¹v.
func (s *standardised) deviation(factor cholesky, here evaluation, v []float64) float64 {
	x := factor.solve(v)
	var sum float64
	q := len(x)
	for i := range q {
		for j := range q {
			h := here.hessian[min(i, j)*q+max(i, j)]
			if i == j && i > 0 {
				h -= s.ridge
			}
			sum += float64(float64(x[i]*x[j]) * h)
		}
	}
	return math.Sqrt(max(sum, 0))
}

func largest(v []float64) (most float64) {
	for _, x := range v {
		most = max(most, math.Abs(x))
	}
	return most
}
