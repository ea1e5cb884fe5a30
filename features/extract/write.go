package extract

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/features/view"
)

// Format is the form of the output.
type Format string

// The formats. A CSV file has no place for metadata, and an empty field for every cell that
// is not PRESENT. A Parquet file has the columns of the labels as texts, as they came, and
// typed columns of the features, null where not PRESENT: int64, bool, UTF8 for texts and for
// decimals (their digits: a number of columns of one precision could not hold them exactly),
// TIMESTAMP(MICROS, UTC), and lists of UTF8.
const (
	CSV     Format = "csv"
	Parquet Format = "parquet"
)

// appendCells appends what the format will need of the cells of a row.
func (f Format) appendCells(dst []byte, cells []view.Cell, status bool) []byte {
	if f == Parquet {
		return appendBinary(dst, cells)
	}
	return appendFields(dst, cells, status)
}

// table takes rows in one format.
type table interface {
	// write takes the fields of the label and what appendCells made of its cells.
	write(labels []string, cells []byte) error
	end() error
}

// write reads the labels for the second time and writes each with its cells.
func (r *running) write(ctx context.Context, w io.Writer, results *sorter, digest string) (err error) {
	labels, err := r.Labels.read(&r.Options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, labels.file.Close()) }()
	added := r.addedColumns()
	var out table = newCSVTable(w, append(labels.columns, added...))
	if r.Format == Parquet {
		out = newParquetTable(w, labels.columns, r)
	}
	tell, fields := r.tell(ctx, WriteRows), make([]string, len(labels.columns))
	err = results.each(func(key, cells []byte) error {
		if binary.BigEndian.Uint64(key) != uint64(r.summary.Rows) {
			return fmt.Errorf("row %d of the labels has no result", r.summary.Rows)
		}
		switch err := labels.table.Next(); {
		case errors.Is(err, io.EOF):
			return r.Labels.changed()
		case err != nil:
			return err
		}
		for i := range fields {
			fields[i] = labels.table.Field(i)
		}
		r.summary.Rows++
		return errors.Join(out.write(fields, cells), tell(r.summary.Rows, r.total))
	})
	if err != nil {
		return err
	}
	if !errors.Is(labels.table.Next(), io.EOF) || labels.sum() != digest {
		return r.Labels.changed()
	}
	return out.end()
}

// changed is the error of labels that say something else when they are read again.
func (l *Labels) changed() error {
	return &dataset.Error{File: l.Name, Problem: "changed while it was read", Expected: "the same bytes until the end"}
}

// csvTable writes CSV.
type csvTable struct {
	out  io.Writer
	line []byte
}

func newCSVTable(w io.Writer, header []string) *csvTable {
	return &csvTable{out: w, line: dataset.AppendCSV(nil, header...)}
}

func (t *csvTable) write(labels []string, cells []byte) error {
	t.line = dataset.AppendCSV(t.line, labels...)
	t.line = append(t.line[:len(t.line)-1], cells...)
	t.line = append(t.line, '\n')
	if len(t.line) < maxBuffer {
		return nil
	}
	return t.flush()
}

func (t *csvTable) flush() error {
	_, err := t.out.Write(t.line)
	t.line = t.line[:0]
	return err
}

func (t *csvTable) end() error { return t.flush() }

// appendFields appends the cells as fields of CSV, each behind a comma.
func appendFields(dst []byte, cells []view.Cell, status bool) []byte {
	for i := range cells {
		dst = append(dst, ',')
		if v := &cells[i].Value; cells[i].Status == view.Present && v.Type == view.Int {
			dst = strconv.AppendInt(dst, v.Int, 10)
		} else if cells[i].Status == view.Present {
			dst = dataset.AppendField(dst, v.String())
		}
		if status {
			dst = append(append(dst, ','), cells[i].Status.String()...)
		}
	}
	return dst
}

// appendBinary appends the cells as parquetTable reads them: a status, then a number, or the
// length and the bytes of a text, or the number of texts and those.
func appendBinary(dst []byte, cells []view.Cell) []byte {
	for i := range cells {
		dst = append(dst, byte(cells[i].Status))
		if cells[i].Status != view.Present {
			continue
		}
		v := &cells[i].Value
		switch v.Type {
		case view.Int, view.Bool, view.Time:
			dst = binary.AppendVarint(dst, v.Int)
		case view.String, view.Decimal:
			dst = appendText(dst, v.Text)
		case view.List:
			dst = binary.AppendUvarint(dst, uint64(len(v.List)))
			for _, s := range v.List {
				dst = appendText(dst, s)
			}
		}
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// binaryReader reads what appendBinary wrote; what it cannot read is damaged, and told once
// at the end.
type binaryReader struct {
	rest []byte
	bad  bool
}

func (b *binaryReader) status() view.Status {
	if len(b.rest) == 0 {
		b.bad = true
		return view.NotFound
	}
	s := view.Status(b.rest[0])
	b.rest = b.rest[1:]
	return s
}

func (b *binaryReader) number() int64 {
	v, n := binary.Varint(b.rest)
	return v * int64(b.skip(n))
}

func (b *binaryReader) count() int {
	v, n := binary.Uvarint(b.rest)
	return int(v) * b.skip(n)
}

// skip goes on behind n bytes; 0 where they are not there.
func (b *binaryReader) skip(n int) int {
	if n <= 0 {
		b.bad, b.rest = true, nil
		return 0
	}
	b.rest = b.rest[n:]
	return 1
}

func (b *binaryReader) text() []byte {
	n := b.count()
	if n > len(b.rest) {
		b.bad, b.rest = true, nil
		return nil
	}
	s := b.rest[:n]
	b.rest = b.rest[n:]
	return s
}

// err reports whether all of it was read and nothing else was there.
func (b *binaryReader) err() error {
	if b.bad || len(b.rest) > 0 {
		return fmt.Errorf("%w: a result of the extract is damaged", features.ErrUnavailable)
	}
	return nil
}
