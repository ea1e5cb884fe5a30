// Package event answers fundmatch.v1.EventService: what customers did, as the bank's
// systems report it. It checks every value that comes in and leaves truth to the store.
package event

import (
	"context"
	"strconv"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// MaxBatch bounds the events of one call.
const MaxBatch = 500

// Service implements fundmatchv1.EventServiceServer. Its methods return the typed errors
// of package features; the server's table gives them codes.
type Service struct {
	fundmatchv1.UnimplementedEventServiceServer
	events  features.Events
	now     func() time.Time
	observe func(features.EventsReceipt)
}

// Option adds to a service what not every one has.
type Option func(*Service)

// Observe has each receipt told to a function, which must return at once.
func Observe(told func(features.EventsReceipt)) Option { return func(s *Service) { s.observe = told } }

// New returns the service over a store. now is the clock: what is recorded is known from
// now on.
func New(events features.Events, now func() time.Time, options ...Option) *Service {
	s := &Service{events: events, now: now, observe: func(features.EventsReceipt) {}}
	for _, add := range options {
		add(s)
	}
	return s
}

// RecordEvents keeps a batch, all of it or nothing; what lies in the future is kept aside. Errors: *features.InvalidError that
// names the place, *features.EventReusedError, *features.NotFoundError, what the store
// returns.
func (s *Service) RecordEvents(ctx context.Context, req *fundmatchv1.RecordEventsRequest) (*fundmatchv1.RecordEventsResponse, error) {
	sent := req.GetEvents()
	if len(sent) < 1 || len(sent) > MaxBatch {
		return nil, features.Invalid("events", strconv.Itoa(len(sent))+" events", "1 to "+strconv.Itoa(MaxBatch)+" events")
	}
	batch := features.EventBatch{Events: make([]features.Event, len(sent)), RecordedAt: fund.InstantOf(s.now())}
	for i, e := range sent {
		r := reading{place: "events[" + strconv.Itoa(i) + "]"}
		var err error
		if batch.Events[i], err = r.event(e); err != nil {
			return nil, err
		}
	}
	receipt, err := s.events.RecordEvents(ctx, batch)
	if err != nil {
		return nil, err
	}
	s.observe(receipt)
	return &fundmatchv1.RecordEventsResponse{
		Accepted: int32(receipt.Accepted), Duplicates: int32(receipt.Duplicates), Quarantined: int32(receipt.Quarantined),
	}, nil
}
