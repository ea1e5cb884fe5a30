package fund

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrMalformed is wrapped by every error about bytes that are no encoded value.
var ErrMalformed = errors.New("malformed encoding")

// ErrNewerVersion is wrapped when bytes were written by a newer program.
var ErrNewerVersion = errors.New("written by a newer version")

// Encoder appends values in the canonical form that heads and decision records are
// stored in: unsigned and zigzag varints, and bytes with their length before them. The
// same values give the same bytes.
type Encoder struct{ Buf []byte }

// Uint appends an unsigned number.
func (e *Encoder) Uint(v uint64) { e.Buf = binary.AppendUvarint(e.Buf, v) }

// Int appends a signed number.
func (e *Encoder) Int(v int64) { e.Buf = binary.AppendVarint(e.Buf, v) }

// Byte appends one byte.
func (e *Encoder) Byte(v byte) { e.Buf = append(e.Buf, v) }

// Text appends a text.
func (e *Encoder) Text(s string) {
	e.Uint(uint64(len(s)))
	e.Buf = append(e.Buf, s...)
}

// Fixed64 appends eight bytes, little endian: for the bits of a float64.
func (e *Encoder) Fixed64(v uint64) { e.Buf = binary.LittleEndian.AppendUint64(e.Buf, v) }

// Decoder reads what Encoder wrote. After the first error every read returns zero;
// Err tells.
type Decoder struct {
	buf  []byte
	text string // a copy of buf whose parts are the texts; "": each text is a copy of its own
	off  int
	err  error
}

// NewDecoder returns a decoder over b, which it does not copy.
func NewDecoder(b []byte) *Decoder { return &Decoder{buf: b} }

// newWholeDecoder returns a decoder whose texts are all parts of one copy of b: for values
// that live as long as their texts, with one allocation for all of them.
func newWholeDecoder(b []byte) *Decoder { return &Decoder{buf: b, text: string(b)} }

// Err returns the first error.
func (d *Decoder) Err() error { return d.err }

// Done returns the first error, or one that says that bytes are left.
func (d *Decoder) Done() error {
	if d.err == nil && d.off != len(d.buf) {
		d.fail("%d bytes left over", len(d.buf)-d.off)
	}
	return d.err
}

func (d *Decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: byte %d: %s", ErrMalformed, d.off, fmt.Sprintf(format, args...))
	}
}

// Uint reads an unsigned number.
func (d *Decoder) Uint() uint64 {
	// Most numbers of a head take one byte.
	if d.err == nil && d.off < len(d.buf) && d.buf[d.off] < 0x80 {
		d.off++
		return uint64(d.buf[d.off-1])
	}
	return d.longUint()
}

func (d *Decoder) longUint() uint64 {
	if d.err != nil {
		return 0
	}
	v, n := binary.Uvarint(d.buf[d.off:])
	if n <= 0 {
		d.fail("expected a number")
		return 0
	}
	d.off += n
	return v
}

// Int reads a signed number.
func (d *Decoder) Int() int64 {
	u := d.Uint() // zigzag, as binary.Varint
	return int64(u>>1) ^ -int64(u&1)
}

// Byte reads one byte.
func (d *Decoder) Byte() byte {
	if d.err != nil || d.off >= len(d.buf) {
		d.fail("expected one byte more")
		return 0
	}
	d.off++
	return d.buf[d.off-1]
}

// Text reads a text.
func (d *Decoder) Text() string {
	n := d.Uint()
	if d.err != nil {
		return ""
	}
	if n > uint64(len(d.buf)-d.off) {
		d.fail("expected %d bytes of text, %d are left", n, len(d.buf)-d.off)
		return ""
	}
	from := d.off
	d.off += int(n)
	if d.text != "" {
		return d.text[from:d.off]
	}
	return string(d.buf[from:d.off])
}

// Fixed64 reads eight bytes, little endian.
func (d *Decoder) Fixed64() uint64 {
	if d.err != nil || len(d.buf)-d.off < 8 {
		d.fail("expected eight bytes more")
		return 0
	}
	d.off += 8
	return binary.LittleEndian.Uint64(d.buf[d.off-8:])
}

// Count reads the length of a list whose entries take at least one byte each.
func (d *Decoder) Count(limit int) int {
	n := d.Uint()
	if d.err == nil && (n > uint64(limit) || n > uint64(len(d.buf)-d.off)) {
		d.fail("a list of %d entries, expected at most %d", n, min(limit, len(d.buf)-d.off))
	}
	if d.err != nil {
		return 0
	}
	return int(n)
}

// Step reads a number of a table of so many entries.
func (d *Decoder) Step(entries int) uint8 {
	v := d.Byte()
	if int(v) >= entries {
		d.fail("code %d, expected less than %d", v, entries)
		return 0
	}
	return v
}

// Day reads a date.
func (d *Decoder) Day() Date {
	v := d.Int()
	if v == 0 {
		return 0
	}
	day, err := NewDate(int(v/10000), int(v/100%100), int(v%100))
	if err != nil {
		d.fail("%v", err)
	}
	return day
}

// Int32 reads a signed number that fits 32 bits.
func (d *Decoder) Int32() int32 {
	v := d.Int()
	if v < math.MinInt32 || v > math.MaxInt32 {
		d.fail("number %d, expected one of 32 bits", v)
		return 0
	}
	return int32(v)
}

// VersionError says that an encoding's version byte is not one that this program knows.
func VersionError(what string, got, known byte) error {
	if got > known {
		return fmt.Errorf("%w: %s of version %d, this program knows %d", ErrNewerVersion, what, got, known)
	}
	return fmt.Errorf("%w: %s of version %d, expected 1 to %d", ErrMalformed, what, got, known)
}
