package logit

import "math"

// cholesky is the lower triangle L of LL' = A, row by row.
type cholesky struct {
	q int
	l []float64
}

// choleskyOf factorises the symmetric matrix whose upper triangle is given row by row, q by
// q. It returns how many leading columns could be: fewer than q where a column keeps at
// most the share `own` of its diagonal, and where that is nothing.
func choleskyOf(upper []float64, q int, own float64) (cholesky, int) {
	c := cholesky{q: q, l: make([]float64, q*q)}
	for i := range q {
		row := c.l[i*q : i*q+i+1]
		for j := range i + 1 {
			sum := upper[j*q+i]
			for k, v := range c.l[j*q : j*q+j] {
				sum -= float64(row[k] * v)
			}
			if j < i {
				row[j] = sum / c.l[j*q+j]
				continue
			}
			if !(sum > own*upper[i*q+i]) || math.IsInf(sum, 1) {
				return c, i
			}
			row[i] = math.Sqrt(sum)
		}
	}
	return c, q
}

// solve returns A⁻¹b.
func (c cholesky) solve(b []float64) []float64 {
	x := append([]float64(nil), b...)
	for i := range c.q {
		for k, v := range c.l[i*c.q : i*c.q+i] {
			x[i] -= float64(v * x[k])
		}
		x[i] /= c.l[i*c.q+i]
	}
	for i := c.q - 1; i >= 0; i-- {
		for k := i + 1; k < c.q; k++ {
			x[i] -= float64(c.l[k*c.q+i] * x[k])
		}
		x[i] /= c.l[i*c.q+i]
	}
	return x
}

// checkRank refuses, without a ridge, a column that those before it make up.
func (s *standardised) checkRank() error {
	if s.ridge > 0 {
		return nil
	}
	q := s.p + 1
	even := make([]float64, q) // log-odds 0 weigh every row alike: the Hessian is the correlations times n/4
	_, ok := choleskyOf(s.evaluate(even).hessian, q, leastOwnVariance)
	if ok < q {
		return &DataError{Err: ErrCollinear, Column: s.rows.columns[ok-1].Name, Want: "more than 1e-10 of its variance not explained by columns before it, or a ridge"}
	}
	return nil
}
