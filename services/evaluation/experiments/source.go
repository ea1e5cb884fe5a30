package experiments

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Customer is a row of a source, with where it stands. Its slices are the source's, until the next read.
type Customer struct {
	ID  string
	At  Place
	Row Row
}

// Place is where a row stands.
type Place struct {
	File string // as it was named
	Row  int64  // from 1, the header not counted
	Line int64  // from 1; 0 where rows have no lines
}

// String is the file with the line, or else the row.
func (p Place) String() string {
	if p.Line > 0 {
		return p.File + ":" + strconv.FormatInt(p.Line, 10)
	}
	return p.File + ", row " + strconv.FormatInt(p.Row, 10)
}

// Source gives customers one after another.
type Source interface {
	// Next fills the customer with the next row. It returns io.EOF at the end, a *RowError for a row that cannot be used,
	// behind which reading goes on, or another error, behind which it does not.
	Next(c *Customer) error
}

// RowError is a row that cannot be used. It is ErrData to errors.Is.
type RowError struct {
	At     Place
	Column string // "" where it is not about one
	Value  string // cut to what can be shown
	Want   string // what was expected
	First  *Place // of a customer who comes twice: where he came first
}

// Error returns f.csv:17: metric: "x", expected a number.
func (e *RowError) Error() string {
	var b strings.Builder
	b.WriteString(e.At.String() + ": ")
	if e.Column != "" {
		b.WriteString(e.Column + ": ")
	}
	fmt.Fprintf(&b, "%q, expected %s", e.Value, e.Want)
	if e.First != nil {
		b.WriteString("; he is in " + e.First.String() + " already")
	}
	return b.String()
}

// Unwrap returns ErrData.
func (e *RowError) Unwrap() error { return ErrData }

// maxShown bounds the part of a value that is shown, in bytes.
const maxShown = 80

// Clip cuts a value to what errors show, at the end of a character.
func Clip(s string) string {
	if len(s) <= maxShown {
		return s
	}
	cut := maxShown
	for cut > maxShown-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
