package logit

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// tally is what a Brier skill is made of.
type tally struct{ rows, events, squares float64 }

func (t tally) plus(u tally, times float64) tally {
	return tally{
		rows:    t.rows + float64(times*u.rows),
		events:  t.events + float64(times*u.events),
		squares: t.squares + float64(times*u.squares),
	}
}

// base returns the Brier score of the share of events.
func (t tally) base() float64 {
	share := t.events / t.rows
	return float64(share * (1 - share))
}

// skill returns 1 - Brier / base; NaN where all or none happened.
func (t tally) skill() float64 { return 1 - t.squares/t.rows/t.base() }

// customer is one customer's part.
type customer struct {
	tally
	key uint64 // of the name
}

// byCustomer sums each customer's rows, customers in the order in which they first come.
func byCustomer(rows []Forecast) []customer {
	index := make(map[string]int, len(rows))
	var out []customer
	for _, r := range rows {
		at, ok := index[r.Customer]
		if !ok {
			at = len(out)
			index[r.Customer] = at
			out = append(out, customer{key: keyOf(r.Customer)})
		}
		d, event := r.Probability, 0.0
		if r.Happened {
			d, event = 1-d, 1
		}
		out[at].tally = out[at].plus(tally{rows: 1, events: event, squares: float64(d * d)}, 1)
	}
	return out
}

// bootstrapSkill returns the skill with the 2.5th and 97.5th percentiles over replicates in
// which each customer counts a Poisson(1) number of times, drawn by the hash of his name,
// the replicate and the seed: neither the order of the customers nor the others among them
// change what one of them draws (Hanley and MacGibbon 2006).
func bootstrapSkill(customers []customer, value float64, o AssessOptions) Interval {
	skills := make([]float64, o.Replicates)
	var next atomic.Int64
	work := func() {
		for {
			at := next.Add(1) - 1
			if at >= int64(len(skills)) {
				return
			}
			key := mix(o.Seed ^ mix(uint64(at)+1))
			var t tally
			for i := range customers {
				if times := poisson(mix(customers[i].key ^ key)); times > 0 {
					t = t.plus(customers[i].tally, times)
				}
			}
			skills[at] = t.skill()
		}
	}
	var others sync.WaitGroup
	for range o.Workers - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	skills = slices.DeleteFunc(skills, func(s float64) bool { return math.IsNaN(s) || math.IsInf(s, 0) })
	if len(skills) < o.Replicates/2 {
		return Interval{Value: value, Low: -math.MaxFloat64, High: 1} // so few events that nothing is known
	}
	slices.Sort(skills)
	return Interval{Value: value, Low: percentile(skills, .025), High: percentile(skills, .975)}
}

// percentile interpolates between the order statistics.
func percentile(sorted []float64, at float64) float64 {
	x := at * float64(len(sorted)-1)
	i := int(x)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + float64((x-float64(i))*(sorted[i+1]-sorted[i]))
}

// poisson turns 64 even bits into a Poisson(1) number by its distribution function.
func poisson(bits uint64) float64 {
	u := float64(bits>>11) * 0x1p-53
	term := 1 / math.E
	sum, k := term, 0.0
	for u >= sum && k < 20 {
		k++
		term /= k
		sum += term
	}
	return k
}

// keyOf hashes a name: FNV-1a, mixed, since its last letters reach few bits.
func keyOf(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return mix(h)
}

// mix is splitmix64's finaliser (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
