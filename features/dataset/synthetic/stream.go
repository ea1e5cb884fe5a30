package synthetic

import (
	"math/bits"
	"math/rand/v2"
)

// stream is the randomness of one entity. Only PCG's raw 64 bits are used and turned
// into numbers here, by integer arithmetic and exact floating-point steps, so that the
// same seed gives the same bank with every Go version and on every processor.
type stream struct{ source *rand.PCG }

// entity is a kind of thing that has streams of its own.
type entity uint64

// The entities.
const (
	marketStream entity = iota + 1
	fundStream
	pathStream
	classStream
	managerStream
	customerStream
	storyStream
	detailStream   // what an event tells besides: drawn apart, so that it changes no purchase
	standingStream // what the bank was shown and found: drawn apart, as above
	showingStream  // what he was shown: drawn apart, as above
)

// newStream returns the stream of the index-th entity of a kind.
func newStream(seed uint64, kind entity, index int) stream {
	hi := mix64(seed ^ mix64(uint64(kind)))
	return stream{rand.NewPCG(hi, mix64(hi^uint64(index)))}
}

// mix64 is the finalizer of SplitMix64 (Steele, Lea, Flood, 2014): neighbouring indices
// give unrelated seeds.
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// float returns a number in [0, 1).
func (s stream) float() float64 { return float64(s.source.Uint64()>>11) / (1 << 53) }

// chance is true with probability p.
func (s stream) chance(p float64) bool { return s.float() < p }

// intn returns a number in [0, n). Its bias of n/2^64 does not matter here.
func (s stream) intn(n int) int {
	hi, _ := bits.Mul64(s.source.Uint64(), uint64(n))
	return int(hi)
}

// between returns a number in [lo, hi], both included.
func (s stream) between(lo, hi int) int { return lo + s.intn(hi-lo+1) }

// within returns a number in [lo, hi).
func (s stream) within(lo, hi float64) float64 { return lo + float64(s.float()*(hi-lo)) }

// normalScale is the standard deviation of the sum of four uniform 16-bit numbers.
const normalScale = 37837.227

// normal returns a bell-shaped number of mean 0 and standard deviation 1: the sum of
// the four 16-bit parts of one draw, cheap and exact.
func (s stream) normal() float64 {
	u := s.source.Uint64()
	sum := int64(u&0xffff) + int64(u>>16&0xffff) + int64(u>>32&0xffff) + int64(u>>48)
	return float64(sum-2*0xffff) / normalScale
}

// pick returns an index with probability in proportion to its weight. Weights are not
// negative; when all are zero the result is -1.
func (s stream) pick(weights []float64) int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	if total <= 0 {
		return -1
	}
	x := float64(s.float() * total)
	last := -1
	for i, w := range weights {
		if w <= 0 {
			continue
		}
		if x < w {
			return i
		}
		x -= w
		last = i
	}
	return last
}

// quantile reads a distribution given by its equally spaced quantiles, linear between
// them: skewed amounts without logarithms.
func (s stream) quantile(table []float64) float64 {
	x := float64(s.float() * float64(len(table)-1))
	i := int(x)
	return table[i] + float64((x-float64(i))*(table[i+1]-table[i]))
}

// choose returns one of a list.
func choose[T any](s stream, list []T) T { return list[s.intn(len(list))] }
