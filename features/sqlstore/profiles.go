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

// Profile is features.Profiles. The profile is the caller's own.
func (s *Store) Profile(ctx context.Context, customerID string, at fund.Instant) (*fund.Profile, error) {
	p, from, err := s.Head(ctx, customerID)
	if err != nil || at >= from {
		return p, err
	}
	p, err = s.profileOfPast(ctx, customerID, at)
	return p, fail(ctx, "read customer "+customerID, err)
}

// Head returns the customer's newest profile and the instant from which it answers.
func (s *Store) Head(ctx context.Context, customerID string) (*fund.Profile, fund.Instant, error) {
	var revision, from int64
	var head []byte
	err := s.stmts[selectHead].QueryRowContext(ctx, customerID).Scan(&revision, &from, &head)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, notFound("customer", customerID)
	}
	if err != nil {
		return nil, 0, fail(ctx, "read a customer", err)
	}
	p, err := fund.ParseProfile(head)
	if err != nil {
		return nil, 0, fail(ctx, "read customer "+customerID, err)
	}
	return p, fund.Instant(from), nil
}

// profileOfPast folds cells, purchases and events, all read from one snapshot.
func (s *Store) profileOfPast(ctx context.Context, customerID string, at fund.Instant) (p *fund.Profile, err error) {
	h := history{customerID: customerID, until: at}
	err = s.inSnapshot(ctx, s.reader, func(tx *sqlx.Tx) error {
		if err := eachCell(ctx, tx.Stmtx(s.stmts[selectCells]), h.addCell, customerID); err != nil {
			return err
		}
		if err := eachPurchase(ctx, tx.Stmtx(s.stmts[selectPurchases]), h.addPurchase, customerID); err != nil {
			return err
		}
		return eachEvent(ctx, tx.Stmtx(s.stmts[selectEvents]), h.addEvent, customerID, int64(at))
	})
	if err != nil {
		return nil, err
	}
	return h.asOf(at)
}

// CustomerIDs is features.Profiles.
func (s *Store) CustomerIDs(ctx context.Context, after string, limit int) ([]string, error) {
	if err := checkLimit(limit); err != nil {
		return nil, err
	}
	var out []string
	err := each(ctx, s.stmts[selectCustomerIDs], func(rows *sqlx.Rows) error {
		var id string
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	}, after, limit)
	if err != nil {
		return nil, fail(ctx, "list customers", err)
	}
	return out, nil
}

// history is all that is known of one customer. Of his events only what the trail needs
// stays in memory.
type history struct {
	customerID   string
	until        fund.Instant // events that are visible only after it are left out
	cells        []features.Cell
	cellSeqs     []uint64
	purchases    []fund.Purchase // the newest of each key, in key order
	purchaseSeqs []uint64
	entries      []fund.Event
	eventSeq     uint64       // of the newest event
	lastEvent    fund.Instant // the latest from which one is visible
}

func (h *history) addCell(c *features.Cell, seq uint64) error {
	h.cells = append(h.cells, *c)
	h.cellSeqs = append(h.cellSeqs, seq)
	return nil
}

// addPurchase takes rows in key order, each key's by sequence number.
func (h *history) addPurchase(p *features.CustomerPurchase, seq uint64) error {
	if n := len(h.purchases) - 1; n >= 0 && samePurchase(h.purchases[n], p.Purchase) {
		h.purchases[n], h.purchaseSeqs[n] = p.Purchase, seq
		return nil
	}
	h.purchases = append(h.purchases, p.Purchase)
	h.purchaseSeqs = append(h.purchaseSeqs, seq)
	return nil
}

func (h *history) addEvent(e *features.Event, seq uint64) error {
	if !e.VisibleAt(h.until) {
		return nil
	}
	h.eventSeq = max(h.eventSeq, seq)
	h.lastEvent = max(h.lastEvent, e.VisibleFrom())
	if entry, ok := e.Entry(); ok {
		h.entries = append(h.entries, entry)
	}
	return nil
}

func samePurchase(a, b fund.Purchase) bool {
	return a.ProductCode == b.ProductCode && a.KnownOn == b.KnownOn && a.Kind == b.Kind
}

// asOf folds the history as of until, or of an earlier instant at which all events are
// visible. The revision is that of the newest row that is visible.
func (h *history) asOf(at fund.Instant) (*fund.Profile, error) {
	p, err := features.Fold(h.customerID, h.cells, h.purchases, features.AsKnown(at))
	if err != nil {
		return nil, err
	}
	p.Trail, p.Revision = behaviour.Of(h.entries), h.eventSeq
	for i := range h.cells {
		if h.cells[i].VisibleAt(at) {
			p.Revision = max(p.Revision, h.cellSeqs[i])
		}
	}
	for i := range h.purchases {
		if h.purchases[i].KnownOn.Start() <= at {
			p.Revision = max(p.Revision, h.purchaseSeqs[i])
		}
	}
	return p, nil
}

// each runs a query and hands each row to f.
func each(ctx context.Context, st *sqlx.Stmt, f func(*sqlx.Rows) error, args ...any) (err error) {
	rows, err := st.QueryxContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// eachCell hands each row of cellColumns to f; the cell is valid during the call.
func eachCell(ctx context.Context, st *sqlx.Stmt, f func(*features.Cell, uint64) error, args ...any) error {
	var c features.Cell
	var seq uint64
	var sourceSeq int64
	into := []any{
		&c.CustomerID, &c.View, &c.Name, &c.EventAt, &c.KnownAt, &sourceSeq, &c.Value, &c.ValidTo, &c.Tombstone, &c.Source, &c.Purpose, &seq,
	}
	return each(ctx, st, func(rows *sqlx.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		c.SourceSeq = uint64(sourceSeq)
		return f(&c, seq)
	}, args...)
}

// eachPurchase hands each row to f; the purchase is valid during the call.
func eachPurchase(ctx context.Context, st *sqlx.Stmt, f func(*features.CustomerPurchase, uint64) error, args ...any) error {
	var p features.CustomerPurchase
	var seq uint64
	into := []any{&p.CustomerID, &p.ProductCode, &p.KnownOn, &p.Kind, &p.Amount, &seq}
	return each(ctx, st, func(rows *sqlx.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		return f(&p, seq)
	}, args...)
}

func checkLimit(limit int) error {
	if limit < 1 {
		return fmt.Errorf("%w: limit %d, expected at least 1", features.ErrInvalid, limit)
	}
	return nil
}

// signed cuts a number to what the database can hold; no row has a greater one.
func signed(n uint64) int64 { return int64(min(n, 1<<63-1)) }
