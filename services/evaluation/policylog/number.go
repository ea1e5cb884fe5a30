package policylog

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
)

// padding is how many bytes of zeros follow a text that is scanned: words may be loaded at any byte of it.
const padding = 64

// number shows a number as short as it can be read back.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// scanNumber reads a number as JSON writes it, from text[p] on to the first byte that is no part of it, and rounds it as
// strconv.ParseFloat does; -0 is 0. It returns NaN and -1 where there is none, and where it takes more than this: numbers
// of more than 19 digits or of great exponents.
func scanNumber(text []byte, p int) (v float64, end int) {
	if text[p] == '0' && text[p+1] == '.' {
		if v, end = scanFraction(text, p+2); end >= 0 {
			return v, end
		}
	}
	if d := text[p] - '0'; d <= 9 && endsNumber[text[p+1]] {
		return float64(d), p + 1
	}
	v, end, ok := scanLong(text, p)
	if !ok {
		return math.NaN(), -1
	}
	return v + 0, end
}

// endsNumber holds of the bytes behind most numbers.
var endsNumber = [256]bool{',': true, '\n': true, '\r': true, '}': true, '"': true, 0: true}

// scanFraction reads what stands behind "0.": the shape of a probability. It has hardly a branch that depends on the
// digits. end is -1 where it is for scanLong.
func scanFraction(text []byte, p int) (v float64, end int) {
	text = text[p : p+24]
	m, k := uint64(0), 0
	x, n := eightBytes(text)
	if n == 8 {
		m = eightDigits(x)
		if x, n = eightBytes(text[8:]); n == 8 {
			m = m*1e8 + eightDigits(x)
			k = 8
			x, n = eightBytes(text[16:])
		}
		k += 8
	}
	m = m*powersOfTen[n&7] + eightDigits(x<<(64-8*uint(n)))
	if k += n; k == 0 || k > 19 || !endsNumber[text[k]] {
		return 0, -1
	}
	if k <= 15 {
		return float64(m) / exactTens[k], p + k
	}
	if m == 0 {
		return 0, p + k
	}
	return divide(m, k), p + k
}

// eightBytes loads eight bytes, of digits their values, and counts the digits before the first other byte.
func eightBytes(text []byte) (x uint64, digits int) {
	x = binary.LittleEndian.Uint64(text) ^ 0x3030303030303030
	// The top bit of each byte that is no digit, as far as the first of them; what is above it may be wrong.
	other := (x + 0x7676767676767676 | x) & 0x8080808080808080
	return x, bits.TrailingZeros64(other) >> 3
}

// scanLong reads a number of any shape.
func scanLong(text []byte, p int) (v float64, end int, ok bool) {
	negative := text[p] == '-'
	if negative {
		p++
	}
	first := p
	m, p := scanDigits(text, p, 0)
	if p == first || text[first] == '0' && p > first+1 {
		return 0, p, false
	}
	digits, exponent := p-first, 0
	if text[p] == '.' {
		p++
		point := p
		if text[first] == '0' { // zeros behind the point are no digits of the number; m alone may be an overflow
			for text[p] == '0' {
				p++
			}
			digits = 0
		}
		from := p
		m, p = scanDigits(text, p, m)
		digits += p - from
		if exponent = point - p; exponent == 0 {
			return 0, p, false
		}
	}
	if text[p]|0x20 == 'e' {
		var e int
		if e, p, ok = scanExponent(text, p+1); !ok {
			return 0, p, false
		}
		exponent += e
	}
	if digits > 19 {
		return 0, p, false
	}
	if v, ok = scale(m, exponent); negative {
		v = -v
	}
	return v, p, ok
}

// scanDigits appends the digits at text[p] to m; more than 19 overflow it.
func scanDigits(text []byte, p int, m uint64) (uint64, int) {
	for {
		x, n := eightBytes(text[p:])
		if n < 8 {
			return m*powersOfTen[n] + eightDigits(x<<(64-8*uint(n))), p + n
		}
		m = m*1e8 + eightDigits(x)
		p += 8
	}
}

// eightDigits is the number of eight digits, one a byte, the first in the lowest.
func eightDigits(x uint64) uint64 {
	x = (x * (10<<8 + 1)) >> 8 & 0x00ff00ff00ff00ff
	x = (x * (100<<16 + 1)) >> 16 & 0x0000ffff0000ffff
	return (x * (10000<<32 + 1)) >> 32
}

var powersOfTen = [8]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7}

// scanExponent reads what stands behind the e.
func scanExponent(text []byte, p int) (e, end int, ok bool) {
	negative := text[p] == '-'
	if negative || text[p] == '+' {
		p++
	}
	from := p
	for ; text[p]-'0' <= 9 && p < from+4; p++ {
		e = e*10 + int(text[p]-'0')
	}
	if negative {
		e = -e
	}
	return e, p, p > from && text[p]-'0' > 9
}

