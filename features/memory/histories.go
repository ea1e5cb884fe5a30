package memory

import (
	"context"
	"fmt"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
)

// Histories is features.Histories. A customer never changes once he is in the store, so
// that the snapshot is a list of customers.
func (s *Store) Histories(ctx context.Context, q features.HistoryQuery, yield func(*features.History) error) error {
	var ids []string
	var people []*customer
	err := s.read(ctx, func() error {
		ids = q.CustomerIDs
		if ids == nil {
			ids = s.people.ids
		}
		ids = history.IDs(&features.HistoryQuery{CustomerIDs: ids, After: q.After, Through: q.Through})
		people = make([]*customer, len(ids))
		for i, id := range ids {
			people[i] = s.people.byID[id]
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, c := range people {
		if c == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(c.history(ids[i], &q)); err != nil {
			return err
		}
	}
	return nil
}

// Heads is features.Histories. The profiles are shared: nobody may change them.
func (s *Store) Heads(ctx context.Context, customerIDs []string) (heads []features.Head, err error) {
	if n := len(customerIDs); n > features.MaxHeads {
		return nil, fmt.Errorf("%w: heads of %d customers, expected at most %d", features.ErrInvalid, n, features.MaxHeads)
	}
	err = s.read(ctx, func() error {
		heads = make([]features.Head, len(customerIDs))
		for i, id := range customerIDs {
			if c, ok := s.people.byID[id]; ok {
				heads[i] = features.Head{Profile: c.head, From: c.from}
			}
		}
		return nil
	})
	return heads, err
}
