// Package objection is 化: it foresees the doubts that a customer will have about a
// product and answers each with dated, sourced facts, never with a promise. What raises
// a doubt is for managers only; what answers it is for both.
package objection

import "github.com/fundmatch/fundmatch/matcher/fund"

// MaxPerItem is how many doubts an item answers.
const MaxPerItem = 3

// maxRebuttals is how often a doubt is answered: after a second rebuttal, silence.
const maxRebuttals = 2

// Objection is a doubt and its answer. Code, Band, Raised, Triggers, Grounds and Advice
// are for managers only; a customer sees the answer under Code.Face, and nothing of a
// doubt that is Silenced or has no face.
type Objection struct {
	Code      Code
	Band      fund.Band       // Low, Medium or High
	Silenced  bool            // he raised it twice about this product and was answered: no more is said to him
	Raised    int32           // times that he raised it about this product
	Triggers  [3]string       // what raises it, strongest word first; empty entries: fewer
	Grounds   []fund.Evidence // the facts of him that raise it, and figures that only a manager may see (W01)
	Evidence  []fund.Evidence // the facts that answer it
	Sentences [4]string       // templates for both; their slots are fields of Evidence; empty entries: fewer
	Advice    string          // template for managers: what to say and what never; its slots are fields of Grounds and Evidence
	Discloses string          // id of the disclosure that belongs to it; may be empty
}

// Foresee appends the likeliest doubts, at most MaxPerItem, strongest first, to dst and
// their evidence to facts; both are returned. A doubt that he raised comes first, with
// its evidence; one that he raised twice is kept for the manager and answered no more; a
// refusal ends everything; who named a day to come back is left alone until then.
func Foresee(c *Case, dst []Objection, facts []fund.Evidence) ([]Objection, []fund.Evidence) {
	if c.Customer.Refused {
		return dst, facts
	}
	v := newView(c, facts)
	var all doubts
	v.raise(&all)
	for range MaxPerItem {
		d := all.strongest()
		if d == nil {
			break
		}
		dst = append(dst, Objection{})
		v.complete(d, &dst[len(dst)-1])
		d.band = fund.BandUnknown // taken
	}
	return dst, v.facts
}

// complete makes the answer to a doubt, in place.
func (v *view) complete(d *doubt, o *Objection) {
	o.Code, o.Band, o.Raised, o.Silenced, o.Advice = d.code, d.band, d.raised, d.raised >= maxRebuttals, advice[d.code]
	for i, t := range d.triggers[:d.count] {
		o.Triggers[i] = t.String()
	}
	start := len(v.facts)
	v.ground(o)
	middle := len(v.facts)
	switch {
	case !o.Silenced:
		v.answer(o)
	case d.code != NotNow: // which was never to be answered, and keeps its own advice
		o.Advice = "objection.advice.SILENCED"
	}
	o.Grounds = v.facts[start:middle:middle]
	o.Evidence = v.facts[middle:len(v.facts):len(v.facts)]
}

// answer appends the evidence and names the sentences.
func (v *view) answer(o *Objection) {
	switch o.Code {
	case Drawdown:
		v.answerDrawdown(o)
	case LossTrauma:
		v.answerLossTrauma(o)
	case Timing:
		v.answerTiming(o)
	case OpportunityCost:
		v.answerOpportunityCost(o)
	case Fee:
		v.answerFee(o)
	case CheaperElsewhere:
		v.answerCheaperElsewhere(o)
	case Liquidity:
		v.answerLiquidity(o)
	case NewFund:
		v.answerNewFund(o)
	case ManagerTrust:
		v.answerManagerTrust(o)
	default:
		v.answerOther(o)
	}
}

func (v *view) answerOther(o *Objection) {
	switch o.Code {
	case Understand:
		v.answerUnderstand(o)
	case Size:
		v.answerSize(o)
	case Dividend:
		v.answerDividend(o)
	case AlreadyHave:
		v.answerAlreadyHave(o)
	case BreakEvenFirst:
		v.answerBreakEvenFirst(o)
	case AskFamily:
		v.answerAskFamily(o)
	case Pushed:
		v.answerPushed(o)
	default:
		o.Sentences[0] = "objection.NOT_NOW.take_time"
	}
}
