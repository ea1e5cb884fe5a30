package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// How several writers meet, where the database has several:
//
//   - Who writes a customer locks his head row before he reads anything of him and before he
//     takes his transaction's number. So a head is always the fold of all that is committed,
//     and a customer's numbers rise in the order of the commits. Several rows are locked in
//     the order of their ids, so that nobody waits in a circle.
//   - A head row comes from imports only: a customer without one is not known.
//   - Imports exclude each other. What a cut reads by its number, and the pool's revisions,
//     come from imports only, so their numbers are in the order of their commits.
//   - A single writer may wait for a row that a running import has inserted, while the import
//     comes to wait for the head that the writer has locked. The import is the one that must
//     not fail for it: it tries again until the writer's patience (lock_timeout) has ended.
//   - An import takes its number at the start and locks the heads of its customers at the
//     end, run by run, so that single writes go on while it reads its files. Where a single
//     write was faster, its number is the greater one; the import's rows of that customer
//     then get a new number, because a revision must not stay when the content changes.

// lock locks a customer's head until the transaction ends, and returns his revision.
func (s *Store) lock(ctx context.Context, tx *sqlx.Tx, customerID string) (revision uint64, err error) {
	err = tx.Stmtx(s.stmts[lockHead]).QueryRowContext(ctx, customerID).Scan(&revision)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, notFound("customer", customerID)
	}
	return revision, err
}

// lock locks and reads the heads of a batch's customers.
func (r *recording) lock(ctx context.Context, s *Store, tx *sqlx.Tx, b *features.EventBatch) error {
	if !s.dialect.severalWriters {
		return nil
	}
	ids := make([]string, len(b.Events))
	for i := range b.Events {
		ids[i] = b.Events[i].CustomerID
	}
	slices.Sort(ids)
	return each(ctx, tx.Stmtx(s.stmts[lockHeads]), func(rows *sqlx.Rows) error {
		var id string
		var from int64
		var encoded []byte
		if err := rows.Scan(&id, &from, &encoded); err != nil {
			return err
		}
		_, err := r.keep(id, fund.Instant(from), encoded)
		return err
	}, slices.Compact(ids))
}

// lockForImport waits for the import that runs, if there is one, and lets this one take its
// time.
func (s *Store) lockForImport(ctx context.Context, tx *sqlx.Tx) error {
	if !s.dialect.severalWriters {
		return nil
	}
	_, err := tx.Stmtx(s.stmts[lockMarket]).ExecContext(ctx, int64(importLock), milliseconds(importIdleTimeout), milliseconds(streamTimeout))
	return err
}

// lockRun locks the heads of a run of customers, in the order of their ids, before their
// histories are read.
func (u *unit) lockRun(ids []string) error {
	if u.locked || !u.store.dialect.severalWriters {
		return nil
	}
	var overtaken []string
	err := u.despiteDeadlock(func() error {
		overtaken = nil
		return each(u.ctx, u.tx.Stmtx(u.store.stmts[lockRevisions]), func(rows *sqlx.Rows) error {
			var id string
			var revision uint64
			err := rows.Scan(&id, &revision)
			if revision > u.seq {
				overtaken = append(overtaken, id)
			}
			return err
		}, ids)
	})
	if err != nil || len(overtaken) == 0 {
		return err
	}
	return u.restamp(overtaken)
}

// deadlocks bounds how often an import meets a writer who waits for it. The server takes a
// second to find out, so that they are more than a writer's patience.
const deadlocks = 16

// despiteDeadlock runs f again when waiting for a single writer would have had no end.
func (u *unit) despiteDeadlock(f func() error) (err error) {
	for range deadlocks {
		if begun := u.exec("SAVEPOINT run"); begun != nil {
			return begun
		}
		err = f()
		var server *pgconn.PgError
		if !errors.As(err, &server) || server.Code != deadlockDetected {
			if err != nil {
				return err // the transaction ends, and the savepoint with it
			}
			return u.exec("RELEASE SAVEPOINT run")
		}
		if undone := u.exec("ROLLBACK TO SAVEPOINT run"); undone != nil {
			return undone
		}
	}
	return err
}

func (u *unit) exec(text string) error {
	_, err := u.tx.ExecContext(u.ctx, text)
	return err
}

// restamp gives the transaction's rows of customers whom it has locked a number that is
// greater than all that others took for them.
func (u *unit) restamp(customerIDs []string) error {
	var seq uint64
	if err := u.tx.Stmtx(u.store.stmts[nextSeq]).QueryRowContext(u.ctx).Scan(&seq); err != nil {
		return err
	}
	u.late = append(u.late, seq)
	for _, st := range [...]statement{restampCells, restampPurchases, restampEvents} {
		if _, err := u.tx.Stmtx(u.store.stmts[st]).ExecContext(u.ctx, int64(seq), customerIDs, int64(u.seq)); err != nil {
			return err
		}
	}
	return nil
}
