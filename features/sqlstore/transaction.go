package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jmoiron/sqlx"
)

// beginner begins a transaction: a pool, or one of its connections alone.
type beginner interface {
	BeginTxx(ctx context.Context, opts *sql.TxOptions) (*sqlx.Tx, error)
}

// attempts bounds how often a transaction is tried that others were in the way of.
const attempts = 4

// errOvertaken says that another writer was first with something that this transaction had
// found free: an idempotency key, an event id.
var errOvertaken = errors.New("another writer was first")

// errNoDriver says that a connection is not of the driver that it was opened with.
var errNoDriver = errors.New("the connection is another driver's")

// final is an error after which a transaction must not be tried again: of its commit, which
// may have happened, or of an import, whose rows come once.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// inTransaction runs f in a transaction that is committed when f returns nil, and undone
// when it returns an error or panics. Where several writers meet, f runs again from the
// beginning when the transaction was undone for their sake alone: deadlock, serialization,
// a unique key that somebody else took.
func (s *Store) inTransaction(ctx context.Context, db beginner, f func(*sqlx.Tx) error) (err error) {
	for range attempts {
		if err = inOne(ctx, db, nil, f); err == nil {
			s.committed()
			return nil
		}
		if !s.dialect.severalWriters || !again(err) {
			return err
		}
	}
	return err
}

// inOne runs f in one transaction.
func inOne(ctx context.Context, db beginner, opts *sql.TxOptions, f func(*sqlx.Tx) error) error {
	tx, err := db.BeginTxx(ctx, opts)
	if err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			_ = tx.Rollback() // the first error says more
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return final{err}
	}
	committed = true
	return nil
}

// durably runs f in a transaction whose commit waits for the disk, so that it outlives a
// power failure too: for imports, which nobody repeats, and for evidence. On PostgreSQL
// every commit does.
func (s *Store) durably(ctx context.Context, f func(*sqlx.Tx) error) (err error) {
	if s.dialect.severalWriters {
		return s.inTransaction(ctx, s.writer, f)
	}
	return s.sqliteDurably(ctx, f)
}

// importing runs f in a transaction whose commit waits for the disk. Where the database takes
// rows in bulk, conn is the connection of the transaction.
func (s *Store) importing(ctx context.Context, f func(tx *sqlx.Tx, conn *sqlx.Conn) error) (err error) {
	if !s.dialect.severalWriters {
		return s.sqliteDurably(ctx, func(tx *sqlx.Tx) error { return f(tx, nil) })
	}
	conn, err := s.writer.Connx(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return s.inTransaction(ctx, conn, func(tx *sqlx.Tx) error { return f(tx, conn) })
}

// inSnapshot runs f with statements that all see the store as of one commit.
func (s *Store) inSnapshot(ctx context.Context, f func(*sqlx.Tx) error) error {
	return inOne(ctx, s.reader, s.dialect.snapshot, f)
}
