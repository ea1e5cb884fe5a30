package affinity

import "math"

// sizes is the number of crowds by funds held: none, one, two ... five, six and more.
const sizes = 7

// sizeOf is the crowd of customers who hold so many funds.
func sizeOf(owned int) int { return min(owned, sizes-1) }

// crowds are how much oftener than all customers those of a crowd hold each fund: lifts
// about 1, shrunk to it, one a fund. A column of nobody is empty: it changes nothing.
type crowds struct {
	size   [sizes][]float64 // by number of funds held
	groups [MaxFact + 1][]float64
	levels [MaxFact + 1][]float64
}

// damped returns the crowds with each lift raised to a power.
func (c *crowds) damped(power float64) *crowds {
	out := &crowds{}
	raise(out.size[:], c.size[:], power)
	raise(out.groups[:], c.groups[:], power)
	raise(out.levels[:], c.levels[:], power)
	return out
}

func raise(dst, src [][]float64, power float64) {
	for i, column := range src {
		if len(column) == 0 || power == 0 {
			continue
		}
		dst[i] = make([]float64, len(column))
		for y, lift := range column {
			dst[i][y] = math.Pow(lift, power)
		}
	}
}

// apply multiplies dst by the factors of a customer's crowds.
func (c *crowds) apply(q *Query, owned int, dst []float64) {
	multiply(dst, c.size[sizeOf(owned)])
	if q.Group >= 0 && q.Group <= MaxFact {
		multiply(dst, c.groups[q.Group])
	}
	if q.Level >= 0 && q.Level <= MaxFact {
		multiply(dst, c.levels[q.Level])
	}
}

// knows reports whether anything is known of the customer's group or level.
func (c *crowds) knows(q *Query) bool {
	return q.Group >= 0 && q.Group <= MaxFact && len(c.groups[q.Group]) > 0 ||
		q.Level >= 0 && q.Level <= MaxFact && len(c.levels[q.Level]) > 0
}

// multiply multiplies dst by factors, unless there are none.
func multiply(dst, factors []float64) {
	for i, f := range factors {
		dst[i] *= f
	}
}

// at returns the crowds' factors of one fund alone.
func (c *crowds) at(y int32) *crowds {
	out := &crowds{}
	for _, p := range [...]struct{ dst, src [][]float64 }{
		{out.size[:], c.size[:]},
		{out.groups[:], c.groups[:]},
		{out.levels[:], c.levels[:]},
	} {
		for i, column := range p.src {
			if len(column) > 0 {
				p.dst[i] = column[y : y+1]
			}
		}
	}
	return out
}
