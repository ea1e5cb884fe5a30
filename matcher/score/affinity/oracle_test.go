package affinity_test

import (
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// oracle is the package's formula in the most obvious way: pairs counted customer by
// customer, the regression solved by Gaussian elimination, nothing sparse.
type oracle struct {
	s       affinity.Settings
	items   []affinity.Item
	baskets [][]int32
	groups  []int32
	levels  []int32
	holders []float64
	all     float64 // holdings
	together,
	joint [][]float64
	trend []float64
}

func newOracle(items []affinity.Item, customers []affinity.Customer, asOf int32, s affinity.Settings) *oracle {
	o := &oracle{s: s, items: items, holders: make([]float64, len(items)), together: square(len(items)), joint: square(len(items))}
	late := make([]float64, len(items))
	first := int32(math.MaxInt32)
	for _, c := range customers {
		for y := range int32(len(items)) {
			if day, ok := bought(c, y); ok && day != affinity.Always {
				first = min(first, day)
			}
		}
	}
	for _, c := range customers {
		var basket []int32
		for y := range int32(len(items)) {
			day, ok := bought(c, y)
			if !ok || day > asOf {
				continue
			}
			basket = append(basket, y)
			if day != affinity.Always && day != first {
				late[y] += math.Exp2(-float64(asOf-day) / s.Trend.HalfLifeDays)
			}
		}
		o.add(basket)
		o.groups, o.levels = append(o.groups, factAt(c.Groups, asOf)), append(o.levels, factAt(c.Levels, asOf))
	}
	held := 0.0
	for _, h := range o.holders {
		if h > 0 {
			held++
		}
	}
	for y := range items {
		o.trend = append(o.trend, math.Pow(o.lift(y, late[y], sum(late), s.Trend.PerFund*held), s.Trend.Power))
	}
	o.solve(held)
	return o
}

// add counts a customer's basket.
func (o *oracle) add(basket []int32) {
	o.baskets = append(o.baskets, basket)
	for _, x := range basket {
		o.holders[x]++
		o.all++
		for _, y := range basket {
			if x != y && len(basket) <= o.s.MaxBasket {
				o.together[x][y]++
			}
		}
	}
}

func (o *oracle) lift(y int, count, all, imagined float64) float64 {
	if o.holders[y] == 0 {
		return 1
	}
	return (count + imagined*o.holders[y]/o.all) / (all + imagined) / (o.holders[y] / o.all)
}

// solve regresses each of the most held funds on the others: B = I - P / diag(P).
func (o *oracle) solve(held float64) {
	if o.s.Joint.Gain == 0 || held == 0 {
		return
	}
	var most []int
	for y, h := range o.holders {
		if h > 0 {
			most = append(most, y)
		}
	}
	slices.SortStableFunc(most, func(a, b int) int { return int(o.holders[b] - o.holders[a]) })
	most = most[:min(len(most), o.s.Joint.Funds)]
	n := len(most)
	a := make([][]float64, n) // Gram and ridge, and the identity beside it
	for i, x := range most {
		a[i] = make([]float64, 2*n)
		for j, y := range most {
			a[i][j] = o.together[x][y]
		}
		a[i][i] = o.holders[x] + o.s.Joint.Ridge*o.all/held
		a[i][n+i] = 1
	}
	eliminate(a)
	for i, x := range most {
		for j, y := range most {
			if i != j {
				o.joint[x][y] = -a[i][n+j] / a[j][n+j]
			}
		}
	}
}

// eliminate turns [A I] into [I inverse of A], by Gauss and Jordan with pivoting.
func eliminate(a [][]float64) {
	for k := range a {
		pivot := k
		for i := k; i < len(a); i++ {
			if math.Abs(a[i][k]) > math.Abs(a[pivot][k]) {
				pivot = i
			}
		}
		a[k], a[pivot] = a[pivot], a[k]
		scale := a[k][k]
		for j := range a[k] {
			a[k][j] /= scale
		}
		for i := range a {
			if f := a[i][k]; i != k && f != 0 {
				for j := range a[i] {
					a[i][j] -= f * a[k][j]
				}
			}
		}
	}
}

// like is what the likes of x add to its share of y.
func (o *oracle) like(x, y int32) float64 {
	w := o.s.Backoff.Weights
	weights := []float64{w.Kind, w.Issuer, w.Theme, w.Goal, w.Market}
	out := 0.0
	for a, weight := range weights {
		vx, vy := attribute(o.items[x], a), attribute(o.items[y], a)
		if weight == 0 || vx == affinity.Unknown || vy == affinity.Unknown {
			continue
		}
		toValue, fromValue, holdings := 0.0, 0.0, 0.0
		for i := range o.items {
			if attribute(o.items[i], a) == vy {
				holdings += o.holders[i] + 1
			}
			if attribute(o.items[i], a) != vx {
				continue
			}
			for j := range o.items {
				if v := attribute(o.items[j], a); v != affinity.Unknown {
					fromValue += o.together[i][j]
					if v == vy {
						toValue += o.together[i][j]
					}
				}
			}
		}
		if fromValue > 0 {
			out += weight / sum(weights) * toValue / fromValue * (o.holders[y] + 1) / holdings
		}
	}
	return out
}

func (o *oracle) affinity(q affinity.Query) []float64 {
	out := make([]float64, len(o.items))
	m, k := float64(len(q.Owned)), o.s.Backoff.Holders
	for y := range out {
		for _, x := range q.Owned {
			share := o.together[x][y]
			if k > 0 {
				share += k * o.like(x, int32(y))
			}
			if share > 0 {
				out[y] += share / (o.holders[x] + k) / m
			}
			out[y] += o.s.Joint.Gain * (m - 1) * o.joint[x][y]
		}
		out[y] = max(0, out[y]) * o.trend[y] * o.crowd(y, q, o.s.Crowd.Power)
	}
	return out
}

// cold is the affinity of who owns nothing.
func (o *oracle) cold(q affinity.Query) []float64 {
	out := make([]float64, len(o.items))
	for y := range out {
		out[y] = o.holders[y] * o.trend[y] * o.crowd(y, q, o.s.Crowd.ColdPower)
	}
	return out
}

// crowd is the product of the lifts of a customer's crowds that have anybody.
func (o *oracle) crowd(y int, q affinity.Query, power float64) float64 {
	out := 1.0
	for _, in := range []func(c int) bool{
		func(c int) bool { return len(q.Owned) > 0 && min(len(o.baskets[c]), 6) == min(len(q.Owned), 6) },
		func(c int) bool { return q.Group != affinity.Unknown && o.groups[c] == q.Group },
		func(c int) bool { return q.Level != affinity.Unknown && o.levels[c] == q.Level },
	} {
		count, all := 0.0, 0.0
		for c, basket := range o.baskets {
			if in(c) {
				all += float64(len(basket))
				if slices.Contains(basket, int32(y)) {
					count++
				}
			}
		}
		if all > 0 {
			out *= math.Pow(o.lift(y, count, all, o.s.Crowd.Holdings), power)
		}
	}
	return out
}

func attribute(i affinity.Item, a int) int32 {
	return [...]int32{i.Kind, i.Issuer, i.Theme, i.Goal, i.Market}[a]
}

// bought is the earliest day on which a customer bought a fund.
func bought(c affinity.Customer, y int32) (day int32, ok bool) {
	for _, p := range c.Purchases {
		if p.Item == y && (!ok || p.Day < day) {
			day, ok = p.Day, true
		}
	}
	return day, ok
}

// factAt is the latest fact by a day; of one day the last in the list.
func factAt(list []affinity.Fact, asOf int32) int32 {
	value, latest, found := affinity.Unknown, int32(0), false
	for _, f := range list {
		if f.Day <= asOf && (!found || f.Day >= latest) {
			value, latest, found = f.Value, f.Day, true
		}
	}
	return value
}

func square(n int) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, n)
	}
	return out
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}
