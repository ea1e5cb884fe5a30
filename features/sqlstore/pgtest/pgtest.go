// Package pgtest gives tests a real PostgreSQL: one private cluster for each test process,
// started when it is first needed and gone when the process ends, however it ends. It needs
// PostgreSQL's own programs (Debian: postgresql) or the DSN of a server in
// FUNDMATCH_TEST_POSTGRES; a test that finds neither is skipped and says so, and fails where
// CI=true.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// ServerEnv names a server to use in place of a private one: the DSN, as a URL, of somebody
// who may create databases.
const ServerEnv = "FUNDMATCH_TEST_POSTGRES"

// patience bounds what a test waits for the server to start, stop or answer.
const patience = 60 * time.Second

// private is the cluster of this process.
type private struct {
	once   sync.Once
	server *Instance
	err    error
	number atomic.Int64 // of the last database
}

// start starts the cluster, once.
func (p *private) start(bin string) (*Instance, error) {
	p.once.Do(func() { p.server, p.err = newInstance(bin, Config{}) })
	return p.server, p.err
}

// stop stops the cluster if there is one; none starts after it.
func (p *private) stop() error {
	p.once.Do(func() { p.err = errors.New("the tests are over") })
	if p.server == nil {
		return nil
	}
	return p.server.remove()
}

// shared is the one cluster of the process; tests of all packages of a binary use it.
var shared private

// Database returns the DSN of a fresh, empty database, which is dropped when the test ends.
func Database(tb testing.TB) (dsn string) {
	tb.Helper()
	admin := adminDSN(tb)
	name := fmt.Sprintf("t%d_%d", os.Getpid(), shared.number.Add(1))
	run(tb, admin, `CREATE DATABASE `+name+` TEMPLATE template0`)
	tb.Cleanup(func() { run(tb, admin, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`) })
	return withDatabase(tb, admin, name)
}

// Clone returns the DSN of a fresh copy of another database, to which nobody may be
// connected; it is dropped when the test ends. Copying costs less than migrating anew.
func Clone(tb testing.TB, dsn string) string {
	tb.Helper()
	from, err := pgx.ParseConfig(dsn)
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	admin := withDatabase(tb, dsn, "postgres")
	name := fmt.Sprintf("t%d_%d", os.Getpid(), shared.number.Add(1))
	run(tb, admin, `CREATE DATABASE `+name+` TEMPLATE `+pgx.Identifier{from.Database}.Sanitize())
	tb.Cleanup(func() { run(tb, admin, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`) })
	return withDatabase(tb, admin, name)
}

// emptyAll deletes the rows of all tables but one and starts the sequences again; a table that
// others refer to comes after them.
const emptyAll = `DO $$
DECLARE name text; left_over boolean := TRUE;
BEGIN
	WHILE left_over LOOP
		left_over := FALSE;
		FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> '%s' LOOP
			BEGIN
				EXECUTE format('DELETE FROM %%I', name);
			EXCEPTION WHEN foreign_key_violation THEN
				left_over := TRUE;
			END;
		END LOOP;
	END LOOP;
	FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() LOOP
		EXECUTE format('ALTER SEQUENCE %%I RESTART', name);
	END LOOP;
END $$`

// Empty makes a database as good as new for the next test, which takes a tenth of the time of
// a new one: no rows but those of the table keep, which knows of the migrations.
func Empty(tb testing.TB, dsn, keep string) {
	tb.Helper()
	run(tb, dsn, fmt.Sprintf(emptyAll, keep))
}

// Main runs the tests of a package and stops the private cluster after them. A TestMain that
// does not call it leaves that to the guard of the process.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
	}
	return code
}

// adminDSN returns the DSN of a database from which others are created.
func adminDSN(tb testing.TB) string {
	tb.Helper()
	if dsn := os.Getenv(ServerEnv); dsn != "" {
		return dsn
	}
	server, err := shared.start(programs(tb))
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return server.DSN()
}

// programs returns the directory of PostgreSQL's programs, or ends the test.
func programs(tb testing.TB) string {
	tb.Helper()
	bin, err := findPrograms()
	if err == nil {
		return bin
	}
	missing := fmt.Sprintf("%s did not run: it needs PostgreSQL: %v; install Debian's package postgresql, or name a server in %s",
		tb.Name(), err, ServerEnv)
	if os.Getenv("CI") == "true" {
		tb.Fatal(missing)
	}
	tb.Skip(missing)
	return ""
}

// run runs a statement on a connection of its own.
func run(tb testing.TB, dsn, statement string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err == nil {
		_, err = conn.Exec(ctx, statement)
		err = errors.Join(err, conn.Close(ctx))
	}
	if err != nil {
		tb.Errorf("pgtest: %s: %v", statement, err)
	}
}

// withDatabase returns the DSN of another database of the same server.
func withDatabase(tb testing.TB, dsn, name string) string {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme == "" {
		tb.Fatalf("pgtest: %s is no URL like postgres://USER@HOST:PORT/DATABASE", ServerEnv)
	}
	u.Path = "/" + name
	return u.String()
}
