// Package sqlstore keeps a bank in an SQL database: SQLite, embedded, without cgo.
// One connection writes and a few read, so that a reader sees the state of one commit
// and never waits for a writer. What differs from one database to another stands in
// dialect.go. docs/features.md explains the tables.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of PostgreSQL
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver of SQLite

	"github.com/fundmatch/fundmatch/features"
)

// OpenConfig says which store to open and how. Only Path is needed.
type OpenConfig struct {
	// Path of the database file. It is created, readable by its owner only, unless
	// MustExist is set.
	Path      string
	MustExist bool
	// ReadConns is the number of connections that read; 0: 4.
	ReadConns int
	// LockTimeout is how long to wait for another process that writes; 0: 5 s.
	LockTimeout time.Duration
}

// The defaults and limits of OpenConfig.
const (
	defaultReadConns   = 4
	maxReadConns       = 64
	defaultLockTimeout = 5 * time.Second
	readCacheKiB       = 4 << 10 // of each reader
	writeCacheKiB      = 16 << 10
	openAttempts       = 3 // besides one for each migration
)

// Store is a store in an SQL database. It is safe for concurrent use.
type Store struct {
	market
	dialect *dialect
	writer  *sqlx.DB // one connection
	reader  *sqlx.DB
	version int64
	stmts   [statementCount]*sqlx.Stmt
	one     [insertCount]*sqlx.Stmt // a row at a time
	many    [insertCount]*sqlx.Stmt // rowsAtOnce
	close   func() error
}

// Open opens a store and brings its schema up to date. Errors wrap
// features.ErrUnavailable (missing, locked, no store), features.ErrNewerStore or
// features.ErrInvalid (the configuration).
func Open(ctx context.Context, cfg OpenConfig) (*Store, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if err := touch(cfg); err != nil {
		return nil, err
	}
	s := &Store{dialect: sqliteDialect()}
	s.stmt = func(st statement) *sqlx.Stmt { return s.stmts[st] }
	s.close = sync.OnceValue(s.closeAll)
	if err := s.open(ctx, cfg); err != nil {
		_ = s.Close()
		return nil, fail(ctx, "open "+cfg.Path, err)
	}
	return s, nil
}

func (c *OpenConfig) complete() error {
	if c.ReadConns == 0 {
		c.ReadConns = defaultReadConns
	}
	if c.LockTimeout == 0 {
		c.LockTimeout = defaultLockTimeout
	}
	if c.Path == "" || c.ReadConns < 1 || c.ReadConns > maxReadConns || c.LockTimeout < 0 {
		return fmt.Errorf("%w: path %q, %d read connections, lock timeout %s: expected a path, 1 to %d and a positive time",
			features.ErrInvalid, c.Path, c.ReadConns, c.LockTimeout, maxReadConns)
	}
	return nil
}

// touch makes sure that the file is there, before SQLite creates it for all to read.
func touch(c OpenConfig) error {
	flags := os.O_RDWR
	if !c.MustExist {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(c.Path, flags, 0o600)
	if err == nil {
		err = f.Close()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &failure{kind: features.ErrUnavailable, op: "open " + c.Path, what: "there is no such file", driver: err}
	case err != nil:
		return &failure{kind: features.ErrUnavailable, op: "open " + c.Path, what: "the file cannot be opened", driver: err}
	}
	return nil
}

func (s *Store) open(ctx context.Context, cfg OpenConfig) (err error) {
	if s.writer, err = s.connect(cfg, 1, writeCacheKiB, url.Values{"_txlock": {"immediate"}}, "synchronous(NORMAL)", "secure_delete(ON)"); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if s.reader, err = s.connect(cfg, cfg.ReadConns, readCacheKiB, url.Values{}, "query_only(1)"); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	return s.refoldStale(ctx)
}

// connect opens a pool of connections that never close by themselves.
func (s *Store) connect(cfg OpenConfig, conns, cacheKiB int, params url.Values, pragmas ...string) (*sqlx.DB, error) {
	params["_pragma"] = append([]string{
		"busy_timeout(" + strconv.FormatInt(cfg.LockTimeout.Milliseconds(), 10) + ")",
		"journal_mode(WAL)", "foreign_keys(1)", "temp_store(MEMORY)", // statement journals are not worth a file
		"cache_size(-" + strconv.Itoa(cacheKiB) + ")",
	}, pragmas...)
	dsn := "file:" + (&url.URL{Path: cfg.Path}).EscapedPath() + "?" + params.Encode()
	db, err := sql.Open(s.dialect.driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return sqlx.NewDb(db, s.dialect.driver), nil
}

// migrate brings the schema up to date. Processes that open a new file together all try;
// those that come second to a migration fail at it once and find its work done.
func (s *Store) migrate(ctx context.Context) error {
	if err := s.refuseForeign(ctx); err != nil {
		return err
	}
	folder, err := fs.Sub(migrations, s.dialect.migrations)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(s.dialect.goose, s.writer.DB, folder)
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	newest := sources[len(sources)-1].Version
	for attempt := 1; ; attempt++ {
		if s.version, err = provider.GetDBVersion(ctx); err == nil {
			if s.version > newest {
				return fmt.Errorf("%w: schema %d, this program knows %d", features.ErrNewerStore, s.version, newest)
			}
			if _, err = provider.Up(ctx); err == nil {
				s.version = newest
				return nil
			}
		}
		if attempt == openAttempts+len(sources) || ctx.Err() != nil {
			return err
		}
	}
}

// refuseForeign refuses a database of somebody else, before it gets our tables.
func (s *Store) refuseForeign(ctx context.Context) error {
	var tables, ours int
	row := s.writer.QueryRowxContext(ctx, `SELECT COUNT(*), COUNT(CASE WHEN name = 'goose_db_version' THEN 1 END) FROM sqlite_master WHERE type = 'table'`)
	if err := row.Scan(&tables, &ours); err != nil {
		return err
	}
	if tables > 0 && ours == 0 {
		return fmt.Errorf("%w: the file is the database of another program", features.ErrUnavailable)
	}
	return nil
}

func (s *Store) prepare(ctx context.Context) (err error) {
	for i := range s.stmts {
		db := s.reader
		if statement(i) >= newestSeq {
			db = s.writer
		}
		if s.stmts[i], err = db.PreparexContext(ctx, s.dialect.text(statement(i))); err != nil { //nolint:sqlclosecheck // closeAll closes it
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

// Close waits for the calls that run and closes the file. Later calls return
// features.ErrUnavailable; closing again does nothing.
func (s *Store) Close() error { return s.close() }

func (s *Store) closeAll() error {
	var errs []error
	for _, stmts := range [...][]*sqlx.Stmt{s.stmts[:], s.one[:], s.many[:]} {
		for _, st := range stmts {
			if st != nil {
				errs = append(errs, st.Close())
			}
		}
	}
	// The readers first: the last connection to close folds the WAL into the file.
	for _, db := range [...]*sqlx.DB{s.reader, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return fail(context.Background(), "close", errors.Join(errs...))
}

// Ping reports whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	return fail(ctx, "ping", s.reader.QueryRowxContext(ctx, "SELECT 1").Scan(&n))
}

// SchemaVersion returns the version of the schema that the store is on.
func (s *Store) SchemaVersion() int64 { return s.version }
