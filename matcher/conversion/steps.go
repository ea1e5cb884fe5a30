package conversion

// Step is one gate or duty before an order; its label is the template "step." + code.
type Step string

// The steps, in the order in which they are taken.
const (
	StepRetest    Step = "RETEST_RISK"
	StepFirstTest Step = "TAKE_RISK_TEST"
	StepAnswer    Step = "ANSWER_QUESTION"
	StepTalk      Step = "TALK_TO_MANAGER"
	StepGuardian  Step = "GUARDIAN"
	StepPension   Step = "OPEN_PENSION_ACCOUNT"
	StepRecord    Step = "RECORD_SALE"
	StepKeyFacts  Step = "READ_KEY_FACTS"
	StepOpinion   Step = "MATCHING_OPINION"
	StepFees      Step = "CONFIRM_FEES"
	StepAskFees   Step = "ASK_FEES"
	StepWarning   Step = "SIGN_WARNING"
	StepElder     Step = "CONFIRM_ELDER"
	StepPlan      Step = "CONFIRM_PLAN"
	StepAmount    Step = "CONFIRM_AMOUNT"
	StepOrder     Step = "PLACE_ORDER"
)

// MaxSteps bounds the steps of one action.
const MaxSteps = 10

// Label returns the step's template.
func (s Step) Label() string { return "step." + string(s) }

// gates lists what comes before an order, in order. Whoever acts for him must be there
// first (E02); then the recording begins, because it has to hold the explanation and
// the spoken warnings (C04); then he gets the documents, the opinion and the fees (C05);
// then he is warned (S03, S05); only then he confirms anything. A matter that needs a
// confirmation ends there: the order is his to ask for, so it is not among the steps.
func (v *Conversion) gates(c *sitting) {
	n := 0
	put := func(when bool, s Step) {
		if when {
			v.Steps[n] = s
			n++
		}
	}
	own := c.Quote.Own.OK
	put(c.Person.Guardian, StepGuardian)
	put(c.Branch, StepRecord)
	put(true, StepKeyFacts)
	put(true, StepOpinion)
	put(own, StepFees)
	put(!own, StepAskFees)
	// A professional is offered what is above his level, and warned like everybody (S03).
	put(v.Action == ConfirmRequired || above(c), StepWarning)
	put(c.Person.Elder && !c.Person.Company, StepElder)
	put(v.Action == Plan, StepPlan)
	put(v.Action == Buy && c.Quote.Suggested == 0, StepAmount)
	put(v.Action != ConfirmRequired, StepOrder)
}
