package customer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// DecisionLog takes the personal values of a customer out of the decision log.
// *decisionlog.Log is one.
type DecisionLog interface {
	// EraseUntil erases in the records that were recorded at or before an instant, in
	// microseconds since 1970, and returns how many they were. Erasing again is safe.
	EraseUntil(ctx context.Context, customerID string, until int64) (int, error)
}

// settling is how long after an erasure a decision may still be recorded that was made
// before it: a request under way, another process whose cache has not heard of it yet, a
// clock that is behind. What is recorded later belongs to a customer whom an import has
// brought again.
const settling = features.FutureTolerance

// Eraser forgets customers in the store and in the decision log: in the store first, so that
// nobody is matched any more with what goes. A crash in between is repaired by erasing again,
// and by Settle.
type Eraser struct {
	store  features.Erasures
	log    DecisionLog
	random io.Reader // of salts and pseudonyms
	now    func() time.Time
}

// NewEraser returns an eraser over a store and the decision log beside it.
func NewEraser(store features.Erasures, log DecisionLog, random io.Reader, now func() time.Time) *Eraser {
	return &Eraser{store, log, random, now}
}

// Forgotten is the outcome of an erasure.
type Forgotten struct {
	features.Erased
	Salt      [32]byte // zero when the erasure was there already
	Decisions int      // records of the decision log that this call erased
}

// UnfinishedError says that a customer is erased in the store, but not in the decision log.
type UnfinishedError struct{ Err error }

func (e *UnfinishedError) Error() string {
	return "the customer is erased in the store, but not in the decision log yet; erase him again: " + e.Err.Error()
}

// Unwrap returns why.
func (e *UnfinishedError) Unwrap() error { return e.Err }

// Erase forgets a customer at the word of by. Errors: those of the store; *UnfinishedError.
func (e *Eraser) Erase(ctx context.Context, customerID, by string, key features.Idempotency) (Forgotten, error) {
	ask := features.Erasure{CustomerID: customerID, At: fund.InstantOf(e.now()), By: by, Idempotency: key}
	if _, err := io.ReadFull(e.random, ask.Salt[:]); err != nil {
		return Forgotten{}, fmt.Errorf("no randomness for the salt: %w", err)
	}
	if _, err := io.ReadFull(e.random, ask.Pseudonym[:]); err != nil {
		return Forgotten{}, fmt.Errorf("no randomness for the pseudonym: %w", err)
	}
	erased, err := e.store.Erase(ctx, ask)
	if err != nil {
		return Forgotten{}, err
	}
	out := Forgotten{Erased: erased}
	if !erased.Repeated {
		out.Salt = ask.Salt
	}
	if out.Decisions, err = e.log.EraseUntil(ctx, customerID, int64(erased.At.Add(settling))); err != nil {
		return Forgotten{}, &UnfinishedError{err}
	}
	return out, nil
}

// errTooYoung ends the walk of Settle.
var errTooYoung = errors.New("the erasure has not settled yet")

// Settle erases in the decision log again, once they have settled, the customers who were
// erased in the store since an instant: by this process, whose requests under way may have
// recorded decisions since, by one that died before it came to the log, and by others that
// keep a log elsewhere. It returns the instant to go on from, also with an error.
func (e *Eraser) Settle(ctx context.Context, since fund.Instant) (next fund.Instant, err error) {
	next = since
	now := fund.InstantOf(e.now())
	var settled []features.Erased // nothing is erased while the store is read
	err = e.store.ErasedSince(ctx, since, func(x *features.Erased) error {
		if x.At.Add(settling) > now {
			return errTooYoung
		}
		settled = append(settled, *x)
		return nil
	})
	if err != nil && !errors.Is(err, errTooYoung) {
		return next, err
	}
	for i := range settled {
		x := &settled[i]
		if _, err := e.log.EraseUntil(ctx, x.CustomerID, int64(x.At.Add(settling))); err != nil {
			return next, &UnfinishedError{err}
		}
		if i+1 == len(settled) || settled[i+1].At > x.At {
			next = x.At + 1
		}
	}
	return next, nil
}
