package score

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// Customer is what the scorer may read of a customer. With Personal false it reads
// nothing but that (rule A02, and lists for information).
type Customer struct {
	Personal      bool
	Goal          fund.Goal
	HorizonMonths int32 // 0 unknown
	Need          fund.Need
	Group         string // that the bank counts him to; empty: unknown
	Level         fund.RiskLevel
	Owned         []int32 // funds owned: sorted, different
	// Doubts are all doubts that he raised of late, about whatever product, in the bits
	// of Product.Raises. Objected are the funds that he raised them about; see Object.
	Doubts   uint32
	Objected []Objection
}

// Objection is a fund that the customer raised doubts about of late.
type Objection struct {
	Fund   int32
	Doubts uint32 // the codes that he named; none: he did not say which
}

// What OBJECTED is worth. A new doubt about a fund moves it by perDoubt at least where it
// moves any other by likeDoubt at most: whatever he objects to falls further than all
// that it is compared with, so its place never gets better.
const (
	perDoubt  = .5  // a fund objected to: this, and once more for every doubt named about it
	likeDoubt = .25 // a product that by itself raises a doubt which he raised about another
)

// value is the fund's OBJECTED: 1 for one doubt.
func (o *Objection) value() float64 { return perDoubt * float64(1+bits.OnesCount32(o.Doubts)) }

// Object adds a doubt about a fund to a list that is ordered by fund and holds each once.
// It allocates only when the list must grow.
func Object(list []Objection, fundIndex int32, doubts uint32) []Objection {
	at, ok := slices.BinarySearchFunc(list, fundIndex, func(o Objection, f int32) int { return cmp.Compare(o.Fund, f) })
	if !ok {
		list = slices.Insert(list, at, Objection{Fund: fundIndex})
	}
	list[at].Doubts |= doubts
	return list
}

// Contribution is one addend of a score.
type Contribution struct {
	Feature Feature
	Value   float64
	Weight  float64
	Amount  float64 // what Amount returns
}

// Scores holds one customer's scores and the buffers they were computed in. It may be
// used again and must not be shared.
type Scores struct {
	Product  []float64 // score of each product
	affinity []float64 // of each fund
	scratch  affinity.Scratch
	objected []float64 // of each product
	inputs   inputs
}

// inputs are the columns that one customer's coded facts select.
type inputs struct {
	affinity              []float64 // by fund
	goal, liquidity, loss []float64
	cost, objected        []float64
	breach                []float64
	horizonMonths         int32 // 0: unknown, contributes nothing
}

// Score computes the score of every product for a customer into out. permitted (bit i:
// product i) are the products that may be offered: the strongest affinity among them is
// 1, since what may not be offered is no measure of what may. It allocates only when out
// is too small.
func (s *Scorer) Score(c *Customer, permitted []uint64, out *Scores) {
	out.Product = resize(out.Product, len(s.funds.of))
	out.affinity = resize(out.affinity, len(s.funds.members))
	out.inputs = s.inputsOf(c, permitted, out)
	in := &out.inputs
	w := &s.model.Weights
	scores := out.Product
	for i := range scores {
		// One addition a feature, in the features' order, each product rounded before it
		// is added: no platform may fuse them, so contributions sum to the score exactly.
		t := float64(in.affinity[s.funds.of[i]] * w[Affinity])
		t += float64(in.goal[i] * w[GoalFit])
		t += float64(horizonFit(in.horizonMonths, s.horizon[i]) * w[HorizonFit])
		t += float64(in.liquidity[i] * w[LiquidityFit])
		t += float64(in.loss[i] * w[LossFit])
		t += float64(s.quality[i] * w[Quality])
		t += float64(in.cost[i] * w[Cost])
		t += float64(s.popularity[i] * w[Popularity])
		scores[i] = t
	}
	if c.objects() {
		s.add(scores, in.objected, Objected)
	}
	s.add(scores, in.breach, Breach)
}

// add adds one of the last features, in their order. A column that is nobody's, or weighs
// nothing, is spared the loop: adding 0 changes no score.
func (s *Scorer) add(scores, values []float64, f Feature) {
	w := s.model.Weights[f]
	if w == 0 {
		return
	}
	for i, v := range values {
		scores[i] += float64(v * w)
	}
}

// Objected reports whether the customer that s was computed for doubted product i, or what
// it has in it, where that may be read.
func (s *Scores) Objected(i int) bool { return s.inputs.objected[i] > 0 }

// objects reports whether the customer raised doubts that may be read.
func (c *Customer) objects() bool { return c.Personal && (c.Doubts != 0 || len(c.Objected) > 0) }

