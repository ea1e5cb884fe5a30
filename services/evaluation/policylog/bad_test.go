package policylog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestBadValues: a value that may not be is named with its place and with what was expected, in the same words for CSV
// and NDJSON, however the rows before it looked; with SkipBad it is left out and listed, and nothing else is.
func TestBadValues(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, c := range []struct{ column, value, want string }{
		{ColumnDecisionID, "", wantDecision},
		{ColumnDecisionID, "-1", wantDecision},
		{ColumnDecisionID, "d 1", wantDecision},
		{ColumnDecisionID, long, wantDecision},
		{ColumnDecisionID, long[:128], ""},
		{ColumnDecisionID, long[:129], wantDecision},
		{ColumnDecisionID, "019a2b3c-0000-7000-8000-000000000001:2", ""},
		{ColumnCustomerID, "", wantID},
		{ColumnCustomerID, "C:1", wantID},
		{ColumnCustomerID, "客户", wantID},
		{ColumnCustomerID, "other", "the decision's C2"},
		{ColumnDecidedAt, "", wantAt},
		{ColumnDecidedAt, "2026-03-05", wantAt},
		{ColumnDecidedAt, "2026-02-29T10:00:00Z", wantAt},
		{ColumnDecidedAt, "2026-03-05T10:00:00.1234567890Z", wantAt},
		{ColumnDecidedAt, "2026-03-05T10:00:01Z", "the instant of the decision's rows before"},
		{ColumnDecidedAt, "2026-03-05T18:00:00.000+08:00", ""},
		{ColumnPosition, "", wantPosition},
		{ColumnPosition, "0", wantPosition},
		{ColumnPosition, "1001", wantPosition},
		{ColumnPosition, "1000", ""},
		{ColumnPosition, "2.5", wantPosition},
		{ColumnPosition, "2.0", ""},
		{ColumnPosition, "99999999999999999999", wantPosition},
		{ColumnPosition, "1", wantNoRepeat},
		{ColumnProduct, "", wantID},
		{ColumnProduct, long[:64], ""},
		{ColumnProduct, long[:65], wantID},
		{ColumnProduct, "a,b", wantID},
		{ColumnReward, "", ""},
		{ColumnReward, "-1e300", ""},
		{ColumnReward, "1e309", wantNumber},
		{ColumnPropensity, "", wantPropensity},
		{ColumnPropensity, "0", wantPropensity},
		{ColumnPropensity, "-0.0", wantPropensity},
		{ColumnPropensity, "1e-400", wantPropensity},
		{ColumnPropensity, "1", ""},
		{ColumnPropensity, "1.0000000000000002", wantPropensity},
		{ColumnPropensity, "-0.5", wantPropensity},
		{ColumnTarget, "", wantTarget},
		{ColumnTarget, "0", ""},
		{ColumnTarget, "-0", ""},
		{ColumnTarget, "1.5", wantTarget},
		{ColumnTarget, "-1e-9", wantTarget},
		{ColumnSegment, "a\tb", wantText},
		{ColumnSegment, strings.Repeat("年", 341) + "x", ""},
		{ColumnSegment, strings.Repeat("年", 341) + "xy", wantText},
		{ColumnAmount, "1e999", wantNumber},
	} {
		for _, s := range styles() {
			checkBad(t, s, c.column, c.value, c.want)
		}
	}
	for _, c := range []struct{ column, value, want string }{ // what is no number in JSON at all
		{ColumnPosition, "one", wantPosition},
		{ColumnReward, "NaN", wantNumber},
		{ColumnReward, "inf", wantNumber},
		{ColumnReward, "0x1p-2", wantNumber},
		{ColumnReward, "1_000", wantNumber},
		{ColumnReward, "null", wantNumber},
		{ColumnReward, " 1", wantNumber},
		{ColumnReward, "+1", ""},
		{ColumnReward, ".5", ""},
		{ColumnReward, "00.5", ""},
		{ColumnPropensity, "nan", wantPropensity},
		{ColumnTarget, "1,5", wantTarget},
	} {
		for _, s := range styles()[:3] {
			checkBad(t, s, c.column, c.value, c.want)
		}
	}
}

