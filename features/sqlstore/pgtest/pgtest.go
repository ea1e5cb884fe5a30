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

// Main runs the tests of a package and stops the private cluster after them. A TestMain that
// does not call it leaves that to the guard of the process.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	shared.once.Do(func() { shared.err = errors.New("the tests are over") })
	if shared.server != nil {
		if err := shared.server.remove(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
		}
	}
	return code
}

// adminDSN returns the DSN of a database from which others are created.
func adminDSN(tb testing.TB) string {
	tb.Helper()
	if dsn := os.Getenv(ServerEnv); dsn != "" {
		return dsn
	}
	bin := programs(tb)
	shared.once.Do(func() { shared.server, shared.err = newInstance(bin, Config{}) })
	if shared.err != nil {
		tb.Fatalf("pgtest: %v", shared.err)
	}
	return shared.server.DSN()
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
