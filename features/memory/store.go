// Package memory keeps everything in maps: a store for tests and for trying things
// out. It makes every promise of the contracts except to outlive the process. Faulty
// wraps any store of profiles and fails by plan.
package memory

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Store is a store in memory. It is safe for concurrent use; readers never wait for an
// import's fill.
type Store struct {
	writing chan struct{} // holds one token: one writer at a time
	mu      sync.RWMutex  // guards what follows; a writer takes it only to commit
	closed  bool
	seq     uint64 // of the newest transaction that changed anything
	people  people
	market  market
	models  models
}

// people is what is known of customers.
type people struct {
	byID    map[string]*customer
	ids     []string // in byte order
	changes []features.Change
	keys    map[idempotencyKey]idempotencyRecord
	events  map[string]features.Event
	manager map[string]features.Manager
	branch  map[string]features.Branch
	words   map[string]features.Confirmation // by id
	early   []features.QuarantinedFact       // in the order of arrival
	// erased are the erasures of each customer, oldest first, and nameless what stays of
	// their interactions.
	erased   map[string][]features.Erased
	nameless []nameless
}

// New returns an empty store.
func New() *Store {
	s := &Store{writing: make(chan struct{}, 1)}
	s.people = people{
		byID: map[string]*customer{}, keys: map[idempotencyKey]idempotencyRecord{}, events: map[string]features.Event{},
		manager: map[string]features.Manager{}, branch: map[string]features.Branch{},
		words: map[string]features.Confirmation{}, erased: map[string][]features.Erased{},
	}
	s.market = market{revisions: map[uint64][]fund.Product{}, navs: map[string][]dated[fund.NAV]{}}
	s.models = models{kept: map[artifactID][]byte{}, history: map[features.ArtifactKind][]features.Activation{}}
	return s
}

// Close forgets everything; later calls return ErrUnavailable.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// Ping reports whether the store answers.
func (s *Store) Ping(ctx context.Context) error { return s.read(ctx, func() error { return nil }) }

// read runs f with the state held still.
func (s *Store) read(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return fmt.Errorf("%w: the store is closed", features.ErrUnavailable)
	}
	return f()
}

// lockWriting waits for its turn to write; unlock with unlockWriting.
func (s *Store) lockWriting(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := s.Ping(ctx); err != nil {
		s.unlockWriting()
		return err
	}
	return nil
}

func (s *Store) unlockWriting() { <-s.writing }

// Profile is features.Profiles. The profile is shared: nobody may change it.
func (s *Store) Profile(ctx context.Context, customerID string, at fund.Instant) (p *fund.Profile, err error) {
	err = s.read(ctx, func() error {
		c, ok := s.people.byID[customerID]
		if !ok {
			return notFound("customer", customerID)
		}
		p, err = c.asOf(customerID, at)
		return err
	})
	return p, err
}

// Head returns the customer's newest profile and the instant from which it answers.
func (s *Store) Head(ctx context.Context, customerID string) (p *fund.Profile, from fund.Instant, err error) {
	err = s.read(ctx, func() error {
		c, ok := s.people.byID[customerID]
		if !ok {
			return notFound("customer", customerID)
		}
		p, from = c.head, c.from
		return nil
	})
	return p, from, err
}

// Changes is features.Profiles. There is one writer, so what is committed is settled.
func (s *Store) Changes(ctx context.Context, after features.Position, limit int) (out features.ChangePage, err error) {
	if err := checkLimit(limit); err != nil {
		return out, err
	}
	err = s.read(ctx, func() error {
		log := s.people.changes
		from := sort.Search(len(log), func(i int) bool { return log[i].Position.Compare(after) > 0 })
		out.Changes = slices.Clone(log[from:min(len(log), from+limit)])
		out.Settled = after
		if n := len(out.Changes); n > 0 {
			out.Settled = out.Changes[n-1].Position
		}
		return nil
	})
	return out, err
}

