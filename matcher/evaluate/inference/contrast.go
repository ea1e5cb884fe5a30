package inference

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Contrast is an estimated difference between two arms with what is needed to say how sure it is.
type Contrast struct {
	Value    float64
	Variance float64 // of Value
	DF       float64 // degrees of freedom (Welch 1947, Satterthwaite 1946)
	N        int64   // observations of both arms
}

// Effect is a difference with its interval, and the p-value of the two-sided test of no difference.
type Effect struct {
	Value     float64
	StdErr    float64
	Low, High float64
	P         float64
}

// Difference is mean(treated) - mean(control). Its variance is the sum of s²/n of both arms, whose own variances it does
// not take for equal (Welch 1947).
// Errors: ErrTooFew (fewer than two in an arm), ErrNoSpread (both arms constant).
func Difference(control, treated Moments) (Contrast, error) {
	c, err := arms(control, treated)
	c.Value = treated.Mean - control.Mean
	return c, err
}

// Relative is mean(treated)/mean(control) - 1, its variance by the delta method:
// s_t²/(n_t m_c²) + s_c² m_t²/(n_c m_c⁴) (Deng, Knoblich and Lu 2018, "Applying the Delta Method in Metric Analytics").
// The degrees of freedom are those of Difference.
// Errors: those of Difference, and ErrBase where the control's mean is not above 0: a share of nothing, or of a loss,
// says nothing.
func Relative(control, treated Moments) (Contrast, error) {
	c, err := arms(control, treated)
	if err != nil {
		return c, err
	}
	if err := checkBase(control.Mean); err != nil {
		return c, err
	}
	ratio := treated.Mean / control.Mean
	c.Value = (treated.Mean - control.Mean) / control.Mean
	own := treated.Variance() / float64(treated.N)
	base := control.Variance() / float64(control.N)
	c.Variance = (own + float64(float64(ratio*ratio)*base)) / float64(control.Mean*control.Mean)
	return c, checkFinite(c)
}

// arms is what every contrast of two independent arms has in common.
func arms(control, treated Moments) (Contrast, error) {
	if control.N < 2 || treated.N < 2 {
		return Contrast{}, fmt.Errorf("%w: %d and %d, expected at least 2 in each arm", ErrTooFew, control.N, treated.N)
	}
	a, b := control.Variance()/float64(control.N), treated.Variance()/float64(treated.N)
	c := Contrast{Variance: a + b, DF: freedom(a, control.N, b, treated.N), N: control.N + treated.N}
	if c.Variance == 0 {
		return c, fmt.Errorf("%w: every observation of an arm is the same", ErrNoSpread)
	}
	return c, checkFinite(c)
}

// freedom are the degrees of freedom of a sum of two variances of means (Satterthwaite 1946), by their shares so that
// nothing overflows.
func freedom(a float64, na int64, b float64, nb int64) float64 {
	share := a / (a + b)
	rest := b / (a + b)
	return 1 / (float64(share*share)/float64(na-1) + float64(rest*rest)/float64(nb-1))
}

func checkBase(mean float64) error {
	if !(mean > 0) {
		return fmt.Errorf("%w: the control's mean is %v, expected above 0", ErrBase, mean)
	}
	return nil
}

func checkFinite(c Contrast) error {
	if math.IsNaN(c.Value+c.Variance) || math.IsInf(c.Value+c.Variance, 0) || !(c.Variance > 0) {
		return fmt.Errorf("%w: difference %v of variance %v, expected finite ones", ErrValue, c.Value, c.Variance)
	}
	return nil
}

// Welch is the interval of level 1 - alpha and the p-value by Student's t with the contrast's degrees of freedom. It
// holds for one look, at a size that was planned.
func (c Contrast) Welch(alpha float64) (Effect, error) {
	if err := checkAlpha(alpha); err != nil {
		return Effect{}, err
	}
	se := math.Sqrt(c.Variance)
	half := float64(quantileT(c.DF, 1-alpha/2) * se)
	return Effect{Value: c.Value, StdErr: se, Low: c.Value - half, High: c.Value + half, P: twoSidedT(c.Value/se, c.DF)}, nil
}

// mostFreedom is up to where the library's incomplete beta function keeps ten digits. Beyond it Student's t is within
// 1e-12 of a normal by Wallace's transform (1959): z = (8 df + 1)/(8 df + 3) sqrt(df ln(1 + t²/df)).
const mostFreedom = 1e6

// twoSidedT is P(|T| >= |t|) of Student's t.
func twoSidedT(t, df float64) float64 {
	if df > mostFreedom {
		z := wallace(df) * math.Sqrt(df*math.Log1p(t*t/df))
		return math.Erfc(z / math.Sqrt2)
	}
	return min(2*distuv.StudentsT{Sigma: 1, Nu: df}.CDF(-math.Abs(t)), 1)
}

// quantileT is Student's quantile of q above 1/2.
func quantileT(df, q float64) float64 {
	if df > mostFreedom {
		z := distuv.UnitNormal.Quantile(q) / wallace(df)
		return math.Sqrt(df * math.Expm1(z*z/df))
	}
	return distuv.StudentsT{Sigma: 1, Nu: df}.Quantile(q)
}

func wallace(df float64) float64 { return (float64(8*df) + 1) / (float64(8*df) + 3) }
