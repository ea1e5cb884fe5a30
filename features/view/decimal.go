package view

import (
	"cmp"
	"math/big"
	"strings"
)

// MaxDecimalDigits is how many digits a decimal number may have when it is written without
// an exponent, before and behind the point together.
const MaxDecimalDigits = 64

// canonicalDecimal brings a JSON number into its canonical digits; false: it is none, or
// has too many. What is canonical already comes back without allocating.
func canonicalDecimal(s string) (string, bool) {
	n, ok := scanNumber(s)
	if !ok {
		return "", false
	}
	if n.isCanonical() {
		return s, len(n.whole)+len(n.fraction) <= MaxDecimalDigits
	}
	digits := n.whole + n.fraction
	point := len(n.whole) + n.exponent // place of the point in digits
	lead := len(digits) - len(strings.TrimLeft(digits, "0"))
	digits, point = digits[lead:], point-lead
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return "0", true
	}
	if max(point, 1)+max(len(digits)-point, 0) > MaxDecimalDigits {
		return "", false
	}
	return n.write(digits, point), true
}

// number is a JSON number in its parts.
type number struct {
	negative        bool
	whole, fraction string
	scaled          bool // it has an exponent
	exponent        int
}

// isCanonical reports whether the number says everything once.
func (n *number) isCanonical() bool {
	zero := n.negative && n.whole == "0" && n.fraction == ""
	return !n.scaled && !zero && !strings.HasSuffix(n.fraction, "0")
}

// write puts the point into digits.
func (n *number) write(digits string, point int) string {
	var b strings.Builder
	if n.negative {
		b.WriteByte('-')
	}
	switch {
	case point <= 0:
		b.WriteString("0.")
		b.WriteString(strings.Repeat("0", -point))
		b.WriteString(digits)
	case point >= len(digits):
		b.WriteString(digits)
		b.WriteString(strings.Repeat("0", point-len(digits)))
	default:
		b.WriteString(digits[:point])
		b.WriteByte('.')
		b.WriteString(digits[point:])
	}
	return b.String()
}

// scanNumber reads a number by the grammar of JSON (RFC 8259, 6).
func scanNumber(s string) (n number, ok bool) {
	rest, negative := strings.CutPrefix(s, "-")
	n.negative = negative
	n.whole, rest = leadingDigits(rest)
	if n.whole == "" || len(n.whole) > 1 && n.whole[0] == '0' {
		return n, false
	}
	if behind, pointed := strings.CutPrefix(rest, "."); pointed {
		if n.fraction, rest = leadingDigits(behind); n.fraction == "" {
			return n, false
		}
	}
	if rest == "" {
		return n, true
	}
	if rest[0] != 'e' && rest[0] != 'E' {
		return n, false
	}
	n.scaled = true
	n.exponent, ok = scanExponent(rest[1:])
	return n, ok
}

// maxExponent is far above what MaxDecimalDigits lets through, and keeps sums of places small.
const maxExponent = 1_000_000

func scanExponent(s string) (int, bool) {
	negative := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		negative, s = s[0] == '-', s[1:]
	}
	digits, rest := leadingDigits(s)
	if digits == "" || rest != "" {
		return 0, false
	}
	e := 0
	for i := range len(digits) {
		e = min(e*10+int(digits[i]-'0'), maxExponent)
	}
	if negative {
		e = -e
	}
	return e, true
}

func leadingDigits(s string) (digits, rest string) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}

// compareDecimals orders canonical digits by what they are worth.
func compareDecimals(a, b string) int {
	x, xNegative := strings.CutPrefix(a, "-")
	y, yNegative := strings.CutPrefix(b, "-")
	switch {
	case xNegative && !yNegative:
		return -1
	case !xNegative && yNegative:
		return 1
	case xNegative:
		x, y = y, x
	}
	xWhole, xFraction, _ := strings.Cut(x, ".")
	yWhole, yFraction, _ := strings.Cut(y, ".")
	return cmp.Or(cmp.Compare(len(xWhole), len(yWhole)), strings.Compare(xWhole, yWhole), strings.Compare(xFraction, yFraction))
}

// ratOf returns an Int or a Decimal as an exact fraction.
func (v Value) ratOf() (*big.Rat, bool) {
	switch v.Type { //nolint:exhaustive // the others are no numbers
	case Int:
		return new(big.Rat).SetInt64(v.Int), true
	case Decimal:
		if digits, ok := canonicalDecimal(v.Text); ok {
			return new(big.Rat).SetString(digits)
		}
	}
	return nil, false
}
