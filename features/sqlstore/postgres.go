package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"

	"github.com/fundmatch/fundmatch/features"
)

// How long a PostgreSQL may take, whatever a caller's own deadline is; each may be given
// in the DSN too.
const (
	connectTimeout = 5 * time.Second
	// statementTimeout bounds each statement; none of them reads more than a page of rows.
	statementTimeout = 30 * time.Second
	// streamTimeout bounds the reading of a whole market, and of what a caller takes slowly.
	streamTimeout = 15 * time.Minute
	// idleTimeout ends a transaction whose program hangs, and frees what it has locked.
	idleTimeout = 30 * time.Second
	// importIdleTimeout is the same for an import, which reads files and tries a pool out.
	importIdleTimeout = 15 * time.Minute
	connLifetime      = 30 * time.Minute // so that connections find a new primary
	connIdleTime      = 5 * time.Minute
)

// The names that others see in the server.
const (
	applicationName = "fundmatch"
	// importLock and migrateLock are the keys of advisory locks: "fundmatc" and a number.
	importLock  = 0x66756e646d617401
	migrateLock = 0x66756e646d617402
)

// minServer is the oldest PostgreSQL that the store is made for.
const minServer = 150000

// postgresDialect is PostgreSQL through pgx.
func postgresDialect() *dialect {
	d := &dialect{
		driver: "pgx", bind: sqlx.DOLLAR, goose: goose.DialectPostgres, migrations: "migrations/postgres", severalWriters: true,
		snapshot:        &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		list:            func(texts []string) any { return texts },
		newcomersAtOnce: 2048, statements: statements(), inserts: inserts(),
	}
	for st, text := range postgresStatements() {
		d.statements[st] = text
	}
	return d
}

// postgresStatements are the texts that differ from SQLite's.
func postgresStatements() map[statement]string {
	const listed = ` FROM unnest(?::text[]) WITH ORDINALITY j (id, place) JOIN `
	const oneDay = `86400000000` // features.IdempotencyLife in microseconds
	return map[statement]string{
		// A server that was restored, promoted or started again began at another instant.
		selectChanges: `SELECT s.settled, s.origin, c.tx, c.entry, c.customer_id, c.lag
			FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 AS settled,
				(EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000)::bigint
					# ((SELECT oid FROM pg_database WHERE datname = current_database())::bigint << 32) AS origin) s
			LEFT JOIN LATERAL (
				SELECT tx, entry, customer_id, (EXTRACT(EPOCH FROM clock_timestamp() - written_at) * 1000000)::bigint AS lag
				FROM changes WHERE (tx, entry) > (?, ?) ORDER BY tx, entry LIMIT ?
			) c ON TRUE ORDER BY c.tx, c.entry`,
		selectChangesEnd: `SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1`,

		nextSeq:       `SELECT nextval('transaction_seq')`,
		lockHead:      `SELECT revision FROM heads WHERE customer_id = ? FOR UPDATE`,
		lockHeads:     `SELECT customer_id, effective_from, head FROM heads WHERE customer_id = ANY(?) ORDER BY customer_id FOR UPDATE`,
		lockRevisions: `SELECT customer_id, revision FROM heads WHERE customer_id = ANY(?) ORDER BY customer_id FOR UPDATE`,
		lockMarket: `SELECT pg_advisory_xact_lock(?), set_config('idle_in_transaction_session_timeout', ?, TRUE),
			set_config('statement_timeout', ?, TRUE)`,
		restampCells:     `UPDATE cells SET seq = ? WHERE customer_id = ANY(?) AND seq = ?`,
		restampPurchases: `UPDATE interactions SET seq = ? WHERE customer_id = ANY(?) AND seq = ?`,
		restampEvents:    `UPDATE events SET seq = ? WHERE customer_id = ANY(?) AND seq = ?`,

		listedHeads:        `SELECT j.place - 1, h.effective_from, h.head` + listed + `heads h ON h.customer_id = j.id`,
		listedCustomers:    `SELECT h.customer_id` + listed + `heads h ON h.customer_id = j.id`,
		listedCells:        `SELECT ` + cellColumns + listed + `cells c ON c.customer_id = j.id`,
		listedCellsOfViews: `SELECT ` + cellColumns + listed + `cells c ON c.customer_id = j.id AND c.view = ANY(?)`,
		listedPurchases: `SELECT i.customer_id, i.product_code, i.known_on, i.kind, i.amount, i.seq` + listed +
			`interactions i ON i.customer_id = j.id`,
		listedEvents: `SELECT ` + eventColumns + listed + `events e ON e.customer_id = j.id`,

		// Another writer may be at the same keys: they are left to him.
		expireReplays: `DELETE FROM idempotency WHERE (scope, idempotency_key) IN (
				SELECT scope, idempotency_key FROM idempotency WHERE recorded_at <= ? ORDER BY recorded_at LIMIT 100 FOR UPDATE SKIP LOCKED)`,
		rememberReplay: `INSERT INTO idempotency (scope, idempotency_key, body_hash, revision, changed, quarantined, recorded_at, customer_id)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, idempotency_key) DO UPDATE SET body_hash = excluded.body_hash,
				revision = excluded.revision, changed = excluded.changed, quarantined = excluded.quarantined,
				recorded_at = excluded.recorded_at, customer_id = excluded.customer_id
			WHERE idempotency.recorded_at <= excluded.recorded_at - ` + oneDay,
		storedConfirmation: `SELECT ` + confirmationColumns + ` FROM confirmations WHERE confirmation_id = ? FOR UPDATE`,
	}
}

