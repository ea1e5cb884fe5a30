package policylog

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// everyColumn are columns of all kinds besides the seven.
func everyColumn() Columns {
	return Columns{Target: true, Texts: []string{ColumnSegment, ColumnArm}, Numbers: []string{ColumnViewed, ColumnReturn90}}
}

// readAll are options that read everyColumn.
func readAll() Options {
	return Options{Target: true, Texts: []string{ColumnSegment}, OptionalTexts: []string{ColumnArm, ColumnModel}, OptionalNumbers: []string{ColumnViewed, ColumnReturn90, ColumnHeldDays}}
}

// seededRows are rows of a log, the same for the same seed: decisions of 1 to 9 rows, absent values, awkward numbers.
func seededRows(n int, seed uint64) []Row {
	r := rand.New(rand.NewPCG(seed, 7))
	rows := make([]Row, 0, n)
	for d := 0; len(rows) < n; d++ {
		customer := "C" + strconv.Itoa(r.IntN(200))
		at := int64(1_790_000_000_000_000_000) + r.Int64N(1e15)
		for i, last := 0, r.IntN(9); i <= last && len(rows) < n; i++ {
			row := Row{
				DecisionID: "d-" + strconv.Itoa(d), CustomerID: customer, DecidedAt: at, Position: int32(i + 1), ProductCode: "F" + strconv.Itoa(r.IntN(40)),
				Reward: []float64{0, 1, r.NormFloat64() * 1e-9, math.NaN(), -1e21, 5e-324}[r.IntN(6)], Propensity: 1 - r.Float64(), Target: r.Float64(),
				Texts:   []string{[]string{"", "mass", "富裕", `a "b", c`}[r.IntN(4)], "x:y" + strconv.Itoa(d%3)},
				Numbers: []float64{[]float64{0, 1, math.NaN()}[r.IntN(3)], math.Round(r.NormFloat64()*1e6) / 1e6},
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// written is a log in a file of a folder of the test.
func written(tb testing.TB, f Format, name string, c Columns, rows []Row) string {
	tb.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, f, c)
	if err != nil {
		tb.Fatal(err)
	}
	if err := errors.Join(w.Write(rows), w.Close()); err != nil {
		tb.Fatal(err)
	}
	return kept(tb, name, b.Bytes())
}

func kept(tb testing.TB, name string, b []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// readBlocks reads the only file of a log by some workers, in the order of the blocks.
func readBlocks(tb testing.TB, path string, o Options, workers int, from Position) ([]*Block, error) {
	tb.Helper()
	l, err := Open([]string{path}, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	}()
	c, err := l.File(0, from)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var blocks []*Block
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for {
				b := new(Block)
				err := c.Next(b)
				if errors.Is(err, io.EOF) {
					return
				}
				if err != nil {
					if c.Err() == nil {
						tb.Error("an error is not kept")
					}
					return
				}
				mu.Lock()
				blocks = append(blocks, b)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	err = c.Err()
	if err := c.Close(); err != nil {
		tb.Error(err)
	}
	slices.SortFunc(blocks, func(a, b *Block) int { return a.Index - b.Index })
	return blocks, err
}

// sameBlocks compares blocks but for where they lie in the file.
func sameBlocks(t *testing.T, want, got []*Block) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d blocks, want %d", len(got), len(want))
	}
	for i := range want {
		a, b := *want[i], *got[i]
		for _, x := range []*Block{&a, &b} {
			x.work = nil
			x.End.Offset, x.End.Line = 0, 0
			for j := range x.Bad {
				x.Bad[j].File, x.Bad[j].Line = "", 0
			}
		}
		if a.SHA256 == b.SHA256 && a.End == b.End && slices.Equal(a.Cluster, b.Cluster) && slices.Equal(a.Ends, b.Ends) && cmp.Equal(a.Bad, b.Bad) {
			continue // the hash is over everything else
		}
		if a.SHA256 != b.SHA256 {
			t.Errorf("block %d: another hash", i)
		}
		equalNaNs := cmp.Comparer(sameBits)
		if diff := cmp.Diff(a, b, equalNaNs, cmp.Exporter(func(reflect.Type) bool { return true }), cmp.Transformer("empty", func(s []float64) []float64 { return append([]float64{}, s...) })); diff != "" {
			t.Fatalf("block %d: -want +got\n%s", i, diff)
		}
	}
}

// rowsOf are the rows that blocks hold.
func rowsOf(blocks []*Block, c Columns) []Row {
	var rows []Row
	for _, b := range blocks {
		from := 0
		for d := range b.Decisions {
			for i := from; i < int(b.Ends[d]); i++ {
				r := Row{
					DecisionID: string(b.Decisions[d].ID), CustomerID: string(b.Decisions[d].CustomerID), DecidedAt: b.Decisions[d].At,
					Position: b.Position[i], ProductCode: b.Codes[b.Product[i]], Reward: b.Reward[i], Propensity: b.Propensity[i], Target: b.Target[i],
				}
				for j := range c.Texts {
					r.Texts = append(r.Texts, b.Texts[j].Names[b.Texts[j].Values[i]])
				}
				for j := range c.Numbers {
					r.Numbers = append(r.Numbers, b.Numbers[j].Values[i])
				}
				rows = append(rows, r)
			}
			from = int(b.Ends[d])
		}
	}
	return rows
}

// TestParquetRoundTrip reads what was written, bit by bit, for blocks that end within pages and row groups.
func TestParquetRoundTrip(t *testing.T) {
	rows := seededRows(3000, 1)
	path := written(t, Parquet, "log.parquet", everyColumn(), rows)
	for _, size := range []int{1, 7, 256, 1000, 5000} {
		o := readAll()
		o.blockRows = size
		blocks, err := readBlocks(t, path, o, 1, Position{})
		if err != nil {
			t.Fatal(err)
		}
		sameRows(t, rows, rowsOf(blocks, everyColumn()))
	}
}

// sameRows compares rows bit by bit.
func sameRows(t *testing.T, want, got []Row) {
	t.Helper()
	same := slices.EqualFunc(want, got, func(a, b Row) bool {
		return a.DecisionID == b.DecisionID && a.CustomerID == b.CustomerID && a.DecidedAt == b.DecidedAt && a.Position == b.Position &&
			a.ProductCode == b.ProductCode && slices.Equal(a.Texts, b.Texts) && slices.EqualFunc(a.Numbers, b.Numbers, sameBits) &&
			sameBits(a.Reward, b.Reward) && sameBits(a.Propensity, b.Propensity) && sameBits(a.Target, b.Target)
	})
	if !same {
		t.Fatalf("-want +got\n%s", cmp.Diff(want, got, cmp.Comparer(sameBits)))
	}
}

func sameBits(x, y float64) bool {
	return math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y)
}

// variant is a way of writing the same rows.
type variant struct {
	name    string
	text    func() parquet.Node
	double  func() parquet.Node
	at      func() parquet.Node
	integer func() parquet.Node
	options []parquet.WriterOption
	every   bool // every column is optional
}

func variants() []variant {
	dict := func(n parquet.Node) func() parquet.Node {
		return func() parquet.Node { return parquet.Encoded(n, &parquet.RLEDictionary) }
	}
	plain := func(n parquet.Node) func() parquet.Node {
		return func() parquet.Node { return parquet.Encoded(n, &parquet.Plain) }
	}
	double := parquet.Leaf(parquet.DoubleType)
	base := variant{text: dict(parquet.String()), double: plain(double), at: plain(parquet.Timestamp(parquet.Nanosecond)), integer: plain(parquet.Leaf(parquet.Int32Type))}
	var all []variant
	add := func(name string, change func(*variant)) {
		v := base
		v.name = name
		change(&v)
		all = append(all, v)
	}
	for name, codec := range map[string]compress.Codec{"none": &parquet.Uncompressed, "snappy": &parquet.Snappy, "gzip": &parquet.Gzip, "zstd": &parquet.Zstd} {
		add(name, func(v *variant) { v.options = []parquet.WriterOption{parquet.Compression(codec)} })
	}
	add("plain", func(v *variant) { v.text = plain(parquet.String()) })
	add("optional", func(v *variant) { v.every = true })
	add("first version", func(v *variant) {
		v.every, v.options = true, []parquet.WriterOption{parquet.DataPageVersion(1), parquet.Compression(&parquet.Snappy)}
	})
	add("small pages", func(v *variant) { v.options = []parquet.WriterOption{parquet.PageBufferSize(200)} })
	add("small groups", func(v *variant) { v.options = []parquet.WriterOption{parquet.MaxRowsPerRowGroup(37)} })
	add("dictionary that is given up", func(v *variant) {
		v.options = []parquet.WriterOption{parquet.DictionaryMaxBytes(300), parquet.PageBufferSize(300)}
	})
	add("all by dictionary", func(v *variant) {
		v.double, v.at, v.integer = dict(double), dict(parquet.Timestamp(parquet.Nanosecond)), dict(parquet.Int(32))
	})
	add("delta", func(v *variant) {
		v.text = func() parquet.Node { return parquet.Encoded(parquet.String(), &parquet.DeltaLengthByteArray) }
		v.at = func() parquet.Node {
			return parquet.Encoded(parquet.Timestamp(parquet.Nanosecond), &parquet.DeltaBinaryPacked)
		}
		v.integer = func() parquet.Node { return parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked) }
		v.double = func() parquet.Node { return parquet.Encoded(double, &parquet.ByteStreamSplit) }
	})
	add("delta of prefixes", func(v *variant) {
		v.text = func() parquet.Node { return parquet.Encoded(parquet.String(), &parquet.DeltaByteArray) }
		v.integer = func() parquet.Node { return parquet.Encoded(parquet.Int(32), &parquet.DeltaBinaryPacked) }
	})
	add("texts of instants", func(v *variant) { v.at = dict(parquet.String()) })
	add("enums", func(v *variant) { v.text = dict(parquet.Enum()) })
	return all
}

// bytes writes the rows.
func (v *variant) bytes(tb testing.TB, rows []Row) []byte {
	tb.Helper()
	c := everyColumn()
	root := ordered{Group: parquet.Group{}, names: c.names()}
	for i, name := range root.names {
		switch {
		case name == ColumnDecidedAt:
			root.Group[name] = v.at()
		case name == ColumnPosition:
			root.Group[name] = v.integer()
		case i < 2 || name == ColumnProduct || slices.Contains(c.Texts, name):
			root.Group[name] = v.text()
		default:
			root.Group[name] = v.double()
		}
		if i > 7 || name == ColumnReward || v.every {
			root.Group[name] = parquet.Optional(root.Group[name])
		}
	}
	slices.Reverse(root.names) // columns are found by name
	var b bytes.Buffer
	w := parquet.NewGenericWriter[any](&b, append([]parquet.WriterOption{parquet.NewSchema("x", root)}, v.options...)...)
	for i := range rows {
		if _, err := w.WriteRows([]parquet.Row{v.row(&rows[i], root)}); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func (v *variant) row(r *Row, root ordered) parquet.Row {
	values := []parquet.Value{
		parquet.ValueOf(r.DecisionID), parquet.ValueOf(r.CustomerID), parquet.ValueOf(r.DecidedAt), parquet.ValueOf(r.Position),
		parquet.ValueOf(r.ProductCode), parquet.ValueOf(r.Reward), parquet.ValueOf(r.Propensity), parquet.ValueOf(r.Target),
		parquet.ValueOf(r.Texts[0]), parquet.ValueOf(r.Texts[1]), parquet.ValueOf(r.Numbers[0]), parquet.ValueOf(r.Numbers[1]),
	}
	if root.Group[ColumnDecidedAt].Type().Kind() == parquet.ByteArray {
		values[2] = parquet.ValueOf(string(appendInstant(nil, r.DecidedAt)))
	}
	if root.Group[ColumnPosition].Type().Kind() == parquet.Int64 {
		values[3] = parquet.ValueOf(int64(r.Position))
	}
	slices.Reverse(values)
	for i, name := range root.names {
		definition := 0
		if root.Group[name].Optional() {
			definition = 1
		}
		x := values[i]
		if x.Kind() == parquet.Double && math.IsNaN(x.Double()) || x.Kind() == parquet.ByteArray && len(x.ByteArray()) == 0 {
			x, definition = parquet.NullValue(), 0
		}
		values[i] = x.Level(0, definition, i)
	}
	return values
}

// TestParquetVariants reads the same blocks from whatever the rows are written as, by any number of workers.
func TestParquetVariants(t *testing.T) {
	rows := seededRows(2000, 2)
	o := readAll()
	o.blockRows = 300
	want, err := readBlocks(t, written(t, Parquet, "log.parquet", everyColumn(), rows), o, 1, Position{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			path := kept(t, "log.parquet", v.bytes(t, rows))
			for _, workers := range []int{1, 3} {
				got, err := readBlocks(t, path, o, workers, Position{})
				if err != nil {
					t.Fatal(err)
				}
				sameBlocks(t, want, got)
			}
		})
	}
}

// TestParquetResumes goes on behind each block.
func TestParquetResumes(t *testing.T) {
	o := readAll()
	o.blockRows = 90
	for _, v := range variants() {
		path := kept(t, "log.parquet", v.bytes(t, seededRows(500, 3)))
		want, err := readBlocks(t, path, o, 1, Position{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			got, err := readBlocks(t, path, o, 1, want[i].End)
			if err != nil {
				t.Fatal(err)
			}
			if i+1 == len(want) && len(got) == 0 {
				continue
			}
			sameBlocks(t, want[i+1:], got)
		}
		if _, err := readBlocks(t, path, o, 1, Position{Block: 9, Row: 501}); err == nil {
			t.Error("a place behind the end is no error")
		}
	}
}

// TestParquetSchemas are told with file, column and what was expected.
func TestParquetSchemas(t *testing.T) {
	type rest struct {
		DecisionID  string  `parquet:"decision_id"`
		CustomerID  string  `parquet:"customer_id"`
		ProductCode string  `parquet:"product_code"`
		Propensity  float64 `parquet:"propensity"`
	}
	type good struct {
		rest
		At       int64   `parquet:"decided_at,timestamp(microsecond)"`
		Position int32   `parquet:"position"`
		Reward   float64 `parquet:"reward"`
	}
	type local struct {
		rest
		At       int64   `parquet:"decided_at,timestamp(microsecond:local)"`
		Position int32   `parquet:"position"`
		Reward   float64 `parquet:"reward"`
	}
	type float struct {
		rest
		At       int64   `parquet:"decided_at,timestamp(microsecond)"`
		Position int32   `parquet:"position"`
		Reward   float32 `parquet:"reward"`
	}
	type list struct {
		rest
		At       int64     `parquet:"decided_at,timestamp(microsecond)"`
		Position int32     `parquet:"position"`
		Reward   []float64 `parquet:"reward"`
	}
	type group struct {
		rest
		At       int64 `parquet:"decided_at,timestamp(microsecond)"`
		Position int32 `parquet:"position"`
		Reward   struct {
			A float64 `parquet:"a"`
		} `parquet:"reward"`
	}
	type unsigned struct {
		rest
		At       int64   `parquet:"decided_at,timestamp(microsecond)"`
		Position uint32  `parquet:"position"`
		Reward   float64 `parquet:"reward"`
	}
	type fraction struct {
		rest
		At       int64   `parquet:"decided_at,timestamp(microsecond)"`
		Position float64 `parquet:"position"`
		Reward   float64 `parquet:"reward"`
	}
	type raw struct {
		rest
		At       []byte  `parquet:"decided_at"`
		Position int32   `parquet:"position"`
		Reward   float64 `parquet:"reward"`
	}
	first := rest{"d", "c", "p", 1}
	for _, c := range []struct {
		name string
		rows any
		want string
	}{
		{"good", []good{{rest: first, Position: 1}}, ""},
		{"local time", []local{{rest: first}}, "column decided_at: of type INT64 (TIMESTAMP of local time), expected BYTE_ARRAY (STRING) of RFC 3339, or INT64 (TIMESTAMP of UTC)"},
		{"float", []float{{rest: first}}, "column reward: of type FLOAT, expected DOUBLE, INT32 or INT64; a FLOAT has lost digits, write it as DOUBLE"},
		{"list", []list{{rest: first, Reward: []float64{1}}}, "column reward: of type repeated DOUBLE, expected DOUBLE"},
		{"group", []group{{rest: first}}, "column reward: of type a group, expected DOUBLE"},
		{"unsigned", []unsigned{{rest: first}}, "column position: of type INT32 (unsigned, 32 bits), expected INT32 or INT64"},
		{"fraction", []fraction{{rest: first}}, "column position: of type DOUBLE, expected INT32 or INT64"},
		{"raw", []raw{{rest: first}}, "column decided_at: of type BYTE_ARRAY, expected BYTE_ARRAY (STRING) of RFC 3339"},
		{"missing", []rest{first}, "column decided_at: not there, expected one of the columns: decision_id, customer_id, product_code, propensity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := kept(t, "log.parquet", structs(t, c.rows))
			_, err := readBlocks(t, path, Options{}, 1, Position{})
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var told *FileError
			if !errors.As(err, &told) || told.File != path || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// structs writes a slice of structs.
func structs(tb testing.TB, rows any, options ...parquet.WriterOption) []byte {
	tb.Helper()
	var b bytes.Buffer
	v := reflect.ValueOf(rows)
	w := parquet.NewWriter(&b, append(options, parquet.SchemaOf(v.Index(0).Interface()))...)
	for i := range v.Len() {
		if err := w.Write(v.Index(i).Interface()); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// TestParquetFastAndSlow take the same rows: a log whose rows are good never needs the slow way.
func TestParquetFastAndSlow(t *testing.T) {
	rows := seededRows(1500, 4)
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			path := kept(t, "log.parquet", v.bytes(t, rows))
			fast := decodedBy(t, path, (*parquetReader).decodeFast)
			slow := decodedBy(t, path, (*parquetReader).decodeRows)
			sameBlocks(t, slow, fast)
			if len(fast) < 4 {
				t.Errorf("only %d blocks", len(fast))
			}
		})
	}
}

// decodedBy reads a log by one of the two ways.
func decodedBy(t *testing.T, path string, decode func(*parquetReader, *chunk, *builder) error) []*Block {
	t.Helper()
	o := readAll()
	o.blockRows = 256
	l, err := Open([]string{path}, o)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := l.again(0)
	if err != nil {
		t.Fatal(err)
	}
	r, ok := opened.(*parquetReader)
	if !ok {
		t.Fatalf("%T", opened)
	}
	var blocks []*Block
	var next Position
	for {
		b := new(Block)
		w := b.workFor(l.plan)
		w.chunk.from = next
		err := r.split(&w.chunk)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		w.builder.begin(b, path, r.names, &w.chunk)
		if err := decode(r, &w.chunk, &w.builder); err != nil {
			t.Fatal(err)
		}
		w.builder.finish()
		w.chunk.parquet.release()
		next = w.chunk.end
		b.Index = len(blocks)
		blocks = append(blocks, b)
	}
	if err := errors.Join(r.close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	return blocks
}
