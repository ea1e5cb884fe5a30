package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/cache"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/features/sqlstore"
)

// defaultStore is the store of a verb that names none: a file in the working directory.
const defaultStore = "sqlite:fundmatch.db"

// bankStore is what the verbs need of a store: both kinds offer it.
//
//nolint:interfacebloat // all of it at once, each concern in an interface of its own
type bankStore interface {
	cache.Store
	features.Pools
	features.Models
	features.Staff
	features.Confirmations
	features.Importer
	features.Quarantine
	Ping(ctx context.Context) error
	io.Closer
}

// defaultPostgresDecisions is where the decision log of a store in PostgreSQL lies: there is
// no file to put it beside.
const defaultPostgresDecisions = "fundmatch.decisions"

// expectedStore says what --store takes.
const expectedStore = "sqlite:PATH, postgres://USER@HOST:PORT/DATABASE or memory:"

// storeSpec is a parsed --store.
type storeSpec struct {
	text string // as it may be shown: without a password
	path string // of the SQLite file
	dsn  string // of the PostgreSQL database; "" and no path: in memory
	// database are the settings of its connections; a verb that has none leaves the defaults.
	database databaseConfig
}

// parseStore reads sqlite:PATH, postgres://... or memory:. What is wrong is shown without
// what may be a password.
func parseStore(text string) (storeSpec, error) {
	kind, rest, _ := strings.Cut(text, ":")
	switch {
	case kind == "sqlite" && rest != "":
		return storeSpec{text: text, path: rest}, nil
	case text == "memory:":
		return storeSpec{text: text}, nil
	case kind == "postgres" || kind == "postgresql":
		shown, err := sqlstore.Redact(text)
		if err != nil {
			return storeSpec{}, usageError("--store: %q, expected %s", shownSpec(text), expectedStore)
		}
		return storeSpec{text: shown, dsn: text}, nil
	}
	return storeSpec{}, usageError("--store: %q, expected %s", shownSpec(text), expectedStore)
}

// shownSpec is a --store that cannot be read, as far as it may be shown. An address of a
// database in any other form (Postgres://user:password@host, host=... password=...) may
// hold a password, so of what looks like an address only the first word is left.
func shownSpec(text string) string {
	if !strings.ContainsAny(text, "@= ") && !strings.Contains(text, "//") && !strings.HasPrefix(text, "postgres") {
		return text
	}
	return text[:len(text)-len(strings.TrimLeft(text, letters))] + "..."
}

// letters are those of a scheme or a keyword.
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// decisions returns the directory of the decision log: the one that was named, or the
// one beside the SQLite file, or one in the working directory for PostgreSQL; "" when the
// store ends with the process.
func (s storeSpec) decisions(named string) string {
	switch {
	case named != "":
		return named
	case s.path != "":
		return s.path + ".decisions"
	case s.dsn != "":
		return defaultPostgresDecisions
	}
	return ""
}

// mode says what may happen to a store that is not there.
type mode bool

const (
	create    mode = false
	mustExist mode = true
)

// open opens the store. A store that has to be there and is not: exit code 3, and
// nothing is created.
func (s storeSpec) open(ctx context.Context, m mode) (bankStore, error) {
	if s.inMemory() {
		return memory.New(), nil
	}
	settings := sqlstore.OpenConfig{Path: s.path, DSN: s.dsn, MustExist: m == mustExist}
	s.database.into(&settings)
	store, err := sqlstore.Open(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("--store %s: %w", s.text, err)
	}
	return store, nil
}

// inMemory reports whether the store ends with the process.
func (s storeSpec) inMemory() bool { return s.path == "" && s.dsn == "" }

// noPool explains a store without a pool, which is nobody's fault but stops every answer.
func (s storeSpec) noPool() error {
	return unavailableError(features.ErrNoPool, "--store %s: no pool is published: load a bank with fundmatch import DIR --store %s, or try fundmatch serve --demo", s.text, s.text)
}
