package experimentfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
)

// csvRows are the rows under a header, by RFC 4180.
type csvRows struct {
	reader *rowReader
	csv    *csv.Reader
	budget *budget
	at     []int // where the wanted columns stand
	line   int64 // in which the next record has to begin
}

func (r *rowReader) openCSV(in *bufio.Reader) error {
	c := &csvRows{reader: r, budget: &budget{in: in}, line: 1}
	// csv.Reader takes a buffer that is large enough as it is, so that it asks the budget for so much at once.
	c.csv = csv.NewReader(bufio.NewReaderSize(c.budget, readAhead))
	c.csv.ReuseRecord = true
	header, err := c.read()
	if err != nil {
		if bad := (*experiments.RowError)(nil); errors.As(err, &bad) {
			return headError(r.name, "", "line 1: "+bad.Value, bad.Want)
		}
		return err
	}
	for i, name := range header {
		if name == "" || strings.TrimSpace(name) != name || len(name) > experiments.MaxName {
			return headError(r.name, "column "+strconv.Itoa(i+1), strconv.Quote(experiments.Clip(name)), "a name without blanks about it")
		}
	}
	if c.at, err = r.wanted.find(r.name, header); err != nil {
		return err
	}
	c.csv.FieldsPerRecord = len(header)
	r.settle(c.at)
	r.rows = c
	return nil
}

func (c *csvRows) next(fields []field) (int64, error) {
	line := c.line
	record, err := c.read()
	if err != nil {
		return line, err
	}
	for i, at := range c.at {
		fields[i] = field{}
		if at >= 0 && record[at] != "" {
			fields[i] = field{form: cell, text: record[at]}
		}
	}
	return line, nil
}

// read reads a record, and knows where the next has to begin: encoding/csv passes over empty lines, and a line that lost
// its values is not nothing.
func (c *csvRows) read() ([]string, error) {
	c.budget.left = MaxRecord + readAhead
	record, err := c.csv.Read()
	if err != nil && !errors.As(err, new(*csv.ParseError)) {
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, io.EOF
		}
		if errors.Is(err, errTooLong) {
			return nil, fmt.Errorf("%w: %s:%d: a row of more than %d bytes, expected at most so many", experiments.ErrData, c.reader.name, c.line, MaxRecord)
		}
		return nil, c.reader.brokenText(err)
	}
	if parse := (*csv.ParseError)(nil); errors.As(err, &parse) {
		return nil, c.misparsed(record, parse)
	}
	begin, _ := c.csv.FieldPos(0)
	expected := c.line
	c.line = int64(begin) + linesOf(record)
	if int64(begin) != expected {
		return nil, fmt.Errorf("%w: %s:%d: an empty line, expected a row", experiments.ErrData, c.reader.name, expected)
	}
	return record, nil
}

// misparsed says what is wrong with a record. A quote that is open at the end of a line may have swallowed other rows:
// nothing behind it can be trusted.
func (c *csvRows) misparsed(record []string, parse *csv.ParseError) error {
	switch {
	case errors.Is(parse.Err, csv.ErrFieldCount):
		c.line = int64(parse.StartLine) + linesOf(record)
		return &experiments.RowError{Value: strconv.Itoa(len(record)) + " fields", Want: strconv.Itoa(c.csv.FieldsPerRecord) + " fields as in the header"}
	case parse.Line != parse.StartLine:
		return fmt.Errorf("%w: %s:%d: a quoted field that does not end, expected a closing quote", experiments.ErrData, c.reader.name, parse.StartLine)
	}
	c.line = int64(parse.Line) + 1
	return &experiments.RowError{Value: "a stray quote", Want: "fields as RFC 4180 has them"}
}

// linesOf is how many lines a record takes.
func linesOf(record []string) int64 {
	n := int64(1)
	for _, f := range record {
		n += int64(strings.Count(f, "\n"))
	}
	return n
}

// readAhead is what is read at once.
const readAhead = 64 << 10

var errTooLong = errors.New("a row that is too long")

// budget gives so many bytes until it is raised again: encoding/csv has no limit of its own.
type budget struct {
	in   io.Reader
	left int
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
