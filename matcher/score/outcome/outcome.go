// Package outcome foresees what a holding of a product may come to: for each horizon a
// range of total returns and of drawdowns, from NAVs dated before the day it is asked
// about, after the fees of entry and exit; and from the drawdowns the tolerance breach,
// how likely the fall goes beyond what a customer can bear.
//
// A product's range is a shape, the same for all, times the square root of time and the
// product's own volatility of now, shrunk to that of its class where its history is short.
// Shapes are fitted offline from completed holdings (Fit) and travel in the model.
package outcome

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Horizon is a length of holding that ranges are computed for.
type Horizon uint8

// The horizons.
const (
	ThreeMonths Horizon = iota
	SixMonths
	TwelveMonths
	TwoYears
	ThreeYears
	Horizons // the number of horizons
)

var horizonMonths = [Horizons]int32{3, 6, 12, 24, 36}

// Months returns the horizon's length.
func (h Horizon) Months() int32 {
	if h < Horizons {
		return horizonMonths[h]
	}
	return 0
}

// String returns the horizon's code: 12M.
func (h Horizon) String() string { return fmt.Sprintf("%dM", h.Months()) }

// Levels is the number of quantiles in a grid.
const Levels = 7

// levels are what a grid's quantiles are of, rising.
var levels = [Levels]float64{0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95}

// Level returns the probability of a grid's quantile, or 0 for one that there is not.
func Level(i int) float64 {
	if i < 0 || i >= Levels {
		return 0
	}
	return levels[i]
}

// Grid is a distribution by its quantiles at the levels, none below the one before.
type Grid [Levels]fund.Ratio

// Distribution is what a holding of one product may come to within a horizon, after the
// fees of entry and exit; the running fees are in the NAVs.
type Distribution struct {
	Months   int32 // the horizon's
	Return   Grid  // total return, not annualised
	Drawdown Grid  // deepest fall from a peak on the way, from the money paid on; positive
	Basis    Basis
}

// Basis is what a distribution was computed from, for the explanation.
type Basis struct {
	AsOf       fund.Date  // NAVs are dated before it
	LastNAV    fund.Date  // the product's own last; 0: it has no record, the class's is used
	OwnReturns int32      // daily returns of its own, after the last gap
	OwnWeight  fund.Ratio // how far its own volatility counts against its class's, 0 to 1_000_000
	Class      fund.Class
	ClassFunds int32      // funds of the class whose records count
	Volatility fund.Ratio // a year, that the range rests on
	Costed     bool       // the fees of entry and exit are known and in the figures
}

// Series is what 1 put into a product was worth on the days of its NAVs, distributions
// put back in, after the last gap (package track). Days rise, and wealth is above 0.
type Series struct {
	Days   []fund.Date
	Wealth []float64
}

// Product is one product to foresee the outcomes of.
type Product struct {
	Code   string
	Class  fund.Class // ClassUnknown: compared with nothing
	Series Series     // NAVs on or after the day asked about are not looked at
	Costs  Costs
}

// Costs are the fees of a holding as shares of the money moved.
type Costs struct {
	Known bool
	Entry fund.Ratio           // of the money paid
	Exit  [Horizons]fund.Ratio // of the proceeds, by horizon
}

// daysAMonth is to the shorter side: a ladder's step that falls with time is then never
// taken too early.
const daysAMonth = 30

// CostsOf reads the costs of a purchase of an amount from a product's fee schedule. They
// are unknown where the bank did not give both ladders: an unknown fee is not free.
func CostsOf(p *fund.Product, amount fund.Money) Costs {
	if amount <= 0 || p.Missing.Has(fund.FieldSubscriptionLadder) || p.Missing.Has(fund.FieldRedemptionLadder) {
		return Costs{}
	}
	c := Costs{Known: true, Entry: fund.RatioOf(float64(p.Fees.EntryFee(amount)) / float64(amount))}
	for h := range Horizons {
		c.Exit[h] = fund.RatioOf(float64(p.Fees.ExitRate(h.Months()*daysAMonth)) / 10_000)
	}
	return c
}

// whole is 100 % as a ratio.
const whole = fund.Ratio(1_000_000)

// Breach is the tolerance breach: the probability that the deepest fall within the horizon
// is deeper than the tolerance, a positive share of the money. It lies in [0, 1], and never
// rises with the tolerance. Between the quantiles it is interpolated along a straight line;
// from no fall to the first the line starts at certainty, and beyond the last it ends at the
// loss of everything.
func Breach(d *Distribution, tolerance fund.Ratio) float64 {
	if tolerance < 0 {
		return 1 // every path falls by nothing at least
	}
	below, at := 0.0, fund.Ratio(0) // the probability of a fall of at most so much
	for i, q := range d.Drawdown {
		if tolerance < q {
			return 1 - between(below, levels[i], at, q, tolerance)
		}
		below, at = levels[i], q
	}
	if tolerance >= whole {
		return 0
	}
	return 1 - between(below, 1, at, whole, tolerance)
}

// between interpolates a probability from p at a to q at b; a <= x < b.
func between(p, q float64, a, b, x fund.Ratio) float64 {
	return p + float64((q-p)*(float64(x-a)/float64(b-a)))
}
