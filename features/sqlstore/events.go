package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// RecordEvents is features.Events.
func (s *Store) RecordEvents(ctx context.Context, b features.EventBatch) (features.EventsReceipt, error) {
	if err := b.Check(); err != nil {
		return features.EventsReceipt{}, err
	}
	var receipt features.EventsReceipt
	err := s.inTransaction(ctx, s.writer, func(tx *sqlx.Tx) (err error) {
		receipt, err = s.recordEvents(ctx, tx, &b)
		return err
	})
	if err != nil {
		return features.EventsReceipt{}, fail(ctx, "record events", err)
	}
	return receipt, nil
}

func (s *Store) recordEvents(ctx context.Context, tx *sqlx.Tx, b *features.EventBatch) (features.EventsReceipt, error) {
	r := recording{accepted: map[string]features.Event{}, heads: map[string]*head{}}
	// The locks first: the number of whoever writes a customer later is then greater.
	if err := r.lock(ctx, s, tx, b); err != nil {
		return features.EventsReceipt{}, err
	}
	u, err := s.newUnit(ctx, tx)
	if err != nil {
		return features.EventsReceipt{}, err
	}
	r.unit = u
	for i := range b.Events {
		if err := r.add(i, b.Events[i], b.RecordedAt); err != nil {
			return features.EventsReceipt{}, err
		}
	}
	receipt := features.EventsReceipt{Accepted: len(r.accepted), Duplicates: len(b.Events) - len(r.accepted) - r.early, Quarantined: r.early}
	if receipt.Accepted == 0 {
		return receipt, u.flush()
	}
	if err := r.writeFolded(); err != nil {
		return features.EventsReceipt{}, err
	}
	if err := u.flush(); err != nil {
		return features.EventsReceipt{}, err
	}
	return receipt, u.endTransaction(b.RecordedAt)
}

// recording is one batch of events on its way into the store. New events only add to a
// trail, so each is folded into the head that stands: nothing else is read again.
type recording struct {
	*unit
	accepted map[string]features.Event // by id
	heads    map[string]*head          // of the batch's customers
	changed  []*head                   // in the order of the batch
	early    int                       // events that came too early
}

// head is a head row while events are folded into it.
type head struct {
	profile *fund.Profile
	from    fund.Instant
	changed bool
}

func (r *recording) add(place int, e features.Event, recordedAt fund.Instant) error {
	h, err := r.head(e.CustomerID)
	if err != nil {
		return fmt.Errorf("events[%d]: %w", place, err)
	}
	old, known := r.accepted[e.ID]
	if !known {
		if old, known, err = r.storedEvent(e.ID); err != nil {
			return err
		}
	}
	if known {
		if !e.Repeats(&old) {
			return &features.EventReusedError{Place: place, ID: e.ID}
		}
		return nil
	}
	if e.Ahead(recordedAt) {
		r.early++
		return r.keepEarly(e.Quarantined(recordedAt))
	}
	if e.KnownAt == 0 {
		e.KnownAt = recordedAt
	}
	r.accepted[e.ID] = e
	h.from = max(h.from, e.VisibleFrom())
	if entry, ok := e.Entry(); ok {
		behaviour.Fold(&h.profile.Trail, &entry)
	}
	if !h.changed {
		h.changed = true
		r.changed = append(r.changed, h)
	}
	return r.addEvent(insertEvents, &e)
}

// head returns the head of a customer as the transaction sees it, and once read as the
// batch has left it.
func (r *recording) head(customerID string) (*head, error) {
	if h, ok := r.heads[customerID]; ok {
		return h, nil
	}
	var from int64
	var encoded []byte
	err := sql.ErrNoRows // of one whom locking did not find
	if !r.store.dialect.severalWriters {
		err = r.tx.Stmtx(r.store.stmts[storedHead]).QueryRowContext(r.ctx, customerID).Scan(&from, &encoded)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &features.NotFoundError{Kind: features.CustomerKind, ID: customerID}
	}
	if err != nil {
		return nil, err
	}
	return r.keep(customerID, fund.Instant(from), encoded)
}

func (r *recording) keep(customerID string, from fund.Instant, encoded []byte) (*head, error) {
	p, err := fund.ParseProfile(encoded)
	if err != nil {
		return nil, err
	}
	h := &head{profile: p, from: from}
	r.heads[customerID] = h
	return h, nil
}

