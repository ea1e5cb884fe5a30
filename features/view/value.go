package view

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Value is a typed value. Which field counts says its type; the zero value is none.
type Value struct {
	Type Type
	Int  int64    // Int; Bool: 0 or 1; Time: fund.Instant
	Text string   // String; Decimal: its canonical digits
	List []string // List
}

// IntValue is a whole number.
func IntValue(n int64) Value { return Value{Type: Int, Int: n} }

// StringValue is a text.
func StringValue(s string) Value { return Value{Type: String, Text: s} }

// TimeValue is an instant.
func TimeValue(i fund.Instant) Value { return Value{Type: Time, Int: int64(i)} }

// ListValue is a list of texts, which nobody may change any more.
func ListValue(items []string) Value { return Value{Type: List, List: items} }

// BoolValue is a yes or no.
func BoolValue(b bool) Value {
	if b {
		return Value{Type: Bool, Int: 1}
	}
	return Value{Type: Bool}
}

// DecimalValue is the exact decimal number that a JSON number writes, in canonical digits:
// no exponent, no plus, no zero that says nothing. "0.50" and "5e-1" are one value.
func DecimalValue(s string) (Value, error) {
	digits, ok := canonicalDecimal(s)
	if !ok {
		return Value{}, features.Invalid("value", s, expectedForm(Decimal))
	}
	return Value{Type: Decimal, Text: digits}, nil
}

// ParseValue reads a value of a type from its JSON text. null is none: the caller asks for
// it before. A value in canonical JSON is read without allocating, but for lists and texts
// with escapes. The error is a *features.InvalidError.
func ParseValue(t Type, text string) (Value, error) {
	if len(text) <= features.MaxJSONLength {
		if v, ok := parseJSON(t, text); ok {
			return v, nil
		}
	}
	return Value{}, features.Invalid("value", text, expectedForm(t))
}

func parseJSON(t Type, text string) (Value, bool) {
	switch t {
	case Int:
		n, ok := wholeNumber(text)
		return IntValue(n), ok
	case Decimal:
		digits, ok := canonicalDecimal(text)
		return Value{Type: Decimal, Text: digits}, ok
	case String:
		s, ok := unquote(text)
		return StringValue(s), ok
	case Bool:
		return BoolValue(text == "true"), text == "true" || text == "false"
	case Time:
		s, ok := unquote(text)
		if !ok {
			return Value{}, false
		}
		return parseTime(s)
	case List:
		return parseList(text)
	}
	return Value{}, false
}

// parseText reads a value of a feature whose cells hold plain text: a tag, an attribute.
func parseText(t Type, text string) (Value, error) {
	switch t {
	case String:
		return StringValue(text), nil
	case Time:
		if v, ok := parseTime(text); ok {
			return v, nil
		}
		return Value{}, features.Invalid("value", text, expectedForm(t))
	case Int, Decimal, Bool, List:
	}
	return ParseValue(t, text)
}

func expectedForm(t Type) string {
	switch t {
	case Int:
		return "a whole number of 64 bits"
	case Decimal:
		return "a decimal number of at most " + strconv.Itoa(MaxDecimalDigits) + " digits"
	case String:
		return "a text"
	case Bool:
		return "true or false"
	case Time:
		return "an RFC 3339 time such as 2020-06-01T10:00:00+08:00"
	case List:
		return "a list of texts"
	}
	return "a value of a known type"
}

// AppendJSON appends the value's one JSON form; of no value, null.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.Type {
	case Int:
		return strconv.AppendInt(dst, v.Int, 10)
	case Decimal:
		return append(dst, v.Text...)
	case String:
		return appendQuoted(dst, v.Text)
	case Bool:
		return strconv.AppendBool(dst, v.Int != 0)
	case Time:
		dst = append(dst, '"')
		return append(fund.Instant(v.Int).Time().AppendFormat(dst, time.RFC3339Nano), '"')
	case List:
		dst = append(dst, '[')
		for i, item := range v.List {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendQuoted(dst, item)
		}
		return append(dst, ']')
	}
	return append(dst, "null"...)
}

// String returns the value as a field of a CSV file: a text as it is, a time as RFC 3339 in
// UTC, a list as JSON; of no value, nothing.
func (v Value) String() string {
	switch v.Type {
	case Decimal, String:
		return v.Text
	case Time:
		return fund.Instant(v.Int).Time().Format(time.RFC3339Nano)
	case Int, Bool, List:
		return string(v.AppendJSON(nil))
	}
	return ""
}

// Compare orders values by type, then numbers, times and yes after no by what they are,
// texts by bytes, lists item by item.
func (v Value) Compare(o Value) int {
	if c := cmp.Compare(v.Type, o.Type); c != 0 {
		return c
	}
	switch v.Type {
	case Decimal:
		return compareDecimals(v.Text, o.Text)
	case String:
		return strings.Compare(v.Text, o.Text)
	case List:
		return slices.Compare(v.List, o.List)
	case Int, Bool, Time:
	}
	return cmp.Compare(v.Int, o.Int)
}

// Equal reports whether two values are one.
func (v Value) Equal(o Value) bool { return v.Compare(o) == 0 }

// wholeNumber reads a JSON number whose value is whole, however it is written.
func wholeNumber(text string) (int64, bool) {
	digits, ok := canonicalDecimal(text)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}

func parseTime(s string) (Value, bool) {
	i, err := fund.ParseInstant(s)
	return TimeValue(i), err == nil && i != 0
}

func parseList(text string) (Value, bool) {
	if !utf8.ValidString(text) || !strings.HasPrefix(text, "[") {
		return Value{}, false
	}
	var items []*string // null is no text
	if json.Unmarshal([]byte(text), &items) != nil || slices.Contains(items, nil) {
		return Value{}, false
	}
	list := make([]string, len(items))
	for i, item := range items {
		list[i] = *item
	}
	return ListValue(list), true
}

// unquote reads a JSON text.
func unquote(text string) (string, bool) {
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' || !utf8.ValidString(text) {
		return "", false
	}
	inner := text[1 : len(text)-1]
	if plainText(inner) {
		return inner, true
	}
	var s string
	err := json.Unmarshal([]byte(text), &s)
	return s, err == nil
}

// appendQuoted appends a text as features.CanonicalValue writes it.
func appendQuoted(dst []byte, s string) []byte {
	if plainText(s) && utf8.ValidString(s) && !strings.ContainsAny(s, "\u2028\u2029") {
		return append(append(append(dst, '"'), s...), '"')
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text cannot be refused
	return append(dst, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}

// plainText reports whether a text stands between quotes as it is.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
