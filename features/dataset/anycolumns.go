package dataset

import (
	"io"
	"slices"
	"strings"
)

// Table reads a CSV file of any columns under the same limits, and with the same errors,
// as the files of the format: labels of an extract, say. A name that ends in .gz is
// unpacked.
type Table struct{ table *table }

// OpenTable reads the header. Columns that are required and not there, and a header that
// is none, are an *Error. file is the name that errors show.
func OpenTable(in io.Reader, file string, required ...string) (*Table, error) {
	if strings.HasSuffix(file, ".gz") {
		in = newGunzip(in)
	}
	t, err := openTable(in, file, required, len(required), false)
	if err != nil {
		return nil, err
	}
	return &Table{t}, nil
}

// Columns returns the names of the columns in the order of the file.
func (t *Table) Columns() []string { return slices.Clone(t.table.row.header) }

// Next reads the next row. It returns io.EOF at the end, or an *Error.
func (t *Table) Next() error { return t.table.next() }

// Field returns a field of the row by the place of its column.
func (t *Table) Field(column int) string { return t.table.row.field(column) }

// Bad returns the *Error of a field of the row, which was expected to be something else.
func (t *Table) Bad(column int, expected string) error {
	r := &t.table.row
	return t.table.located(&Error{Column: r.header[column], Value: clip(r.field(column), maxErrorValue), Expected: expected})
}

// AppendCSV appends a line of fields, quoted where they need it.
func AppendCSV(dst []byte, fields ...string) []byte {
	for i, f := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendField(dst, f)
	}
	return append(dst, '\n')
}

// AppendField appends one field of a line, quoted where it needs it.
func AppendField(dst []byte, field string) []byte {
	if !strings.ContainsAny(field, "\",\r\n") {
		return append(dst, field...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(field, `"`, `""`)...)
	return append(dst, '"')
}