// writeFolded writes the heads that changed, and puts their customers into the log.
func (r *recording) writeFolded() error {
	for _, h := range r.changed {
		h.profile.Revision = r.seq
		if err := r.touch(h.profile.CustomerID); err != nil {
			return err
		}
		if err := r.addHead(h.profile, h.from); err != nil {
			return err
		}
	}
	return nil
}

// addEvent writes an event: one that is new, or one in place of another content of its id.
func (u *unit) addEvent(into bulkInsert, e *features.Event) error {
	return u.bulks[into].add(u.ctx, eventRowOf(e, u.seq)...)
}

// storedEvent returns what stands under an id.
func (u *unit) storedEvent(id string) (e features.Event, ok bool, err error) {
	err = eachEvent(u.ctx, u.tx.Stmtx(u.store.stmts[storedEvent]), func(found *features.Event, _ uint64) error {
		e, ok = *found, true
		return nil
	}, id)
	return e, ok, err
}

// Events is features.Batch. An event that another content replaces leaves the trail of
// whose it was.
func (b *batch) Events(rows []features.Event) error {
	for i := range rows {
		e := &rows[i]
		if err := e.Check(); err != nil {
			return err
		}
		if err := b.event(e); err != nil {
			return fail(b.ctx, "import event "+e.ID, err)
		}
	}
	return b.ctx.Err()
}

func (b *batch) event(e *features.Event) error {
	if e.Ahead(b.at) {
		return b.setAside(e.Quarantined(b.at))
	}
	if b.stored.events {
		old, known, err := b.storedEvent(e.ID)
		if err != nil || known && e.Repeats(&old) {
			return err
		}
		if known {
			return b.replaceEvent(&old, e)
		}
	}
	b.changed++
	h, err := b.newcomer(e.CustomerID)
	if err != nil {
		return err
	}
	if h != nil {
		h.Events = append(h.Events, *e)
		return b.grew(1, len(e.ID)+len(e.Attributes))
	}
	if err := b.addEvent(insertEvents, e); err != nil {
		return err
	}
	return b.touch(e.CustomerID)
}

// replaceEvent puts an event in place of another content of its id. Whose it becomes is
// written first, so that the store knows him.
func (b *batch) replaceEvent(old, e *features.Event) error {
	if _, err := b.newcomer(e.CustomerID); err != nil {
		return err
	}
	if err := b.release(e.CustomerID); err != nil {
		return err
	}
	b.changed++
	if err := b.addEvent(replaceEvents, e); err != nil {
		return err
	}
	if err := b.touch(old.CustomerID); err != nil {
		return err
	}
	return b.touch(e.CustomerID)
}

// Events is features.Events. All events come from one snapshot.
func (s *Store) Events(ctx context.Context, customerID string, at fund.Instant, yield func(*features.Event) error) (err error) {
	var refused error // by yield: the caller's own, which says nothing of the store
	err = s.inSnapshot(ctx, func(tx *sqlx.Tx) error {
		var there bool
		if err := tx.Stmtx(s.stmts[selectKnown]).QueryRowContext(ctx, customerID).Scan(&there); err != nil {
			return err
		}
		if !there {
			return notFound("customer", customerID)
		}
		return eachEvent(ctx, tx.Stmtx(s.stmts[selectEvents]), func(e *features.Event, _ uint64) error {
			if e.VisibleAt(at) {
				refused = yield(e)
			}
			return refused
		}, customerID, int64(at))
	})
	if refused != nil {
		return refused
	}
	return fail(ctx, "read events of "+customerID, err)
}

// Manager is features.Staff.
func (s *Store) Manager(ctx context.Context, managerID string) (features.Manager, error) {
	m := features.Manager{ID: managerID}
	err := s.stmts[selectManager].QueryRowContext(ctx, managerID).Scan(&m.BranchID, &m.LicenceID, &m.LicenceUntil)
	if errors.Is(err, sql.ErrNoRows) {
		return features.Manager{}, &features.NotFoundError{Kind: features.ManagerKind, ID: managerID}
	}
	if err != nil {
		return features.Manager{}, fail(ctx, "read manager "+managerID, err)
	}
	return m, nil
}

// eachEvent hands each row of eventColumns to f; the event is valid during the call.
func eachEvent(ctx context.Context, st *sqlx.Stmt, f func(*features.Event, uint64) error, args ...any) error {
	var e features.Event
	var seq uint64
	into := []any{&e.CustomerID, &e.EventAt, &e.ID, &e.Kind, &e.KnownAt, &e.ProductCode, &e.DecisionID, &e.Channel, &e.Attributes, &seq}
	return each(ctx, st, func(rows *sqlx.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		return f(&e, seq)
	}, args...)
}
