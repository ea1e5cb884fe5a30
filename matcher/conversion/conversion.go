// Package conversion is 发: the one next action with nothing left to find out: amount,
// share class by exact cost, the day on which it can be done, and every gate in order.
// Doing nothing is an action.
package conversion

import "github.com/fundmatch/fundmatch/matcher/fund"

// Action is the next thing to do.
type Action uint8

// The actions of the playbook.
const (
	Buy Action = iota
	Plan
	Watch
	Ask
	TalkToManager
	RetestRisk
	Hold
	Reduce
	NoContact
	ConfirmRequired
	Actions // the number of actions
)

var actionNames = [Actions]string{
	"BUY", "PLAN", "WATCH", "ASK", "TALK_TO_MANAGER", "RETEST_RISK", "HOLD", "REDUCE", "NO_CONTACT", "CONFIRM_REQUIRED",
}

// String returns the action's code.
func (a Action) String() string { return actionNames[a] }

// Standing is what the gate leaves to be done about a product.
type Standing uint8

// The standings.
const (
	Permitted   Standing = iota // may be offered
	Information                 // may be read about; every order waits for a risk test
	Confirmable                 // not offered; his own order needs a confirmation
	Refused                     // neither offered nor sold
)

// Step is one gate or duty before an order; its label is the template "step." + code.
type Step string

// The steps, in the order in which they are taken.
const (
	StepRetest    Step = "RETEST_RISK"
	StepFirstTest Step = "TAKE_RISK_TEST"
	StepAnswer    Step = "ANSWER_QUESTION"
	StepTalk      Step = "TALK_TO_MANAGER"
	StepGuardian  Step = "GUARDIAN"
	StepKeyFacts  Step = "READ_KEY_FACTS"
	StepOpinion   Step = "MATCHING_OPINION"
	StepFees      Step = "CONFIRM_FEES"
	StepAskFees   Step = "ASK_FEES"
	StepWarning   Step = "SIGN_WARNING"
	StepRecord    Step = "RECORD_SALE"
	StepElder     Step = "CONFIRM_ELDER"
	StepPlan      Step = "CONFIRM_PLAN"
	StepAmount    Step = "CONFIRM_AMOUNT"
	StepOrder     Step = "PLACE_ORDER"
)

// MaxSteps bounds the steps of one action.
const MaxSteps = 10

// ClassCost is the cost of one share class over the horizon. Not OK: not on offer, or
// its fees are unknown.
type ClassCost struct {
	Code string
	fund.Cost
	OK bool
}

// Quote is the amount and the costs that an action is computed with.
type Quote struct {
	Min, Suggested, Max fund.Money // Suggested 0: none; Max 0: unbounded
	CostAmount          fund.Money // amount that the costs are of: Suggested, or the model's reference
	Months              int32      // months that the costs are computed for
	Days                int32      // the same in days
	A, C, Own           ClassCost
}

// PlanTerms are of a purchase in equal parts (定投).
type PlanTerms struct {
	Cadence Cadence
	Amount  fund.Money // of each part; 0: he names it
}

// Cadence is how often a plan buys.
type Cadence uint8

// The cadences.
const (
	NoPlan Cadence = iota
	Monthly
	Cadences // the number of cadences
)

// String returns the cadence's code; empty: no plan.
func (c Cadence) String() string {
	if c == Monthly {
		return "MONTHLY"
	}
	return ""
}

// Conversion is the next action.
type Conversion struct {
	Action      Action
	ProductCode string
	ShareClass  string
	Quote       Quote
	AvailableOn fund.Date
	Cutoff      fund.Instant // an order given before it is dealt on AvailableOn
	Calendar    CalendarSource
	Steps       [MaxSteps]Step // empty entries: fewer
	Sentence    string         // template for everyone; its slots are fields of Evidence
	ToManager   string         // template for the manager only, with its reason; empty: none. Its slots are fields of Evidence
	Evidence    []fund.Evidence
	Plan        PlanTerms
	FollowUp    FollowUp // managers only; zero: nothing follows
}

