package policy

import (
	"math"
	"slices"
)

// pair holds the sums of a weight w and of x = w r, and of their squares: all that estimators of means and of ratios need.
type pair struct{ w, x, ww, wx, xx sum }

func (p *pair) merge(q *pair) {
	p.w, p.x = p.w.plus(q.w), p.x.plus(q.x)
	p.ww, p.wx, p.xx = p.ww.plus(q.ww), p.wx.plus(q.wx), p.xx.plus(q.xx)
}

// residual is the sum of w (r - q).
func (p *pair) residual(q float64) sum { return p.x.minus(p.w.times(q)) }

// squares is the sum of (w (r - q))^2. The cut is exact: with 32 digits the difference keeps 16 of its own.
func (p *pair) squares(q float64) sum {
	return p.xx.minus(p.wx.times(2 * q)).plus(p.ww.times(q).times(q))
}

// band are the rows whose weights lie between two steps: above the last, up to and with the next.
type band struct {
	n     int64
	pair      // of w and w r
	r, rr sum // of r alone, and its square: clipped, such a row counts L r
}

// The histogram's bins: below 2^-10 (0 among them), then one for each power of 2 up to 2^20 and beyond.
const (
	firstPower = -10
	lastPower  = 20
	bins       = lastPower - firstPower + 2
)

// moments are sums over rows.
type moments struct {
	bands   []band
	largest float64 // weight
	weights [bins]int64
}

// steps are the weights at which clipping is told, and Clip itself; ascending.
func steps(clip float64) []float64 {
	all := []float64{2, 5, 10, 20, 50, 100, clip}
	slices.Sort(all)
	return slices.Compact(all)
}

func (m *moments) reset() {
	clear(m.bands)
	*m = moments{bands: m.bands}
}

func (m *moments) merge(o *moments) {
	for i := range m.bands {
		b, c := &m.bands[i], &o.bands[i]
		if c.n == 0 {
			continue
		}
		b.n += c.n
		b.merge(&c.pair)
		b.r, b.rr = b.r.plus(c.r), b.rr.plus(c.rr)
	}
	m.largest = max(m.largest, o.largest)
	for i, n := range o.weights {
		m.weights[i] += n
	}
}

func (m *moments) finite() bool {
	for i := range m.bands {
		if b := &m.bands[i]; b.finite() && b.r.finite() && b.rr.finite() {
			continue
		}
		return false
	}
	return true
}

// tally are the sums of a chunk's rows of one band: of dw = w - 1, and of x = w (r - shift). Weights lie around 1, rewards
// around the shift: so squares of such differences lose little, and numbers of 16 digits are enough for so few rows.
type tally struct {
	n, dw, x, dwdw, dwx, xx, r, rr float64
}

// add adds a chunk's rows and returns how many had a reward. Most weights lie in the first band, which is kept in registers.
func (m *moments) add(weight, reward []float64, shift float64, steps []float64) int64 {
	var above [16]tally // by band; there are at most 8
	var n int64
	var sdw, sx, sdwdw, sdwx, sxx float64
	first, largest := steps[0], m.largest
	reward = reward[:len(weight)]
	for i, w := range weight {
		r := reward[i]
		if math.IsNaN(r) {
			continue
		}
		m.weights[bin(w)]++
		if !(w <= first) {
			largest = max(largest, w)
			above[bandOf(w, steps)&15].add(w, r-shift)
			continue
		}
		dw, x := w-1, float64(w*(r-shift))
		n++
		sdw += dw
		sx += x
		sdwdw += float64(dw * dw)
		sdwx += float64(dw * x)
		sxx += float64(x * x)
	}
	if n > 0 && largest <= first {
		largest = max(largest, largestOf(weight, reward))
	}
	m.largest = largest
	above[0] = tally{n: float64(n), dw: sdw, x: sx, dwdw: sdwdw, dwx: sdwx, xx: sxx}
	total := int64(0)
	for i := range m.bands {
		if t := &above[i]; t.n > 0 {
			m.bands[i].take(t, shift)
			total += int64(t.n)
		}
	}
	return total
}

func (t *tally) add(w, r float64) {
	dw, x := w-1, float64(w*r)
	t.n++
	t.dw += dw
	t.x += x
	t.dwdw += float64(dw * dw)
	t.dwx += float64(dw * x)
	t.xx += float64(x * x)
	t.r += r
	t.rr += float64(r * r)
}

// largestOf is the largest weight of rows with a reward.
func largestOf(weight, reward []float64) (largest float64) {
	for i, w := range weight {
		if w > largest && !math.IsNaN(reward[i]) {
			largest = w
		}
	}
	return largest
}

func bandOf(w float64, steps []float64) int {
	for i, step := range steps {
		if w <= step {
			return i
		}
	}
	return len(steps)
}

// bin is the weight's exponent, within bounds.
func bin(w float64) int {
	power := int(math.Float64bits(w)>>52) - 1023
	return max(firstPower-1, min(power, lastPower)) - firstPower + 1
}

// take adds a chunk's tally, turned back into sums of w and w r.
func (b *band) take(t *tally, shift float64) {
	n := sum{hi: t.n}
	w := n.add(t.dw)
	ww := sum{hi: t.dwdw}.plus(product(2, t.dw)).plus(n)
	wx := sum{hi: t.dwx}.add(t.x) // of w and w (r - shift)
	b.n += int64(t.n)
	b.w, b.ww = b.w.plus(w), b.ww.plus(ww)
	b.x = b.x.plus(w.times(shift).add(t.x))
	b.wx = b.wx.plus(ww.times(shift).plus(wx))
	b.xx = b.xx.plus(ww.times(shift).times(shift).plus(wx.times(2 * shift)).add(t.xx))
	b.r = b.r.plus(product(t.n, shift).add(t.r))
	b.rr = b.rr.plus(product(t.n, shift).times(shift).plus(product(2*shift, t.r)).add(t.rr))
}
