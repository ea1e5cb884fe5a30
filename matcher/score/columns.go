package score

import (
	"math"
	"math/bits"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
)

// horizons are the months that cost columns are computed for; a customer's horizon uses
// the first that is not shorter.
var horizons = [...]int32{1, 3, 6, 12, 24, 36, 60, 120}

const daysPerMonth = 30.4375 // of a mean Gregorian year

// HorizonDays converts months to days, rounded up.
func HorizonDays(months int32) int32 { return int32(math.Ceil(float64(months) * daysPerMonth)) }

// Scorer holds the columns of one pool under one model. It is immutable.
type Scorer struct {
	model    *Model
	holdings Holdings
	funds    funds
	raising  [32][]int32 // products that by themselves raise a doubt, by its bit

	goal       [fund.Goals][]float64
	horizon    []int32                  // sensible months of each product; -1 unknown
	liquidity  [fund.Needs][]float64    // nil for an unknown need
	loss       [fund.C5 + 1][]float64   // nil for an unknown level
	cost       [len(horizons)][]float64 // share of the amount a year
	breach     breaches
	quality    []float64
	popularity []float64
	none       []float64 // all zero: what an unknown fact contributes
}

// funds joins the share classes of the pool.
type funds struct {
	of      []int32   // fund of each product
	members [][]int32 // products of each fund
}

// Product is what the scorer needs to know of one product beyond its own data.
type Product struct {
	*fund.Product
	Fund   int32 // index of the fund that its share classes have in common
	Record *fund.TrackRecord
	Raises uint32 // doubts that the product raises by itself: a bit a code, any numbering
	// ServiceLimit is F03's, as it is in force for the product.
	ServiceLimit fund.ServiceLimit
	Grade        fund.RiskGrade // the stricter of the bank's and the issuer's
	// Foreseen are the ranges of its outcomes by horizon; nil: nothing is known to foresee
	// them from.
	Foreseen [outcome.Horizons]*outcome.Distribution

	class   fund.Class
	classed bool // class is known
}

// Class is the product's class. Compile looks it up once: it is read from words of the type,
// for a dozen columns, and a swap of the model waits for them.
func (p *Product) Class() fund.Class {
	if p.classed {
		return p.class
	}
	return p.Product.Class()
}

// Holdings are what is known of who holds what: one of the two.
type Holdings struct {
	Learned *affinity.Model
	Groups  []string    // names of the learned model's groups, sorted; none: it knows of none
	Nearest *Neighbours // of models of before version 3
}

// Holders are the customers who hold each fund.
func (h Holdings) Holders() []int32 {
	if h.Learned != nil {
		return h.Learned.Holders()
	}
	return h.Nearest.Holders
}

// Compile computes the columns. Funds are numbered from 0 to count-1; holdings are over the
// same numbers.
func Compile(m *Model, products []Product, count int, holdings Holdings) *Scorer {
	n := len(products)
	s := &Scorer{
		model: m, holdings: holdings, funds: funds{of: make([]int32, n), members: make([][]int32, count)}, horizon: make([]int32, n), none: make([]float64, n),
	}
	for i := range products {
		products[i].class, products[i].classed = products[i].Product.Class(), true
		s.join(int32(i), &products[i])
		s.horizon[i] = -1
		if c := m.Settings.Classes[products[i].Class()]; c.Known {
			s.horizon[i] = c.Months
		}
	}
	column := func(value func(p *Product) float64) []float64 {
		out := make([]float64, n)
		for i := range products {
			out[i] = value(&products[i])
		}
		return out
	}
	for g := range s.goal {
		s.goal[g] = column(func(p *Product) float64 { return goalFit(&m.Settings, p, fund.Goal(g)) })
	}
	for need := fund.NeedLow; int(need) < fund.Needs; need++ {
		s.liquidity[need] = column(func(p *Product) float64 { return liquidityFit(p.Product, m.Settings.LiquidityDays[need]) })
	}
	for level := fund.C1; level <= fund.C5; level++ {
		s.loss[level] = column(func(p *Product) float64 { return lossFit(&m.Settings, p, m.Settings.LossTolerance[level]) })
	}
	for h, months := range horizons {
		s.cost[h] = column(func(p *Product) float64 { return yearlyCost(p, m.Settings.Cost.ReferenceAmount, months) })
	}
	if m.Settings.Outcome != nil {
		s.breach = breachColumns(&m.Settings, products)
	}
	s.quality = qualities(&m.Settings, products)
	popular := holdings.popular()
	s.popularity = column(func(p *Product) float64 { return popular[p.Fund] })
	return s
}

