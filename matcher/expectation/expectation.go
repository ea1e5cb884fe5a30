// Package expectation is 接: what a customer hopes for and can bear, from what is known
// and never from what is convenient; and how one product meets it, aspect by aspect.
package expectation

import "github.com/fundmatch/fundmatch/matcher/fund"

// Source says where a goal comes from, most trusted first.
type Source uint8

// The sources of a goal.
const (
	FromGroup Source = iota // nothing is known of him: what customers like him want
	FromTag                 // inferred: may narrow what is offered, never open it
	Stated
)

// String returns the source's code.
func (s Source) String() string {
	switch s {
	case Stated:
		return "STATED"
	case FromTag:
		return "TAG"
	default:
		return "GROUP"
	}
}

// Question is the one question that would tell most.
type Question uint8

// The questions, the most telling first.
const (
	NoQuestion Question = iota
	AskGoal
	AskHorizon
	AskLiquidity
)

var questionNames = [...]string{"", "GOAL", "HORIZON", "LIQUIDITY"}

// String returns the question's code.
func (q Question) String() string { return questionNames[q] }

// Sentence returns the template of the question, or "" when there is none.
func (q Question) Sentence() string {
	switch q {
	case AskGoal:
		return "expectation.question.goal"
	case AskHorizon:
		return "expectation.question.horizon"
	case AskLiquidity:
		return "expectation.question.liquidity"
	default:
		return ""
	}
}

// Wish is a customer's expectation as it is settled before products are looked at.
type Wish struct {
	Goal          fund.Goal
	HorizonMonths int32 // 0 unknown
	Need          fund.Need
	Source        Source
	Confidence    fund.Ratio // how sure the goal is, in millionths
	Question      Question
}

// GoalTag is the tag that may carry an inferred goal's code.
const GoalTag = "goal"

// How sure a goal is by its source: judgement, until outcomes calibrate it.
const (
	statedConfidence  = fund.Ratio(900_000)
	taggedConfidence  = fund.Ratio(500_000)
	unknownConfidence = fund.Ratio(100_000)
)

// Settle reads a customer's wish off his profile as of an instant, and the next instant
// at which the tag that may carry a goal begins or ends. What is not known stays unknown
// and is asked for.
func Settle(p *fund.Profile, at fund.Instant) (w Wish, until fund.Instant) {
	w = Wish{HorizonMonths: horizonOf(p), Need: p.Needs.Liquidity, Confidence: unknownConfidence}
	until = fund.Forever
	if len(p.Needs.Goals) > 0 {
		w.Goal, w.Source, w.Confidence = p.Needs.Goals[0], Stated, statedConfidence
	} else {
		until = tagChanges(p, at)
		if tag, ok := p.Tag(GoalTag, at); ok {
			if g, err := fund.ParseGoal(tag.Value); err == nil && g != fund.GoalUnknown {
				w.Goal, w.Source, w.Confidence = g, FromTag, taggedConfidence
			}
		}
	}
	w.Question = w.question()
	return w, until
}

// horizonOf is the stated horizon within its bounds: stored bytes may hold any number.
func horizonOf(p *fund.Profile) int32 {
	return min(max(p.Needs.HorizonMonths, 0), fund.MaxHorizonMonths)
}

// tagChanges returns the first instant after at at which a goal's tag begins or ends.
func tagChanges(p *fund.Profile, at fund.Instant) fund.Instant {
	next := fund.Forever
	for i := range p.Tags {
		if p.Tags[i].Name != GoalTag {
			continue
		}
		for _, edge := range [...]fund.Instant{p.Tags[i].From, p.Tags[i].To} {
			if edge > at {
				next = min(next, edge)
			}
		}
	}
	return next
}

// Impersonal is the expectation of a list that reads no personal cell.
func Impersonal() Wish { return Wish{Confidence: unknownConfidence, Question: AskGoal} }

func (w *Wish) question() Question {
	switch {
	case w.Source != Stated:
		return AskGoal
	case w.HorizonMonths == 0:
		return AskHorizon
	case w.Need == fund.NeedUnknown:
		return AskLiquidity
	default:
		return NoQuestion
	}
}

// MustAsk reports whether an order is out of place before the question is answered: goal
// or horizon are not known from himself.
func (w *Wish) MustAsk() bool { return w.Question == AskGoal || w.Question == AskHorizon }

// Headline returns the template of the headline.
func (w *Wish) Headline(personal bool) string {
	switch {
	case !personal:
		return "expectation.headline.NOT_PERSONALIZED"
	case w.Goal == fund.GoalUnknown:
		return "expectation.headline.UNKNOWN"
	}
	return headlines[w.Goal][w.Source]
}

// headlines are the templates by goal and source.
var headlines = func() (t [fund.Goals][Stated + 1]string) {
	for g := fund.Cash; int(g) < fund.Goals; g++ {
		for s := FromGroup; s <= Stated; s++ {
			t[g][s] = "expectation.headline." + g.String() + "." + s.String()
		}
	}
	return t
}()

// Aspect is one side on which a wish and a product can meet.
type Aspect uint8

