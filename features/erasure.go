package features

import (
	"context"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Erasures forgets customers at their own word.
type Erasures interface {
	// Erase removes every value about a customer in one transaction: cells, head, events,
	// quarantined facts, idempotency records. What is left is the erasure itself with its
	// commitment, confirmations (evidence, rule C06), and his interactions under a name that
	// leads nowhere and without amounts, because other customers' decisions are recomputed
	// from them. The change log names him once more. Afterwards he is ErrNotFound for reads and writes, and an
	// import that brings him again begins anew. A customer that was never imported:
	// ErrNotFound. Erasing again returns the erasure that stands.
	Erase(ctx context.Context, e Erasure) (Erased, error)

	// Erased returns the last erasure of a customer. ErrNotFound.
	Erased(ctx context.Context, customerID string) (Erased, error)
}

// Erasure asks for it.
type Erasure struct {
	CustomerID string
	At         fund.Instant
	By         string   // who asked: a principal, or the customer himself
	Salt       [32]byte // random; it is not kept
}

// Erased is what stays of an erasure. Commitment is the SHA-256 of the salt and the
// customer's history in canonical form: with the salt and a copy of the data anyone can
// show what was there; without them it says nothing, whatever few values were possible.
type Erased struct {
	CustomerID string
	At         fund.Instant
	By         string
	Commitment [32]byte
	Cells      int64
	Events     int64
	Purchases  int64
}
