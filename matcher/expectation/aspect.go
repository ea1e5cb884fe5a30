package expectation

import (
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Aspect is one side on which a wish and a product can meet.
type Aspect uint8

// The aspects. The numbers stand in decision records.
const (
	GoalAspect Aspect = iota
	HorizonAspect
	LiquidityAspect
	LossAspect
	ThemeAspect
	AmountAspect
	OutcomeAspect
	aspectCount
)

// Aspects is the number of aspects.
const Aspects = int(aspectCount)

var aspectNames = [Aspects]string{"GOAL", "HORIZON", "LIQUIDITY", "LOSS_TOLERANCE", "THEME", "AMOUNT", "OUTCOME"}

// String returns the aspect's code.
func (a Aspect) String() string { return aspectNames[a] }

// Match is one aspect of a wish and a product, known on both sides: a contribution to the
// fit of the two.
type Match struct {
	Aspect      Aspect
	Customer    fund.Evidence   // what he wants or can bear
	Product     fund.Evidence   // what the product does
	Facts       []fund.Evidence // what the product's value rests on
	Sentence    string          // template; its slots are the three above
	Fit         fund.Ratio      // how well the aspect is met: 0 not at all, 1_000_000 wholly. For managers
	Met         bool
	ManagerOnly bool // kept from customers, as its sentence's audience is: not met, or not fit to be told
}

// Case is one product before one wish.
type Case struct {
	Wish      *Wish
	Product   *fund.Product
	Record    *fund.TrackRecord // nil: none
	Grade     fund.RiskGrade
	Level     fund.RiskLevel // unknown where it may not be read
	Months    int32          // sensible holding period of the class; -1 unknown, as the class
	Serves    bool           // the product serves the goal: its own word, or else its class's
	GoalFit   fund.Ratio     // how well the class serves the goal; read where the product names no goals
	Drawdown  *fund.Evidence // deepest known fall; nil: none known or stale
	Means     Means
	StaleDays int32 // an older record claims nothing
	AsOf      fund.Date
}

// Means is what he can put in and bear. What may not be read is zero: unknown.
type Means struct {
	AtHand    fund.Money // what he may put into one product: a share of his assets
	Amount    fund.Money // that the item speaks of; 0: none is suggested
	Tolerance fund.Ratio // fall that his level is taken to bear, positive
	Bears     fund.Ratio // fall that he is taken to bear by what he did in falls, see Bears; 0: Tolerance
}

// Expect appends to matches the aspects that are known on both sides, met or not, with
// their facts appended to facts; both are returned. Of what is unknown on either side
// nothing is claimed.
func Expect(c *Case, matches []Match, facts []fund.Evidence) ([]Match, []fund.Evidence) {
	matches, facts = expectGoal(c, matches, facts)
	matches = expectHorizon(c, matches)
	matches = expectLiquidity(c, matches)
	matches, facts = expectLoss(c, matches, facts)
	matches = expectTheme(c, matches)
	matches = expectAmount(c, matches)
	return expectOutcome(c, matches, facts)
}

// add appends a match to fill in where it stands: it is large, and copied no more often
// than need be.
func add(matches []Match, a Aspect) ([]Match, *Match) {
	matches = append(matches, Match{Aspect: a})
	return matches, &matches[len(matches)-1]
}

// settle completes a match: one that is not met is for managers.
func (m *Match) settle(fit fund.Ratio, met bool, matched, unmatched string) {
	m.Fit, m.Met, m.Sentence = min(max(fit, 0), whole), met, matched
	if !met {
		m.Sentence, m.ManagerOnly = unmatched, true
	}
}

// goalSentences are by whose word it is (the product's, its class's) and whether the goal
// is the customer's own word or a conclusion that he has yet to confirm.
var goalSentences = [2][2]string{
	{"expectation.matched.goal", "expectation.matched.goal.likely"},
	{"expectation.matched.goal.class", "expectation.matched.goal.class.likely"},
}

// expectGoal compares a goal that is sure enough with what the product, or else its
// class, is for. An unknown class is for nothing that anybody knows.
func expectGoal(c *Case, matches []Match, facts []fund.Evidence) ([]Match, []fund.Evidence) {
	if !c.Wish.Scores() || c.Product.Content.Goals == 0 && c.Months < 0 && !c.Serves {
		return matches, facts
	}
	whose, source, fit, unmatched := 0, sourceProduct, whole, "expectation.unmatched.goal"
	if c.Product.Content.Goals == 0 {
		whose, source, fit, unmatched = 1, sourceModel, c.GoalFit, "expectation.unmatched.goal.class"
	}
	likely := 1
	if c.Wish.Source == Stated || c.Wish.Source == FromQuestionnaire {
		likely = 0
	}
	served := c.Wish.Goal.String()
	if !c.Serves {
		fit, served = 0, "OTHER"
	}
	start := len(facts)
	facts = append(facts, text("GOAL", goalLabels[c.Wish.Goal], source, c.AsOf))
	matches, m := add(matches, GoalAspect)
	m.Customer = text("WANTED_GOAL", c.Wish.Goal.String(), wordOf(c.Wish.Source), c.AsOf)
	m.Product = text("SERVED_GOAL", served, source, c.AsOf)
	m.Facts = facts[start:len(facts):len(facts)]
	m.settle(fit, c.Serves, goalSentences[whose][likely], unmatched)
	return matches, facts
}

// expectHorizon compares how long the money can stay with how long the class needs. A
// class that needs no time says nothing.
func expectHorizon(c *Case, matches []Match) []Match {
	h := c.Wish.HorizonMonths
	if h <= 0 || c.Months <= 0 {
		return matches
	}
	matches, m := add(matches, HorizonAspect)
	m.Customer = months("HORIZON", h, wordOf(c.Wish.HorizonSource), c.AsOf)
	m.Product = months("PRODUCT_HORIZON", c.Months, sourceModel, c.AsOf)
	m.settle(whole*fund.Ratio(h)/fund.Ratio(c.Months), h >= c.Months, "expectation.matched.horizon", "expectation.unmatched.horizon")
	return matches
}

// daysPerMonth is the gate's, to the shorter side.
const daysPerMonth = 30

// expectLiquidity compares a known need with a known lockup: none for whoever may need
// the money, one within the horizon for whoever does not.
func expectLiquidity(c *Case, matches []Match) []Match {
	w, lockup := c.Wish, c.Product.Terms.LockupDays
	if w.Need == fund.NeedUnknown || c.Product.Missing.Has(fund.FieldLockup) {
		return matches
	}
	if w.Need == fund.NeedLow && lockup > 0 && w.HorizonMonths <= 0 {
		return matches // nobody knows when he needs it
	}
	matches, m := add(matches, LiquidityAspect)
	m.Customer = text("NEED", w.Need.String(), wordOf(w.NeedSource), c.AsOf)
	m.Product = fund.Evidence{Field: "LOCKUP", Unit: fund.UnitDays, Number: int64(lockup), AsOf: c.AsOf, Source: sourceProduct}
	switch {
	case w.Need == fund.NeedLow && lockup > 0:
		days := w.HorizonMonths * daysPerMonth
		m.Customer = months("HORIZON", w.HorizonMonths, wordOf(w.HorizonSource), c.AsOf)
		m.settle(whole*fund.Ratio(days)/fund.Ratio(lockup), lockup <= days,
			"expectation.matched.liquidity.lockup", "expectation.unmatched.liquidity.lockup")
	case w.Need == fund.NeedLow:
		m.settle(whole, true, "expectation.matched.liquidity.low", "")
	case lockup > 0:
		m.settle(0, false, "", "expectation.unmatched.liquidity")
	default:
		m.settle(whole, true, "expectation.matched.liquidity", "")
	}
	return matches
}

// expectLoss compares level and grade; how well they fit also says how much of the
// deepest known fall he is taken to bear.
func expectLoss(c *Case, matches []Match, facts []fund.Evidence) ([]Match, []fund.Evidence) {
	if c.Level == fund.LevelUnknown || c.Grade == fund.GradeUnknown {
		return matches, facts
	}
	matches, m := add(matches, LossAspect)
	m.Customer = text("LEVEL", c.Level.String(), sourceCustomer, c.AsOf)
	m.Product = text("GRADE", c.Grade.String(), "POOL", c.AsOf)
	if uint8(c.Grade) > uint8(c.Level) {
		m.settle(0, false, "", "expectation.unmatched.loss_tolerance")
		return matches, facts
	}
	m.settle(whole, true, "expectation.matched.loss_tolerance", "")
	if c.Drawdown != nil {
		start := len(facts)
		facts = append(facts, *c.Drawdown)
		m.Facts = facts[start:len(facts):len(facts)]
		m.Sentence = "expectation.matched.loss_tolerance.drawdown"
		if bears := c.Means.bears(); bears > 0 {
			m.Fit = borne(bears, fund.Ratio(c.Drawdown.Number))
		}
	}
	return matches, facts
}

// expectTheme finds a theme that he is interested in among the product's. Another theme
// is no mismatch: an interest excludes nothing.
func expectTheme(c *Case, matches []Match) []Match {
	if c.Product.Missing.Has(fund.FieldThemes) {
		return matches
	}
	for theme, rest := cutTheme(c.Wish.Theme); theme != "" || rest != ""; theme, rest = cutTheme(rest) {
		for _, of := range c.Product.Content.Themes {
			if of == theme && theme != "" {
				matches, m := add(matches, ThemeAspect)
				m.Customer, m.Product = text("THEME", of, "TAG", c.AsOf), text("PRODUCT_THEME", of, sourceProduct, c.AsOf)
				m.settle(whole, true, "expectation.matched.theme", "")
				return matches
			}
		}
	}
	return matches
}

// cutTheme cuts the first theme off a list of them.
func cutTheme(list string) (theme, rest string) {
	for i, r := range list {
		switch r {
		case ' ', ',', ';', '|', '，', '、', '；':
			return list[:i], list[i+utf8.RuneLen(r):]
		}
	}
	return list, ""
}

// expectAmount compares what he may put into one product with the product's minimum.
func expectAmount(c *Case, matches []Match) []Match {
	least, atHand := c.Product.Terms.MinPurchase, c.Means.AtHand
	if c.Product.Missing.Has(fund.FieldMinPurchase) || least <= 0 || atHand <= 0 {
		return matches
	}
	matches, m := add(matches, AmountAspect)
	m.Customer = fund.Evidence{Field: "AT_HAND", Unit: fund.UnitFen, Number: int64(atHand), AsOf: c.AsOf, Source: sourceComputed}
	m.Product = fund.Evidence{
		Field: "MIN_PURCHASE", Unit: fund.UnitFen, Number: int64(least), AsOf: c.AsOf, Source: sourceProduct,
		Document: c.Product.Listing.KeyFactsVersion,
	}
	fit := whole
	if least > atHand {
		fit = fund.RatioOf(float64(atHand) / float64(least))
	}
	m.settle(fit, least <= atHand, "expectation.matched.amount", "expectation.unmatched.amount")
	return matches
}
