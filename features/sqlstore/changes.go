package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
)

// Changes is features.Profiles. In SQLite there is one writer, so what is committed is
// settled. In PostgreSQL the log is in the order of the transactions' numbers, which they get
// when they first write and not when they commit: what is settled ends below the oldest that
// still runs, wherever in the server it does.
//
// A PostgreSQL that was restored, or was promoted from a copy, may count its transactions
// from a smaller number: Settled may then be below what a reader had, and Origin is another. It
// must begin again at ChangesEnd, and forget what it kept.
func (s *Store) Changes(ctx context.Context, after features.Position, limit int) (features.ChangePage, error) {
	if err := checkLimit(limit); err != nil {
		return features.ChangePage{}, err
	}
	read := s.changesOfOne
	if s.dialect.severalWriters {
		read = s.changesOfMany
	}
	page, err := read(ctx, after, limit)
	if err != nil {
		return features.ChangePage{}, fail(ctx, "read the change log", err)
	}
	return page, nil
}

// changesOfOne reads the log of the one writer.
func (s *Store) changesOfOne(ctx context.Context, after features.Position, limit int) (features.ChangePage, error) {
	page := features.ChangePage{Settled: after}
	err := each(ctx, s.stmts[selectChanges], func(rows *sqlx.Rows) error {
		var c features.Change
		err := rows.Scan(&c.Position.Entry, &c.Position.Transaction, &c.CustomerID)
		page.Changes = append(page.Changes, c)
		page.Settled = c.Position
		return err
	}, signed(after.Entry), limit)
	return page, err
}

// changesOfMany reads the log of many writers. Its one statement always gives a row, with the
// end of what is settled as the statement saw it.
func (s *Store) changesOfMany(ctx context.Context, after features.Position, limit int) (features.ChangePage, error) {
	var page features.ChangePage
	err := each(ctx, s.stmts[selectChanges], func(rows *sqlx.Rows) error {
		var settled int64
		var tx, entry, lag sql.NullInt64
		var customerID sql.NullString
		if err := rows.Scan(&settled, &page.Origin, &tx, &entry, &customerID, &lag); err != nil {
			return err
		}
		page.Settled = endOf(settled)
		if tx.Valid {
			at := features.Position{Transaction: uint64(tx.Int64), Entry: uint64(entry.Int64)}
			page.Changes = append(page.Changes, features.Change{Position: at, CustomerID: customerID.String})
			page.Lag = max(1, time.Duration(lag.Int64)*time.Microsecond) // 0 would say that it is unknown
		}
		return nil
	}, signed(after.Transaction), signed(after.Entry), limit)
	if len(page.Changes) < limit {
		return page, err
	}
	// There may be more, which a reader that went on from further above would miss.
	if last := page.Changes[limit-1].Position; last.Compare(page.Settled) < 0 {
		page.Settled = last
	}
	return page, err
}

// endOf returns the position after all entries of a transaction and of those before it.
func endOf(transaction int64) features.Position {
	return features.Position{Transaction: uint64(max(transaction, 0)), Entry: math.MaxInt64}
}

// ChangesEnd is features.Profiles.
func (s *Store) ChangesEnd(ctx context.Context) (end features.Position, err error) {
	row := s.stmts[selectChangesEnd].QueryRowContext(ctx)
	if s.dialect.severalWriters {
		var settled int64
		err = row.Scan(&settled)
		return endOf(settled), fail(ctx, "read the change log", err)
	}
	err = row.Scan(&end.Entry, &end.Transaction)
	if errors.Is(err, sql.ErrNoRows) {
		return features.Position{}, nil
	}
	return end, fail(ctx, "read the change log", err)
}