// join lists a product with its fund, and with the doubts that it raises.
func (s *Scorer) join(i int32, p *Product) {
	s.funds.of[i] = p.Fund
	s.funds.members[p.Fund] = append(s.funds.members[p.Fund], i)
	for doubts := p.Raises; doubts != 0; doubts &= doubts - 1 {
		bit := bits.TrailingZeros32(doubts)
		s.raising[bit] = append(s.raising[bit], i)
	}
}

func goalFit(s *Settings, p *Product, g fund.Goal) float64 {
	switch {
	case g == fund.GoalUnknown:
		return 0
	case p.Content.Goals.Has(g):
		return 1
	case p.Content.Goals != 0:
		return 0 // the product's own word counts more than its class's
	default:
		return s.Goals[g][p.Class()]
	}
}

// liquidityFit is 1 when the money is back without a fee within the days that the need
// accepts, and falls as their quotient. An unknown ladder is judged by the lockup alone.
func liquidityFit(p *fund.Product, accepted int32) float64 {
	days := p.Terms.LockupDays
	if !p.Missing.Has(fund.FieldRedemptionLadder) {
		free := p.Fees.FreeExitAfter()
		if free < 0 {
			free = 10 * accepted
		}
		days = max(days, free)
	}
	if days <= accepted {
		return 1
	}
	return float64(accepted) / float64(days)
}

// lossFit compares the deepest known fall with what the level bears; where no fresh
// record shows one, the class's. Stale evidence adds nothing.
func lossFit(s *Settings, p *Product, tolerance fund.Ratio) float64 {
	fall, ok := expectedFall(s, p)
	switch {
	case !ok:
		return 0
	case fall <= tolerance:
		return 1
	default:
		return tolerance.Float() / fall.Float()
	}
}

func expectedFall(s *Settings, p *Product) (fund.Ratio, bool) {
	class := s.Classes[p.Class()]
	fall, known := class.Drawdown, class.Known
	d := &p.Record.Spans[fund.SinceStart].Drawdown
	if d.OK {
		if p.Record.StaleDays > s.StaleDays {
			return 0, false
		}
		// A young fund has not shown its worst: the class's fall stands until it did.
		fall, known = max(fall, -d.Value), true
	}
	return fall, known
}

// yearlyCost is the full cost of the reference amount over a horizon as a share of it, a
// year. Unknown fees add nothing.
func yearlyCost(p *Product, amount fund.Money, months int32) float64 {
	for _, f := range [...]fund.Field{fund.FieldSubscriptionLadder, fund.FieldRedemptionLadder, fund.FieldManagementFee, fund.FieldServiceFee} {
		if p.Missing.Has(f) {
			return 0
		}
	}
	total := p.Fees.CostOf(amount, HorizonDays(months), p.ServiceLimit).Total()
	return float64(total) / float64(amount) * 12 / float64(months)
}

// qualities ranks return over volatility of the last year among the fresh records of
// each class: the share of them that a product beats, ties counted half.
func qualities(s *Settings, products []Product) []float64 {
	out := make([]float64, len(products))
	var classes [fund.Classes][]int
	ratio := make([]float64, len(products))
	for i := range products {
		r := products[i].Record
		year := &r.Spans[fund.OneYear]
		class := products[i].Class()
		if class == fund.ClassUnknown || !year.Return.OK || !year.Volatility.OK || r.StaleDays > s.StaleDays || r.Observations < s.Quality.MinObservations {
			continue
		}
		ratio[i] = float64(year.Return.Value) / float64(max(year.Volatility.Value, s.Quality.VolatilityFloor))
		classes[class] = append(classes[class], i)
	}
	for _, members := range classes {
		sorted := make([]float64, len(members))
		for j, i := range members {
			sorted[j] = ratio[i]
		}
		slices.Sort(sorted)
		for _, i := range members {
			below, _ := slices.BinarySearch(sorted, ratio[i])
			through, _ := slices.BinarySearchFunc(sorted, ratio[i], func(e, t float64) int {
				if e <= t {
					return -1
				}
				return 1
			})
			out[i] = float64(below+through) / float64(2*len(members))
		}
	}
	return out
}

// popular is, for each fund, the logarithm of its holders, the most held fund being 1; a
// learned model lifts it by the trend.
func (h Holdings) popular() []float64 {
	if h.Learned != nil {
		return h.Learned.Popular()
	}
	out := make([]float64, len(h.Nearest.Holders))
	most := slices.Max(append([]int32{0}, h.Nearest.Holders...))
	for f, holders := range h.Nearest.Holders {
		if most > 0 {
			out[f] = math.Log1p(float64(holders)) / math.Log1p(float64(most))
		}
	}
	return out
}
