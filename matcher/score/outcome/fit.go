package outcome

import (
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// MinHoldings is how many completed holdings a shape needs: of fewer, the shape of the next
// shorter horizon is taken, and for the shortest that of a random walk.
const MinHoldings = 60

// randomWalk is the shape of a Brownian motion without drift over a unit of time. Its
// drawdown has the distribution of the largest absolute value (P. Lévy), P(D <= x) =
// 4/pi sum over k of (-1)^k/(2k+1) exp(-(2k+1)^2 pi^2/(8 x^2)); its result is normal.
var randomWalk = Shape{
	Drawdown: [Levels]float64{0.6173, 0.6964, 0.8706, 1.1490, 1.5341, 1.9600, 2.2414},
	Return:   [Levels]float64{-1.6449, -1.2816, -0.6745, 0, 0.6745, 1.2816, 1.6449},
}

// Fit returns parameters whose shapes were fitted to the holdings of all products that were
// completed before a day (Past): the quantiles, by the nearest rank, of log drawdown in units
// of the volatility foreseen on the entry day times the square root of the horizon in years,
// and none below that of a shorter horizon.
// Returns are not fitted: a few years cannot tell a drift from the market that they happened
// to fall into (R. Merton, On estimating the expected return on the market, 1980), no range
// may promise one, and fitted ones did worse on what was held out (docs/outcome.md). The
// settings are taken as they are. The result depends on nothing else, and not on NAVs of the
// day and after.
func Fit(products []Product, until fund.Date, s Settings) (Params, error) {
	var falls [Horizons][]float64
	var first, last [Horizons]fund.Date
	err := Past(products, until, s, func(h *Holding) error {
		scale := h.Volatility[h.Horizon] * math.Sqrt(float64(h.Horizon.Months())/12)
		falls[h.Horizon] = append(falls[h.Horizon], -math.Log1p(-h.Gross.Drawdown)/scale)
		if first[h.Horizon] == 0 || h.Bought < first[h.Horizon] {
			first[h.Horizon] = h.Bought
		}
		last[h.Horizon] = max(last[h.Horizon], h.Due)
		return nil
	})
	if err != nil {
		return Params{}, err
	}
	p := Params{Settings: s}
	shorter := randomWalk
	for h := range Horizons {
		shape := shorter
		if n := len(falls[h]); n >= MinHoldings {
			shape = Shape{Drawdown: shapeOf(falls[h]), Return: randomWalk.Return}
			shorter = shape
		}
		shape.Months, shape.Holdings = h.Months(), int32(len(falls[h]))
		if shape.Holdings > 0 {
			windows := float64(last[h].DaysSince(first[h])) / (daysAYear / 12 * float64(h.Months()))
			shape.Windows = math.Round(windows*100) / 100
		}
		p.Shapes[h] = shape
	}
	deepen(&p.Shapes)
	if err := p.Check(); err != nil {
		return Params{}, err
	}
	return p, nil
}

// deepen makes the shapes agree with one another: what falls so far within a year has fallen
// so far within two. The holdings of different lengths are not of the same days, so their
// quantiles need not know that.
func deepen(shapes *[Horizons]Shape) {
	for h := Horizon(1); h < Horizons; h++ {
		root := math.Sqrt(float64((h - 1).Months()) / float64(h.Months()))
		for i := range Levels {
			least := math.Ceil(float64(shapes[h-1].Drawdown[i]*root)*shapeStep) / shapeStep
			shapes[h].Drawdown[i] = max(shapes[h].Drawdown[i], least)
		}
	}
}

// Kept is the share of a deviation of volatility from its long run that is left on average
// over so many returns, where so much of it is left from one return to the next: (1-p^n) /
// (n(1-p)), the term structure of T. Bollerslev's GARCH(1,1) (1986; R. Engle and Bollerslev,
// Modelling the persistence of conditional variances, 1986). Persistence is at least 0 and
// below 1.
func Kept(persistence, returns float64) float64 {
	return (1 - math.Pow(persistence, returns)) / (returns * (1 - persistence))
}

// OrElse returns the parameters with the fallback's shapes for the horizons whose own were
// fitted to fewer than so many windows: a shape of one or two is that of the market they
// happened to fall into, and of a calm one it is dangerously narrow. A longer horizon's shape
// is deepened where it then falls behind a shorter one's.
func (p *Params) OrElse(fallback *Params, windows float64) Params {
	out := *p
	for h := range Horizons {
		if out.Shapes[h].Windows < windows {
			out.Shapes[h] = fallback.Shapes[h]
		}
	}
	deepen(&out.Shapes)
	return out
}

// shapeOf sorts the values and returns their quantiles at the levels, rounded to what a
// parameter file shows, so that a file read back is the same shape.
func shapeOf(values []float64) (q [Levels]float64) {
	slices.Sort(values)
	for i, level := range levels {
		q[i] = math.Round(min(max(values[Rank(len(values), level)], -maxShape), maxShape)*shapeStep) / shapeStep
	}
	return q
}

// shapeStep is how finely a shape is written, in a unit.
const shapeStep = 10_000

// Rank is the index of the nearest rank of a level among n > 0 sorted values: ceil(level n),
// counted from 1, as in a track record.
func Rank(n int, level float64) int {
	return min(max(int(math.Ceil(float64(level*float64(n)))), 1), n) - 1
}
