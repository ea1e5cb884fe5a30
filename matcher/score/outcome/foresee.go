package outcome

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Forecast holds the ranges of a pool's products as of a day. It is not changed after
// Foresee and may be read by any number of goroutines.
type Forecast struct {
	known []bool
	items [][Horizons]Distribution
}

// Foresee computes the ranges of all products from NAVs dated before asOf; products keep
// their index. A product whose record is short, stale or missing is read by its class; a
// class by the products of this very list that have a record.
//
// The error wraps ErrParams, or fund.ErrInvalid and names product and day when a series is
// out of order or has a wealth that is no positive number.
func Foresee(products []Product, asOf fund.Date, p *Params) (*Forecast, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	own := make([]sight, len(products))
	last := make([]fund.Date, len(products))
	var classes [fund.Classes]crowd
	for i := range products {
		var err error
		if own[i], last[i], err = p.Settings.look(&products[i], asOf); err != nil {
			return nil, err
		}
		if class := products[i].Class; class != fund.ClassUnknown && int(class) < fund.Classes {
			classes[class].add(own[i])
		}
	}
	f := &Forecast{known: make([]bool, len(products)), items: make([][Horizons]Distribution, len(products))}
	for i := range products {
		class := crowd{}
		if c := products[i].Class; int(c) < fund.Classes {
			class = classes[c]
		}
		basis := Basis{
			AsOf: asOf, LastNAV: last[i], OwnReturns: own[i].returns,
			Class: products[i].Class, ClassFunds: class.funds, Costed: products[i].Costs.Known,
		}
		f.known[i] = p.draw(&f.items[i], own[i], class, basis, &products[i].Costs)
	}
	return f, nil
}

// look reads a product's own record as of a day; a record that is short or stale says
// nothing of now.
func (s *Settings) look(p *Product, asOf fund.Date) (sight, fund.Date, error) {
	n, err := p.Series.before(p.Code, asOf)
	if err != nil || n == 0 {
		return sight{}, 0, err
	}
	days, wealth := p.Series.Days[:n], p.Series.Wealth[:n]
	last := days[n-1]
	if asOf.DaysSince(last) > staleDays || n-1 < int(s.MinReturns) {
		return sight{}, last, nil
	}
	v := newSums(s, days[0], wealth[0])
	for i := 1; i < n; i++ {
		v.add(days[i], wealth[i])
	}
	return v.sight(s.MinReturns), last, nil
}

// draw writes a product's distributions, and reports whether there are any.
func (p *Params) draw(out *[Horizons]Distribution, own sight, class crowd, basis Basis, costs *Costs) bool {
	volatility, weights, ok := p.Settings.blendAll(own, class)
	if !ok {
		return false
	}
	ranges := p.Ranges(&volatility, costs)
	for h := range Horizons {
		d := &out[h]
		d.Months, d.Basis = h.Months(), basis
		d.Basis.Volatility, d.Basis.OwnWeight = fund.RatioOf(volatility[h]), fund.RatioOf(weights[h])
		d.Return, d.Drawdown = ranges[h].Return, ranges[h].Drawdown
	}
	return true
}

// Range are the quantiles of a holding's return and drawdown.
type Range struct{ Return, Drawdown Grid }

// Ranges returns the quantiles of all horizons for yearly volatilities by horizon, after
// costs. Before costs no quantile of a drawdown is below that of a shorter horizon: what
// falls within three months has fallen within six.
func (p *Params) Ranges(volatility *[Horizons]float64, costs *Costs) (ranges [Horizons]Range) {
	var least [Levels]float64
	for h := range Horizons {
		shape := &p.Shapes[h]
		scale := volatility[h] * math.Sqrt(float64(h.Months())/12)
		for i := range Levels {
			fall := max(-math.Expm1(-shape.Drawdown[i]*scale), least[i])
			least[i] = fall
			ranges[h].Return[i] = fund.RatioOf(costs.ofReturn(h, math.Expm1(shape.Return[i]*scale)))
			ranges[h].Drawdown[i] = fund.RatioOf(costs.ofFall(h, fall))
		}
	}
	return ranges
}

// kept are the shares of the money that entry and exit leave.
func (c *Costs) kept(h Horizon) (entry, exit float64) {
	return 1 - c.Entry.Float(), 1 - c.Exit[h].Float()
}

// ofReturn is a total return after the fees.
func (c *Costs) ofReturn(h Horizon, gross float64) float64 {
	entry, exit := c.kept(h)
	return float64(entry*exit*(1+gross)) - 1
}

// ofFall is a fall after the fees: as if it began on the day of entry and ended with the
// exit. That is its deepest case; a fall from a later peak is not lengthened by the entry.
func (c *Costs) ofFall(h Horizon, gross float64) float64 {
	entry, exit := c.kept(h)
	return 1 - float64(entry*exit*(1-gross))
}

// Of returns the distribution of the i-th product over a horizon. It is not OK where
// neither the product nor its class has a record: nothing is known then.
func (f *Forecast) Of(i int, h Horizon) (*Distribution, bool) {
	if i < 0 || i >= len(f.items) || h >= Horizons || !f.known[i] {
		return nil, false
	}
	return &f.items[i][h], true
}

// Within returns the horizon whose distribution stands for a holding of so many months: the
// shortest that is no shorter, for a fall within less is a fall within more; the longest for
// all that are longer, which then says less than the truth.
func Within(months int32) Horizon {
	for h := range Horizons {
		if months <= h.Months() {
			return h
		}
	}
	return ThreeYears
}