// openPostgres connects and brings the schema up to date.
func (s *Store) openPostgres(ctx context.Context, cfg OpenConfig) (err error) {
	if err := s.migratePostgres(ctx, cfg); err != nil {
		return err
	}
	const readOnly, idle = "default_transaction_read_only", "idle_in_transaction_session_timeout"
	if s.writer, err = s.connectPostgres(cfg, cfg.WriteConns, map[string]string{}); err != nil {
		return err
	}
	if s.reader, err = s.connectPostgres(cfg, cfg.ReadConns, map[string]string{readOnly: "on", idle: milliseconds(streamTimeout)}); err != nil {
		return err
	}
	heads, err := s.configure(cfg, map[string]string{readOnly: "on"})
	if err != nil {
		return err
	}
	s.heads = newHeadConns(&heads.Config, s.dialect.text(selectHead), cfg.ReadConns)
	s.stream, err = s.connectPostgres(cfg, cfg.ReadConns, map[string]string{
		readOnly: "on", "statement_timeout": milliseconds(streamTimeout), idle: milliseconds(streamTimeout),
	})
	if err != nil || cfg.NoNotify {
		return err
	}
	return s.openNotifier(cfg)
}

// openNotifier makes commits heard by other processes.
func (s *Store) openNotifier(cfg OpenConfig) error {
	c, err := parseDSN(cfg.DSN)
	if err != nil {
		return err
	}
	c.RuntimeParams["application_name"] = applicationName + " notifier"
	c.DialFunc = s.lines.over(c.DialFunc)
	s.notifier = newNotifier(c)
	s.committed = func() { cfg.Committed(); s.notifier.committed() }
	return nil
}

// connectPostgres returns a pool of connections, which are made when they are needed.
func (s *Store) connectPostgres(cfg OpenConfig, conns int, settings map[string]string) (*sqlx.DB, error) {
	c, err := s.configure(cfg, settings)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*c, stdlib.OptionAfterConnect(waitForDisk), stdlib.OptionShouldPing(doubtful))
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxLifetime(connLifetime)
	db.SetConnMaxIdleTime(connIdleTime)
	return sqlx.NewDb(db, "pgx"), nil
}

// configure says how to connect, and what a connection is set to.
func (s *Store) configure(cfg OpenConfig, settings map[string]string) (*pgx.ConnConfig, error) {
	c, err := parseDSN(cfg.DSN)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"statement_timeout": milliseconds(cfg.StatementTimeout), "lock_timeout": milliseconds(cfg.LockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(idleTimeout), "application_name": applicationName,
	} {
		if _, given := c.RuntimeParams[name]; !given {
			c.RuntimeParams[name] = value
		}
	}
	// Every statement is a walk along a key. Its plan must not depend on what the server
	// happens to know of tables that an import has just filled.
	for name, value := range map[string]string{
		"timezone": "UTC", "plan_cache_mode": "force_generic_plan", "jit": "off",
		"enable_seqscan": "off", "enable_bitmapscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
	} {
		c.RuntimeParams[name] = value
	}
	for name, value := range settings {
		c.RuntimeParams[name] = value
	}
	c.DialFunc = s.lines.over(c.DialFunc)
	return c, nil
}

// unusedFor is how long a connection that nobody used is trusted.
const unusedFor = time.Second

