package assess

import (
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Estimate is a mean over entries with its 95 % interval by a block bootstrap: the blocks of
// entries are drawn with replacement, so that entries of the same weeks, which end alike,
// come together. Fewer than two blocks have no interval: Low and High are the value then,
// and Blocks says so.
type Estimate struct {
	Value  float64 `json:"value"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Blocks int     `json:"blocks"`
}

// blocks collect the sums of what is measured by block of entry months.
type blocks struct {
	months int
	ids    []int
	sums   []float64
	counts []float64
}

// add counts a value of an entry; entries come in any order.
func (b *blocks) add(day fund.Date, value float64) {
	id := (day.Year()*12 + day.Month() - 1) / b.months
	k, ok := slices.BinarySearch(b.ids, id)
	if !ok {
		b.ids = slices.Insert(b.ids, k, id)
		b.sums, b.counts = slices.Insert(b.sums, k, 0), slices.Insert(b.counts, k, 0)
	}
	b.sums[k] += value
	b.counts[k]++
}

// mean returns the mean and its interval.
func (b *blocks) mean(p *Plan) Estimate {
	n := len(b.ids)
	if n == 0 {
		return Estimate{}
	}
	e := Estimate{Value: ratio(total(b.sums), total(b.counts)), Blocks: n}
	e.Low, e.High = e.Value, e.Value
	if n < 2 {
		return e
	}
	draws := generator(p.Seed)
	means := make([]float64, p.Resamples)
	for r := range means {
		sum, count := 0.0, 0.0
		for range n {
			k := draws.below(n)
			sum += b.sums[k]
			count += b.counts[k]
		}
		means[r] = ratio(sum, count)
	}
	slices.Sort(means)
	e.Low, e.High = means[rank(p.Resamples, 0.025)], means[rank(p.Resamples, 0.975)]
	return e
}

func rank(n int, level float64) int {
	return min(max(int(math.Ceil(float64(level*float64(n)))), 1), n) - 1
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// generator is splitmix64 (Steele, Lea and Flood, Fast splittable pseudorandom number
// generators, 2014): a few lines that are the same on every machine and in every version.
type generator uint64

func (g *generator) next() uint64 {
	*g += 0x9e3779b97f4a7c15
	z := uint64(*g)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below draws from 0 to n-1. The bias of the remainder is below n/2^64.
func (g *generator) below(n int) int { return int(g.next() % uint64(n)) }
