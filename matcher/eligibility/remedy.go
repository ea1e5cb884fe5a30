package eligibility

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

// ReasonSpec is one thing that a rule may say.
type ReasonSpec struct {
	Rule   RuleID
	Reason string
	// Floor are the weakest outcomes that a pack may set; of a part with an outcome of its
	// own that one, and None where it never speaks.
	Floor    Outcomes
	Remedies []string // the codes that its findings may bear; empty: none
}

// Reasons lists everything that the gate may say, in the rulebook's order: every reason
// needs a text.
func Reasons() []ReasonSpec { return nil }
