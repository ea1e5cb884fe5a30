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

// all lists the columns of every kind of crowd.
func (c *crowds) all() [3][][]float64 { return [3][][]float64{c.size[:], c.groups[:], c.levels[:]} }

// mapped returns the crowds with each column that is there changed by a function.
func (c *crowds) mapped(change func(column []float64) []float64) *crowds {
	out := &crowds{}
	to := out.all()
	for k, columns := range c.all() {
		for i, column := range columns {
			if len(column) > 0 {
				to[k][i] = change(column)
			}
		}
	}
	return out
}

// damped returns the crowds with each lift raised to a power.
func (c *crowds) damped(power float64) *crowds {
	if power == 0 {
		return &crowds{}
	}
	return c.mapped(func(lifts []float64) []float64 {
		out := make([]float64, len(lifts))
		for y, lift := range lifts {
			out[y] = math.Pow(lift, power)
		}
		return out
	})
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
