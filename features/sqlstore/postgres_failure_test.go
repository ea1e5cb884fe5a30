package sqlstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// with returns a DSN with a further setting.
func with(t *testing.T, dsn, name, value string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// exec runs statements as another program would.
func exec(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for _, text := range statements {
		if _, err := conn.Exec(t.Context(), text).ReadAll(); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

func TestADatabaseThatIsNoStoreIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare   []string
		mustExist bool
		what      string
	}{
		"nothing in it":           {nil, true, "there is no store in the database"},
		"another program's":       {[]string{`CREATE TABLE other (x INT)`}, false, "the database is another program's"},
		"another one's, by goose": {[]string{`CREATE TABLE other (x INT)`, `CREATE TABLE goose_db_version (version_id BIGINT, is_applied BOOLEAN)`}, false, "another program's"},
		"heads of another kind":   {[]string{`CREATE TABLE heads (x INT)`}, false, "another program's"},
		"read only": {
			[]string{`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`},
			false, "the database may not be written",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Database(t)
			exec(t, dsn, c.prepare...)
			_, err := Open(t.Context(), OpenConfig{DSN: dsn, MustExist: c.mustExist})
			wantUnavailable(t, err, c.what)
			var tables int
			s := openOnly(t, dsn)
			row := s.reader.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = 'cells'`)
			if err := row.Scan(&tables); err != nil || tables != 0 {
				t.Errorf("%d of our tables were made, %v", tables, err)
			}
		})
	}
	_, err := Open(t.Context(), OpenConfig{DSN: strings.Replace(pgtest.Database(t), "/t", "/no_", 1)})
	wantUnavailable(t, err, "there is no such database")
}

// openOnly connects without touching anything.
func openOnly(t *testing.T, dsn string) *Store {
	t.Helper()
	cfg := OpenConfig{DSN: dsn}
	if err := cfg.complete(); err != nil {
		t.Fatal(err)
	}
	db, err := new(Store).connectPostgres(cfg, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &Store{pools: pools{reader: db}}
}

func TestAnotherVersionOfAServersStore(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := openServer(t, dsn)
	if file := openInternal(t, t.TempDir()+"/bank.db"); s.SchemaVersion() != file.SchemaVersion() {
		t.Errorf("schema %d, SQLite has %d", s.SchemaVersion(), file.SchemaVersion())
	}
	importCells(t, s, tagOf("c1", "1"))
	again, err := Open(t.Context(), OpenConfig{DSN: dsn, MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Profile(t.Context(), "c1", 1); err != nil {
		t.Error(err)
	}
	_ = again.Close()
	exec(t, dsn, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, TRUE)`)
	if _, err := Open(t.Context(), OpenConfig{DSN: dsn}); !errors.Is(err, features.ErrNewerStore) {
		t.Errorf("error %v, want ErrNewerStore", err)
	}
}

// What a DSN holds of secrets is in no error, in no log and not in what is shown.
func TestAPasswordIsNeverShown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, dsn := range []string{
		"postgres://u:secret@127.0.0.1:1/d", "postgres://u:secret@127.0.0.1:port/d", "postgres://u:secret@%zz/d", "postgres://u:sec%ret@h/d",
		"postgres://h/d?password=secret&statement_timeout=x", "postgres://127.0.0.1:1/d?password=secret", "host=h password=secret",
		"postgres://u:secret@127.0.0.1:1/d?sslmode=secret",
	} {
		_, err := Open(ctx, OpenConfig{DSN: dsn})
		if err == nil {
			t.Fatalf("%s opens", dsn)
		}
		var out strings.Builder
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "error", err)
		shown, _ := Redact(dsn)
		if all := fmt.Sprint(err, shown) + fmt.Sprintf("%+v", err) + out.String(); strings.Contains(all, "secret") || strings.Contains(all, "sec%ret") {
			t.Errorf("%s shows its password: %s", dsn, all)
		}
	}
	if got, err := Redact("postgresql://u:secret@h:6432/d?sslmode=require"); err != nil || got != "postgres://u@h:6432/d" {
		t.Errorf("shown as %q, %v", got, err)
	}
}