// The aspects.
const (
	GoalAspect Aspect = iota
	HorizonAspect
	LiquidityAspect
	LossAspect
)

var aspectNames = [...]string{"GOAL", "HORIZON", "LIQUIDITY", "LOSS_TOLERANCE"}

// String returns the aspect's code.
func (a Aspect) String() string { return aspectNames[a] }

// Match is one aspect in which the product meets the wish.
type Match struct {
	Aspect   Aspect
	Customer fund.Evidence   // what he wants or can bear
	Product  fund.Evidence   // what the product does
	Facts    []fund.Evidence // what the product's value rests on
	Sentence string          // template; its slots are the three above
}

// Case is one product before one wish.
type Case struct {
	Wish     *Wish
	Product  *fund.Product
	Grade    fund.RiskGrade
	Level    fund.RiskLevel // unknown where it may not be read
	Months   int32          // sensible holding period of the class; -1 unknown
	Serves   bool           // the product serves the goal
	OwnWord  bool           // so the product itself says, and not only its class
	Drawdown *fund.Evidence // deepest known fall; nil: none known or stale
	AsOf     fund.Date
}

// Expect appends to matches the aspects in which the product meets the wish, with their
// facts appended to facts; both are returned. An aspect that is unknown on either side
// is left out: nothing is claimed.
func Expect(c *Case, matches []Match, facts []fund.Evidence) ([]Match, []fund.Evidence) {
	if c.Serves && c.Wish.Goal != fund.GoalUnknown {
		source, sentence := "PRODUCT", "expectation.matched.goal"
		if !c.OwnWord {
			source, sentence = "MODEL", "expectation.matched.goal.class"
		}
		start := len(facts)
		facts = append(facts, fund.Evidence{Field: "GOAL", Text: goalLabels[c.Wish.Goal], AsOf: c.AsOf, Source: source})
		matches = append(matches, Match{
			Aspect:   GoalAspect,
			Customer: fund.Evidence{Field: "WANTED_GOAL", Text: c.Wish.Goal.String(), AsOf: c.AsOf, Source: "CUSTOMER"},
			Product:  fund.Evidence{Field: "SERVED_GOAL", Text: c.Wish.Goal.String(), AsOf: c.AsOf, Source: source},
			Facts:    facts[start:len(facts):len(facts)],
			Sentence: sentence,
		})
	}
	if h := c.Wish.HorizonMonths; h > 0 && c.Months > 0 && h >= c.Months {
		matches = append(matches, Match{
			Aspect:   HorizonAspect,
			Customer: months("HORIZON", h, "CUSTOMER", c.AsOf),
			Product:  months("PRODUCT_HORIZON", c.Months, "MODEL", c.AsOf),
			Sentence: "expectation.matched.horizon",
		})
	}
	if m, ok := liquidity(c); ok {
		matches = append(matches, m)
	}
	if c.Level != fund.LevelUnknown && c.Grade != fund.GradeUnknown && uint8(c.Grade) <= uint8(c.Level) {
		m := Match{
			Aspect:   LossAspect,
			Customer: fund.Evidence{Field: "LEVEL", Text: c.Level.String(), AsOf: c.AsOf, Source: "CUSTOMER"},
			Product:  fund.Evidence{Field: "GRADE", Text: c.Grade.String(), AsOf: c.AsOf, Source: "POOL"},
			Sentence: "expectation.matched.loss_tolerance",
		}
		if c.Drawdown != nil {
			start := len(facts)
			facts = append(facts, *c.Drawdown)
			m.Facts = facts[start:len(facts):len(facts)]
			m.Sentence = "expectation.matched.loss_tolerance.drawdown"
		}
		matches = append(matches, m)
	}
	return matches, facts
}

// liquidity matches a known need with a known lockup: none for whoever may need the
// money, one within the horizon for whoever does not.
func liquidity(c *Case) (Match, bool) {
	lockup := c.Product.Terms.LockupDays
	if c.Wish.Need == fund.NeedUnknown || c.Product.Missing.Has(fund.FieldLockup) {
		return Match{}, false
	}
	m := Match{
		Aspect:   LiquidityAspect,
		Customer: fund.Evidence{Field: "NEED", Text: c.Wish.Need.String(), AsOf: c.AsOf, Source: "CUSTOMER"},
		Product:  fund.Evidence{Field: "LOCKUP", Unit: fund.UnitDays, Number: int64(lockup), AsOf: c.AsOf, Source: "PRODUCT"},
	}
	switch {
	case c.Wish.Need == fund.NeedLow:
		m.Sentence = "expectation.matched.liquidity.low"
	case lockup == 0:
		m.Sentence = "expectation.matched.liquidity"
	default:
		return Match{}, false
	}
	return m, true
}

func months(field string, n int32, source string, asOf fund.Date) fund.Evidence {
	return fund.Evidence{Field: field, Unit: fund.UnitMonths, Number: int64(n), AsOf: asOf, Source: source}
}

// goalLabels name the goals to customers.
var goalLabels = [fund.Goals]string{
	"", "日常备用", "稳健收益", "长期增值", "子女教育", "养老", "抵御物价上涨", "购房", "个人养老金", "企业闲置资金",
}
