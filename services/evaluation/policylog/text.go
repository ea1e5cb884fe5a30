package policylog

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/fundmatch/fundmatch/services/evaluation/packed"
)

// Limits of a text file's shape. What exceeds them is an error before it is memory.
const (
	MaxLine      = 1 << 20   // bytes of one row, its line end included
	MaxBlockText = 256 << 20 // bytes of the rows of one block
	maxColumns   = 1000

	readSize = 256 << 10 // bytes that are read at a time
)

// format is what the rows of a text format look like.
type format interface {
	// columns reads them off the head of the file. n is how many bytes and lines come before the first row; -1: it takes
	// more of the file to know.
	columns(text []byte, ended bool) (names []string, n, lines int, err error)
	// rowEnd is the end of the row that begins at p, behind its line feed; -1: it does not end within text.
	rowEnd(text []byte, p int) int
	// parse takes a row apart. want is "" or what is expected of a row as a whole.
	// In column it names the one that is to blame, if it is one.
	parse(row []byte, into *parsed) (column, want string)
}

// textReader reads files of rows of text.
type textReader struct {
	in     *input
	plan   *plan
	format format
	layout layout
	quotes bool // rows may hold line ends within quotes

	carry   []byte   // read, but not yet part of a chunk
	at      Position // where it begins
	ended   bool     // all is read
	endless bool     // the last line had no line end, and was given one
	row     parsed   // of split
	id      []byte   // of the last row of a block
}

// layout is what columns a file has.
type layout struct {
	names  []string
	slots  []int // in the plan; -1: not read
	places map[string]int
}

func (l *layout) read(p *plan) {
	l.slots = make([]int, len(l.names))
	l.places = make(map[string]int, len(l.names))
	for i, n := range l.names {
		l.slots[i], l.places[n] = p.slot(n), i
	}
}

// newTextReader reads the columns.
func newTextReader(in *input, p *plan, f format, quotes bool) (*textReader, error) {
	t := &textReader{in: in, plan: p, format: f, quotes: quotes}
	for {
		names, n, lines, err := f.columns(t.carry, t.ended)
		if err != nil {
			return nil, err
		}
		if n >= 0 && n <= MaxLine {
			t.layout.names = names
			t.at = Position{Offset: int64(n), Line: int64(lines)}
			t.carry = t.carry[n:]
			break
		}
		if max(n, len(t.carry)) > MaxLine {
			return nil, &FileError{File: in.name, Found: "a first row of more than " + strconv.Itoa(MaxLine) + " bytes", Want: "at most so many"}
		}
		if t.carry, err = t.more(t.carry); err != nil {
			return nil, in.broken(0, err)
		}
	}
	if n := len(t.layout.names); n > maxColumns {
		return nil, &FileError{File: in.name, Found: strconv.Itoa(n) + " columns", Want: "at most " + strconv.Itoa(maxColumns)}
	}
	t.layout.read(p)
	t.row.begin(t)
	return t, nil
}

func (t *textReader) columns() []string { return t.layout.names }

func (t *textReader) close() error { return t.in.close() }

// resume goes on where a block ended.
func (t *textReader) resume(from Position) error {
	skip := from.Offset - t.at.Offset
	if skip < 0 || from.Row < 0 || from.Line < t.at.Line {
		return &FileError{File: t.in.name, Found: "a position before the first row", Want: "the end of a block"}
	}
	have := min(skip, int64(len(t.carry)))
	t.carry, skip = t.carry[have:], skip-have
	if skip > 0 {
		if err := t.skip(skip, from); err != nil {
			return err
		}
	}
	t.at = from
	return nil
}

// skip goes on by so many bytes: without reading them where the file allows that.
func (t *textReader) skip(n int64, from Position) error {
	if t.in.file != nil && t.in.size >= 0 && t.in.packing == packed.None {
		if from.Offset > t.in.size {
			return &FileError{File: t.in.name, Found: strconv.FormatInt(t.in.size, 10) + " bytes", Want: "the file that was begun, of " + strconv.FormatInt(from.Offset, 10) + " at least"}
		}
		if _, err := t.in.file.Seek(from.Offset, io.SeekStart); err != nil {
			return t.in.broken(from.Row, err)
		}
		t.in.count.skip(n)
		return nil
	}
	if _, err := io.CopyN(io.Discard, t.in.in, n); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return t.in.broken(from.Row, err)
	}
	return nil
}

