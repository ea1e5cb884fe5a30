package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// A table of any columns is read packed or not, and its errors name line, column and value.
func TestTable(t *testing.T) {
	t.Parallel()
	const text = "b,a,\"c,d\"\r\n1,\"x\n\"\"y\"\"\",\n2,z,w\n"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(text))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]io.Reader{"t.csv": strings.NewReader(text), "t.csv.gz": &packed} {
		table, err := OpenTable(in, name, "a", "b")
		if err != nil {
			t.Fatal(err)
		}
		if got := table.Columns(); !slices.Equal(got, []string{"b", "a", "c,d"}) {
			t.Errorf("%s: columns %q", name, got)
		}
		if err := table.Next(); err != nil || table.Field(0) != "1" || table.Field(1) != "x\n\"y\"" || table.Field(2) != "" {
			t.Errorf("%s: %q %q, %v", name, table.Field(0), table.Field(1), err)
		}
		if err := table.Next(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, want := table.Bad(1, "a number").Error(), name+`:4:a: "z", expected a number`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if err := table.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v, expected the end", name, err)
		}
	}
	if _, err := OpenTable(strings.NewReader("a\n"), "t.csv", "a", "b"); err == nil || !strings.Contains(err.Error(), "t.csv:1:b: column is missing") {
		t.Errorf("a column that is missing: %v", err)
	}
	if _, err := OpenTable(strings.NewReader("a,a\n"), "t.csv"); err == nil || !strings.Contains(err.Error(), "column comes twice") {
		t.Errorf("a column that comes twice: %v", err)
	}
}

// Whatever bytes come, there is an error or rows that another reader of CSV reads as well,
// and what AppendCSV writes reads back as the same rows.
func FuzzTable(f *testing.F) {
	f.Add([]byte("customer_id,as_of\nC1,2026-01-01\n"))
	f.Add([]byte("a,\"b\n\"\n\"x\"\"\",y\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := OpenTable(bytes.NewReader(data), "t.csv")
		if err != nil {
			return
		}
		columns := table.Columns()
		out := AppendCSV(nil, columns...)
		rows := [][]string{columns}
		for {
			err := table.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return
			}
			row := make([]string, len(columns))
			for i := range row {
				row[i] = table.Field(i)
			}
			rows = append(rows, row)
			out = AppendCSV(out, row...)
		}
		again, err := OpenTable(bytes.NewReader(out), "t.csv")
		if len(columns) == 1 || err != nil {
			if err != nil {
				t.Fatalf("%q does not read back: %v", out, err)
			}
			return // an empty only field looks like an empty line
		}
		for _, want := range rows[1:] {
			if err := again.Next(); err != nil {
				t.Fatalf("%q: %v", out, err)
			}
			for i := range want {
				if again.Field(i) != want[i] {
					t.Fatalf("%q reads back as %q", want[i], again.Field(i))
				}
			}
		}
		if _, err := csv.NewReader(bytes.NewReader(out)).ReadAll(); err != nil {
			t.Fatalf("%q: encoding/csv: %v", out, err)
		}
	})
}
