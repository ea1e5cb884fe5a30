// Package expectation is 接: what a customer hopes for and can bear, from what is known
// and never from what is convenient; and how one product meets it, aspect by aspect.
package expectation

import "github.com/fundmatch/fundmatch/matcher/fund"

// Source says where a part of the wish comes from. The numbers stand in decision records
// and say nothing of trust: Trust does.
type Source uint8

// The sources.
const (
	FromGroup         Source = iota // nothing is known of him: what customers in his situation often want
	FromTag                         // a label that somebody or something put on him
	Stated                          // he said so to the bank
	FromQuestionnaire               // an answer in a risk questionnaire
	FromHoldings                    // what he holds
	FromBehaviour                   // which products he looked at
	sourceCount
)

// Sources is the number of sources.
const Sources = int(sourceCount)

var sourceNames = [Sources]string{"GROUP", "TAG", "STATED", "QUESTIONNAIRE", "HOLDINGS", "BEHAVIOUR"}

// String returns the source's code.
func (s Source) String() string { return sourceNames[s] }

// trust is the playbook's order: stated goals, risk questionnaire, holdings, behaviour,
// tags, group.
var trust = [Sources]int{FromGroup: 0, FromTag: 1, FromBehaviour: 2, FromHoldings: 3, FromQuestionnaire: 4, Stated: 5}

// Trust is the source's place in the order of trust: of two sources the higher one
// decides.
func (s Source) Trust() int { return trust[s] }

// Question is the one question that would tell most.
type Question uint8

// The questions, the most telling first.
const (
	NoQuestion Question = iota
	AskGoal
	AskHorizon
	AskLiquidity
	AskLossAttitude // what he would do after a loss
	AskCashCycle    // a company's horizon: when the money must be paid out
	questionCount
)

// Questions is the number of questions, NoQuestion included.
const Questions = int(questionCount)

var questionNames = [Questions]string{"", "GOAL", "HORIZON", "LIQUIDITY", "LOSS_ATTITUDE", "CASH_CYCLE"}

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

// Attitude is what he says that he would do in a fall.
type Attitude uint8

// The attitudes of the questionnaire.
const (
	AttitudeUnknown Attitude = iota
	WouldSell
	WouldHold
	WouldAdd
	attitudeCount
)

// Attitudes is the number of attitudes, AttitudeUnknown included.
const Attitudes = int(attitudeCount)

var attitudeNames = [Attitudes]string{"", "SELL", "HOLD", "ADD"}

// String returns the attitude's code, the value of the questionnaire's tag.
func (a Attitude) String() string { return attitudeNames[a] }

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

// Ground is what an inferred goal rests on. What its source does not use is zero.
type Ground struct {
	Class    fund.Class // HOLDINGS, BEHAVIOUR: the class that weighs most among those that serve the goal
	Share    fund.Ratio // HOLDINGS, BEHAVIOUR: of the portfolio or the views in such classes
	Views    int32      // BEHAVIOUR: pages seen in all
	Since    fund.Date  // TAG, QUESTIONNAIRE: the day from which it holds; 0: not known
	Age      AgeBand    // GROUP: of a person
	Industry Industry   // GROUP: of a company
	Months   int32      // GROUP: after which such a company usually pays; shown and asked about, never computed with
	Need     fund.Need  // GROUP: how soon such a company usually needs money; the same
}

// AgeBand is the group of persons of an age.
type AgeBand uint8

// Industry is the group of companies of an industry.
type Industry uint8

// Wish is a customer's expectation as it is settled before products are looked at.
type Wish struct {
	Goal          fund.Goal
	HorizonMonths int32 // his own word, to the bank or in a questionnaire; 0 unknown
	Need          fund.Need
	Source        Source     // of the goal
	HorizonSource Source     // of HorizonMonths where that is known
	NeedSource    Source     // of Need where that is known
	Confidence    fund.Ratio // how sure the goal is, in millionths
	Question      Question   // the one that would tell most
	Company       bool       // no natural person
	Attitude      Attitude
	Theme         string // what he is interested in, as a tag names it; empty: unknown
	Ground        Ground
}

// Narrows reports whether the goal may narrow what the gate lets through: his own word,
// or a label that he can see and delete. What is only concluded from holdings and visits,
// or from a group, narrows nothing.
func (w *Wish) Narrows() bool {
	return w.Goal != fund.GoalUnknown && (w.Source == Stated || w.Source == FromQuestionnaire || w.Source == FromTag)
}

// ScoringConfidence is how sure a goal must be to count in a score: at least as likely
// as not.
const ScoringConfidence = fund.Ratio(500_000)

// Scores reports whether the goal is sure enough to score and to match products with. A
// group's guess is shown and asked about, never scored.
func (w *Wish) Scores() bool { return w.Goal != fund.GoalUnknown && w.Confidence >= ScoringConfidence }

// ForGate returns what the gate may be told. Where the list is not personal that is what
// he said himself and nothing else (rule A02): the rest is preference, not legal duty.
func (w *Wish) ForGate(personal bool) (goal fund.Goal, months int32, need fund.Need) {
	if w.Narrows() && (personal || w.Source == Stated) {
		goal = w.Goal
	}
	if personal || w.HorizonSource == Stated {
		months = w.HorizonMonths
	}
	if personal || w.NeedSource == Stated {
		need = w.Need
	}
	return goal, months, need
}

// Facts appends what the wish rests on: for managers and for the customer himself.
func (w *Wish) Facts(asOf fund.Date, dst []fund.Evidence) []fund.Evidence { return dst }

// Reason returns the template that says what the goal rests on; its slots are Facts.
func (w *Wish) Reason() string { return "" }

// QuestionSentence returns the template of the question in words for a person or a
// company, or "" when there is none.
func (w *Wish) QuestionSentence() string { return w.Question.Sentence() }

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
func Settle(p *fund.Profile, at fund.Instant, _ *Knowledge) (w Wish, until fund.Instant) {
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
var headlines = func() (t [fund.Goals][Sources]string) {
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
	Fit         fund.Ratio      // how well the aspect is met: 0 not at all, 1_000_000 wholly
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

// Expect appends to matches the aspects in which the product meets the wish, with their
// facts appended to facts; both are returned. An aspect that is unknown on either side
// is left out: nothing is claimed.
func Expect(c *Case, matches []Match, facts []fund.Evidence) ([]Match, []fund.Evidence) {
	if c.Serves && c.Wish.Goal != fund.GoalUnknown {
		source, sentence := "PRODUCT", "expectation.matched.goal"
		if c.Product.Content.Goals == 0 {
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

// Bears returns the fall, positive, that he is taken to bear: the level's, and less where
// his own conduct or word says so; never more (rule S02 stays with the level). For
// managers only: it tells of his losses.
func Bears(level fund.Ratio, _ *fund.Losses, _ Attitude) fund.Ratio { return level }
