package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// Limits of a file's shape. What exceeds them is an error before it is memory.
const (
	MaxLine    = 1 << 20  // bytes of one row, its line ends included
	MaxField   = 64 << 10 // bytes of one field
	MaxColumns = 256
)

// csvReader splits RFC 4180 text into records: fields between commas, quoted where they
// hold a comma, a quote or a line end; lines end in LF or CRLF. It is not encoding/csv
// because that has no limits on a line or a field, and takes twice as long.
type csvReader struct {
	in    *bufio.Reader
	file  string
	lines int // physical lines read

	line  int    // where the record begins, from 1
	raw   []byte // the record as it stands in the file; valid until the next read
	utf8  bool   // all of it is UTF-8
	rec   record
	long  []byte // holds a line that is longer than the buffer of in
	multi []byte // holds a record of several lines
}

func newCSVReader(in io.Reader, file string) *csvReader {
	return &csvReader{in: bufio.NewReaderSize(in, 64<<10), file: file}
}

// next reads the next record into rec. It returns io.EOF at the end, or an *Error.
func (c *csvReader) next() error {
	c.rec.reset()
	line, err := c.readLine()
	c.line = c.lines
	if err != nil {
		return err
	}
	c.raw = line
	c.utf8 = utf8.Valid(line)
	open, problem := c.split(line, false)
	if open {
		c.multi = append(c.multi[:0], line...)
	}
	for open && problem == "" {
		open, problem, err = c.goOn()
		if err != nil {
			return err
		}
	}
	if problem != "" {
		return c.bad(problem, "fields as RFC 4180 has them")
	}
	return nil
}

// goOn reads the next line of a record whose quoted field is still open. A field that
// never closes leaves no way to know where the next row begins.
func (c *csvReader) goOn() (open bool, problem string, err error) {
	begin := c.line
	line, err := c.readLine()
	_, tooLong := errors.AsType[*Error](err)
	switch {
	case errors.Is(err, io.EOF), tooLong && !isFatal(err), len(c.multi)+len(line) > MaxLine:
		c.line = begin
		return false, "", c.fatal("a quoted field that does not end", "a closing quote within "+strconv.Itoa(MaxLine)+" bytes", nil)
	case err != nil:
		return false, "", err
	}
	c.multi = append(c.multi, line...)
	c.raw = c.multi
	c.utf8 = c.utf8 && utf8.Valid(line)
	open, problem = c.split(line, true)
	return open, problem, nil
}

// split appends a line's fields to the record. open says that the line begins, and then
// that it ends, within a quoted field.
func (c *csvReader) split(line []byte, open bool) (stillOpen bool, problem string) {
	if !open && bytes.IndexByte(line, '"') < 0 {
		return false, c.splitPlain(line)
	}
	for {
		if !open && len(line) > 0 && line[0] == '"' {
			open = true
			line = line[1:]
		}
		if !open {
			i := bytes.IndexByte(line, ',')
			if i < 0 {
				return false, c.plainField(trimLineEnd(line))
			}
			if problem := c.plainField(line[:i]); problem != "" {
				return false, problem
			}
			line = line[i+1:]
			continue
		}
		rest, closed := c.quotedPart(line)
		if !closed {
			return true, ""
		}
		c.rec.end()
		open = false
		switch {
		case len(rest) > 0 && rest[0] == ',':
			line = rest[1:]
		case len(trimLineEnd(rest)) == 0:
			return false, ""
		default:
			return false, "text after a closing quote"
		}
	}
}

// quotedPart appends what stands before the closing quote, and returns what follows it.
func (c *csvReader) quotedPart(line []byte) (rest []byte, closed bool) {
	for {
		i := bytes.IndexByte(line, '"')
		if i < 0 {
			c.rec.buf = append(c.rec.buf, line...)
			return nil, false
		}
		c.rec.buf = append(c.rec.buf, line[:i]...)
		line = line[i+1:]
		if len(line) == 0 || line[0] != '"' {
			return line, true
		}
		c.rec.buf = append(c.rec.buf, '"')
		line = line[1:]
	}
}

// splitPlain splits a line without quotes.
func (c *csvReader) splitPlain(line []byte) (problem string) {
	line = trimLineEnd(line)
	if bytes.IndexByte(line, '\r') >= 0 {
		return loneCR
	}
	for {
		i := bytes.IndexByte(line, ',')
		if i < 0 {
			c.rec.buf = append(c.rec.buf, line...)
			c.rec.end()
			return ""
		}
		c.rec.buf = append(c.rec.buf, line[:i]...)
		c.rec.end()
		line = line[i+1:]
	}
}

const loneCR = "a carriage return without a line feed"

func (c *csvReader) plainField(f []byte) (problem string) {
	if bytes.IndexByte(f, '"') >= 0 {
		return "a quote within a field that is not quoted"
	}
	if bytes.IndexByte(f, '\r') >= 0 {
		return loneCR
	}
	c.rec.buf = append(c.rec.buf, f...)
	c.rec.end()
	return ""
}

func trimLineEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
		if n > 1 && line[n-2] == '\r' {
			line = line[:n-2]
		}
	}
	return line
}

// readLine returns the next line with its line end. What it returns is valid until the
// next call. A line that is too long is skipped to its end without being kept.
func (c *csvReader) readLine() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	c.lines++
	if !errors.Is(err, bufio.ErrBufferFull) {
		return c.ended(line, err)
	}
	c.long = append(c.long[:0], line...)
	for {
		line, err = c.in.ReadSlice('\n')
		if len(c.long)+len(line) > MaxLine {
			return nil, c.skipLine(err)
		}
		c.long = append(c.long, line...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return c.ended(c.long, err)
		}
	}
}

// ended turns the end of the file behind a last line without line end into that line.
func (c *csvReader) ended(line []byte, err error) ([]byte, error) {
	switch {
	case err == nil || errors.Is(err, io.EOF) && len(line) > 0:
		return line, nil
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	}
	return nil, c.broken(err)
}

// skipLine reads up to the end of a line that is too long.
func (c *csvReader) skipLine(err error) error {
	c.line, c.raw = c.lines, c.long
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = c.in.ReadSlice('\n')
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return c.broken(err)
	}
	return c.bad("a line of more than "+strconv.Itoa(MaxLine)+" bytes", "at most so many")
}

// broken is the error of a source that cannot be read on: an *Error when its bytes are
// at fault, and else what the system said.
func (c *csvReader) broken(err error) error {
	c.line = c.lines
	if e, ok := errors.AsType[*Error](err); ok { // the unpacker's
		return c.fatal(e.Problem, e.Expected, e.Err)
	}
	return fmt.Errorf("read %s, line %d: %w", c.file, c.lines, err)
}

// bad is the error of one record; reading can go on behind it.
func (c *csvReader) bad(problem, expected string) *Error {
	return &Error{File: c.file, Line: c.line, Problem: problem, Expected: expected, raw: clip(string(c.raw[:min(len(c.raw), maxRaw+1)]), maxRaw)}
}

func (c *csvReader) fatal(problem, expected string, cause error) *Error {
	return &Error{File: c.file, Line: c.line, Problem: problem, Expected: expected, Err: cause, fatal: true}
}

// maxRaw bounds the part of a bad row that is kept for rejects.csv.
const maxRaw = 4 << 10
