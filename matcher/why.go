package matcher

import "github.com/fundmatch/fundmatch/matcher/score"

// MaxWhy is how many reasons an item gives.
const MaxWhy = 2

// WhyOf chooses why a product is in a list: the templates of the largest positive
// addends of its score, the largest first, equal ones in the features' order. An addend
// is passed over where its value does not bear out what its sentence claims. Empty
// entries: fewer. It reads nothing but its arguments.
func WhyOf(contributions []score.Contribution, personal bool) [MaxWhy]string {
	var out [MaxWhy]string
	var amounts [MaxWhy]float64
	for i := range contributions {
		c := &contributions[i]
		if int(c.Feature) >= len(reasons) || c.Amount <= 0 || c.Value < reasons[c.Feature].from {
			continue
		}
		name := reasons[c.Feature].impersonal
		if personal {
			name = reasons[c.Feature].personal
		}
		if name == "" {
			continue
		}
		amount := c.Amount
		for k := range out {
			if out[k] == "" || amount > amounts[k] {
				out[k], name = name, out[k]
				amounts[k], amount = amount, amounts[k]
			}
			if name == "" {
				break
			}
		}
	}
	return out
}

// reason is what may be said of a feature's addend.
type reason struct {
	personal, impersonal string  // templates; empty: nothing is said
	from                 float64 // value from which the sentence is true
}

// The features that say that a product suits him are claimed only where it does so
// wholly: a horizon fit of .5 adds to the score and is no reason to buy.
var reasons = [score.Features]reason{
	score.Affinity:     {personal: "why.AFFINITY"},
	score.GoalFit:      {personal: "why.GOAL_FIT", from: 0.5},
	score.HorizonFit:   {personal: "why.HORIZON_FIT", from: 1},
	score.LiquidityFit: {personal: "why.LIQUIDITY_FIT", from: 1},
	score.LossFit:      {personal: "why.LOSS_FIT", from: 1},
	score.Quality:      {personal: "why.QUALITY", impersonal: "why.QUALITY.not_personalized"},
	score.Cost:         {personal: "why.COST", impersonal: "why.COST.not_personalized"},
	score.Popularity:   {personal: "why.POPULARITY", impersonal: "why.POPULARITY.not_personalized"},
}
