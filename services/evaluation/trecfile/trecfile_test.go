package trecfile_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/trec"
	"github.com/fundmatch/fundmatch/services/evaluation/trecfile"
)

// golden is one case of testdata/golden.json: what a transcription of trec_eval 9.0's C into Python gives for golden.qrels
// and golden.run. The transcription shares nothing with this program, and was compared with it over 1,100 pairs of random files.
type golden struct {
	Name     string                        `json:"name"`
	Cutoffs  []int                         `json:"cutoffs"`
	Level    int32                         `json:"level"`
	Complete bool                          `json:"complete"`
	Values   map[string]map[string]float64 `json:"values"`
}

func everyQuery(string) bool { return true }

// evaluate reads and measures two files.
func evaluate(ctx context.Context, qrels, run string, s trec.Settings, o trecfile.Options) (*trecfile.Evaluation, error) {
	m, err := trec.New(s)
	if err != nil {
		return nil, err
	}
	q, err := trecfile.ReadQrels(ctx, qrels, o)
	if err != nil {
		return nil, err
	}
	r, err := trecfile.ReadRun(ctx, run, q, o)
	if err != nil {
		return nil, err
	}
	return trecfile.Evaluate(m, q, r)
}

func document(t interface{ Fatal(...any) }, e *trecfile.Evaluation) []byte {
	var out bytes.Buffer
	if err := e.WriteJSON(&out, everyQuery); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []golden
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) == 0 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			e, err := evaluate(t.Context(), "testdata/golden.qrels", "testdata/golden.run",
				trec.Settings{Cutoffs: c.Cutoffs, Level: c.Level, Complete: c.Complete}, trecfile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]map[string]float64
			if err := json.Unmarshal(document(t, e), &got); err != nil {
				t.Fatal(err)
			}
			if len(got) != len(c.Values) || e.Queries() != 8 || e.Lacking() != 1 {
				t.Errorf("%d members, expected %d; %d queries, %d lacking", len(got), len(c.Values), e.Queries(), e.Lacking())
			}
			for query, values := range c.Values {
				if len(got[query]) != len(values) {
					t.Errorf("%s: %d measures, expected %d", query, len(got[query]), len(values))
				}
				for name, want := range values {
					if v, measured := got[query][name]; !measured || !(math.Abs(v-want) <= 1e-12) {
						t.Errorf("%s %s: %v, expected %v", query, name, v, want)
					}
				}
			}
		})
	}
}

