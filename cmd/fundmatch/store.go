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

// storeSpec is a parsed --store.
type storeSpec struct {
	text string
	path string // of the SQLite file; "" in memory
}

// parseStore reads sqlite:PATH or memory:.
func parseStore(text string) (storeSpec, error) {
	kind, rest, _ := strings.Cut(text, ":")
	switch {
	case kind == "sqlite" && rest != "":
		return storeSpec{text, rest}, nil
	case text == "memory:":
		return storeSpec{text, ""}, nil
	case kind == "postgres" || kind == "postgresql":
		return storeSpec{}, usageError("--store: PostgreSQL comes with a later version, expected sqlite:PATH or memory:")
	}
	return storeSpec{}, usageError("--store: %q, expected sqlite:PATH or memory:", text)
}

// decisions returns the directory of the decision log: the one that was named, or the
// one beside the SQLite file; "" when the store has no place of its own.
func (s storeSpec) decisions(named string) string {
	switch {
	case named != "":
		return named
	case s.path != "":
		return s.path + ".decisions"
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
	if s.path == "" {
		return memory.New(), nil
	}
	store, err := sqlstore.Open(ctx, sqlstore.OpenConfig{Path: s.path, MustExist: m == mustExist})
	if err != nil {
		return nil, fmt.Errorf("--store %s: %w", s.text, err)
	}
	return store, nil
}

// noPool explains a store without a pool, which is nobody's fault but stops every answer.
func (s storeSpec) noPool() error {
	return unavailableError(features.ErrNoPool, "--store %s: no pool is published: load a bank with fundmatch import DIR --store %s, or try fundmatch serve --demo", s.text, s.text)
}
