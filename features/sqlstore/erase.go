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

const erasureColumns = `customer_id, erased_at, erased_by, commitment, cells, events, purchases`

// addErasureStatements adds those of erasures. The values of one customer lie together in
// every table, so that each statement reads and writes nothing of anybody else.
func addErasureStatements(all *[statementCount]string) {
	all[selectErased] = `SELECT ` + erasureColumns + ` FROM erasures WHERE customer_id = ? ORDER BY seq DESC LIMIT 1`
	all[selectErasedSince] = `SELECT ` + erasureColumns + ` FROM erasures WHERE erased_at >= ? ORDER BY erased_at, customer_id`
	all[standingErasure] = all[selectErased]
	all[insertErasure] = `INSERT INTO erasures (` + erasureColumns + `, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	all[hisPurchases] = `SELECT customer_id, product_code, known_on, kind, amount, seq FROM interactions WHERE customer_id = ?`
	all[hisEvents] = `SELECT ` + eventColumns + ` FROM events e WHERE e.customer_id = ?`
	all[hisQuarantined] = `SELECT EXISTS (SELECT 1 FROM quarantined WHERE customer_id = ?)`
	all[keepNameless] = `INSERT INTO interactions (customer_id, product_code, known_on, kind, seq, amount)
			SELECT ?, product_code, known_on, kind, seq, 0 FROM interactions WHERE customer_id = ?`
	for st, table := range map[statement]string{
		deletePurchases: "interactions", deleteCells: "cells", deleteEvents: "events", deleteHead: "heads", deleteStale: "stale_heads",
		deleteQuarantined: "quarantined", deleteReplays: "idempotency",
	} {
		all[st] = `DELETE FROM ` + table + ` WHERE customer_id = ?`
	}
}

// Erase is features.Erasures. Its commit waits for the disk, and what was deleted leaves the
// files: when another process reads for so long that it cannot, the error is ErrUnavailable,
// the erasure stands, and erasing again finishes it.
func (s *Store) Erase(ctx context.Context, e features.Erasure) (out features.Erased, err error) {
	if err := e.Check(); err != nil {
		return features.Erased{}, err
	}
	err = s.durably(ctx, func(tx *sqlx.Tx) (err error) {
		out, err = s.erase(ctx, tx, &e)
		return err
	})
	if err == nil {
		err = s.shred(ctx)
	}
	if err != nil {
		return features.Erased{}, fail(ctx, "erase customer "+e.CustomerID, err)
	}
	return out, nil
}

func (s *Store) erase(ctx context.Context, tx *sqlx.Tx, e *features.Erasure) (features.Erased, error) {
	// An import that runs has read what is erased here, and would bring some of it again.
	if err := s.lockForImport(ctx, tx); err != nil {
		return features.Erased{}, err
	}
	_, unknown := s.lock(ctx, tx, e.CustomerID)
	if errors.Is(unknown, features.ErrNotFound) {
		unknown = s.setAside(ctx, tx, e.CustomerID, unknown)
	}
	if unknown != nil && !errors.Is(unknown, features.ErrNotFound) {
		return features.Erased{}, unknown
	}
	replayed, err := s.replays(ctx, tx, &e.Idempotency, e.At)
	if err != nil {
		return features.Erased{}, err
	}
	if replayed || unknown != nil {
		before, err := scanErased(tx.Stmtx(s.stmts[standingErasure]).QueryRowContext(ctx, e.CustomerID))
		if err == nil {
			before.Repeated = true
			return before, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return features.Erased{}, err
		}
	}
	if unknown != nil {
		return features.Erased{}, unknown
	}
	return s.eraseKnown(ctx, tx, e)
}

// setAside returns the error about somebody unknown, or nil when facts about him came too
// early: those are there to be erased.
func (s *Store) setAside(ctx context.Context, tx *sqlx.Tx, customerID string, unknown error) error {
	var any bool
	if err := tx.Stmtx(s.stmts[hisQuarantined]).QueryRowContext(ctx, customerID).Scan(&any); err != nil {
		return err
	}
	if any {
		return nil
	}
	return unknown
}

func (s *Store) eraseKnown(ctx context.Context, tx *sqlx.Tx, e *features.Erasure) (features.Erased, error) {
	h, err := s.whole(ctx, tx, e.CustomerID)
	if err != nil {
		return features.Erased{}, err
	}
	out := features.Erased{
		CustomerID: e.CustomerID, At: e.At, By: e.By, Commitment: features.Commit(e.Salt, h),
		Cells: int64(len(h.Cells)), Events: int64(len(h.Events)), Purchases: int64(len(h.Purchases)),
	}
	u, err := s.newUnit(ctx, tx)
	if err != nil {
		return features.Erased{}, err
	}
	if err := s.run(ctx, tx, keepNameless, e.PseudonymID(), e.CustomerID); err != nil {
		return features.Erased{}, err
	}
	for _, st := range [...]statement{deletePurchases, deleteCells, deleteEvents, deleteHead, deleteStale, deleteQuarantined, deleteReplays} {
		if err := s.run(ctx, tx, st, e.CustomerID); err != nil {
			return features.Erased{}, err
		}
	}
	if err := s.run(ctx, tx, insertErasure, out.CustomerID, int64(out.At), out.By, out.Commitment[:], out.Cells, out.Events, out.Purchases, signed(u.seq)); err != nil {
		return features.Erased{}, err
	}
	if err := u.touch(e.CustomerID); err != nil {
		return features.Erased{}, err
	}
	if err := u.flush(); err != nil { // and no heads: there is nothing to fold
		return features.Erased{}, err
	}
	if err := u.endTransaction(e.At); err != nil {
		return features.Erased{}, err
	}
	w := features.Write{CustomerID: e.CustomerID, RecordedAt: e.At, Idempotency: e.Idempotency}
	return out, s.remember(ctx, tx, &w, features.Receipt{Revision: u.seq, Changed: true})
}

// whole reads everything about a customer within the writing transaction.
func (s *Store) whole(ctx context.Context, tx *sqlx.Tx, id string) (*features.History, error) {
	h := &features.History{CustomerID: id}
	err := eachCell(ctx, tx.Stmtx(s.stmts[storedCells]), func(c *features.Cell, seq uint64) error {
		h.Cells, h.CellSeqs = append(h.Cells, *c), append(h.CellSeqs, seq)
		return nil
	}, id)
	if err != nil {
		return nil, err
	}
	err = eachPurchase(ctx, tx.Stmtx(s.stmts[hisPurchases]), func(p *features.CustomerPurchase, seq uint64) error {
		h.Purchases, h.PurchaseSeqs = append(h.Purchases, p.Purchase), append(h.PurchaseSeqs, seq)
		return nil
	}, id)
	if err != nil {
		return nil, err
	}
	err = eachEvent(ctx, tx.Stmtx(s.stmts[hisEvents]), func(e *features.Event, seq uint64) error {
		h.Events, h.EventSeqs = append(h.Events, *e), append(h.EventSeqs, seq)
		return nil
	}, id)
	history.Settle(h)
	return h, err
}

func (s *Store) run(ctx context.Context, tx *sqlx.Tx, st statement, args ...any) error {
	_, err := tx.Stmtx(s.stmts[st]).ExecContext(ctx, args...)
	return err
}

// shred takes what was deleted out of SQLite's files. The writer's connection overwrites what
// it deletes (secure_delete, see open); what older versions of pages hold leaves with the log,
// which is folded into the file and emptied.
func (s *Store) shred(ctx context.Context) error {
	if s.dialect.driver != "sqlite" {
		return nil // PostgreSQL's vacuum takes dead rows away, and its archive is the operator's: docs/rights.md
	}
	var busy, inLog, folded int
	if err := s.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &folded); err != nil {
		return err
	}
	if busy != 0 {
		return fmt.Errorf("%w: the customer is erased, but another process reads the log of the file, so that the deleted values are still in it: erase him again", features.ErrUnavailable)
	}
	return nil
}

// Erased is features.Erasures.
func (s *Store) Erased(ctx context.Context, customerID string) (features.Erased, error) {
	out, err := scanErased(s.stmts[selectErased].QueryRowContext(ctx, customerID))
	if errors.Is(err, sql.ErrNoRows) {
		return features.Erased{}, notFound("erasure of customer", customerID)
	}
	return out, fail(ctx, "read the erasure of "+customerID, err)
}

// ErasedSince is features.Erasures.
func (s *Store) ErasedSince(ctx context.Context, since fund.Instant, yield func(*features.Erased) error) error {
	var refused error // by yield: the caller's own, which says nothing of the store
	err := each(ctx, s.stmts[selectErasedSince], func(rows *sqlx.Rows) error {
		out, err := scanErased(rows)
		if err != nil {
			return err
		}
		refused = yield(&out)
		return refused
	}, int64(since))
	if refused != nil {
		return refused
	}
	return fail(ctx, "read erasures", err)
}

// scanner is a row of one or of many.
type scanner interface{ Scan(into ...any) error }

func scanErased(row scanner) (out features.Erased, err error) {
	var commitment []byte
	err = row.Scan(&out.CustomerID, &out.At, &out.By, &commitment, &out.Cells, &out.Events, &out.Purchases)
	copy(out.Commitment[:], commitment)
	return out, err
}
