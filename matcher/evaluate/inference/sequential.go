package inference

import (
	"fmt"
	"math"
)

// DefaultTuning is for experiments of some thousand customers.
const DefaultTuning = 5000

// Sequential is the interval of level 1 - alpha of an asymptotic confidence sequence, and its p-value: both hold at every
// look at once, so that one may look each day and stop (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2023, arXiv
// 2103.06476v7). tuning is how many observations of both arms the interval is tightest at; with n observations:
//
//	rho  = sqrt((-2 ln alpha + ln(1 - 2 ln alpha)) / tuning)                                eq. 161
//	half = stderr sqrt(2 (n rho² + 1)/(n rho²) ln(sqrt(n rho² + 1)/alpha))                  eq. 9
//	p    = min(1, sqrt(n rho² + 1) exp(-(value/stderr)²/2 · n rho²/(n rho² + 1)))           eq. 155
//
// It rests on a central limit: the first look needs a sample that is not small.
func (c Contrast) Sequential(alpha, tuning float64) (Effect, error) {
	if err := checkAlpha(alpha); err != nil {
		return Effect{}, err
	}
	if !(tuning >= 1 && tuning <= 1e15) {
		return Effect{}, fmt.Errorf("%w: tuning %v, expected 1 to 1e15", ErrOptions, tuning)
	}
	se := math.Sqrt(c.Variance)
	spent := -2 * math.Log(alpha)
	nr2 := float64(c.N) * ((spent + math.Log1p(spent)) / tuning) // n rho²
	growth := .5 * math.Log1p(nr2)                               // ln sqrt(n rho² + 1)
	half := float64(se * math.Sqrt(2*(nr2+1)/nr2*(growth-math.Log(alpha))))
	z := c.Value / se
	p := math.Exp(growth - float64(z*z/2*(nr2/(nr2+1))))
	return Effect{Value: c.Value, StdErr: se, Low: c.Value - half, High: c.Value + half, P: min(p, 1)}, nil
}
