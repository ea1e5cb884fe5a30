package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
)

// The exit codes. Scripts branch on them, so they never change their meaning.
const (
	exitDone        = 0
	exitFailed      = 1 // a gate or check failed
	exitUsage       = 2 // wrong usage, unknown id, bad input; nothing was changed
	exitUnavailable = 3 // something needed is not there
	exitInterrupted = 130
)

// verbError marks an error as a verb's own.
type verbError struct{ err error }

func (e *verbError) Error() string { return e.err.Error() }

func (e *verbError) Unwrap() error { return e.err }

// exitError is an error whose exit code is known where it arises. Its text is all that
// is said; the cause is there for errors.Is.
type exitError struct {
	code  int
	text  string
	cause error
}

func (e *exitError) Error() string { return e.text }

func (e *exitError) Unwrap() error { return e.cause }

func usageError(format string, args ...any) error {
	return &exitError{code: exitUsage, text: fmt.Sprintf(format, args...)}
}

func unavailableError(cause error, format string, args ...any) error {
	return &exitError{code: exitUnavailable, text: fmt.Sprintf(format, args...), cause: cause}
}

func failedError(format string, args ...any) error {
	return &exitError{code: exitFailed, text: fmt.Sprintf(format, args...)}
}

// tellFailure says an error on stderr in one sentence and returns its exit code.
func tellFailure(ctx context.Context, stderr io.Writer, err error) int {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "fundmatch: interrupted")
		return exitInterrupted
	}
	text := oneLine(err.Error())
	if verb := (*verbError)(nil); !errors.As(err, &verb) {
		fmt.Fprintf(stderr, "fundmatch: %s (see fundmatch --help)\n", text)
		return exitUsage
	}
	fmt.Fprintf(stderr, "fundmatch: %s\n", text)
	return codeOf(err)
}

// oneLine keeps a message on one line, whatever it quotes, and from telling a terminal what to do: a file may hold anything.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r):
			return utf8.RuneError
		}
		return r
	}, s)
}

// codeOf finds the exit code of an error. What nobody foresaw is something that was
// needed and did not work.
func codeOf(err error) int {
	if e := (*exitError)(nil); errors.As(err, &e) {
		return e.code
	}
	for _, row := range [...]struct {
		code   int
		causes []error
	}{
		{exitUnavailable, []error{
			features.ErrUnavailable, features.ErrNewerStore, features.ErrNoPool, engine.ErrNoCore, matcher.ErrCompile, fund.ErrNewerVersion,
			decisionlog.ErrFull, decisionlog.ErrBusy, decisionlog.ErrRefused, decisionlog.ErrNewerFormat, syscall.ENOSPC, syscall.EDQUOT,
		}},
		{exitFailed, []error{decisionlog.ErrCorrupt}},
		{exitUsage, []error{
			features.ErrNotFound, features.ErrInvalid, fund.ErrInvalid, matcher.ErrRequest, matcher.ErrUnknownProduct,
			decisionlog.ErrNotFound, decisionlog.ErrInvalid, synthetic.ErrOptions, synthetic.ErrFolderInUse,
		}},
	} {
		for _, cause := range row.causes {
			if errors.Is(err, cause) {
				return row.code
			}
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return exitUsage
	}
	return exitUnavailable
}
