package eligibility

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The codes of remedies. A finding without one asks for no change: something is to be said
// or done and that is all.
const (
	RemedyNone           = "NONE"                 // nothing that he or the bank can do for this product
	RemedyRetest         = "RETEST_RISK"          // a new risk assessment
	RemedyWait           = "WAIT_UNTIL"           // Remedy.On
	RemedyConfirm        = "CONFIRM"              // a recorded confirmation of his
	RemedyManager        = "TALK_TO_MANAGER"      // a person who may sell it
	RemedyStateGoal      = "STATE_GOAL"           // his own word on goal and horizon
	RemedyProof          = "SHOW_PROOF"           // of a qualified investor
	RemedyPensionAccount = "OPEN_PENSION_ACCOUNT" // 个人养老金资金账户
	RemedyHeadOffice     = "HEAD_OFFICE"          // head office corrects the pool or the product's fees
	RemedyLowerGrade     = "LOWER_GRADE"          // another product of a lower grade; for this one nothing
	RemedySwitchChannel  = "SWITCH_CHANNEL"       // in the branch, or in a channel of the bank's own
	RemedyReview         = "REVIEW"               // a person decides first
)

// wayOut is how a part names its remedy. The zero value: it names none.
type wayOut struct {
	codes []string // all that of may name
	of    func(c *candidate, f *Facts) Remedy
}

func (w wayOut) name(c *candidate, f *Facts) Remedy {
	if w.of == nil {
		return Remedy{}
	}
	return w.of(c, f)
}

// only is the way out of a part with one remedy.
func only(code string) wayOut {
	return wayOut{[]string{code}, func(*candidate, *Facts) Remedy { return Remedy{Code: code} }}
}

// wait is the way out that time alone brings, on the first day on which the part is silent.
func wait(until func(c *candidate, f *Facts) fund.Date) wayOut {
	return wayOut{[]string{RemedyWait}, func(c *candidate, f *Facts) Remedy { return Remedy{Code: RemedyWait, On: until(c, f)} }}
}

// either is the first way out where the condition holds, else the second.
func either(condition func(f *Facts) bool, first, second wayOut) wayOut {
	return wayOut{append(append([]string(nil), first.codes...), second.codes...), func(c *candidate, f *Facts) Remedy {
		if condition(f) {
			return first.name(c, f)
		}
		return second.name(c, f)
	}}
}

// confirmed: what a warning cures in his own order; brought up by the bank it is cured by
// nothing.
func confirmed() wayOut { return either(ownOrder, only(RemedyConfirm), only(RemedyNone)) }

func ownOrder(f *Facts) bool { return f.Situation == CustomerOrder }

// ReasonSpec is one thing that a rule may say.
type ReasonSpec struct {
	Rule   RuleID
	Reason string
	// Floor are the weakest outcomes that a pack may set; of a part with an outcome of its
	// own that one, and None where it never speaks.
	Floor    Outcomes
	Remedies []string // the codes that its findings may bear; empty: none
	Order    bool     // said of one order only, not of a product
}

// Reasons lists everything that the gate may say, in the rulebook's order: every reason
// needs a text.
func Reasons() []ReasonSpec {
	var out []ReasonSpec
	for i := range rulebook {
		spec, e := &rulebook[i], &Edition{}
		add := func(reason string, own Outcomes, remedies []string, order bool) {
			if own == (Outcomes{}) {
				own = spec.floor
			}
			out = append(out, ReasonSpec{Rule: spec.id, Reason: reason, Floor: own, Remedies: remedies, Order: order})
		}
		if spec.parts != nil {
			for _, p := range spec.parts(e, 0) {
				add(p.reason, p.outcomes, p.way.codes, false)
			}
		}
		if spec.order != nil {
			for _, p := range spec.order(e) {
				add(p.reason, p.outcomes, p.remedies(spec), true)
			}
		}
		if spec.id == A06 {
			for _, reason := range silences {
				add(reason, Outcomes{}, []string{RemedyWait}, false)
			}
		}
	}
	return out
}

// remedies lists the codes that findings of the part may bear: whatever outcomes a pack may
// set for the rule, or those of a part that says its own.
func (p orderPart) remedies(spec *ruleSpec) (codes []string) {
	weakest := p.outcomes[CustomerOrder]
	says := []Outcome{weakest}
	if p.outcomes == (Outcomes{}) {
		weakest = spec.floor[CustomerOrder]
		says = []Outcome{weakest, Confirm, Review}
	}
	for _, o := range says {
		if code := remedyOf(&p, o); code != "" && o >= weakest && !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	return codes
}
