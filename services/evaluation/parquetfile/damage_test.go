package parquetfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"
)

// sampleRow has a column of each kind and of some that are not read.
type sampleRow struct {
	ID     string           `parquet:"id,dict"`
	Plain  string           `parquet:"plain,plain"`
	Delta  string           `parquet:"delta"`
	Maybe  *string          `parquet:"maybe,optional,dict"`
	At     int64            `parquet:"at,timestamp(millisecond)"`
	Small  int32            `parquet:"small,delta"`
	Large  int64            `parquet:"large,dict"`
	Number *float64         `parquet:"number,optional"`
	Split  float64          `parquet:"split,split"`
	List   []string         `parquet:"list,list"`
	Old    deprecated.Int96 `parquet:"old"`
	Group  struct {
		A string `parquet:"a"`
	} `parquet:"group"`
}

func sampleNames() []string {
	return []string{"id", "plain", "delta", "maybe", "at", "small", "large", "number", "split", "list", "old", "group", "absent"}
}

func sampleRows(n int) []sampleRow {
	rows := make([]sampleRow, n)
	for i := range rows {
		text, number := "t"+strconv.Itoa(i%7), float64(i)/3
		rows[i] = sampleRow{ID: "d" + strconv.Itoa(i/4), Plain: text, Delta: strings.Repeat("x", i%5), At: int64(i) * 1000, Small: int32(-i), Large: int64(i%9) << 40, Split: number}
		if i%3 > 0 {
			rows[i].Maybe = &text
		}
		if i%10 != 4 {
			rows[i].Number = &number
		}
		rows[i].List = []string{text, text}
	}
	return rows
}

func sampleFile(tb testing.TB, rows []sampleRow, options ...parquet.WriterOption) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[sampleRow](&b, options...)
	if _, err := w.Write(rows); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// sampleFiles are files of all codecs, versions and sizes of pages and groups.
func sampleFiles(tb testing.TB) [][]byte {
	tb.Helper()
	rows := sampleRows(200)
	var files [][]byte
	for i, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd} {
		files = append(files, sampleFile(tb, rows, parquet.Compression(codec), parquet.PageBufferSize(400), parquet.MaxRowsPerRowGroup(90), parquet.DataPageVersion(i%2+1)))
	}
	return files
}

// drained is what a file says, as far as it can be read.
type drained struct {
	texts   map[string][]string // "": null
	numbers map[string][]float64
}

