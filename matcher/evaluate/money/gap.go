package money

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrNoReturn is the error of cash flows without a money-weighted return: no rate above -100 % makes their value 0.
var ErrNoReturn = errors.New("no rate of return")

// ErrManyReturns is the error of cash flows with several, of which none is more right than the others.
var ErrManyReturns = errors.New("more than one rate of return")

// The bounds of flows and rates that are looked for.
const (
	MaxFlows     = 100_000
	leastGrowth  = 1e-9 // 1 + rate: nearly all is lost within a year
	mostGrowth   = 1e9
	growthPoints = 4096 // on a scale of logarithms, where there may be several
)

// Flow is what a customer paid in, or, below 0, took out, so many years after the first day. What he still has at the
// end is taken out at the end.
type Flow struct {
	Years  float64
	Amount float64
}

// TimeWeighted is the return a year of somebody who paid in once, at the beginning: the product of 1 + r over periods,
// to the power of 1/years, less 1. It does not depend on when others paid in. NaN without years, and for a return
// below -1.
func TimeWeighted(returns []float64, years float64) float64 {
	growth := 1.0
	for _, r := range returns {
		if !(r >= -1) {
			return math.NaN()
		}
		growth *= 1 + r
	}
	if !(years > 0) {
		return math.NaN()
	}
	return math.Pow(growth, 1/years) - 1
}

// DollarWeighted is the rate a year that every fen paid in earned while it was in: the rate at which the flows are worth
// 0 together, Σ amount (1+rate)^-years = 0. It is found between bounds, by halves, to the last digits. With one change
// of sign there is exactly one (Descartes' rule, which holds for any real exponents); with several it is looked for on
// 4,096 points of 1+rate from 1e-9 to 1e9, where two that lie closer to each other may be passed over. An error wraps
// ErrNoReturn, ErrManyReturns, or ErrValue.
func DollarWeighted(flows []Flow) (float64, error) {
	if len(flows) > MaxFlows {
		return 0, fmt.Errorf("%w: %d flows, expected %d at most", ErrValue, len(flows), MaxFlows)
	}
	sorted := slices.Clone(flows)
	for _, f := range sorted {
		if !(math.Abs(f.Amount) <= math.MaxFloat64) || !(f.Years >= 0 && f.Years <= 1000) {
			return 0, fmt.Errorf("%w: a flow of %v after %v years, expected finite ones within 1000 years", ErrValue, f.Amount, f.Years)
		}
	}
	slices.SortStableFunc(sorted, func(a, b Flow) int {
		switch {
		case a.Years < b.Years:
			return -1
		case a.Years > b.Years:
			return 1
		}
		return 0
	})
	sorted = slices.DeleteFunc(together(sorted), func(f Flow) bool { return f.Amount == 0 })
	changes := 0
	for i := 1; i < len(sorted); i++ {
		if sorted[i].Amount > 0 != (sorted[i-1].Amount > 0) {
			changes++
		}
	}
	switch changes {
	case 0:
		return 0, fmt.Errorf("%w: money went one way only", ErrNoReturn)
	case 1:
		return between(sorted, math.Log(leastGrowth), math.Log(mostGrowth))
	}
	return among(sorted)
}

// together adds up flows of the same time.
func together(sorted []Flow) (out []Flow) {
	for _, f := range sorted {
		if last := len(out) - 1; last >= 0 && out[last].Years == f.Years {
			out[last].Amount += f.Amount
		} else {
			out = append(out, f)
		}
	}
	return out
}

// value is what flows are worth together, at a growth of e^log a year, as of the first of them.
func value(flows []Flow, log float64) float64 {
	sum := 0.0
	for _, f := range flows {
		sum += float64(f.Amount * math.Exp(-log*(f.Years-flows[0].Years)))
	}
	return sum
}

// among looks for every change of sign on the points.
func among(flows []Flow) (float64, error) {
	low, step := math.Log(leastGrowth), math.Log(mostGrowth/leastGrowth)/growthPoints
	var found []float64
	for i := range growthPoints {
		a, b := low+float64(step*float64(i)), low+float64(step*float64(i+1))
		if va, vb := value(flows, a), value(flows, b); va == 0 || va > 0 != (vb > 0) && vb != 0 {
			rate, err := between(flows, a, b)
			if err != nil {
				return 0, err
			}
			found = append(found, rate)
		}
	}
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("%w from %v to %v", ErrNoReturn, leastGrowth-1, mostGrowth-1)
	case 1:
		return found[0], nil
	}
	return 0, fmt.Errorf("%w: %.6v", ErrManyReturns, found)
}

// between halves bounds around a change of sign until they are neighbours.
func between(flows []Flow, low, high float64) (float64, error) {
	atLow, atHigh := value(flows, low), value(flows, high)
	switch {
	case atLow == 0:
		return math.Expm1(low), nil
	case atHigh == 0:
		return math.Expm1(high), nil
	case atLow > 0 == (atHigh > 0) || math.IsNaN(atLow-atLow) || math.IsNaN(atHigh-atHigh):
		return 0, fmt.Errorf("%w from %v to %v", ErrNoReturn, math.Expm1(low), math.Expm1(high))
	}
	for {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			return math.Expm1(middle), nil
		}
		switch v := value(flows, middle); {
		case v == 0:
			return math.Expm1(middle), nil
		case v > 0 == (atLow > 0):
			low = middle
		default:
			high = middle
		}
	}
}

// Period is a stretch of a fund's life.
type Period struct {
	Inflow float64 // net, at its beginning
	Return float64 // of the fund over it: .05 is 5 %
}

// Gap is what investors got beside what the fund made, a year. Below 0 they came late or left early.
type Gap struct {
	TimeWeighted, DollarWeighted float64
	Gap                          float64 // money-weighted less time-weighted
}

// InvestorGap compares the money-weighted return of all money in a fund with its time-weighted one, over periods of so
// many years each, from the assets at the beginning (Morningstar, "Mind the Gap"). An error wraps ErrValue where more is
// taken out than there is, or one of DollarWeighted's.
func InvestorGap(start float64, periods []Period, years float64) (Gap, error) {
	assets, flows := 0.0, make([]Flow, 0, len(periods)+2)
	returns := make([]float64, 0, len(periods))
	for i, p := range periods {
		in := p.Inflow
		if i == 0 {
			in += start
		}
		flows = append(flows, Flow{float64(i) * years, in})
		assets = float64((assets + in) * (1 + p.Return))
		if !(assets >= 0) || !(p.Return >= -1) {
			return Gap{}, fmt.Errorf("%w: period %d leaves assets of %v", ErrValue, i+1, assets)
		}
		returns = append(returns, p.Return)
	}
	total := float64(len(periods)) * years
	flows = append(flows, Flow{total, -assets})
	g := Gap{TimeWeighted: TimeWeighted(returns, total)}
	var err error
	if g.DollarWeighted, err = DollarWeighted(flows); err != nil {
		return Gap{}, err
	}
	g.Gap = g.DollarWeighted - g.TimeWeighted
	return g, nil
}
