package customer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

const (
	// FutureTolerance is how far ahead of this clock a caller's clock may run. An event
	// time within it counts as now, so that nothing recorded lies in the future.
	FutureTolerance = features.FutureTolerance

	// IdempotencyMetadata is the metadata key, and the HTTP header, of the idempotency key.
	IdempotencyMetadata = wire.IdempotencyMetadata
)

// write collects the cells of one call.
type write struct {
	features.Write
	profiles features.Profiles
}

// customerRequest is what every write has in common.
type customerRequest interface {
	proto.Message
	GetCustomerId() string
}

// begin checks what every write has: the customer's id and the idempotency key.
func (s *Service) begin(ctx context.Context, method string, req customerRequest) (*write, error) {
	id := req.GetCustomerId()
	if err := checkID("customerId", id); err != nil {
		return nil, err
	}
	w := &write{profiles: s.profiles}
	w.CustomerID, w.RecordedAt = id, fund.InstantOf(s.now())
	key, err := wire.IdempotencyKey(ctx)
	if err != nil || key == "" {
		return w, err
	}
	// The hash is of what the caller sent: an event time that he left out stays out, so
	// that his retry a minute later is the same body.
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return nil, features.Invalid("body", "", "a message of valid UTF-8 texts")
	}
	w.Idempotency = features.Idempotency{Scope: wire.Anonymous + " " + method + " " + id, Key: key, BodyHash: sha256.Sum256(body)}
	return w, nil
}

// within narrows the idempotency key's scope to a resource of the customer.
func (w *write) within(resource string) {
	if w.Idempotency.Key != "" {
		sum := sha256.Sum256([]byte(resource))
		w.Idempotency.Scope += " " + hex.EncodeToString(sum[:])
	}
}

// eventTime returns the instant of an event: now when it is absent.
func (w *write) eventTime(field string, t *timestamppb.Timestamp) (fund.Instant, error) {
	if t == nil {
		return w.RecordedAt, nil
	}
	at, err := instant(field, t)
	if err != nil {
		return 0, err
	}
	if at > w.RecordedAt.Add(FutureTolerance) {
		return 0, features.Invalid(field, at.String(), "a time that is not in the future")
	}
	return min(at, w.RecordedAt), nil
}

// instant converts a time that a store can keep.
func instant(field string, t *timestamppb.Timestamp) (fund.Instant, error) {
	if err := t.CheckValid(); err != nil || t.GetSeconds() < 1 {
		return 0, features.Invalid(field, t.AsTime().Format(time.RFC3339Nano), "a time after 1970")
	}
	at, err := fund.ParseInstant(t.AsTime().Format(time.RFC3339Nano))
	if err != nil {
		return 0, features.Invalid(field, t.AsTime().Format(time.RFC3339Nano), "a time after 1970 and before 2200")
	}
	return at, nil
}

// add records a cell as known now.
func (w *write) add(c features.Cell) {
	c.CustomerID, c.KnownAt = w.CustomerID, w.RecordedAt
	w.Cells = append(w.Cells, c)
}

// commit writes the cells, or none of them.
func (w *write) commit(ctx context.Context) (*fundmatchv1.Receipt, error) {
	if err := w.Check(); err != nil {
		// The handler checked each field by name; what is left is a bound on a whole.
		return nil, features.Invalid("body", "", "a write within the limits of the store")
	}
	r, err := w.profiles.Write(ctx, w.Write)
	if err != nil {
		return nil, unknownCustomer(err, w.CustomerID)
	}
	return &fundmatchv1.Receipt{Revision: r.Revision, Changed: r.Changed, Replayed: r.Replayed}, nil
}

// unknownCustomer says who was not found.
func unknownCustomer(err error, id string) error {
	if errors.Is(err, features.ErrNotFound) {
		return &features.NotFoundError{Kind: features.CustomerKind, ID: id}
	}
	return err
}
