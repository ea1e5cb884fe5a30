package sqlstore_test

import (
	"path/filepath"
	"testing"

	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/features/storetest"
)

// open opens a store in a directory of the test.
func open(tb testing.TB, path string) *sqlstore.Store {
	tb.Helper()
	s, err := sqlstore.Open(tb.Context(), sqlstore.OpenConfig{Path: path})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// openPostgres opens a store in a database.
func openPostgres(tb testing.TB, dsn string) *sqlstore.Store {
	tb.Helper()
	s, err := sqlstore.Open(tb.Context(), sqlstore.OpenConfig{DSN: dsn})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// The cases have one database after the other to themselves: each finds it empty.
func TestPostgresKeepsItsPromises(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	storetest.Run(t, func(t *testing.T) storetest.Store {
		t.Helper()
		s := openPostgres(t, dsn)
		t.Cleanup(func() { pgtest.Empty(t, dsn, "goose_db_version") })
		return s
	})
}

func TestStoreKeepsItsPromises(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Store {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "bank #1?.db")) // a path that a URI must escape
	})
}

func TestSequences(t *testing.T) {
	t.Parallel()
	storetest.RunSequences(t, func(t *testing.T) storetest.Store {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "bank.db"))
	}, 2_000)
}

func TestPostgresSequences(t *testing.T) {
	t.Parallel()
	storetest.RunSequences(t, func(t *testing.T) storetest.Store {
		t.Helper()
		return openPostgres(t, pgtest.Database(t))
	}, 2_000)
}
