package backtest

import (
	"context"
	"math/bits"
)

// Recommender learns to make lists. The same history must give the same lists, whatever
// the worker count.
type Recommender interface {
	// Names are those of the models that Train returns, in its order: the recommender's
	// own, and behind it those of variants that are compared with it. All names of a run
	// are different.
	Names() []string
	// Train learns from a history on at most so many goroutines. An error ends the run.
	Train(ctx context.Context, h *History, workers int) ([]Model, error)
}

// Model is what was learned. It is read by several goroutines at once.
type Model interface {
	// Ranker returns a ranker for one goroutine, with buffers of its own.
	Ranker() Ranker
}

// Ranker makes lists, one after another.
type Ranker interface {
	// Rank appends to dst at most k products for a customer of the history, best first,
	// out of the permitted (bit i: product i). Equals are in the order of their codes.
	// permitted may be changed neither now nor later.
	Rank(customer int32, permitted []uint64, k int, dst []int32) []int32
}

// top appends the k products of the highest scores out of the permitted, best first;
// equals in the order of their numbers, which is that of their codes.
func top(score []float64, permitted []uint64, k int, dst []int32) []int32 {
	begin := len(dst)
	for w, word := range permitted {
		for ; word != 0; word &= word - 1 {
			i := int32(w*64 + bits.TrailingZeros64(word))
			switch {
			case len(dst)-begin < k:
				dst = append(dst, i)
			case score[i] > score[dst[len(dst)-1]]:
				dst[len(dst)-1] = i
			default:
				continue
			}
			for at := len(dst) - 1; at > begin && score[dst[at]] > score[dst[at-1]]; at-- {
				dst[at], dst[at-1] = dst[at-1], dst[at]
			}
		}
	}
	return dst
}

// popularity lists what most customers had bought.
type popularity struct{}

// Popularity returns the recommender that gives everybody what most customers had bought:
// what any other must beat.
func Popularity() Recommender { return popularity{} }

func (popularity) Names() []string { return []string{"popularity"} }

func (popularity) Train(_ context.Context, h *History, _ int) ([]Model, error) {
	var scores byProduct
	for _, n := range h.Buyers() {
		scores = append(scores, float64(n))
	}
	return []Model{scores}, nil
}

// byProduct is a model with one score a product, the same for everybody.
type byProduct []float64

func (s byProduct) Ranker() Ranker { return s }

func (s byProduct) Rank(_ int32, permitted []uint64, k int, dst []int32) []int32 {
	return top(s, permitted, k, dst)
}
