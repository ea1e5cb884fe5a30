// Package conversion is 发: the one next action with nothing left to find out: amount,
// share class by exact cost, the day on which it can be done, every gate in order, and
// what follows if he stops on the way. Doing nothing is an action.
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

// Bar is what keeps a product from being offered to him, or from being sold at all.
type Bar uint8

// The bars that have words of their own.
const (
	OtherBar   Bar = iota
	Unfit          // it does not suit his goal, his time or when he needs the money (S04)
	LongLockup     // it ties an elder's money for long (E01)
	NoPension      // it is sold in a pension account only, and he has none (P03)
	Underage       // he is under 18 (E02)
	NotHisOwn      // he acts through a guardian (E02)
)

// Conversion is the next action.
type Conversion struct {
	Action      Action
	ProductCode string
	ShareClass  string
	Quote       Quote // its amounts are zero unless the action is BUY
	Dealing
	Steps     [MaxSteps]Step // empty entries: fewer
	Sentence  string         // template for everyone; its slots are fields of Evidence
	ToManager string         // template for the manager only: why he leaves the customer in peace. Empty: none; its slots are fields of Evidence
	Evidence  []fund.Evidence
	Plan      PlanTerms // zero unless the action is PLAN
	FollowUp  FollowUp  // managers only; zero: nothing follows
	// Probability is the calibrated one that an order of the fund is confirmed, managers only.
	// Decide leaves it unknown: it is read from the whole item, by whoever has a model of it.
	Probability fund.Measure
}

// Dealing is when an order given now would be dealt.
type Dealing struct {
	AvailableOn fund.Date    // 0: no open day is in sight
	Cutoff      fund.Instant // an order given before it is dealt on AvailableOn
	Calendar    CalendarSource
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
	Bar      Bar // why it is Confirmable or Refused, where that is to be said in its own words
	Branch   bool
	Quote    Quote
	Plans    PlanLimits
	Person   Person
	Thread   Thread
}

// Person is what the decision reads of the customer.
type Person struct {
	Level         fund.RiskLevel // of the last assessment, expired or not
	Expired       fund.Date      // first day on which the last assessment holds no more; 0: none on file
	Question      string         // code of the question to ask first; empty: none must be asked
	Answered      bool           // a questionnaire has its answer: he is asked whether that still holds
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
	Postponed    bool          // he put it off twice; counts where he named no day
	Pushed       bool          // he said that he is being sold to, and has not come back to it since
	Consulting   bool          // he said that he would ask his family, and has not come back to it since
	Contact      Contact
}

// elderGrade is the highest grade that an elder is shown in the app without a talk. The
// rule pack bars what lies above E01.app_grade altogether; one step below that bar a
// person explains first (A04, A07).
const elderGrade = fund.R2

// Decide returns the next action for a product. Its evidence is appended to facts; both
// are returned.
//
// The order of the decisions is: what he said (a refusal); no valid test; a complaint that
// is open; a warning, a bar; what he already has; the peace that he asked for; what is not
// known; what needs a person; what does not suit his means; and only then an order, in
// parts before in one. docs/conversions.md says why.
func Decide(c *Case, facts []fund.Evidence) (Conversion, []fund.Evidence) {
	out := Conversion{ProductCode: c.Product.Code, ShareClass: c.Product.ShareClass, Quote: c.Quote}
	s := sitting{Case: c, day: c.At.Date()}
	out.setDealing(&s)
	start := len(facts)
	facts = out.settle(&s, facts)
	if out.Action != Buy {
		out.Quote.Min, out.Quote.Suggested, out.Quote.Max = 0, 0, 0
	}
	out.FollowUp = followUp(&s, out.Action)
	out.Evidence = facts[start:len(facts):len(facts)]
	return out, facts
}

// sitting is a case and the day on which it is decided, worked out once.
type sitting struct {
	*Case
	day fund.Date
}

// settle takes the decisions that do not depend on what is offered.
func (v *Conversion) settle(c *sitting, facts []fund.Evidence) []fund.Evidence {
	switch {
	case refused(c):
		return v.leaveRefused(c, facts)
	case c.Standing == Information:
		return v.retest(c, facts)
	case c.Thread.Contact.OpenComplaints > 0:
		// The rule that bars whoever complains (A06) leaves his own order to him: asked
		// about after a warning, his complaint would be heard never.
		return v.hearComplaint(c, facts)
	case c.Standing == Confirmable:
		return v.confirm(c, facts)
	case c.Standing == Refused && c.Person.Held:
		v.decide(Hold, "conversion.HOLD.plain")
	case c.Standing == Refused:
		v.refuse(c.Bar)
	case c.Person.HeldVery:
		v.decide(Hold, "conversion.HOLD.already")
	case c.Person.Held:
		v.decide(Hold, "conversion.HOLD.other_class")
	case c.Thread.NotNowUntil > c.day:
		return v.leaveUntil(c, facts)
	case v.leaveForNow(&c.Thread):
	case c.Person.Question != "":
		v.ask(c.Person.Question, c.Person.Answered)
	default:
		return v.offer(c, facts)
	}
	return facts
}

// offer decides about a product that may be offered to somebody who may be asked.
func (v *Conversion) offer(c *sitting, facts []fund.Evidence) []fund.Evidence {
	switch {
	case alone(c) && (c.Grade == fund.GradeUnknown || c.Grade > elderGrade):
		v.decide(TalkToManager, "conversion.TALK_TO_MANAGER.elder", StepTalk)
	case v.AvailableOn == 0, c.Quote.Max > 0 && c.Quote.Min > c.Quote.Max:
		// No open day is in sight, or no amount can be ordered: nothing is urged.
		v.decide(Watch, "conversion.WATCH.plain")
	case !c.Person.Affordable:
		return v.watchMinimum(c, facts)
	default:
		if plan, ok := planOf(c); ok {
			return v.plan(c, plan, facts)
		}
		return v.buy(c, facts)
	}
	return facts
}

// refused reports whether a refusal is in force. One of which nobody says when it ends
// does not end.
func refused(c *sitting) bool {
	t := &c.Thread
	return t.RefusedUntil > c.day || t.RefusedUntil == 0 && t.Journey != nil && t.Journey.Refused.At != 0
}

// alone reports whether an elder sits before the app with nobody to explain.
func alone(c *sitting) bool { return c.Person.Elder && !c.Person.Company && !c.Branch }

// above reports whether the product's grade is known to be above his level.
func above(c *sitting) bool {
	return c.Person.Level != fund.LevelUnknown && uint8(c.Grade) > uint8(c.Person.Level)
}

// putOff reports whether he puts it off again and again and names no day.
func (t *Thread) putOff() bool { return t.Postponed && t.NotNowUntil == 0 }

// setDealing finds the day on which an order given now is dealt, not before the product
// opens, and its cutoff.
func (v *Conversion) setDealing(c *sitting) {
	t := &c.Product.Terms
	notBefore := max(t.ClosedUntil, t.NextOpenOn)
	if c.Product.Listing.Status == fund.Subscription {
		// In its launch period a fund takes orders although it is closed for dealing.
		notBefore = 0
	}
	day, known := c.Calendar.Dealing(c.At, notBefore)
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