func TestEitherAFileOrADatabase(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]OpenConfig{
		"both":                       {Path: "x", DSN: "postgres://h/d"},
		"no URL":                     {DSN: "host=h"},
		"too many write connections": {DSN: "postgres://h/d", WriteConns: maxWriteConns + 1},
		"negative write connections": {DSN: "postgres://h/d", WriteConns: -1},
	} {
		if _, err := Open(t.Context(), cfg); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// Every connection has its bounds, and commits wait for the disk whatever the server does by
// default (the tests' server does not).
func TestTheSettingsOfConnections(t *testing.T) {
	t.Parallel()
	s := openServer(t, with(t, pgtest.Database(t), "statement_timeout", "7000"))
	for name, want := range map[string]string{
		"synchronous_commit": "on", "statement_timeout": "7s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "30s",
		"TimeZone": "UTC", "application_name": "fundmatch",
	} {
		var got string
		if err := s.writer.QueryRowContext(t.Context(), `SELECT current_setting($1)`, name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
	if _, err := s.reader.ExecContext(t.Context(), `DELETE FROM heads`); err == nil {
		t.Error("a reader's connection writes")
	}
}

func TestALockedCustomerIsUnavailableToOtherWriters(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	a := openServer(t, dsn)
	b, err := Open(t.Context(), OpenConfig{DSN: dsn, LockTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	importCells(t, a, tagOf("c1", "1"), tagOf("c2", "1"))
	write := func(s *Store, id string) error {
		_, err := s.Write(t.Context(), features.Write{CustomerID: id, Cells: []features.Cell{tagOf(id, "2")}, RecordedAt: 1})
		return err
	}
	_, err = a.Write(t.Context(), features.Write{
		CustomerID: "c1", Cells: []features.Cell{tagOf("c1", "3")}, RecordedAt: 1,
		Guard: func(*fund.Profile) error {
			wantUnavailable(t, write(b, "c1"), "locked by another process")
			if _, err := b.Profile(t.Context(), "c1", 1); err != nil {
				t.Errorf("a reader is locked out: %v", err)
			}
			return write(b, "c2")
		},
	})
	if err := errors.Join(err, write(b, "c1")); err != nil {
		t.Error(err)
	}
}

// A server that hangs costs a caller no more than his own deadline; one that died and came
// back serves again, with everything that it had acknowledged.
func TestAServerThatHangsOrDies(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, pgtest.Config{Durable: true})
	s := openServer(t, server.Database(t))
	importCells(t, s, tagOf("c1", "1"))
	short := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := s.Profile(ctx, "c1", 1)
		return err
	}
	server.Pause(t)
	if err := short(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a hanging server: %v, want DeadlineExceeded", err)
	}
	server.Resume(t)
	if _, err := s.Profile(t.Context(), "c1", 1); err != nil {
		t.Errorf("after the pause: %v", err)
	}
	acknowledged := ""
	for i := range 50 {
		value := fmt.Sprint("w", i)
		w := features.Write{CustomerID: "c1", Cells: []features.Cell{tagOf("c1", value)}, RecordedAt: 1}
		w.Cells[0].EventAt = fund.Instant(2 + i)
		if _, err := s.Write(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		acknowledged = value
	}
	server.Kill(t)
	_, err := s.Profile(t.Context(), "c1", 1)
	wantUnavailable(t, err, "the server cannot be reached, or closed the connection")
	server.Restart(t)
	p, err := s.Profile(t.Context(), "c1", 100)
	if err != nil || p.Tags[0].Value != acknowledged {
		t.Errorf("after the death: %+v, %v, want the tag %s", p, err, acknowledged)
	}
}

// A server that is started again ends all connections. Nobody who calls after that fails for it:
// neither who reads nor, because nothing was sent yet, who writes.
func TestAServerThatIsStartedAgainFailsNobody(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, pgtest.Config{})
	s := openServer(t, server.Database(t))
	importCells(t, s, tagOf("c1", "1"))
	calls := []func(i int) error{
		func(int) error { _, err := s.Profile(t.Context(), "c1", 1); return err },
		func(int) error { _, err := s.Heads(t.Context(), []string{"c1"}); return err },
		func(i int) error {
			c := tagOf("c1", fmt.Sprint(i))
			c.EventAt = fund.Instant(i)
			_, err := s.Write(t.Context(), features.Write{CustomerID: "c1", Cells: []features.Cell{c}, RecordedAt: 1})
			return err
		},
	}
	for round := range 3 {
		together(t, 4*len(calls), func(i int) error { return calls[i%len(calls)](100*round + i) }) // all connections are made
		if len(s.heads.idle) == 0 || s.reader.Stats().Idle == 0 || s.writer.Stats().Idle == 0 {
			t.Fatalf("%d, %d and %d connections wait to be used again", len(s.heads.idle), s.reader.Stats().Idle, s.writer.Stats().Idle)
		}
		server.Restart(t)
	}
	together(t, 4*len(calls), func(i int) error { return calls[i%len(calls)](1000 + i) })
}

func TestReasonsOfServers(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"53100": "the disk is full", "53200": "memory", "53300": "too many connections", "55P03": "locked by another process",
		"57014": "took too long", "57P01": "stopping", "57P02": "stopping", "57P03": "starting", "25P03": "ended the connection",
		"25006": "may not be written", "28P01": "does not let us in", "28000": "does not let us in", "3D000": "no such database", "42704": "names a setting", "42501": "does not allow",
		"XX001": "damaged", "XX002": "damaged", "40001": "in the way", "40P01": "in the way", "23505": "in the way",
		"08006": "cannot be reached", "58030": "the disk failed", "42601": "the database failed", "": "the database failed",
	} {
		err := fail(t.Context(), "read", fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: code, Message: "theirs"}))
		wantUnavailable(t, err, want)
		if strings.Contains(err.Error(), "theirs") {
			t.Errorf("%q tells the server's words", err)
		}
	}
	for driver, want := range map[error]string{
		errors.New("tls error: server refused TLS connection"):           "offers no TLS",
		fmt.Errorf("tls error: %w", &tls.CertificateVerificationError{}): "is not trusted",
	} {
		wantUnavailable(t, fail(t.Context(), "open", driver), want)
	}
	if err := fail(t.Context(), "read", &pgconn.PgError{Code: "22021"}); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("text that is none: %v, want ErrInvalid", err)
	}
}

