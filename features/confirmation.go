package features

import (
	"context"
	"errors"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// ErrConfirmationUsed: the confirmation stands for another order already.
var ErrConfirmationUsed = errors.New("confirmation was used")

// Confirmations keeps the recorded words of customers, and of the bank's people, on what an
// order was warned of. They are evidence: kept for the years of rule C06, never changed but
// for their one use.
type Confirmations interface {
	// Confirm keeps some confirmations in one transaction, all or none. One that is there
	// with the same content changes nothing; with other content: ErrInvalid. A customer that
	// was never imported: ErrNotFound. One that Confirmation.Check refuses: ErrInvalid.
	Confirm(ctx context.Context, cs []Confirmation) error

	// Confirmations returns those of a customer by id, in the order of ids, at most
	// MaxConfirmations of them. An id that is not his: ErrNotFound.
	Confirmations(ctx context.Context, customerID string, ids []string) ([]Confirmation, error)

	// Use binds some confirmations of a customer to one decision, all or none, so that none
	// serves twice. Binding them to the same decision again changes nothing. One that is
	// bound to another: ErrConfirmationUsed. An id that is not his: ErrNotFound.
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

// Activation is one entry of the history of an artifact kind: what was put in force, when,
// by whom and why.
type Activation struct {
	Kind       ArtifactKind
	ArtifactID string
	At         fund.Instant
	By, Note   string // empty in entries of before they were kept
}
