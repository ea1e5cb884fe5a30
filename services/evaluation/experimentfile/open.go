package experimentfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
	"github.com/fundmatch/fundmatch/services/evaluation/packed"
)

// File is an open file of customers. It is an experiments.Source.
type File struct {
	reader *rowReader
	close  []func() error
	read   *atomic.Int64 // bytes of a text file as it is packed
	size   int64         // in what Progress counts; -1 unknown
}

// rowReader turns fields into customers.
type rowReader struct {
	name   string
	wanted *wanted
	rows   rows
	row    int64
	fields []field

	// Where the columns stand among the wanted; of pre -1 where the file has none.
	metrics, pre, segments []int
}

// rows are the rows of a format.
type rows interface {
	// next fills the fields by wanted.names and says which line the row begins in, 0 where there are no lines. It returns
	// io.EOF at the end, a *experiments.RowError without a place, or another error behind which nothing can be read.
	next(fields []field) (line int64, err error)
}

// Open opens a file by its name, or stdin for "-". A name that ends in .csv, .ndjson, .jsonl or .parquet has that format,
// with .gz or .zst behind a text format it is packed so; of any other name, and of stdin, what it holds decides.
// Errors: experiments.ErrConfig, experiments.ErrData, those of the system.
func Open(name string, stdin io.Reader, o Options) (*File, error) {
	w, err := o.wanted()
	if err != nil {
		return nil, err
	}
	f := &File{read: new(atomic.Int64), size: -1, reader: &rowReader{name: name, wanted: w, fields: make([]field, len(w.names))}}
	if err := f.open(stdin); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *File) open(stdin io.Reader) error {
	r := f.reader
	in, file := stdin, (*os.File)(nil)
	if r.name == "-" {
		r.name = "stdin"
	} else {
		var err error
		if file, err = os.Open(r.name); err != nil {
			return fmt.Errorf("%w: %s: cannot be opened: %w, expected a file", experiments.ErrData, r.name, reasonOf(err))
		}
		f.close = append(f.close, file.Close)
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if info.IsDir() {
			return fmt.Errorf("%w: %s: is a directory, expected a file", experiments.ErrData, r.name)
		}
		if info.Mode().IsRegular() {
			f.size = info.Size()
		}
		in = file
	}
	kind, packing := formatOf(r.name)
	buffered := bufio.NewReaderSize(&counter{in, f.read}, 64<<10)
	start, err := buffered.Peek(max(packed.StartBytes, len(parquetMagic)))
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", r.name, err)
	}
	if kind == parquetFormat || kind == "" && bytes.Equal(start, []byte(parquetMagic)) {
		if file == nil || f.size < 0 {
			return headError(r.name, "", "Parquet from a stream", "a file: its columns are told at its end")
		}
		f.read = nil
		rows, err := r.openParquet(file, f.size)
		f.size = rows
		return err
	}
	return f.openText(buffered, kind, packing, start)
}

// reasonOf is why the system refused, without the name of the file, which is said already.
func reasonOf(err error) error {
	if e := (*os.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// openText unpacks, and reads what shows the columns.
func (f *File) openText(in *bufio.Reader, kind string, packing packed.Packing, start []byte) error {
	r := f.reader
	if packing == packed.None && kind == "" {
		packing = packed.ByStart(start)
	}
	text := in
	if packing != packed.None {
		unpacked, err := packed.NewReader(in, packing, MaxWindow)
		if err != nil {
			return r.brokenText(err)
		}
		f.close = append(f.close, unpacked.Close)
		text = bufio.NewReaderSize(unpacked, 64<<10)
	}
	if kind == "" {
		kind = csvFormat
		if first, err := text.Peek(1); err == nil && first[0] == '{' {
			kind = ndjsonFormat
		}
	}
	start, err := text.Peek(3)
	switch {
	case errors.Is(err, io.EOF) && len(start) == 0:
		return headError(r.name, "", "the file is empty", "rows of customers")
	case err != nil && !errors.Is(err, io.EOF):
		return r.brokenText(err)
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")), bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return headError(r.name, "", "a byte order mark", "UTF-8 without one")
	}
	if kind == ndjsonFormat {
		return r.openNDJSON(text)
	}
	return r.openCSV(text)
}

// brokenText is the error of a text that cannot be read on: its packing's, or the system's.
func (r *rowReader) brokenText(err error) error {
	if errors.Is(err, os.ErrClosed) || errors.As(err, new(*os.PathError)) {
		return fmt.Errorf("read %s: %w", r.name, err)
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // never io.EOF itself, which would pass for the end of the file
	}
	return fmt.Errorf("%w: %s: %w after row %d, expected a whole file", experiments.ErrData, r.name, err, r.row)
}

// The formats.
const (
	csvFormat     = "csv"
	ndjsonFormat  = "ndjson"
	parquetFormat = "parquet"
	parquetMagic  = "PAR1"
)

// formatOf is what a name says, "" where it says nothing.
func formatOf(name string) (kind string, packing packed.Packing) {
	stem, packing := packed.ByName(filepath.Base(name))
	switch filepath.Ext(stem) {
	case ".csv":
		return csvFormat, packing
	case ".ndjson", ".jsonl":
		return ndjsonFormat, packing
	case ".parquet":
		return parquetFormat, packing
	}
	return "", packing
}

// settle keeps where the columns stand, once it is known which are there.
func (r *rowReader) settle(at []int) {
	place := func(name string) int {
		i := slices.Index(r.wanted.names, name)
		if at[i] < 0 {
			return -1
		}
		return i
	}
	for i, m := range r.wanted.metrics {
		r.metrics = append(r.metrics, place(m))
		r.pre = append(r.pre, place(r.wanted.pre[i]))
	}
	for _, s := range r.wanted.segments {
		if i := place(s); i >= 0 {
			r.segments = append(r.segments, i)
		}
	}
}

// Columns are those that the file has of those that were asked for.
func (f *File) Columns() experiments.Columns {
	r := f.reader
	out := experiments.Columns{Metrics: slices.Clone(r.wanted.metrics), Segments: []string{}}
	for i, at := range r.pre {
		name := ""
		if at >= 0 {
			name = r.wanted.pre[i]
		}
		out.Pre = append(out.Pre, name)
	}
	for _, at := range r.segments {
		out.Segments = append(out.Segments, r.wanted.names[at])
	}
	return out
}

// Next reads the next customer (experiments.Source).
func (f *File) Next(c *experiments.Customer) error {
	r := f.reader
	line, err := r.rows.next(r.fields)
	if errors.Is(err, io.EOF) && !errors.Is(err, experiments.ErrData) {
		return io.EOF
	}
	r.row++
	c.At = experiments.Place{File: r.name, Row: r.row, Line: line}
	if bad := (*experiments.RowError)(nil); errors.As(err, &bad) {
		bad.At = c.At
	}
	if err != nil {
		return err
	}
	return r.fill(c, r.fields)
}

// Progress is how much was read, and of how much: bytes, or rows of Parquet. The total is -1 where nobody knows it.
func (f *File) Progress() (done, total int64) {
	if f.read == nil {
		return f.reader.row, f.size
	}
	return f.read.Load(), f.size
}

// Bytes reports whether Progress counts bytes.
func (f *File) Bytes() bool { return f.read != nil }

// Close closes the file.
func (f *File) Close() error {
	var errs []error
	for _, c := range slices.Backward(f.close) {
		errs = append(errs, c())
	}
	f.close = nil
	return errors.Join(errs...)
}

// counter counts what was read.
type counter struct {
	in   io.Reader
	read *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.read.Add(int64(n))
	return n, err
}
