package eligibility

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// RuleID names a rule of the rulebook: S01, E02, ...
type RuleID string

// The rules of this package, in the rulebook's order.
const (
	S01 RuleID = "S01"
	S02 RuleID = "S02"
	S03 RuleID = "S03"
	S04 RuleID = "S04"
	S07 RuleID = "S07"
	S09 RuleID = "S09"
	S10 RuleID = "S10"
	S12 RuleID = "S12"
	S14 RuleID = "S14"
	E01 RuleID = "E01"
	E02 RuleID = "E02"
	C02 RuleID = "C02"
	G01 RuleID = "G01"
	P02 RuleID = "P02"
	P03 RuleID = "P03"
	A02 RuleID = "A02"
	A06 RuleID = "A06"
	F04 RuleID = "F04"
	K03 RuleID = "K03"
)

// Outcome is what a rule says. A greater outcome is stronger; the strongest of all
// rules that spoke is the verdict.
type Outcome uint8

// The outcomes, weakest first.
const (
	None     Outcome = iota // the rule is silent
	Audit                   // recorded
	Task                    // work for someone
	Disclose                // text must be shown
	Step                    // something to do or record before the order
	Confirm                 // warn, recorded confirmation
	Review                  // a person decides first
	Hide                    // never recommended; the customer may still find it himself
	Block                   // cannot be sold
	outcomes
)

var outcomeNames = [...]string{"NONE", "AUDIT", "TASK", "DISCLOSE", "STEP", "CONFIRM", "REVIEW", "HIDE", "BLOCK"}

// String returns the outcome's code.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprint(uint8(o))
}

// Excludes reports whether the outcome keeps a product out of what is offered or sold.
func (o Outcome) Excludes() bool { return o >= Hide }

// hardened is the outcome on the firm's own initiative: nobody is recommended what he
// must be warned of.
func (o Outcome) hardened() Outcome {
	if o == Confirm || o == Review {
		return Hide
	}
	return o
}

// Situation is what the gate is asked about.
type Situation uint8

// The situations.
const (
	// Recommendation: the firm would like to show the product.
	Recommendation Situation = iota
	// FirmOrder: an order for what the firm brought up, or whose origin cannot be shown.
	FirmOrder
	// CustomerOrder: his own order, and his own search, which is judged as the order
	// that it may lead to.
	CustomerOrder
	situations
)

var situationNames = [...]string{"recommendation", "firm_order", "customer_order"}

// String returns the situation's key in a rule pack.
func (s Situation) String() string {
	if int(s) < len(situationNames) {
		return situationNames[s]
	}
	return fmt.Sprint(uint8(s))
}

// Outcomes are a rule's outcomes by situation.
type Outcomes [situations]Outcome

// Finding is what one rule said about one product.
type Finding struct {
	Rule     RuleID
	Outcome  Outcome
	Reason   string // a code such as GRADE_ABOVE_LEVEL: the key of the text template
	Facts    []Fact // what the reason rests on, in a fixed order
	Citation string
}

// Fact is a named value for the text of a reason.
type Fact struct{ Name, Value string }

// RuleCount is how many products one rule excluded.
type RuleCount struct {
	ID    RuleID
	Count int
}

// Verdict is the gate's answer about one product.
type Verdict struct {
	Outcome     Outcome // the strongest
	Permitted   bool    // nothing excludes it; an order may still need steps or a confirmation
	Information bool    // permitted, but only to be read: no buy button (S12)
}

// Verdicts is the gate's answer about all products. The buffers are used again by the
// next Select.
type Verdicts struct {
	Permitted   []uint64    // bit i: product i is permitted
	Excluded    []RuleCount // rules that excluded something, in pack order
	Information bool        // what is permitted is only to be read (S12)
}

// Has reports whether product i is permitted.
func (v *Verdicts) Has(i int) bool { return v.Permitted[i>>6]>>(i&63)&1 == 1 }

// Context is the circumstance of a question. The zero value is a recommendation on the
// firm's initiative over an unknown channel.
type Context struct {
	At         fund.Instant
	Initiative fund.Initiative
	Channel    fund.Channel
	Public     bool // shown to the unspecified public: a list that is not personal
	Order      bool
}

func (c Context) situation() Situation {
	switch {
	case c.Initiative == fund.ByCustomer:
		return CustomerOrder
	case c.Order:
		return FirmOrder
	default:
		return Recommendation
	}
}
