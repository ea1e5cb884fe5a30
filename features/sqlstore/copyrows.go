package sqlstore

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// columns take the values of a row, in the order of the table's insert.
type columns interface {
	text(s string)
	bytes(b []byte)
	digest(c *features.Cell)
	number(n int64)
	day(d fund.Date)
	flag(b bool)
}

// arguments are a row as a statement takes it.
type arguments []any

func (a *arguments) text(s string)           { *a = append(*a, s) }
func (a *arguments) bytes(b []byte)          { *a = append(*a, b) }
func (a *arguments) digest(c *features.Cell) { *a = append(*a, digest(nil, c)) }
func (a *arguments) number(n int64)          { *a = append(*a, n) }
func (a *arguments) day(d fund.Date)         { *a = append(*a, int64(d)) }
func (a *arguments) flag(b bool)             { *a = append(*a, b) }

// copyRows are rows of one table as PostgreSQL's COPY takes them in its binary format: of each
// row the number of its columns, of each column its length and its bytes. Nothing is kept of a
// row but these bytes, which is what makes an import quick.
// https://www.postgresql.org/docs/15/sql-copy.html
type copyRows struct{ buf []byte }

// A COPY begins with a signature, no flags and no extension, and ends with -1 columns.
const (
	copyBegin = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	copyEnd   = "\xff\xff"
)

// stream returns all that a COPY of the rows is sent.
func (r *copyRows) stream() io.Reader {
	return io.MultiReader(strings.NewReader(copyBegin), bytes.NewReader(r.buf), strings.NewReader(copyEnd))
}

// begin begins a row of so many columns.
func (r *copyRows) begin(columns int) {
	r.buf = binary.BigEndian.AppendUint16(r.buf, uint16(columns))
}

// length begins a column of so many bytes.
func (r *copyRows) length(n int) {
	r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(n))
}

func (r *copyRows) text(s string) {
	r.length(len(s))
	r.buf = append(r.buf, s...)
}

func (r *copyRows) bytes(b []byte) {
	r.length(len(b))
	r.buf = append(r.buf, b...)
}

func (r *copyRows) digest(c *features.Cell) {
	r.length(digestLength)
	r.buf = digest(r.buf, c)
}

// number is a bigint.
func (r *copyRows) number(n int64) {
	r.length(8) //nolint:mnd // bytes of a bigint
	r.buf = binary.BigEndian.AppendUint64(r.buf, uint64(n))
}

// day is an integer.
func (r *copyRows) day(d fund.Date) {
	r.length(4) //nolint:mnd // bytes of an integer
	r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(d))
}

func (r *copyRows) flag(b bool) {
	r.length(1)
	if b {
		r.buf = append(r.buf, 1)
	} else {
		r.buf = append(r.buf, 0)
	}
}
