package inference

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Differences are b - a, of what was measured twice on each.
// Errors: ErrValue (lengths that differ; a value that is not finite or beyond MaxValue).
func Differences(a, b []float64) ([]float64, error) {
	if len(a) != len(b) {
		return nil, fmt.Errorf("%w: %d and %d, expected pairs", ErrValue, len(a), len(b))
	}
	out := make([]float64, len(a))
	for i := range a {
		out[i] = b[i] - a[i]
	}
	return out, checkValues(out)
}

func checkValues(values []float64) error {
	for i, v := range values {
		if !(math.Abs(v) <= 2*MaxValue) {
			return fmt.Errorf("%w: number %d is %v, expected a finite one", ErrValue, i+1, v)
		}
	}
	return nil
}

// PairedT is Student's test of paired differences.
type PairedT struct {
	Effect
	T  float64
	DF int64
}

// TestPairs tests whether the mean of paired differences is 0: t = mean/(s/sqrt(n)) with n - 1 degrees of freedom.
// Errors: ErrTooFew, ErrNoSpread, ErrOptions, ErrValue.
func TestPairs(differences []float64, alpha float64) (*PairedT, error) {
	if err := checkValues(differences); err != nil {
		return nil, err
	}
	var m Moments
	for _, d := range differences {
		m.Add(d)
	}
	if m.N < 2 {
		return nil, fmt.Errorf("%w: %d differences, expected at least 2", ErrTooFew, m.N)
	}
	c := Contrast{Value: m.Mean, Variance: m.Variance() / float64(m.N), DF: float64(m.N - 1), N: m.N}
	if c.Variance == 0 {
		return nil, fmt.Errorf("%w: every difference is %v", ErrNoSpread, m.Mean)
	}
	e, err := c.Welch(alpha)
	return &PairedT{Effect: e, T: e.Value / e.StdErr, DF: m.N - 1}, err
}

// RankMethod is how the p-value of Wilcoxon's test was found.
type RankMethod string

// The methods.
const (
	// ExactRanks counts all 2^n sign patterns: up to 50 differences, none 0, no two of one size.
	ExactRanks RankMethod = "EXACT"
	// NormalRanks is the normal approximation with the variance corrected for ties, without a correction for continuity.
	NormalRanks RankMethod = "NORMAL"
)

// mostExactRanks is up to where 2^n patterns are counted; beyond, the approximation is as good.
const mostExactRanks = 50

// Wilcoxon is the signed-rank test of paired differences.
type Wilcoxon struct {
	W      float64 // the smaller of the sums of ranks of positive and of negative differences
	N      int     // differences that are not 0
	P      float64 // two-sided
	Method RankMethod
}

// SignedRanks tests whether paired differences lie about 0 symmetrically (Wilcoxon 1945). Differences of 0 are left out,
// as Wilcoxon did; those of one size share the mean of their ranks.
// Errors: ErrTooFew (all are 0), ErrValue.
func SignedRanks(differences []float64) (*Wilcoxon, error) {
	if err := checkValues(differences); err != nil {
		return nil, err
	}
	d := slices.DeleteFunc(slices.Clone(differences), func(x float64) bool { return x == 0 })
	if len(d) == 0 {
		return nil, fmt.Errorf("%w: no difference that is not 0", ErrTooFew)
	}
	slices.SortFunc(d, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) })
	up, down, ties := rankSums(d)
	w := &Wilcoxon{W: min(up, down), N: len(d), Method: NormalRanks}
	if len(d) == len(differences) && ties == 0 && len(d) <= mostExactRanks {
		w.Method, w.P = ExactRanks, exactRankP(int(w.W), len(d))
		return w, nil
	}
	n := float64(len(d))
	variance := n*(n+1)*(2*n+1)/24 - ties/48
	if variance <= 0 {
		w.P = 1
		return w, nil
	}
	z := (w.W - n*(n+1)/4) / math.Sqrt(variance)
	w.P = min(2*distuv.UnitNormal.CDF(z), 1)
	return w, nil
}

// rankSums sums the ranks of positive and of negative differences, which come by size, and t³ - t over groups of t of
// one size.
func rankSums(d []float64) (up, down, ties float64) {
	for from := 0; from < len(d); {
		to := from + 1
		for to < len(d) && math.Abs(d[to]) == math.Abs(d[from]) {
			to++
		}
		rank := float64(from+1+to) / 2
		for _, x := range d[from:to] {
			if x > 0 {
				up += rank
			} else {
				down += rank
			}
		}
		t := float64(to - from)
		ties += float64(t*t*t) - t
		from = to
	}
	return up, down, ties
}

// exactRankP is 2 P(W <= w), where each rank 1..n is counted with probability 1/2.
func exactRankP(w, n int) float64 {
	chance := make([]float64, w+1) // of each sum so far; larger sums do not come back
	chance[0] = 1
	for rank := 1; rank <= n; rank++ {
		for s := w; s >= 0; s-- {
			chance[s] /= 2
			if s >= rank {
				chance[s] += chance[s-rank] / 2
			}
		}
	}
	var p float64
	for _, c := range chance {
		p += c
	}
	return min(2*p, 1)
}
