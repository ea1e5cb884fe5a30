package features

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Erasures forgets customers at their own word.
type Erasures interface {
	// Erase removes every value about a customer in one transaction: cells, head, events,
	// quarantined facts, idempotency records. What is left is the erasure itself with its
	// commitment, confirmations (evidence, rule C06), and his interactions under a name that
	// leads nowhere and without amounts, because other customers' decisions are recomputed
	// from them. The change log names him once more. Afterwards he is ErrNotFound for reads and writes, and an
	// import that brings him again begins anew. A customer that was never imported,
	// and of whom nothing is quarantined: ErrNotFound. Erasing again returns the erasure that stands; so does the idempotency key
	// of an erasure, also when an import has brought him again meanwhile, and with another
	// body it is ErrIdempotencyReused. An Erasure that Check refuses: ErrInvalid.
	Erase(ctx context.Context, e Erasure) (Erased, error)

	// Erased returns the last erasure of a customer. ErrNotFound.
	Erased(ctx context.Context, customerID string) (Erased, error)

	// ErasedSince calls yield for each erasure at or after an instant, ordered by instant, then
	// customer. It is valid during the call only; an error of yield ends the reading and comes
	// back as it is. The decision log follows it, so that what was decided elsewhere is erased too.
	ErasedSince(ctx context.Context, since fund.Instant, yield func(*Erased) error) error
}

// Erasure asks for it.
type Erasure struct {
	CustomerID string
	At         fund.Instant
	By         string   // who asked: a principal, or the customer himself
	Salt       [32]byte // random; it is not kept
	// Pseudonym is what his interactions stay under; random, and nothing to do with the salt:
	// who holds the salt must not find them.
	Pseudonym   [16]byte
	Idempotency Idempotency
}

// Erased is what stays of an erasure. Commitment is that of the history that was there: with
// the salt and a copy of the data anyone can show what was there; without them it says
// nothing, whatever few values were possible.
type Erased struct {
	CustomerID string
	At         fund.Instant
	By         string
	Commitment [32]byte
	Cells      int64
	Events     int64
	Purchases  int64
	Repeated   bool // the erasure was there already: this call erased nothing
}

// MaxErasedBy bounds who asked, in bytes.
const MaxErasedBy = fund.MaxTextLength

// Check reports whether a store can do the erasure. The error wraps ErrInvalid.
func (e *Erasure) Check() error {
	if err := fund.CheckID(e.CustomerID); err != nil {
		return fmt.Errorf("%w: customer: %w", ErrInvalid, err)
	}
	if e.At <= 0 || e.At == fund.Forever {
		return fmt.Errorf("%w: customer %s: an erasure without its time", ErrInvalid, e.CustomerID)
	}
	if err := checkText("who asked", e.By, 1, MaxErasedBy); err != nil {
		return fmt.Errorf("%w: customer %s: %w", ErrInvalid, e.CustomerID, err)
	}
	if e.Salt == [32]byte{} || e.Pseudonym == [16]byte{} {
		return fmt.Errorf("%w: customer %s: an erasure without randomness", ErrInvalid, e.CustomerID)
	}
	for _, s := range [...]string{e.Idempotency.Scope, e.Idempotency.Key} {
		if err := checkText("idempotency key", s, 0, MaxNameLength); err != nil {
			return fmt.Errorf("%w: customer %s: %w", ErrInvalid, e.CustomerID, err)
		}
	}
	return nil
}

// PseudonymID is the name under which interactions stay. No customer can have it: it does
// not begin as an id does, so that no import adds to it.
func (e *Erasure) PseudonymID() string { return "~" + hex.EncodeToString(e.Pseudonym[:]) }

// Commit returns the commitment to a history: the SHA-256 of the salt and the history in
// canonical form. The numbers of a store's transactions are not in it: a copy of the data in
// another store gives the same.
func Commit(salt [32]byte, h *History) [32]byte {
	e := fund.Encoder{Buf: append([]byte(nil), salt[:]...)}
	e.Text("fundmatch.erasure/v1")
	e.Text(h.CustomerID)
	e.Uint(uint64(len(h.Cells)))
	for i := range h.Cells {
		appendCell(&e, &h.Cells[i])
	}
	e.Uint(uint64(len(h.Purchases)))
	for i := range h.Purchases {
		p := &h.Purchases[i]
		e.Text(p.ProductCode)
		e.Int(int64(p.KnownOn))
		e.Text(p.Kind)
		e.Int(int64(p.Amount))
	}
	e.Uint(uint64(len(h.Events)))
	for i := range h.Events {
		appendEvent(&e, &h.Events[i])
	}
	return sha256.Sum256(e.Buf)
}

func appendCell(e *fund.Encoder, c *Cell) {
	e.Text(string(c.View))
	e.Text(c.Name)
	e.Text(c.Value)
	for _, at := range [...]fund.Instant{c.EventAt, c.KnownAt, c.ValidTo} {
		e.Int(int64(at))
	}
	e.Byte(byte(boolRank(c.Tombstone)))
	e.Text(c.Source)
	e.Text(c.Purpose)
	e.Uint(c.SourceSeq)
}

func appendEvent(e *fund.Encoder, v *Event) {
	for _, text := range [...]string{v.ID, v.Kind, v.ProductCode, v.DecisionID, v.Channel, v.Attributes} {
		e.Text(text)
	}
	e.Int(int64(v.EventAt))
	e.Int(int64(v.KnownAt))
}
