package customer_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/customer"
)

// ledger is a decision log that notes what it was asked to erase.
type ledger struct {
	asked []string
	held  int
	err   error
}

func (l *ledger) EraseUntil(_ context.Context, id string, until int64) (int, error) {
	l.asked = append(l.asked, fmt.Sprint(id, " until ", fund.Instant(until)))
	if l.err != nil {
		return 0, l.err
	}
	n := l.held
	l.held = 0
	return n, nil
}

// counting is randomness that differs from read to read.
type counting struct{ n byte }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		c.n++
		p[i] = c.n
	}
	return len(p), nil
}

// erasing is a bank that can erase.
func erasing(t *testing.T) (*bank, *ledger, *customer.Eraser) {
	t.Helper()
	b, log := open(t), &ledger{held: 3}
	eraser := customer.NewEraser(b.store, log, &counting{}, func() time.Time { return b.now })
	b.Service = customer.New(b.store, func() time.Time { return b.now }, func() (customer.Rules, error) { return b.rules, nil }, customer.WithEraser(eraser))
	return b, log, eraser
}

func TestEraseForgetsInTheStoreAndInTheLog(t *testing.T) {
	t.Parallel()
	b, log, _ := erasing(t)
	out, err := b.EraseCustomer(t.Context(), &fundmatchv1.EraseCustomerRequest{CustomerId: known})
	if err != nil {
		t.Fatal(err)
	}
	if out.GetCells() != 1 || out.GetDecisions() != 3 || out.GetRepeated() || out.GetRequestedBy() != "anonymous" || !out.GetErasedAt().AsTime().Equal(b.now) {
		t.Errorf("answer %v, want a cell and 3 decisions, now, by the caller", out)
	}
	kept, err := b.store.Erased(t.Context(), known)
	if err != nil || hex.EncodeToString(kept.Commitment[:]) != out.GetCommitment() {
		t.Errorf("the store keeps %+v, %v, want the commitment %s", kept, err, out.GetCommitment())
	}
	salt, err := hex.DecodeString(out.GetSalt())
	if err != nil || len(salt) != 32 {
		t.Fatalf("salt %q, want 32 bytes in hex", out.GetSalt())
	}
	h := features.History{CustomerID: known, Cells: []features.Cell{{
		CustomerID: known, View: features.PersonView, Name: "industry", Value: "BANKING", SourceSeq: 1 << 16,
	}}}
	if got := features.Commit([32]byte(salt), &h); hex.EncodeToString(got[:]) != out.GetCommitment() {
		t.Error("salt and data do not give the commitment")
	}
	var missing *features.NotFoundError
	if _, err := b.GetCustomer(t.Context(), &fundmatchv1.GetCustomerRequest{CustomerId: known}); !errors.As(err, &missing) {
		t.Errorf("the profile afterwards: %v, want not found", err)
	}
	again, err := b.EraseCustomer(t.Context(), &fundmatchv1.EraseCustomerRequest{CustomerId: known, RequestedBy: "somebody"})
	if err != nil || !again.GetRepeated() || again.GetSalt() != "" || again.GetCommitment() != out.GetCommitment() || again.GetDecisions() != 0 {
		t.Errorf("again: %v, %v, want what stands, without the salt", again, err)
	}
	want := known + " until " + fund.InstantOf(b.now.Add(features.FutureTolerance)).String()
	if !slices.Equal(log.asked, []string{want, want}) {
		t.Errorf("the log was asked %q, want twice %q", log.asked, want)
	}
}

