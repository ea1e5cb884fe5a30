package eligibility

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
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

// onFirmsInitiative hardens the outcomes of what the firm brings up.
func (o Outcomes) onFirmsInitiative() Outcomes {
	o[Recommendation], o[FirmOrder] = o[Recommendation].hardened(), o[FirmOrder].hardened()
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
	Rule    RuleID
	Outcome Outcome
	Reason  string // a code such as GRADE_ABOVE_LEVEL: the key of the text template
	Facts   []Fact // what the reason rests on, in a fixed order
	// Parameters are those of the rule's entry that this part of it reads.
	Parameters []Parameter
	// Remedy is what would have to change for the rule to be silent.
	Remedy   Remedy
	Citation string
}

// Tellable reports whether a customer may learn that the rule spoke. Of an open check of
// identity or of money laundering he may not: not that there is one, and not which (C07;
// 反洗钱法: what is told tips off).
func (id RuleID) Tellable() bool { return id != C07 }

// Remedy is a way out. The zero value: there is none to name.
type Remedy struct {
	Code string    // RETEST_RISK, WAIT_UNTIL, CONFIRM, ...: the key of the text template remedy.<code>
	On   fund.Date // the first day on which time alone brings it about; 0: time does not
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
	Licence    Licence // of the manager who speaks; read in the branch only (C03)
	Public     bool    // shown to the unspecified public: a list that is not personal
	Order      bool
}

// Licence is what is known of the manager in charge (C03). Whoever is not shown to hold
// one holds none.
type Licence uint8

// The states of a licence. Only LicenceValid lets a branch sell.
const (
	LicenceMissing   Licence = iota // no manager is in charge, or no licence on file
	LicenceExpired                  // or of unknown end
	LicenceElsewhere                // the manager is known to be of another branch than the customer
	LicenceValid
)

var licenceNames = [...]string{"MISSING", "EXPIRED", "ELSEWHERE", "VALID"}

// String returns the state's code.
func (l Licence) String() string {
	if int(l) < len(licenceNames) {
		return licenceNames[l]
	}
	return fmt.Sprint(uint8(l))
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
