package affinity

import (
	"errors"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// errNotDefinite cannot come of counts: a sum of squares and a ridge above 0.
var errNotDefinite = errors.New("affinity: the ridged Gram matrix is not positive definite")

// invert replaces a symmetric positive definite matrix, given by its upper triangle in a
// square, by the upper triangle of its inverse: Cholesky in place, n³ multiplications and
// no second square. What stands below the diagonal is not read.
func invert(a []float64, n int) error {
	t, ok := lapack64.Potrf(blas64.Symmetric{Uplo: blas.Upper, N: n, Stride: n, Data: a})
	if !ok {
		return errNotDefinite
	}
	if _, ok = lapack64.Potri(t); !ok {
		return errNotDefinite
	}
	return nil
}
