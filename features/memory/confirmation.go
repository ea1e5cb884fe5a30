package memory

import (
	"context"
	"fmt"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Confirm is features.Confirmations.
func (s *Store) Confirm(ctx context.Context, cs []features.Confirmation) error {
	if err := features.CheckConfirmations(cs); err != nil {
		return err
	}
	if err := s.lockWriting(ctx); err != nil {
		return err
	}
	defer s.unlockWriting()
	// Only the one writer changes the state, so it reads without the lock.
	for i := range cs {
		c := &cs[i]
		if _, ok := s.people.byID[c.CustomerID]; !ok {
			return notFound("customer", c.CustomerID)
		}
		if old, ok := s.people.words[c.ID]; ok && !old.SameWord(c) {
			return fmt.Errorf("%w: confirmation %s is there with other content", features.ErrInvalid, c.ID)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range cs {
		if _, ok := s.people.words[cs[i].ID]; !ok {
			s.people.words[cs[i].ID] = cs[i]
		}
	}
	return nil
}

// Confirmations is features.Confirmations.
func (s *Store) Confirmations(ctx context.Context, customerID string, ids []string) (out []features.Confirmation, err error) {
	if err := features.CheckConfirmationIDs(ids); err != nil {
		return nil, err
	}
	err = s.read(ctx, func() error {
		for _, id := range ids {
			c, ok := s.people.words[id]
			if !ok || c.CustomerID != customerID {
				out = nil
				return notFound("confirmation", id)
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

// Use is features.Confirmations.
func (s *Store) Use(ctx context.Context, customerID string, ids []string, decisionID string, at fund.Instant) error {
	if err := features.CheckUse(ids, decisionID, at); err != nil {
		return err
	}
	if err := s.lockWriting(ctx); err != nil {
		return err
	}
	defer s.unlockWriting()
	used := make([]features.Confirmation, 0, len(ids))
	for _, id := range ids {
		c, ok := s.people.words[id]
		switch {
		case !ok || c.CustomerID != customerID:
			return notFound("confirmation", id)
		case c.UsedBy == decisionID:
			continue
		case c.UsedBy != "":
			return fmt.Errorf("%w: %s", features.ErrConfirmationUsed, id)
		}
		c.UsedBy, c.UsedAt = decisionID, at
		used = append(used, c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range used {
		s.people.words[used[i].ID] = used[i]
	}
	return nil
}
