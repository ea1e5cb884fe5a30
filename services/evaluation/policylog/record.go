package policylog

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// maxText bounds a value of a column of text, in bytes.
const maxText = 1 << 10

// What is expected of the columns that every log has, in the words of the messages.
const (
	wantDecision   = "1 to 128 of 0-9 A-Z a-z . _ : -, the first a letter or digit"
	wantID         = "1 to 64 of 0-9 A-Z a-z . _ -, the first a letter or digit"
	wantAt         = "an RFC 3339 instant of the years 1900 to 2199"
	wantPosition   = "a whole number from 1 to 1000"
	wantPropensity = "a number above 0 and at most 1"
	wantTarget     = "a number from 0 to 1"
	wantNumber     = "a finite decimal number, or nothing"
	wantText       = "UTF-8 text of at most 1024 bytes without control characters"
	wantNoRepeat   = "a position that the decision has not had"
)

// record is one row as a format gives it, in the slots of the plan. Values are checked by builder.check.
type record struct {
	cells     []cell
	row, line int64 // from 1; line 0 where rows have none
	steady    bool  // the texts last as long as the chunk: they need not be copied
}

// cell is one value of a row. text is there for every kind but cellNone, for messages.
type cell struct {
	kind    cellKind
	text    []byte
	number  float64 // of cellNumber
	instant int64   // of cellInstant, in nanoseconds since 1970-01-01T00:00:00Z
}

type cellKind uint8

const (
	cellNone    cellKind = iota // empty, null, or the file has no such column
	cellText                    // text, and what stands in place of a number but is none
	cellNumber                  // may be NaN or infinite where a format can say so: which is bad
	cellInstant                 // of a format that has instants
)

// add checks a row, column by column in the order of the plan, and appends it. A bad row is an error, or is left out and
// taken note of (plan.skipBad).
func (b *builder) add(r *record) error {
	slot, want := b.check(r)
	if want == "" {
		b.commit(&b.values)
		return nil
	}
	if b.passOver() {
		return nil
	}
	return b.bad(Bad{Row: r.row, Line: r.line, Column: b.plan.columns[slot].name, Value: shown(r.cells[slot].text), Want: want})
}

// check reads the row into b.values, and says what of it is not as it is wanted; "": it is good, and its decision begun.
func (b *builder) check(r *record) (slot int, want string) {
	head, begins, slot, want := b.checkHead(r)
	if want != "" {
		return slot, want
	}
	if slot, want = b.checkRow(r, begins); want != "" {
		return slot, want
	}
	if slot, want = b.checkOthers(r); want != "" {
		return slot, want
	}
	if begins {
		if !r.steady {
			head.ID, head.CustomerID = b.keep(head.ID), b.keep(head.CustomerID)
		}
		b.beginDecision(head.ID, head.CustomerID, head.At)
	}
	return 0, ""
}

// checkHead checks what is the same for all rows of a decision. begins: it is another than the one in hand.
func (b *builder) checkHead(r *record) (head Decision, begins bool, slot int, want string) {
	id, customer, at := &r.cells[slotDecision], &r.cells[slotCustomer], &r.cells[slotAt]
	instant, isInstant := at.instant, at.kind == cellInstant
	if at.kind == cellText {
		instant, isInstant = parseInstant(at.text)
	}
	switch {
	case id.kind != cellText || !isDecisionID(id.text):
		return head, false, slotDecision, wantDecision
	case customer.kind != cellText || !isID(customer.text):
		return head, false, slotCustomer, wantID
	case !isInstant || instant < minInstant || instant > maxInstant:
		return head, false, slotAt, wantAt
	case !b.isDecision(id.text):
		return Decision{ID: id.text, CustomerID: customer.text, At: instant}, true, 0, ""
	}
	now := &b.block.Decisions[len(b.block.Decisions)-1]
	if !bytes.Equal(now.CustomerID, customer.text) {
		return head, false, slotCustomer, "the decision's " + string(now.CustomerID)
	}
	if now.At != instant {
		return head, false, slotAt, "the instant of the decision's rows before"
	}
	return head, false, 0, ""
}

// checkRow checks the columns of a row that every log has, into b.values.
func (b *builder) checkRow(r *record, begins bool) (slot int, want string) {
	v := &b.values
	position, product, reward := &r.cells[slotPosition], &r.cells[slotProduct], &r.cells[slotReward]
	propensity, target := &r.cells[slotPropensity], &r.cells[slotTarget]
	if position.kind != cellNumber || !isPosition(position.number) {
		return slotPosition, wantPosition
	}
	if v.position = int32(position.number); !begins && b.isRepeated(v.position) {
		return slotPosition, wantNoRepeat
	}
	if product.kind != cellText || !isID(product.text) {
		return slotProduct, wantID
	}
	v.product = text{place: b.codes.find(product.text), value: product.text}
	if v.reward = reward.orNaN(); reward.kind != cellNone && !b.plan.isReward(v.reward) {
		return slotReward, b.plan.wantReward()
	}
	if v.propensity = propensity.orNaN(); !isPropensity(v.propensity) {
		return slotPropensity, wantPropensity
	}
	if v.target = target.orNaN() + 0; b.plan.target && !isTarget(v.target) {
		return slotTarget, wantTarget
	}
	return 0, ""
}

