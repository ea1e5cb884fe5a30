package inference

import (
	"fmt"
	"math"
)

// Moments are the count, the mean and the spread of a series, kept by Welford's recurrence and merged by that of Chan,
// Golub and LeVeque (1979): unlike a sum of squares they lose nothing where the mean is large beside the spread.
// The zero value is empty. As JSON they come back bit for bit.
type Moments struct {
	N    int64   `json:"n"`
	Mean float64 `json:"mean"`
	M2   float64 `json:"m2"` // sum of squared distances from the mean
}

// Add adds an observation, which is within ±MaxValue.
func (m *Moments) Add(x float64) {
	m.N++
	d := x - m.Mean
	m.Mean += d / float64(m.N)
	m.M2 += float64(d * (x - m.Mean))
}

// Merge adds the observations of another state.
func (m *Moments) Merge(o Moments) {
	switch {
	case o.N == 0:
	case m.N == 0:
		*m = o
	default:
		n := float64(m.N + o.N)
		d := o.Mean - m.Mean
		m.M2 += o.M2 + float64(float64(d*d)*float64(m.N)/n*float64(o.N))
		m.Mean += float64(d * (float64(o.N) / n))
		m.N += o.N
	}
}

// Variance is the sample variance, over n - 1. NaN of fewer than two.
func (m *Moments) Variance() float64 {
	if m.N < 2 {
		return math.NaN()
	}
	return m.M2 / float64(m.N-1)
}

// MomentsOf turns a count, a sum and a sum of squares into Moments. Sums that no series has are an ErrValue.
func MomentsOf(n int64, sum, squares float64) (Moments, error) {
	if n < 0 || math.IsNaN(sum) || math.IsInf(sum, 0) || !(squares >= 0) || math.IsInf(squares, 0) {
		return Moments{}, fmt.Errorf("%w: count %d, sum %v, sum of squares %v, expected finite ones", ErrValue, n, sum, squares)
	}
	if n == 0 {
		if sum != 0 || squares != 0 {
			return Moments{}, fmt.Errorf("%w: sum %v and sum of squares %v of nothing, expected 0", ErrValue, sum, squares)
		}
		return Moments{}, nil
	}
	mean := sum / float64(n)
	m2 := squares - float64(mean*sum)
	if m2 < -1e-9*squares {
		return Moments{}, fmt.Errorf("%w: sum of squares %v, expected at least the square of the sum %v over the count %d", ErrValue, squares, sum, n)
	}
	return Moments{N: n, Mean: mean, M2: max(m2, 0)}, nil
}

// Pairs are the moments of two series observed on the same customers: before the experiment and within it.
// The zero value is empty. As JSON they come back bit for bit.
type Pairs struct {
	N        int64   `json:"n"`
	MeanPre  float64 `json:"mean_pre"`
	MeanPost float64 `json:"mean_post"`
	PrePre   float64 `json:"pre_pre"` // sums of products of distances from the means
	PrePost  float64 `json:"pre_post"`
	PostPost float64 `json:"post_post"`
}

// Add adds a customer; both values are within ±MaxValue.
func (p *Pairs) Add(pre, post float64) {
	p.N++
	n := float64(p.N)
	x, y := pre-p.MeanPre, post-p.MeanPost
	p.MeanPre += x / n
	p.MeanPost += y / n
	right := post - p.MeanPost
	p.PrePre += float64(x * (pre - p.MeanPre))
	p.PrePost += float64(x * right)
	p.PostPost += float64(y * right)
}

// Merge adds the customers of another state.
func (p *Pairs) Merge(o Pairs) {
	switch {
	case o.N == 0:
	case p.N == 0:
		*p = o
	default:
		n := float64(p.N + o.N)
		x, y := o.MeanPre-p.MeanPre, o.MeanPost-p.MeanPost
		weight, share := float64(p.N)/n*float64(o.N), float64(o.N)/n
		p.PrePre += o.PrePre + float64(float64(x*x)*weight)
		p.PrePost += o.PrePost + float64(float64(x*y)*weight)
		p.PostPost += o.PostPost + float64(float64(y*y)*weight)
		p.MeanPre += float64(x * share)
		p.MeanPost += float64(y * share)
		p.N += o.N
	}
}

// Post are the moments of the series within the experiment.
func (p *Pairs) Post() Moments { return Moments{N: p.N, Mean: p.MeanPost, M2: p.PostPost} }

// Pre are the moments of the series before it.
func (p *Pairs) Pre() Moments { return Moments{N: p.N, Mean: p.MeanPre, M2: p.PrePre} }
