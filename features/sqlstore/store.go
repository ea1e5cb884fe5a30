// Package sqlstore keeps a bank in an SQL database: SQLite, embedded, without cgo, or
// PostgreSQL. In SQLite one connection writes and a few read, so that a reader sees the state
// of one commit and never waits for a writer. In PostgreSQL several processes write: writers
// of one customer take turns at his head row, imports exclude each other. What differs from
// one database to another stands in dialect.go, sqlite.go and postgres.go. docs/features.md
// explains the tables.
package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
)

// OpenConfig says which store to open and how. Exactly one of Path and DSN is needed.
type OpenConfig struct {
	// Path of SQLite's database file. It is created, readable by its owner only, unless
	// MustExist is set.
	Path string
	// DSN of a PostgreSQL database, as a URL: postgres://USER@HOST:PORT/DATABASE. The tables
	// are created in it unless MustExist is set. What it holds of secrets is never shown.
	DSN       string
	MustExist bool
	// ReadConns is the number of connections that read; 0: 4. As many read heads only.
	ReadConns int
	// WriteConns is the number of connections to PostgreSQL that write; 0: 4. SQLite has one.
	WriteConns int
	// LockTimeout is how long to wait for another process that writes; 0: 5 s.
	LockTimeout time.Duration
	// StatementTimeout bounds each statement on PostgreSQL, whatever its caller's deadline
	// is; 0: 30 s. Streams of a whole market have their own.
	StatementTimeout time.Duration
	// NoNotify: PostgreSQL neither tells other processes of changes nor listens for theirs,
	// as behind a pooler that gives each transaction another session. They are found by
	// polling all the same.
	NoNotify bool
	// Committed, when not nil, is called after each transaction that this process has
	// committed and that may have changed customers. It must not block.
	Committed func()
}

// The defaults and limits of OpenConfig.
const (
	defaultReadConns  = 4
	maxReadConns      = 64
	defaultWriteConns = 4
	maxWriteConns     = 64
)

// pools are the connections of a store, by what they are for.
type pools struct {
	writer *sqlx.DB // SQLite: one connection
	reader *sqlx.DB
	stream *sqlx.DB      // reads that take as long as their caller does
	online *sqlx.DB      // SQLite: reads heads and nothing else, so that no long reading is in its way
	turns  chan struct{} // a token for each connection of online that reads
	heads  *headConns    // PostgreSQL: the same; nil: SQLite
}

// Store is a store in an SQL database. It is safe for concurrent use.
type Store struct {
	market
	pools
	dialect       *dialect
	version       int64
	stmts         [statementCount]*sqlx.Stmt
	one           [insertCount]*sqlx.Stmt // a row at a time
	many          [insertCount]*sqlx.Stmt // rowsAtOnce
	newcomerBytes int                     // that an import holds in memory
	committed     func()
	notifier      *notifier // nil: SQLite, or it was not wanted
	lines         lines     // PostgreSQL
	close         func() error
}

// Open opens a store and brings its schema up to date. Errors wrap
// features.ErrUnavailable (missing, locked, no store), features.ErrNewerStore or
// features.ErrInvalid (the configuration).
func Open(ctx context.Context, cfg OpenConfig) (*Store, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	s := &Store{dialect: sqliteDialect(), committed: cfg.Committed, newcomerBytes: maxNewcomerBytes}
	place, open := cfg.Path, s.openSQLite
	if cfg.DSN != "" {
		s.dialect = postgresDialect()
		var err error
		if place, err = Redact(cfg.DSN); err != nil {
			return nil, err
		}
		open = s.openPostgres
	}
	s.stmt = func(st statement) *sqlx.Stmt { return s.stmts[st] }
	s.close = sync.OnceValue(s.closeAll)
	err := open(ctx, cfg)
	if err == nil {
		err = s.prepare(ctx)
	}
	if err == nil {
		err = s.refoldStale(ctx)
	}
	if err != nil {
		_ = s.Close()
		return nil, fail(ctx, "open "+place, err)
	}
	return s, nil
}

