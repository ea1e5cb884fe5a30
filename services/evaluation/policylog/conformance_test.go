package policylog

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// formats are all ways of writing a log.
func formats() []Format { return []Format{CSV, NDJSON, Parquet} }

// unchecked is a log of rows that a Writer would refuse.
func unchecked(t *testing.T, f Format, rows []Row) string {
	t.Helper()
	var b bytes.Buffer
	table := map[Format]func() tableWriter{
		CSV:     func() tableWriter { return newCSVWriter(&b, everyColumn()) },
		NDJSON:  func() tableWriter { return newNDJSONWriter(&b, everyColumn()) },
		Parquet: func() tableWriter { return newParquetWriter(&b, everyColumn()) },
	}[f]()
	for i := range rows {
		if err := table.write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.close(); err != nil {
		t.Fatal(err)
	}
	return kept(t, "log."+f.String(), b.Bytes())
}

// TestFormatsAgree reads the same blocks, with the same hashes, from every format, for any number of workers.
func TestFormatsAgree(t *testing.T) {
	rows := seededRows(2500, 5)
	for _, size := range []int{64, 1000, BlockRows} {
		o := readAll()
		o.blockRows = size
		want, err := readBlocks(t, written(t, CSV, "log.csv", everyColumn(), rows), o, 1, Position{})
		if err != nil {
			t.Fatal(err)
		}
		sameRows(t, rows, rowsOf(want, everyColumn()))
		for _, f := range formats() {
			path := written(t, f, "log."+f.String(), everyColumn(), rows)
			for _, workers := range []int{1, 2, 8} {
				got, err := readBlocks(t, path, o, workers, Position{})
				if err != nil {
					t.Fatal(err)
				}
				sameBlocks(t, want, got)
			}
		}
	}
}

// spoiled are ways to make one row of a log bad.
func spoiled() map[string]func(r *Row) {
	return map[string]func(r *Row){
		"no decision":        func(r *Row) { r.DecisionID = "" },
		"wrong decision":     func(r *Row) { r.DecisionID = "d 1" },
		"long decision":      func(r *Row) { r.DecisionID = strings.Repeat("d", 129) },
		"no customer":        func(r *Row) { r.CustomerID = "" },
		"other customer":     func(r *Row) { r.CustomerID = "D1" },
		"other instant":      func(r *Row) { r.DecidedAt++ },
		"instant before":     func(r *Row) { r.DecidedAt = minInstant - 1 },
		"position 0":         func(r *Row) { r.Position = 0 },
		"position 1001":      func(r *Row) { r.Position = 1001 },
		"no product":         func(r *Row) { r.ProductCode = "" },
		"wrong product":      func(r *Row) { r.ProductCode = "-x" },
		"reward too high":    func(r *Row) { r.Reward = 4e21 },
		"propensity 0":       func(r *Row) { r.Propensity = 0 },
		"propensity above 1": func(r *Row) { r.Propensity = 1.0000000000000002 },
		"target below 0":     func(r *Row) { r.Target = -5e-324 },
		"long text":          func(r *Row) { r.Texts = []string{strings.Repeat("富", 400), ""} },
		"control character":  func(r *Row) { r.Texts = []string{"a\x01b", ""} },
	}
}

// TestFormatsAgreeOnBadRows tells the same row, column, value and expectation whatever the format, and leaves out the same
// rows.
func TestFormatsAgreeOnBadRows(t *testing.T) {
	for name, spoil := range spoiled() {
		t.Run(name, func(t *testing.T) {
			rows := seededRows(600, 6)
			at := slices.IndexFunc(rows[200:], func(r Row) bool { return r.Position == 3 }) + 200
			rows[at].Texts = slices.Clone(rows[at].Texts)
			spoil(&rows[at])
			rows[500].Propensity = -1 // is told only where bad rows are left out
			o := readAll()
			o.RewardLow, o.RewardHigh, o.blockRows = -2e21, 3e21, 128
			var told []Bad
			var blocks [][]*Block
			for _, f := range formats() {
				if f == NDJSON && name == "control character" {
					continue // JSON itself has none
				}
				path := unchecked(t, f, rows)
				_, err := readBlocks(t, path, o, 3, Position{})
				var bad *RowError
				if !errors.As(err, &bad) {
					t.Fatalf("%v: %v", f, err)
				}
				bad.File, bad.Line = "", 0
				told = append(told, bad.Bad)
				left := o
				left.SkipBad = true
				got, err := readBlocks(t, path, left, 2, Position{})
				if err != nil {
					t.Fatal(err)
				}
				blocks = append(blocks, got)
			}
			if told[0].Row != int64(at)+1 && !strings.HasSuffix(name, "decision") {
				t.Errorf("told of row %d, want %d", told[0].Row, at+1)
			}
			for i := range told[1:] {
				if diff := cmp.Diff(told[0], told[i+1]); diff != "" {
					t.Error(diff)
				}
				sameBlocks(t, blocks[0], blocks[i+1])
			}
		})
	}
}

// TestFormatsAgreeOnRowsWithoutDecisions holds that a row without an id belongs to the decision before it, wherever a block
// would end: no decision comes back in the next one.
func TestFormatsAgreeOnRowsWithoutDecisions(t *testing.T) {
	const rowsOfDecision = 8
	for name, without := range map[string][]int{
		"behind the block's last row": {8 + 4},
		"the block's last row":        {8 + 3},
		"on both sides":               {8 + 2, 8 + 3, 8 + 4, 8 + 5},
		"from the decision's end on":  {8 + 7, 16},
		"a whole block":               {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		"all":                         {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23},
	} {
		t.Run(name, func(t *testing.T) {
			var rows []Row
			for i := range 3 * rowsOfDecision {
				row := seededRows(1, 3)[0]
				row.DecisionID, row.Position = "d"+strconv.Itoa(i/rowsOfDecision), int32(i%rowsOfDecision+1)
				if slices.Contains(without, i) {
					row.DecisionID = ""
				}
				rows = append(rows, row)
			}
			for _, size := range []int{12, 16} {
				o := readAll()
				o.SkipBad, o.blockRows = true, size
				var want []*Block
				for _, f := range formats() {
					got, err := readBlocks(t, unchecked(t, f, rows), o, 1, Position{})
					if err != nil {
						t.Fatal(err)
					}
					if want == nil {
						want = got
					}
					sameBlocks(t, want, got)
					seen, bad := map[string]bool{}, 0
					for _, b := range got {
						bad += b.BadRows
						for _, d := range b.Decisions {
							if seen[string(d.ID)] {
								t.Errorf("%v, blocks of %d: decision %s comes back", f, size, d.ID)
							}
							seen[string(d.ID)] = true
						}
					}
					if bad != len(without) {
						t.Errorf("%v, blocks of %d: %d bad rows, expected %d", f, size, bad, len(without))
					}
				}
			}
		})
	}
}

// TestFormatsAgreeOnRepeatedPositions does so for what only the row before shows.
func TestFormatsAgreeOnRepeatedPositions(t *testing.T) {
	rows := seededRows(300, 8)
	at := slices.IndexFunc(rows[100:], func(r Row) bool { return r.Position == 2 }) + 100
	rows[at].Position = 1
	for _, f := range formats() {
		_, err := readBlocks(t, unchecked(t, f, rows), readAll(), 1, Position{})
		var bad *RowError
		if !errors.As(err, &bad) || bad.Row != int64(at)+1 || bad.Column != ColumnPosition || bad.Value != "1" || bad.Want != wantNoRepeat {
			t.Errorf("%v: %v", f, err)
		}
	}
}

// TestWriterRefusesBadRows holds what reading would refuse.
func TestWriterRefusesBadRows(t *testing.T) {
	for name, spoil := range spoiled() {
		if name == "reward too high" {
			continue // a range is the reader's
		}
		rows := seededRows(300, 6)
		at := slices.IndexFunc(rows[200:], func(r Row) bool { return r.Position == 3 }) + 200
		rows[at].Texts = slices.Clone(rows[at].Texts)
		spoil(&rows[at])
		for _, f := range formats() {
			w, err := NewWriter(new(bytes.Buffer), f, everyColumn())
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(rows[:at]); err != nil {
				t.Fatal(err)
			}
			if err := w.Write(rows[at:]); err == nil {
				t.Errorf("%v, %s: no error", f, name)
			}
		}
	}
	if _, err := NewWriter(new(bytes.Buffer), CSV, Columns{Texts: []string{"a", "a"}}); err == nil {
		t.Error("a column twice is no error")
	}
}

// TestEmptyLogs have their columns and no rows.
func TestEmptyLogs(t *testing.T) {
	for _, f := range []Format{CSV, Parquet} { // an NDJSON log without rows has no columns
		blocks, err := readBlocks(t, written(t, f, "log."+f.String(), everyColumn(), nil), readAll(), 2, Position{})
		if err != nil || len(blocks) > 0 {
			t.Errorf("%v: %d blocks, %v", f, len(blocks), err)
		}
	}
}
