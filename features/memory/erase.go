package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Erase is features.Erasures.
func (s *Store) Erase(ctx context.Context, e features.Erasure) (features.Erased, error) {
	if err := e.Check(); err != nil {
		return features.Erased{}, err
	}
	if err := s.lockWriting(ctx); err != nil {
		return features.Erased{}, err
	}
	defer s.unlockWriting()
	// Only the one writer changes the state, so it reads without the lock.
	before := s.people.erased[e.CustomerID]
	replayed, err := s.replays(&e.Idempotency, e.At)
	if err != nil {
		return features.Erased{}, err
	}
	c, there := s.people.byID[e.CustomerID]
	if !there && slices.ContainsFunc(s.people.early, func(q features.QuarantinedFact) bool { return q.CustomerID == e.CustomerID }) {
		c, there = new(customer), true // what came too early about somebody unknown is there to be erased
	}
	if (replayed || !there) && len(before) > 0 {
		standing := before[len(before)-1]
		standing.Repeated = true
		return standing, nil
	}
	if !there {
		return features.Erased{}, notFound("customer", e.CustomerID)
	}
	h := c.history(e.CustomerID, &features.HistoryQuery{})
	out := features.Erased{
		CustomerID: e.CustomerID, At: e.At, By: e.By, Commitment: features.Commit(e.Salt, h),
		Cells: int64(len(h.Cells)), Events: int64(len(h.Events)), Purchases: int64(len(h.Purchases)),
	}
	s.commitErasure(&e, c, out)
	return out, nil
}

// replays reports whether an idempotency key came before with the same body.
func (s *Store) replays(i *features.Idempotency, now fund.Instant) (bool, error) {
	if i.Key == "" {
		return false, nil
	}
	rec, ok := s.people.keys[idempotencyKey{i.Scope, i.Key}]
	if !ok || expired(rec.recordedAt, now) {
		return false, nil
	}
	if rec.bodyHash != i.BodyHash {
		return false, fmt.Errorf("%w: key %q", features.ErrIdempotencyReused, i.Key)
	}
	return true, nil
}

func (s *Store) commitErasure(e *features.Erasure, c *customer, out features.Erased) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.people
	s.seq++
	delete(p.byID, e.CustomerID)
	p.ids = slices.DeleteFunc(slices.Clone(p.ids), func(id string) bool { return id == e.CustomerID })
	for _, d := range c.events {
		delete(p.events, d.value.ID)
	}
	for k, rec := range p.keys {
		if rec.customerID == e.CustomerID {
			delete(p.keys, k)
		}
	}
	p.early = slices.DeleteFunc(slices.Clone(p.early), func(q features.QuarantinedFact) bool { return q.CustomerID == e.CustomerID })
	if len(c.purchases) > 0 {
		p.nameless = append(slices.Clone(p.nameless), namelessOf(e.PseudonymID(), c))
	}
	p.erased[e.CustomerID] = append(p.erased[e.CustomerID], out)
	p.log(e.CustomerID)
	if e.Idempotency.Key != "" {
		p.keys[idempotencyKey{e.Idempotency.Scope, e.Idempotency.Key}] = idempotencyRecord{
			customerID: e.CustomerID, bodyHash: e.Idempotency.BodyHash, recordedAt: e.At,
		}
	}
}

// nameless are the interactions of a customer who was erased.
type nameless struct {
	id string
	*customer
}

func namelessOf(id string, c *customer) nameless {
	kept := &customer{purchases: slices.Clone(c.purchases)}
	for i := range kept.purchases {
		kept.purchases[i].value.Amount = 0
	}
	return nameless{id, kept}
}

// Erased is features.Erasures.
func (s *Store) Erased(ctx context.Context, customerID string) (out features.Erased, err error) {
	err = s.read(ctx, func() error {
		all := s.people.erased[customerID]
		if len(all) == 0 {
			return notFound("erasure of customer", customerID)
		}
		out = all[len(all)-1]
		return nil
	})
	return out, err
}

// ErasedSince is features.Erasures.
func (s *Store) ErasedSince(ctx context.Context, since fund.Instant, yield func(*features.Erased) error) error {
	var found []features.Erased
	err := s.read(ctx, func() error {
		for _, all := range s.people.erased {
			for i := range all {
				if all[i].At >= since {
					found = append(found, all[i])
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(found, func(a, b features.Erased) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.CustomerID, b.CustomerID))
	})
	for i := range found {
		if err := yield(&found[i]); err != nil {
			return err
		}
	}
	return nil
}
