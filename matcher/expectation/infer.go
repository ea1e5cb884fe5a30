package expectation

import "github.com/fundmatch/fundmatch/matcher/fund"

// Knowledge is what a goal may be inferred from beyond the profile. The zero value, and
// nil, say nothing: so it is where nothing personal may be read.
type Knowledge struct {
	Held   [fund.Classes]fund.Ratio           // share of the portfolio's value by class, in millionths; 0: none, or not known
	Viewed [fund.Classes]int32                // product pages seen in the last ViewDays days by class
	Fits   *[fund.Goals][fund.Classes]float64 // how well a class serves a goal, 0 to 1: the model's settings; nil: nothing is inferred
	Lost   bool                               // he holds a loss or sold at one: how he takes it is worth asking
}

// ViewDays is the window of Knowledge.Viewed: last year's interest says little.
const ViewDays = 90

// When an inference is clear enough to be made: judgement.
const (
	clearShare = fund.Ratio(600_000) // of the portfolio or the views must speak for one goal
	clearFit   = 0.5                 // a class that serves no goal that well tells nothing
	fewViews   = 8                   // fewer pages are chance
	whole      = fund.Ratio(1_000_000)
)

// A class tells how the money is to behave, not what event of life it is for: education,
// a house, old age are never concluded from it. What is a reserve for a person is idle
// cash for a company.
const tellable = 4

var (
	tellPerson  = [tellable]fund.Goal{fund.Cash, fund.SteadyIncome, fund.Growth, fund.Inflation}
	tellCompany = [tellable]fund.Goal{fund.Treasury, fund.SteadyIncome, fund.Growth, fund.Inflation}
)

// infer takes the goal that most of what he holds speaks for, or else most of what he
// looked at, and reports whether there is one.
func (w *Wish) infer(k *Knowledge) bool {
	if k == nil || k.Fits == nil {
		return false
	}
	goals := &tellPerson
	if w.Company {
		goals = &tellCompany
	}
	var weight [fund.Classes]int64
	for c, share := range k.Held {
		weight[c] = int64(min(max(share, 0), whole))
	}
	if goal, ground, ok := weigh(&weight, int64(whole), goals, k.Fits); ok {
		w.Goal, w.Source, w.Ground = goal, FromHoldings, ground
		w.Confidence = between(holdingsConfidence, holdingsConfidenceAll, ground.Share)
		return true
	}
	views := int64(0)
	for c, n := range k.Viewed {
		weight[c] = int64(max(n, 0))
		views += weight[c]
	}
	if views < fewViews {
		return false
	}
	goal, ground, ok := weigh(&weight, 0, goals, k.Fits)
	if ok {
		w.Goal, w.Source, w.Ground = goal, FromBehaviour, ground
		w.Ground.Views = int32(min(views, 1<<31-1))
		w.Confidence = between(behaviourConfidence, behaviourConfidenceAll, ground.Share)
	}
	return ok
}

// weigh adds up the classes by the goal that each serves best and returns the goal with
// at least clearShare of the total, which is at least atLeast: what is not known speaks
// for nothing.
func weigh(weight *[fund.Classes]int64, atLeast int64, goals *[tellable]fund.Goal, fits *[fund.Goals][fund.Classes]float64) (fund.Goal, Ground, bool) {
	var sum [tellable]int64
	var heaviest [tellable]fund.Class
	total := int64(0)
	for c := range fund.Class(fund.Classes) {
		if weight[c] == 0 {
			continue
		}
		total += weight[c]
		best, ok := favourite(c, goals, fits)
		if !ok {
			continue
		}
		sum[best] += weight[c]
		if heaviest[best] == fund.ClassUnknown || weight[c] > weight[heaviest[best]] {
			heaviest[best] = c
		}
	}
	total = max(total, atLeast)
	for i, g := range goals {
		// clearShare is more than half: at most one goal has it.
		if share := fund.Ratio(sum[i] * int64(whole) / max(total, 1)); share >= clearShare {
			return g, Ground{Class: heaviest[i], Share: share}, true
		}
	}
	return fund.GoalUnknown, Ground{}, false
}

// favourite is the place of the goal that a class serves best, of equally good ones the
// first: a class without a preference tells the plainer wish.
func favourite(c fund.Class, goals *[tellable]fund.Goal, fits *[fund.Goals][fund.Classes]float64) (best int, ok bool) {
	if c == fund.ClassUnknown {
		return 0, false
	}
	for i, g := range goals {
		if fits[g][c] > fits[goals[best]][c] {
			best = i
		}
	}
	return best, fits[goals[best]][c] >= clearFit
}

// between is the confidence of a share between clearShare and the whole.
func between(least, most, share fund.Ratio) fund.Ratio {
	return least + (most-least)*(share-clearShare)/(whole-clearShare)
}
