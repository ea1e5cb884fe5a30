package dataset

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// table reads the rows of a file under its header.
type table struct {
	csv     *csvReader
	row     row
	ignored []string // unknown columns that the format does not keep
	longest int      // bytes of a field
}

// openTable reads the header and finds the columns of the format in it.
func openTable(in io.Reader, file string, columns []string, required int, keepsUnknown bool) (*table, error) {
	t := &table{csv: newCSVReader(in, file), longest: MaxField}
	header, err := t.readHeader()
	if err != nil {
		return nil, err
	}
	t.row = row{names: columns, header: header}
	for i, name := range columns {
		at := slices.Index(header, name)
		if at < 0 && i < required {
			return nil, headerError(file, name, "column is missing", "the columns "+strings.Join(columns[:required], " "))
		}
		t.row.at = append(t.row.at, at)
	}
	for at, name := range header {
		if slices.Contains(columns, name) {
			continue
		}
		if keepsUnknown {
			t.row.unknown = append(t.row.unknown, attributeColumn{name: name, at: at})
		} else {
			t.ignored = append(t.ignored, name)
		}
	}
	if n := len(t.row.unknown); n > fund.MaxAttributes {
		return nil, tooManyAttributes(file, n)
	}
	slices.SortFunc(t.row.unknown, func(a, b attributeColumn) int { return cmp.Compare(a.name, b.name) })
	return t, nil
}

// readHeader returns the names of the columns: different, and fit to be names.
func (t *table) readHeader() ([]string, error) {
	c := t.csv
	start, err := c.in.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, c.broken(err)
	}
	if mark := byteOrderMark(start); mark != "" {
		c.line = 1
		return nil, c.fatal("a byte order mark ("+mark+") before the header", "UTF-8 without a byte order mark", nil)
	}
	err = c.next()
	if errors.Is(err, io.EOF) {
		c.line = 1
		return nil, c.fatal("the file is empty", "a header", nil)
	}
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			e.fatal = true // without a header no row means anything
		}
		return nil, err
	}
	if len(c.rec.ends) > MaxColumns {
		return nil, c.fatal(strconv.Itoa(len(c.rec.ends))+" columns", "at most "+strconv.Itoa(MaxColumns), nil)
	}
	var header []string
	for i := range c.rec.ends {
		name := string(c.rec.field(i))
		if !isColumnName(name) {
			return nil, &Error{File: c.file, Line: c.line, Column: "column " + strconv.Itoa(i+1), Value: clip(name, maxErrorValue), Expected: expectedColumnName, fatal: true}
		}
		if slices.Contains(header, name) {
			return nil, headerError(c.file, name, "column comes twice", "different columns")
		}
		header = append(header, name)
	}
	return header, nil
}

const expectedColumnName = "a name of 1 to 64 bytes of UTF-8 without control characters or space around it"

func isColumnName(s string) bool {
	return s != "" && len(s) <= fund.MaxIDLength && utf8.ValidString(s) && strings.TrimSpace(s) == s && controlCharacter(s, "") < 0
}

func byteOrderMark(start []byte) string {
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		return "UTF-8 BOM"
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return "UTF-16 BOM"
	}
	return ""
}

func headerError(file, column, problem, expected string) *Error {
	return &Error{File: file, Line: 1, Column: column, Problem: problem, Expected: expected, fatal: true}
}

func tooManyAttributes(file string, n int) *Error {
	return &Error{
		File: file, Line: 1, Problem: strconv.Itoa(n) + " columns that the format does not know",
		Expected: "at most " + strconv.Itoa(fund.MaxAttributes), fatal: true,
	}
}

// next reads the next record into row. It returns io.EOF at the end, or an *Error.
func (t *table) next() error {
	c := t.csv
	if err := c.next(); err != nil {
		return err
	}
	if n := len(c.rec.ends); n != len(t.row.header) {
		problem := strconv.Itoa(n) + " fields"
		if len(trimLineEnd(c.raw)) == 0 {
			problem = "an empty line"
		}
		return c.bad(problem, strconv.Itoa(len(t.row.header))+" fields as in the header")
	}
	r := &t.row
	r.text, r.ends, r.next, r.err = string(c.rec.buf), c.rec.ends, 0, nil
	if !c.utf8 {
		r.checkUTF8()
	}
	if len(r.text) > t.longest {
		r.checkLengths(t.longest)
	}
	if r.err != nil {
		return t.located(r.err)
	}
	return nil
}

// checkLengths fails on the first field that is too long.
func (r *row) checkLengths(longest int) {
	for i := range r.ends {
		if f := r.field(i); len(f) > longest {
			r.failAt(r.header[i], f, "a field of at most "+strconv.Itoa(longest)+" bytes")
			return
		}
	}
}

// located says where a row's error is.
func (t *table) located(e *Error) *Error {
	at := t.csv.bad("", "")
	e.File, e.Line, e.raw = at.File, at.Line, at.raw
	return e
}
