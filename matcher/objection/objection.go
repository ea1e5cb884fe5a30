// Package objection is 化: it foresees the doubts that a customer will have about a
// product and answers each with dated, sourced facts, never with a promise. What raises
// a doubt is for managers only; what answers it is for both.
package objection

import (
	"cmp"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// MaxPerItem is how many doubts an item answers.
const MaxPerItem = 3

// Objection is a doubt and its answer. Code, Band, Raised, Triggers, Grounds and Advice
// are for managers only; a customer sees the answer under Code.Face, and nothing of a
// doubt that is Silenced or has no face.
type Objection struct {
	Code      Code
	Band      fund.Band       // Low, Medium or High
	Silenced  bool            // he raised it twice about this product and was answered: no more is said to him
	Raised    int32           // times that he raised it about this product
	Triggers  [3]string       // what raises it; empty entries: fewer
	Grounds   []fund.Evidence // the facts of him that raise it, and figures that only a manager may see (W01)
	Evidence  []fund.Evidence // the facts that answer it
	Sentences [4]string       // templates for both; their slots are fields of Evidence; empty entries: fewer
	Advice    string          // template for managers: what to say and what never; its slots are fields of Evidence and Grounds
	Discloses string          // id of the disclosure that belongs to it; may be empty
}

// Raises says which doubts a product raises by itself: after an objection, products that
// raise the same are offered less.
func Raises(s *Subject) Set {
	set := Set(0)
	if s.NewIssue {
		set = set.With(NewFund)
	}
	return set
}

// Foresee appends the likeliest doubts, at most MaxPerItem, strongest first, to dst and
// their evidence to facts; both are returned.
func Foresee(c *Case, dst []Objection, facts []fund.Evidence) ([]Objection, []fund.Evidence) {
	if c.Customer.Refused {
		return dst, facts
	}
	var all [Codes]Objection
	n := 0
	for code := range LossTrauma {
		if o, ok := raise(c, code); ok {
			all[n] = o
			n++
		}
	}
	slices.SortFunc(all[:n], func(a, b Objection) int {
		return cmp.Or(cmp.Compare(b.Band, a.Band), cmp.Compare(a.Code, b.Code))
	})
	for _, o := range all[:min(n, MaxPerItem)] {
		start := len(facts)
		facts = answer(c, &o, facts)
		o.Evidence = facts[start:len(facts):len(facts)]
		dst = append(dst, o)
	}
	return dst, facts
}

// raise says whether the customer will have the doubt.
func raise(c *Case, code Code) (Objection, bool) {
	switch code {
	case Drawdown:
		return raiseDrawdown(c)
	case Fee:
		return raiseFee(c)
	case Liquidity:
		return raiseLiquidity(c)
	default:
		return raiseNewFund(c)
	}
}

// answer fills in evidence and sentences.
func answer(c *Case, o *Objection, facts []fund.Evidence) []fund.Evidence {
	switch o.Code {
	case Drawdown:
		return answerDrawdown(c, o, facts)
	case Fee:
		return answerFee(c, o, facts)
	case Liquidity:
		return answerLiquidity(c, o, facts)
	default:
		return answerNewFund(c, o, facts)
	}
}

// raiseDrawdown 怕回撤: who bears little, before what has fallen or may fall.
func raiseDrawdown(c *Case) (Objection, bool) {
	if c.Grade <= fund.R1 && !c.Record.Spans[fund.SinceStart].Drawdown.OK {
		return Objection{}, false
	}
	if c.Grade == fund.GradeUnknown && !c.showsRecord() {
		return Objection{}, false // neither grade nor record: there is nothing to answer with
	}
	o := Objection{Code: Drawdown, Band: fund.Low}
	switch {
	case c.Customer.Level != fund.LevelUnknown && c.Customer.Level <= fund.C2:
		o.Band, o.Triggers[0] = fund.High, "LOW_LEVEL"
	case c.Grade >= fund.R3:
		o.Band, o.Triggers[0] = fund.Medium, "GRADE"
	}
	return o, true
}

// raiseFee 费用: always worth an answer; likelier when the money stays a short time.
func raiseFee(c *Case) (Objection, bool) {
	o := Objection{Code: Fee, Band: fund.Low}
	if c.Customer.HorizonMonths > 0 && c.Customer.HorizonMonths < 12 {
		o.Band, o.Triggers[0] = fund.Medium, "SHORT_HORIZON"
	}
	return o, true
}

// raiseLiquidity 流动性: money needed soon, age, or a product that holds it.
func raiseLiquidity(c *Case) (Objection, bool) {
	o := Objection{Code: Liquidity, Band: fund.Low}
	if c.Product.Terms.LockupDays > 0 || c.Product.Terms.ClosedUntil > c.Day {
		o.Band, o.Triggers[0] = fund.Medium, "LOCKUP"
	}
	switch {
	case c.Customer.Need == fund.NeedHigh:
		o.Band, o.Triggers[1] = fund.High, "NEED"
	case c.Customer.Elder && o.Band == fund.Medium:
		o.Triggers[1] = "AGE"
	}
	return o, true
}

// raiseNewFund 没有业绩: a fund without a record of its own.
func raiseNewFund(c *Case) (Objection, bool) {
	return Objection{Code: NewFund, Band: fund.High, Triggers: [3]string{"NEW_ISSUE"}}, c.NewIssue
}