// CalendarSource says whether the trading days are known.
type CalendarSource uint8

// The sources.
const (
	AssumedCalendar CalendarSource = iota
	KnownCalendar
)

// String returns the source's code.
func (s CalendarSource) String() string {
	if s == KnownCalendar {
		return "KNOWN"
	}
	return "ASSUMED"
}

// Case is one product before one customer. Personal facts are zero where they may not
// be read.
type Case struct {
	Product  *fund.Product
	Grade    fund.RiskGrade
	Class    fund.Class
	At       fund.Instant
	Calendar *fund.Calendar
	Standing Standing
	Branch   bool
	Quote    Quote
	Person   Person
	Thread   Thread
}

// Person is what the decision reads of the customer.
type Person struct {
	Level         fund.RiskLevel // of the last assessment, expired or not
	Expired       fund.Date      // first day on which the last assessment holds no more; 0: none on file
	Question      string         // code of the question to ask first; empty: none must be asked
	Guardian      bool           // orders go through his guardian (E02)
	Elder         bool           // E01; an unknown age counts as the rule pack says
	Company       bool
	Affordable    bool       // the product's minimum is within his means, or they are unknown
	HorizonMonths int32      // his own; 0: unknown, never a default
	Income        fund.Money // a year; 0: unknown
	Held          bool       // the fund, in whichever class
	HeldVery      bool       // this very class
}

// Thread is what was said and done about this product. The zero value is a thread of
// which nothing may be read: nothing follows from it.
type Thread struct {
	Journey      *fund.Journey // nil: none, or it may not be read
	RefusedUntil fund.Date     // a refusal is in force before this day; 0: none is (see RefusedUntil)
	NotNowUntil  fund.Date     // the day that he named with NOT_NOW; 0: none
	Silenced     bool          // he rebutted twice: nothing more is said
	Hesitant     bool          // a doubt TIMING or LOSS_TRAUMA of band Medium or more
	Postponed    bool          // he put it off twice, without naming a day
	Contact      Contact
}

// Decide returns the next action for a product. Its evidence is appended to facts; both
// are returned.
func Decide(c *Case, facts []fund.Evidence) (Conversion, []fund.Evidence) {
	out := Conversion{ProductCode: c.Product.Code, ShareClass: c.Product.ShareClass, Quote: c.Quote}
	out.setDealing(c)
	start := len(facts)
	switch {
	case c.Standing == Information:
		facts = out.retest(c, facts)
	case c.Standing == Confirmable:
		facts = out.confirm(c, facts)
	case c.Standing == Refused && c.Person.Held:
		out.decide(Hold, "conversion.HOLD.plain")
	case c.Standing == Refused:
		out.decide(Hold, "conversion.HOLD.not_now")
	case c.Person.HeldVery:
		out.decide(Hold, "conversion.HOLD.already")
	case c.Person.Held:
		out.decide(Hold, "conversion.HOLD.other_class")
	case c.Person.Question != "":
		out.ask(c.Person.Question)
	case c.Quote.Max > 0 && c.Quote.Min > c.Quote.Max:
		out.decide(Watch, "conversion.WATCH.plain")
	case !c.Person.Affordable:
		facts = out.watchMinimum(c, facts)
	default:
		facts = out.buy(c, facts)
	}
	if out.Action != Buy {
		out.Quote.Min, out.Quote.Suggested, out.Quote.Max = 0, 0, 0
	}
	out.Evidence = facts[start:len(facts):len(facts)]
	return out, facts
}

// setDealing finds the day on which an order given now is dealt, not before the product
// opens, and its cutoff.
func (v *Conversion) setDealing(c *Case) {
	t := &c.Product.Terms
	day, known := c.Calendar.Dealing(c.At, max(t.ClosedUntil, t.NextOpenOn))
	if c.Product.Listing.Status == fund.Subscription {
		// In its launch period a fund takes orders although it is closed for dealing.
		day, known = c.Calendar.Dealing(c.At, 0)
	}
	if known {
		v.Calendar = KnownCalendar
	}
	if day != 0 {
		v.AvailableOn, v.Cutoff = day, day.Start().Add(fund.Cutoff)
	}
}