// more appends what is read next to text, and sees whether the file ends.
func (t *textReader) more(text []byte) ([]byte, error) {
	text = slices.Grow(text, readSize+padding)
	for to := len(text) + readSize; len(text) < to && !t.ended; {
		n, err := t.in.in.Read(text[len(text):to])
		text = text[:len(text)+n]
		switch {
		case errors.Is(err, io.EOF):
			t.ended = true
		case err != nil:
			return text, err
		}
	}
	return text, nil
}

// split takes the next block's rows off the file.
func (t *textReader) split(c *chunk) error {
	t.at.Block, c.from = c.from.Block, t.at
	s := splitting{textReader: t, text: append(c.text[:0], t.carry...)}
	err := s.rowsOfBlock()
	if err == nil {
		err = s.toDecisionEnd()
	}
	rest := s.text[s.end:]
	t.carry = append(t.carry[:0], rest...)
	s.text = slices.Grow(s.text[:s.end], padding)
	clear(s.text[s.end : s.end+padding])
	c.text, c.rows = s.text, s.rows
	lines := s.rows
	if s.quoted {
		lines = bytes.Count(c.text, []byte{'\n'})
	}
	t.at.Offset += int64(s.end)
	if t.endless && len(rest) == 0 {
		t.at.Offset--
	}
	t.at.Row += int64(s.rows)
	t.at.Line += int64(lines)
	c.end = t.at
	if err == nil && s.rows == 0 {
		return io.EOF
	}
	return err
}

// splitting is the state of one split.
type splitting struct {
	*textReader
	text   []byte
	end    int // of the rows that are counted
	rows   int
	last   int  // where the last of them begins
	quoted bool // there are quotes: line ends need not end a row
}

// rowsOfBlock counts the rows of a block, or those that are left.
func (s *splitting) rowsOfBlock() error {
	for {
		if err := s.advance(); err != nil || s.rows == s.plan.blockRows {
			return err
		}
		if more, err := s.read(); err != nil || !more {
			return err
		}
	}
}

// advance counts the rows that are read, as far as they belong to the block.
func (s *splitting) advance() error {
	rest := s.text[s.end:]
	if s.quotes && !s.quoted {
		s.quoted = bytes.IndexByte(rest, '"') >= 0
	}
	if first := bytes.IndexByte(rest, '\n'); first >= MaxLine {
		return s.tooLong()
	} else if first < 0 {
		return nil
	}
	if !s.quoted {
		s.advanceLines(rest)
		return nil
	}
	for s.rows < s.plan.blockRows {
		e := s.format.rowEnd(s.text, s.end)
		if e < 0 {
			return nil
		}
		if e-s.end > MaxLine {
			return s.tooLong()
		}
		s.last, s.end, s.rows = s.end, e, s.rows+1
	}
	return nil
}

// advanceLines counts rows that are lines. rest has one at least.
func (s *splitting) advanceLines(rest []byte) {
	lineEnd := []byte{'\n'}
	want := s.plan.blockRows - s.rows
	if n := bytes.Count(rest, lineEnd); n <= want {
		rest = rest[:bytes.LastIndexByte(rest, '\n')+1]
		want = n
	} else {
		rest = rest[:endOfLine(rest, want)]
	}
	s.last = s.end + bytes.LastIndexByte(rest[:len(rest)-1], '\n') + 1
	s.end += len(rest)
	s.rows += want
}

// endOfLine is where line n of text ends, from 1. There are more.
func endOfLine(text []byte, n int) int {
	lineEnd := []byte{'\n'}
	from, to := 0, len(text) // it ends behind from and not behind to; n counts from from on
	for to-from > 1<<10 {
		half := from + (to-from)/2
		if c := bytes.Count(text[from:half], lineEnd); c < n {
			from, n = half, n-c
		} else {
			to = half
		}
	}
	for ; n > 0; n-- {
		from += bytes.IndexByte(text[from:], '\n') + 1
	}
	return from
}

