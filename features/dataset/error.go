package dataset

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/features"
)

// maxErrorValue bounds the part of a value that an error shows, in bytes.
const maxErrorValue = 80

// Error says what is wrong with a dataset, and where. It is features.ErrInvalid to
// errors.Is.
type Error struct {
	File     string // base name; .gz included
	Line     int    // where the row begins, from 1, the header included; 0: the file as a whole
	Column   string // name, or names joined by commas; empty: the row as a whole
	Value    string // as it came, at most 80 bytes of it
	Problem  string // in place of Value where no single value is at fault
	Expected string
	Err      error // the cause, where there is one

	fatal bool   // nothing can be read after it
	raw   string // the row, for rejects.csv
}

// Error returns products.csv:17:risk_grade: "R6", expected R1 to R5.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
	}
	if e.Column != "" {
		b.WriteString(":" + e.Column)
	}
	b.WriteString(": ")
	if e.Problem != "" {
		b.WriteString(e.Problem)
	} else {
		b.WriteString(strconv.Quote(e.Value))
	}
	b.WriteString(", expected " + e.Expected)
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is features.ErrInvalid, which every Error is.
func (e *Error) Is(target error) bool { return target == features.ErrInvalid }

// isFatal reports whether reading cannot go on after an error.
func isFatal(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return !ok || e.fatal
}

// clip cuts a value at a character boundary to at most limit bytes, the ellipsis not
// counted.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	cut := limit
	for cut > limit-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
