package sqlstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// soon is how long a word may take on a busy machine; far less than it takes is a poll.
const soon = 5 * time.Second

// knownCustomer makes customer c known.
func knownCustomer(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	_, err := s.Import(t.Context(), 1, func(b features.Batch) error {
		return b.Cells([]features.Cell{{CustomerID: "c", View: features.TagView, Name: "a", Value: "0", EventAt: 1}})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// retag changes customer c.
func retag(t *testing.T, s *sqlstore.Store, n int) {
	t.Helper()
	at := fund.Instant(n + 2)
	_, err := s.Write(t.Context(), features.Write{CustomerID: "c", RecordedAt: at, Cells: []features.Cell{
		{CustomerID: "c", View: features.TagView, Name: "a", Value: fmt.Sprint(n), EventAt: at},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// wantWake waits for a wake.
func wantWake(t *testing.T, wakes <-chan struct{}, what string) {
	t.Helper()
	select {
	case _, open := <-wakes:
		if !open {
			t.Fatalf("%s: the wakes ended", what)
		}
	case <-time.After(soon):
		t.Fatalf("%s: no wake within %s", what, soon)
	}
}

// quiet takes wakes until none comes for a while, and returns how many came.
func quiet(wakes <-chan struct{}) (n int) {
	for {
		select {
		case <-wakes:
			n++
		case <-time.After(300 * time.Millisecond):
			return n
		}
	}
}

func TestACommitWakesOtherProcesses(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	writer, reader := openPostgres(t, dsn), openPostgres(t, dsn)
	wakes := reader.Wake(t.Context())
	wantWake(t, wakes, "to begin with: something may have been said before")
	knownCustomer(t, writer)
	wantWake(t, wakes, "after an import")
	quiet(wakes)
	for i := range 5 {
		retag(t, writer, i)
		wantWake(t, wakes, "after a write")
	}
	quiet(wakes)
	for i := range 300 {
		retag(t, writer, i+5)
	}
	if n := quiet(wakes); n < 1 || n > 200 {
		t.Errorf("%d wakes for 300 writes in a row, want some, fewer than writes", n)
	}
}

// Whoever breaks the connections costs wakes, not the waking.
func TestWakesComeBackAfterTheConnectionBroke(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	writer, reader := openPostgres(t, dsn), openPostgres(t, dsn)
	knownCustomer(t, writer)
	wakes := reader.Wake(t.Context())
	wantWake(t, wakes, "to begin with")
	quiet(wakes)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var ended int
	err = conn.QueryRow(t.Context(), `SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name LIKE '%notifier'`).Scan(&ended)
	if err != nil || ended < 1 {
		t.Fatalf("%d connections were ended, %v", ended, err)
	}
	wantWake(t, wakes, "after the listener came back: something may have been said meanwhile")
	quiet(wakes)
	retag(t, writer, 1) // its sender finds its connection broken, and this word is lost
	quiet(wakes)
	retag(t, writer, 2)
	wantWake(t, wakes, "after both came back")
}

// What a verb of the command line commits last is heard although it ends at once.
func TestTheLastWordIsSaidBeforeTheEnd(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	reader := openPostgres(t, dsn)
	wakes := reader.Wake(t.Context())
	wantWake(t, wakes, "to begin with")
	quiet(wakes)
	writer := openPostgres(t, dsn)
	knownCustomer(t, writer)
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	wantWake(t, wakes, "after an import by a process that has ended")
}

func TestWithoutNotifyNobodyIsWoken(t *testing.T) {
	t.Parallel()
	s, err := sqlstore.Open(t.Context(), sqlstore.OpenConfig{DSN: pgtest.Database(t), NoNotify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	knownCustomer(t, s)
	if s.Wake(t.Context()) != nil {
		t.Error("it wakes all the same")
	}
	if open(t, t.TempDir()+"/bank.db").Wake(t.Context()) != nil {
		t.Error("SQLite wakes")
	}
}

// A close ends what listens and what sends, also in front of a database that says nothing.
func TestClosingLeavesNobodyListening(t *testing.T) {
	server := pgtest.Server(t, pgtest.Config{})
	before := goleak.IgnoreCurrent()
	s := openPostgres(t, server.Database(t))
	knownCustomer(t, s)
	wakes := s.Wake(t.Context())
	wantWake(t, wakes, "to begin with")
	server.Pause(t)
	ended := make(chan error, 1)
	go func() { ended <- s.Close() }()
	for open := true; open; {
		select {
		case _, open = <-wakes:
		case <-time.After(2 * soon):
			t.Fatal("the listener does not end while the database is paused")
		}
	}
	server.Resume(t) // the driver hangs up on a server that says nothing in its own time
	if err := <-ended; err != nil {
		t.Logf("a close while the database was paused: %v", err)
	}
	goleak.VerifyNone(t, before)
}
