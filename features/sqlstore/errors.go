package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// failure is an error of the database. Its text names what was tried and what stood in
// the way in our words; the driver's own text is for logs only.
type failure struct {
	kind     error // of package features
	op, what string
	driver   error
}

// Error tells what a caller may know.
func (f *failure) Error() string { return fmt.Sprintf("%v: %s: %s", f.kind, f.op, f.what) }

// Unwrap gives the kind and not the driver's error, which no caller should depend on.
func (f *failure) Unwrap() error { return f.kind }

// LogValue gives a log the driver's error besides.
func (f *failure) LogValue() slog.Value {
	return slog.GroupValue(slog.String("error", f.Error()), slog.String("driver", fmt.Sprint(f.driver)))
}

// fail makes an error of the store out of one of the database. Errors that are already
// ours, and the end of the caller's context, stay what they are.
func fail(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%s: %w", op, ended)
	}
	for _, ours := range [...]error{
		features.ErrInvalid, features.ErrNotFound, features.ErrIdempotencyReused, features.ErrEventReused, features.ErrConfirmationUsed, features.ErrUnavailable,
		features.ErrNewerStore, features.ErrNoPool, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, ours) {
			return err
		}
	}
	if errors.Is(err, fund.ErrNewerVersion) {
		return &failure{kind: features.ErrNewerStore, op: op, what: "a stored value is of a newer version", driver: err}
	}
	return &failure{kind: features.ErrUnavailable, op: op, what: reason(err), driver: err}
}

// reason says in our words why the database does not answer.
func reason(err error) string {
	if errors.Is(err, fund.ErrMalformed) {
		return "a stored value is damaged"
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		if errors.Is(err, sql.ErrConnDone) || err.Error() == "sql: database is closed" {
			return "the store is closed"
		}
		return "the database failed"
	}
	switch e.Code() & 0xff { // the primary code
	case sqlite3.SQLITE_FULL:
		return "the disk is full"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return "the store is locked by another process"
	case sqlite3.SQLITE_CANTOPEN:
		return "the file cannot be opened"
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return "the file is damaged or no store"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return "the file may not be written"
	case sqlite3.SQLITE_IOERR:
		return "the disk failed"
	}
	return "the database failed"
}

func notFound(what, id string) error {
	return fmt.Errorf("%w: %s %.80q", features.ErrNotFound, what, id)
}
