package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
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
	read := s.oneHead
	if s.dialect.severalWriters {
		read = s.heads.read
	}
	from, head, err := read(ctx, customerID)
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

// oneHead reads a head row of SQLite, on a connection that nothing longer than that runs on.
// The caller waits for it as long as his context lasts. The read itself, of one row in this
// process, is not worth watching his context, which costs two goroutines and a quarter of the
// time.
func (s *Store) oneHead(ctx context.Context, customerID string) (from int64, head []byte, err error) {
	if err := ctx.Err(); err != nil {
		return 0, nil, err
	}
	select {
	case s.turns <- struct{}{}:
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	}
	defer func() { <-s.turns }()
	err = s.stmts[selectHead].QueryRowxContext(context.WithoutCancel(ctx), customerID).Scan(&from, &head)
	return from, head, err
}

// profileOfPast folds cells, purchases and events, all read from one snapshot.
func (s *Store) profileOfPast(ctx context.Context, customerID string, at fund.Instant) (p *fund.Profile, err error) {
	err = s.inSnapshot(ctx, func(tx *sqlx.Tx) error {
		g := newGathering([]string{customerID})
		if err := eachCell(ctx, tx.Stmtx(s.stmts[selectCells]), g.addCell, customerID); err != nil {
			return err
		}
		if err := eachPurchase(ctx, tx.Stmtx(s.stmts[selectPurchases]), g.addPurchase, customerID); err != nil {
			return err
		}
		if err := eachEvent(ctx, tx.Stmtx(s.stmts[selectEvents]), g.addEvent, customerID, int64(at)); err != nil {
			return err
		}
		if h := &g.histories[0]; len(h.Cells)+len(h.Purchases)+len(h.Events) == 0 {
			if err := s.stillKnown(ctx, tx, customerID); err != nil {
				return err
			}
		}
		history.Settle(&g.histories[0])
		p, err = history.AsOf(&g.histories[0], features.AsKnown(at))
		return err
	})
	return p, err
}

// stillKnown returns features.ErrNotFound when a customer was erased after his head was read:
// what is left would be the profile of somebody of whom nothing is known.
func (s *Store) stillKnown(ctx context.Context, tx *sqlx.Tx, customerID string) error {
	var there bool
	err := tx.Stmtx(s.stmts[selectKnown]).QueryRowContext(ctx, customerID).Scan(&there)
	if err == nil && !there {
		return notFound("customer", customerID)
	}
	return err
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

func samePurchase(a, b fund.Purchase) bool {
	return a.ProductCode == b.ProductCode && a.KnownOn == b.KnownOn && a.Kind == b.Kind
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
