package policylog

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
)

// maxTries bounds the rows of a chunk that are looked at to learn what its rows look like.
const maxTries = 16

// scanner reads rows that look like one that was taken apart before: the same bytes between the values, which is what
// commas, quotes, keys and line ends are. A row that differs in anything, and one in which anything might be said against
// a value, is left to format.parse and builder.check, which decide.
type scanner struct {
	builder *builder
	steps   []step
	tail    []byte // behind the last value
	usual   bool   // the first steps are those of the columns that every log has, in their order
	tries   int    // how many more rows may be learned from

	now     Decision // the one in hand; without an ID: none
	head    []byte   // how that was written in the row before, if usualHead read it
	at      []byte   // an instant as it was written last, and
	instant int64    // what that is

	id, customer []byte // of the row; nil: those of now
	slow         parsed
}

// step is one value of a row.
type step struct {
	before []byte // the bytes before it
	slot   int    // -1: not read
	end    byte   // the byte behind it
	quoted bool
	json   bool
}

// begin sets up for a chunk.
func (s *scanner) begin(t *textReader, b *builder) {
	s.builder, s.steps, s.tries, s.now, s.at, s.head = b, s.steps[:0], maxTries, Decision{}, nil, nil
	s.slow.begin(t)
}

// take reads row n of the file slowly, which stands from begin to end in the chunk.
func (s *scanner) take(f format, c *chunk, begin, end int, n int64) error {
	row := c.text[begin:end]
	b, r := s.builder, &s.slow
	s.head = nil
	if column, want := f.parse(row, r); want != "" {
		if b.passOver() {
			return nil
		}
		return b.bad(Bad{Row: n, Line: c.line(begin), Column: column, Value: shown(bytes.TrimRight(row, "\r\n")), Want: want})
	}
	if slot, want := b.check(&r.record); want != "" {
		if b.passOver() {
			return nil
		}
		return b.bad(Bad{Row: n, Line: c.line(begin), Column: b.plan.columns[slot].name, Value: shown(r.cells[slot].text), Want: want})
	}
	b.commit(&b.values)
	s.now = b.block.Decisions[len(b.block.Decisions)-1]
	if len(s.steps) == 0 && s.tries > 0 {
		s.tries--
		s.learn(row)
	}
	return nil
}

// line is the line, from 1, of the row that begins at p.
func (c *chunk) line(p int) int64 {
	return c.from.Line + int64(bytes.Count(c.text[:p], []byte{'\n'})) + 1
}

// learn takes the row that was read last as what rows look like.
func (s *scanner) learn(row []byte) {
	from := 0
	for _, f := range s.slow.fields {
		if !f.plain {
			s.steps = s.steps[:0]
			return
		}
		s.steps = append(s.steps, step{
			before: row[from:f.from], slot: f.slot, end: row[f.to], json: s.slow.json,
			quoted: f.from > 0 && row[f.from-1] == '"' && row[f.to] == '"',
		})
		from = f.to
	}
	s.tail = row[from:]
	s.usual = len(s.steps) >= slotOthers
	for i := range min(len(s.steps), slotOthers) {
		s.usual = s.usual && s.steps[i].slot == i
	}
}

// row reads the row at text[p] and appends it to the block. It returns where the row ends, -1 where that was not to be
// done here: then nothing has changed.
func (s *scanner) row(text []byte, p int) int {
	if len(s.steps) == 0 {
		return -1
	}
	s.id, s.customer = nil, nil
	steps := s.steps
	if s.usual {
		if p = s.usualHead(text, p, (*[slotOthers]step)(steps)); p >= 0 {
			p = s.usualRow(text, p, (*[slotOthers]step)(steps))
		}
		if p < 0 {
			return -1
		}
		steps = steps[slotOthers:]
	}
	for i := range steps {
		st := &steps[i]
		if p = after(text, p, st.before); p >= 0 {
			p = s.value(text, p, st)
		}
		if p < 0 {
			return -1
		}
	}
	if p = after(text, p, s.tail); p < 0 || !s.commit() {
		return -1
	}
	return p
}

// after is where text goes on behind what must stand at p, -1 where that does not stand there.
func after(text []byte, p int, what []byte) int {
	switch n := len(what); {
	case n == 1:
		if text[p] != what[0] {
			return -1
		}
	case p+n > len(text) || !bytes.Equal(text[p:p+n], what):
		return -1
	}
	return p + len(what)
}

