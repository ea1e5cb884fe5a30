package policylog

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// drawLog draws rows as a log may hold them: decisions of few ids, values of every shape that has one meaning.
func drawLog(t *rapid.T) []flat {
	var rows []flat
	number := rapid.OneOf(rapid.Just(0.), rapid.Just(1.), rapid.Float64Range(1e-9, 1), rapid.Float64Range(0, 1e-300), rapid.SampledFrom([]float64{.1, .05, 1. / 3}))
	code := rapid.SampledFrom([]string{"000001", "A", "0123456", "01234567", "012345678", "a.b_c-d", strings.Repeat("x", 64)})
	segment := rapid.OneOf(rapid.Just(""), rapid.SampledFrom([]string{"young", "a,b", "say \"no\"", "年轻", " x ", "back\\slash", "😀"}))
	amount := rapid.OneOf(rapid.Just(math.NaN()), rapid.Float64Range(-1e6, 1e6), rapid.Float64())
	for d := range rapid.IntRange(0, 12).Draw(t, "decisions") {
		at := time.Unix(rapid.Int64Range(-2e9, 7e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos"))
		customer := "C" + strconv.Itoa(rapid.IntRange(0, 3).Draw(t, "customer"))
		positions := rapid.Permutation([]int32{1, 2, 3, 10, 99, 1000}).Draw(t, "positions")
		if rapid.Bool().Draw(t, "straight") {
			positions = []int32{1, 2, 3, 4, 5, 6}
		}
		id := fmt.Sprintf(rapid.SampledFrom([]string{"d:%d", "019a2b3c-4d5e-7f60-8912-%012x", "019A2B3C-4D5E-7F60-8912-%012x"}).Draw(t, "id"), d)
		for _, p := range positions[:rapid.IntRange(1, 6).Draw(t, "rows")] {
			rows = append(rows, flat{
				ID: id, Customer: customer, At: at.UnixNano(), Position: p, Product: code.Draw(t, "code"),
				Reward:     math.Float64bits(rapid.OneOf(number, rapid.Just(math.NaN()), rapid.Float64Range(-1e9, 1e9)).Draw(t, "reward") + 0),
				Propensity: math.Float64bits(max(number.Draw(t, "propensity"), 1e-300)), Target: math.Float64bits(number.Draw(t, "target")),
				Segment: segment.Draw(t, "segment"), Amount: math.Float64bits(amount.Draw(t, "amount") + 0),
			})
		}
	}
	return rows
}

// style is one way to write a log.
type style struct {
	name   string
	format Format
	write  func(cells [][]string) []byte
}

func numberText(bits uint64) string {
	if v := math.Float64frombits(bits); !math.IsNaN(v) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return ""
}

func instantText(at int64) string { return time.Unix(0, at).UTC().Format(time.RFC3339Nano) }

// cellsOf are the rows' values as texts, in the order of oracleColumns.
func cellsOf(rows []flat) (cells [][]string) {
	for _, f := range rows {
		cells = append(cells, []string{
			f.ID, f.Customer, instantText(f.At), strconv.Itoa(int(f.Position)), f.Product, numberText(f.Reward), numberText(f.Propensity),
			numberText(f.Target), f.Segment, numberText(f.Amount),
		})
	}
	return cells
}

func quote(v string) string { return `"` + strings.ReplaceAll(v, `"`, `""`) + `"` }

func quoteWhereNeeded(v string) string {
	if strings.ContainsAny(v, "\",\r\n") {
		return quote(v)
	}
	return v
}

func writeCSV(rows [][]string, lineEnd string, quoting func(string) string, turn int) []byte {
	var b bytes.Buffer
	line := func(cells []string) {
		cells = append(slices.Clone(cells[turn:]), cells[:turn]...)
		for i, c := range cells {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(quoting(c))
		}
		b.WriteString(lineEnd)
	}
	line(append(slices.Clone(oracleColumns), "note"))
	for i, r := range rows {
		line(append(slices.Clone(r), []string{"", "two\nlines, \"quoted\"", "plain"}[i%3]))
	}
	return b.Bytes()
}

func writeNDJSON(rows [][]string, comma, colon string, escape func(string) string, turn int) []byte {
	var b bytes.Buffer
	for i, r := range rows {
		cells := append(slices.Clone(r), []string{`{"a":[1,{"b":"}"}]}`, `"x"`, "null"}[i%3])
		names := append(slices.Clone(oracleColumns), "note")
		b.WriteString("{")
		for k := range cells {
			at := (k + turn) % len(cells)
			if k > 0 {
				b.WriteString(comma)
			}
			b.WriteString(escape(names[at]) + colon)
			switch isNumber := at == 3 || at >= 5 && at != 8; {
			case at == 10:
				b.WriteString(cells[at])
			case cells[at] == "":
				b.WriteString("null")
			case isNumber:
				b.WriteString(cells[at])
			default:
				b.WriteString(escape(cells[at]))
			}
		}
		b.WriteString("}\n")
	}
	return b.Bytes()
}

func jsonString(v string) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// escapeAll writes every character as an escape, beyond 16 bits as a pair.
func escapeAll(v string) string {
	var b strings.Builder
	for _, c := range v {
		if c > 0xffff {
			fmt.Fprintf(&b, `\u%04X\u%04x`, 0xd800+(c-0x10000)>>10, 0xdc00+(c-0x10000)&0x3ff)
		} else {
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return `"` + b.String() + `"`
}

func styles() []style {
	return []style{
		{"csv", CSV, func(rows [][]string) []byte { return writeCSV(rows, "\n", quoteWhereNeeded, 0) }},
		{"csv, all quoted, CRLF", CSV, func(rows [][]string) []byte { return writeCSV(rows, "\r\n", quote, 0) }},
		{"csv, other order, byte order mark, no last line end", CSV, func(rows [][]string) []byte {
			return bytes.TrimSuffix(append([]byte(byteOrderMark), writeCSV(rows, "\n", quoteWhereNeeded, 7)...), []byte("\n"))
		}},
		{"ndjson", NDJSON, func(rows [][]string) []byte { return writeNDJSON(rows, ",", ":", jsonString, 0) }},
		{"ndjson, blanks, other order", NDJSON, func(rows [][]string) []byte { return writeNDJSON(rows, " ,\t", " : ", jsonString, 9) }},
		{"ndjson, escapes, CRLF", NDJSON, func(rows [][]string) []byte {
			return bytes.ReplaceAll(writeNDJSON(rows, ",", ":", escapeAll, 4), []byte("\n"), []byte("\r\n"))
		}},
	}
}

func TestFormatByName(t *testing.T) {
	for name, want := range map[string]Format{
		"a.csv": CSV, "a.CSV.gz": CSV, "a.ndjson": NDJSON, "a.jsonl.zst": NDJSON, "a.json": NDJSON, "a.json.gz": NDJSON,
		"a.parquet": Parquet, "csv.json": NDJSON, "json.csv": CSV, "json": Parquet, "-": Parquet,
	} {
		if got, _ := formatOf(name, Parquet); got != want {
			t.Errorf("%s is %v, expected %v", name, got, want)
		}
	}
}

// TestTextFormatsAgree: the same rows come out as the same blocks with the same hash, whatever they are written like.
func TestTextFormatsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawLog(t)
		blockRows := rapid.IntRange(1, 20).Draw(t, "rows of a block")
		var first [][32]byte
		for i, s := range styles() {
			if s.format == NDJSON && len(rows) == 0 {
				continue // an empty file says nothing of its columns
			}
			got, hashes, err := readText(s.write(cellsOf(rows)), s.format, blockRows)
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if !slices.Equal(got, rows) {
				t.Fatalf("%s: read\n%+v of\n%+v", s.name, got, rows)
			}
			if i == 0 {
				first = hashes
			}
			if !slices.Equal(hashes, first) {
				t.Fatalf("%s: other hashes", s.name)
			}
		}
	})
}

// TestHashTellsRowsApart: whatever is changed of a log changes its hash.
func TestHashTellsRowsApart(t *testing.T) {
	one := func(f flat) flat { return f }
	base := []flat{{ID: "d", Customer: "C", At: 1, Position: 1, Product: "P", Propensity: math.Float64bits(.5), Segment: "s"}}
	seen := map[[32]byte]string{}
	for _, c := range []struct {
		name   string
		change func(flat) flat
	}{
		{"nothing", one},
		{"id", func(f flat) flat { f.ID = "dC"; f.Customer = "0"; return f }},
		{"customer", func(f flat) flat { f.Customer = "C2"; return f }},
		{"at", func(f flat) flat { f.At = 2; return f }},
		{"position", func(f flat) flat { f.Position = 2; return f }},
		{"product", func(f flat) flat { f.Product = "Q"; return f }},
		{"reward", func(f flat) flat { f.Reward = math.Float64bits(1e-300); return f }},
		{"censored", func(f flat) flat { f.Reward = math.Float64bits(math.NaN()); return f }},
		{"propensity", func(f flat) flat { f.Propensity++; return f }},
		{"target", func(f flat) flat { f.Target = math.Float64bits(.5); return f }},
		{"segment", func(f flat) flat { f.Segment = ""; return f }},
		{"amount", func(f flat) flat { f.Amount = math.Float64bits(math.NaN()); return f }},
	} {
		rows := []flat{c.change(base[0])}
		_, hashes, err := readText(writeCSV(cellsOf(rows), "\n", quoteWhereNeeded, 0), CSV, 10)
		if err != nil {
			t.Fatal(c.name, err)
		}
		if other, is := seen[hashes[0]]; is {
			t.Errorf("%s and %s have one hash", c.name, other)
		}
		seen[hashes[0]] = c.name
	}
}

// packings write a file's bytes as they are, as gzip and as zstd.
func packings(t *testing.T) map[string]func([]byte) []byte {
	t.Helper()
	return map[string]func([]byte) []byte{
		"": func(v []byte) []byte { return v },
		".gz": func(v []byte) []byte {
			var b bytes.Buffer
			for part := range slices.Chunk(v, 1000) { // several members
				w := gzip.NewWriter(&b)
				_, _ = w.Write(part)
				_ = w.Close()
			}
			return b.Bytes()
		},
		".zst": func(v []byte) []byte {
			w, err := zstd.NewWriter(nil)
			if err != nil {
				t.Fatal(err)
			}
			return w.EncodeAll(v, nil)
		},
	}
}

// someRows are rows of decisions of one to seven products.
func someRows(decisions int) []flat {
	var rows []flat
	for d := range decisions {
		for p := range d%7 + 1 {
			rows = append(rows, flat{
				ID: "d" + strconv.Itoa(d), Customer: "C" + strconv.Itoa(d%5), At: int64(d) * 1e9, Position: int32(p + 1),
				Product: strconv.Itoa(100000 + (d*p)%37), Reward: math.Float64bits(float64(d % 2)), Propensity: math.Float64bits(1 / float64(p+2)),
				Target: math.Float64bits(.25), Segment: []string{"a", "b,c", ""}[d%3], Amount: math.Float64bits(float64(d)),
			})
		}
	}
	return rows
}

var allOptions = Options{Target: true, Texts: []string{ColumnSegment}, Numbers: []string{ColumnAmount}}

// TestWorkersAndPackings: blocks do not depend on workers, packing or the way the file is opened.
func TestWorkersAndPackings(t *testing.T) {
	dir := t.TempDir()
	rows := someRows(300)
	var want []string
	for _, s := range []style{styles()[0], styles()[1], styles()[3]} {
		for ext, pack := range packings(t) {
			name := filepath.Join(dir, "log."+s.format.String()+ext)
			text := pack(s.write(cellsOf(rows)))
			write(t, name, text)
			for _, workers := range []int{1, 2, 8} {
				for _, piped := range [][]byte{nil, text} {
					got := blocksBy(t, []string{name}, piped, s.format, workers)
					if want == nil {
						want = got
					}
					if !slices.Equal(got, want) {
						t.Fatalf("%s, piped %v, %d workers: other blocks", name, piped != nil, workers)
					}
				}
			}
		}
	}
	if len(want) != 64 {
		t.Errorf("%d blocks", len(want))
	}
}

// blocksBy describes each block of a file.
func blocksBy(t *testing.T, names []string, piped []byte, f Format, workers int) []string {
	t.Helper()
	o := allOptions
	o.Format, o.blockRows = f, 17
	if piped != nil {
		names, o.Stdin = []string{Stdin}, bytes.NewReader(piped)
	}
	l := open(t, names, o)
	c, err := l.File(0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	blocks := map[int]string{}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			var b Block
			for {
				if err := c.Next(&b); err != nil {
					if !errors.Is(err, io.EOF) {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				blocks[b.Index] = fmt.Sprintf("%x %d %d", b.SHA256, b.End.Block, b.End.Row)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if err := errors.Join(c.Err(), c.Close()); err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range len(blocks) {
		all = append(all, blocks[i])
	}
	return all
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, names []string, o Options) *Log {
	t.Helper()
	l, err := Open(names, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// TestResume: from the end of every block the rest comes out as it would have.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	for _, s := range styles() {
		for ext, pack := range packings(t) {
			name := filepath.Join(dir, "log."+s.format.String()+ext)
			write(t, name, pack(s.write(cellsOf(someRows(60)))))
			o := allOptions
			o.blockRows = 10
			l := open(t, []string{name}, o)
			ends, hashes := readFrom(t, l, Position{})
			for i, from := range ends {
				restEnds, rest := readFrom(t, l, from)
				if !slices.Equal(rest, hashes[i+1:]) || !slices.Equal(restEnds, ends[i+1:]) {
					t.Fatalf("%s%s: another rest from block %d on", s.name, ext, i+1)
				}
			}
			if last := ends[len(ends)-1]; last.Row != 234 || last.Block != len(ends) || l.Read() != int64(len(ends)+1)*l.Size() && ext == "" {
				t.Errorf("%s%s: ends at %+v having read %d of %d bytes", s.name, ext, last, l.Read(), l.Size())
			}
		}
	}
}

func readFrom(t *testing.T, l *Log, from Position) (ends []Position, hashes [][32]byte) {
	t.Helper()
	c, err := l.File(0, from)
	if err != nil {
		t.Fatal(err)
	}
	var b Block
	for err = c.Next(&b); err == nil; err = c.Next(&b) {
		if b.Index != from.Block+len(ends) {
			t.Fatalf("block %d in the place of %d", b.Index, from.Block+len(ends))
		}
		ends, hashes = append(ends, b.End), append(hashes, b.SHA256)
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return ends, hashes
}

// TestPositionOfAnotherFile: what cannot be the end of a block of the file is refused.
func TestPositionOfAnotherFile(t *testing.T) {
	dir := t.TempDir()
	for ext, pack := range packings(t) {
		name := filepath.Join(dir, "log.csv"+ext)
		write(t, name, pack(styles()[0].write(cellsOf(someRows(5)))))
		l := open(t, []string{name}, allOptions)
		for _, p := range []Position{{Block: 1, Offset: 1 << 20, Row: 3, Line: 4}, {Block: 1, Offset: 3, Row: 3, Line: 4}} {
			if c, err := l.File(0, p); err == nil {
				t.Errorf("%s: %+v was taken", ext, p)
				_ = c.Close()
			}
		}
		if _, err := l.File(1, Position{}); err == nil {
			t.Error("a file that is not there was opened")
		}
	}
}

// TestBlocksEndWithDecisions: a block goes on to the end of the decision, and has not a row more.
func TestBlocksEndWithDecisions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, limit := drawLog(t), rapid.IntRange(1, 12).Draw(t, "rows of a block")
		o := allOptions
		o.blockRows, o.Stdin = limit, bytes.NewReader(styles()[0].write(cellsOf(rows)))
		l, err := Open([]string{Stdin}, o)
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.File(0, Position{})
		if err != nil {
			t.Fatal(err)
		}
		var b Block
		for err = c.Next(&b); err == nil; err = c.Next(&b) {
			n := b.Rows()
			if last := len(b.Ends) - 1; n > limit && last >= 0 && last > 0 && int(b.Ends[last-1]) >= limit {
				t.Fatalf("a block of %d rows with an earlier end at %d", n, b.Ends[last-1])
			}
			if rest := rows[n:]; n < limit && len(rest) > 0 || len(rest) > 0 && rest[0].ID == rows[n-1].ID {
				t.Fatalf("a block of %d rows ends within a decision or too early", n)
			}
			rows = rows[n:]
		}
		if !errors.Is(err, io.EOF) || len(rows) > 0 {
			t.Fatal(err, len(rows))
		}
	})
}
