package inference

import (
	"fmt"
	"math"
)

// Theta is cov(pre, post)/var(pre) over all customers of the two arms together (Deng, Xu, Kohavi and Walker 2013,
// "Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data").
// Errors: ErrTooFew (fewer than two customers), ErrNoSpread (pre is the same for all).
func Theta(control, treated Pairs) (float64, error) {
	all := control
	all.Merge(treated)
	if all.N < 2 {
		return math.NaN(), fmt.Errorf("%w: %d with a value before the experiment, expected at least 2", ErrTooFew, all.N)
	}
	if !(all.PrePre > 0) {
		return math.NaN(), fmt.Errorf("%w: all have the same value before the experiment", ErrNoSpread)
	}
	return all.PrePost / all.PrePre, nil
}

// Adjusted is the difference of means of post - theta pre (CUPED): what part of the difference was there before is taken
// out. With theta = 0 it is Difference.
// Errors: those of Difference.
func Adjusted(control, treated Pairs, theta float64) (Contrast, error) {
	c, err := arms(residual(control, theta), residual(treated, theta))
	c.Value = (treated.MeanPost - control.MeanPost) - float64(theta*(treated.MeanPre-control.MeanPre))
	return c, err
}

// residual are the moments of post - theta pre.
func residual(p Pairs, theta float64) Moments {
	m2 := p.PostPost - float64(2*theta*p.PrePost) + float64(float64(theta*theta)*p.PrePre)
	return Moments{N: p.N, Mean: p.MeanPost - float64(theta*p.MeanPre), M2: max(m2, 0)}
}

// AdjustedRelative is B/A - 1 of the adjusted means A = post_c - theta (pre_c - pre) and B = post_t - theta (pre_t - pre),
// pre being the mean of both arms: the share by which the arms would differ had they begun alike. Its variance is by the
// delta method over the four means, theta held fixed. With theta = 0 it is Relative.
// Errors: those of Relative, where A is the base.
func AdjustedRelative(control, treated Pairs, theta float64) (Contrast, error) {
	c, err := arms(residual(control, theta), residual(treated, theta))
	if err != nil {
		return c, err
	}
	all := float64(control.N + treated.N)
	shareC, shareT := float64(control.N)/all, float64(treated.N)/all
	ahead := float64(theta * (treated.MeanPre - control.MeanPre))
	a := control.MeanPost + float64(shareT*ahead)
	b := treated.MeanPost - float64(shareC*ahead)
	if err := checkBase(a); err != nil {
		return c, err
	}
	ratio := b / a
	// d(B/A)/d(pre_t) = -d(B/A)/d(pre_c): only their distance matters.
	slope := -float64(theta*(shareC+float64(shareT*ratio))) / a
	own := bilinear(treated, slope, 1/a)
	base := bilinear(control, -slope, -ratio/a)
	c.Value, c.Variance = (b-a)/a, own+base
	if !(c.Variance > 0) {
		return c, fmt.Errorf("%w: every observation of an arm is the same", ErrNoSpread)
	}
	return c, checkFinite(c)
}

// bilinear is the variance of x mean(pre) + y mean(post).
func bilinear(p Pairs, x, y float64) float64 {
	n := float64(p.N)
	sum := float64(float64(x*x)*p.PrePre) + float64(2*float64(x*y)*p.PrePost) + float64(float64(y*y)*p.PostPost)
	return max(sum, 0) / (n - 1) / n
}
