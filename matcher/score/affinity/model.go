package affinity

import (
	"math"
	"slices"
)

// Model is what was learned. It is immutable and may be shared.
type Model struct {
	settings Settings
	asOf     int32
	items    int
	near     neighbours
	likes    [attributes]alike
	holders  []int32   // customers who hold each fund
	trend    []float64 // how much oftener than expected each fund was bought of late
	crowd    crowds

	// What follows is derived from the above; see derive.
	own     []float64 // of each fund: what its likes weigh against its holders
	lately  []float64 // trend, damped
	warm    *crowds   // crowd, damped for who holds something; its sizes times lately
	cold    *crowds   // and for who holds nothing
	popular []float64
}

// neighbours are the funds near each fund, a row after the other.
type neighbours struct {
	start   []int // row x is entries[start[x]:start[x+1]]
	entries []neighbour
}

// neighbour is a fund near another. Single precision suffices: a share is known to three
// digits at best, and a row of 12-byte entries halves what is read in a match. All sums
// are in double precision.
type neighbour struct {
	fund         int32
	share, joint float32
}

func (n *neighbours) row(x int32) []neighbour { return n.entries[n.start[x]:n.start[x+1]] }

// Query is a customer as a match sees him.
type Query struct {
	Owned        []int32 // funds owned: sorted, different; others than the model's are skipped
	Group, Level int32   // as known by then, or Unknown
}

// Scratch is what a query is computed in. The zero value is ready; it grows once and must
// not be shared.
type Scratch struct{ values []float64 }

// Items is the number of funds.
func (m *Model) Items() int { return m.items }

// AsOf is the day that the model is of: it knows nothing later.
func (m *Model) AsOf() int32 { return m.asOf }

// Settings are those that the model was trained with.
func (m *Model) Settings() Settings { return m.settings }

// Holders are the customers who hold each fund by then. The slice must not be written.
func (m *Model) Holders() []int32 { return m.holders }

// Popular is, for each fund, the logarithm of its holders, lifted by the trend; the
// largest is 1. It reads no customer. The slice must not be written.
func (m *Model) Popular() []float64 { return m.popular }

// Affinity sets dst (one entry a fund) to how near each fund is to the customer: the
// formula of the package, 0 at least, in no particular unit, so that it is to be scaled.
// It returns how much the scaled values should count: 1 for who owns a fund of the model;
// the settings' cold strength for who owns none, but has a group or level that is known
// here; else 0, and all are 0. It allocates only when scratch must grow.
func (m *Model) Affinity(q *Query, s *Scratch, dst []float64) float64 {
	dst = dst[:m.items]
	owned := m.owned(q)
	if owned == 0 {
		return m.coldAffinity(q, dst)
	}
	clear(dst)
	mean, joint := 1/float64(owned), m.jointWeight(owned)
	for _, x := range q.Owned {
		if !m.has(x) {
			continue
		}
		for _, e := range m.near.row(x) {
			dst[e.fund] += float64(mean*float64(e.share)) + float64(joint*float64(e.joint))
		}
	}
	for a := range m.likes {
		m.likes[a].add(m, q.Owned, mean, s, dst)
	}
	for y, v := range dst {
		dst[y] = max(0, v) // what speaks against a fund is no measure of dislike
	}
	m.warm.apply(q, owned, dst)
	return 1
}

// coldAffinity is what the likes of a customer who owns nothing hold.
func (m *Model) coldAffinity(q *Query, dst []float64) float64 {
	if !m.cold.knows(q) || m.settings.Crowd.ColdStrength == 0 {
		clear(dst)
		return 0
	}
	for y, h := range m.holders {
		dst[y] = float64(h)
	}
	multiply(dst, m.lately)
	m.cold.apply(q, 0, dst)
	return m.settings.Crowd.ColdStrength
}

// has reports whether x is a fund of the model.
func (m *Model) has(x int32) bool { return x >= 0 && int(x) < m.items }

// owned counts the customer's funds that are of the model.
func (m *Model) owned(q *Query) int {
	n := 0
	for _, x := range q.Owned {
		if m.has(x) {
			n++
		}
	}
	return n
}

// jointWeight is the weight of the joint terms of who owns so many.
func (m *Model) jointWeight(owned int) float64 {
	return float64(m.settings.Joint.Gain * float64(owned-1))
}

// Parts are what one fund's affinity is made of, for who asks why:
// (Share + Likes + Joint) · Trend · Crowd, before it is cut at 0.
type Parts struct {
	Share float64 // mean share of the holders of his funds who hold it
	Likes float64 // mean share that the likes of his funds add where holders are few
	Joint float64 // what his funds say together
	Trend float64 // factor: bought of late
	Crowd float64 // factor: held by his likes
}

// Explain returns the parts of fund y's affinity for a customer who owns a fund of the
// model.
func (m *Model) Explain(q *Query, y int32) Parts {
	p := Parts{Trend: 1, Crowd: 1}
	owned := m.owned(q)
	if owned == 0 || !m.has(y) {
		return p
	}
	mean, joint := 1/float64(owned), m.jointWeight(owned)
	for _, x := range q.Owned {
		if !m.has(x) {
			continue
		}
		for _, e := range m.near.row(x) {
			if e.fund == y {
				p.Share += float64(mean * float64(e.share))
				p.Joint += float64(joint * float64(e.joint))
			}
		}
		for a := range m.likes {
			p.Likes += float64(mean * m.own[x] * m.likes[a].of(x, y))
		}
	}
	crowd := []float64{1}
	m.warm.mapped(func(factors []float64) []float64 { return factors[y : y+1] }).apply(q, owned, crowd)
	p.Trend, p.Crowd = m.lately[y], crowd[0]/m.lately[y]
	return p
}

// derive computes what a match reads from what is kept in the artifact.
func (m *Model) derive() {
	s := &m.settings
	m.own = make([]float64, m.items)
	for x, h := range m.holders {
		if k := s.Backoff.Holders; k > 0 {
			m.own[x] = k / (float64(h) + k)
		}
	}
	m.lately = make([]float64, m.items)
	m.popular = make([]float64, m.items)
	for a := range m.likes {
		m.likes[a].setShares(m.holders)
	}
	most := 0.0
	for y, lift := range m.trend {
		m.lately[y] = math.Pow(lift, s.Trend.Power)
		m.popular[y] = math.Log1p(float64(float64(m.holders[y]) * m.lately[y]))
		most = max(most, m.popular[y])
	}
	for y := range m.popular {
		if most > 0 {
			m.popular[y] /= most
		}
	}
	m.warm, m.cold = m.crowd.damped(s.Crowd.Power), m.crowd.damped(s.Crowd.ColdPower)
	for size, factors := range m.warm.size {
		if m.warm.size[size] = slices.Clone(m.lately); len(factors) > 0 {
			multiply(m.warm.size[size], factors)
		}
	}
}
