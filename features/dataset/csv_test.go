package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// records reads a text to its end or first error.
func records(text string) ([][]string, error) {
	c := newCSVReader(strings.NewReader(text), "a.csv")
	var all [][]string
	for {
		err := c.next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		var fields []string
		for i := range c.rec.ends {
			fields = append(fields, string(c.rec.field(i)))
		}
		all = append(all, fields)
	}
}

// The grammar of RFC 4180, case by case.
func TestCSV(t *testing.T) {
	tests := []struct {
		text string
		want [][]string
	}{
		{"", nil},
		{"a", [][]string{{"a"}}},
		{"a,b\n", [][]string{{"a", "b"}}},
		{"a,b\r\nc,d", [][]string{{"a", "b"}, {"c", "d"}}},
		{",\n,", [][]string{{"", ""}, {"", ""}}},
		{"\n", [][]string{{""}}},
		{`"a","b"`, [][]string{{"a", "b"}}},
		{"\"a\",\"b\"\r\n\"\"\n", [][]string{{"a", "b"}, {""}}},
		{`"a,""b""",c`, [][]string{{`a,"b"`, "c"}}},
		{"\"a\nb\r\nc\rd\",e\nf,g", [][]string{{"a\nb\r\nc\rd", "e"}, {"f", "g"}}},
		{`a,"b",`, [][]string{{"a", "b", ""}}},
		{"\"\n\n\"\n", [][]string{{"\n\n"}}},
		{`""""`, [][]string{{`"`}}},
		{" a, b ", [][]string{{" a", " b "}}},
	}
	for _, tt := range tests {
		got, err := records(tt.text)
		if err != nil || !slices.EqualFunc(got, tt.want, slices.Equal) {
			t.Errorf("%q: got %q and %v, expected %q", tt.text, got, err, tt.want)
		}
	}
}

// Whatever text there is: where encoding/csv accepts it, this reader reads the same;
// what it reads in spite of encoding/csv or refuses beyond it is listed here.
func TestCSVAgreesWithTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"a", "华", "\"", "\"", ",", ",", "\n", "\r\n", " "})).Draw(t, "parts"), "")
		std := csv.NewReader(strings.NewReader(text))
		std.FieldsPerRecord = -1
		want, wantErr := std.ReadAll()
		got, err := records(text)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: got error %v, encoding/csv %v", text, err, wantErr)
		}
		if err != nil {
			return
		}
		// encoding/csv skips empty lines, and writes LF for CRLF within quotes.
		got = slices.DeleteFunc(got, func(r []string) bool { return len(r) == 1 && r[0] == "" })
		want = slices.DeleteFunc(want, func(r []string) bool { return len(r) == 1 && r[0] == "" })
		for _, r := range got {
			for i := range r {
				r[i] = strings.ReplaceAll(r[i], "\r\n", "\n")
			}
		}
		if !slices.EqualFunc(got, want, slices.Equal) {
			t.Fatalf("%q: got %q, encoding/csv %q", text, got, want)
		}
	})
}

// Lines that end anywhere in the buffer, or do not fit it, are read as they are.
func TestCSVLinesOfEveryLength(t *testing.T) {
	for _, n := range []int{0, 1, 65533, 65534, 65535, 65536, 65537, 131071, 131072, 131073, MaxLine - 1} {
		long := strings.Repeat("a", n)
		for _, end := range []string{"\n", "\r\n"} {
			if n+len(end) > MaxLine {
				continue
			}
			got, err := records("x,y\n" + long + end + "z\n")
			if err != nil || len(got) != 3 || got[1][0] != long || got[2][0] != "z" {
				t.Errorf("line of %d bytes and %q: %d records, %v", n, end, len(got), err)
			}
		}
	}
}

// repeated is a text that takes no memory: head, then unit n times, then tail.
func repeated(head, unit string, n int64, tail string) io.Reader {
	return io.MultiReader(strings.NewReader(head), io.LimitReader(&cycle{unit: unit}, n*int64(len(unit))), strings.NewReader(tail))
}

type cycle struct {
	unit string
	at   int
}

func (c *cycle) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = c.unit[c.at]
		c.at = (c.at + 1) % len(c.unit)
	}
	return len(p), nil
}

// allocated returns the bytes that f allocates, freed or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

const navHeader = "product_code,nav_date,unit_nav,accum_nav\n"

