package policy

import "math"

// sum is a number of twice the digits: hi + lo, |lo| at most half a unit in the last place of hi (Dekker, 1971; Hida, Li and
// Bailey, 2001). Sums of squares are kept so, raw: their differences, which variances are, keep their digits, and states
// merge by plain addition.
type sum struct{ hi, lo float64 }

// twoSum returns a+b and what rounding took (Knuth).
func twoSum(a, b float64) (s, e float64) {
	s = a + b
	t := s - a
	return s, (a - (s - t)) + (b - t)
}

// normal puts the digits that hi can take into hi; |hi| >= |lo|.
func normal(hi, lo float64) sum {
	s := hi + lo
	return sum{s, lo - (s - hi)}
}

// product is exact.
func product(a, b float64) sum {
	p := float64(a * b)
	return sum{p, math.FMA(a, b, -p)}
}

func (s sum) add(x float64) sum {
	h, e := twoSum(s.hi, x)
	return normal(h, e+s.lo)
}

func (s sum) plus(t sum) sum {
	h, e := twoSum(s.hi, t.hi)
	l, f := twoSum(s.lo, t.lo)
	n := normal(h, e+l)
	return normal(n.hi, n.lo+f)
}

func (s sum) minus(t sum) sum { return s.plus(sum{-t.hi, -t.lo}) }

func (s sum) times(x float64) sum {
	p := product(s.hi, x)
	return normal(p.hi, p.lo+float64(s.lo*x))
}

func (s sum) square() sum {
	p := product(s.hi, s.hi)
	return normal(p.hi, p.lo+float64(2*s.hi*s.lo))
}

// over divides, to the last digit of a float64.
func (s sum) over(n float64) float64 {
	q := s.hi / n
	return q + (math.FMA(-q, n, s.hi)+s.lo)/n
}

// by divides with all digits.
func (s sum) by(n float64) sum {
	q := s.hi / n
	p := product(q, n)
	return normal(q, ((s.hi-p.hi)-p.lo+s.lo)/n)
}

// finite: neither infinite nor not a number.
func (s sum) finite() bool { return s.hi-s.hi == 0 && s.lo-s.lo == 0 }
