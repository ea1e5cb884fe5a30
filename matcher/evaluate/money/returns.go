package money

import "math"

// Monthly is a return over so many days as one over 30 of them, compounded: (1+r)^(30/days) - 1. All that was paid in
// being lost (-1) it is -1. NaN for a return below -1 and for days of 0 and below.
func Monthly(r float64, days int) float64 {
	if !(r >= -1) || days <= 0 {
		return math.NaN()
	}
	return math.Expm1(math.Log1p(r) * (30 / float64(days))) // keeps the digits of small returns, which the power loses
}

// Horizon is what listed products returned over so many days.
type Horizon struct {
	Days   int
	ROI    []ROI // one a cutoff, in their order
	Loss   Loss
	Profit Profit
}

// ROI is the return on the first K products of a list: first their mean, then the mean over lists. Lists of which one of
// the first K is not known yet are censored: they are counted and not in the means. NaN without lists.
type ROI struct {
	K        int
	Lists    int64
	Censored int64
	Return   float64 // over the horizon
	Monthly  float64 // of products' Monthly
}

// Loss is how much of what was listed fell. Share is of the rows whose return is known; Mean is the mean return of those
// that fell, below 0. NaN of nothing.
type Loss struct {
	Known, Fell int64
	Share, Mean float64
}

// horizon holds sums of one horizon.
type horizon struct {
	Cutoffs []cutoffSum `json:"cutoffs"`
	Known   int64       `json:"known"`
	Fell    int64       `json:"fell"`
	Loss    float64     `json:"loss"` // sum of returns below 0
}

type cutoffSum struct {
	Lists    int64   `json:"lists"`
	Censored int64   `json:"censored"`
	Return   float64 `json:"return"`
	Monthly  float64 `json:"monthly"`
}

func (h *horizon) add(rows *Rows, returns []float64, days int, cutoffs []int) {
	begin := int32(0)
	for _, end := range rows.Ends {
		h.addList(rows.Position[begin:end], returns[begin:end], days, cutoffs)
		begin = end
	}
	for _, r := range returns {
		if math.IsNaN(r) {
			continue
		}
		h.Known++
		if r < 0 {
			h.Fell++
			h.Loss += r
		}
	}
}

// addList adds the list's mean over the positions up to each cutoff, unless one of them is not known. A list without such
// a position says nothing.
func (h *horizon) addList(position []int32, returns []float64, days int, cutoffs []int) {
	var lists [MaxCutoffs]struct {
		sum, monthly float64
		n            int
	}
	for i, r := range returns {
		at := int(position[i])
		if at > cutoffs[len(cutoffs)-1] {
			continue
		}
		monthly := Monthly(r, days)
		for c := len(cutoffs) - 1; c >= 0 && at <= cutoffs[c]; c-- {
			lists[c].sum += r
			lists[c].monthly += monthly
			lists[c].n++
		}
	}
	for c := range cutoffs {
		switch list, to := &lists[c], &h.Cutoffs[c]; {
		case list.n == 0:
		case math.IsNaN(list.sum):
			to.Censored++
		default:
			to.Lists++
			to.Return += list.sum / float64(list.n)
			to.Monthly += list.monthly / float64(list.n)
		}
	}
}

func (h *horizon) merge(other *horizon) {
	for i := range h.Cutoffs {
		a, b := &h.Cutoffs[i], &other.Cutoffs[i]
		a.Lists += b.Lists
		a.Censored += b.Censored
		a.Return += b.Return
		a.Monthly += b.Monthly
	}
	h.Known += other.Known
	h.Fell += other.Fell
	h.Loss += other.Loss
}

func (h *horizon) result(days int, cutoffs []int) Horizon {
	out := Horizon{Days: days, Loss: Loss{Known: h.Known, Fell: h.Fell, Share: ratio(float64(h.Fell), h.Known), Mean: ratio(h.Loss, h.Fell)}}
	for i, k := range cutoffs {
		c := &h.Cutoffs[i]
		out.ROI = append(out.ROI, ROI{k, c.Lists, c.Censored, ratio(c.Return, c.Lists), ratio(c.Monthly, c.Lists)})
	}
	return out
}
