package policy

import "math"

// fitted is a model whose means are known.
type fitted struct {
	*model
	plan       *plan
	n          float64
	q          []float64 // of each cell
	v          []float64 // of each position, under the target
	violations int64
	unseen     float64 // mass, mean over rows
}

// fit sets q to the mean reward of each product, or product and position. What the log never shows has no q: the target's
// value at a position is then that of the products that have one, as if the others were neither better nor worse. It is
// counted as a violation of support, and the verdict is withheld.
func (m *model) fit(p *plan) *fitted {
	positions := len(m.rows)
	f := &fitted{model: m, plan: p, q: make([]float64, len(m.places)), v: make([]float64, positions)}
	for _, n := range m.rows {
		f.n += float64(n)
	}
	for product := 0; product < len(f.q); product += positions {
		f.product(product, f.q[product:product+positions])
	}
	var unseen sum
	for k, n := range m.rows {
		unseen = unseen.plus(product(f.position(k), float64(n)))
	}
	f.unseen = unseen.over(f.n)
	return f
}

// product sets q of a product whose cells begin at first: NaN where nothing is known.
func (f *fitted) product(first int, q []float64) {
	var n float64
	var r sum
	for k := range q {
		q[k] = math.NaN()
		if c := f.find(first + k); c != nil {
			q[k] = c.r.over(float64(c.n))
			n, r = n+float64(c.n), r.plus(c.r)
		}
	}
	if f.plan.RewardModel == ModelAction {
		for k := range q {
			q[k] = r.over(n)
		}
	}
}

// position sets the target's value at position k+1, and returns the mass that the log never shows there.
func (f *fitted) position(k int) float64 {
	var value, known, unseen sum
	for i := k; i < len(f.q); i += len(f.rows) {
		share := f.plan.Target.probability[i]
		if share == 0 {
			continue
		}
		if f.find(i) == nil {
			unseen = unseen.add(share)
			if f.rows[k] > 0 {
				f.violations++
			}
		}
		if q := f.q[i]; !math.IsNaN(q) {
			value, known = value.plus(product(share, q)), known.add(share)
		}
	}
	f.v[k] = quotient(value, known)
	if math.Abs(known.add(-1).hi) <= within {
		f.v[k] = value.hi // all of it is known, and adds up to 1 as well as it was written
	}
	return unseen.hi
}

func (f *fitted) estimates(e *Estimates) {
	low := func(c *cell) pair { return c.low }
	all := func(c *cell) pair {
		both := c.low
		both.merge(&c.high)
		return both
	}
	base := f.base()
	weight, correction := f.residuals(all)
	dm := estimate(base.hi, f.n, f.squares(nil, base.hi, 0, 1))
	e.DM = &dm
	e.DR = f.mean(base, all)
	e.SwitchDR = f.mean(base, low)
	e.DRos = f.mean(base, func(c *cell) pair { return c.shrunk })
	ratio := quotient(correction, weight)
	value := base.add(ratio).hi
	sndr := estimate(value, f.n, f.squares(all, base.hi, ratio, weight.over(f.n)))
	e.SNDR = &sndr
}

// base is DM.
func (f *fitted) base() sum {
	var total sum
	for k, n := range f.rows {
		if n > 0 {
			total = total.plus(product(f.v[k], float64(n)))
		}
	}
	return total.by(f.n)
}

// residuals are the sums of w and w (r - q) over rows.
func (f *fitted) residuals(of func(*cell) pair) (weight, correction sum) {
	for i := range f.q {
		if c := f.find(i); c != nil {
			p := of(c)
			weight, correction = weight.plus(p.w), correction.plus(p.residual(f.q[i]))
		}
	}
	return weight, correction
}

// mean is of V + w (r - q), with the weights that of takes.
func (f *fitted) mean(base sum, of func(*cell) pair) *Estimate {
	_, correction := f.residuals(of)
	value := base.plus(correction.by(f.n)).hi
	e := estimate(value, f.n, f.squares(of, value, 0, 1))
	return &e
}

// squares is the sum over rows of (V - centre + w (r - q - ratio) / per)^2.
func (f *fitted) squares(of func(*cell) pair, centre, ratio, per float64) sum {
	var total sum
	for k, n := range f.rows {
		if n > 0 {
			d := f.v[k] - centre
			total = total.plus(product(d, d).times(float64(n)))
		}
	}
	if of == nil {
		return total
	}
	for i := range f.q {
		if c := f.find(i); c != nil {
			p, q := of(c), f.q[i]+ratio
			d := f.v[i%len(f.rows)] - centre
			total = total.plus(p.residual(q).times(2 * d).by(per)).plus(p.squares(q).by(per).by(per))
		}
	}
	return total
}
