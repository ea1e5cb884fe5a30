package backtest

import (
	"math"
	"math/bits"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/evaluate"
)

// measure is one of the series that a contender is judged by.
type measure int

const (
	ndcg measure = iota
	recall
	permittedNDCG
	measures
)

// judged is what the judge finds of all lists of a run.
type judged struct {
	panel *evaluate.Panel // series of contender c: c*measures to c*measures+measures-1
	means evaluate.Means
	// By contender, then by split.
	violations [][]int64
	listed     [][][]uint64 // the products that any list of the split holds
}

// series is the number of a contender's measure in the panel.
func series(contender int, m measure) int { return contender*int(measures) + int(m) }

// judge holds the lists against what the customers turned out to want.
func (j *job) judge(outcomes []*outcome) (*judged, error) {
	v := &judged{panel: &evaluate.Panel{}}
	v.observe(j, outcomes)
	for c := range j.names {
		values := make([][][]float64, measures)
		violations := make([]int64, len(outcomes))
		listed := make([][]uint64, len(outcomes))
		for t, o := range outcomes {
			var s [measures][]float64
			s, violations[t] = j.judgeSplit(o, o.lists[c])
			for m := range s {
				values[m] = append(values[m], s[m])
			}
			listed[t] = listedIn(o.lists[c], len(j.data.products))
		}
		v.panel.Series = append(v.panel.Series, values...)
		v.violations, v.listed = append(v.violations, violations), append(v.listed, listed)
	}
	means, err := v.panel.Means()
	v.means = means
	return v, err
}

// observe sets the panel's customers: those who got lists.
func (v *judged) observe(j *job, outcomes []*outcome) {
	number := map[int32]int32{}
	for _, o := range outcomes {
		observed := make([]int32, len(o.split.wanted))
		for i, w := range o.split.wanted {
			n, ok := number[w.customer]
			if !ok {
				n = int32(len(number))
				number[w.customer] = n
				v.panel.Clusters = append(v.panel.Clusters, j.data.ids[w.customer])
			}
			observed[i] = n
		}
		v.panel.Strata = append(v.panel.Strata, observed)
	}
}

// judgeSplit measures one contender's lists of a split. A customer who wanted nothing
// counts 0; one who wanted nothing that his level permits is NaN in permittedNDCG.
func (j *job) judgeSplit(o *outcome, lists []int32) (values [measures][]float64, violations int64) {
	ones := slices.Repeat([]int32{1}, len(j.data.products))
	grades := make([]int32, Places)
	for m := range values {
		values[m] = make([]float64, len(o.split.wanted))
	}
	for i, w := range o.split.wanted {
		allowed := highest(j.data.levels[w.customer].Level)
		list := lists[i*Places : (i+1)*Places]
		judgement := evaluate.Judgement{Ranked: grades, Relevant: ones[:len(w.products)]}
		permitted := 0
		for _, p := range w.products {
			if j.data.permits(p, allowed) {
				permitted++
			}
		}
		for at, p := range list {
			grades[at] = 0
			if p == none {
				continue
			}
			if _, hit := slices.BinarySearch(w.products, p); hit {
				grades[at] = 1
			}
			if !j.data.permits(p, allowed) {
				violations++
			}
		}
		values[ndcg][i] = judgement.NDCG(Places, evaluate.LinearGain)
		values[recall][i] = judgement.Recall(Places, evaluate.OverRelevant)
		for at, p := range list {
			if p != none && !j.data.permits(p, allowed) {
				grades[at] = 0
			}
		}
		judgement.Relevant = ones[:permitted]
		values[permittedNDCG][i] = math.NaN()
		if permitted > 0 {
			values[permittedNDCG][i] = judgement.NDCG(Places, evaluate.LinearGain)
		}
	}
	return values, violations
}

func listedIn(lists []int32, products int) []uint64 {
	set := make([]uint64, (products+63)/64)
	for _, p := range lists {
		if p != none {
			set[p/64] |= 1 << (p % 64)
		}
	}
	return set
}

func count(set []uint64) (n int) {
	for _, w := range set {
		n += bits.OnesCount64(w)
	}
	return n
}
