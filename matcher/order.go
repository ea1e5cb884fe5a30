package matcher

import (
	"fmt"
	"slices"
	"time"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// OrderConfirmationLife is how long a confirmation, or a review, of an order's warning may
// be used: what stands unused for longer was said about another day. The service sets
// ExpiresAt by it.
const OrderConfirmationLife = 7 * 24 * time.Hour

// MaxGivenConfirmations bounds the confirmations of one order.
const MaxGivenConfirmations = 32

// OrderRequest is one order to be checked. Who brought it up is not in it: that is derived.
type OrderRequest struct {
	ProductCode   string
	Amount        fund.Money
	At            fund.Instant
	Channel       fund.Channel
	Licence       eligibility.Licence // of the manager in charge; read in the branch only (C03)
	RecordingID   string              // of the sound and picture of a branch sale (C04); empty: none
	Confirmations []GivenConfirmation
}

// GivenConfirmation is a recorded word of the customer that comes with an order. That it is
// his is the caller's to know.
type GivenConfirmation struct {
	ID string
	WarnedOf
	WordProof
	AskedAt, ConfirmedAt, ExpiresAt fund.Instant
	Used                            bool // it served another decision
}

// WarnedOf is what a confirmation is about: it stands for nothing else.
type WarnedOf struct {
	Rule        eligibility.RuleID
	Reason      string
	ProductCode string
	Grade       fund.RiskGrade // the effective one
	Level       fund.RiskLevel
	Amount      fund.Money // the largest that he confirmed
}

// WordProof is what proves a word: in a branch the recording and the manager, elsewhere the
// trace of the electronic signature (C04); of a review also the person who decided.
type WordProof struct {
	Channel, Trace, RecordingID, ManagerID, ReviewerID string
}

// OrderVerdict is the answer to an order.
type OrderVerdict uint8

// The verdicts. The zero value lets nothing through.
const (
	OrderBlock   OrderVerdict = iota // it cannot be placed
	OrderConfirm                     // not before what is required is confirmed
	OrderAllow
	orderVerdicts
)

// String returns the verdict's code.
func (v OrderVerdict) String() string {
	return [...]string{"BLOCK", "CONFIRM", "ALLOW"}[min(v, OrderAllow)]
}

// OrderCheck is the answer to one order, whole and without reference to the core: what a
// decision record keeps. Its buffers are used again by the next CheckOrder into it.
type OrderCheck struct {
	CustomerID string
	Request    OrderRequest
	Identity   Identity
	Origin     behaviour.Origin
	Verdict    OrderVerdict
	Findings   []eligibility.OrderFinding // of every rule that spoke
	OrderDemands
	OrderWords
	Dealing Dealing
	// MaxAmount is the largest amount that neither the day limit nor his means nor the
	// concentration speak against; fund.MaxMoney: nothing bounds it; 0: there is none.
	MaxAmount fund.Money
	Facts     []fund.Evidence // the order and what it was measured by

	work switchWork
}

// OrderDemands are what the findings ask for.
type OrderDemands struct {
	Required    []Requirement
	Steps       []OrderStep
	Disclosures []OrderDisclosure
}

// OrderWords are what became of the confirmations that came with the order.
type OrderWords struct {
	Rejected []RejectedConfirmation
	Uses     []string // ids that the order consumes; only where the verdict is OrderAllow
}

// Requirement is a warning to be confirmed by the customer, or to be decided by a person,
// before the order.
type Requirement struct {
	WarnedOf
	Kind      eligibility.Outcome // Confirm or Review
	Met       bool                // by one of the given confirmations
	Sentence  string              // template; its slots are fields of Evidence
	Evidence  []fund.Evidence
	NotBefore fund.Instant // the earliest instant of the order (S05: time to think); 0: none
}

// OrderStep is something to do or to record before the order. It does not change the verdict.
type OrderStep struct {
	Rule     eligibility.RuleID
	Code     string // RECORDING, KEY_FACTS, ...
	Done     bool
	Sentence string // template
	Evidence []fund.Evidence
}

// OrderDisclosure is something that must be shown before the order.
type OrderDisclosure struct {
	Rule     eligibility.RuleID
	Code     string
	Sentence string // template; empty: another part of the program words it
	Evidence []fund.Evidence
}

// RejectedConfirmation is a given confirmation that does not count.
type RejectedConfirmation struct {
	ID  string
	Why RejectionReason
}

// RejectionReason says why a confirmation does not count.
type RejectionReason string

// The reasons, in the order in which they are looked for.
const (
	RejectedTwice       RejectionReason = "GIVEN_TWICE" // its id stands before
	RejectedUsed        RejectionReason = "USED"
	RejectedProduct     RejectionReason = "OTHER_PRODUCT"
	RejectedNotRequired RejectionReason = "NOT_REQUIRED" // nothing asks for that rule and reason
	RejectedGrade       RejectionReason = "OTHER_GRADE"
	RejectedLevel       RejectionReason = "OTHER_LEVEL"
	RejectedAmount      RejectionReason = "SMALLER_AMOUNT" // confirmed than ordered
	RejectedTimes       RejectionReason = "TIMES"          // confirmed before it was asked, or in the future
	RejectedExpired     RejectionReason = "EXPIRED"
	RejectedTooEarly    RejectionReason = "TOO_EARLY" // the time to think is not over
	RejectedRecording   RejectionReason = "NO_RECORDING"
	RejectedTrace       RejectionReason = "NO_TRACE"
	RejectedReviewer    RejectionReason = "NO_REVIEWER" // none, or the manager in charge himself
	RejectedSurplus     RejectionReason = "SURPLUS"     // another one meets the same requirement
)

// Dealing is when an order is dealt.
type Dealing struct {
	On       fund.Date // 0: no open day is in sight
	Later    bool      // not on the day on which it is given: after the cutoff, or a closed day
	Calendar conversion.CalendarSource
}

// CheckOrder derives whose initiative an order is, judges it by every rule, and settles it
// into out: OrderBlock where something excludes it, OrderConfirm where a warning or a review
// is not met by a proven confirmation, else OrderAllow. Steps and disclosures are told, done
// or not, and do not change the verdict. Errors: ErrUnknownProduct, ErrOutsideValidity, and
// ErrRequest for an amount that is none or above fund.MaxMoney, or too many confirmations.
func (c *Core) CheckOrder(p *fund.Profile, r OrderRequest, out *OrderCheck) error {
	place, err := c.checkOrderRequest(&r)
	if err != nil {
		return err
	}
	out.reset()
	r.Confirmations = slices.Clone(r.Confirmations)
	out.CustomerID, out.Request, out.Identity = p.CustomerID, r, c.identity
	terms := c.gate.OrderTerms(place)
	out.Origin = c.originOf(p, place, r.At)
	w := &out.work.work
	ctx := eligibility.Context{At: r.At, Initiative: out.Origin.Initiative, Channel: r.Channel, Licence: r.Licence, Order: true}
	w.asking = c.ask(p, Request{At: r.At, Channel: r.Channel, Limit: MinLimit}, ctx, w)
	a := &w.asking
	_, found := c.gate.Judge(place, &a.facts, &w.refusals, nil)
	for i := range found {
		out.Findings = append(out.Findings, eligibility.OrderFinding{Finding: found[i]})
	}
	order := c.orderOf(a, place, r.Amount, terms.WindowDays, w)
	c.readPapers(&order.Proofs, p, place, r.At)
	if a.facts.Situation == eligibility.CustomerOrder {
		// On the firm's initiative the gate has the word on redemptions that may pay an order
		// (PAID_BY_REDEMPTION): what a list may show is not judged by other measures here.
		order.Switch = c.switchFacts(a, place, r.Amount, &out.work)
	}
	order.Proofs.RecordingID, order.Proofs.Warned = r.RecordingID, asksForWord(out.Findings)
	_, out.Findings = c.gate.JudgeOrder(place, &a.facts, &order, out.Findings)
	out.MaxAmount = c.gate.MaxAmount(place, &a.facts, &order)
	out.Dealing = dealingOf(&order.Dealing)
	s := settlement{core: c, check: out, profile: p, place: place, terms: terms, level: a.facts.Level}
	out.Facts = c.orderFacts(&s, &a.facts, &order, out.Facts)
	s.settle()
	a.profile = nil
	return nil
}

func (c *Core) checkOrderRequest(r *OrderRequest) (place int, err error) {
	switch {
	case r.At < c.from || r.At >= c.until:
		return 0, fmt.Errorf("%w: %s, the core speaks for %s to %s", ErrOutsideValidity, r.At, c.from, c.until)
	case r.Amount <= 0 || r.Amount > fund.MaxMoney:
		return 0, fmt.Errorf("%w: amount of %d fen, expected 1 to %d", ErrRequest, r.Amount, fund.MaxMoney)
	case len(r.Confirmations) > MaxGivenConfirmations:
		return 0, fmt.Errorf("%w: %d confirmations, expected at most %d", ErrRequest, len(r.Confirmations), MaxGivenConfirmations)
	}
	place, ok := c.Find(r.ProductCode)
	if !ok {
		return 0, fmt.Errorf("%w: %q", ErrUnknownProduct, clip(r.ProductCode))
	}
	return place, nil
}

// reset empties the check and keeps the buffers.
func (o *OrderCheck) reset() {
	*o = OrderCheck{
		Findings: o.Findings[:0], Facts: o.Facts[:0], work: o.work,
		OrderDemands: OrderDemands{Required: o.Required[:0], Steps: o.Steps[:0], Disclosures: o.Disclosures[:0]},
		OrderWords:   OrderWords{Rejected: o.Rejected[:0], Uses: o.Uses[:0]},
	}
}

// originOf derives whose initiative an order of the product at a place is: of an order and
// of the purchase in a switch alike.
func (c *Core) originOf(p *fund.Profile, place int, at fund.Instant) behaviour.Origin {
	return behaviour.OriginOf(&p.Trail, c.ofFund(place), at, c.gate.OrderTerms(place).OriginDays)
}

// ofFund tells the codes of a product's fund: those of its share classes, which are one
// fund, and the fund's own where that is no product's. What was shown or spoken of as the
// fund was shown in every class.
func (c *Core) ofFund(place int) func(code string) bool {
	number := c.funds.of[place]
	return func(code string) bool {
		if i, ok := c.index[code]; ok {
			return c.funds.of[i] == number
		}
		f, ok := c.funds.byCode[code]
		return ok && f == number
	}
}

func asksForWord(findings []eligibility.OrderFinding) bool {
	return slices.ContainsFunc(findings, func(f eligibility.OrderFinding) bool {
		return f.Outcome == eligibility.Confirm || f.Outcome == eligibility.Review
	})
}

func dealingOf(d *eligibility.Dealing) Dealing {
	out := Dealing{On: d.On, Later: d.Later(), Calendar: conversion.KnownCalendar}
	if d.Assumed {
		out.Calendar = conversion.AssumedCalendar
	}
	return out
}
