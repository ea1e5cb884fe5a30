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
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver of SQLite

	"github.com/fundmatch/fundmatch/features"
)

// The caches of SQLite's connections.
const (
	readCacheKiB  = 4 << 10 // of each reader
	writeCacheKiB = 16 << 10
)

// sqliteDialect is SQLite through modernc.org/sqlite. The placeholders are given here
// and not with sqlx.BindDriver, which would change a table that all of the process shares.
func sqliteDialect() *dialect {
	return &dialect{
		driver: "sqlite", bind: sqlx.QUESTION, goose: goose.DialectSQLite3, migrations: "migrations/sqlite",
		snapshot: &sql.TxOptions{ReadOnly: true}, // a reader sees one commit from its first read on
		list:     jsonList, newcomersAtOnce: 128, statements: statements(), inserts: inserts(),
	}
}

// openSQLite opens the file: one connection writes, some read.
func (s *Store) openSQLite(ctx context.Context, cfg OpenConfig) (err error) {
	if err := touch(cfg); err != nil {
		return err
	}
	if s.writer, err = s.connectSQLite(cfg, 1, writeCacheKiB, url.Values{"_txlock": {"immediate"}}, "synchronous(NORMAL)", "secure_delete(ON)"); err != nil {
		return err
	}
	// Of several that open a new file together, one turns its log on; the others fail at once.
	for range openAttempts {
		if err = s.refuseForeignFile(ctx); err == nil || errors.Is(err, features.ErrUnavailable) {
			break
		}
	}
	if err != nil {
		return err
	}
	if err := s.migrate(ctx, s.writer.DB); err != nil {
		return err
	}
	if s.reader, err = s.connectSQLite(cfg, cfg.ReadConns, readCacheKiB, url.Values{}, "query_only(1)"); err != nil {
		return err
	}
	s.stream, s.turns = s.reader, make(chan struct{}, cfg.ReadConns)
	s.online, err = s.connectSQLite(cfg, cfg.ReadConns, readCacheKiB, url.Values{}, "query_only(1)")
	return err
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

// connectSQLite opens a pool of connections that never close by themselves.
func (s *Store) connectSQLite(cfg OpenConfig, conns, cacheKiB int, params url.Values, pragmas ...string) (*sqlx.DB, error) {
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

// refuseForeignFile refuses a database of somebody else, before it gets our tables.
func (s *Store) refuseForeignFile(ctx context.Context) error {
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

// sqliteDurably runs f in a transaction of the writer's connection whose commit waits for the
// disk; the usual ones do not.
func (s *Store) sqliteDurably(ctx context.Context, f func(*sqlx.Tx) error) (err error) {
	conn, err := s.writer.Connx(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "PRAGMA synchronous = FULL"); err != nil {
		return err
	}
	defer func() {
		// Even when the caller's context has ended, the next writer gets the usual setting.
		_, reset := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous = NORMAL")
		err = errors.Join(err, reset)
	}()
	return s.inTransaction(ctx, conn, f)
}

// defaultLockTimeout is how long a writer waits for another one.
const defaultLockTimeout = 5 * time.Second

// jsonList returns texts that fund.CheckID accepts as a JSON list.
func jsonList(texts []string) any {
	if len(texts) == 0 {
		return "[]"
	}
	return `["` + strings.Join(texts, `","`) + `"]`
}