// drain reads every column that was asked for, at most so many rows.
func drain(b []byte, most int64) (*drained, error) {
	f, err := Open(bytes.NewReader(b), int64(len(b)), sampleNames(), new(Memory))
	if err != nil {
		return nil, err
	}
	d := &drained{texts: map[string][]string{}, numbers: map[string][]float64{}}
	for i := range f.Columns {
		if f.Columns[i].Kind == Other {
			continue
		}
		if err := d.column(f, i, min(f.Rows, most)); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *drained) column(f *File, i int, rows int64) error {
	r := f.Reader(i)
	defer r.Close()
	name := f.Columns[i].Name
	var v Values
	for rows > 0 {
		n := int(min(rows, 37))
		segments, err := r.Take(nil, n)
		for _, s := range segments {
			if err == nil {
				err = d.segment(&v, f.Columns[i].Kind, name, s)
			}
			s.Release()
		}
		if err != nil {
			return err
		}
		rows -= int64(n)
	}
	return nil
}

func (d *drained) segment(v *Values, kind Kind, name string, s Segment) error {
	n := s.To - s.From
	switch kind {
	case Text:
		t, err := v.Texts(s)
		if err != nil {
			return err
		}
		for row := range t.Index {
			d.texts[name] = append(d.texts[name], string(t.Row(row)))
		}
		return t.Check()
	case Double:
		values := make([]float64, n)
		_, err := v.Doubles(values, s)
		d.numbers[name] = append(d.numbers[name], values...)
		return err
	case Integer, Instant:
		values := make([]int64, n)
		_, err := v.Integers(values, s)
		for _, k := range values {
			d.numbers[name] = append(d.numbers[name], float64(k))
		}
		return err
	case Other:
	}
	return nil
}

// TestReadsWhatTheLibraryWrites holds every column against the rows.
func TestReadsWhatTheLibraryWrites(t *testing.T) {
	rows := sampleRows(200)
	for _, file := range sampleFiles(t) {
		d, err := drain(file, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range rows {
			maybe, number := "", d.numbers["number"][i] // NaN where it is null
			if r.Maybe != nil {
				maybe = *r.Maybe
			}
			if (r.Number == nil) != math.IsNaN(number) || r.Number != nil && *r.Number != number {
				t.Fatalf("row %d: number %v", i, number)
			}
			texts := []string{d.texts["id"][i], d.texts["plain"][i], d.texts["delta"][i], d.texts["maybe"][i]}
			if want := []string{r.ID, r.Plain, r.Delta, maybe}; !slices.Equal(texts, want) {
				t.Fatalf("row %d: %q, want %q", i, texts, want)
			}
			numbers := []float64{d.numbers["at"][i], d.numbers["small"][i], d.numbers["large"][i], d.numbers["split"][i]}
			if want := []float64{float64(r.At) * 1e6, float64(r.Small), float64(r.Large), r.Split}; !slices.Equal(numbers, want) {
				t.Fatalf("row %d: %v, want %v", i, numbers, want)
			}
		}
	}
}

// TestColumnsSayWhatTheyAre names every column of the file and those that were asked for.
func TestColumnsSayWhatTheyAre(t *testing.T) {
	b := sampleFile(t, sampleRows(3))
	f, err := Open(bytes.NewReader(b), int64(len(b)), sampleNames(), new(Memory))
	if err != nil {
		t.Fatal(err)
	}
	if want := sampleNames()[:12]; !slices.Equal(f.Names, want) {
		t.Errorf("columns %q, want %q", f.Names, want)
	}
	want := map[string]string{
		"id": "BYTE_ARRAY (STRING)", "at": "INT64 (TIMESTAMP of UTC)", "small": "INT32 (signed, 32 bits)", "large": "INT64 (signed, 64 bits)",
		"number": "DOUBLE", "list": "a group (LIST)", "old": "INT96", "group": "a group",
	}
	for _, c := range f.Columns {
		if w := want[c.Name]; w != "" && w != c.Type {
			t.Errorf("%s is %q, want %q", c.Name, c.Type, w)
		}
		if c.Optional != (c.Name == "maybe" || c.Name == "number") || c.Flat != (c.Name != "list" && c.Name != "group") {
			t.Errorf("%s: %+v", c.Name, c)
		}
	}
}

// TestDamageIsAnError changes every byte and cuts off every end: what cannot be read is told, and nothing panics.
func TestDamageIsAnError(t *testing.T) {
	rows := sampleRows(40)
	for _, file := range [][]byte{
		sampleFile(t, rows, parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(1)), sampleFile(t, rows, parquet.PageBufferSize(100)),
	} {
		told := 0
		for i := range file {
			changed := bytes.Clone(file)
			changed[i] ^= byte(1 << (i % 8))
			if _, err := drain(changed, 1000); err != nil {
				told++
			}
			if _, err := drain(file[:i], 1000); err == nil {
				t.Fatalf("%d of %d bytes are read without an error", i, len(file))
			}
		}
		if told < len(file)/3 {
			t.Errorf("%d of %d changes are told", told, len(file))
		}
	}
}

// TestHostileFooters say more than there is.
func TestHostileFooters(t *testing.T) {
	file := func(footer []byte) []byte {
		b := append([]byte("PAR1"), footer...)
		return append(binary.LittleEndian.AppendUint32(b, uint32(len(footer))), "PAR1"...)
	}
	huge := binary.AppendUvarint(nil, 1<<40)
	deep := bytes.Repeat([]byte{0x1c}, 1000) // structs in structs
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "0 bytes"},
		{"no Parquet", []byte("decision_id,customer_id,decided_at\n"), "begins with"},
		{"encrypted", append(append([]byte("PARE"), make([]byte, 20)...), "PARE"...), "encrypted"},
		{"cut short", []byte("PAR1................"), "cut short"},
		{"a long footer", append([]byte("PAR1"), "\xff\xff\xff\x7fPAR1"...), "claims 2147483647 bytes"},
		{"no footer", file(nil), "cannot be read"},
		{"a list without elements", file(append([]byte{0x29, 0xfc}, huge...)), "cannot be read"},
		{"structs in structs", file(deep), "cannot be read"},
		{"a text without bytes", file(append([]byte{0x68}, huge...)), "cannot be read"},
		{"a group of groups", file(schemaOf(40)), "do not fit"},
		{"encrypted columns", file([]byte{0x29, 0x1c, 0x48, 1, 'r', 0, 0x6c, 0, 0}), "encrypted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := drain(c.b, 10)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// schemaOf is a footer of groups that each have one child, a group.
func schemaOf(n int) []byte {
	b := []byte{0x29, 0xfc, byte(n)}
	for range n {
		b = append(b, 0x48, 1, 'g', 0x15, 2, 0) // name, children
	}
	return append(b, 0)
}

// TestHostilePages claim more than they hold, and cost no memory for it.
func TestHostilePages(t *testing.T) {
	good := header{kind: pageData, size: 100, unpacked: 100, values: 10}
	for _, c := range []struct {
		name   string
		change func(h *header)
	}{
		{"packed size", func(h *header) { h.size = 1 << 40 }},
		{"no packed size", func(h *header) { h.size = -1 }},
		{"unpacked size", func(h *header) { h.unpacked = MaxPage + 1 }},
		{"values", func(h *header) { h.values = 11 }},
		{"no values", func(h *header) { h.values = -1 }},
		{"dictionary", func(h *header) { h.kind, h.values = pageDictionary, 101 }},
		{"nulls", func(h *header) { h.kind, h.nulls = pageData2, 11 }},
		{"levels", func(h *header) { h.kind, h.before, h.behind = pageData2, 60, 60 }},
		{"negative levels", func(h *header) { h.kind, h.before, h.behind = pageData2, -60, 70 }},
	} {
		h := good
		c.change(&h)
		if h.check(100, 10) == nil {
			t.Errorf("%s: no error", c.name)
		}
	}
	if err := good.check(100, 10); err != nil {
		t.Error(err)
	}
	p := Page{header: header{kind: pageData, size: 100, unpacked: MaxPage, values: 1}, column: &Column{physical: physicalDouble}, codec: codecZstd, raw: make([]byte, 100), pool: &Memory{}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := p.opened(); err == nil {
		t.Error("100 bytes that claim to be 128 MB: no error")
	}
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 1<<20 {
		t.Errorf("%d bytes were taken", after.TotalAlloc-before.TotalAlloc)
	}
}

// TestUnpackHoldsLengths refuses what is not as long as the header says, whatever the codec.
func TestUnpackHoldsLengths(t *testing.T) {
	text := bytes.Repeat([]byte("propensity "), 100)
	for codec, encode := range map[int64]compress.Codec{codecNone: nil, codecSnappy: &parquet.Snappy, codecGzip: &parquet.Gzip, codecZstd: &parquet.Zstd} {
		packed := text
		if encode != nil {
			var err error
			if packed, err = encode.Encode(nil, text); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, len(text))
		if err := unpack(codec, got, packed); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s: %v", codecName(codec), err)
		}
		for _, n := range []int{1, len(text) - 1, len(text) + 1, 4 * len(text)} {
			if err := unpack(codec, make([]byte, n), packed); err == nil {
				t.Errorf("%s: %d bytes in place of %d are no error", codecName(codec), n, len(text))
			}
		}
		if err := unpack(codec, got, packed[:len(packed)/2]); err == nil {
			t.Errorf("%s: half of it is no error", codecName(codec))
		}
	}
}

// TestTakeBehindTheEnd is told.
func TestTakeBehindTheEnd(t *testing.T) {
	b := sampleFile(t, sampleRows(5))
	f, err := Open(bytes.NewReader(b), int64(len(b)), []string{"id"}, new(Memory))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Reader(0).Take(nil, 6); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if err := f.Reader(0).Skip(6); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if f.Groups() != 1 {
		t.Errorf("%d row groups", f.Groups())
	}
}

// FuzzParquet reads bytes that were a Parquet file once.
func FuzzParquet(f *testing.F) {
	for i, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd} {
		f.Add(sampleFile(f, sampleRows(9), parquet.Compression(codec), parquet.MaxRowsPerRowGroup(5), parquet.DataPageVersion(i%2+1)))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = drain(b, 2000)
	})
}
