package telemetry

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// maxKinds bounds how many errors of a tree are named.
const maxKinds = 32

// Kinds names an error for a log without repeating any value: the texts of the fixed
// errors in its tree (errors.New, syscall.Errno, runtime.Error), the types of all
// others, and the numeric codes of drivers. An error's own text may hold a customer's
// id, level or tag, so it is never written.
func Kinds(err error) string {
	var names []string
	collectKinds(err, &names)
	return strings.Join(names, " < ")
}

func collectKinds(err error, names *[]string) {
	if err == nil || len(*names) == maxKinds {
		return
	}
	if name := kindOf(err); name != "" && !slices.Contains(*names, name) {
		*names = append(*names, name)
	}
	switch e := err.(type) { //nolint:errorlint // the tree is walked one error at a time
	case interface{ Unwrap() error }:
		collectKinds(e.Unwrap(), names)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			collectKinds(inner, names)
		}
	}
}

// kindOf names one error; a plain wrapper has no name of its own.
func kindOf(err error) string {
	switch e := err.(type) { //nolint:errorlint // the tree is walked one error at a time
	case syscall.Errno, runtime.Error:
		return err.Error()
	case *fs.PathError:
		return e.Op
	}
	if isFixed(err) {
		return err.Error()
	}
	name := reflect.TypeOf(err).String()
	if name == "*fmt.wrapError" || name == "*fmt.wrapErrors" || name == "*errors.joinError" {
		return ""
	}
	if coded, ok := err.(interface{ Code() int }); ok {
		return fmt.Sprintf("%s(%d)", name, coded.Code())
	}
	return name
}

// isFixed reports whether the error is one whose text is known not to depend on any
// value. Others of the same type are not: fmt.Errorf without %w returns it too.
func isFixed(err error) bool {
	for _, f := range fixed {
		if err == f { //nolint:errorlint // the very value
			return true
		}
	}
	return false
}

// fixed are the errors that may be written as they are.
var fixed = [...]error{
	context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe,
	os.ErrDeadlineExceeded, fs.ErrNotExist, fs.ErrPermission, fs.ErrClosed, net.ErrClosed, http.ErrServerClosed,
	sql.ErrNoRows, sql.ErrConnDone, sql.ErrTxDone, driver.ErrBadConn,
	fund.ErrInvalid, fund.ErrMalformed, fund.ErrNewerVersion,
	features.ErrNotFound, features.ErrNoPool, features.ErrUnavailable, features.ErrNewerStore,
	features.ErrIdempotencyReused, features.ErrInvalid,
}
