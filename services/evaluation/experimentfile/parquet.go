package experimentfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
)

// parquetRows are the rows of a Parquet file, read column by column, a page at a time.
type parquetRows struct {
	reader  *rowReader
	groups  []parquet.RowGroup
	columns []*parquetColumn // of the wanted: nil where the file has none
	left    int64            // rows of the open group
}

// parquetColumn is a flat column of one of the types that are taken.
type parquetColumn struct {
	name   string
	at     int // among the leaves
	isText bool

	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buffer []parquet.Value
	ahead  []parquet.Value // of the buffer, not given yet
}

// valuesAtOnce is how many values are decoded at once.
const valuesAtOnce = 1024

// openParquet says how many rows there are.
func (r *rowReader) openParquet(file *os.File, size int64) (count int64, err error) {
	defer r.recovered(&err)
	if err := checkFooter(file, size); err != nil {
		return 0, fmt.Errorf("%w: %s: %w, expected a whole Parquet file", experiments.ErrData, r.name, err)
	}
	f, err := parquet.OpenFile(file, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %w, expected a whole Parquet file", experiments.ErrData, r.name, err)
	}
	var header []string
	for _, c := range f.Root().Columns() {
		header = append(header, c.Name())
	}
	at, err := r.wanted.find(r.name, header)
	if err != nil {
		return 0, err
	}
	p := &parquetRows{reader: r, groups: f.RowGroups(), columns: make([]*parquetColumn, len(at))}
	for i, place := range at {
		if place >= 0 {
			if p.columns[i], err = r.parquetColumn(f.Root().Column(r.wanted.names[i])); err != nil {
				return 0, err
			}
		}
	}
	r.settle(at)
	r.rows = p
	for _, c := range append(slices.Clone(r.metrics), r.pre...) {
		if c >= 0 && p.columns[c].isText {
			return 0, headError(r.name, r.wanted.names[c], "a column of text", "one of numbers")
		}
	}
	for _, c := range append([]int{0, 1}, r.segments...) {
		if !p.columns[c].isText {
			return 0, headError(r.name, r.wanted.names[c], "a column of numbers", "one of text")
		}
	}
	return f.NumRows(), nil
}

// checkFooter reads the file's last eight bytes: how long its footer is, which the library takes memory for before it looks
// whether the file is as long, and PAR1.
func checkFooter(file io.ReaderAt, size int64) error {
	var end [8]byte
	if size < int64(len(end))+int64(len(parquetMagic)) {
		return fmt.Errorf("%d bytes", size)
	}
	if _, err := file.ReadAt(end[:], size-int64(len(end))); err != nil {
		return err
	}
	length := int64(binary.LittleEndian.Uint32(end[:4]))
	if string(end[4:]) != parquetMagic || length > MaxFooter || length > size-int64(len(end))-int64(len(parquetMagic)) {
		return fmt.Errorf("it does not end with a footer of at most %d bytes and %s", MaxFooter, parquetMagic)
	}
	return nil
}

// parquetColumn takes flat columns of text, of whole numbers and of floating-point numbers.
func (r *rowReader) parquetColumn(c *parquet.Column) (*parquetColumn, error) {
	if !c.Leaf() || c.Repeated() {
		return nil, headError(r.name, c.Name(), "a nested column", "one value a row")
	}
	out := &parquetColumn{name: c.Name(), at: c.Index(), buffer: make([]parquet.Value, valuesAtOnce)}
	switch kind := c.Type().Kind(); {
	case kind == parquet.ByteArray && isText(c.Type().LogicalType()):
		out.isText = true
	case (kind == parquet.Double || kind == parquet.Float) && isPlain(c.Type().LogicalType()):
	case (kind == parquet.Int32 || kind == parquet.Int64) && isWhole(c.Type().LogicalType()):
	default:
		return nil, headError(r.name, c.Name(), "the type "+c.Type().String(), "STRING, DOUBLE, FLOAT, INT32 or INT64")
	}
	return out, nil
}