// Contributions appends the addends of product i's score, in the order of addition,
// from the customer that out was computed for. BREACH is none of a model that foresees no
// outcomes: there is nothing that it could have weighed, and the decisions that models of
// before the feature made are recorded, and must be replayed, without it.
func (s *Scorer) Contributions(out *Scores, i int, dst []Contribution) []Contribution {
	in := &out.inputs
	values := [Features]float64{
		in.affinity[s.funds.of[i]], in.goal[i], horizonFit(in.horizonMonths, s.horizon[i]), in.liquidity[i], in.loss[i],
		s.quality[i], in.cost[i], s.popularity[i], in.objected[i], in.breach[i],
	}
	known := values[:]
	if s.model.Settings.Outcome == nil {
		known = values[:Breach]
	}
	for f, v := range known {
		w := s.model.Weights[f]
		dst = append(dst, Contribution{Feature: Feature(f), Value: v, Weight: w, Amount: Amount(v, w)})
	}
	return dst
}

// Amount is what a feature adds to a score: value times weight, rounded before any
// addition. Zero stays 0 and does not become the -0 of a negative weight.
func Amount(value, weight float64) float64 {
	if value == 0 {
		return 0
	}
	return float64(value * weight)
}

// inputsOf picks the columns of a customer's facts; what is unknown, or may not be read,
// picks the column of zeros.
func (s *Scorer) inputsOf(c *Customer, permitted []uint64, out *Scores) inputs {
	near := out.affinity
	in := inputs{affinity: near, goal: s.none, liquidity: s.none, loss: s.none, objected: s.none, breach: s.none}
	months := s.model.Settings.Cost.DefaultHorizonMonths
	if !c.Personal {
		clear(near)
	} else {
		s.scale(near, s.near(c, near, &out.scratch), permitted)
		in.goal = s.goal[c.Goal]
		in.horizonMonths = c.HorizonMonths
		if c.HorizonMonths > 0 {
			months = c.HorizonMonths
		}
		if column := s.liquidity[c.Need]; column != nil {
			in.liquidity = column
		}
		if column := s.loss[c.Level]; column != nil {
			in.loss = column
		}
		if column := s.breach.of(c.Level, months); column != nil {
			in.breach = column
		}
	}
	if c.objects() {
		out.objected = resize(out.objected, len(s.funds.of))
		s.objections(c, out.objected)
		in.objected = out.objected
	}
	h := 0
	for h < len(horizons)-1 && horizons[h] < months {
		h++
	}
	in.cost = s.cost[h]
	return in
}

// objections sets the column of OBJECTED. A fund that the pool lacks has no products.
func (s *Scorer) objections(c *Customer, column []float64) {
	clear(column)
	for doubts := c.Doubts; doubts != 0; doubts &= doubts - 1 {
		for _, i := range s.raising[bits.TrailingZeros32(doubts)] {
			column[i] = likeDoubt
		}
	}
	for k := range c.Objected {
		o := &c.Objected[k]
		if o.Fund < 0 || int(o.Fund) >= len(s.funds.members) {
			continue
		}
		for _, i := range s.funds.members[o.Fund] {
			column[i] = o.value()
		}
	}
}

// near sets dst to how near each fund is to the customer, and returns how much the largest
// is to count.
func (s *Scorer) near(c *Customer, dst []float64, scratch *affinity.Scratch) float64 {
	if s.holdings.Learned == nil {
		s.holdings.Nearest.Accumulate(c.Owned, dst)
		return 1
	}
	level := affinity.Unknown
	if c.Level != fund.LevelUnknown {
		level = int32(c.Level)
	}
	group := affinity.Unknown
	if at, ok := slices.BinarySearch(s.holdings.Groups, c.Group); ok {
		group = int32(at)
	}
	return s.holdings.Learned.Affinity(&affinity.Query{Owned: c.Owned, Group: group, Level: level}, scratch, dst)
}

// scale makes the largest affinity among the permitted products as much as it is to count,
// and cuts larger ones of others to it. Where none of the permitted has any, nothing is
// scaled up: all are 0.
func (s *Scorer) scale(affinity []float64, strength float64, permitted []uint64) {
	largest := 0.0
	for w, word := range permitted {
		for ; word != 0; word &= word - 1 {
			largest = max(largest, affinity[s.funds.of[w*64+bits.TrailingZeros64(word)]])
		}
	}
	if largest == 0 || strength == 0 {
		clear(affinity)
		return
	}
	for i, a := range affinity {
		affinity[i] = float64(strength * min(1, a/largest))
	}
}

// horizonFit is 1 when the customer stays as long as the class needs, and the share of it
// otherwise; 0 when either is unknown.
func horizonFit(months, needed int32) float64 {
	switch {
	case months <= 0 || needed < 0:
		return 0
	case months >= needed:
		return 1
	default:
		return float64(months) / float64(needed)
	}
}

func resize(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}
