package evaluate

import "math"

// Unseen says what a product that nobody has counts in Novelty.
type Unseen uint8

// The ways.
const (
	UnseenAsOne Unseen = iota // as one that a single customer has, the rarest that was seen; the default
	UnseenSkip                // it is left out of the mean
)

// Novelty is how little known the products of a list are: the mean over its first k of -log2(holders/users), the bits that
// it takes to name a customer who has one (Zhou et al., 2010). 0: everybody has all of them. holders says how many of the
// users have a product; k below 1 is the whole list. NaN where nothing counts: a list without products, no users.
func Novelty[P any](list []P, k int, users int64, holders func(P) int64, unseen Unseen) float64 {
	if k >= 1 && k < len(list) {
		list = list[:k]
	}
	sum, n := 0.0, 0
	for _, p := range list {
		have := min(holders(p), users)
		if have < 1 {
			if unseen == UnseenSkip {
				continue
			}
			have = 1
		}
		sum -= math.Log2(float64(have) / float64(users))
		n++
	}
	if n == 0 || users < 1 {
		return math.NaN()
	}
	return sum / float64(n)
}

// Churn is the share of a list's first k products that were not among the first k of the day before: 0 the same products,
// in whatever order, 1 all others. k below 1 is the whole lists. A product that stands twice counts twice. NaN where one of
// the lists has no products: a first list has not changed, and neither has one that nobody got.
func Churn[P comparable](before, now []P, k int) float64 {
	if k >= 1 {
		before, now = before[:min(k, len(before))], now[:min(k, len(now))]
	}
	if len(before) == 0 || len(now) == 0 {
		return math.NaN()
	}
	there := make(map[P]bool, len(before))
	for _, p := range before {
		there[p] = true
	}
	changed := 0.0
	for _, p := range now {
		if !there[p] {
			changed++
		}
	}
	return changed / float64(len(now))
}
