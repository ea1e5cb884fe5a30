// Package draw makes what resampling draws from hashes: the same seed, replicate and customer, the same draw, on any
// machine and in any order. Its numbers are part of results: they never change.
package draw

import "math"

// Golden is 2^64 over the golden ratio: by it the states of splitmix64 go on.
const Golden = 0x9e3779b97f4a7c15

// Spread is the finaliser of splitmix64 (Steele, Lea and Flood, 2014). It is a bijection: what differs stays different.
func Spread(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Mix is what splitmix64 gives in the state x.
func Mix(x uint64) uint64 { return Spread(x + Golden) }

// Key is what a replicate of a bootstrap mixes with the hash of each customer.
func Key(seed uint64, replicate int) uint64 { return Mix(seed ^ Mix(uint64(replicate)+Golden)) }

// Poisson holds, at k, P(X <= k) of Poisson(1) as a fraction of 2^64. What lies beyond the last is less than can be told
// from nothing.
type Poisson [20]uint64

// NewPoisson is ready to draw.
func NewPoisson() (table Poisson) {
	probability, total := 1/math.E, 0.0
	for k := range table {
		total += probability
		table[k] = uint64(min(total*(1<<64), float64(math.MaxUint64-(1<<11))))
		probability /= float64(k + 1)
	}
	return table
}

// Draw turns 64 uniform bits into a draw of Poisson(1).
func (t *Poisson) Draw(u uint64) float64 {
	k := 0
	for k < len(t) && u >= t[k] {
		k++
	}
	return float64(k)
}