// A log that does not answer leaves the customer erased in the store, says so, and repeating
// finishes the work.
func TestALogThatFailsIsErasedByRepeating(t *testing.T) {
	t.Parallel()
	b, log, _ := erasing(t)
	log.err = errors.New("disk gone")
	_, err := b.EraseCustomer(t.Context(), &fundmatchv1.EraseCustomerRequest{CustomerId: known})
	var unfinished *customer.UnfinishedError
	if !errors.As(err, &unfinished) || !errors.Is(err, log.err) {
		t.Fatalf("error %v, want an UnfinishedError with its cause", err)
	}
	if _, err := b.store.Profile(t.Context(), known, 1); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("the store still has him: %v", err)
	}
	log.err = nil
	out, err := b.EraseCustomer(t.Context(), &fundmatchv1.EraseCustomerRequest{CustomerId: known})
	if err != nil || out.GetDecisions() != 3 || !out.GetRepeated() {
		t.Errorf("repeated: %v, %v, want the 3 decisions", out, err)
	}
}

func TestEraseOfWhoIsNotKnown(t *testing.T) {
	t.Parallel()
	b, log, _ := erasing(t)
	var missing *features.NotFoundError
	if _, err := b.EraseCustomer(t.Context(), &fundmatchv1.EraseCustomerRequest{CustomerId: "CUST-2"}); !errors.As(err, &missing) || missing.ID != "CUST-2" {
		t.Errorf("error %v, want CUST-2 not found", err)
	}
	for field, req := range map[string]*fundmatchv1.EraseCustomerRequest{
		"customerId":  {CustomerId: "a b"},
		"requestedBy": {CustomerId: known, RequestedBy: "a\nb"},
	} {
		var invalid *features.InvalidError
		if _, err := b.EraseCustomer(t.Context(), req); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%v: %v, want an InvalidError of %s", req, err, field)
		}
	}
	if len(log.asked) != 0 {
		t.Errorf("the log was asked %q, want nothing", log.asked)
	}
	if _, err := open(t).EraseCustomer(t.Context(), &fundmatchv1.EraseCustomerRequest{CustomerId: known}); status.Code(err) != codes.Unimplemented {
		t.Errorf("without an eraser: %v, want Unimplemented", err)
	}
}

func TestEraseWithoutRandomnessChangesNothing(t *testing.T) {
	t.Parallel()
	b := open(t)
	for n := range 48 {
		e := customer.NewEraser(b.store, &ledger{}, io.LimitReader(&counting{}, int64(n)), func() time.Time { return b.now })
		if _, err := e.Erase(t.Context(), known, "test", features.Idempotency{}); err == nil {
			t.Fatalf("%d random bytes were enough", n)
		}
	}
	b.cell(t, "industry")
	e := customer.NewEraser(b.store, &ledger{}, bytes.NewReader(make([]byte, 48)), func() time.Time { return b.now })
	if _, err := e.Erase(t.Context(), known, "test", features.Idempotency{}); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("randomness of zeros: %v, want ErrInvalid", err)
	}
}

// Settle erases again what was recorded about erased customers meanwhile, once they have
// settled, and each of them once.
func TestSettleFollowsTheErasures(t *testing.T) {
	t.Parallel()
	b, log, eraser := erasing(t)
	if _, err := eraser.Erase(t.Context(), known, "test", features.Idempotency{}); err != nil {
		t.Fatal(err)
	}
	erasedAt := fund.InstantOf(b.now)
	log.asked = nil
	settle := func(since fund.Instant, want ...string) fund.Instant {
		t.Helper()
		log.asked = nil
		next, err := eraser.Settle(t.Context(), since)
		if err != nil || !slices.Equal(log.asked, want) {
			t.Errorf("settling asked %q, %v, want %q", log.asked, err, want)
		}
		return next
	}
	b.now = b.now.Add(features.FutureTolerance - time.Microsecond)
	if next := settle(0); next != 0 {
		t.Errorf("before it has settled the next is %s, want to begin again", next)
	}
	b.now = b.now.Add(time.Microsecond)
	want := known + " until " + erasedAt.Add(features.FutureTolerance).String()
	next := settle(0, want)
	if next != erasedAt+1 {
		t.Errorf("next %s, want just after %s", next, erasedAt)
	}
	settle(next)
	log.err = errors.New("disk gone")
	if next, err := eraser.Settle(t.Context(), 0); err == nil || next != 0 {
		t.Errorf("with a log that fails: %s, %v, want to begin again", next, err)
	}
}
