package policy

import (
	"fmt"
	"math"
)

// cell holds the rows of one product of the target at one position.
type cell struct {
	at int32 // product*positions + position - 1, products in the target's order
	n  int64 // rows
	r  sum   // of rewards
	// Rows whose weight is up to Settings.SwitchLambda, and above.
	low, high pair
	shrunk    pair // of all rows: w' = lambda w / (w^2 + lambda) in the place of w
}

// model holds what the reward model, and every estimator that rests on it, needs. A row's part in them is linear in q, its
// square quadratic: so sums by product and position give values and standard errors, although q is known only at the end.
type model struct {
	places []int32 // by cell.at: its place in cells and 1 more; 0: no row yet
	cells  []cell  // in the order of their first row
	rows   []int64 // at position - 1: rows with a reward, products that the target does not name among them
}

func newModel(t *Target) *model {
	return &model{places: make([]int32, len(t.probability)), rows: make([]int64, t.positions)}
}

func (m *model) reset() {
	for i := range m.cells {
		m.places[m.cells[i].at] = 0
	}
	m.cells = m.cells[:0]
	clear(m.rows)
}

// find is nil where there is no row.
func (m *model) find(at int) *cell {
	if place := m.places[at]; place > 0 {
		return &m.cells[place-1]
	}
	return nil
}

// open is find that makes what is not there.
func (m *model) open(at int32) *cell {
	place := m.places[at]
	if place == 0 {
		m.cells = append(m.cells, cell{at: at})
		place = int32(len(m.cells)) // at most MaxCells
		m.places[at] = place
	}
	return &m.cells[place-1]
}

func (m *model) merge(o *model) {
	for i := range o.cells {
		d := &o.cells[i]
		c := m.open(d.at)
		c.n += d.n
		c.r = c.r.plus(d.r)
		c.low.merge(&d.low)
		c.high.merge(&d.high)
		c.shrunk.merge(&d.shrunk)
	}
	for k, n := range o.rows {
		m.rows[k] += n
	}
}

// pile adds exactly, and leaves it to close to put the digits in order.
func pile(s *sum, x float64) {
	h, e := twoSum(s.hi, x)
	s.hi = h
	s.lo += e
}

func pileProduct(s *sum, a, b float64) {
	p := float64(a * b)
	pile(s, p)
	s.lo += math.FMA(a, b, -p)
}

func (p *pair) pile(w, x float64) {
	pile(&p.w, w)
	pile(&p.x, x)
	pileProduct(&p.ww, w, w)
	pileProduct(&p.wx, w, x)
	pileProduct(&p.xx, x, x)
}

// add adds a chunk's rows to an empty state; close ends it. place is each row's cell, -1 where the target does not name
// its product.
func (m *model) add(c *chunk, place []int32, p *plan) {
	reward, position := c.Reward[c.rows[0]:c.rows[1]], c.Position[c.rows[0]:c.rows[1]]
	for i, w := range c.weight {
		r := reward[i]
		if math.IsNaN(r) {
			continue
		}
		m.rows[position[i]-1]++
		if place[i] < 0 {
			continue
		}
		cell := m.open(place[i])
		cell.n++
		pile(&cell.r, r)
		if w == 0 {
			continue
		}
		half := &cell.low
		if w > p.SwitchLambda {
			half = &cell.high
		}
		half.pile(w, w*r)
		shrunk := p.DRosLambda * w / (float64(w*w) + p.DRosLambda)
		cell.shrunk.pile(shrunk, shrunk*r)
	}
}

// close puts the digits of what add added in order.
func (m *model) close() {
	for i := range m.cells {
		c := &m.cells[i]
		c.r = normal(c.r.hi, c.r.lo)
		for _, p := range []*pair{&c.low, &c.high, &c.shrunk} {
			p.w, p.x = normal(p.w.hi, p.w.lo), normal(p.x.hi, p.x.lo)
			p.ww, p.wx, p.xx = normal(p.ww.hi, p.ww.lo), normal(p.wx.hi, p.wx.lo), normal(p.xx.hi, p.xx.lo)
		}
	}
}

func (m *model) finite() bool {
	for i := range m.cells {
		c := &m.cells[i]
		if c.r.finite() && c.low.finite() && c.high.finite() && c.shrunk.finite() {
			continue
		}
		return false
	}
	return true
}

func (p *pair) finite() bool {
	return p.w.finite() && p.x.finite() && p.ww.finite() && p.wx.finite() && p.xx.finite()
}

// lookup finds rows in the target.
type lookup struct {
	products []int32   // of the batch's codes: the place in the target; unlooked before it is asked for
	cells    []int32   // of a chunk's rows
	target   []float64 // of a chunk's rows
}

// What stands in lookup.products besides places.
const (
	unnamed  = -1 // the target does not name it
	unlooked = -2
)

func (l *lookup) open(t *Target, b *Batch) {
	if t == nil {
		return
	}
	if cap(l.products) < len(b.Codes) {
		l.products = make([]int32, len(b.Codes))
	}
	l.products = l.products[:len(b.Codes)]
	for i := range l.products {
		l.products[i] = unlooked
	}
}

// rows sets the cells of a chunk's rows, and returns their target probabilities. They are of the next call's memory.
func (l *lookup) rows(t *Target, c *chunk) ([]float64, error) {
	n := c.rows[1] - c.rows[0]
	if cap(l.cells) < n {
		l.cells, l.target = make([]int32, n+chunkRows), make([]float64, n+chunkRows)
	}
	l.cells, l.target = l.cells[:n], l.target[:n]
	product, position := c.Product[c.rows[0]:c.rows[1]], c.Position[c.rows[0]:c.rows[1]]
	for i, code := range product {
		k := int(position[i])
		if k < 1 || k > t.positions {
			return nil, &BatchError{c.rows[0] + i, fmt.Sprintf("position %d", k), fmt.Sprintf("1 to %d, for which the target policy has probabilities", t.positions)}
		}
		if int(code) >= len(l.products) {
			return nil, &BatchError{c.rows[0] + i, fmt.Sprintf("product %d of %d codes", code, len(l.products)), "a place among the codes"}
		}
		place := l.products[code]
		if place == unlooked {
			place = unnamed
			if found, there := t.places[c.Codes[code]]; there {
				place = found
			}
			l.products[code] = place
		}
		if place == unnamed {
			l.cells[i], l.target[i] = unnamed, 0
			continue
		}
		at := place*int32(t.positions) + int32(k) - 1
		l.cells[i], l.target[i] = at, t.probability[at]
	}
	return l.target, nil
}