// ChangesEnd is features.Profiles.
func (s *Store) ChangesEnd(ctx context.Context) (end features.Position, err error) {
	err = s.read(ctx, func() error {
		if n := len(s.people.changes); n > 0 {
			end = s.people.changes[n-1].Position
		}
		return nil
	})
	return end, err
}

// CustomerIDs is features.Profiles.
func (s *Store) CustomerIDs(ctx context.Context, after string, limit int) (out []string, err error) {
	if err := checkLimit(limit); err != nil {
		return nil, err
	}
	err = s.read(ctx, func() error {
		ids := s.people.ids
		from := sort.Search(len(ids), func(i int) bool { return ids[i] > after })
		out = slices.Clone(ids[from:min(from+limit, len(ids))])
		return nil
	})
	return out, err
}

type idempotencyKey struct{ scope, key string }

type idempotencyRecord struct {
	customerID string
	bodyHash   [32]byte
	receipt    features.Receipt
	recordedAt fund.Instant
}

// Write is features.Profiles.
func (s *Store) Write(ctx context.Context, w features.Write) (features.Receipt, error) {
	if err := w.Check(); err != nil {
		return features.Receipt{}, err
	}
	if err := s.lockWriting(ctx); err != nil {
		return features.Receipt{}, err
	}
	defer s.unlockWriting()
	if r, done, err := s.replay(&w); done {
		return r, err
	}
	// Only the one writer changes the state, so it reads without the lock.
	c, ok := s.people.byID[w.CustomerID]
	if !ok {
		return features.Receipt{}, notFound("customer", w.CustomerID)
	}
	if w.Guard != nil {
		if err := w.Guard(c.head); err != nil {
			return features.Receipt{}, err
		}
	}
	cells, early := features.SplitAhead(w.Cells, w.RecordedAt)
	changed := c.clone()
	added := changed.addCells(cells, s.seq+1)
	if added > 0 {
		if err := changed.rebuild(w.CustomerID); err != nil {
			return features.Receipt{}, err
		}
		c = changed
	}
	r := features.Receipt{Revision: c.head.Revision, Changed: added > 0, Quarantined: len(early)}
	s.commitWrite(&w, c, r, early)
	return r, nil
}

// replay answers a write that came before under its key.
func (s *Store) replay(w *features.Write) (features.Receipt, bool, error) {
	replays, err := s.replays(&w.Idempotency, w.RecordedAt)
	if err != nil || !replays {
		return features.Receipt{}, err != nil, err
	}
	r := s.people.keys[idempotencyKey{w.Idempotency.Scope, w.Idempotency.Key}].receipt
	r.Replayed = true
	return r, true, nil
}

func expired(recordedAt, now fund.Instant) bool {
	return now >= recordedAt.Add(features.IdempotencyLife*time.Hour)
}

func (s *Store) commitWrite(w *features.Write, c *customer, r features.Receipt, early []features.QuarantinedFact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people.keepEarly(early)
	if r.Changed {
		s.seq++
		s.people.byID[w.CustomerID] = c
		s.people.log(w.CustomerID)
	}
	s.people.remember(w.CustomerID, &w.Idempotency, r, w.RecordedAt)
}

// remember records a receipt under its key and forgets the keys whose life is over.
func (p *people) remember(customerID string, i *features.Idempotency, r features.Receipt, at fund.Instant) {
	if i.Key == "" {
		return
	}
	for k, rec := range p.keys {
		if expired(rec.recordedAt, at) {
			delete(p.keys, k)
		}
	}
	p.keys[idempotencyKey{i.Scope, i.Key}] = idempotencyRecord{customerID: customerID, bodyHash: i.BodyHash, receipt: r, recordedAt: at}
}

func (p *people) log(customerID string) {
	p.changes = append(p.changes, features.Change{Position: features.Position{Entry: uint64(len(p.changes)) + 1}, CustomerID: customerID})
}

func notFound(what, id string) error {
	return fmt.Errorf("%w: %s %.80q", features.ErrNotFound, what, id)
}

func checkLimit(limit int) error {
	if limit < 1 {
		return fmt.Errorf("%w: limit %d, expected at least 1", features.ErrInvalid, limit)
	}
	return nil
}