func (v *Conversion) decide(a Action, sentence string, steps ...Step) {
	v.Action, v.Sentence = a, sentence
	copy(v.Steps[:], steps)
}

func (v *Conversion) retest(c *Case, facts []fund.Evidence) []fund.Evidence {
	if c.Person.Expired == 0 {
		v.decide(RetestRisk, "conversion.RETEST_RISK.required", StepFirstTest)
		return facts
	}
	v.decide(RetestRisk, "conversion.RETEST_RISK.expired", StepRetest)
	return append(facts, fund.Evidence{
		Field: "EXPIRED_ON", Unit: fund.UnitDate, Number: int64(c.Person.Expired), AsOf: c.At.Date(), Source: "CUSTOMER",
	})
}

func (v *Conversion) confirm(c *Case, facts []fund.Evidence) []fund.Evidence {
	v.decide(ConfirmRequired, "conversion.CONFIRM_REQUIRED.plain", StepKeyFacts, StepOpinion, StepWarning)
	if c.Person.Level == fund.LevelUnknown || c.Grade == fund.GradeUnknown {
		return facts
	}
	v.Sentence = "conversion.CONFIRM_REQUIRED.risk"
	return append(facts,
		fund.Evidence{Field: "GRADE", Text: c.Grade.String(), AsOf: c.At.Date(), Source: "POOL"},
		fund.Evidence{Field: "LEVEL", Text: c.Person.Level.String(), AsOf: c.At.Date(), Source: "CUSTOMER"})
}

func (v *Conversion) ask(question string) {
	switch question {
	case "HORIZON":
		v.decide(Ask, "conversion.ASK.horizon", StepAnswer)
	case "LIQUIDITY":
		v.decide(Ask, "conversion.ASK.liquidity", StepAnswer)
	default:
		v.decide(Ask, "conversion.ASK.goal", StepAnswer)
	}
}

// watchMinimum says that the product asks for more than suits him.
func (v *Conversion) watchMinimum(c *Case, facts []fund.Evidence) []fund.Evidence {
	v.decide(Watch, "conversion.WATCH.below_minimum")
	return append(facts, fund.Evidence{
		Field: "MINIMUM", Unit: fund.UnitFen, Number: int64(c.Quote.Min), AsOf: c.At.Date(), Source: "PRODUCT",
		Document: c.Product.Listing.KeyFactsVersion,
	})
}

// buy resolves amount, class, day and steps.
func (v *Conversion) buy(c *Case, facts []fund.Evidence) []fund.Evidence {
	v.decide(Buy, "")
	n := 0
	if c.Person.Guardian {
		v.Steps[n] = StepGuardian
		n++
	}
	n += copy(v.Steps[n:], []Step{StepKeyFacts, StepOpinion})
	fees := StepFees
	if !c.Quote.Own.OK {
		fees = StepAskFees
	}
	v.Steps[n] = fees
	n++
	if c.Branch {
		v.Steps[n] = StepRecord
		n++
	}
	if c.Quote.Suggested == 0 {
		v.Steps[n] = StepAmount
		n++
	}
	v.Steps[n] = StepOrder
	if v.AvailableOn == 0 {
		// No open day is in sight: nothing can be dealt, so nothing is urged.
		v.Steps = [MaxSteps]Step{}
		v.decide(Watch, "conversion.WATCH.plain")
		return facts
	}
	day := c.At.Date()
	facts = append(facts,
		fund.Evidence{Field: "AVAILABLE_ON", Unit: fund.UnitDate, Number: int64(v.AvailableOn), AsOf: day, Source: "CALENDAR"},
		fund.Evidence{Field: "CUTOFF", Unit: fund.UnitMinutes, Number: int64(fund.Cutoff.Minutes()), AsOf: day, Source: "CALENDAR"})
	if c.Quote.Suggested > 0 {
		facts = append(facts, fund.Evidence{Field: "AMOUNT", Unit: fund.UnitFen, Number: int64(c.Quote.Suggested), AsOf: day, Source: "COMPUTED"})
	}
	switch {
	case c.Quote.Suggested == 0:
		v.Sentence = "conversion.BUY.no_amount"
	case c.Product.Listing.Status == fund.Subscription:
		v.Sentence = "conversion.BUY.subscription"
	case c.Product.Terms.NextOpenOn > day || c.Product.Terms.ClosedUntil > day:
		v.Sentence = "conversion.BUY.next_open"
	case v.ShareClass == "":
		v.Sentence = "conversion.BUY.open.no_class"
	default:
		v.Sentence = "conversion.BUY.open"
		facts = append(facts, fund.Evidence{Field: "SHARE_CLASS", Text: v.ShareClass, AsOf: day, Source: "PRODUCT"})
	}
	return facts
}

