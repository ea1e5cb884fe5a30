package policylog

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestParquetDamage cuts files off and changes their bytes: an error names the file; what is read for all that are rows
// that hold together, as many as the blocks say.
func TestParquetDamage(t *testing.T) {
	var good [][]byte
	for _, v := range variants() {
		good = append(good, v.bytes(t, seededRows(60, 1)))
	}
	r := rand.New(rand.NewPCG(5, 6))
	told := 0
	for i := range 400 {
		bad := bytes.Clone(good[i%len(good)])
		if i%5 == 0 {
			bad = bad[:r.IntN(len(bad))]
		} else {
			bad[r.IntN(len(bad))] ^= byte(1 + r.IntN(255))
		}
		path := kept(t, "log.parquet", bad)
		o := readAll()
		o.blockRows = 16
		blocks, err := readBlocks(t, path, o, 1+i%3, Position{})
		for _, b := range blocks {
			if n := b.Rows(); n != int(b.Ends[len(b.Ends)-1]) || n != len(b.Propensity) || n != len(b.Texts[0].Values) {
				t.Fatalf("a block of %d rows: %v", n, b)
			}
		}
		if err != nil {
			told++
			var file *FileError
			var row *RowError
			if !errors.As(err, &file) && !errors.As(err, &row) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("%v does not name the file", err)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if told < 150 {
		t.Errorf("%d of 400 damaged files are told", told)
	}
}

// TestParquetDamageIsPlaced tells the column, the row group and how far the file could be read.
func TestParquetDamageIsPlaced(t *testing.T) {
	var w variant
	for _, x := range variants() {
		if x.name == "plain" {
			w = x
		}
	}
	w.options = []parquet.WriterOption{parquet.MaxRowsPerRowGroup(100)}
	good := w.bytes(t, seededRows(300, 1))
	at := bytes.Index(good, []byte("d-25")) // lies in the second group
	bad := bytes.Clone(good)
	bad[at] = 'e'
	path := kept(t, "log.parquet", bad)
	_, err := readBlocks(t, path, readAll(), 2, Position{})
	var file *FileError
	if !errors.As(err, &file) || file.File != path || file.Column != ColumnDecisionID || file.Row != 100 ||
		!strings.Contains(file.Found, "row group 2") || !strings.Contains(file.Error(), "checksum") {
		t.Errorf("got %v", err)
	}
}

// TestParquetCannotBePiped is told, and what to do.
func TestParquetCannotBePiped(t *testing.T) {
	var file *FileError
	if _, err := Open([]string{"-"}, Options{Format: Parquet, Stdin: bytes.NewReader([]byte("PAR1"))}); !errors.As(err, &file) || file.File != "-" {
		t.Errorf("stdin: %v", err)
	}
	path := kept(t, "log.parquet.gz", []byte("\x1f\x8b"))
	if _, err := Open([]string{path}, Options{}); err == nil {
		t.Error("a packed Parquet file is no error")
	}
}

// TestParquetReadCounts tells progress by the bytes that are read, once.
func TestParquetReadCounts(t *testing.T) {
	path := written(t, Parquet, "log.parquet", everyColumn(), seededRows(4000, 1))
	l, err := Open([]string{path}, readAll())
	if err != nil {
		t.Fatal(err)
	}
	if l.Read() != 0 {
		t.Errorf("%d bytes are read before the first block", l.Read())
	}
	c, err := l.File(0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	var b Block
	for err == nil {
		err = c.Next(&b)
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if l.Read() < l.Size()*8/10 || l.Read() > l.Size()*13/10 {
		t.Errorf("%d bytes of %d are read", l.Read(), l.Size())
	}
}

// TestParquetOneDecisionForEver ends: a few bytes can say one id for a million rows.
func TestParquetOneDecisionForEver(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes two million rows")
	}
	type row struct {
		DecisionID string  `parquet:"decision_id,dict"`
		CustomerID string  `parquet:"customer_id,dict"`
		At         int64   `parquet:"decided_at,dict,timestamp(nanosecond)"`
		Position   int32   `parquet:"position,dict"`
		Product    string  `parquet:"product_code,dict"`
		Reward     float64 `parquet:"reward,dict"`
		Propensity float64 `parquet:"propensity,dict"`
	}
	var out bytes.Buffer
	w := parquet.NewGenericWriter[row](&out)
	rows := make([]row, 10_000)
	for i := range rows {
		rows[i] = row{"d", "c", 1, 1, "p", 0, 1}
	}
	for range 120 {
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := readBlocks(t, kept(t, "log.parquet", out.Bytes()), Options{SkipBad: true}, 1, Position{})
	var file *FileError
	if !errors.As(err, &file) || file.Column != ColumnDecisionID {
		t.Errorf("got %v", err)
	}
}
