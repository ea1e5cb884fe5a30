package view

import (
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Value is a typed value. Which field counts says its type.
type Value struct {
	Type Type
	Int  int64    // Int; Bool: 0 or 1; Time: fund.Instant
	Text string   // String; Decimal: its canonical digits
	List []string // List
}

// IntValue, DecimalValue, ... are the values of their types.
func IntValue(n int64) Value               { return Value{Type: Int, Int: n} }
func StringValue(s string) Value           { return Value{Type: String, Text: s} }
func BoolValue(b bool) Value               { return Value{} }
func TimeValue(i fund.Instant) Value       { return Value{Type: Time, Int: int64(i)} }
func ListValue(items []string) Value       { return Value{Type: List, List: items} }
func DecimalValue(s string) (Value, error) { return Value{}, nil }

// ParseValue reads a value of a type from its JSON text; null is the caller's to know.
func ParseValue(t Type, json string) (Value, error) { return Value{}, nil }

// AppendJSON appends the value's one JSON form.
func (v Value) AppendJSON(dst []byte) []byte { return dst }

// String returns the value as a field of a CSV file.
func (v Value) String() string { return "" }

// Compare orders values of one type.
func (v Value) Compare(o Value) int { return 0 }

// Equal reports whether two values are one.
func (v Value) Equal(o Value) bool { return v.Compare(o) == 0 }
