package score

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// triangle is the upper triangular factor R of a QR factorisation, k by k, column by
// column: entry (i, j) at j*k+i. R'R = A'A for the rows A that it stands for. Signs of
// its rows are as they came out.
type triangle struct {
	k  int
	at []float64
}

func newTriangle(k int) triangle { return triangle{k: k, at: make([]float64, k*k)} }

// column returns column j down to the diagonal.
func (t triangle) column(j int) []float64 { return t.at[j*t.k : j*t.k+j+1] }

// stackRows copies the triangle's rows into columns of the given height, from row `from` on.
func (t triangle) stackRows(dst []float64, height, from int) {
	for j := range t.k {
		copy(dst[j*height+from:j*height+from+t.k], t.at[j*t.k:(j+1)*t.k])
	}
}

// reduce returns the triangle of the rows in a: k columns of the given height, column by
// column, which it overwrites. Householder reflections, columns left to right: the error
// of each column is some 2^-53 of that column's own length, whatever the others' units.
func reduce(a []float64, height, k int) triangle {
	for j := range min(height, k) {
		v := a[j*height+j : (j+1)*height]
		length := math.Sqrt(dot(v, v))
		if length == 0 {
			continue // all zero: the diagonal stays 0
		}
		head := v[0]
		diagonal := -math.Copysign(length, head)
		v[0] = head - diagonal // the same signs are added: nothing cancels
		scale := 1 / (length * (length + math.Abs(head)))
		for l := j + 1; l < k; l++ {
			w := a[l*height+j : (l+1)*height]
			subtract(w, float64(scale*dot(v, w)), v)
		}
		v[0] = diagonal
	}
	t := newTriangle(k)
	for j := range k {
		n := min(j+1, height)
		copy(t.at[j*k:j*k+n], a[j*height:j*height+n])
	}
	return t
}

// dot adds the products in four fixed lanes, unfused, so that every platform gives the
// same bits.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		x, y := a[i:i+4:i+4], b[i:i+4:i+4]
		s0 += float64(x[0] * y[0])
		s1 += float64(x[1] * y[1])
		s2 += float64(x[2] * y[2])
		s3 += float64(x[3] * y[3])
	}
	for ; i < len(a); i++ {
		s0 += float64(a[i] * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// subtract does w -= f*v.
func subtract(w []float64, f float64, v []float64) {
	v = v[:len(w)]
	for i := range w {
		w[i] -= float64(f * v[i])
	}
}

// condition returns the 2-norm condition number of the leading p by p part; +Inf when it
// is singular or cannot be had.
func (t triangle) condition(p int) float64 {
	a := mat.NewDense(p, p, nil)
	for j := range p {
		for i, v := range t.column(j) {
			a.Set(i, j, v)
		}
	}
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDNone) {
		return math.Inf(1)
	}
	values := svd.Values(nil)
	if values[p-1] == 0 {
		return math.Inf(1)
	}
	return values[0] / values[p-1]
}

// solveUpper solves R x = b in place for the leading len(b) rows.
func (t triangle) solveUpper(b []float64) {
	for j := len(b) - 1; j >= 0; j-- {
		c := t.column(j)
		b[j] /= c[j]
		subtract(b[:j], b[j], c[:j])
	}
}

// solveLower solves R' x = b in place for the leading len(b) rows.
func (t triangle) solveLower(b []float64) {
	for j := range b {
		c := t.column(j)
		b[j] = (b[j] - dot(c[:j], b[:j])) / c[j]
	}
}
