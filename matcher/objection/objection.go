// Package objection is 化: it foresees the doubts that a customer will have about a
// product and answers each with dated, sourced facts, never with a promise. What raises
// a doubt is for managers only; what answers it is for both.
package objection

import (
	"cmp"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Code names a doubt.
type Code uint8

// The doubts, in the playbook's order.
const (
	Drawdown Code = iota
	Fee
	Liquidity
	NewFund
	Codes // the number of codes
)

var codeNames = [Codes]string{"DRAWDOWN", "FEE", "LIQUIDITY", "NEW_FUND"}

// String returns the doubt's code.
func (c Code) String() string { return codeNames[c] }

// Band says how likely a doubt is; no figure until outcomes calibrate one.
type Band uint8

// The bands.
const (
	Low Band = iota + 1
	Medium
	High
)

// String returns the band's code.
func (b Band) String() string { return [...]string{"UNKNOWN", "LOW", "MEDIUM", "HIGH"}[b] }

// MaxPerItem is how many doubts an item answers.
const MaxPerItem = 3

// maxSentences is how many sentences an answer has at most.
const maxSentences = 3

// Objection is a doubt and its answer.
type Objection struct {
	Code      Code
	Band      Band
	Triggers  [2]string // managers only; empty entries: fewer
	Evidence  []fund.Evidence
	Sentences [maxSentences]string // templates; their slots are fields of Evidence
	Discloses string               // id of the disclosure that belongs to it; may be empty
}

// Case is one product before one customer. Facts about him are zero where they may not
// be read.
type Case struct {
	Product   *fund.Product
	Record    *fund.TrackRecord
	Grade     fund.RiskGrade
	NewIssue  bool
	PeerName  string // existing fund beside a new issue; empty: none
	StaleDays int32  // an older record is shown with its date and resolves nothing
	Day       fund.Date

	Level         fund.RiskLevel
	Need          fund.Need
	Elder         bool
	HorizonMonths int32 // 0: unknown, CostDays is then the default's
	CostMonths    int32 // months that the costs are computed for
	Amount        fund.Money
	Asked         bool // Amount is a suggestion for him, not the model's reference
	CostA         ClassCost
	CostC         ClassCost
	Own           ClassCost // of the product itself
}

// ClassCost is the cost of one share class; not OK when it is not on offer or its fees
// are unknown.
type ClassCost struct {
	fund.Cost
	OK bool
}

// Foresee appends the likeliest doubts, at most MaxPerItem, strongest first, to dst and
// their evidence to facts; both are returned.
func Foresee(c *Case, dst []Objection, facts []fund.Evidence) ([]Objection, []fund.Evidence) {
	var all [Codes]Objection
	n := 0
	for code := range Codes {
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
	o := Objection{Code: Drawdown, Band: Low}
	switch {
	case c.Level != fund.LevelUnknown && c.Level <= fund.C2:
		o.Band, o.Triggers[0] = High, "LOW_LEVEL"
	case c.Grade >= fund.R3:
		o.Band, o.Triggers[0] = Medium, "GRADE"
	}
	return o, true
}

// raiseFee 费用: always worth an answer; likelier when the money stays a short time.
func raiseFee(c *Case) (Objection, bool) {
	o := Objection{Code: Fee, Band: Low}
	if c.HorizonMonths > 0 && c.HorizonMonths < 12 {
		o.Band, o.Triggers[0] = Medium, "SHORT_HORIZON"
	}
	return o, true
}

// raiseLiquidity 流动性: money needed soon, age, or a product that holds it.
func raiseLiquidity(c *Case) (Objection, bool) {
	o := Objection{Code: Liquidity, Band: Low}
	if c.Product.Terms.LockupDays > 0 || c.Product.Terms.ClosedUntil > c.Day {
		o.Band, o.Triggers[0] = Medium, "LOCKUP"
	}
	switch {
	case c.Need == fund.NeedHigh:
		o.Band, o.Triggers[1] = High, "NEED"
	case c.Elder && o.Band == Medium:
		o.Triggers[1] = "AGE"
	}
	return o, true
}

// raiseNewFund 没有业绩: a fund without a record of its own.
func raiseNewFund(c *Case) (Objection, bool) {
	return Objection{Code: NewFund, Band: High, Triggers: [2]string{"NEW_ISSUE"}}, c.NewIssue
}