// checkBad reads a log whose third row, the second of its decision, has the value.
func checkBad(t *testing.T, s style, column, value, want string) {
	t.Helper()
	rows := []flat{
		{ID: "d1", Customer: "C1", At: 0, Position: 1, Product: "P1", Propensity: math.Float64bits(.5), Segment: "s"},
		{ID: "d2", Customer: "C2", At: 1772704800e9, Position: 1, Product: "P1", Propensity: math.Float64bits(.5), Segment: "s"},
		{ID: "d2", Customer: "C2", At: 1772704800e9, Position: 2, Product: "P2", Propensity: math.Float64bits(.5), Segment: "s"},
		{ID: "d3", Customer: "C1", At: 0, Position: 1, Product: "P1", Propensity: math.Float64bits(.5), Segment: "s"},
	}
	cells := cellsOf(rows)
	cells[2][slices.Index(oracleColumns, column)] = value
	text := s.write(cells)
	o := allOptions
	o.Format, o.Stdin = s.format, bytes.NewReader(text)
	got, _, err := readRows([]string{Stdin}, o)
	if want == "" {
		if err != nil || len(got) != len(rows) {
			t.Errorf("%s, %s %q: %v", s.name, column, value, err)
		}
		return
	}
	row, ok := errors.AsType[*RowError](err)
	if !ok || row.File != Stdin || row.Row != 3 || row.Column != column || row.Value != shown([]byte(value)) || row.Want != want || row.Line == 0 {
		t.Errorf("%s, %s %q: %v", s.name, column, value, err)
		return
	}
	o.SkipBad, o.Stdin = true, bytes.NewReader(text)
	l, err := Open([]string{Stdin}, o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.File(0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	var b Block
	if err := c.Next(&b); err != nil {
		t.Errorf("%s, %s %q, left out: %v", s.name, column, value, err)
		return
	}
	if kept := flatten(nil, &b); b.BadRows != 1 || len(b.Bad) != 1 || b.Bad[0] != row.Bad || len(kept) != 3 || kept[1].ID != "d2" || kept[2].ID != "d3" || len(b.Codes) != 1 {
		t.Errorf("%s, %s %q, left out: %d bad %v, kept %+v", s.name, column, value, b.BadRows, b.Bad, kept)
	}
}

// TestBadRows: a row that is none.
func TestBadRows(t *testing.T) {
	fields := "11 fields as in the first row"
	for _, c := range []struct {
		format            Format
		row, column, want string
	}{
		{CSV, allRow[:30], "", fields},
		{CSV, allRow + ",", "", fields},
		{CSV, "", "", fields},
		{CSV, `"d-1"x` + allRow[3:], "", "no text behind a closing quote"},
		{CSV, `d"1` + allRow[3:], "", `no quote within a field that is not quoted`},
		{NDJSON, "", "", "a JSON object"},
		{NDJSON, "[]", "", "a JSON object"},
		{NDJSON, "null", "", "a JSON object"},
		{NDJSON, allObject[:40], "", "a JSON object of keys and values"},
		{NDJSON, allObject[:len(allObject)-1], "", "a JSON object"},
		{NDJSON, allObject + ",", "", "a JSON object"},
		{NDJSON, allObject + allObject, "", "a JSON object"},
		{NDJSON, strings.Replace(allObject, `"reward":0,`, "", 1), ColumnReward, "a value or null, as the first row has this key"},
		{NDJSON, strings.Replace(allObject, `{`, `{"reward":1,`, 1), ColumnReward, "each key once"},
		{NDJSON, strings.Replace(allObject, `{`, `{"\u0072eward":1,`, 1), ColumnReward, "each key once"},
		{NDJSON, strings.Replace(allObject, `{`, `{"issuer":"x",`, 1), ColumnIssuer, "no such key, as the first row has none"},
		{NDJSON, strings.Replace(allObject, `:0,`, `:"0",`, 1), ColumnReward, wantNumber},
		{NDJSON, strings.Replace(allObject, `:0,`, `:true,`, 1), ColumnReward, wantNumber},
		{NDJSON, strings.Replace(allObject, `:0,`, `:[0],`, 1), ColumnReward, wantNumber},
		{NDJSON, strings.Replace(allObject, `:0,`, `:00,`, 1), "", "a JSON object of keys and values"},
		{NDJSON, strings.Replace(allObject, `:0,`, `:NaN,`, 1), "", "a JSON object of keys and values"},
		{NDJSON, strings.Replace(allObject, `"C1"`, `12`, 1), ColumnCustomerID, wantID},
		{NDJSON, strings.Replace(allObject, `"C1"`, `{"id":"C1"}`, 1), ColumnCustomerID, wantID},
		{NDJSON, strings.Replace(allObject, `"young"`, `5`, 1), ColumnSegment, wantText},
		{NDJSON, strings.Replace(allObject, `"young"`, `"\u0000"`, 1), ColumnSegment, wantText},
		{NDJSON, strings.Replace(allObject, `"young"`, `"\ud83d"`, 1), "", "a JSON object of keys and values"},
		{NDJSON, strings.Replace(allObject, `"young"`, `"\ud83d\u0020"`, 1), "", "a JSON object of keys and values"},
		{NDJSON, strings.Replace(allObject, `"young"`, "\"\xff\"", 1), ColumnSegment, wantText},
		{NDJSON, strings.Replace(allObject, `"young"`, `"\x"`, 1), "", "a JSON object of keys and values"},
		{NDJSON, strings.Replace(allObject, `[1,2]`, strings.Repeat("[", 100)+strings.Repeat("]", 100), 1), "", "a JSON object of keys and values"},
		{NDJSON, strings.Replace(allObject, `[1,2]`, `[1,2`, 1), "", "a JSON object of keys and values"},
	} {
		good := map[Format]string{CSV: allRow, NDJSON: allObject}[c.format]
		other := strings.Replace(good, "d-1", "d-0", 1)
		text := other + "\n" + c.row + "\n" + good + "\n"
		line := int64(2)
		if c.format == CSV {
			text, line = allHeader+"\n"+text, 3
		}
		o := allOptions
		o.OptionalTexts = []string{ColumnIssuer}
		o.Format, o.Stdin = c.format, strings.NewReader(text)
		_, _, err := readRows([]string{Stdin}, o)
		row, ok := errors.AsType[*RowError](err)
		if !ok || row.Row != 2 || row.Line != line || row.Column != c.column || row.Want != c.want {
			t.Errorf("%q: %v", c.row, err)
			continue
		}
		if c.column == "" && row.Value != shown([]byte(c.row)) {
			t.Errorf("%q: shown as %q", c.row, row.Value)
		}
		o.Stdin, o.SkipBad = strings.NewReader(text), true
		if rows, _, err := readRows([]string{Stdin}, o); err != nil || len(rows) != 2 {
			t.Errorf("%q, left out: %d rows, %v", c.row, len(rows), err)
		}
	}
}

// TestBrokenFiles: what cannot be read is said with the file and how far it could be read.
func TestBrokenFiles(t *testing.T) {
	long := strings.Repeat("x", MaxLine)
	for _, c := range []struct {
		name   string
		format Format
		text   string
		row    int64
		want   string
	}{
		{"empty CSV", CSV, "", 0, "-: an empty file, expected a first row that names the columns"},
		{"mark only", CSV, byteOrderMark, 0, "-: an empty file, expected a first row that names the columns"},
		{"empty NDJSON", NDJSON, "", 0, "-: an empty file, expected a JSON object a line"},
		{"header in quotes that stay open", CSV, `"decision_id,customer_id` + "\n", 0, "-: a quoted field that does not end, expected a first row that names the columns"},
		{"header with text behind a quote", CSV, `"decision_id"x,customer_id` + "\n", 0, "-: a first row that cannot be read, expected no text behind a closing quote"},
		{"no target", CSV, strings.Replace(allHeader, "target_", "", 1) + "\n", 0, "-: column propensity: there twice, expected once"},
		{"no segment", CSV, strings.Replace(allHeader, "segment", "Segment", 1) + "\n", 0, "-: column segment: not there, expected one of the columns: decision_id, customer_id, decided_at, position, product_code, reward, propensity, target_propensity, Segment, amount_fen, note"},
		{"first object", NDJSON, `{"decision_id":1`, 0, `-: a first row that cannot be read: {"decision_id":1, expected a JSON object`},
		{"a key twice in the first object", NDJSON, `{"decision_id":1,"decision_id":2}`, 0, "-: column decision_id: there twice, expected once"},
		{"quote that stays open", CSV, allHeader + "\n" + allRow + "\n\"" + allRow + "\n" + allRow, 1, "-, after row 1: a quoted field that does not end, expected a closing quote"},
		{"long first line", CSV, long + "x\n", 0, "-: a first row of more than 1048576 bytes, expected at most so many"},
		{"long line", CSV, allHeader + "\n" + allRow + "\n" + allRow + long + "\n" + allRow, 1, "-, after row 1: a row of more than 1048576 bytes, expected at most so many"},
		{"long line in quotes", CSV, allHeader + "\n\"" + long + "\n\n\"" + allRow, 0, "-: a row of more than 1048576 bytes, expected at most so many"},
		{"long line at the end", NDJSON, allObject + "\n" + long + long, 1, "-, after row 1: a row of more than 1048576 bytes, expected at most so many"},
		{"long decision", CSV, allHeader + "\n" + allRow + strings.Repeat("\n", maxRun+5), 4 + maxRun, "-, after row 1048580: a decision that goes on for more than 1048576 rows, expected at most 1000"},
		{"too many columns", CSV, allHeader + strings.Repeat(",x", 1000) + "\n", 0, "-: 1011 columns, expected at most 1000"},
	} {
		o := allOptions
		o.Format, o.Stdin, o.SkipBad, o.blockRows = c.format, strings.NewReader(c.text), true, 4
		_, _, err := readRows([]string{Stdin}, o)
		file, ok := errors.AsType[*FileError](err)
		if !ok || file.Error() != c.want || file.Row != c.row {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestManyColumnsAreShownInPart: an error is short, whatever a file says of itself.
func TestManyColumnsAreShownInPart(t *testing.T) {
	var header strings.Builder
	for i := range 900 {
		fmt.Fprintf(&header, "%0500d,", i)
	}
	_, err := Open([]string{Stdin}, Options{Stdin: strings.NewReader(header.String())})
	if err == nil || len(err.Error()) > 1000 || !strings.HasSuffix(err.Error(), "..., and 892 more") {
		t.Error(err)
	}
}

// TestLongestLine: a row of the greatest length is read.
func TestLongestLine(t *testing.T) {
	row := allRow[:len(allRow)-1]
	text := allHeader + "\n" + allRow + "\n" + strings.Replace(row, "d-1", "d-2", 1) + strings.Repeat("x", MaxLine-1-len(row)) + "\n"
	if rows, _, err := readText([]byte(text), CSV, 5); err != nil || len(rows) != 2 {
		t.Error(len(rows), err)
	}
}

// TestCutShort: a packed file that ends too early, or has a wrong byte, is refused wherever that is.
func TestCutShort(t *testing.T) {
	text := styles()[0].write(cellsOf(someRows(40)))
	name := filepath.Join(t.TempDir(), "log.csv")
	for ext, pack := range packings(t) {
		if ext == "" {
			continue
		}
		whole := pack(text)
		for cut := 0; cut < len(whole); cut += 1 + len(whole)/37 {
			write(t, name+ext, whole[:cut])
			_, _, err := readRows([]string{name + ext}, allOptions)
			if ext == ".gz" && errors.Is(err, io.EOF) || err == nil {
				t.Errorf("%s cut to %d of %d bytes: %v", ext, cut, len(whole), err)
			}
		}
		for at := 20; at < len(whole); at += 1 + len(whole)/37 {
			other := bytes.Clone(whole)
			other[at] ^= 0x40
			write(t, name+ext, other)
			if got, _, err := readRows([]string{name + ext}, allOptions); err == nil && !slices.Equal(got, someRows(40)) {
				t.Errorf("%s with another byte at %d of %d was read", ext, at, len(whole))
			}
		}
		write(t, name+ext, append(bytes.Clone(whole), "more"...))
		if _, _, err := readRows([]string{name + ext}, allOptions); err == nil {
			t.Errorf("%s with bytes behind it was read", ext)
		}
	}
}

// TestRewardRange holds at its ends and one step beyond them.
func TestRewardRange(t *testing.T) {
	for _, c := range []struct {
		value string
		good  bool
	}{{"-1", true}, {"2.5", true}, {"", true}, {"-1.0000000000000002", false}, {"2.5000000000000004", false}} {
		o := Options{RewardLow: -1, RewardHigh: 2.5, Stdin: strings.NewReader(allHeader + "\n" + strings.Replace(allRow, ",0,", ","+c.value+",", 1))}
		_, _, err := readRows([]string{Stdin}, o)
		if row, ok := errors.AsType[*RowError](err); c.good != (err == nil) || !c.good && (!ok || row.Want != "a number from -1 to 2.5, or nothing") {
			t.Errorf("%q: %v", c.value, err)
		}
	}
	for _, o := range []Options{{RewardLow: 1}, {RewardLow: math.Inf(-1)}, {RewardHigh: math.NaN()}, {RewardHigh: math.Inf(1)}} {
		if _, err := Open([]string{Stdin}, o); err == nil || !strings.Contains(err.Error(), "range of rewards") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestFirstError: the error of the first row that has one, for any number of workers and however they finish.
func TestFirstError(t *testing.T) {
	cells := cellsOf(someRows(300))
	for _, n := range []int{200, 300, 900} {
		cells[n][slices.Index(oracleColumns, ColumnPropensity)] = strconv.Itoa(n)
	}
	name := filepath.Join(t.TempDir(), "log.csv")
	write(t, name, append(styles()[0].write(cells), `"open`...))
	for _, workers := range []int{1, 2, 8} {
		for range 20 {
			o := allOptions
			o.blockRows = 5
			l := open(t, []string{name}, o)
			c, err := l.File(0, Position{})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			for range workers {
				go func() {
					var b Block
					var err error
					for err == nil {
						err = c.Next(&b)
					}
					done <- struct{}{}
				}()
			}
			for range workers {
				<-done
			}
			if row, ok := errors.AsType[*RowError](c.Err()); !ok || row.Row != 201 {
				t.Fatalf("%d workers: %v", workers, c.Err())
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestBadListIsBounded: all bad rows are counted, the first of a block are listed.
func TestBadListIsBounded(t *testing.T) {
	text := allHeader + "\n" + strings.Repeat("x\n", MaxBad+5) + allRow
	l := open(t, []string{Stdin}, Options{SkipBad: true, Stdin: strings.NewReader(text)})
	c, err := l.File(0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	var b Block
	if err := c.Next(&b); err != nil || b.BadRows != MaxBad+5 || len(b.Bad) != MaxBad || b.Bad[MaxBad-1].Row != MaxBad || b.Rows() != 1 {
		t.Errorf("%v: %d bad, %d listed, %d rows", err, b.BadRows, len(b.Bad), b.Rows())
	}
}

// TestNames: how names become files.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	text := []byte(allHeader + "\n" + allRow + "\n")
	for _, n := range []string{"b.csv", "a.csv", "B.csv", "c[1].csv", "none.txt"} {
		write(t, n, text)
	}
	write(t, "d.ndjson", []byte(allObject))
	write(t, "other.CSV", []byte("decision_id\n"))
	if err := errors.Join(os.Mkdir("sub.csv", 0o700), os.Symlink("a.csv", "link.csv"), os.Link("a.csv", "hard.csv")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		names []string
		want  string // files, or a part of the error
	}{
		{[]string{"?.csv"}, "B.csv a.csv b.csv"},
		{[]string{"b.csv", "a.csv"}, "a.csv b.csv"},
		{[]string{"c[1].csv"}, "c[1].csv"},
		{[]string{"d.ndjson", "a.csv"}, "a.csv d.ndjson"},
		{[]string{"-", "a.csv"}, "- a.csv"},
		{[]string{"none.txt"}, "none.txt"},
		{nil, "no log is named"},
		{[]string{"x*.csv"}, `no file matches "x*.csv"`},
		{[]string{"a[.csv"}, "is no pattern"},
		{[]string{"x.csv"}, "x.csv: cannot be opened"},
		{[]string{"sub.csv"}, "sub.csv: cannot be read: it is a directory"},
		{[]string{"?.csv", "a.csv"}, "a.csv: the same file as a.csv"},
		{[]string{"a.csv", "./a.csv"}, "a.csv: the same file as ./a.csv"},
		{[]string{"a.csv", "link.csv"}, "link.csv: the same file as a.csv"},
		{[]string{"hard.csv", "a.csv"}, "hard.csv: the same file as a.csv"},
		{[]string{"-", "-"}, "-: the same file as -"},
		{[]string{"other.CSV"}, "other.CSV: column customer_id: not there, expected one of the columns: decision_id"},
	} {
		l, err := Open(c.names, Options{Stdin: bytes.NewReader(text)})
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: %v", c.names, err)
			}
			continue
		}
		var got []string
		for _, f := range l.Files() {
			got = append(got, f.Name)
		}
		if err := l.Close(); err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q: %q, %v", c.names, got, err)
		}
	}
}

// TestMixedColumns: a column that one file has and another has not is an error that names both; their order is nobody's
// concern, nor is the format.
func TestMixedColumns(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"order":  {"note," + strings.TrimSuffix(allHeader, ",note") + "\n", ""},
		"more":   {allHeader + ",extra\n", "b.csv: column extra: there, expected the columns of " + dir + "/a.csv, which has no such column"},
		"less":   {strings.TrimSuffix(allHeader, ",note") + "\n", "b.csv: column note: not there, expected the columns of " + dir + "/a.csv, which has it"},
		"needed": {strings.Replace(allHeader, "reward", "Reward", 1) + "\n", "b.csv: column reward: not there, expected one of the columns"},
	} {
		write(t, filepath.Join(dir, "a.csv"), []byte(allHeader+"\n"+allRow+"\n"))
		write(t, filepath.Join(dir, "b.csv"), []byte(c.text))
		_, _, err := readRows([]string{filepath.Join(dir, "*.csv")}, allOptions)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestColumnsAskedFor: what may be asked for.
func TestColumnsAskedFor(t *testing.T) {
	many := make([]string, maxAsked+1)
	for i := range many {
		many[i] = fmt.Sprint("c", i)
	}
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Texts: []string{"segment", "segment"}}, "column segment is asked for twice"},
		{Options{Texts: []string{"reward"}}, "column reward is asked for twice"},
		{Options{Texts: []string{"target_propensity"}}, "column target_propensity is asked for twice"},
		{Options{Numbers: []string{""}}, "a column without a name is asked for"},
		{Options{OptionalTexts: many}, "201 columns besides those of every log: at most 200 can be read"},
		{Options{Numbers: []string{"issuer"}}, "-: column issuer: not there, expected one of the columns: " + strings.ReplaceAll(allHeader, ",", ", ")},
		{Options{OptionalNumbers: []string{"issuer"}}, ""},
	} {
		c.o.Stdin = strings.NewReader(allHeader + "\n" + allRow + "\n")
		l, err := Open([]string{Stdin}, c.o)
		if (err == nil) != (c.want == "") || err != nil && err.Error() != c.want {
			t.Errorf("%v", err)
		}
		if err == nil {
			_ = l.Close()
		}
	}
}

// TestStdinOnce: what can be read once cannot be read twice.
func TestStdinOnce(t *testing.T) {
	l := open(t, []string{Stdin}, Options{Stdin: strings.NewReader(allHeader + "\n" + allRow + "\n")})
	c, err := l.File(0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.File(0, Position{}); err == nil || !strings.Contains(err.Error(), "read before") {
		t.Error(err)
	}
	if l.Size() != -1 || !l.Has(ColumnSegment) || l.Has(ColumnIssuer) || len(l.columns) != 11 {
		t.Error(l.Size(), l.columns)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Open([]string{Stdin}, Options{}); err == nil {
		t.Error("stdin was read without one")
	}
}

// TestBadRowsAmongOthers: what a row that is left out does not do to the rows around it.
func TestBadRowsAmongOthers(t *testing.T) {
	row := func(id, propensity, note string) string {
		return id + ",C,2026-03-05T10:00:00Z,1,P," + "0," + propensity + ",0.5,s,," + note + "\n"
	}
	at := func(s, position string) string { return strings.Replace(s, ",1,P", ","+position+",P", 1) }
	for _, c := range []struct {
		name, text string
		blockRows  int
		want       string // decisions of each block with their rows, and the line behind it
	}{
		{"the first of a decision", row("a", "1", "") + row("b", "0", "") + at(row("b", "1", ""), "2") + at(row("b", "1", ""), "3"), 9, "a1 b2 5"},
		{"the last of a full block", row("a", "1", "") + "x\n" + at(row("a", "1", ""), "2") + row("b", "1", ""), 2, "a2 4|b1 5"},
		{"all that could tell the decision", "x\n\n" + row("a", "1", "") + row("b", "1", ""), 1, "a1 4|b1 5"},
		{"between two of a decision", row("a", "1", "") + row("b", "0", "") + at(row("a", "1", ""), "2") + row("b", "1", ""), 9, "a2 b1 5"},
		{"lines within quotes behind a full block", row("a", "1", "") + at(row("a", "1", "\"\n\""), "2") + row("b", "1", ""), 1, "a2 4|b1 5"},
		{"a field too many at the end", row("a", "1", "") + row("b", "1", "x,y") + row("c", "1", ""), 9, "a1 c1 4"},
		{"a quote in a text", row("a", "1", "") + strings.Replace(row("b", "1", ""), ",s,", ",s\",", 1) + row("c", "1", ""), 9, "a1 c1 4"},
	} {
		o := allOptions
		o.SkipBad, o.blockRows, o.Stdin = true, c.blockRows, strings.NewReader(allHeader+"\n"+c.text)
		cursor, err := open(t, []string{Stdin}, o).File(0, Position{})
		if err != nil {
			t.Fatal(err)
		}
		var b Block
		var blocks []string
		for err = cursor.Next(&b); err == nil; err = cursor.Next(&b) {
			var s strings.Builder
			for i, d := range b.Decisions {
				n := int(b.Ends[i])
				if i > 0 {
					n -= int(b.Ends[i-1])
				}
				fmt.Fprintf(&s, "%s%d ", d.ID, n)
			}
			blocks = append(blocks, s.String()+strconv.FormatInt(b.End.Line, 10))
		}
		if got := strings.Join(blocks, "|"); !errors.Is(err, io.EOF) || got != c.want {
			t.Errorf("%s: read %q, expected %q: %v", c.name, got, c.want, err)
		}
	}
}

// TestBackslashInJSON: an escape is no text that was there before as it stands.
func TestBackslashInJSON(t *testing.T) {
	escaped := strings.Replace(allObject, `"young"`, `"a\\b"`, 1) // the text a\b
	control := strings.Replace(strings.Replace(allObject, `"young"`, `"a\b"`, 1), "d-1", "d-2", 1)
	if _, _, err := readText([]byte(escaped+"\n"+control+"\n"), NDJSON, 9); err == nil {
		t.Error("a backspace was read as a backslash and a b")
	}
	plain := strings.Replace(allObject, "d-1", "d-0", 1)
	if rows, _, err := readText([]byte(plain+"\n"+escaped+"\n"), NDJSON, 9); err != nil || rows[1].Segment != `a\b` {
		t.Error(rows, err)
	}
}

// TestBadRowBeforeTheFault: of a block that cannot be read to its end the bad row comes first.
func TestBadRowBeforeTheFault(t *testing.T) {
	text := allHeader + "\n" + strings.Replace(allRow, ",0.25,", ",0,", 1) + "\n\"open"
	_, _, err := readText([]byte(text), CSV, 9)
	if row, ok := errors.AsType[*RowError](err); !ok || row.Row != 1 {
		t.Error(err)
	}
}

// TestLinesOfALongDecision: line ends within quotes count as lines wherever the quotes come to be read.
func TestLinesOfALongDecision(t *testing.T) {
	var text strings.Builder
	text.WriteString(allHeader + "\n")
	for i := range 400 {
		note := strings.Repeat("x", 1000)
		if i == 390 {
			note = "\"\n\""
		}
		text.WriteString("d,C,2026-03-05T10:00:00Z," + strconv.Itoa(i+1) + ",P,0,1,0.5,s,," + note + "\n")
	}
	o := allOptions
	o.blockRows, o.Stdin = 1, strings.NewReader(text.String())
	c, err := open(t, []string{Stdin}, o).File(0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	var b Block
	if err := c.Next(&b); err != nil || b.Rows() != 400 || b.End.Line != 402 || b.End.Offset != int64(text.Len()) {
		t.Errorf("%v: %d rows to %+v of %d bytes", err, b.Rows(), b.End, text.Len())
	}
}

// TestBadRowAtTheEndOfABlock leaves the rows around a row without an id as they are, wherever blocks end: to find out whose
// row it is nothing may be written into the text.
func TestBadRowAtTheEndOfABlock(t *testing.T) {
	id := strings.Repeat("d", 120)
	row := func(position int) string {
		return fmt.Sprintf("%s,c1,2026-01-01T00:00:00Z,%d,P%d,1,0.5\n", id, position, position)
	}
	text := "decision_id,customer_id,decided_at,position,product_code,reward,propensity\n" + row(1) + ",,,,,,\n" + row(2) + row(3)
	for size := 1; size <= 4; size++ {
		blocks, err := readBlocks(t, kept(t, "log.csv", []byte(text)), Options{SkipBad: true, blockRows: size}, 1, Position{})
		if err != nil || len(blocks) != 1 {
			t.Fatalf("blocks of %d: %d of them, %v", size, len(blocks), err)
		}
		if b := blocks[0]; !slices.Equal(b.Position, []int32{1, 2, 3}) || len(b.Decisions) != 1 || b.BadRows != 1 || b.Bad[0].Row != 2 || b.Bad[0].Value != "" {
			t.Errorf("blocks of %d: positions %v of %d decisions, %v", size, b.Position, len(b.Decisions), b.Bad)
		}
	}
}
