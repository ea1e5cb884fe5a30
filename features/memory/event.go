package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// RecordEvents is features.Events.
func (s *Store) RecordEvents(ctx context.Context, b features.EventBatch) (features.EventsReceipt, error) {
	if err := b.Check(); err != nil {
		return features.EventsReceipt{}, err
	}
	if err := s.lockWriting(ctx); err != nil {
		return features.EventsReceipt{}, err
	}
	defer s.unlockWriting()
	// Only the one writer changes the state, so it reads without the lock.
	r := recording{store: s, people: map[string]*customer{}, events: map[string]features.Event{}}
	for i := range b.Events {
		e := b.Events[i]
		if err := r.add(i, &e, b.RecordedAt); err != nil {
			return features.EventsReceipt{}, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(r.people)) {
		if err := r.people[id].rebuild(id); err != nil {
			return features.EventsReceipt{}, err
		}
	}
	r.commit()
	return r.receipt, nil
}

// recording takes a batch of events beside the store: nothing is seen before commit.
type recording struct {
	store   *Store
	people  map[string]*customer
	events  map[string]features.Event
	early   []features.QuarantinedFact
	receipt features.EventsReceipt
}

func (r *recording) add(place int, e *features.Event, recordedAt fund.Instant) error {
	kept := &r.store.people
	c, ok := r.people[e.CustomerID]
	if !ok {
		if c, ok = kept.byID[e.CustomerID]; !ok {
			return fmt.Errorf("events[%d]: %w", place, &features.NotFoundError{Kind: features.CustomerKind, ID: e.CustomerID})
		}
		c = c.clone()
	}
	old, ok := r.events[e.ID]
	if !ok {
		old, ok = kept.events[e.ID]
	}
	if ok {
		if !e.Repeats(&old) {
			return &features.EventReusedError{Place: place, ID: e.ID}
		}
		r.receipt.Duplicates++
		return nil
	}
	if e.Ahead(recordedAt) {
		r.early = append(r.early, e.Quarantined(recordedAt))
		r.receipt.Quarantined++
		return nil
	}
	if e.KnownAt == 0 {
		e.KnownAt = recordedAt
	}
	c.addEvent(*e, r.store.seq+1)
	r.people[e.CustomerID], r.events[e.ID] = c, *e
	r.receipt.Accepted++
	return nil
}

func (r *recording) commit() {
	s := r.store
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people.keepEarly(r.early)
	if r.receipt.Accepted == 0 {
		return
	}
	s.seq++
	maps.Copy(s.people.events, r.events)
	for _, id := range slices.Sorted(maps.Keys(r.people)) {
		s.people.byID[id] = r.people[id]
		s.people.log(id)
	}
}

// Events is features.Events.
func (s *Store) Events(ctx context.Context, customerID string, at fund.Instant, yield func(*features.Event) error) error {
	var c *customer // never changes once it is in the store
	err := s.read(ctx, func() (err error) {
		var ok bool
		if c, ok = s.people.byID[customerID]; !ok {
			err = notFound("customer", customerID)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := range c.events {
		e := c.events[i].value
		if !e.VisibleAt(at) {
			continue
		}
		if err := yield(&e); err != nil {
			return err
		}
	}
	return nil
}

// Manager is features.Staff.
func (s *Store) Manager(ctx context.Context, managerID string) (m features.Manager, err error) {
	err = s.read(ctx, func() error {
		var ok bool
		if m, ok = s.people.manager[managerID]; !ok {
			return &features.NotFoundError{Kind: features.ManagerKind, ID: managerID}
		}
		return nil
	})
	return m, err
}
