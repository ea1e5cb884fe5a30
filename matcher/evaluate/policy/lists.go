package policy

import (
	"math"
	"slices"
)

// lists are the sums of nDCG over decisions.
type lists struct {
	n       int64
	sum, ss sum
}

func (l *lists) add(ndcg float64) {
	l.n++
	if ndcg != 0 {
		l.sum = l.sum.add(ndcg)
		l.ss = l.ss.plus(product(ndcg, ndcg))
	}
}

func (l *lists) merge(o *lists) {
	l.n += o.n
	l.sum, l.ss = l.sum.plus(o.sum), l.ss.plus(o.ss)
}

// kind is what a list's rewards are.
type kind uint8

const (
	barren     kind = iota // none above 0
	rewarding              // some are
	incomplete             // one is not known yet
)

// kindOf looks through most lists with one comparison a row: they have nothing but zeros.
func kindOf(reward []float64) kind {
	k := barren
	for _, r := range reward {
		if !(r <= 0) {
			if math.IsNaN(r) {
				return incomplete
			}
			k = rewarding
		}
	}
	return k
}

// ndcg of a list that is complete. logs holds log2(position + 1) of the positions up to k.
func (w *work) ndcg(k kind, position []int32, reward, logs []float64) float64 {
	if k == barren {
		return 0
	}
	w.gains = w.gains[:0]
	dcg := 0.0
	for i, r := range reward {
		if r > 0 {
			w.gains = append(w.gains, r)
			if at := int(position[i]) - 1; at >= 0 && at < len(logs) {
				dcg += r / logs[at]
			}
		}
	}
	if dcg == 0 {
		return 0
	}
	if len(w.gains) > 1 {
		slices.Sort(w.gains)
	}
	ideal := 0.0
	for i := range min(len(w.gains), len(logs)) {
		ideal += w.gains[len(w.gains)-1-i] / logs[i]
	}
	return dcg / ideal
}