// doubtful reports whether to ask a connection of a pool if it is still there, before it is used
// again: nobody used it for a while, or the server said something unasked. That is its
// farewell, as a rule, when it was stopped or started again; who sends a statement after it
// cannot know whether it was done.
func doubtful(_ context.Context, p stdlib.ShouldPingParams) bool {
	return p.IdleDuration > unusedFor || spoke(p.Conn.PgConn().Conn())
}

// waitForDisk makes every commit wait for the disk, where the server would not: what was
// acknowledged must outlive it. A server that waits for more than that goes on doing so.
func waitForDisk(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', FALSE)
		WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')`)
	return err
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// parseDSN reads a DSN. What the driver says of a bad one may repeat its password, so that
// nobody hears it.
func parseDSN(dsn string) (*pgx.ConnConfig, error) {
	bad := fmt.Errorf("%w: the DSN of a PostgreSQL cannot be read, expected postgres://USER@HOST:PORT/DATABASE", features.ErrInvalid)
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return nil, bad
	}
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, bad
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	return c, nil
}

// Redact returns what may be shown of a DSN: whose database it is, and where. ErrInvalid when
// it is none.
func Redact(dsn string) (string, error) {
	c, err := parseDSN(dsn)
	if err != nil {
		return "", err
	}
	u := url.URL{Scheme: "postgres", Host: net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))), Path: "/" + c.Database}
	if c.User != "" {
		u.User = url.User(c.User)
	}
	if strings.HasPrefix(c.Host, "/") { // a socket
		u.Host, u.RawQuery = "", "host="+c.Host
	}
	return u.String(), nil
}

// migratePostgres brings the schema up to date, on connections of its own: a migration may
// take longer than a statement. Replicas that open a database together take turns.
func (s *Store) migratePostgres(ctx context.Context, cfg OpenConfig) error {
	db, err := s.connectPostgres(cfg, 2, map[string]string{ //nolint:mnd // one holds the lock, one works
		"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0",
		"enable_seqscan": "on", "enable_bitmapscan": "on", "enable_hashjoin": "on", "enable_mergejoin": "on", "plan_cache_mode": "auto",
	})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	newest, err := s.dialect.newestMigration()
	if err != nil {
		return err
	}
	found, err := inspect(ctx, db)
	switch {
	case err != nil:
		return err
	case found == newest:
		s.version = newest
		return nil
	case found > newest:
		return newerStore(found, newest)
	case found == 0 && cfg.MustExist:
		return fmt.Errorf("%w: there is no store in the database", features.ErrUnavailable)
	}
	var readOnly bool
	if err := db.QueryRowxContext(ctx, `SELECT current_setting('transaction_read_only') = 'on'`).Scan(&readOnly); err != nil {
		return err
	}
	if readOnly {
		return fmt.Errorf("%w: the database may not be written, and has to be brought to schema %d", features.ErrUnavailable, newest)
	}
	conn, err := db.Connx(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // and with it the lock, because the pool is closed after it
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(migrateLock)); err != nil {
		return err
	}
	return s.migrate(ctx, db.DB)
}

// inspect returns the version of the schema that a database has, 0 for none, and refuses a
// server that is too old and a database of somebody else.
func inspect(ctx context.Context, db *sqlx.DB) (version int64, err error) {
	var server, tables, ours int
	var encoding string
	err = db.QueryRowxContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
			COUNT(c.oid), COUNT(c.oid) FILTER (WHERE c.relname IN ('goose_db_version', 'heads', 'cells', 'transactions'))
		FROM (SELECT 1) one LEFT JOIN pg_class c ON c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
			AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')`).
		Scan(&server, &encoding, &tables, &ours)
	switch {
	case err != nil:
		return 0, err
	case server < minServer:
		return 0, fmt.Errorf("%w: the server is PostgreSQL %d, expected %d or later", features.ErrUnavailable, server/10000, minServer/10000)
	case encoding != "UTF8":
		return 0, fmt.Errorf("%w: the database keeps text in %s, expected UTF8", features.ErrUnavailable, encoding)
	case tables == 0:
		return 0, nil
	}
	var versions int
	err = db.QueryRowxContext(ctx, `SELECT COUNT(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = 'goose_db_version'`).Scan(&versions)
	// Who dies between the table of versions and the first migration leaves that table alone.
	if err == nil && versions == 1 && (ours == tables || ours == 4) { //nolint:mnd // all that were asked for
		err = db.QueryRowxContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&version)
		return version, err
	}
	if err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("%w: the database is another program's", features.ErrUnavailable)
}
