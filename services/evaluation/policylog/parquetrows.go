package policylog

import (
	"math"
	"strconv"
	"time"

	"github.com/fundmatch/fundmatch/services/evaluation/parquetfile"
)

// batchRows are decoded at once where rows are taken one by one.
const batchRows = 256

// batchColumn is a column's values of a batch, of its kind.
type batchColumn struct {
	values  parquetfile.Values // its own: texts of all columns are looked at together
	texts   [][]byte           // nil: null
	integer []int64
	double  []float64
	present []bool
	segment int // of the chunk, where the next batch begins
	from    int // in that segment
}

// decodeRows hands over the rows one by one.
func (r *parquetReader) decodeRows(k *chunk, b *builder) error {
	s := &k.parquet.scratch
	s.batch = resized(s.batch, len(r.slots))
	for slot := range s.batch {
		s.batch[slot].segment, s.batch[slot].from = 0, 0
	}
	s.cells = resized(s.cells, len(r.slots))
	for from := 0; from < k.rows; from += batchRows {
		n := min(batchRows, k.rows-from)
		for slot, c := range r.slots {
			if c.reader == nil {
				continue
			}
			if err := s.batch[slot].read(c.kind, k.parquet.segments[slot], n); err != nil {
				return parquetError(r.in, err)
			}
		}
		for i := range n {
			if err := b.add(&record{cells: r.cells(s, i), row: k.from.Row + int64(from+i) + 1}); err != nil {
				return err
			}
		}
	}
	return nil
}

// cells are those of a row of the batch.
func (r *parquetReader) cells(s *parquetScratch, i int) []cell {
	for slot, c := range r.slots {
		if s.cells[slot] = (cell{}); c.reader != nil {
			s.cells[slot] = s.batch[slot].cell(c.kind, i)
		}
	}
	return s.cells
}

// read decodes the next n rows.
func (c *batchColumn) read(kind parquetfile.Kind, segments []parquetfile.Segment, n int) error {
	c.texts, c.integer, c.double = resized(c.texts, n), resized(c.integer, n), resized(c.double, n)
	c.present = resized(c.present, n)
	for row := 0; row < n; {
		s := segments[c.segment]
		s.From += c.from
		if s.To-s.From > n-row {
			s.To = s.From + n - row
			c.from += n - row
		} else {
			c.segment, c.from = c.segment+1, 0
		}
		if err := c.readSegment(kind, row, s); err != nil {
			return err
		}
		row += s.To - s.From
	}
	return nil
}

func (c *batchColumn) readSegment(kind parquetfile.Kind, row int, s parquetfile.Segment) error {
	var present []bool
	var err error
	switch kind {
	case parquetfile.Text:
		t, err := c.values.Texts(s)
		if err != nil {
			return err
		}
		for i := range t.Index {
			c.texts[row+i] = t.Row(i)
		}
		return t.Check()
	case parquetfile.Double:
		present, err = c.values.Doubles(c.double[row:], s)
	case parquetfile.Integer, parquetfile.Instant:
		present, err = c.values.Integers(c.integer[row:], s)
	case parquetfile.Other:
	}
	for i := range s.To - s.From {
		c.present[row+i] = true
	}
	copy(c.present[row:], present)
	return err
}

// cell is the value of a row as the checks and the messages want it.
func (c *batchColumn) cell(kind parquetfile.Kind, i int) cell {
	switch {
	case kind == parquetfile.Text && len(c.texts[i]) == 0, kind != parquetfile.Text && !c.present[i]:
		return cell{}
	case kind == parquetfile.Text:
		return cell{kind: cellText, text: c.texts[i]}
	case kind == parquetfile.Double:
		return cell{kind: cellNumber, number: c.double[i], text: []byte(number(c.double[i]))}
	case kind == parquetfile.Instant:
		at := time.Unix(0, c.integer[i]).UTC().Format(time.RFC3339Nano)
		return cell{kind: cellInstant, instant: c.integer[i], text: []byte(at)}
	}
	whole := cell{kind: cellNumber, number: float64(c.integer[i]), text: strconv.AppendInt(nil, c.integer[i], 10)}
	if c.integer[i] > 1<<53 || c.integer[i] < -1<<53 {
		whole.number = math.NaN() // none that a float64 holds exactly
	}
	return whole
}