// exactTens are the powers of ten that a float64 holds exactly.
var exactTens = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// scale is m times ten to the exponent, rounded once: by one operation on exact values where both fit into a float64
// (Clinger, 1990), and else by a whole division.
func scale(m uint64, exponent int) (v float64, ok bool) {
	switch {
	case m < 1<<53 && exponent <= 0 && exponent >= -22:
		return float64(m) / exactTens[-exponent], true
	case m < 1<<53 && exponent > 0 && exponent <= 22:
		return float64(m) * exactTens[exponent], true
	case exponent < 0 && exponent >= -27 && m != 0:
		return divide(m, -exponent), true
	}
	return 0, false
}

// divisor is 10^k.
type divisor struct {
	five    uint64 // 5^k, shifted until its top bit is set
	inverse uint64 // 2^127 over that, rounded down
	power   int    // how the exponent of a quotient changes by it
}

var divisors = divisorsOf()

func divisorsOf() (d [32]divisor) { // 5^27 is the last below 2^63; the rest is never used
	five := uint64(1)
	for k := range 28 {
		shift := bits.LeadingZeros64(five)
		d[k] = divisor{five: five << shift, power: shift - k, inverse: math.MaxUint64}
		if k > 0 {
			d[k].inverse, _ = bits.Div64(1<<63, 0, d[k].five)
		}
		five *= 5
	}
	return d
}

// divide is m / 10^k, rounded to nearest, ties to even. m is not 0, k from 1 to 27. The quotient of m and 5^k is taken by
// a product (Lemire, 2021: Number parsing at a gigabyte per second): with the inverse rounded down it is too small by less
// than one, in units of its upper half. Where that might matter, which is once in 500 times, it is divided.
func divide(m uint64, k int) float64 {
	d := &divisors[k&31]
	shift := bits.LeadingZeros64(m)
	m <<= shift & 63
	q, below := bits.Mul64(m, d.inverse)
	if low := q & 0x1ff; low == 0x1ff || low == 0 && below == 0 {
		return divideExactly(m, d, shift)
	}
	drop := 10 + int(q>>63) // down to 53 bits; the last that goes decides, for what is behind it is not nothing
	q = (q>>(uint(drop-1)&63) + 1) >> 1
	return scaled(q, drop-63+d.power-shift)
}

// divideExactly divides by d; the remainder says whether there is something behind the quotient's 63 or 64 bits.
func divideExactly(m uint64, d *divisor, shift int) float64 {
	q, rest := bits.Div64(m>>1, m<<63, d.five)
	drop := 10 + int(q>>63)
	low, half := q&(1<<drop-1), uint64(1)<<(drop-1)
	if q >>= drop; low > half || low == half && (rest != 0 || q&1 == 1) {
		q++
	}
	return scaled(q, drop-63+d.power-shift)
}

// scaled is q times 2 to the power, for q from 2^52 to 2^53 and a normal result. The top bit of q adds one to the
// exponent, and so does the one more of 2^53.
func scaled(q uint64, power int) float64 {
	return math.Float64frombits(uint64(power+1023+51)<<52 + q)
}

// parseNumber reads a whole text as a finite decimal number. It takes what strconv.ParseFloat takes but for hexadecimals,
// underscores, infinities and NaN; of JSON only what JSON takes. -0 may be 0.
func parseNumber(v []byte, json bool) (float64, bool) {
	if !isNumber(v, json) {
		return 0, false
	}
	var text [2 * padding]byte
	if len(v) <= padding {
		copy(text[:], v)
		if f, end := scanNumber(text[:], 0); end == len(v) {
			return f, true
		}
	}
	f, err := strconv.ParseFloat(string(v), 64)
	return f, err == nil
}

func isNumber(v []byte, json bool) bool {
	if len(v) > 0 && (v[0] == '-' || v[0] == '+' && !json) {
		v = v[1:]
	}
	whole, v := cutDigits(v)
	if json && (whole == 0 || whole > 1 && v[0] == '0') {
		return false
	}
	rest, fraction := v[whole:], 0
	if len(rest) > 0 && rest[0] == '.' {
		fraction, rest = cutDigits(rest[1:])
		rest = rest[fraction:]
		if json && fraction == 0 {
			return false
		}
	}
	return whole+fraction > 0 && (len(rest) == 0 || isExponent(rest))
}

func isExponent(v []byte) bool {
	if v[0]|0x20 != 'e' {
		return false
	}
	if v = v[1:]; len(v) > 0 && (v[0] == '-' || v[0] == '+') {
		v = v[1:]
	}
	n, _ := cutDigits(v)
	return n > 0 && n == len(v)
}

// cutDigits counts the digits that v begins with.
func cutDigits(v []byte) (int, []byte) {
	for i, c := range v {
		if c-'0' > 9 {
			return i, v
		}
	}
	return len(v), v
}
