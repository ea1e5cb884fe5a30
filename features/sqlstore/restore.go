package sqlstore

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
)

// Restore fills an empty store from an archive, in one transaction: all of it, or nothing.
// It returns features.ErrInvalid for a store that holds anything (also what migrate or serve
// puts in) and for an archive that is damaged, cut off or none; features.ErrNewerStore for
// one of a newer program. Numbers go on above those that were restored; the change log
// begins anew.
func (s *Store) Restore(ctx context.Context, r io.Reader, progress func(done, total int64)) (out Archive, err error) {
	a, err := newArchiveReader(r)
	if err != nil {
		return Archive{}, err
	}
	defer a.close()
	err = s.durably(ctx, func(tx *sqlx.Tx) error {
		in := &restoring{ctx: ctx, tx: tx, dialect: s.dialect}
		if err := in.claim(); err != nil {
			return err
		}
		if out, err = in.fill(a, counter(a.header.rows(), progress)); err != nil {
			return final{err} // the archive is read once
		}
		return nil
	})
	switch {
	case a.failed != nil:
		return Archive{}, a.failed
	case err != nil:
		return Archive{}, fail(ctx, "restore", err)
	}
	return out, nil
}

// restoring is one restore.
type restoring struct {
	ctx     context.Context // of the one call that it lives in
	tx      *sqlx.Tx
	dialect *dialect
	many    *sqlx.Stmt // inserts as many rows as fit
	rows    int        // how many those are
	args    []any
	held    int // bytes of texts and blobs in args
}

// maxPlaceholders is what both databases take in one statement.
const maxPlaceholders = 32_000

// maxRestoredRows bounds the rows of one insert: more saves little.
const maxRestoredRows = 256

// maxRestoredBytes bounds what waits for an insert, whatever an archive holds: a few bytes of
// it may unpack to values of any length that a store keeps.
const maxRestoredBytes = 8 << 20

// claim takes the tables for the restore alone, and sees that they are empty.
func (in *restoring) claim() error {
	if err := execAll(in.ctx, in.tx, in.dialect.claiming()); err != nil {
		return err
	}
	return in.refuseFull()
}

// refuseFull refuses a store that has anything of what an archive brings, or a change log,
// which somebody may follow.
func (in *restoring) refuseFull() error {
	names := []string{"changes"}
	for _, t := range archiveTables() {
		names = append(names, t.name)
	}
	for _, name := range names {
		var full bool
		if err := in.tx.QueryRowxContext(in.ctx, "SELECT EXISTS (SELECT 1 FROM "+name+")").Scan(&full); err != nil {
			return err
		}
		if full {
			return fmt.Errorf("%w: the store holds something in table %s, expected an empty store: a restore never adds to or replaces what is there",
				features.ErrInvalid, name)
		}
	}
	return nil
}

func (in *restoring) fill(a *archiveReader, count func()) (Archive, error) {
	out, err := readArchive(a, in.begin, func(t *archiveTable, values []any) error {
		count()
		return in.add(t, values)
	}, in.end)
	if err != nil {
		return Archive{}, err
	}
	// The database's own sequences go on above what was restored.
	return out, execAll(in.ctx, in.tx, in.dialect.renumbering())
}

func (in *restoring) begin(t *archiveTable) (err error) {
	in.rows = min(maxPlaceholders/len(t.columns), maxRestoredRows)
	in.many, err = in.tx.PreparexContext(in.ctx, in.insert(t, in.rows))
	return err
}

func (in *restoring) insert(t *archiveTable, rows int) string {
	row := "(?" + strings.Repeat(", ?", len(t.columns)-1) + ")"
	return sqlx.Rebind(in.dialect.bind, "INSERT INTO "+t.name+" ("+t.list()+") VALUES "+row+strings.Repeat(", "+row, rows-1))
}

func (in *restoring) add(t *archiveTable, values []any) error {
	in.args = append(in.args, values...)
	for _, v := range values {
		switch v := v.(type) {
		case string:
			in.held += len(v)
		case []byte:
			in.held += len(v)
		}
	}
	switch {
	case len(in.args) == in.rows*len(t.columns):
		_, err := in.many.ExecContext(in.ctx, in.args...)
		in.empty()
		return err
	case in.held >= maxRestoredBytes:
		return in.flush(t)
	}
	return nil
}

// flush inserts the rows that wait.
func (in *restoring) flush(t *archiveTable) (err error) {
	if rows := len(in.args) / len(t.columns); rows > 0 {
		_, err = in.tx.ExecContext(in.ctx, in.insert(t, rows), in.args...)
	}
	in.empty()
	return err
}

func (in *restoring) empty() {
	clear(in.args) // nothing holds on to what is in the database
	in.args, in.held = in.args[:0], 0
}

func (in *restoring) end(t *archiveTable) error {
	if err := in.many.Close(); err != nil {
		return err
	}
	return in.flush(t)
}

// execAll runs statements without arguments.
func execAll(ctx context.Context, tx *sqlx.Tx, texts []string) error {
	for _, text := range texts {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}
