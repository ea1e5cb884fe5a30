package logit

import (
	"math"
	"sync"
	"sync/atomic"
)

// standardised are the rows in columns of mean 0 and deviation 1.
type standardised struct {
	rows                     *Rows
	n, p                     int
	z                        []float64 // row by row
	mean, scale, least, most []float64
	ridge                    float64
	workers                  int
}

// standardise checks the rows and scales their columns.
func standardise(rows *Rows, o Options) (*standardised, error) {
	n, p := rows.Len(), len(rows.columns)
	if n < p+2 {
		return nil, &DataError{Err: ErrTooFew, Value: float64(n), Want: "at least two rows more than columns"}
	}
	if rows.events == 0 || rows.events == n {
		return nil, &DataError{Err: ErrOneClass, Value: float64(rows.events), Want: "some rows in which it happened and some in which it did not"}
	}
	s := &standardised{rows: rows, n: n, p: p, ridge: o.Ridge, workers: o.Workers, z: make([]float64, len(rows.x))}
	s.mean, s.scale, s.least, s.most = make([]float64, p), make([]float64, p), make([]float64, p), make([]float64, p)
	for j, c := range rows.columns {
		if !s.scaleColumn(j) {
			return nil, &DataError{Err: ErrConstant, Column: c.Name, Value: s.most[j], Want: "values that differ"}
		}
	}
	return s, nil
}

// scaleColumn fills column j of z and reports whether it varies by more than rounding.
func (s *standardised) scaleColumn(j int) bool {
	s.least[j], s.most[j] = math.Inf(1), math.Inf(-1)
	var sum float64
	for i := j; i < len(s.z); i += s.p {
		v := s.rows.x[i]
		s.least[j], s.most[j] = min(s.least[j], v), max(s.most[j], v)
		sum += v
	}
	mean := sum / float64(s.n)
	var rest, squares float64 // what the rounded mean leaves is taken off too
	for i := j; i < len(s.z); i += s.p {
		s.z[i] = s.rows.x[i] - mean
		rest += s.z[i]
	}
	rest /= float64(s.n)
	for i := j; i < len(s.z); i += s.p {
		s.z[i] -= rest
		squares += float64(s.z[i] * s.z[i])
	}
	s.mean[j], s.scale[j] = mean+rest, math.Sqrt(squares/float64(s.n))
	if s.least[j] == s.most[j] || s.scale[j] <= 0x1p-50*max(math.Abs(s.least[j]), math.Abs(s.most[j])) {
		return false
	}
	for i := j; i < len(s.z); i += s.p {
		s.z[i] /= s.scale[j]
	}
	return true
}

// Blocks of rows are summed each on its own and put together in their order, so that the
// number of workers does not show. A wave of blocks bounds the memory.
const (
	blockRows = 1024
	wave      = 64
)

// evaluation is the loss at some coefficients and its derivatives.
type evaluation struct {
	loss       float64   // minus the log-likelihood, and the ridge
	likelihood float64   // minus the log-likelihood alone
	margin     float64   // the smallest log-odds in favour of what happened: above 0, all is told
	slope      []float64 // of the loss
	hessian    []float64 // of the loss: q by q, the upper triangle row by row
}

// evaluate computes the loss at the coefficients, intercept first.
func (s *standardised) evaluate(at []float64) evaluation {
	q := s.p + 1
	out := evaluation{margin: math.Inf(1), slope: make([]float64, q), hessian: make([]float64, q*q)}
	parts := make([]evaluation, wave)
	for i := range parts {
		parts[i] = evaluation{slope: make([]float64, q), hessian: make([]float64, q*q)}
	}
	s.inBlocks(func(slot, from, to int) { s.evaluateBlock(at, &parts[slot], from, to) }, func(slots int) {
		for i := range slots {
			out.take(&parts[i])
		}
	})
	out.loss = out.likelihood
	for j := 1; j < q; j++ {
		out.loss += s.ridge / 2 * float64(at[j]*at[j])
		out.slope[j] += float64(s.ridge * at[j])
		out.hessian[j*q+j] += s.ridge
	}
	return out
}

func (e *evaluation) take(part *evaluation) {
	e.likelihood += part.likelihood
	e.margin = min(e.margin, part.margin)
	for j, v := range part.slope {
		e.slope[j] += v
	}
	for j, v := range part.hessian {
		e.hessian[j] += v
	}
}

// evaluateBlock sums rows [from, to) into out, which it clears.
func (s *standardised) evaluateBlock(at []float64, out *evaluation, from, to int) {
	q := s.p + 1
	out.likelihood, out.margin = 0, math.Inf(1)
	clear(out.slope)
	clear(out.hessian)
	for i := from; i < to; i++ {
		z := s.z[i*s.p : (i+1)*s.p]
		eta := at[0]
		for j, v := range z {
			eta += float64(v * at[j+1])
		}
		e := Exp(-math.Abs(eta))
		likely, unlikely := 1/(1+e), e/(1+e) // p and 1-p, or the other way, without cancellation
		towards, residual := eta, unlikely   // residual: how far p is from what happened
		if !s.rows.happened[i] {
			towards = -eta
		}
		if towards < 0 {
			residual = likely
		}
		if s.rows.happened[i] {
			residual = -residual
		}
		out.margin = min(out.margin, towards)
		out.likelihood += max(-towards, 0) + math.Log1p(e)
		weight := float64(likely * unlikely)
		out.slope[0] += residual
		out.hessian[0] += weight
		for j, v := range z {
			out.slope[j+1] += float64(residual * v)
			f := float64(weight * v)
			out.hessian[j+1] += f
			row := out.hessian[(j+1)*q+j+1 : (j+2)*q]
			for l, u := range z[j:] {
				row[l] += float64(f * u)
			}
		}
	}
}

// largestMove returns the largest change of a row's log-odds by the step.
func (s *standardised) largestMove(step []float64) float64 {
	var most float64
	parts := make([]float64, wave)
	s.inBlocks(func(slot, from, to int) {
		parts[slot] = 0
		for i := from; i < to; i++ {
			move := step[0]
			for j, v := range s.z[i*s.p : (i+1)*s.p] {
				move += float64(v * step[j+1])
			}
			parts[slot] = max(parts[slot], math.Abs(move))
		}
	}, func(slots int) { most = max(most, largest(parts[:slots])) })
	return most
}

// inBlocks calls sum for every block of rows, shared by the workers, and after each wave
// collect with the number of slots that were filled, in the order of the rows.
func (s *standardised) inBlocks(sum func(slot, from, to int), collect func(slots int)) {
	for from := 0; from < s.n; from += wave * blockRows {
		slots := min(wave, (s.n-from+blockRows-1)/blockRows)
		var next atomic.Int64
		work := func() {
			for {
				slot := int(next.Add(1)) - 1
				if slot >= slots {
					return
				}
				begin := from + slot*blockRows
				sum(slot, begin, min(begin+blockRows, s.n))
			}
		}
		var others sync.WaitGroup
		for range min(s.workers, slots) - 1 {
			others.Go(work)
		}
		work()
		others.Wait()
		collect(slots)
	}
}