// Means bound the suggested amount.
type Means struct {
	AUM      fund.Money       // the customer's assets; 0: unknown or not to be read
	Share    fund.BasisPoints // of the assets that is suggested
	MaxShare fund.BasisPoints // of the assets that one product may take
	Rounding fund.Money       // suggestions are rounded down to it
	Need     fund.Need        // how soon he may need the money back; the sooner, the less is suggested
	Held     fund.Money       // what he has in the same fund already; it counts towards MaxShare (K04)
}

// Affords reports whether the product's minimum is within what one product may take of
// the customer's assets. Where those are unknown it is (rulebook: means unknown).
func (m *Means) Affords(p *fund.Product) bool {
	return m.AUM == 0 || p.Terms.MinPurchase <= m.share(m.MaxShare)
}

func (m *Means) share(bps fund.BasisPoints) fund.Money { return m.AUM / 10_000 * fund.Money(bps) }

// Amount suggests an amount: a share of the customer's assets, rounded down, at least
// the product's minimum and at most half of its day limit: it never leans to the maximum. Without
// known assets it is the minimum, or none; where he cannot afford the minimum, none.
func (m *Means) Amount(p *fund.Product) (minimum, suggested, maximum fund.Money) {
	minimum, maximum = p.Terms.MinPurchase, p.Terms.DayLimit
	if !m.Affords(p) {
		return minimum, 0, maximum
	}
	suggested = m.share(m.Share)
	suggested -= suggested % m.Rounding
	if maximum > 0 {
		half := maximum / 2
		suggested = min(suggested, max(half-half%m.Rounding, minimum))
	}
	suggested = max(suggested, minimum)
	if maximum > 0 {
		suggested = min(suggested, maximum)
	}
	return minimum, suggested, maximum
}

// CostOf computes the cost of one share class of a product of a class; unknown ladders
// leave it not OK.
func CostOf(p *fund.Product, class fund.Class, amount fund.Money, days int32) ClassCost {
	if p.Missing.Has(fund.FieldSubscriptionLadder) || p.Missing.Has(fund.FieldRedemptionLadder) || amount <= 0 {
		return ClassCost{Code: p.Code}
	}
	return ClassCost{Code: p.Code, Cost: p.Fees.CostOf(amount, days, class == fund.MoneyMarket), OK: true}
}

// Cheaper reports whether class a costs less than class b; known costs come before
// unknown ones, and equal ones go by code, so that the choice is the same for everyone.
func Cheaper(a, b *ClassCost) bool {
	if a.OK != b.OK {
		return a.OK
	}
	if a.OK && a.Differing() != b.Differing() {
		return a.Differing() < b.Differing()
	}
	return a.Code < b.Code
}

// Label returns the step's template.
func (s Step) Label() string { return "step." + string(s) }
