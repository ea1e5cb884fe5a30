package memory

import (
	"context"
	"sync"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Method names a method of Faulty to its plan.
type Method string

// The methods that a plan is asked about.
const (
	ProfileMethod     Method = "Profile"
	HeadMethod        Method = "Head"
	WriteMethod       Method = "Write"
	ChangesMethod     Method = "Changes"
	CustomerIDsMethod Method = "CustomerIDs"
	RecordMethod      Method = "RecordEvents"
	EventsMethod      Method = "Events"
	ManagerMethod     Method = "Manager"
	HistoriesMethod   Method = "Histories"
	HeadsMethod       Method = "Heads"
	EraseMethod       Method = "Erase"
	ErasedMethod      Method = "Erased"
	ErasedSinceMethod Method = "ErasedSince"

	ConfirmMethod       Method = "Confirm"
	ConfirmationsMethod Method = "Confirmations"
	UseMethod           Method = "Use"
)

// Fault is what goes wrong with one call. The zero value is nothing.
type Fault struct {
	// Err is returned instead of calling the store.
	Err error
	// Done: the store is called and does its work, and Err is returned nevertheless,
	// as when a connection breaks before the answer arrives.
	Done bool
	// Before, when not nil, holds the call back before the store sees it until the
	// channel is closed or the caller's context ends.
	Before <-chan struct{}
	// After holds the answer back in the same way, once the store has given it.
	After <-chan struct{}
}

// HeadProfiles is a store of customers that also gives whole heads.
type HeadProfiles interface {
	features.Profiles
	features.Events
	features.Staff
	features.Confirmations
	features.Histories
	features.Erasures
	// Head returns the newest profile and the instant from which it answers.
	Head(ctx context.Context, customerID string) (p *fund.Profile, effectiveFrom fund.Instant, err error)
}

// Faulty is a store of profiles that fails by plan.
type Faulty struct {
	store HeadProfiles
	plan  func(m Method, call int) Fault
	mu    sync.Mutex
	calls map[Method]int
}

// NewFaulty wraps a store. The plan is asked before each call; call counts from 1 for
// each method. It may be called concurrently.
func NewFaulty(store HeadProfiles, plan func(m Method, call int) Fault) *Faulty {
	return &Faulty{store: store, plan: plan, calls: map[Method]int{}}
}

// Calls returns how often a method was called.
func (f *Faulty) Calls(m Method) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[m]
}

// run makes one call as its fault says.
func (f *Faulty) run(ctx context.Context, m Method, call func() error) error {
	f.mu.Lock()
	f.calls[m]++
	n := f.calls[m]
	f.mu.Unlock()
	fault := f.plan(m, n)
	if err := hold(ctx, fault.Before); err != nil {
		return err
	}
	if fault.Err != nil && !fault.Done {
		return fault.Err
	}
	if err := call(); err != nil {
		return err
	}
	if err := hold(ctx, fault.After); err != nil {
		return err
	}
	return fault.Err
}

func hold(ctx context.Context, until <-chan struct{}) error {
	if until == nil {
		return nil
	}
	select {
	case <-until:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Profile is features.Profiles.
func (f *Faulty) Profile(ctx context.Context, customerID string, at fund.Instant) (p *fund.Profile, err error) {
	err = f.run(ctx, ProfileMethod, func() (err error) {
		p, err = f.store.Profile(ctx, customerID, at)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Head returns the customer's newest profile and the instant from which it answers.
func (f *Faulty) Head(ctx context.Context, customerID string) (p *fund.Profile, from fund.Instant, err error) {
	err = f.run(ctx, HeadMethod, func() (err error) {
		p, from, err = f.store.Head(ctx, customerID)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return p, from, nil
}

// Histories is features.Histories. With Fault.Done the histories have been yielded when the
// error is returned.
func (f *Faulty) Histories(ctx context.Context, q features.HistoryQuery, yield func(*features.History) error) error {
	return f.run(ctx, HistoriesMethod, func() error { return f.store.Histories(ctx, q, yield) })
}

// Heads is features.Histories.
func (f *Faulty) Heads(ctx context.Context, customerIDs []string) (heads []features.Head, err error) {
	err = f.run(ctx, HeadsMethod, func() (err error) {
		heads, err = f.store.Heads(ctx, customerIDs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return heads, nil
}

// Write is features.Profiles.
func (f *Faulty) Write(ctx context.Context, w features.Write) (r features.Receipt, err error) {
	err = f.run(ctx, WriteMethod, func() (err error) {
		r, err = f.store.Write(ctx, w)
		return err
	})
	if err != nil {
		return features.Receipt{}, err
	}
	return r, nil
}

// RecordEvents is features.Events.
func (f *Faulty) RecordEvents(ctx context.Context, b features.EventBatch) (r features.EventsReceipt, err error) {
	err = f.run(ctx, RecordMethod, func() (err error) {
		r, err = f.store.RecordEvents(ctx, b)
		return err
	})
	if err != nil {
		return features.EventsReceipt{}, err
	}
	return r, nil
}

// Events is features.Events. With Fault.Done the events have been yielded when the error
// is returned.
func (f *Faulty) Events(ctx context.Context, customerID string, at fund.Instant, yield func(*features.Event) error) error {
	return f.run(ctx, EventsMethod, func() error { return f.store.Events(ctx, customerID, at, yield) })
}

// Manager is features.Staff.
func (f *Faulty) Manager(ctx context.Context, managerID string) (m features.Manager, err error) {
	err = f.run(ctx, ManagerMethod, func() (err error) {
		m, err = f.store.Manager(ctx, managerID)
		return err
	})
	if err != nil {
		return features.Manager{}, err
	}
	return m, nil
}

// Confirm is features.Confirmations.
func (f *Faulty) Confirm(ctx context.Context, cs []features.Confirmation) error {
	return f.run(ctx, ConfirmMethod, func() error { return f.store.Confirm(ctx, cs) })
}

// Confirmations is features.Confirmations.
func (f *Faulty) Confirmations(ctx context.Context, customerID string, ids []string) (out []features.Confirmation, err error) {
	err = f.run(ctx, ConfirmationsMethod, func() (err error) {
		out, err = f.store.Confirmations(ctx, customerID, ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Use is features.Confirmations.
func (f *Faulty) Use(ctx context.Context, customerID string, ids []string, decisionID string, at fund.Instant) error {
	return f.run(ctx, UseMethod, func() error { return f.store.Use(ctx, customerID, ids, decisionID, at) })
}

// Changes is features.Profiles.
func (f *Faulty) Changes(ctx context.Context, after features.Position, limit int) (out features.ChangePage, err error) {
	err = f.run(ctx, ChangesMethod, func() (err error) {
		out, err = f.store.Changes(ctx, after, limit)
		return err
	})
	if err != nil {
		return features.ChangePage{}, err
	}
	return out, nil
}

// ChangesEnd is features.Profiles; it fails by the plan of Changes.
func (f *Faulty) ChangesEnd(ctx context.Context) (out features.Position, err error) {
	err = f.run(ctx, ChangesMethod, func() (err error) {
		out, err = f.store.ChangesEnd(ctx)
		return err
	})
	if err != nil {
		return features.Position{}, err
	}
	return out, nil
}

// CustomerIDs is features.Profiles.
func (f *Faulty) CustomerIDs(ctx context.Context, after string, limit int) (out []string, err error) {
	err = f.run(ctx, CustomerIDsMethod, func() (err error) {
		out, err = f.store.CustomerIDs(ctx, after, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