func (c *OpenConfig) complete() error {
	if c.ReadConns == 0 {
		c.ReadConns = defaultReadConns
	}
	if c.WriteConns == 0 {
		c.WriteConns = defaultWriteConns
	}
	if c.LockTimeout == 0 {
		c.LockTimeout = defaultLockTimeout
	}
	if c.StatementTimeout == 0 {
		c.StatementTimeout = statementTimeout
	}
	if c.Committed == nil {
		c.Committed = func() {}
	}
	if (c.Path == "") == (c.DSN == "") {
		return fmt.Errorf("%w: path %q: expected either the path of a file or the DSN of a database", features.ErrInvalid, c.Path)
	}
	if c.ReadConns < 1 || c.ReadConns > maxReadConns || c.WriteConns < 1 || c.WriteConns > maxWriteConns || c.LockTimeout < 0 || c.StatementTimeout < time.Millisecond {
		return fmt.Errorf("%w: %d read connections, %d write connections, lock timeout %s, statement timeout %s: expected 1 to %d, 1 to %d and positive times",
			features.ErrInvalid, c.ReadConns, c.WriteConns, c.LockTimeout, c.StatementTimeout, maxReadConns, maxWriteConns)
	}
	return nil
}

func (s *Store) prepare(ctx context.Context) (err error) {
	for i := range s.stmts {
		text := s.dialect.text(statement(i))
		if text == "" {
			continue
		}
		db := s.reader
		switch {
		case statement(i) >= nextSeq:
			db = s.writer
		case statement(i) == selectHead && s.online != nil:
			db = s.online
		case statement(i) == streamNAVs || statement(i) == streamPurchases || statement(i) == selectQuarantined || statement(i) == selectErasedSince:
			db = s.stream
		}
		if s.stmts[i], err = db.PreparexContext(ctx, text); err != nil { //nolint:sqlclosecheck // closeAll closes it
			return fmt.Errorf("statement %d: %w", i, err)
		}
	}
	for i := range s.one {
		if s.one[i], err = s.writer.PreparexContext(ctx, s.dialect.rows(bulkInsert(i), 1)); err != nil { //nolint:sqlclosecheck // as above
			return fmt.Errorf("insert %d: %w", i, err)
		}
		if s.many[i], err = s.writer.PreparexContext(ctx, s.dialect.rows(bulkInsert(i), rowsAtOnce)); err != nil { //nolint:sqlclosecheck // as above
			return fmt.Errorf("insert %d: %w", i, err)
		}
	}
	return nil
}

// Close waits for the calls that run and closes the file; a PostgreSQL that says nothing is
// waited for two seconds, and what runs is cut off. Later calls return
// features.ErrUnavailable; closing again does nothing.
func (s *Store) Close() error { return s.close() }

func (s *Store) closeAll() error {
	late := time.AfterFunc(closeTimeout, s.lines.hangUp)
	defer late.Stop()
	s.notifier.close() // its last word is sent before the pools are closed
	var errs []error
	for _, stmts := range [...][]*sqlx.Stmt{s.stmts[:], s.one[:], s.many[:]} {
		for _, st := range stmts {
			if st != nil {
				errs = append(errs, st.Close())
			}
		}
	}
	s.heads.close()
	// The readers first: the last connection to close folds the WAL into the file.
	for _, db := range [...]*sqlx.DB{s.online, s.stream, s.reader, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return fail(context.Background(), "close", errors.Join(errs...))
}

// Wake is cache.Waker: it gives a value when changes may have been made elsewhere, until ctx
// ends. It is nil for SQLite, which tells nobody, and with NoNotify.
func (s *Store) Wake(ctx context.Context) <-chan struct{} { return s.notifier.Wake(ctx) }

// Ping reports whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	return fail(ctx, "ping", s.reader.QueryRowxContext(ctx, "SELECT 1").Scan(&n))
}

// SchemaVersion returns the version of the schema that the store is on.
func (s *Store) SchemaVersion() int64 { return s.version }
