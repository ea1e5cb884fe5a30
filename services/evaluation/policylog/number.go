package policylog

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
)

// padding is how many bytes of zeros follow a text that is scanned: words may be loaded at any byte of it.
const padding = 16

// number shows a number as short as it can be read back.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// scanNumber reads a number as JSON writes it, from text[p] on to the first byte that is no part of it, and rounds it as
// strconv.ParseFloat does. ok is false where there is none, and where it takes more than this: numbers of more than 19
// digits or of great exponents.
func scanNumber(text []byte, p int) (v float64, end int, ok bool) {
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
		if m == 0 { // zeros behind the point are no digits of the number
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
	if v, ok = scale(m, exponent); negative && m != 0 {
		v = -v
	}
	return v, p, ok
}

// scanDigits appends the digits at text[p] to m; more than 19 overflow it.
func scanDigits(text []byte, p int, m uint64) (uint64, int) {
	for {
		x := binary.LittleEndian.Uint64(text[p:]) ^ 0x3030303030303030
		// The top bit of each byte that is no digit, as far as the first of them; what is above it may be wrong.
		other := (x + 0x7676767676767676 | x) & 0x8080808080808080
		if other != 0 {
			n := bits.TrailingZeros64(other) >> 3
			if n == 0 {
				return m, p
			}
			return m*powersOfTen[n] + eightDigits(x<<(64-8*n)), p + n
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

var powersOfFive = fives()

func fives() (powers [28]uint64) { // the 27th is the last below 2^63
	for i, p := 0, uint64(1); i < len(powers); i, p = i+1, p*5 {
		powers[i] = p
	}
	return powers
}

// divide is m / 10^k, rounded to nearest, ties to even. m is not 0, k from 0 to 27. The quotient of 63 or 64 bits of m
// and 5^k has more bits than a float64, and the remainder says whether there is something behind them.
func divide(m uint64, k int) float64 {
	mShift, dShift := bits.LeadingZeros64(m), bits.LeadingZeros64(powersOfFive[k])
	m <<= mShift
	q, rest := bits.Div64(m>>1, m<<63, powersOfFive[k]<<dShift)
	drop := 11 - bits.LeadingZeros64(q)
	low, half := q&(1<<drop-1), uint64(1)<<(drop-1)
	q >>= drop
	if low > half || low == half && (rest != 0 || q&1 == 1) {
		q++
	}
	power := drop - 63 + dShift - mShift - k
	return float64(q) * math.Float64frombits(uint64(1023+power)<<52)
}

// parseNumber reads a whole text as a finite decimal number. It takes what strconv.ParseFloat takes but for hexadecimals,
// underscores, infinities and NaN; of JSON only what JSON takes.
func parseNumber(v []byte, json bool) (float64, bool) {
	if !isNumber(v, json) {
		return 0, false
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
	if whole+fraction == 0 {
		return false
	}
	if len(rest) > 0 && rest[0]|0x20 == 'e' {
		if rest = rest[1:]; len(rest) > 0 && (rest[0] == '-' || rest[0] == '+') {
			rest = rest[1:]
		}
		n, _ := cutDigits(rest)
		return n > 0 && n == len(rest)
	}
	return len(rest) == 0
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
