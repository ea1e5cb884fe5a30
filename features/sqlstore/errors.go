package sqlstore

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
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
	var server *pgconn.PgError
	if errors.As(err, &server) && server.Code == badText {
		return fmt.Errorf("%w: %s: expected text in UTF-8 without NUL", features.ErrInvalid, op)
	}
	if errors.Is(err, fund.ErrNewerVersion) {
		return &failure{kind: features.ErrNewerStore, op: op, what: "a stored value is of a newer version", driver: err}
	}
	return &failure{kind: features.ErrUnavailable, op: op, what: reason(err), driver: err}
}

// reason says in our words why the database does not answer.
func reason(err error) string {
	var server *pgconn.PgError
	var file *sqlite.Error
	switch {
	case errors.Is(err, fund.ErrMalformed):
		return "a stored value is damaged"
	case errors.Is(err, errOvertaken):
		return "another writer was in the way, try again"
	case errors.As(err, &server):
		return reasonOfServer(server.Code)
	case errors.As(err, &file):
		return reasonOfFile(file.Code())
	case errors.Is(err, sql.ErrConnDone), err.Error() == "sql: database is closed":
		return "the store is closed"
	case strings.Contains(err.Error(), "server refused TLS"): // pgconn has no type for it
		return "the server offers no TLS, and sslmode asks for it"
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return "the server's certificate is not trusted: sslmode, PGSSLROOTCERT"
	case unreachable(err):
		return "the server cannot be reached, or closed the connection"
	}
	return "the database failed"
}

func reasonOfFile(code int) string {
	switch code & 0xff { // the primary code
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

// The codes of PostgreSQL that mean something to a caller or to an operator.
// https://www.postgresql.org/docs/15/errcodes-appendix.html
const (
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	badText              = "22021"
)

// reasonOfServer gives our words for a code of PostgreSQL; the first two characters are its
// class.
func reasonOfServer(code string) string {
	switch code {
	case "53100":
		return "the disk is full"
	case "53200":
		return "the server has no memory left"
	case "53300":
		return "the server has too many connections"
	case "55P03":
		return "the store is locked by another process"
	case "57014":
		return "the server took too long"
	case "57P01", "57P02", "57P03", "57P05", "25P03":
		return "the server is starting, stopping or ended the connection"
	case "25006":
		return "the database may not be written"
	case "28000", "28P01":
		return "the server does not let us in: user, PGPASSWORD, PGPASSFILE or pg_hba.conf"
	case "3D000":
		return "there is no such database"
	case "42704":
		return "the address names a setting that the server does not have"
	case "42501":
		return "the database does not allow it"
	case "XX001", "XX002":
		return "the database is damaged"
	case uniqueViolation, serializationFailure, deadlockDetected:
		return "another writer was in the way, try again"
	}
	switch code[:min(2, len(code))] {
	case "08":
		return "the server cannot be reached, or closed the connection"
	case "58":
		return "the disk failed"
	}
	return "the database failed"
}

// unreachable reports whether no answer came from a server: it is not there, or the
// connection ended.
func unreachable(err error) bool {
	var refused *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &refused) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.Timeout(err)
}

// again reports whether a transaction was undone only because others were in its way, so that
// it may be run once more from its beginning. A connection that fails is no such case: what
// was sent may have been done.
func again(err error) bool {
	if errors.As(err, new(final)) {
		return false
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Code == serializationFailure || server.Code == deadlockDetected || server.Code == uniqueViolation
	}
	return errors.Is(err, errOvertaken)
}

func notFound(what, id string) error {
	return fmt.Errorf("%w: %s %.80q", features.ErrNotFound, what, id)
}