func isPlain(l *format.LogicalType) bool { return l == nil || l.Value == nil }

func isText(l *format.LogicalType) bool {
	if isPlain(l) {
		return true
	}
	switch l.Value.(type) {
	case *format.StringType, *format.EnumType:
		return true
	}
	return false
}

// isWhole leaves out dates, times, decimals, and what has no sign and may not fit.
func isWhole(l *format.LogicalType) bool {
	if isPlain(l) {
		return true
	}
	whole, is := l.Value.(*format.IntType)
	return is && whole.IsSigned
}

// recovered turns a panic of the library on a broken file into an error.
func (r *rowReader) recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %s: %v after row %d, expected a whole Parquet file", experiments.ErrData, r.name, p, r.row)
	}
}

func (p *parquetRows) next(fields []field) (line int64, err error) {
	defer p.reader.recovered(&err)
	for p.left == 0 {
		if len(p.groups) == 0 {
			return 0, io.EOF
		}
		p.open(p.groups[0])
		p.groups = p.groups[1:]
	}
	p.left--
	var bad *experiments.RowError
	for i, c := range p.columns {
		fields[i] = field{}
		if c == nil {
			continue
		}
		v, err := c.next()
		if err != nil {
			return 0, fmt.Errorf("%w: %s: %s: %w after row %d, expected a whole Parquet file", experiments.ErrData, p.reader.name, c.name, err, p.reader.row)
		}
		var want string
		if fields[i], want = c.field(v); want != "" && bad == nil {
			bad = &experiments.RowError{Column: c.name, Value: v.String(), Want: want}
		}
	}
	if bad != nil {
		return 0, bad
	}
	return 0, nil
}

// open turns to a row group.
func (p *parquetRows) open(g parquet.RowGroup) {
	p.left = g.NumRows()
	chunks := g.ColumnChunks()
	for _, c := range p.columns {
		if c != nil {
			c.close()
			c.pages = chunks[c.at].Pages()
		}
	}
}

func (c *parquetColumn) close() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page, c.values = nil, nil
	}
	if c.pages != nil {
		_ = c.pages.Close() // it is only read
	}
	c.ahead = nil
}

// next gives the next value.
func (c *parquetColumn) next() (parquet.Value, error) {
	for len(c.ahead) == 0 {
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if err != nil {
				return parquet.Value{}, ended(err)
			}
			c.page, c.values = page, page.Values()
		}
		n, err := c.values.ReadValues(c.buffer)
		c.ahead = c.buffer[:n]
		if n > 0 {
			break
		}
		if err == nil {
			return parquet.Value{}, io.ErrNoProgress
		}
		if !errors.Is(err, io.EOF) {
			return parquet.Value{}, err
		}
		parquet.Release(c.page)
		c.page, c.values = nil, nil
	}
	v := c.ahead[0]
	c.ahead = c.ahead[1:]
	return v, nil
}

// ended keeps the end of a column that is too short from passing for that of the file.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// mostExactWhole is up to where a float64 holds each whole number.
const mostExactWhole = 1 << 53

// field reads a value.
func (c *parquetColumn) field(v parquet.Value) (f field, want string) {
	switch {
	case v.IsNull():
		return field{}, ""
	case c.isText:
		if s := string(v.ByteArray()); s != "" {
			return field{form: text, text: s}, ""
		}
		return field{}, ""
	case v.Kind() == parquet.Double:
		return field{form: number, number: v.Double()}, ""
	case v.Kind() == parquet.Float:
		return field{form: number, number: float64(v.Float())}, ""
	case v.Kind() == parquet.Int32:
		return field{form: number, number: float64(v.Int32())}, ""
	}
	whole := v.Int64()
	if whole > mostExactWhole || whole < -mostExactWhole {
		return field{}, "a whole number within ±2^53"
	}
	return field{form: number, number: float64(whole)}, ""
}
