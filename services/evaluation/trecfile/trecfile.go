// Package trecfile reads the files of TREC, judgements (qrels) and runs, strictly, and evaluates one by the other as
// trec_eval does (matcher/evaluate/trec). Files are text, packed with gzip or zstd where their names end in .gz or .zst.
// Fields are separated by blanks or tabs; empty lines, and lines whose first field is # alone, are passed over.
package trecfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrInput is wrapped by every error about what a file says.
var ErrInput = errors.New("bad TREC file")

// Error is what is wrong with a file, and where.
type Error struct {
	File  string
	Line  int64  // from 1; 0: it is about the file
	Field string // "" where it is not about one
	Value string
	Want  string // what was expected
	Cause error  // of the library that unpacks; nil otherwise
}

// shownBytes is how much of a value a message shows.
const shownBytes = 80

func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&text, ": line %d", e.Line)
	}
	if e.Field != "" {
		fmt.Fprintf(&text, ": %s", e.Field)
	}
	value := e.Value
	if len(value) > shownBytes {
		value = value[:shownBytes] + "..."
	}
	if e.Value != "" {
		fmt.Fprintf(&text, ": %q", value)
	}
	if e.Cause != nil {
		fmt.Fprintf(&text, ": %v", e.Cause)
	}
	return text.String() + ", expected " + e.Want
}

// Unwrap is ErrInput, and what it comes from.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{ErrInput}
	}
	return []error{ErrInput, e.Cause}
}

// Limits bound what is held, so that a hostile file is an error and not a machine without memory.
type Limits struct {
	LineBytes  int   // of a line
	Judgements int64 // lines of qrels, all of which are held
	Retrieved  int64 // lines of a run; one number of each is held
	QueryLines int64 // lines of a query, which are held whole until it ends
}

// DefaultLimits are for machines of today: a run of 200 million lines holds 800 MB.
func DefaultLimits() Limits {
	return Limits{LineBytes: 64 << 10, Judgements: 50_000_000, Retrieved: 200_000_000, QueryLines: 10_000_000}
}

// Options are how files are read. The zero value reads with DefaultLimits.
type Options struct {
	Limits   Limits
	Progress func(bytes int64) // told how much of the file was read, packed as it is; nil: nobody wants to know
}

func (o *Options) limits() Limits {
	if o.Limits == (Limits{}) {
		return DefaultLimits()
	}
	return o.Limits
}

// The fields of the files. Those in brackets are ignored, there as in trec_eval.
func qrelsFields() []string { return []string{"query", "[iteration]", "document", "grade"} }

func runFields() []string {
	return []string{"query", "[Q0]", "document", "[rank]", "score", "[name]"}
}

// records hands out the fields of every line that has some.
func (l *lines) records(ctx context.Context, names []string, most int64, take func(fields []string) error) error {
	fields := make([]string, len(names))
	n := int64(0)
	for {
		line, err := l.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		count := split(fields, line)
		if count == 0 || count > 0 && fields[0] == "#" {
			continue
		}
		if count != len(names) {
			return l.wrong("", line, fmt.Sprintf("%d fields, %s; it has %s", len(names), strings.Join(names, " "), many(count, len(names))))
		}
		if n++; n > most {
			return l.wrong("", line, fmt.Sprintf("%d lines at most", most))
		}
		if err := l.names(fields[0], fields[2]); err != nil {
			return err
		}
		if err := take(fields); err != nil {
			return err
		}
	}
	if n == 0 {
		return &Error{File: l.file, Want: "a file that is not empty"}
	}
	return nil
}

func many(count, most int) string {
	if count > most {
		return "more"
	}
	return strconv.Itoa(count)
}

// names sees to it that ids can stand in JSON, and nothing in them ends a text of C.
func (l *lines) names(query, document string) error {
	for i, id := range [...]string{query, document} {
		if !utf8.ValidString(id) || strings.IndexByte(id, 0) >= 0 {
			return l.wrong([...]string{"query", "document"}[i], id, "UTF-8 without NUL")
		}
	}
	return nil
}

// sharedNames is how many ids are held once, however often they stand in a file.
const sharedNames = 1 << 20

// names are ids that are held beyond their line. A line's own text is part of a block of the file, all of which it would
// hold; and a bank's customers are judged on the same few hundred products.
type names map[string]string

func (n names) hold(id string) string {
	if held, known := n[id]; known {
		return held
	}
	id = strings.Clone(id)
	if len(n) < sharedNames {
		n[id] = id
	}
	return id
}

func (l *lines) wrong(field, value, want string) error {
	return &Error{File: l.file, Line: l.number, Field: field, Value: value, Want: want}
}

// split cuts a line at what C calls white space, and returns how many fields it has: one more than there is room for
// where it has more.
func split(fields []string, line string) (count int) {
	for at := 0; ; count++ {
		for at < len(line) && blank(line[at]) {
			at++
		}
		if at == len(line) {
			return count
		}
		if count == len(fields) {
			return count + 1
		}
		begin := at
		for at < len(line) && !blank(line[at]) {
			at++
		}
		fields[count] = line[begin:at]
	}
}

func blank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// score reads a score: a finite decimal number, kept in 32 bits as trec_eval keeps it. One beyond their range is
// infinite there, and here.
func score(text string) (float32, bool) {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && !strings.ContainsRune("+-.eE", rune(c)) {
			return 0, false // ParseFloat also takes inf, nan and hexadecimal
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, false
	}
	return float32(v), true
}
