package matcher

import (
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// BreachBasis is how the value of BREACH came about. It holds forecasts: a manager reads it
// to know why a product stands where it does, and a customer never does (W07).
type BreachBasis struct {
	Value float64 // how likely the product is taken to fall further than the level bears
	// Level is the customer's, Tolerance the fall that it is taken to bear.
	Level     fund.RiskLevel
	Tolerance fund.Ratio
	// Months are the horizon's whose range stands for the customer's.
	Months int32
	// Foreseen is the range, and what it rests on; nil: nothing is known to foresee from, and
	// Value is that of the worst product known of its grade, or else of all.
	Foreseen *outcome.Distribution
}

// breachBasis explains the value of BREACH to a manager; nil for a customer, and where the
// score has none: no model of it, or no level that holds.
func (c *Core) breachBasis(a *asking, place int, contributions []score.Contribution) *BreachBasis {
	level, s := a.level(), &c.model.Settings
	if a.request.Audience != wording.Manager || s.Outcome == nil || level == fund.LevelUnknown {
		return nil
	}
	months := a.wish.HorizonMonths
	if months <= 0 {
		months = s.Cost.DefaultHorizonMonths
	}
	h := score.BreachHorizon(months)
	b := &BreachBasis{Level: level, Tolerance: s.LossTolerance[level], Months: h.Months()}
	for i := range contributions {
		if contributions[i].Feature == score.Breach {
			b.Value = contributions[i].Value
		}
	}
	if d, ok := c.Foreseen(place, h); ok {
		b.Foreseen = d
	}
	return b
}
