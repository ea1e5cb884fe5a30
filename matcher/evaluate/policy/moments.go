package policy

import (
	"math"
	"math/bits"
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
	p := partial{shift: shift, first: math.Float64bits(steps[0]), largest: m.largest}
	for at := 0; at < len(weight); at += lookRows {
		end := min(at+lookRows, len(weight))
		p.add(weight[at:end], reward[at:end], steps)
	}
	for i := range m.weights {
		for _, n := range p.weights[4*i:][:4] {
			m.weights[i] += int64(n)
		}
	}
	if p.bands[0].n > 0 && p.largest <= steps[0] {
		p.largest = max(p.largest, largestOf(weight, reward))
	}
	p.bands[0].r, p.bands[0].rr = 0, 0 // of the first band nobody asks for them
	m.largest = p.largest
	total := int64(0)
	for i := range m.bands {
		if t := &p.bands[i]; t.n > 0 {
			m.bands[i].take(t, shift)
			total += int64(t.n)
		}
	}
	return total
}

// lookRows are the rows that one look goes over.
const lookRows = 256

// partial is what a chunk's rows have come to.
type partial struct {
	shift   float64
	first   uint64          // the bits of the first step
	bands   [16]tally       // there are at most 8
	weights [128]int32      // of each bin four, so that rows that follow one another do not wait for the same place
	heavy   [lookRows]uint8 // the rows above the first step
	largest float64
}

// add goes over some rows without a branch: which weights are above the first step nobody can foresee. What is not of the
// first band adds 0 to its sums. Weights are not negative, so they are in the order of their bits. Where a reward is not
// known the sum of the rewards is none: then nothing of it counts, and the rows are taken one by one.
func (p *partial) add(weight, reward []float64, steps []float64) {
	shift, first := p.shift, p.first
	t := &p.bands[0]
	sr, sdw, sx, sdwdw, sdwx, sxx := 0.0, t.dw, t.x, t.dwdw, t.dwx, t.xx
	heavy := 0
	reward = reward[:len(weight)]
	for i, w := range weight {
		r := reward[i]
		sr += r
		size := math.Float64bits(w)
		_, above := bits.Sub64(first, size, 0)
		p.weights[binAt(size, i)]++
		p.heavy[heavy&(lookRows-1)] = uint8(i)
		heavy += int(above)
		dw := math.Float64frombits(math.Float64bits(w-1) & (above - 1))
		x := math.Float64frombits(math.Float64bits(w*(r-shift)) & (above - 1))
		sdw += dw
		sx += x
		sdwdw += float64(dw * dw)
		sdwx += float64(dw * x)
		sxx += float64(x * x)
	}
	if math.IsNaN(sr) {
		for i, w := range weight {
			p.weights[binAt(math.Float64bits(w), i)]--
		}
		p.each(weight, reward, steps)
		return
	}
	t.n += float64(len(weight) - heavy)
	t.dw, t.x, t.dwdw, t.dwx, t.xx = sdw, sx, sdwdw, sdwx, sxx
	for _, i := range p.heavy[:heavy] {
		w := weight[i]
		p.largest = max(p.largest, w)
		p.bands[bandOf(w, steps)&15].add(w, reward[i]-shift)
	}
}

// each takes rows one by one, without those that have no reward.
func (p *partial) each(weight, reward, steps []float64) {
	for i, w := range weight {
		if r := reward[i]; !math.IsNaN(r) {
			p.weights[binAt(math.Float64bits(w), i)]++
			p.largest = max(p.largest, w)
			p.bands[bandOf(w, steps)&15].add(w, r-p.shift)
		}
	}
}

// binAt is where the weight of row i is counted.
func binAt(size uint64, i int) uint {
	return (uint(binByExponent[size>>52])<<2 | uint(i)&3) & 127
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

// binByExponent is the bin of a weight by the exponent of its bits.
var binByExponent = binsByExponent()

func binsByExponent() (of [1 << 12]uint8) {
	for exponent := range of {
		of[exponent] = uint8(max(firstPower-1, min(exponent&(1<<11-1)-1023, lastPower)) - firstPower + 1)
	}
	return of
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