// read reads on. more is false where nothing is left.
func (s *splitting) read() (more bool, err error) {
	switch {
	case s.ended && s.end == len(s.text):
		return false, nil
	case s.ended && s.endless:
		return false, s.broken("a quoted field that does not end", "a closing quote")
	case s.ended:
		s.text, s.endless = append(s.text, '\n'), true
		return true, nil
	case len(s.text)-s.end > MaxLine:
		return false, s.tooLong()
	case len(s.text) > MaxBlockText:
		return false, s.broken("a block of "+strconv.Itoa(s.plan.blockRows)+" rows that takes more than "+strconv.Itoa(MaxBlockText)+" bytes", "shorter rows")
	}
	s.reserve()
	if s.text, err = s.more(s.text); err != nil {
		return false, s.in.broken(s.at.Row+int64(s.rows), err)
	}
	return true, nil
}

// reserve makes room for a whole block, judged by the rows so far, so that the text does not grow by doubling.
func (s *splitting) reserve() {
	if s.rows == 0 || cap(s.text)-len(s.text) >= readSize+padding {
		return
	}
	perRow := s.end/s.rows + 1
	room := max(s.plan.blockRows-s.rows, 0)*perRow*17/16 + 2*readSize
	if s.in.size >= 0 && s.in.packing == packed.None {
		room = min(room, int(s.in.size)+2*readSize)
	}
	s.text = slices.Grow(s.text, room)
}

// toDecisionEnd goes on to the end of the decision that a full block ends in. A row whose id cannot be read belongs to
// the decision before it.
func (s *splitting) toDecisionEnd() error {
	if s.rows < s.plan.blockRows {
		return nil
	}
	now, known := s.lastID()
	for over := 0; ; over++ {
		end, err := s.nextRow()
		if err != nil || end < 0 {
			return err
		}
		if id, ok := s.idOf(s.end, end); ok {
			if known && !bytes.Equal(id, now) {
				return nil
			}
			if !known {
				now, known = append(now[:0], id...), true
			}
		}
		if over == maxRun {
			return s.broken("a decision that goes on for more than "+strconv.Itoa(maxRun)+" rows", "at most "+strconv.Itoa(maxPosition))
		}
		s.last, s.end, s.rows = s.end, end, s.rows+1
	}
}

// nextRow is where the row behind the counted ones ends; -1: there is none.
func (s *splitting) nextRow() (end int, err error) {
	for {
		if s.end < len(s.text) {
			if end = s.format.rowEnd(s.text, s.end); end-s.end > MaxLine {
				return -1, s.tooLong()
			}
			if end >= 0 {
				s.quoted = s.quoted || s.quotes && bytes.IndexByte(s.text[s.end:end], '"') >= 0
				return end, nil
			}
		}
		if more, err := s.read(); err != nil || !more {
			return -1, err
		}
	}
}

// lastID is the id of the last counted row, or of the last before it that can be read. It is a copy: idOf gives a part of
// the text, and who appends to that writes over the rows.
func (s *splitting) lastID() (id []byte, known bool) {
	s.id = s.id[:0]
	if v, known := s.idOf(s.last, s.end); known {
		s.id = append(s.id, v...)
		return s.id, true
	}
	for p := 0; p < s.end; {
		e := s.format.rowEnd(s.text, p)
		if v, ok := s.idOf(p, e); ok {
			s.id, known = append(s.id[:0], v...), true
		}
		p = e
	}
	return s.id, known
}

// idOf is the decision id of a row.
func (s *splitting) idOf(from, to int) ([]byte, bool) {
	_, want := s.format.parse(s.text[from:to], &s.row)
	id := &s.row.cells[slotDecision]
	return id.text, want == "" && id.kind == cellText
}

func (s *splitting) tooLong() error {
	return s.broken("a row of more than "+strconv.Itoa(MaxLine)+" bytes", "at most so many")
}

func (s *splitting) broken(found, want string) error {
	return &FileError{File: s.in.name, Row: s.at.Row + int64(s.rows), Found: found, Want: want}
}

// decode takes the chunk's rows apart: those that look like the first one at once, the others slowly.
func (t *textReader) decode(c *chunk, b *builder) error {
	s := &b.scanner
	s.begin(t, b)
	rows := c.text
	text := rows[:len(rows)+padding]
	n := c.from.Row
	for p := 0; p < len(rows); {
		n++
		end := s.row(text, p)
		if end < 0 {
			end = t.format.rowEnd(rows, p)
			if err := s.take(t.format, c, p, end, n); err != nil {
				return err
			}
		}
		p = end
	}
	return nil
}
