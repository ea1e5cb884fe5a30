package pgtest_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// tables returns how many tables a database has.
func tables(t *testing.T, dsn string) (n int) {
	t.Helper()
	conn := connect(t, dsn)
	defer func() { _ = conn.Close(t.Context()) }()
	if err := conn.QueryRow(t.Context(), `SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestEveryDatabaseIsFreshAndEmpty(t *testing.T) {
	first, second := pgtest.Database(t), pgtest.Database(t)
	conn := connect(t, first)
	if _, err := conn.Exec(t.Context(), `CREATE TABLE a (x INT)`); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close(t.Context())
	if a, b, c := tables(t, first), tables(t, second), tables(t, pgtest.Clone(t, first)); a != 1 || b != 0 || c != 1 {
		t.Errorf("%d, %d and in the copy %d tables, want 1, 0 and 1", a, b, c)
	}
}

func TestAnEmptiedDatabaseKeepsItsTablesAlone(t *testing.T) {
	dsn := pgtest.Database(t)
	conn := connect(t, dsn)
	defer func() { _ = conn.Close(t.Context()) }()
	_, err := conn.Exec(t.Context(), `CREATE TABLE a (x SERIAL PRIMARY KEY); CREATE TABLE b (x INT REFERENCES a); CREATE TABLE k (x INT);
		INSERT INTO a DEFAULT VALUES; INSERT INTO b VALUES (1); INSERT INTO k VALUES (1)`)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Empty(t, dsn, "k")
	var a, b, k int
	row := conn.QueryRow(t.Context(), `INSERT INTO a DEFAULT VALUES RETURNING x, (SELECT COUNT(*) FROM b), (SELECT COUNT(*) FROM k)`)
	if err := row.Scan(&a, &b, &k); err != nil || a != 1 || b != 0 || k != 1 {
		t.Errorf("the next number is %d, %d rows in b and %d in k, %v, want 1, 0 and 1", a, b, k, err)
	}
}

func TestAServerMayBePausedKilledAndStartedAgain(t *testing.T) {
	s := pgtest.Server(t, pgtest.Config{Durable: true})
	dsn := s.Database(t)
	conn := connect(t, dsn)
	if _, err := conn.Exec(t.Context(), `CREATE TABLE a (x INT)`); err != nil {
		t.Fatal(err)
	}
	s.Pause(t)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := pgx.Connect(short, dsn); err == nil {
		t.Error("a paused server answers")
	}
	s.Resume(t)
	if n := tables(t, dsn); n != 1 {
		t.Errorf("%d tables after the pause, want 1", n)
	}
	s.Kill(t)
	if _, err := pgx.Connect(t.Context(), dsn); err == nil {
		t.Error("a dead server answers")
	}
	s.Restart(t)
	if n := tables(t, dsn); n != 1 {
		t.Errorf("%d tables after the death, want 1", n)
	}
	s.Restart(t)
	if n := tables(t, dsn); n != 1 {
		t.Errorf("%d tables after the restart, want 1", n)
	}
}