// checkOthers checks the columns that were asked for besides, into b.values.
func (b *builder) checkOthers(r *record) (slot int, want string) {
	others := r.cells[slotOthers:]
	for i := range others[:b.plan.texts] {
		c := &others[i]
		if c.kind != cellNone && (c.kind != cellText || !isText(c.text)) {
			return slotOthers + i, wantText
		}
		b.values.texts[i] = text{place: b.texts[i].find(c.textOf()), value: c.textOf()}
	}
	for i := range others[b.plan.texts:] {
		c := &others[b.plan.texts+i]
		v := c.orNaN()
		if c.kind != cellNone && !isFinite(v) {
			return slotOthers + b.plan.texts + i, wantNumber
		}
		b.values.numbers[i] = v
	}
	return 0, ""
}

// orNaN is the cell's number with -0 as 0, NaN where it has none.
func (c *cell) orNaN() float64 {
	if c.kind != cellNumber {
		return math.NaN()
	}
	return c.number + 0
}

func (c *cell) textOf() []byte {
	if c.kind != cellText {
		return nil
	}
	return c.text
}

// isPosition holds of the whole numbers from 1 to maxPosition.
func isPosition(v float64) bool { return v >= 1 && v <= maxPosition && v == math.Trunc(v) }

// isPropensity holds of (0, 1], and not of NaN.
func isPropensity(v float64) bool { return v > 0 && v <= 1 }

// isTarget holds of [0, 1], and not of NaN.
func isTarget(v float64) bool { return v >= 0 && v <= 1 }

func isFinite(v float64) bool { return math.Abs(v) <= math.MaxFloat64 }

// isReward holds of finite numbers within the range that was asked for.
func (p *plan) isReward(v float64) bool {
	return isFinite(v) && (!p.ranged || v >= p.low && v <= p.high)
}

func (p *plan) wantReward() string {
	if !p.ranged {
		return wantNumber
	}
	return "a number from " + number(p.low) + " to " + number(p.high) + ", or nothing"
}

// isID holds of customer ids and product codes: [0-9A-Za-z][0-9A-Za-z._-]{0,63}.
func isID(v []byte) bool {
	if len(v) == 8 && areAlphanumeric(binary.LittleEndian.Uint64(v)) { // most customers
		return true
	}
	return len(v) <= 64 && isWord(v, idByte)
}

// areAlphanumeric reports whether eight bytes are digits and letters, all at once: each byte is below 80, and then the highest
// bit of what is added to it says whether it is above a bound.
func areAlphanumeric(x uint64) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	lower := x | 0x20*each // digits stay, capitals become small; what is none may become one, which the bit 40 tells
	digit := (x + (0x80-'0')*each) &^ (x + (0x80-'9'-1)*each)
	letter := (lower + (0x80-'a')*each) &^ (lower + (0x80-'z'-1)*each) & (x << 1)
	return x&high == 0 && (digit|letter)&high == high
}

// isDecisionID holds of [0-9A-Za-z][0-9A-Za-z._:-]{0,127}.
func isDecisionID(v []byte) bool {
	if _, is := parseUUID(v); is {
		return true
	}
	return len(v) <= 128 && isWord(v, idByte|colonByte)
}

// The classes of bytes in ids.
const (
	firstByte = 1 << iota // 0-9 A-Z a-z
	laterByte             // . _ -
	colonByte             // :
	idByte    = firstByte | laterByte
)

func isWord(v []byte, later uint8) bool {
	if len(v) == 0 || byteClass[v[0]] != firstByte {
		return false
	}
	for _, c := range v[1:] {
		if byteClass[c]&later == 0 {
			return false
		}
	}
	return true
}

var byteClass = byteClasses()

func byteClasses() (classes [256]uint8) {
	for c := range classes {
		switch b := byte(c); {
		case '0' <= b && b <= '9', 'A' <= b && b <= 'Z', 'a' <= b && b <= 'z':
			classes[c] = firstByte
		case b == '.', b == '_', b == '-':
			classes[c] = laterByte
		case b == ':':
			classes[c] = colonByte
		}
	}
	return classes
}

// isText holds of what may stand in a column of text.
func isText(v []byte) bool {
	if len(v) > maxText {
		return false
	}
	for _, c := range v {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(v)
}
