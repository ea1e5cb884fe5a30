package dataset

import (
	"bytes"
	"strconv"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// record is one row of fields in the order of a header: their bytes one after another,
// so that a row costs one string and no field costs an allocation.
type record struct {
	buf  []byte
	ends []int
}

func (r *record) reset() {
	r.buf = r.buf[:0]
	r.ends = r.ends[:0]
}

func (r *record) end() { r.ends = append(r.ends, len(r.buf)) }

func (r *record) field(i int) []byte {
	if i == 0 {
		return r.buf[:r.ends[0]]
	}
	return r.buf[r.ends[i-1]:r.ends[i]]
}

// The methods below append one field each. The zero value of an optional fact is
// written as an empty field: unknown.

func (r *record) text(s string) {
	r.buf = append(r.buf, s...)
	r.end()
}

func (r *record) date(d fund.Date) {
	r.buf = d.Append(r.buf)
	r.end()
}

func (r *record) instant(i fund.Instant) { r.text(i.String()) }

// number writes a number of which zero is a value.
func (r *record) number(n int64) {
	r.buf = strconv.AppendInt(r.buf, n, 10)
	r.end()
}

// knownNumber writes a number of which zero means unknown or none.
func (r *record) knownNumber(n int64) { r.numberIf(n != 0, n) }

// numberIf writes a number, or an empty field when it is not known.
func (r *record) numberIf(known bool, n int64) {
	if known {
		r.number(n)
	} else {
		r.end()
	}
}

func (r *record) flag(b bool) {
	r.buf = strconv.AppendBool(r.buf, b)
	r.end()
}

// price writes the shortest decimal that reads back as the same number.
func (r *record) price(x float64) {
	r.buf = strconv.AppendFloat(r.buf, x, 'f', -1, 64)
	r.end()
}

// shares writes a decimal of at most four places.
func (r *record) shares(s fund.Shares) {
	n := int64(s)
	if n < 0 { // refused by the check of what is written
		r.buf = append(r.buf, '-')
		n = -n
	}
	r.buf = strconv.AppendInt(r.buf, n/sharesScale, 10)
	if frac := n % sharesScale; frac != 0 {
		r.buf = append(r.buf, '.')
		for div := int64(sharesScale / 10); frac != 0; div /= 10 {
			r.buf = append(r.buf, byte('0'+frac/div))
			frac %= div
		}
	}
	r.end()
}

// appendCSV appends the record as a line, fields quoted where they need it.
func (r *record) appendCSV(dst []byte) []byte {
	for i := range r.ends {
		if i > 0 {
			dst = append(dst, ',')
		}
		f := r.field(i)
		if !bytes.ContainsAny(f, "\",\r\n") {
			dst = append(dst, f...)
			continue
		}
		dst = append(dst, '"')
		for _, c := range f {
			if c == '"' {
				dst = append(dst, '"')
			}
			dst = append(dst, c)
		}
		dst = append(dst, '"')
	}
	return append(dst, '\n')
}
