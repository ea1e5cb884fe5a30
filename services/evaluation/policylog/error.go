package policylog

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxBad is how many bad rows a block lists; it counts all of them.
const MaxBad = 20

// maxShown bounds the part of a value that a message shows, in bytes.
const maxShown = 80

// RowError says that a row cannot be used, and why.
type RowError struct{ Bad }

// Error returns log.csv: line 17, row 16, propensity: "0", expected a number above 0 and at most 1.
func (e *RowError) Error() string { return e.String() }

// String says where the row is and what is wrong with it.
func (b *Bad) String() string {
	var s strings.Builder
	s.WriteString(b.File + ": ")
	if b.Line > 0 {
		s.WriteString("line " + strconv.FormatInt(b.Line, 10) + ", ")
	}
	s.WriteString("row " + strconv.FormatInt(b.Row, 10))
	if b.Column != "" {
		s.WriteString(", " + b.Column)
	}
	s.WriteString(": " + strconv.Quote(b.Value) + ", expected " + b.Want)
	return s.String()
}

// FileError says that a file cannot be read, or no further.
type FileError struct {
	File   string
	Row    int64  // how far it could be read: rows before the fault; 0: none, or the file as a whole
	Column string // "" where it is not about one
	Found  string
	Want   string
	Err    error // the cause, where there is one
}

// Error returns b.csv: column segment: not there, expected the columns of a.csv, which has it.
func (e *FileError) Error() string {
	var s strings.Builder
	s.WriteString(e.File)
	if e.Row > 0 {
		s.WriteString(", after row " + strconv.FormatInt(e.Row, 10))
	}
	if e.Column != "" {
		s.WriteString(": column " + e.Column)
	}
	s.WriteString(": " + e.Found)
	if e.Want != "" {
		s.WriteString(", expected " + e.Want)
	}
	if e.Err != nil && e.Want == "" { // else it is said already, in plain words
		s.WriteString(": " + e.Err.Error())
	}
	return s.String()
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// shown cuts a value at a character boundary to a length that can be shown.
func shown(v []byte) string {
	if len(v) <= maxShown {
		return string(v)
	}
	cut := maxShown
	for cut > maxShown-utf8.UTFMax && !utf8.RuneStart(v[cut]) {
		cut--
	}
	return string(v[:cut]) + "..."
}
