package experimentfile_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"github.com/fundmatch/fundmatch/services/evaluation/experimentfile"
	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
)

// write makes a file of a name.
func write(tb testing.TB, name string, data []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// read gives all customers, and the bad rows among them.
func read(path string, stdin io.Reader, o experimentfile.Options) (all []experiments.Customer, bad []string, columns experiments.Columns, err error) {
	f, err := experimentfile.Open(path, stdin, o)
	if err != nil {
		return nil, nil, columns, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	columns = f.Columns()
	for {
		var c experiments.Customer
		err := f.Next(&c)
		if err == io.EOF { //nolint:errorlint // Source promises the bare value
			return all, bad, columns, nil
		}
		if row := (*experiments.RowError)(nil); errors.As(err, &row) {
			bad = append(bad, strings.ReplaceAll(err.Error(), path, "F"))
			continue
		}
		if err != nil {
			return all, bad, columns, errors.New(strings.ReplaceAll(err.Error(), path, "F"))
		}
		all = append(all, c)
	}
}

type row struct {
	Other    string   `parquet:"other"`
	Customer string   `parquet:"customer_id"`
	Metric   *float64 `parquet:"metric,optional"`
	Pre      *int64   `parquet:"pre_metric,optional"`
	Arm      string   `parquet:"arm,dict"`
	Segment  *string  `parquet:"segment,optional"`
}

func parquetOf[T any](tb testing.TB, rows []T, o ...parquet.WriterOption) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, o...)
	if _, err := w.Write(rows); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func gzipOf(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstdOf(t *testing.T, data []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	return z.EncodeAll(data, nil)
}

// forms are the same 3,000 customers in every form that is taken.
func forms(t *testing.T) map[string][]byte {
	t.Helper()
	var csv, ndjson strings.Builder
	var rows []row
	csv.WriteString("other,customer_id,metric,pre_metric,arm,segment\r\n")
	for i := range 3000 {
		r := row{Other: "x", Customer: fmt.Sprintf("C-%d", i), Arm: []string{"control", "新"}[i%2]}
		metric, pre, segment := "", "", ""
		if i%7 != 0 {
			v := float64(i)/3 - 100
			metric, r.Metric = fmt.Sprint(v), &v
		}
		if i%5 != 0 {
			v := int64(i)
			pre, r.Pre = fmt.Sprint(v), &v
		}
		if i%3 != 0 {
			v := `of "two", lines` + "\u3000x"
			segment, r.Segment = v, &v
		}
		rows = append(rows, r)
		fmt.Fprintf(&csv, "x,%s,%s,%s,%s,%s\r\n", r.Customer, metric, pre, r.Arm, `"`+strings.ReplaceAll(segment, `"`, `""`)+`"`)
		null := func(s string) string {
			if s == "" {
				return "null"
			}
			return s
		}
		text := "null"
		if segment != "" {
			text = fmt.Sprintf("%q", segment)
		}
		fmt.Fprintf(&ndjson, `{"segment":%s, "other":{"deep":[1,{"arm":2}]},"customer_id":%q,"metric":%s,"pre_metric":%s,"arm":%q}`+"\n", text, r.Customer, null(metric), null(pre), r.Arm)
	}
	c, n := []byte(csv.String()), []byte(ndjson.String())
	return map[string][]byte{
		"a.csv": c, "a.csv.gz": gzipOf(t, c), "a.CSV.zst": zstdOf(t, c), "a.ndjson": n, "a.jsonl.gz": gzipOf(t, n), "a.ndjson.zst": zstdOf(t, n),
		"a.parquet": parquetOf(t, rows), "groups.parquet": parquetOf(t, rows, parquet.MaxRowsPerRowGroup(700)), "small.parquet": parquetOf(t, rows, parquet.PageBufferSize(64)),
		"zip.parquet": parquetOf(t, rows, parquet.Compression(&parquet.Zstd)), "unnamed": c, "unnamed.bin": gzipOf(t, n), "unnamed.data": parquetOf(t, rows),
	}
}

// The same customers come out of every form, with the same hash and the same document.
func TestAllFormsAreTheSame(t *testing.T) {
	var first []byte
	for name, data := range forms(t) {
		path := write(t, name, data)
		f, err := experimentfile.Open(path, nil, experimentfile.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		d, err := experiments.Run(t.Context(), f, experiments.Defaults(f.Columns()), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		done, total := f.Progress()
		if err := f.Close(); err != nil || done != total {
			t.Errorf("%s: read %d of %d, closed with %v", name, done, total, err)
		}
		var out bytes.Buffer
		if err := d.WriteJSON(&out); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = out.Bytes()
		}
		if !bytes.Equal(out.Bytes(), first) {
			t.Errorf("%s gives another document: %.600s", name, out.String())
		}
		if d.Rows != 3000 || d.Arms[0].Metrics[0].Censored != 215 || len(d.Segments) != 1 || d.Config.Pre[0] != "pre_metric" {
			t.Errorf("%s: %+v", name, d.Arms)
		}
	}
	for name, data := range forms(t) {
		_, _, _, err := read("-", bytes.NewReader(data), experimentfile.Options{})
		if isParquet := strings.HasSuffix(name, "parquet") || name == "unnamed.data"; isParquet == (err == nil) {
			t.Errorf("%s through stdin: %v", name, err)
		}
	}
}

// Values are read as they stand; what is empty is not known.
func TestValues(t *testing.T) {
	path := write(t, "a.csv", []byte("arm,customer_id,metric,b,city\nx,A,1e3,-0.5,\"a \"\"b\"\"\"\ny,B,,+2,\n"))
	all, bad, columns, err := read(path, nil, experimentfile.Options{Metrics: []string{"metric", "b"}, Segments: []string{"city"}})
	if err != nil || len(bad) != 0 || len(all) != 2 {
		t.Fatalf("%v, %q, %v", all, bad, err)
	}
	if !slices.Equal(columns.Pre, []string{"", ""}) || !slices.Equal(columns.Segments, []string{"city"}) {
		t.Errorf("columns %+v", columns)
	}
	a, b := all[0], all[1]
	if a.ID != "A" || a.Row.Arm != "x" || a.Row.Metrics[0] != 1000 || a.Row.Metrics[1] != -.5 || a.Row.Segments[0] != `a "b"` || !math.IsNaN(a.Row.Pre[0]) {
		t.Errorf("%+v", a)
	}
	if b.At != (experiments.Place{File: path, Row: 2, Line: 3}) || !math.IsNaN(b.Row.Metrics[0]) || b.Row.Metrics[1] != 2 || b.Row.Segments[0] != "" {
		t.Errorf("%+v", b)
	}
	// One column of before serves all metrics, and may be a metric too.
	_, _, columns, err = read(path, nil, experimentfile.Options{Metrics: []string{"metric", "b"}, Pre: "b"})
	if err != nil || !slices.Equal(columns.Pre, []string{"b", "b"}) || len(columns.Segments) != 0 {
		t.Errorf("columns %+v, %v", columns, err)
	}
}

// A bad row is told with its line and column, and reading goes on behind it.
func TestBadRows(t *testing.T) {
	long := strings.Repeat("z", 90)
	for name, c := range map[string]struct {
		file, text string
		want       []string
		good       int
	}{
		"values": {"a.csv", "customer_id,arm,metric\nA,x,abc\n" + long + ",x,1\nB,x,NaN\nC,x,1e999\nD,x,0x10\nE,x,1_0\n,x,1\nF,x,1\n G,x,2\n", []string{
			`F:2: metric: "abc", expected a finite decimal number`,
			`F:3: customer_id: "` + long[:80] + `...", expected an id of 1 to 64 letters, digits and . _ -, beginning with a letter or digit`,
			`F:4: metric: "NaN", expected a finite decimal number`,
			`F:5: metric: "1e999", expected a finite decimal number`,
			`F:6: metric: "0x10", expected a finite decimal number`,
			`F:7: metric: "1_0", expected a finite decimal number`,
			`F:8: customer_id: "", expected an id of 1 to 64 letters, digits and . _ -, beginning with a letter or digit`,
			`F:10: customer_id: " G", expected an id of 1 to 64 letters, digits and . _ -, beginning with a letter or digit`,
		}, 1},
		"shapes": {"a.csv", "customer_id,arm,metric\nA,x\n\"B\"x,y,1\nC,\"a\n\nb\",1\nD,x,1,2\nE\"e,x,1\nF,x,1\n", []string{
			`F:2: "2 fields", expected 3 fields as in the header`,
			`F:3: "a stray quote", expected fields as RFC 4180 has them`,
			`F:7: "4 fields", expected 3 fields as in the header`,
			`F:8: "a stray quote", expected fields as RFC 4180 has them`,
		}, 2},
		"objects": {"a.ndjson", `{"customer_id":"A","arm":"x","metric":"1"}
{"customer_id":7,"arm":"x","metric":1}
{"customer_id":"B","arm":"x"}
{"customer_id":"C","arm":"x","metric":1,"metric":2}
{"customer_id":"D","arm":"x","metric":true}
{"customer_id":"E","arm":"x","metric":[1]}
{"customer_id":"F","arm":"x","metric":1e999}
{"customer_id":"G","arm":"x","metric":1} {}
["customer_id"]
{"customer_id":"H","arm":"x","metric":
{"customer_id":"I","arm":"x","metric":1,"segment":"APP"}
` + "{\"customer_id\":\"J\",\"arm\":\"\xff\",\"metric\":1}" + `

{"customer_id":"K","arm":"x","metric":01}
{"customer_id":"L","arm":null,"metric":1}
{"customer_id":"M","arm":"x","metric":null}`, []string{
			`F:1: metric: "1", expected a finite decimal number, not text`,
			`F:2: customer_id: "7", expected text`,
			`F:3: metric: "is missing", expected a value, or null where it is not known`,
			`F:4: metric: "comes twice", expected each name once`,
			`F:5: metric: "true", expected a text, a number or null`,
			`F:6: metric: "[", expected a text, a number or null`,
			`F:7: metric: "1e999", expected a finite decimal number`,
			`F:8: "more than an object", expected an object in a line`,
			`F:9: "not an object", expected an object in a line`,
			`F:10: "JSON that is cut short", expected an object in a line`,
			`F:11: segment: "is not in the first line", expected it there too, null where it is not known`,
			`F:12: "not UTF-8", expected an object in a line`,
			`F:13: "not an object", expected an object in a line`,
			`F:14: "invalid character '1' after object key:value pair", expected an object in a line`,
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			all, bad, _, err := read(write(t, c.file, []byte(c.text)), nil, experimentfile.Options{})
			if err != nil || len(all) != c.good {
				t.Errorf("%d customers, %v, expected %d", len(all), err, c.good)
			}
			for i := range max(len(bad), len(c.want)) {
				if i >= len(bad) || i >= len(c.want) || bad[i] != c.want[i] {
					t.Fatalf("told %s\nexpected %s", strings.Join(bad, "\n"), strings.Join(c.want, "\n"))
				}
			}
		})
	}
}

// What is wrong with a file as a whole is told, and nothing is read behind it.
func TestBadFiles(t *testing.T) {
	const head = "customer_id,arm,metric\n"
	good := []byte(head + strings.Repeat("A,x,1\n", 5000))
	type flat struct {
		ID     string  `parquet:"customer_id"`
		Arm    string  `parquet:"arm"`
		Metric float64 `parquet:"metric"`
	}
	type lists struct {
		ID     string    `parquet:"customer_id"`
		Arm    string    `parquet:"arm"`
		Metric []float64 `parquet:"metric"`
	}
	type texts struct {
		ID     string `parquet:"customer_id"`
		Arm    string `parquet:"arm"`
		Metric string `parquet:"metric"`
	}
	type times struct {
		ID     string `parquet:"customer_id"`
		Arm    int64  `parquet:"arm"`
		Metric int64  `parquet:"metric,timestamp"`
	}
	type numbers struct {
		ID     string `parquet:"customer_id"`
		Arm    int64  `parquet:"arm"`
		Metric int64  `parquet:"metric"`
	}
	whole := parquetOf(t, []flat{{"A", "x", 1}, {"B", "y", 2}})
	for name, c := range map[string]struct {
		file string
		data []byte
		o    experimentfile.Options
		want string
	}{
		"empty":              {"a.csv", nil, experimentfile.Options{}, "the file is empty"},
		"empty, packed":      {"a.csv.gz", gzipOf(t, nil), experimentfile.Options{}, "the file is empty"},
		"no metric":          {"a.csv", []byte("customer_id,arm\nA,x\n"), experimentfile.Options{}, "metric: the column is missing, expected the columns customer_id arm metric"},
		"no named column":    {"a.csv", good, experimentfile.Options{Segments: []string{"city"}}, "city: the column is missing"},
		"no named pre":       {"a.csv", good, experimentfile.Options{Pre: "before"}, "before: the column is missing"},
		"a column twice":     {"a.csv", []byte("customer_id,arm,metric,arm\n"), experimentfile.Options{}, "arm: the column comes twice"},
		"a column unnamed":   {"a.csv", []byte("customer_id,arm,metric,\n"), experimentfile.Options{}, `column 4: ""`},
		"too many columns":   {"a.csv", []byte("customer_id" + strings.Repeat(",c", experimentfile.MaxColumns)), experimentfile.Options{}, "1001 columns"},
		"a byte order mark":  {"a.csv", append([]byte("\xef\xbb\xbf"), good...), experimentfile.Options{}, "a byte order mark"},
		"an empty line":      {"a.csv", []byte(head + "A,x,1\n\nB,x,1\n"), experimentfile.Options{}, "F:3: an empty line"},
		"an open quote":      {"a.csv", []byte(head + "A,\"x,1\nB,x,1\n"), experimentfile.Options{}, "F:2: a quoted field that does not end"},
		"a long row":         {"a.csv", []byte(head + "A,x," + strings.Repeat("1", 2*experimentfile.MaxRecord)), experimentfile.Options{}, "F:2: a row of more than 1048576 bytes"},
		"a long quote":       {"a.csv", []byte(head + "A,\"" + strings.Repeat("1\n", experimentfile.MaxRecord)), experimentfile.Options{}, "F:2: a row of more than 1048576 bytes"},
		"a long line":        {"a.ndjson", []byte(`{"customer_id":"A","arm":"x","metric":1}` + "\n{" + strings.Repeat(" ", experimentfile.MaxRecord)), experimentfile.Options{}, "F:2: a row of more than 1048576 bytes"},
		"no object":          {"a.ndjson", []byte("[1]\n"), experimentfile.Options{}, "line 1: not an object"},
		"gzip cut short":     {"a.csv.gz", gzipOf(t, good)[:60], experimentfile.Options{}, "expected a whole file"},
		"gzip damaged":       {"a.csv.gz", flipped(gzipOf(t, good), -6), experimentfile.Options{}, "checksum"},
		"no gzip":            {"a.csv.gz", good, experimentfile.Options{}, "gzip: invalid header"},
		"zstd cut short":     {"a.csv.zst", zstdOf(t, good)[:30], experimentfile.Options{}, "expected a whole file"},
		"no zstd":            {"a.ndjson.zst", good, experimentfile.Options{}, "expected a whole file"},
		"parquet cut short":  {"a.parquet", whole[:len(whole)-9], experimentfile.Options{}, "expected a whole Parquet file"},
		"no parquet":         {"a.parquet", good, experimentfile.Options{}, "expected a whole Parquet file"},
		"parquet's footer":   {"a.parquet", append(whole[:len(whole)-8:len(whole)-8], "\xff\xff\xff\xffPAR1"...), experimentfile.Options{}, "it does not end with a footer"},
		"parquet of nothing": {"a.parquet", nil, experimentfile.Options{}, "expected a whole Parquet file"},
		"parquet of lists":   {"a.parquet", parquetOf(t, []lists{{"A", "x", []float64{1}}}), experimentfile.Options{}, "metric: a nested column"},
		"parquet of texts":   {"a.parquet", parquetOf(t, []texts{{"A", "x", "1"}}), experimentfile.Options{}, "metric: a column of text, expected one of numbers"},
		"parquet of times":   {"a.parquet", parquetOf(t, []times{{"A", 1, 1}}), experimentfile.Options{}, "metric: the type TIMESTAMP"},
		"parquet of numbers": {"a.parquet", parquetOf(t, []numbers{{"A", 1, 1}}), experimentfile.Options{}, "arm: a column of numbers, expected one of text"},
		"the arm as metric":  {"a.csv", good, experimentfile.Options{Metrics: []string{"arm"}}, `column "arm"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, _, err := read(write(t, c.file, c.data), nil, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, expected %s", err, c.want)
			}
		})
	}
	if _, _, _, err := read(filepath.Join(t.TempDir(), "none.csv"), nil, experimentfile.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, _, _, err := read(t.TempDir(), nil, experimentfile.Options{}); !errors.Is(err, experiments.ErrData) {
		t.Errorf("a directory: %v", err)
	}
}

// flipped has one byte changed, counted from the end where at is below 0.
func flipped(data []byte, at int) []byte {
	data = bytes.Clone(data)
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 0x55
	return data
}

// Parquet holds numbers that no text file of this kind may hold; they are bad rows.
func TestBadParquetValues(t *testing.T) {
	type flat struct {
		ID     string  `parquet:"customer_id"`
		Arm    string  `parquet:"arm"`
		Metric float64 `parquet:"metric"`
		Pre    int64   `parquet:"pre_metric"`
	}
	path := write(t, "a.parquet", parquetOf(t, []flat{
		{"A", "x", math.NaN(), 1}, {"B", "x", math.Inf(-1), 1}, {"C", "x", 1, 1<<53 + 1}, {"C C", "x", 1, 1}, {"D", "x", 1, -1 << 53},
	}))
	all, bad, _, err := read(path, nil, experimentfile.Options{})
	want := []string{
		`F, row 1: metric: "NaN", expected a finite decimal number, or nothing where it is not known`,
		`F, row 2: metric: "-Inf", expected a finite decimal number, or nothing where it is not known`,
		`F, row 3: pre_metric: "9007199254740993", expected a whole number within ±2^53`,
		`F, row 4: customer_id: "C C", expected an id of 1 to 64 letters, digits and . _ -, beginning with a letter or digit`,
	}
	if err != nil || len(all) != 1 || !slices.Equal(bad, want) {
		t.Errorf("%d customers, %v, %s", len(all), err, strings.Join(bad, "\n"))
	}
}

// Whatever a Parquet file was made into, it is read or refused, and never a panic.
func TestBrokenParquetIsRefused(t *testing.T) {
	var rows []row
	for i := range 40 {
		v := float64(i)
		rows = append(rows, row{Customer: fmt.Sprint("C", i), Arm: "x", Metric: &v})
	}
	whole := parquetOf(t, rows)
	for at := 0; at < len(whole); at += 3 {
		_, _, _, _ = read(write(t, "a.parquet", flipped(whole, at)), nil, experimentfile.Options{}) //nolint:dogsled // only that it comes back
	}
	for length := 0; length < len(whole); length += 7 {
		if _, _, _, err := read(write(t, "a.parquet", whole[:length]), nil, experimentfile.Options{}); err == nil {
			t.Errorf("%d of %d bytes were read", length, len(whole))
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("customer_id,arm,metric\nA,x,1\nB,\"y\nz\",\n"))
	f.Add([]byte("{\"customer_id\":\"A\",\"arm\":\"x\",\"metric\":1}\n"))
	f.Add([]byte("customer_id,arm,metric,segment,pre_metric\r\nA,x,1e3,APP,2\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, bad, columns, err := read("-", bytes.NewReader(data), experimentfile.Options{})
		lines := int64(bytes.Count(data, []byte("\n")) + 1)
		for i, c := range all {
			if c.ID == "" || c.At.Line < 1 || c.At.Line > lines || i > 0 && c.At.Line <= all[i-1].At.Line || len(c.Row.Segments) != len(columns.Segments) ||
				len(c.Row.Metrics) != 1 || len(c.Row.Pre) != 1 || math.IsInf(c.Row.Metrics[0], 0) {
				t.Fatalf("%+v of %d lines", c, lines)
			}
		}
		if int64(len(all)+len(bad)) > lines {
			t.Fatalf("%d customers and %d bad rows in %d lines: %v", len(all), len(bad), lines, err)
		}
	})
}

func FuzzParquet(f *testing.F) {
	type flat struct {
		ID     string  `parquet:"customer_id"`
		Arm    string  `parquet:"arm"`
		Metric float64 `parquet:"metric"`
	}
	f.Add(parquetOf(f, []flat{{"A", "x", 1}, {"B", "y", 2}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _, _, _ = read(write(t, "a.parquet", data), nil, experimentfile.Options{}) //nolint:dogsled // only that it comes back
	})
}
