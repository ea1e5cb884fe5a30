package evaluate

import (
	"math"
	"slices"
)

// Gain is what a grade of relevance is worth in nDCG.
type Gain uint8

// The gains.
const (
	LinearGain      Gain = iota // rel (Järvelin and Kekäläinen, 2002); the default, as trec_eval
	ExponentialGain             // 2^rel - 1 (Burges et al., 2005)
)

func (g Gain) of(grade int32) float64 {
	if g == ExponentialGain {
		return math.Exp2(float64(grade)) - 1
	}
	return float64(grade)
}

// Denominator is what recall and average precision divide by.
type Denominator uint8

// The denominators, of R relevant products and a list of K.
const (
	OverRelevant Denominator = iota // R; the default, as trec_eval
	OverCutoff                      // min(R, K): a list that is full of relevant products gets 1
)

// Judgement is one list beside what was relevant to the customer whom it was made for.
// The measures take a cutoff k: they look at the first k places of the list; k below 1 is
// the whole list. Where nothing was relevant every measure is 0: whether such a customer
// counts is for the caller to decide (see Mean).
type Judgement struct {
	// Ranked holds the grade of the product at each place of the list; 0: not relevant.
	Ranked []int32
	// Relevant holds the grades of everything that was relevant, listed or not: above 0,
	// in descending order.
	Relevant []int32
}

// Judge looks up the grades of a list. A product that stands twice counts the first
// time; grades of 0 and below are not relevant.
func Judge[P comparable](list []P, grades map[P]int32) Judgement {
	j := Judgement{Ranked: make([]int32, len(list))}
	for i, p := range list {
		if grade := grades[p]; grade > 0 && !slices.Contains(list[:i], p) {
			j.Ranked[i] = grade
		}
	}
	for _, grade := range grades {
		if grade > 0 {
			j.Relevant = append(j.Relevant, grade)
		}
	}
	slices.SortFunc(j.Relevant, func(a, b int32) int { return int(b) - int(a) })
	return j
}

// first returns the list's first k places.
func (j *Judgement) first(k int) []int32 {
	if k < 1 || k > len(j.Ranked) {
		return j.Ranked
	}
	return j.Ranked[:k]
}

// NDCG is the discounted cumulative gain, discount 1/log2(rank+1), divided by that of the
// best list of min(R, k) products.
func (j *Judgement) NDCG(k int, gain Gain) float64 {
	ideal := j.Relevant
	if k >= 1 && k < len(ideal) {
		ideal = ideal[:k]
	}
	best := dcg(ideal, gain)
	if best == 0 {
		return 0
	}
	return dcg(j.first(k), gain) / best
}

func dcg(grades []int32, gain Gain) float64 {
	sum := 0.0
	for i, grade := range grades {
		if grade > 0 {
			sum += gain.of(grade) / math.Log2(float64(i+2))
		}
	}
	return sum
}

// hits counts the relevant among the first k.
func (j *Judgement) hits(k int) (n int) {
	for _, grade := range j.first(k) {
		if grade > 0 {
			n++
		}
	}
	return n
}

// most is the denominator of recall and average precision.
func (j *Judgement) most(k int, over Denominator) int {
	if over == OverCutoff && k >= 1 {
		return min(k, len(j.Relevant))
	}
	return len(j.Relevant)
}

// Recall is the share of the relevant products that the first k hold.
func (j *Judgement) Recall(k int, over Denominator) float64 {
	return share(float64(j.hits(k)), j.most(k, over))
}

// Precision is the share of k places that hold a relevant product; places that the list
// does not have are misses. With k below 1 it is the share of the list.
func (j *Judgement) Precision(k int) float64 {
	if k < 1 {
		k = len(j.Ranked)
	}
	return share(float64(j.hits(k)), k)
}

// Hit is 1 when the first k hold any relevant product.
func (j *Judgement) Hit(k int) float64 {
	return float64(min(1, j.hits(k)))
}

// AveragePrecision is the mean, over the relevant products, of the precision at the place
// where each stands; one that the first k do not hold counts 0.
func (j *Judgement) AveragePrecision(k int, over Denominator) float64 {
	sum, found := 0.0, 0
	for i, grade := range j.first(k) {
		if grade > 0 {
			found++
			sum += float64(found) / float64(i+1)
		}
	}
	return share(sum, j.most(k, over))
}

// ReciprocalRank is 1 over the first place within k that holds a relevant product, and 0
// where none does.
func (j *Judgement) ReciprocalRank(k int) float64 {
	for i, grade := range j.first(k) {
		if grade > 0 {
			return 1 / float64(i+1)
		}
	}
	return 0
}

// RankBiasedPrecision is the gain of a reader who goes on to the next place with
// probability persistence, from 0 to below 1 (Moffat and Zobel, 2008), relevance taken as
// yes or no: (1-p) Σ rel p^(rank-1).
func (j *Judgement) RankBiasedPrecision(k int, persistence float64) float64 {
	sum, weight := 0.0, 1.0
	for _, grade := range j.first(k) {
		if grade > 0 {
			sum += weight
		}
		weight *= persistence
	}
	return (1 - persistence) * sum
}

func share(part float64, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return part / float64(whole)
}

// Absent says what a customer without a value, NaN, does to a mean.
type Absent uint8

// The ways.
const (
	CountAsZero Absent = iota // the default: who got no list, or wanted nothing, stays in the mean
	Skip
)

// Mean is the mean of a measure over customers, added in their order; NaN where nobody
// counts.
func Mean(values []float64, absent Absent) float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += v
		} else if absent == Skip {
			continue
		}
		n++
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}
