package policylog

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/services/evaluation/packed"
	"github.com/fundmatch/fundmatch/services/evaluation/parquetfile"
)

// maxRun bounds the rows that a block goes on for: a file of a few bytes can say one id a billion times.
const maxRun = 1 << 20

// parquetReader reads a Parquet file. What split takes are pages as they lie in the file; decode unpacks them.
type parquetReader struct {
	in    *input
	plan  *plan
	file  *parquetfile.File
	names []string
	slots []parquetColumn // by slot of the plan
	row   int64           // of the next split
}

// parquetColumn is where a slot's values come from.
type parquetColumn struct {
	reader *parquetfile.Reader // nil: the file does not have it, or it is not asked for
	kind   parquetfile.Kind
}

// parquetChunk is what split takes off a Parquet file: by slot, the parts of pages that the chunk's rows are in.
type parquetChunk struct {
	segments [][]parquetfile.Segment
	scratch  parquetScratch
}

// The types of columns, in the words of the messages.
const (
	wantTextType    = "BYTE_ARRAY (STRING or ENUM)"
	wantAtType      = "BYTE_ARRAY (STRING) of RFC 3339, or INT64 (TIMESTAMP of UTC)"
	wantIntegerType = "INT32 or INT64"
	wantNumberType  = "DOUBLE, INT32 or INT64; a FLOAT has lost digits, write it as DOUBLE"
)

// openParquet reads a Parquet file.
func openParquet(in *input, p *plan) (reader, error) {
	if in.packing != packed.None || in.size < 0 {
		return nil, &FileError{File: in.name, Found: "a Parquet file that cannot be read at any place", Want: "a file on disk, not packed by gzip or zstd: its pages are packed"}
	}
	names := make([]string, len(p.columns))
	for i, c := range p.columns {
		names[i] = c.name
	}
	file, err := parquetfile.Open(&placeCounter{in}, in.size, names, &p.pages)
	if err != nil {
		return nil, parquetError(in, err)
	}
	r := &parquetReader{in: in, plan: p, file: file, names: file.Names, slots: make([]parquetColumn, len(p.columns))}
	for i := range file.Columns {
		c := &file.Columns[i]
		slot := p.slot(c.Name)
		if slot < 0 {
			continue
		}
		if want := p.wantType(slot, c.Kind); want != "" {
			return nil, &FileError{File: in.name, Column: c.Name, Found: "of type " + c.Type, Want: want}
		}
		r.slots[slot] = parquetColumn{reader: file.Reader(i), kind: c.Kind}
	}
	return r, nil
}

// wantType says what a slot's type should be; "": it is.
func (p *plan) wantType(slot int, kind parquetfile.Kind) string {
	switch {
	case slot == slotAt && kind != parquetfile.Text && kind != parquetfile.Instant:
		return wantAtType
	case slot == slotAt:
	case slot == slotPosition && kind != parquetfile.Integer:
		return wantIntegerType
	case p.columns[slot].number && kind != parquetfile.Double && kind != parquetfile.Integer:
		return wantNumberType
	case !p.columns[slot].number && kind != parquetfile.Text:
		return wantTextType
	}
	return ""
}

// parquetError tells what is wrong with the file.
func parquetError(in *input, err error) error {
	var e *parquetfile.Error
	if !errors.As(err, &e) {
		return &FileError{File: in.name, Found: "cannot be read", Err: err}
	}
	told := *e
	told.Column, told.Row, told.Expected = "", 0, ""
	return &FileError{File: in.name, Row: max(e.Row-1, 0), Column: e.Column, Found: strings.TrimSuffix(told.Error(), "; expected "), Want: e.Expected}
}

func (r *parquetReader) columns() []string { return r.names }

func (r *parquetReader) resume(from Position) error {
	if from.Row < 0 || from.Row > r.file.Rows {
		return &FileError{File: r.in.name, Row: r.file.Rows, Found: "at its end", Want: "more rows: it was read further before"}
	}
	r.row = from.Row
	for _, c := range r.slots {
		if c.reader == nil {
			continue
		}
		if err := c.reader.Skip(from.Row); err != nil {
			return parquetError(r.in, err)
		}
	}
	return nil
}

func (r *parquetReader) split(k *chunk) error {
	p := &k.parquet
	p.release()
	if r.row == r.file.Rows {
		return io.EOF
	}
	p.segments = resized(p.segments, len(r.slots))
	rows, err := r.splitDecisions(p)
	for slot := slotDecision + 1; slot < len(r.slots) && err == nil; slot++ {
		if c := &r.slots[slot]; c.reader == nil {
			p.segments[slot] = p.segments[slot][:0]
		} else {
			p.segments[slot], err = c.reader.Take(p.segments[slot][:0], rows)
		}
	}
	if err != nil {
		return parquetError(r.in, err)
	}
	r.row += int64(rows)
	k.rows = rows
	k.end = Position{Row: r.row}
	return nil
}

// splitDecisions takes the rows' decisions, and with them says how many rows the block has.
func (r *parquetReader) splitDecisions(p *parquetChunk) (rows int, err error) {
	for i := range p.segments {
		p.segments[i] = p.segments[i][:0]
	}
	ids := r.slots[slotDecision].reader
	rows = int(min(int64(r.plan.blockRows), r.file.Rows-r.row))
	if p.segments[slotDecision], err = ids.Take(p.segments[slotDecision], rows); err != nil {
		return 0, err
	}
	last, err := p.lastID()
	if err != nil {
		return 0, err
	}
	more, err := ids.Run(last, maxRun)
	if err != nil {
		return 0, err
	}
	if more == maxRun {
		return 0, &parquetfile.Error{
			Column: ColumnDecisionID, Row: r.row + int64(rows), Problem: "the same decision in more than a million rows", Expected: "at most 1000 rows a decision",
		}
	}
	p.segments[slotDecision], err = ids.Take(p.segments[slotDecision], more)
	return rows + more, err
}

// lastID is the id of the last row that was taken and has one; nil: none has.
func (p *parquetChunk) lastID() ([]byte, error) {
	rows := 1 // mostly it is the very last row's
	for _, s := range slices.Backward(p.segments[slotDecision]) {
		for s.To > s.From {
			from := max(s.From, s.To-rows)
			texts, err := p.scratch.values.Texts(parquetfile.Segment{Page: s.Page, From: from, To: s.To})
			if err != nil {
				return nil, err
			}
			for i := range slices.Backward(texts.Index) {
				if id := texts.Row(i); len(id) > 0 {
					return id, nil
				}
			}
			s.To, rows = from, batchRows
		}
	}
	return nil, nil
}

func (r *parquetReader) close() error {
	for _, c := range r.slots {
		if c.reader != nil {
			c.reader.Close()
		}
	}
	return r.in.close()
}

// release gives the pages back once nobody looks at the block any more, whose ids lie in them.
func (p *parquetChunk) release() {
	for i := range p.segments {
		for j := range p.segments[i] {
			p.segments[i][j].Release()
		}
		p.segments[i] = p.segments[i][:0]
	}
}

// placeCounter counts what is read at any place. It is used by one goroutine at a time: under the cursor's lock.
type placeCounter struct{ in *input }

// ReadAt reads and counts.
func (c *placeCounter) ReadAt(b []byte, at int64) (int, error) {
	n, err := c.in.file.ReadAt(b, at)
	c.in.count.read.Add(int64(n))
	c.in.count.own += int64(n)
	return n, err
}
