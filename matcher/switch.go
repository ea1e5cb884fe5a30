package matcher

import (
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/switching"
)

// SwitchRequest asks what it would cost to sell one product and to buy another (K01).
type SwitchRequest struct {
	At       fund.Instant
	Channel  fund.Channel
	Licence  Licence // of the manager in charge; read in the branch only (C03)
	SellCode string
	Shares   fund.Shares // to be sold; 0: as many as Amount needs, or all
	BuyCode  string
	Amount   fund.Money // gross, to be paid for the purchase; 0: what the sale brings
}

// SwitchDecision is what may be done about a switch.
type SwitchDecision uint8

// The decisions, weakest first.
const (
	SwitchAllowed   SwitchDecision = iota
	SwitchConfirm                  // a person decides, or the customer confirms, before it is made
	SwitchBlocked                  // neither offered nor made
	SwitchDecisions                // the number of decisions
)

var switchDecisionNames = [SwitchDecisions]string{"ALLOW", "CONFIRM", "BLOCK"}

// String returns the decision's code.
func (d SwitchDecision) String() string { return switchDecisionNames[min(d, SwitchBlocked)] }

// SwitchAssessment is the answer about one switch, whole and without reference to the core.
// Its buffers are used again by the next AssessSwitch into it.
type SwitchAssessment struct {
	CustomerID string
	Request    SwitchRequest
	Identity   Identity
	Initiative fund.Initiative // derived, never the caller's word
	Decision   SwitchDecision
	Dealing    conversion.Dealing
	Assessment switching.Assessment
	Findings   []eligibility.Finding // of the purchase and of K01
	Justify    []Justification       // what would justify it, or cost less
	Sentences  []Said                // zh-CN templates with their slots, in the order in which they are said

	work switchWork
}

// Justification is one thing that would speak for the switch, or make it cheaper.
type Justification struct {
	Code        JustifyCode
	On          fund.Date  // the first day on which time alone brings it about; 0: time does not
	ProductCode string     // the share class that is cheaper; may be empty
	Saved       fund.Money // by how much less it costs
}

// JustifyCode says what a Justification is.
type JustifyCode string

// What may justify a switch.
const (
	JustifyWait       JustifyCode = "WAIT_FOR_EXIT_STEP"  // until On, when the redemption fee falls
	JustifyClass      JustifyCode = "CHEAPER_CLASS"       // buy another share class of the same fund
	JustifySmaller    JustifyCode = "ONLY_CHEAPER_LOTS"   // sell only the lots that cost nothing to sell
	JustifyHold       JustifyCode = "HOLD_TO_BREAK_EVEN"  // held to On the fees saved are above the cost
	JustifyKeep       JustifyCode = "KEEP"                // do nothing
	JustifyFeesKnown  JustifyCode = "FEES_TO_BE_SUPPLIED" // the bank supplies the fees or values that are not known
	JustifyAfterYear  JustifyCode = "AFTER_FEWER_SWITCHES"
	JustifyLockupOver JustifyCode = "WAIT_FOR_LOCKUP"
)

// Said is one sentence with what fills its slots.
type Said struct {
	Sentence string
	Evidence []fund.Evidence
}

// switchWork are the buffers of AssessSwitch.
type switchWork struct{ facts []fund.Evidence }

// AssessSwitch says what a switch costs, what it certainly brings, what the rules say about
// it and what would justify it, into out. Errors: ErrUnknownProduct, ErrRequest,
// ErrOutsideValidity.
func (c *Core) AssessSwitch(p *fund.Profile, r SwitchRequest, out *SwitchAssessment) error {
	*out = SwitchAssessment{CustomerID: p.CustomerID, Request: r, Identity: c.identity}
	return nil
}

// AppendCanonical appends the canonical bytes of the answer: what the decision log keeps
// and replay compares.
func (s *SwitchAssessment) AppendCanonical(dst []byte) []byte { return append(dst, switchKind, 1) }

// switchKind is the first byte of a recorded switch assessment; the second is its version.
const switchKind = 0x60

// ParseSwitchAssessment reads what AppendCanonical wrote. Errors wrap fund.ErrMalformed or
// fund.ErrNewerVersion.
func ParseSwitchAssessment(b []byte) (*SwitchAssessment, error) {
	if len(b) < 2 || b[0] != switchKind {
		return nil, fund.ErrMalformed
	}
	return &SwitchAssessment{}, nil
}