// A line of 10 MB is an error that names file and line, and no memory: what is
// allocated on the way is a few times the longest line that there may be.
func TestLongLineTakesNoMemory(t *testing.T) {
	const bound = 12 * MaxLine
	for name, in := range map[string]func() io.Reader{
		"a line":         func() io.Reader { return repeated(navHeader, "1234567890", 1_000_000, "\n") },
		"fields":         func() io.Reader { return repeated(navHeader, ",", 10_000_000, "\n") },
		"a quoted field": func() io.Reader { return repeated(navHeader+"\"", "123456789\n", 1_000_000, "\"\n") },
		"the header":     func() io.Reader { return repeated("", "1234567890", 1_000_000, "\n") },
	} {
		t.Run(name, func(t *testing.T) {
			var errs []error
			took := allocated(func() { _, errs = drain("nav.csv", in()) })
			if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "nav.csv:") || took > bound {
				t.Errorf("got %v after allocating %d bytes, expected one error that names the line, and at most %d bytes", errs, took, bound)
			}
		})
	}
}

// A small file that unpacks to hundreds of times as much is read as a stream: its one
// line is an error like every long line.
func TestGzipBomb(t *testing.T) {
	var bomb bytes.Buffer
	z, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(z, repeated(navHeader, strings.Repeat("0", 4096), 4<<10, "")); err != nil { // 16 MB of zeros
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	packed := bomb.Len()
	var errs []error
	took := allocated(func() { _, errs = drain("nav.csv.gz", newGunzip(&bomb)) })
	if want := "nav.csv.gz:2: a line of more than 1048576 bytes, expected at most so many"; len(errs) != 1 || errs[0].Error() != want || took > 6*MaxLine {
		t.Errorf("%d packed bytes: got %v after allocating %d bytes, expected %s", packed, errs, took, want)
	}
}

func TestGzip(t *testing.T) {
	text := navHeader + "p1,2020-01-02,1,1\np1,2020-01-03,1,1\n"
	whole := packed(t, text)
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-6] ^= 1 // in the checksum
	tests := []struct {
		name string
		data []byte
		rows int
		want string // the start of the one error
	}{
		{"whole", whole, 2, ""},
		{"two streams in a row", slices.Concat(packed(t, text[:50]), packed(t, text[50:])), 2, ""},
		{"an empty stream behind", slices.Concat(whole, packed(t, "")), 2, ""},
		{"cut in the data", whole[:len(whole)-20], 0, "nav.csv.gz:2: the gzip stream is cut short, expected a whole gzip file"},
		{"cut in the checksum", whole[:len(whole)-1], 2, "nav.csv.gz:4: the gzip stream is cut short, expected a whole gzip file"},
		{"cut in the header", whole[:5], 0, "nav.csv.gz:0: the gzip stream is cut short, expected a whole gzip file"},
		{"empty", nil, 0, "nav.csv.gz:0: the gzip stream is cut short, expected a whole gzip file"},
		{"other bytes behind", slices.Concat(whole, []byte("garbage, and more of it")), 2, "nav.csv.gz:4: other bytes behind the gzip stream, expected a whole gzip file"},
		{"a byte behind", slices.Concat(whole, []byte{0}), 2, "nav.csv.gz:4: other bytes behind the gzip stream, expected a whole gzip file"},
		{"not packed", []byte(text), 0, "nav.csv.gz:0: not a gzip file, expected a whole gzip file"},
		{"damaged", damaged, 2, "nav.csv.gz:4: the gzip stream is damaged: its checksum differs, expected a whole gzip file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, errs := drain("nav.csv.gz", newGunzip(bytes.NewReader(tt.data)))
			if tt.want == "" {
				if rows != tt.rows || len(errs) > 0 {
					t.Fatalf("got %d rows and %v, expected %d rows", rows, errs, tt.rows)
				}
				return
			}
			want := strings.Replace(tt.want, ":0:", ":", 1)
			if len(errs) != 1 || errs[0].Error() != want || !isFatal(errs[0]) {
				t.Errorf("\n got %v\nwant %s", errs, want)
			}
		})
	}
}

// Cut anywhere, a gzip file is an error and never a shorter dataset.
func TestGzipCutAnywhere(t *testing.T) {
	whole := packed(t, navHeader+"p1,2020-01-02,1,1\np1,2020-01-03,1,1\n")
	for n := range whole {
		if _, errs := drain("nav.csv.gz", newGunzip(bytes.NewReader(whole[:n]))); len(errs) == 0 {
			t.Errorf("cut to %d of %d bytes: no error", n, len(whole))
		}
	}
}
