package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// laterWrites is a store of several replicas in which what was said last counts. The clocks of two
// replicas are a little apart, however well they are kept: a level that is lowered through the
// one, a millisecond after it was raised through the other, would be dated before that and be
// lost. So who writes looks at the customer's newest fact first, and what he dates by his own
// clock comes after it. Who writes at the same time as another is before or after him, as it
// comes.
type laterWrites struct {
	*sqlstore.Store
	// window is the most by which the clocks of two replicas may differ. A fact further ahead
	// was not dated by any of them, and is not what came before.
	window time.Duration
	now    func() time.Time
}

// Write is features.Profiles.
func (s *laterWrites) Write(ctx context.Context, w features.Write) (features.Receipt, error) {
	_, newest, err := s.Head(ctx, w.CustomerID)
	if err != nil && !errors.Is(err, features.ErrNotFound) { // Write knows what to say of nobody
		return features.Receipt{}, err
	}
	if newest < w.RecordedAt || newest > w.RecordedAt.Add(s.window) {
		return s.Store.Write(ctx, w)
	}
	w = dated(w, newest+1)
	r, err := s.Store.Write(ctx, w)
	s.reach(ctx, w.RecordedAt)
	return r, err
}

// reach waits for an instant, so that who was told of his write reads it too.
func (s *laterWrites) reach(ctx context.Context, at fund.Instant) {
	ctx, cancel := context.WithTimeout(ctx, at.Time().Sub(s.now()))
	defer cancel()
	<-ctx.Done()
}

// dated dates a write, and what of it is dated by the clock of the writer, at another instant. A
// caller's own times stay.
func dated(w features.Write, at fund.Instant) features.Write {
	w.Cells = slices.Clone(w.Cells)
	for i := range w.Cells {
		c := &w.Cells[i]
		if c.EventAt == w.RecordedAt {
			c.EventAt = at
		}
		if c.KnownAt == w.RecordedAt {
			c.KnownAt = at
		}
	}
	w.RecordedAt = at
	return w
}