// usualHead reads what a row says of its decision, where the columns that every log has come first and in their order:
// the same as the loop of row does, without asking for each value which one it is.
func (s *scanner) usualHead(text []byte, p int, st *[slotOthers]step) int {
	begin := p
	if e := p + len(s.head); e > p && e < len(text) && text[e] == st[slotAt].end && bytes.Equal(text[p:e], s.head) {
		return e
	}
	if p = after(text, p, st[slotDecision].before); p < 0 {
		return -1
	}
	if p = s.decision(text, p, st[slotDecision].end); p < 0 {
		return -1
	}
	if p = after(text, p, st[slotCustomer].before); p < 0 {
		return -1
	}
	if p = s.customerID(text, p, st[slotCustomer].end); p < 0 {
		return -1
	}
	if p = after(text, p, st[slotAt].before); p < 0 {
		return -1
	}
	if p = s.decidedAt(text, p, st[slotAt].end); p >= 0 {
		s.head = text[begin:p]
	}
	return p
}

// usualRow goes on behind usualHead.
func (s *scanner) usualRow(text []byte, p int, st *[slotOthers]step) int {
	if p = after(text, p, st[slotPosition].before); p < 0 {
		return -1
	}
	v := &s.builder.values
	if v.position, p = scanPosition(text, p); p < 0 {
		return -1
	}
	if p = after(text, p, st[slotProduct].before); p < 0 {
		return -1
	}
	if p = s.product(text, p, st[slotProduct].end); p < 0 {
		return -1
	}
	if p = after(text, p, st[slotReward].before); p < 0 {
		return -1
	}
	if p = s.reward(text, p, &st[slotReward]); p < 0 {
		return -1
	}
	if p = after(text, p, st[slotPropensity].before); p < 0 {
		return -1
	}
	if v.propensity, p = scanNumber(text, p); !isPropensity(v.propensity) {
		return -1
	}
	if p = after(text, p, st[slotTarget].before); p < 0 {
		return -1
	}
	if v.target, p = scanNumber(text, p); !isTarget(v.target) {
		return -1
	}
	return p
}

// value reads one value, and returns where it ends.
func (s *scanner) value(text []byte, p int, st *step) int {
	v := &s.builder.values
	switch st.slot {
	case slotDecision:
		return s.decision(text, p, st.end)
	case slotCustomer:
		return s.customerID(text, p, st.end)
	case slotAt:
		return s.decidedAt(text, p, st.end)
	case slotPosition:
		v.position, p = scanPosition(text, p)
	case slotProduct:
		return s.product(text, p, st.end)
	case slotReward:
		return s.reward(text, p, st)
	case slotPropensity:
		if v.propensity, p = scanNumber(text, p); !isPropensity(v.propensity) {
			return -1
		}
	case slotTarget:
		if v.target, p = scanNumber(text, p); !isTarget(v.target) {
			return -1
		}
	case -1:
		return st.skip(text, p)
	default:
		return s.other(text, p, st)
	}
	return p
}

// decision reads the decision's id: mostly that of the row before.
func (s *scanner) decision(text []byte, p int, end byte) int {
	if e := p + len(s.now.ID); e > p && e < len(text) && text[e] == end && bytes.Equal(text[p:e], s.now.ID) {
		return e
	}
	e := p
	for byteClass[text[e]] != 0 {
		e++
	}
	if s.id = text[p:e]; text[e] != end || !isDecisionID(s.id) {
		return -1
	}
	return e
}

func (s *scanner) customerID(text []byte, p int, end byte) int {
	if e := p + len(s.now.CustomerID); e > p && e < len(text) && text[e] == end && bytes.Equal(text[p:e], s.now.CustomerID) {
		return e
	}
	e := p
	for byteClass[text[e]]&idByte != 0 {
		e++
	}
	if s.customer = text[p:e]; text[e] != end || !isID(s.customer) {
		return -1
	}
	return e
}

