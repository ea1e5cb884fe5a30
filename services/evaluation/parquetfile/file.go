// Package parquetfile reads columns of Parquet files that nobody vouches for. The library that the project writes
// Parquet with reads it too, but believes sizes that a footer or a page claims before it has seen the bytes, keeps the
// metadata of every column of every row group, and decodes pages where it reads them. Here the footer is walked once
// and only what is asked for is kept; pages are read in order by one goroutine and decoded by another; nothing is
// allocated that the file's own bytes do not pay for, up to MaxPage; and no input panics.
//
// Only columns at the top level are read, required or optional, of the types of Kind, in the encodings PLAIN,
// dictionary, DELTA and BYTE_STREAM_SPLIT, packed by SNAPPY, GZIP, ZSTD or not at all.
package parquetfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

const (
	// MaxPage bounds a page, unpacked: some writers put all rows of a row group into one.
	MaxPage = 128 << 20

	maxFooter  = 64 << 20
	maxHeader  = 1 << 20 // of a page: it may hold the least and the greatest text
	maxColumns = 1 << 16
	maxDepth   = 32
	tail       = 8 // bytes behind the footer: its length, then the magic
	magic      = "PAR1"
	encrypted  = "PARE"
)

// Kind is what the values of a column are.
type Kind uint8

// The kinds. Other is any type that is not read: Column.Type says which. FLOAT is one of them: what it holds has lost
// digits that the same log written as text or as DOUBLE has.
const (
	Other   Kind = iota
	Text         // BYTE_ARRAY with STRING or ENUM
	Integer      // INT32 or INT64, signed
	Double       // DOUBLE
	Instant      // INT64 with TIMESTAMP in UTC, told in nanoseconds
)

// Column is a column of the file that was asked for and is there.
type Column struct {
	Name     string
	Kind     Kind
	Type     string // as the file tells it, for messages
	Optional bool
	Flat     bool // neither repeated nor a group

	physical int64
	scale    int64 // nanoseconds of one
	leaf     int
}

// Error is something in the file that cannot be used. Rows count from 1 within the file, row groups from 1.
type Error struct {
	Column   string // "" where it is not about one
	Group    int    // 0 where it is not about one
	Row      int64  // 0 where it is not about one
	Problem  string
	Expected string
}

// Error tells the place first.
func (e *Error) Error() string {
	var place string
	if e.Column != "" {
		place += "column " + e.Column + ": "
	}
	if e.Group > 0 {
		place += "row group " + strconv.Itoa(e.Group) + ": "
	}
	if e.Row > 0 {
		place += "row " + strconv.FormatInt(e.Row, 10) + ": "
	}
	return place + e.Problem + "; expected " + e.Expected
}

// File is an open file. It is only read, and safe for several goroutines.
type File struct {
	Rows    int64
	Names   []string // of all columns at the top level, in the file's order
	Columns []Column // those that were asked for and are there, in the order in which they were asked for

	in     io.ReaderAt
	groups []group
	pool   *Memory
}

// group is a row group with the chunks of File.Columns.
type group struct {
	rows   int64
	chunks []chunk
}

// chunk is a column's part of a row group.
type chunk struct {
	start, end int64 // in the file
	codec      int64
}

// Open reads the footer. Names asked for that are not there are not in Columns; of a column that is there twice the
// first is. Pages take their memory from where it is told.
func Open(in io.ReaderAt, size int64, names []string, memory *Memory) (*File, error) {
	footer, err := readFooter(in, size)
	if err != nil {
		return nil, err
	}
	f := &File{in: in, pool: memory}
	if err := f.parse(footer, names, size-tail-int64(len(footer))); err != nil {
		return nil, err
	}
	return f, nil
}

// Groups is the number of row groups.
func (f *File) Groups() int { return len(f.groups) }

// readFooter returns the bytes of the footer.
func readFooter(in io.ReaderAt, size int64) ([]byte, error) {
	damaged := func(problem, expected string) ([]byte, error) {
		return nil, &Error{Problem: problem, Expected: expected}
	}
	if size < int64(len(magic)+tail) {
		return damaged(fmt.Sprintf("the file has %d bytes", size), "a whole Parquet file")
	}
	var head [4]byte
	var end [tail]byte
	if _, err := in.ReadAt(head[:], 0); err != nil {
		return nil, fmt.Errorf("read the beginning: %w", err)
	}
	if _, err := in.ReadAt(end[:], size-tail); err != nil {
		return nil, fmt.Errorf("read the end: %w", err)
	}
	switch {
	case string(head[:]) == encrypted || string(end[4:]) == encrypted:
		return damaged("the footer is encrypted", "a file that is not encrypted")
	case string(head[:]) != magic:
		return damaged(fmt.Sprintf("the file begins with %q", head[:]), "a Parquet file, which begins with PAR1")
	case string(end[4:]) != magic:
		return damaged(fmt.Sprintf("the file ends with %q: it was cut short or is still being written", end[4:]), "a whole Parquet file, which ends with PAR1")
	}
	length := int64(binary.LittleEndian.Uint32(end[:4]))
	switch {
	case length > size-tail-int64(len(magic)):
		return damaged(fmt.Sprintf("the footer claims %d bytes of a file of %d", length, size), "a footer within the file")
	case length > maxFooter:
		return damaged(fmt.Sprintf("the footer has %d bytes", length), fmt.Sprintf("at most %d: fewer, larger row groups", maxFooter))
	}
	footer := make([]byte, length)
	if _, err := in.ReadAt(footer, size-tail-length); err != nil {
		return nil, fmt.Errorf("read the footer: %w", err)
	}
	return footer, nil
}
