package features

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// ErrConfirmationUsed says that the confirmation stands for another order already.
var ErrConfirmationUsed = errors.New("confirmation was used")

// Confirmations keeps the recorded words of customers, and of the bank's people, on what an
// order was warned of. They are evidence: kept for the years of rule C06, never changed but
// for their one use. The erasure of a customer does not remove them (个保法 47: what the law
// says must be kept is kept, and used for nothing else).
type Confirmations interface {
	// Confirm keeps some confirmations in one transaction, all or none. One that is there
	// with the same content, used or not, changes nothing; with other content, there or
	// earlier in the call: ErrInvalid. A customer that was never imported: ErrNotFound. One
	// that Confirmation.Check refuses, or more than MaxConfirmations: ErrInvalid.
	Confirm(ctx context.Context, cs []Confirmation) error

	// Confirmations returns those of a customer by id, in the order of ids. An id that is
	// not his: ErrNotFound. More than MaxConfirmations ids: ErrInvalid.
	Confirmations(ctx context.Context, customerID string, ids []string) ([]Confirmation, error)

	// Use binds some confirmations of a customer to one decision, all or none, so that none
	// serves twice. Binding them to the same decision again changes nothing. One that is
	// bound to another: ErrConfirmationUsed; of several calls for one confirmation that come
	// together exactly one succeeds. An id that is not his: ErrNotFound. No decision, no
	// instant, or more than MaxConfirmations ids: ErrInvalid. Whether a confirmation still
	// holds and fits the order is the caller's to judge.
	Use(ctx context.Context, customerID string, ids []string, decisionID string, at fund.Instant) error
}

// MaxConfirmations bounds the confirmations of one call.
const MaxConfirmations = 32

// Confirmation is one recorded word on one warning, bound to what was warned of: product,
// grade, level and amount (适当性办法 19; rulebook S03).
type Confirmation struct {
	ID         string // UUIDv7
	CustomerID string
	// What was confirmed: the rule and its reason, for this product at this grade, by a
	// customer of this level, up to this amount.
	RuleID, Reason string
	ProductCode    string
	Grade          fund.RiskGrade
	Level          fund.RiskLevel
	Amount         fund.Money
	// DecisionID is the order check that asked for it: what was shown is in its record.
	DecisionID string
	// Proof of the word: in a branch the recording and the manager, elsewhere the trace of
	// the electronic signature (C04); of a review the person who decided.
	Channel, Trace, RecordingID, ManagerID, ReviewerID string
	AskedAt, ConfirmedAt, ExpiresAt                    fund.Instant
	UsedBy                                             string       // the decision that it served; empty: none yet
	UsedAt                                             fund.Instant // 0: not used
}

// Check reports whether a store may keep the confirmation as it comes: not used yet, all of
// its identifiers, times in their order, and a proof of its channel's kind. The error wraps
// ErrInvalid.
func (c *Confirmation) Check() error {
	if id, err := uuid.Parse(c.ID); err != nil || id.Version() != uuidVersion || id.String() != c.ID {
		return c.invalid(fmt.Errorf("id %.80q, expected a UUIDv7 in lower case", c.ID))
	}
	if err := checkIDs(c.CustomerID, c.RuleID, c.ProductCode, c.DecisionID); err != nil {
		return c.invalid(err)
	}
	if c.Grade < fund.R1 || c.Grade > fund.R5 || c.Level > fund.C5 || c.Amount < 0 || c.Amount > fund.MaxMoney {
		return c.invalid(fmt.Errorf("grade %d, level %d, amount %d fen, expected R1 to R5, none or C1 to C5, 0 to %d", c.Grade, c.Level, c.Amount, fund.MaxMoney))
	}
	if c.AskedAt <= 0 || c.ConfirmedAt < c.AskedAt || c.ExpiresAt <= c.ConfirmedAt {
		return c.invalid(fmt.Errorf("asked at %q, confirmed at %q, expires at %q, expected instants in this order", c.AskedAt, c.ConfirmedAt, c.ExpiresAt))
	}
	if c.UsedBy != "" || c.UsedAt != 0 {
		return c.invalid(errors.New("used already, expected one that no order has used"))
	}
	return c.checkProof()
}

// uuidVersion is the version whose ids rise with time.
const uuidVersion = 7

// checkProof asks for the proof that goes with the channel (C04), or for the person who
// decided a review.
func (c *Confirmation) checkProof() error {
	for _, t := range [...]struct{ what, text string }{{"reason", c.Reason}, {"trace", c.Trace}, {"recording", c.RecordingID}} {
		if err := checkText(t.what, t.text, 0, fund.MaxTextLength); err != nil {
			return c.invalid(err)
		}
	}
	for _, id := range [...]string{c.ManagerID, c.ReviewerID} {
		if id == "" {
			continue
		}
		if err := fund.CheckID(id); err != nil {
			return c.invalid(err)
		}
	}
	channel, err := fund.ParseChannel(c.Channel)
	switch {
	case err != nil:
		return c.invalid(err)
	case c.ReviewerID != "":
	case channel == fund.Branch && (c.RecordingID == "" || c.ManagerID == ""):
		return c.invalid(errors.New("no recording or no manager, expected both in a branch"))
	case channel != fund.Branch && c.Trace == "":
		return c.invalid(errors.New("no trace, expected that of the electronic signature"))
	}
	return nil
}

func (c *Confirmation) invalid(err error) error {
	return fmt.Errorf("%w: confirmation %.80q: %w", ErrInvalid, c.ID, err)
}

// SameWord reports whether two confirmations say the same, used or not.
func (c *Confirmation) SameWord(o *Confirmation) bool {
	a, b := *c, *o
	a.UsedBy, a.UsedAt, b.UsedBy, b.UsedAt = "", 0, "", 0
	return a == b
}

// CheckConfirmations reports whether Confirm can take the confirmations at all: few enough,
// each good, none twice with other content. The error wraps ErrInvalid.
func CheckConfirmations(cs []Confirmation) error {
	if err := checkConfirmationCount(len(cs)); err != nil {
		return err
	}
	for i := range cs {
		if err := cs[i].Check(); err != nil {
			return err
		}
		for j := range i {
			if cs[j].ID == cs[i].ID && cs[j] != cs[i] {
				return cs[i].invalid(errors.New("twice with other content, expected an id of its own"))
			}
		}
	}
	return nil
}

// CheckUse reports whether Use can be understood at all. The error wraps ErrInvalid.
func CheckUse(ids []string, decisionID string, at fund.Instant) error {
	if err := checkConfirmationCount(len(ids)); err != nil {
		return err
	}
	if err := fund.CheckID(decisionID); err != nil {
		return fmt.Errorf("%w: decision: %w", ErrInvalid, err)
	}
	if at <= 0 {
		return fmt.Errorf("%w: use of confirmations at %d, expected an instant after 1970", ErrInvalid, at)
	}
	return nil
}

// CheckConfirmationIDs reports whether so many can be asked for. The error wraps ErrInvalid.
func CheckConfirmationIDs(ids []string) error { return checkConfirmationCount(len(ids)) }

func checkConfirmationCount(n int) error {
	if n > MaxConfirmations {
		return fmt.Errorf("%w: %d confirmations in one call, expected at most %d", ErrInvalid, n, MaxConfirmations)
	}
	return nil
}