// write writes a file of the test's folder, packed as its name says.
func write(t interface {
	Fatal(...any)
	Helper()
}, name, text string,
) string {
	t.Helper()
	data := []byte(text)
	var out bytes.Buffer
	switch {
	case strings.HasSuffix(name, ".gz"):
		z := gzip.NewWriter(&out)
		if _, err := z.Write(data); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		data = out.Bytes()
	case strings.HasSuffix(name, ".zst"):
		z, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(data); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		data = out.Bytes()
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const (
	someQrels = "q1 0 a 1\nq1 0 b 0\nq2 0 a 2\n"
	someRun   = "q1 Q0 a 1 2.5 r\nq1 Q0 b 2 1e0 r\nq2 Q0 b 1 -1 r\n"
)

// Packed or not, with any white space, empty lines, comments, and without a last line's end: the same bytes.
func TestFormsOfAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain, err := evaluate(t.Context(), write(t, filepath.Join(dir, "q"), someQrels), write(t, filepath.Join(dir, "r"), someRun), trec.Settings{}, trecfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := document(t, plain)
	for name, c := range map[string][2]string{
		"gzip":       {"q.gz", someRun},
		"zstd":       {"q.zst", someRun},
		"blanks":     {"tabs", strings.ReplaceAll(someRun, " ", " \t\v ")},
		"CRLF":       {"crlf", strings.ReplaceAll(someRun, "\n", "\r\n")},
		"comments":   {"comments", "# made by hand\n\n  \n" + someRun + "#\n"},
		"no end":     {"end", strings.TrimSuffix(someRun, "\n")},
		"scattered":  {"scattered", "q1 Q0 b 2 1e0 r\nq2 Q0 b 1 -1 r\nq1 Q0 a 1 2.5 r\n"},
		"unpacked":   {"r", someRun},
		"not judged": {"more", "q0 Q0 a 1 1 r\n" + someRun + "q9 Q0 a 1 1 r\n"},
	} {
		packed := filepath.Ext(c[0])
		e, err := evaluate(t.Context(), write(t, filepath.Join(dir, "Q"+name+packed), someQrels), write(t, filepath.Join(dir, "R"+name+packed), c[1]), trec.Settings{}, trecfile.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := document(t, e); !bytes.Equal(got, want) {
			t.Errorf("%s: %s, expected %s", name, got, want)
		}
	}
}

// However lines stand in a file, the document has the same bytes: sums go over queries in the order of their ids.
func TestOrderOfLinesDoesNotMatter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		var qrels, run []string
		for _, query := range rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z0-9]{1,3}`), 1, 6, rapid.ID[string]).Draw(t, "queries") {
			if query == "all" {
				continue
			}
			for d := range rapid.IntRange(1, 12).Draw(t, "judged") {
				qrels = append(qrels, fmt.Sprintf("%s 0 d%d %d", query, d, rapid.IntRange(-1, 3).Draw(t, "grade")))
			}
			for d := range rapid.IntRange(1, 12).Draw(t, "retrieved") {
				run = append(run, fmt.Sprintf("%s Q0 d%d 1 %d r", query, 2*d, rapid.IntRange(0, 3).Draw(t, "score")))
			}
		}
		if len(qrels) == 0 {
			return
		}
		var want []byte
		for range 3 {
			e, err := evaluate(context.Background(), write(t, filepath.Join(dir, "q"), strings.Join(qrels, "\n")), write(t, filepath.Join(dir, "r"), strings.Join(run, "\n")), trec.Settings{}, trecfile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := document(t, e); want == nil {
				want = got
			} else if !bytes.Equal(got, want) {
				t.Fatalf("%s, expected %s", got, want)
			}
			qrels, run = rapid.Permutation(qrels).Draw(t, "qrels"), rapid.Permutation(run).Draw(t, "run")
		}
	})
}

// Every bad file is an error that names file, line, field, value and what was expected, and nothing else.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	small := trecfile.Limits{LineBytes: 40, Judgements: 3, Retrieved: 3, QueryLines: 2}
	cases := []struct{ name, qrels, run, want string }{
		{"qrels too short", "q1 0 a 1\nq1 0 a\n", someRun, `Q: line 2: "q1 0 a", expected 4 fields, query [iteration] document grade; it has 3`},
		{"qrels too long", "q1 0 a 1 x\n", someRun, `Q: line 1: "q1 0 a 1 x", expected 4 fields, query [iteration] document grade; it has more`},
		{"grade", "q1 0 a 1.0\n", someRun, `Q: line 1: grade: "1.0", expected a whole number of 32 bits`},
		{"large grade", "\n\nq1 0 a 2147483648\n", someRun, `Q: line 3: grade: "2147483648", expected a whole number of 32 bits`},
		{"judged twice", "q1 0 a 1\nq2 0 a 1\nq1 0 a 1\n", someRun, `Q: line 3: document: "a", expected a document that is judged once for query "q1": it stands in line 1`},
		{"no judgements", "\n#\n", someRun, `Q, expected a file that is not empty`},
		{"byte order mark", "\ufeffq1 0 a 1\n", someRun, `Q: line 1: "\ufeff", expected text without a byte order mark`},
		{"not UTF-8", "q\xff 0 a 1\n", someRun, `Q: line 1: query: "q\xff", expected UTF-8 without NUL`},
		{"NUL", "q1 0 a\x00b 1\n", someRun, `Q: line 1: document: "a\x00b", expected UTF-8 without NUL`},
		{"too many judgements", someQrels + "q3 0 a 1\n", someRun, `Q: line 4: "q3 0 a 1", expected 3 lines at most`},
		{"long line", "q1 0 " + strings.Repeat("a", 34) + " 1\n", someRun, `Q: line 1: "q1 0 ` + strings.Repeat("a", 34) + ` ", expected a line of 40 bytes at most`},
		{"run too short", someQrels, "q1 Q0 a 1 2.5\n", `R: line 1: "q1 Q0 a 1 2.5", expected 6 fields, query [Q0] document [rank] score [name]; it has 5`},
		{"run too long", someQrels, "q1 Q0 a 1 2.5 r x\n", `R: line 1: "q1 Q0 a 1 2.5 r x", expected 6 fields, query [Q0] document [rank] score [name]; it has more`},
		{"retrieved twice", someQrels, "q1 Q0 a 1 2 r\nq1 Q0 a 2 1 r\n", `R: line 2: document: "a", expected a document that stands once for query "q1": it stands in line 1`},
		{"retrieved twice, scattered", someQrels, "q1 Q0 a 1 2 r\nq2 Q0 b 2 1 r\nq1 Q0 a 2 1 r\n", `R: line 3: document: "a", expected a document that stands once for query "q1": it stands in line 1`},
		{"twice in what nobody judged", someQrels, "q9 Q0 a 1 2 r\nq9 Q0 a 2 1 r\n", `R: line 2: document: "a", expected a document that stands once for query "q9": it stands in line 1`},
		{"twice in what nobody judged, scattered", someQrels, "q9 Q0 a 1 2 r\nq2 Q0 b 2 1 r\nq9 Q0 a 2 1 r\n", `R: line 3: document: "a", expected a document that stands once for query "q9": it stands in line 1`},
		{"no run", someQrels, "", `R, expected a file that is not empty`},
		{"nothing in common", someQrels, "q3 Q0 a 1 1 r\n", `R, expected a query that Q has`},
		{"too many lines", someQrels, someRun + "q3 Q0 a 1 1 r\n", `R: line 4: "q3 Q0 a 1 1 r", expected 3 lines at most`},
		{"too many of a query", someQrels, "q1 Q0 a 1 1 r\nq1 Q0 b 1 1 r\nq1 Q0 c 1 1 r\n", `R: line 3: query: "q1", expected 2 lines of a query at most`},
	}
	for _, score := range []string{"NaN", "inf", "-Infinity", "0x1p3", "1_0", "1,5", "1e999", "one", "--1"} {
		cases = append(cases, struct{ name, qrels, run, want string }{
			"score " + score, someQrels, "q1 Q0 b 1 1 r\nq1 Q0 a 1 " + score + " r\n", `R: line 2: score: "` + score + `", expected a finite decimal number`,
		})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			qrels, run := write(t, filepath.Join(dir, "Q"), c.qrels), write(t, filepath.Join(dir, "R"), c.run)
			_, err := evaluate(t.Context(), qrels, run, trec.Settings{}, trecfile.Options{Limits: small})
			if !errors.Is(err, trecfile.ErrInput) {
				t.Fatalf("%v", err)
			}
			if got := strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""); got != c.want {
				t.Errorf("%s\nexpected\n%s", got, c.want)
			}
		})
	}
	dir := t.TempDir() // at the limits
	if _, err := evaluate(t.Context(), write(t, filepath.Join(dir, "Q"), someQrels+"#"+strings.Repeat(" x", 19)+" \n"), write(t, filepath.Join(dir, "R"), someRun), trec.Settings{}, trecfile.Options{Limits: small}); err != nil {
		t.Error(err)
	}
}

// A line without an end is not read to the end of the file.
func TestALineWithoutAnEnd(t *testing.T) {
	t.Parallel()
	file := write(t, filepath.Join(t.TempDir(), "q.gz"), someQrels+strings.Repeat("x", 16<<20))
	var last, calls int64
	_, err := trecfile.ReadQrels(t.Context(), file, trecfile.Options{Progress: func(bytes int64) { last, calls = bytes, calls+1 }})
	var bad *trecfile.Error
	if !errors.As(err, &bad) || bad.Line != 4 || len(bad.Value) != trecfile.DefaultLimits().LineBytes {
		t.Errorf("%.200v", err)
	}
	if calls > 2 {
		t.Errorf("%d blocks were read, %d packed bytes", calls, last)
	}
}

// A packed file that is cut short, or none, is bad input; one that is not there is an error of the file system.
func TestBadPacking(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "q%d 0 d%d 1\n", i%977, i*7919%100_003)
	}
	for _, packed := range []string{".gz", ".zst"} {
		whole := write(t, filepath.Join(dir, "whole"+packed), text.String())
		if _, err := trecfile.ReadQrels(t.Context(), whole, trecfile.Options{}); err != nil {
			t.Errorf("%s: %v", packed, err)
		}
		data, err := os.ReadFile(whole)
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{"short": data[:len(data)/2], "none": []byte("q1 0 a 1\n"), "nothing": nil} {
			file := filepath.Join(dir, name+packed)
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := trecfile.ReadQrels(t.Context(), file, trecfile.Options{})
			var bad *trecfile.Error
			if !errors.As(err, &bad) || bad.File != file {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	if _, err := trecfile.ReadQrels(t.Context(), filepath.Join(dir, "absent"), trecfile.Options{}); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, trecfile.ErrInput) {
		t.Errorf("%v", err)
	}
	if _, err := trecfile.ReadQrels(t.Context(), dir, trecfile.Options{}); !errors.Is(err, trecfile.ErrInput) {
		t.Errorf("a folder: %v", err)
	}
}

// A pipe is read like a file, unless it would have to be read twice.
func TestPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	qrels := write(t, filepath.Join(dir, "q"), someQrels)
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"together":  {someRun, ""},
		"scattered": {"q1 Q0 b 2 1e0 r\nq2 Q0 b 1 -1 r\nq1 Q0 a 1 2.5 r\n", "scattered, expected a regular file, or one in which the lines of a query stand together"},
	} {
		pipe := filepath.Join(dir, name)
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Skipf("no pipe can be made: %v", err)
		}
		written := make(chan error, 1)
		go func() {
			written <- os.WriteFile(pipe, []byte(c.text), 0o600)
		}()
		_, err := evaluate(t.Context(), qrels, pipe, trec.Settings{}, trecfile.Options{})
		if (err == nil) != (c.want == "") || err != nil && !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err := <-written; err != nil {
			t.Error(err)
		}
	}
}

// Lines that lie across the blocks in which a file is read, at every offset, are whole.
func TestLinesAcrossBlocks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const block = 1 << 20
	for shift := range 24 {
		head := "#" + strings.Repeat(" x", 100) + "\n"
		var text strings.Builder
		for text.Len() < block-12-len(head) {
			text.WriteString(head)
		}
		text.WriteString("#" + strings.Repeat(" ", block-12-text.Len()-2+shift) + "\n")
		text.WriteString("q1 0 abc 1\nq2 0 def 2")
		q, err := trecfile.ReadQrels(t.Context(), write(t, filepath.Join(dir, "q"), text.String()), trecfile.Options{Limits: trecfile.Limits{LineBytes: block, Judgements: 2}})
		if err != nil || !slices.Equal(q.Queries(), []string{"q1", "q2"}) {
			t.Fatalf("shift %d: %v", shift, err)
		}
	}
}

// Reading stops where the context ends, and tells how far it is.
func TestContextAndProgress(t *testing.T) {
	t.Parallel()
	file := write(t, filepath.Join(t.TempDir(), "q"), someQrels)
	var read int64
	if _, err := trecfile.ReadQrels(t.Context(), file, trecfile.Options{Progress: func(bytes int64) { read = bytes }}); err != nil || read != int64(len(someQrels)) {
		t.Errorf("%d bytes, %v", read, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := trecfile.ReadQrels(ended, file, trecfile.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// The table is trec_eval's: names to 22 characters, tabs, four decimals, queries before all.
func TestTable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := evaluate(t.Context(), write(t, filepath.Join(dir, "q"), someQrels), write(t, filepath.Join(dir, "r"), someRun), trec.Settings{}, trecfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all, each bytes.Buffer
	if err := errors.Join(e.WriteTable(&all, nil), e.WriteTable(&each, everyQuery)); err != nil {
		t.Fatal(err)
	}
	if want := "num_q                 \tall\t2\nnum_ret               \tall\t3\nnum_rel               \tall\t2\nnum_rel_ret           \tall\t1\n" +
		"map                   \tall\t0.5000\ngm_map                \tall\t0.0032\n"; !strings.HasPrefix(all.String(), want) {
		t.Errorf("%s", all.String())
	}
	lines := strings.SplitAfter(each.String(), "\n")
	if lines[0] != "num_ret               \tq1\t2\n" || !strings.HasSuffix(each.String(), all.String()) || strings.Contains(each.String(), "gm_map                \tq") {
		t.Errorf("%s", each.String())
	}
}

// A query that is called all would stand in the place of all queries.
func TestAQueryCalledAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := evaluate(t.Context(), write(t, filepath.Join(dir, "q"), "all 0 a 1\n"), write(t, filepath.Join(dir, "r"), "all Q0 a 1 1 r\n"), trec.Settings{}, trecfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := e.WriteJSON(&out, nil); err != nil || !json.Valid(out.Bytes()) {
		t.Errorf("%s, %v", out.Bytes(), err)
	}
	if err := e.WriteJSON(&out, everyQuery); !errors.Is(err, trecfile.ErrInput) {
		t.Errorf("%v", err)
	}
}

// Whatever stands in files, reading ends with judgements and a run or with bad input, and what is measured is JSON of
// numbers from 0 on.
func FuzzFiles(f *testing.F) {
	f.Add(someQrels, someRun)
	f.Add("q1 0 a -2\nq1 0 b -1\n", "q1 Q0 a 1 1e39 r\nq1 Q0 b 1 -1e39 r")
	f.Add("q1 0 a 2147483647\n", "q1 Q0 \" 1 1e-400 r\r\n")
	f.Add("\"<\xe2\x80\xa8> 0 a 1", "\"<\xe2\x80\xa8> Q0 a 1 .5 r")
	f.Fuzz(func(t *testing.T, qrels, run string) {
		dir := t.TempDir()
		e, err := evaluate(t.Context(), write(t, filepath.Join(dir, "q"), qrels), write(t, filepath.Join(dir, "r"), run), trec.Settings{Complete: len(run)%2 == 0}, trecfile.Options{})
		if err != nil {
			if !errors.Is(err, trecfile.ErrInput) {
				t.Fatal(err)
			}
			return
		}
		var out bytes.Buffer
		if err := e.WriteJSON(&out, everyQuery); errors.Is(err, trecfile.ErrInput) {
			return // a query called all
		} else if err != nil {
			t.Fatal(err)
		}
		var got map[string]map[string]float64
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got) != e.Queries()+1 {
			t.Fatalf("%d members of %d queries, %v: %s", len(got), e.Queries(), err, out.Bytes())
		}
		for query, values := range got {
			for name, v := range values {
				if !(v >= 0) || math.IsInf(v, 0) {
					t.Fatalf("%s %s: %v", query, name, v)
				}
			}
		}
	})
}
