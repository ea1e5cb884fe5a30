package matcher

import (
	"fmt"
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// foretell adds the probability of conversion, where the model has one and it may be read:
// of a customer whose personal facts count, and a product that may be offered to him. It is
// nobody's business how likely one is to buy who is to be left in peace.
func (c *Core) foretell(a *asking, it *Item, s subject, journey *fund.Journey, w *work) {
	m := c.model.Conversion
	if m == nil || !a.personal || s.standing != conversion.Permitted || it.Conversion.Action == conversion.NoContact {
		return
	}
	var in score.ConversionInputs
	c.conversionInputs(a, s.product, it.Contributions, journey, w, &in)
	it.Conversion.Probability = m.Probability(&in)
}

// conversionInputs settles what a conversion model reads: for an answer and for an example of
// the past alike, so that online is offline. Nothing of the instant itself is in it.
func (c *Core) conversionInputs(a *asking, product int32, contributions []score.Contribution, journey *fund.Journey, w *work, in *score.ConversionInputs) {
	*in = score.ConversionInputs{}
	for i := range contributions {
		if input, ok := inputOf(contributions[i].Feature); ok {
			in[input] = contributions[i].Value
		}
	}
	at := a.request.At
	in[score.InputBranch] = indicator(a.request.Channel != fund.App)
	_, held := slices.BinarySearch(w.held, c.funds.of[product])
	in[score.InputHeld] = indicator(held)
	if journey != nil {
		in[score.InputShown] = lately(journey.Reached[fund.Exposed], at, 7)
		in[score.InputViewed] = lately(journey.Reached[fund.Viewed], at, 7)
		in[score.InputStarted] = lately(max(journey.Reached[fund.Started], journey.Reached[fund.Abandoned]), at, 7)
		in[score.InputBought] = lately(journey.Reached[fund.Confirmed], at, 30)
	}
	in[score.InputDoubts] = doubtsAbout(c.products[product].Code, at, w)
	d := &w.conduct
	in[score.InputShowings] = math.Log1p(float64(w.showings))
	in[score.InputVisits] = math.Log1p(float64(d.Visits.Count90))
	in[score.InputVisitRecency] = recency(&d.Visits, at, 7)
	in[score.InputPurchases] = math.Log1p(float64(d.Purchases.Count365))
	in[score.InputPurchaseRecency] = recency(&d.Purchases, at, 30)
	in[score.InputContacts] = math.Log1p(float64(d.Contacts.Count30))
	if level := a.level(); level != fund.LevelUnknown {
		in[score.InputLevel] = float64(level-fund.C1) / float64(fund.C5-fund.C1)
	}
	c.ProductInputs(int(product), in)
}

// ProductInputs sets the inputs that say what the product at a place is.
func (c *Core) ProductInputs(place int, in *score.ConversionInputs) {
	if grade := c.subjects[place].Grade; grade != fund.GradeUnknown {
		in[score.InputGrade] = float64(grade-fund.R1) / float64(fund.R5-fund.R1)
	}
	class := c.classes[place]
	in[score.InputMoneyMarket] = indicator(class == fund.MoneyMarket)
	in[score.InputBonds] = indicator(class == fund.ShortBond || class == fund.Bond)
	in[score.InputMixed] = indicator(class == fund.MixedBond || class == fund.Balanced || class == fund.FundOfFunds)
}

// inputOf is the input that a feature of the score is; false: the inputs of this definition
// lack it, as they do what a later score has.
func inputOf(f score.Feature) (score.ConversionInput, bool) {
	switch f { //nolint:exhaustive // features that came after the definition are no inputs
	case score.Affinity:
		return score.InputAffinity, true
	case score.GoalFit:
		return score.InputGoalFit, true
	case score.HorizonFit:
		return score.InputHorizonFit, true
	case score.LiquidityFit:
		return score.InputLiquidityFit, true
	case score.LossFit:
		return score.InputLossFit, true
	case score.Quality:
		return score.InputQuality, true
	case score.Cost:
		return score.InputCost, true
	case score.Popularity:
		return score.InputPopularity, true
	case score.Objected:
		return score.InputObjected, true
	}
	return 0, false
}

// doubtsAbout counts the doubts that he raised about a product lately, at most three.
func doubtsAbout(code string, at fund.Instant, w *work) float64 {
	from, n := at.Date().AddDays(-doubtDays).Start(), int32(0)
	for _, d := range w.conduct.DoubtsAbout(code) {
		if d.Count > 0 && d.Last >= from {
			n += min(d.Count, 3)
		}
	}
	return float64(min(n, 3))
}

// showingDays is over how long it is counted how much he was shown.
const showingDays = 30

// readShowings counts what he was shown lately, of whatever product.
func readShowings(a *asking, w *work) {
	w.showings = 0
	if !a.personal {
		return
	}
	recent := a.profile.Trail.Recent
	from := a.request.At.Date().AddDays(1 - showingDays).Start()
	for i := len(recent) - 1; i >= 0 && recent[i].At >= from; i-- {
		if recent[i].Kind == fund.Exposure && recent[i].At < a.request.At {
			w.showings++
		}
	}
}

// lately is 1 for an instant of this day, a half after so many days, and 0 for never.
func lately(then, at fund.Instant, half float64) float64 {
	if then == 0 || then >= at {
		return 0
	}
	return half / (half + float64(at.Date().DaysSince(then.Date())))
}

// recency is the same of an activity.
func recency(a *fund.Activity, at fund.Instant, half float64) float64 {
	days := a.DaysSince(at.Date())
	if days < 0 {
		return 0
	}
	return half / (half + float64(days))
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Situation is one customer at one instant of the past, as the matcher saw him: what a
// training reads through the code that answers. Its buffers are used again by the next
// Situate into it, and it must not be shared.
type Situation struct {
	core          *Core
	work          work
	contributions []score.Contribution
}

// Situate reads a customer at an instant. Unlike Match it may be asked about any instant from
// the core's own on, so that a training needs a core a week and not one a day: market,
// affinity and rules are then those of the core's day, which is before the instant, never
// after. The profile must be as it was known just before the instant; what it tells of the
// instant itself is left out. Errors: ErrOutsideValidity for an instant before the core's.
func (c *Core) Situate(p *fund.Profile, r Request, out *Situation) error {
	if r.At < c.identity.AsOf {
		return fmt.Errorf("%w: %s, the core knows what came until %s", ErrOutsideValidity, r.At, c.identity.AsOf)
	}
	out.core = c
	w := &out.work
	w.asking = c.ask(p, r, r.context(fund.ByFirm), w)
	c.selectAndScore(&w.asking, w)
	readShowings(&w.asking, w)
	return nil
}

// Personal reports whether personal facts may be read. Where not, nothing can be learnt.
func (s *Situation) Personal() bool { return s.work.asking.personal }

// Ordering reports whether he may order at all; false: lists are for information (S12).
func (s *Situation) Ordering() bool { return !s.work.verdicts.Information }

// Permitted reports whether the product at a place may be offered to him.
func (s *Situation) Permitted(place int) bool { return s.work.verdicts.Has(place) }

// Contributions returns the addends of the score of the product at a place. They are valid
// until the next call.
func (s *Situation) Contributions(place int) []score.Contribution {
	s.contributions = s.core.scorer.Contributions(&s.work.scores, place, s.contributions[:0])
	return s.contributions
}

// Conversion settles what a conversion model reads of the product at a place.
func (s *Situation) Conversion(place int, in *score.ConversionInputs) {
	a, w := &s.work.asking, &s.work
	s.core.conversionInputs(a, int32(place), s.Contributions(place), a.journey(s.core.products[place].Code, w), w, in)
}
