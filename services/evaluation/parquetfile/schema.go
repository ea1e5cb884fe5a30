package parquetfile

import (
	"fmt"
	"strconv"
)

// LogicalType's members and ConvertedType's values that are read.
const (
	logicalString    = 1
	logicalEnum      = 4
	logicalTimestamp = 8
	logicalInteger   = 10

	convertedString  = 0
	convertedEnum    = 4
	convertedMillis  = 9
	convertedMicros  = 10
	convertedInt8    = 15
	convertedInt64   = 18
	nothingConverted = -1
)

// column says what an element at the top level is.
func (e *element) column(leaf int) Column {
	column := Column{
		Name: string(e.name), Optional: e.repetition == repeatedOptional, leaf: leaf, physical: e.physical,
		Flat: e.physical >= 0 && e.repetition != repeatedRepeated,
	}
	column.Kind, column.scale = e.kind()
	column.Type = e.typeName()
	if !column.Flat {
		column.Kind = Other
	}
	return column
}

// kind is what the values are, and of an instant how many nanoseconds one is.
func (e *element) kind() (Kind, int64) {
	isPlain := e.logical.kind == 0 && e.converted == nothingConverted
	switch e.physical {
	case physicalBytes:
		if e.isText() {
			return Text, 0
		}
	case physicalDouble:
		if isPlain {
			return Double, 0
		}
	case physicalInt32, physicalInt64:
		if scale := e.nanoseconds(); scale > 0 && e.physical == physicalInt64 {
			return Instant, scale
		}
		if e.isSigned() {
			return Integer, 0
		}
	}
	return Other, 0
}

func (e *element) isText() bool {
	if e.logical.kind == 0 {
		return e.converted == convertedString || e.converted == convertedEnum
	}
	return e.logical.kind == logicalString || e.logical.kind == logicalEnum
}

// isSigned reports whether whole numbers are just that.
func (e *element) isSigned() bool {
	if e.logical.kind == logicalInteger {
		return e.logical.signed
	}
	return e.logical.kind == 0 && (e.converted == nothingConverted || e.converted >= convertedInt8 && e.converted <= convertedInt64)
}

// nanoseconds is how many one is of an instant in UTC; 0: it is none.
func (e *element) nanoseconds() int64 {
	l := &e.logical
	switch {
	case l.kind == 0 && e.converted == convertedMillis, l.kind == logicalTimestamp && l.utc && l.unit == 1:
		return 1e6
	case l.kind == 0 && e.converted == convertedMicros, l.kind == logicalTimestamp && l.utc && l.unit == 2:
		return 1e3
	case l.kind == logicalTimestamp && l.utc && l.unit == 3:
		return 1
	}
	return 0
}

// typeName tells the type as the specification does.
func (e *element) typeName() string {
	name := nameOf([]string{"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"}, e.physical)
	if e.physical < 0 {
		name = "a group"
	}
	if e.repetition == repeatedRepeated {
		name = "repeated " + name
	}
	switch l := e.logical; l.kind {
	case 0:
	case logicalTimestamp:
		zone := "local time"
		if l.utc {
			zone = "UTC"
		}
		return fmt.Sprintf("%s (TIMESTAMP of %s)", name, zone)
	case logicalInteger:
		sign := "unsigned"
		if l.signed {
			sign = "signed"
		}
		return fmt.Sprintf("%s (%s, %d bits)", name, sign, l.bitWidth)
	default:
		return name + " (" + nameOf([]string{
			"", "STRING", "MAP", "LIST", "ENUM", "DECIMAL", "DATE", "TIME", "TIMESTAMP", "", "INTEGER", "UNKNOWN", "JSON", "BSON", "UUID", "FLOAT16",
		}, l.kind) + ")"
	}
	if e.converted != nothingConverted {
		return name + " (" + nameOf([]string{
			"UTF8", "MAP", "MAP_KEY_VALUE", "LIST", "ENUM", "DECIMAL", "DATE", "TIME_MILLIS", "TIME_MICROS", "TIMESTAMP_MILLIS",
			"TIMESTAMP_MICROS", "UINT_8", "UINT_16", "UINT_32", "UINT_64", "INT_8", "INT_16", "INT_32", "INT_64", "JSON", "BSON", "INTERVAL",
		}, e.converted) + ")"
	}
	return name
}

// nameOf is the name of a number, or the number where it has none.
func nameOf(names []string, i int64) string {
	if i >= 0 && i < int64(len(names)) && names[i] != "" {
		return names[i]
	}
	return "type " + strconv.FormatInt(i, 10)
}
