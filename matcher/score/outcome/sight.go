package outcome

import (
	"fmt"
	"math"
	"sort"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

const (
	// staleDays is the longest silence after which a record still says what is now: a longer
	// one cuts a track record.
	staleDays = 31
	// leastVolatility keeps the logarithm finite: the NAV of a money fund does not move.
	leastVolatility = 1e-4
	leastVariance   = leastVolatility * leastVolatility / daysAYear // of one return
	// atOnce is of how many variances one logarithm is taken: their product stays between
	// leastVariance and the square of the largest log return to this power, far from overflow.
	atOnce = 16
	// daysAYear turns the number of returns in a span of days into that of a year: funds
	// that report weekly are as volatile as those that report daily.
	daysAYear = 365.25
)

// sight is what the returns up to a day say of a product's volatility: binary logarithms of
// the yearly figure, of now and in the long run. Binary, because math.Exp gives another
// last bit on a processor with fused multiply-add, and math.Exp2 does not.
type sight struct {
	now, all float64
	returns  int32 // 0: nothing is known
}

// sums add up a series return by return: the exponentially weighted mean of the squares
// (J.P. Morgan, RiskMetrics Technical Document, 1996), and the logarithms of what that mean
// was on every day: their own mean is the volatility that it comes back to. In the mean of
// the squares one crash would stand for years.
type sums struct {
	decay           float64
	from            int32 // returns after which the weighted mean counts for the long run
	recent, weight  float64
	product, logs   float64 // of what the weighted mean was: a logarithm is taken of some at a time
	returns         int32
	firstDay, today int // day numbers
	last            float64
}

func newSums(s *Settings, first fund.Date, wealth float64) sums {
	day := first.DayNumber()
	return sums{decay: math.Exp2(-1 / s.HalfLife), from: int32(s.HalfLife), product: 1, firstDay: day, today: day, last: wealth}
}

func (v *sums) add(day fund.Date, wealth float64) {
	r := math.Log(wealth / v.last)
	square := float64(r * r)
	v.recent = float64(v.decay*v.recent) + square
	v.weight = float64(v.decay*v.weight) + 1
	v.returns++
	if v.returns > v.from {
		v.product *= max(v.recent/v.weight, leastVariance)
		if v.returns%atOnce == 0 {
			v.logs += math.Log2(v.product)
			v.product = 1
		}
	}
	v.last, v.today = wealth, day.DayNumber()
}

// sight returns what is known by now; nothing of fewer than the least number of returns.
func (v *sums) sight(least int32) sight {
	if v.returns < least || v.returns == 0 {
		return sight{}
	}
	yearly := float64(v.returns) * daysAYear / float64(v.today-v.firstDay)
	known := sight{now: math.Log2(max(math.Sqrt(v.recent/v.weight*yearly), leastVolatility)), returns: v.returns}
	known.all = known.now
	if days := v.returns - v.from; days > 0 {
		known.all = max(((v.logs+math.Log2(v.product))/float64(days)+math.Log2(yearly))/2, math.Log2(leastVolatility))
	}
	return known
}

// crowd is the mean of the sights of a class's products, on one day.
type crowd struct {
	now, all float64
	funds    int32
}

func (c *crowd) add(s sight) {
	if s.returns == 0 {
		return
	}
	c.now += s.now
	c.all += s.all
	c.funds++
}

// blend returns the binary logarithm of the volatility to reckon with over a horizon, and how far
// the product's own counts in it. Own and class are weighed as n : ClassReturns for n own
// returns. Not OK: neither is known.
func (s *Settings) blend(own sight, class crowd, h Horizon) (volatility, weight float64, ok bool) {
	long := s.LongRun[h]
	of := func(now, all float64) float64 { return float64((1-long)*now) + float64(long*all) }
	speaks := class.funds >= s.MinClass
	switch {
	case own.returns == 0 && !speaks:
		return 0, 0, false
	case !speaks:
		return of(own.now, own.all), 1, true
	}
	n := float64(class.funds)
	classWide := of(class.now/n, class.all/n)
	if own.returns == 0 {
		return classWide, 0, true
	}
	weight = float64(own.returns) / (float64(own.returns) + s.ClassReturns)
	return float64(weight*of(own.now, own.all)) + float64((1-weight)*classWide), weight, true
}

// blendAll returns the volatilities to reckon with over all horizons.
func (s *Settings) blendAll(own sight, class crowd) (volatility, weights [Horizons]float64, ok bool) {
	for h := range Horizons {
		log, weight, ok := s.blend(own, class, h)
		if !ok {
			return volatility, weights, false
		}
		volatility[h], weights[h] = math.Exp2(log), weight
	}
	return volatility, weights, true
}

// before returns how many NAVs of the series are dated before a day, having checked them.
func (s *Series) before(code string, day fund.Date) (int, error) {
	if len(s.Days) != len(s.Wealth) {
		return 0, fmt.Errorf("%w: product %q: %d days and %d values of wealth, expected as many", fund.ErrInvalid, code, len(s.Days), len(s.Wealth))
	}
	n := sort.Search(len(s.Days), func(i int) bool { return s.Days[i] >= day })
	for i, w := range s.Wealth[:n] {
		if s.Days[i] <= 0 || i > 0 && s.Days[i] <= s.Days[i-1] {
			return 0, fmt.Errorf("%w: product %q: day %d is %d, expected dates that rise", fund.ErrInvalid, code, i, s.Days[i])
		}
		if !(w > 0 && w <= math.MaxFloat32) {
			return 0, fmt.Errorf("%w: product %q: wealth of %s is %v, expected a number above 0", fund.ErrInvalid, code, s.Days[i], w)
		}
	}
	return n, nil
}
