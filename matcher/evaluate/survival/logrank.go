package survival

import (
	"fmt"

	"gonum.org/v1/gonum/stat/distuv"
)

// LogRank is the test of two groups that leave alike.
type LogRank struct {
	Chi2               float64 // one degree of freedom
	P                  float64
	Observed, Expected float64 // events of the first group, and how many there would be were the groups alike
}

// Test is the log-rank test (Mantel 1966): over the times at which anybody left, the first group's events against
// d n1/n, with the hypergeometric variance d (n1/n) (1 - n1/n) (n - d)/(n - 1).
// Errors: ErrNothing.
func Test(first, second *Table) (*LogRank, error) {
	n1, n2 := first.Customers(), second.Customers()
	var out LogRank
	var variance float64
	for a, b := first.rows, second.rows; len(a)+len(b) > 0; {
		var r1, r2 Row
		ofFirst := len(b) == 0 || len(a) > 0 && a[0].Time <= b[0].Time
		ofSecond := len(a) == 0 || len(b) > 0 && b[0].Time <= a[0].Time
		if ofFirst {
			r1, a = a[0], a[1:]
		}
		if ofSecond {
			r2, b = b[0], b[1:]
		}
		if d := float64(r1.Events + r2.Events); d > 0 {
			n := float64(n1 + n2)
			share := float64(n1) / n
			out.Observed += float64(r1.Events)
			out.Expected += float64(d * share)
			if n > 1 {
				variance += float64(d * share * (1 - share) * ((n - d) / (n - 1)))
			}
		}
		n1 -= r1.Events + r1.Censored
		n2 -= r2.Events + r2.Censored
	}
	if !(variance > 0) {
		return nil, fmt.Errorf("%w: at no time did somebody leave while both groups had customers", ErrNothing)
	}
	distance := out.Observed - out.Expected
	out.Chi2 = float64(distance*distance) / variance
	out.P = distuv.ChiSquared{K: 1}.Survival(out.Chi2)
	return &out, nil
}
