package policy

import (
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/evaluate/draw"
)

// resample holds the sums of each replicate of the bootstrap by customer: a decision counts as often as its customer was
// drawn, Poisson(1) by a hash of the seed, the replicate and the customer (Hanley and MacGibbon, 2006). Who else is in the
// log does not matter to his draws: so blocks, shards and formats agree.
//
// The reward model is not in it: its sums by product and position would have to be kept for each replicate.
type resample struct {
	sums []parts
}

// parts are what a decision adds to the estimators, and what its replicates add up to.
type parts [partCount]float64

// Places in parts.
const (
	partRows    = iota // rows with a reward
	partWeight         // their w
	partValue          // w r
	partClipped        // min(w, L) r
	partLists          // 1 where it counts for nDCG
	partNDCG
	partSlates // 1 where it counts for slates
	partA      // W R
	partB      // n W
	partLength // n
	partIndependent
	partInteraction
	partCount
)

func newResample(replicates int) *resample {
	return &resample{sums: make([]parts, replicates)}
}

func (s *resample) merge(o *resample) {
	for i := range s.sums {
		for j, v := range o.sums[i] {
			s.sums[i][j] += v
		}
	}
}

func (s *resample) add(cluster uint64, p *parts, plan *plan) {
	for i := range s.sums {
		times := plan.table.Draw(draw.Mix(cluster ^ plan.keys[i]))
		if times == 0 {
			continue
		}
		to := &s.sums[i]
		for j, v := range p {
			to[j] += float64(times * v)
		}
	}
}

func (s *resample) finite() bool {
	for i := range s.sums {
		for _, v := range s.sums[i] {
			if v-v != 0 {
				return false
			}
		}
	}
	return true
}

// ofRows sets the parts that are sums over rows.
func (p *parts) ofRows(reward, weight []float64, clip float64) {
	for i, r := range reward {
		if math.IsNaN(r) {
			continue
		}
		w := weight[i]
		p[partRows]++
		p[partWeight] += w
		p[partValue] += float64(w * r)
		p[partClipped] += float64(min(w, clip) * r)
	}
}

// ofSlate sets the parts of a list whose weights and rewards are in the order of its positions.
func (p *parts) ofSlate(weight, reward []float64) {
	product, total := 1.0, 0.0
	for i, w := range weight {
		product *= w
		total += reward[i]
		p[partIndependent] += float64(w * reward[i])
		p[partInteraction] += float64(product * reward[i])
	}
	n := float64(len(weight))
	p[partSlates], p[partLength] = 1, n
	p[partA], p[partB] = float64(product*total), float64(product*n)
	for _, v := range p[partSlates:] {
		if v-v != 0 { // the slates' own sums see it too, and there will be no estimates
			clear(p[partSlates:])
			return
		}
	}
}

// intervals sets the percentile intervals.
func (s *resample) intervals(r *Result) {
	set := func(e *Estimate, of func(p *parts) float64) {
		values := make([]float64, 0, len(s.sums))
		for i := range s.sums {
			if v := of(&s.sums[i]); v-v == 0 {
				values = append(values, v)
			}
		}
		slices.Sort(values)
		e.Bootstrap95 = &[2]Number{Number(quantile(values, .025)), Number(quantile(values, .975))}
	}
	ratio := func(a, b int) func(*parts) float64 {
		return func(p *parts) float64 { return p[a] / p[b] }
	}
	set(&r.Estimates.IPS, ratio(partValue, partRows))
	set(&r.Estimates.SNIPS, ratio(partValue, partWeight))
	set(&r.Estimates.ClippedIPS, ratio(partClipped, partRows))
	if r.Lists != nil {
		set(&r.Lists.NDCG, ratio(partNDCG, partLists))
	}
	if r.Slates != nil && r.Slates.Standard != nil {
		set(r.Slates.Standard, ratio(partA, partSlates))
		set(r.Slates.SNStandard, func(p *parts) float64 { return p[partA] / p[partSlates] * p[partLength] / p[partB] })
		set(r.Slates.Independent, ratio(partIndependent, partSlates))
		set(r.Slates.RewardInteraction, ratio(partInteraction, partSlates))
	}
}

// quantile interpolates between the two nearest of sorted values (type 7 of Hyndman and Fan, 1996).
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	below := int(at)
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	part := at - float64(below)
	return sorted[below] + float64(part*(sorted[below+1]-sorted[below]))
}
