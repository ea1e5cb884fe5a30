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

// judgeSplit measures one contender's lists of a split.
func (j *job) judgeSplit(o *outcome, lists []int32) (values [measures][]float64, violations int64) {
	jury := newJury(j.data)
	for m := range values {
		values[m] = make([]float64, len(o.split.wanted))
	}
	for i := range o.split.wanted {
		found, above := jury.judge(&o.split.wanted[i], lists[i*Places:(i+1)*Places])
		for m, v := range found {
			values[m][i] = v
		}
		violations += above
	}
	return values, violations
}

// jury judges one list after another.
type jury struct {
	data      *Data
	hits      [Places]int32 // 1 at each place that holds what he wanted
	permitted [Places]int32 // and what his level permits
	ones      []int32       // grades of whatever was wanted
}

func newJury(d *Data) *jury {
	return &jury{data: d, ones: slices.Repeat([]int32{1}, len(d.products))}
}

// judge measures a list, and counts the places that hold what is above the customer's
// level. Who wanted nothing counts 0; who wanted nothing that his level permits is NaN in
// permittedNDCG.
func (y *jury) judge(w *wish, list []int32) (found [measures]float64, above int64) {
	upTo := highest(y.data.levels[w.customer].Level)
	for at, p := range list {
		y.hits[at], y.permitted[at] = 0, 0
		if p == none {
			continue
		}
		_, hit := slices.BinarySearch(w.products, p)
		permitted := y.data.permits(p, upTo)
		if hit {
			y.hits[at] = 1
		}
		if hit && permitted {
			y.permitted[at] = 1
		}
		if !permitted {
			above++
		}
	}
	all := evaluate.Judgement{Ranked: y.hits[:], Relevant: y.ones[:len(w.products)]}
	found[ndcg] = all.NDCG(Places, evaluate.LinearGain)
	found[recall] = all.Recall(Places, evaluate.OverRelevant)
	found[permittedNDCG] = math.NaN()
	if n := y.data.countPermitted(w.products, upTo); n > 0 {
		some := evaluate.Judgement{Ranked: y.permitted[:], Relevant: y.ones[:n]}
		found[permittedNDCG] = some.NDCG(Places, evaluate.LinearGain)
	}
	return found, above
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