// decidedAt reads the instant: mostly written as in the row before.
func (s *scanner) decidedAt(text []byte, p int, end byte) int {
	if e := p + len(s.at); e > p && e < len(text) && text[e] == end && bytes.Equal(text[p:e], s.at) {
		return e
	}
	e := p
	for text[e] != end && e-p < len("2006-01-02T15:04:05.123456789+08:00") {
		e++
	}
	instant, ok := parseInstant(text[p:e])
	if !ok || text[e] != end {
		return -1
	}
	s.at, s.instant = text[p:e], instant
	return e
}

func (s *scanner) product(text []byte, p int, end byte) int {
	e := indexOf(text, p, end)
	if e < 0 {
		return -1
	}
	v := &s.builder.values.product
	v.value = text[p:e]
	if v.place = s.builder.codes.findAt(text, p, e); v.place == noPlace && !isID(v.value) {
		return -1
	}
	return e
}

func (s *scanner) reward(text []byte, p int, st *step) int {
	v, p := scanOptional(text, p, st)
	if s.builder.values.reward = v; p >= 0 && !math.IsNaN(v) && !s.builder.plan.isReward(v) {
		return -1
	}
	return p
}

// other reads a value of the columns that were asked for besides.
func (s *scanner) other(text []byte, p int, st *step) int {
	b := s.builder
	i := st.slot - slotOthers
	if i >= b.plan.texts {
		b.values.numbers[i-b.plan.texts], p = scanOptional(text, p, st)
		return p
	}
	e := st.skip(text, p)
	if e < 0 || e-p > maxText {
		return -1
	}
	v := &b.values.texts[i]
	v.value = text[p:e]
	if v.place = b.texts[i].findAt(text, p, e); v.place == noPlace && !isText(v.value) {
		return -1
	}
	return e
}

// commit appends the row. False: it is not for here.
func (s *scanner) commit() bool {
	b := s.builder
	if s.id == nil {
		if s.customer != nil || s.instant != s.now.At || b.isRepeated(b.values.position) {
			return false
		}
	} else {
		s.now.ID, s.now.At = s.id, s.instant
		if s.customer != nil {
			s.now.CustomerID = s.customer
		}
		b.beginDecision(s.now.ID, s.now.CustomerID, s.now.At)
	}
	b.commit(&b.values)
	return true
}

// skip steps over a value that is a text or is not read.
func (st *step) skip(text []byte, p int) int {
	switch {
	case st.json && !st.quoted:
		line := bytes.IndexByte(text[p:], '\n')
		if line < 0 {
			return -1
		}
		j := jsonText{text: text[:p+line], at: p}
		if !j.skip(0) {
			return -1
		}
		return j.at
	case st.json:
		for text[p] != '"' {
			if text[p] == '\\' || text[p] < ' ' {
				return -1
			}
			p++
		}
		return p
	case st.quoted:
		return indexOf(text, p, '"')
	}
	for !endsField[text[p]] {
		p++
	}
	return p
}

// endsField holds of the bytes that a field without quotes ends at, and of those that are not for the scanner.
var endsField = [256]bool{',': true, '\n': true, '\r': true, '"': true, 0: true}

// scanPosition reads a whole number from 1 to maxPosition.
func scanPosition(text []byte, p int) (position int32, end int) {
	for n := 0; ; n++ {
		c := text[p] - '0'
		if c > 9 {
			break
		}
		if position = position*10 + int32(c); position == 0 || n == 4 {
			return 0, -1
		}
		p++
	}
	if position == 0 || position > maxPosition {
		return 0, -1
	}
	return position, p
}

// scanOptional reads a number, or nothing as NaN.
func scanOptional(text []byte, p int, st *step) (v float64, end int) {
	switch {
	case !st.json && text[p] == st.end:
		return math.NaN(), p
	case st.json && string(text[p:p+4]) == "null":
		return math.NaN(), p + 4
	}
	return scanNumber(text, p)
}

// indexOf is where c stands first from text[p] on, -1: nowhere near the end of a text that may be read.
func indexOf(text []byte, p int, c byte) int {
	const low, high = 0x0101010101010101, 0x8080808080808080
	for ; p+8 <= len(text); p += 8 {
		x := binary.LittleEndian.Uint64(text[p:]) ^ low*uint64(c)
		if found := (x - low) &^ x & high; found != 0 { // right as far as the first byte that is 0
			return p + bits.TrailingZeros64(found)>>3
		}
	}
	return -1
}