// What an operator at night has to know of an address that does not work, in our words and
// without its password.
func TestAddressesThatDoNotWork(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	for setting, want := range map[string]string{
		"work_memory=1":       "names a setting that the server does not have",
		"user=nobody-we-know": "does not let us in: user, PGPASSWORD",
	} {
		address := with(t, with(t, dsn, "password", "geheim"), "sslmode", "disable")
		name, value, _ := strings.Cut(setting, "=")
		s, err := Open(t.Context(), OpenConfig{DSN: with(t, address, name, value)})
		if err == nil {
			_ = s.Close()
		}
		wantUnavailable(t, err, want)
		if strings.Contains(fmt.Sprint(err), "geheim") {
			t.Errorf("%s: shows the password: %v", setting, err)
		}
	}
}

func TestTextThatIsNoneIsInvalidAndNotAFailure(t *testing.T) {
	t.Parallel()
	s := openServer(t, pgtest.Database(t))
	for _, id := range []string{"a\x00b", "a\xffb"} {
		if _, err := s.Profile(t.Context(), id, 1); !errors.Is(err, features.ErrNotFound) && !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%q: %v, want ErrNotFound or ErrInvalid", id, err)
		}
	}
}

func TestAServersDamagedHeadIsUnavailable(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := openServer(t, dsn)
	importCells(t, s, tagOf("c1", "1"))
	exec(t, dsn, `UPDATE heads SET head = '\x010203'`)
	_, err := s.Profile(t.Context(), "c1", 1)
	wantUnavailable(t, err, "a stored value is damaged")
}

// The origin of the log is the same for every page of one server, and another one's after it was
// started anew, whatever numbers it goes on from; each database has its own.
func TestTheLogsOriginIsTheServersAndTheDatabases(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, pgtest.Config{})
	origin := func(s *Store) int64 {
		t.Helper()
		for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
			page, err := s.Changes(t.Context(), features.Position{}, 1)
			if err == nil {
				return page.Origin
			}
			if time.Since(began) > 10*time.Second {
				t.Fatal(err)
			}
		}
	}
	var stores [2]*Store
	for i := range stores {
		s, err := Open(t.Context(), OpenConfig{DSN: server.Database(t), NoNotify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		stores[i] = s
	}
	a, b := origin(stores[0]), origin(stores[1])
	if a == 0 || a == b || origin(stores[0]) != a {
		t.Errorf("origins %d and %d of two databases", a, b)
	}
	server.Kill(t)
	server.Restart(t)
	if again := origin(stores[0]); again == a || again == 0 {
		t.Errorf("origin %d after the server was started anew, as before", again)
	}
}

// A server that says nothing holds nobody's end up for longer than its close is allowed, and no
// connection is left behind.
func TestClosingAStoreWhoseServerIsPaused(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, pgtest.Config{})
	s, err := Open(t.Context(), OpenConfig{DSN: server.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s.Wake(ctx)
	for range 2 {
		if _, err := s.CustomerIDs(t.Context(), "", 1); err != nil {
			t.Fatal(err)
		}
	}
	s.committed()
	server.Pause(t)
	defer server.Resume(t)
	asked := make(chan error)
	go func() {
		_, err := s.CustomerIDs(context.Background(), "", 1)
		asked <- err
	}()
	time.Sleep(50 * time.Millisecond)
	began := time.Now()
	_ = s.Close()
	if took := time.Since(began); took > closeTimeout+time.Second {
		t.Errorf("closing took %s, want at most %s", took, closeTimeout)
	}
	if err := <-asked; !errors.Is(err, features.ErrUnavailable) {
		t.Errorf("a call that ran: %v", err)
	}
	// The driver ends the connections of calls that were given up in goroutines of its own.
	for waited := 0; s.lines.count() > 0; waited++ {
		if waited == 300 {
			t.Fatalf("%d connections are left", s.lines.count())
		}
		time.Sleep(10 * time.Millisecond)
	}
}
