package matcher

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/switching"
)

// SwitchRequest asks what it would cost to sell one product and to buy another (K01).
type SwitchRequest struct {
	At       fund.Instant
	Channel  fund.Channel
	Licence  eligibility.Licence // of the manager in charge; read in the branch only (C03)
	SellCode string
	Shares   fund.Shares // to be sold; 0: as many as Amount needs, or all
	BuyCode  string
	Amount   fund.Money // gross, to be paid for the purchase; 0: what the sale brings
}

// SwitchAssessment is the answer about one switch, whole and without reference to the core:
// what a decision record keeps. Its buffers are used again by the next AssessSwitch into it.
type SwitchAssessment struct {
	CustomerID string
	Request    SwitchRequest
	Identity   Identity
	Origin     behaviour.Origin // whose initiative it is; derived, never the caller's word
	// Verdict: OrderBlock where a rule excludes the purchase or the switch, or where nothing
	// can be sold; OrderConfirm where a warning or a review comes first; else OrderAllow.
	Verdict    OrderVerdict
	Dealing    Dealing // of both legs
	Horizon    SwitchHorizon
	Assessment switching.Assessment
	Findings   []eligibility.Finding // of the gate about the purchase, then of K01
	Justify    []Justification       // what would justify it, or cost less
	Sentences  []Said                // in the order in which they are said

	work switchWork
}

// SwitchHorizon is for how long the new fund would be held.
type SwitchHorizon struct {
	Days    int32
	Assumed bool // he named none: a year, or less where the model's default is less
}

// Justification is one thing that would speak for the switch, or make it cheaper.
type Justification struct {
	Code        JustifyCode
	On          fund.Date  // the first day on which time alone brings it about; 0: time does not
	ProductCode string     // the share class that is cheaper; may be empty
	Amount      fund.Money // what the sale would bring; 0: it does not change
	Saved       fund.Money // by how much less it costs; 0: it saves nothing by itself
}

// JustifyCode says what a Justification is.
type JustifyCode string

// What may justify a switch, or make it cheaper, in the order in which it is said.
const (
	JustifyFees   JustifyCode = "SUPPLY_FEES"        // put on file the fees, values or days that are missing
	JustifyLockup JustifyCode = "WAIT_FOR_LOCKUP"    // until On, when the first locked lot is free
	JustifyWait   JustifyCode = "WAIT_FOR_EXIT_STEP" // until On, when the redemption fee falls
	JustifyLess   JustifyCode = "SELL_FREE_LOTS"     // sell less: only the lots that cost nothing to sell
	JustifyClass  JustifyCode = "CHEAPER_CLASS"      // buy another share class of the same fund
	JustifyLonger JustifyCode = "HOLD_TO_BREAK_EVEN" // hold to On: from then on the fees saved are above the cost
	JustifyKeep   JustifyCode = "KEEP"               // do nothing: it costs nothing
)

// Said is one sentence with what fills its slots.
type Said struct {
	Sentence string // template
	Evidence []fund.Evidence
}

// switchWork are the buffers of AssessSwitch.
type switchWork struct {
	work    work
	classes []*fund.Product
	stakes  []switching.Stake
}

// AssessSwitch says what a switch certainly costs and brings, what the rules say of it and
// what would justify it, into out. Errors: ErrUnknownProduct, ErrOutsideValidity, and
// ErrRequest for shares or an amount below 0 or above fund.MaxMoney, or a product that is to
// be switched into itself.
func (c *Core) AssessSwitch(p *fund.Profile, r SwitchRequest, out *SwitchAssessment) error {
	sell, buy, err := c.checkSwitch(&r)
	if err != nil {
		return err
	}
	w := out.work
	*out = SwitchAssessment{
		CustomerID: p.CustomerID, Request: r, Identity: c.identity, Assessment: out.Assessment,
		Findings: out.Findings[:0], Justify: out.Justify[:0], Sentences: out.Sentences[:0], work: w,
	}
	out.Origin = behaviour.OriginOf(&p.Trail, c.ofFund(buy), r.At, c.gate.OrderTerms(buy).OriginDays)
	ctx := eligibility.Context{At: r.At, Initiative: out.Origin.Initiative, Channel: r.Channel, Licence: r.Licence, Order: true}
	a := c.ask(p, Request{At: r.At, Channel: r.Channel}, ctx, &out.work.work)
	out.Dealing = c.dealSwitch(sell, buy, r.At)
	out.Horizon = c.switchHorizon(&a)
	k := c.switchCase(&a, sell, buy, out)
	switching.Assess(&k, &out.Assessment)
	c.judgeSwitch(&a, buy, out)
	c.justify(out)
	c.sayOfSwitch(&a, sell, buy, out)
	return nil
}

// checkSwitch finds both products.
func (c *Core) checkSwitch(r *SwitchRequest) (sell, buy int, err error) {
	switch {
	case r.At < c.from || r.At >= c.until:
		return 0, 0, fmt.Errorf("%w: %s, the core speaks for %s to %s", ErrOutsideValidity, r.At, c.from, c.until)
	case r.Shares < 0 || r.Shares > fund.Shares(fund.MaxMoney):
		return 0, 0, fmt.Errorf("%w: %d ten-thousandths of a share, expected 0 to %d", ErrRequest, r.Shares, fund.MaxMoney)
	case r.Amount < 0 || r.Amount > fund.MaxMoney:
		return 0, 0, fmt.Errorf("%w: amount %d fen, expected 0 to %d", ErrRequest, r.Amount, fund.MaxMoney)
	case r.SellCode == r.BuyCode:
		return 0, 0, fmt.Errorf("%w: %q is sold to buy itself", ErrRequest, clip(r.SellCode))
	}
	sell, ok := c.Find(r.SellCode)
	if !ok {
		return 0, 0, fmt.Errorf("%w: %q", ErrUnknownProduct, clip(r.SellCode))
	}
	if buy, ok = c.Find(r.BuyCode); !ok {
		return 0, 0, fmt.Errorf("%w: %q", ErrUnknownProduct, clip(r.BuyCode))
	}
	return sell, buy, nil
}

// judgeSwitch lets the gate speak of the purchase and K01 of the switch.
func (c *Core) judgeSwitch(a *asking, buy int, out *SwitchAssessment) {
	verdict, findings := c.gate.Judge(buy, &a.facts, &out.work.work.refusals, out.Findings)
	s := switchOf(&out.Assessment)
	k01, findings := c.gate.JudgeSwitch(buy, &a.facts, &s, out.Dealing.On, findings)
	out.Findings = findings
	strongest := max(verdict.Outcome, k01.Outcome)
	switch {
	case strongest.Excludes() || out.Assessment.Gaps.Has(switching.NoLots):
		out.Verdict = OrderBlock
	case strongest >= eligibility.Confirm:
		out.Verdict = OrderConfirm
	default:
		out.Verdict = OrderAllow
	}
}

// switchOf is what K01 reads of an assessment.
func switchOf(s *switching.Assessment) eligibility.Switch {
	return eligibility.Switch{
		Found: s.Verdict != switching.NoSwitch, CostKnown: s.Cost.OK, Cost: s.Cost.Total(), Benefit: s.Benefit.Running,
		CuresMismatch: s.Benefit.Mismatch, CuresConcentration: s.Benefit.Concentration, YoungestDays: s.Sold.Youngest,
		SwitchesAYear: s.Past.Switches, Turnover: s.Past.Turnover, CostToEquity: s.Past.CostToEquity, InAndOut: s.Past.InAndOut,
	}
}
