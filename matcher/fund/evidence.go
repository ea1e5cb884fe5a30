package fund

import "strconv"

// Unit says how the number of an Evidence is to be read.
type Unit uint8

// The units of evidence.
const (
	UnitNone  Unit = iota // the value is Text
	UnitRatio             // millionths: Ratio
	UnitFen               // Money
	UnitDays
	UnitMonths
	UnitDate // Date
	UnitCount
	UnitMinutes // of a day: a clock time in Asia/Shanghai
)

var unitNames = [...]string{"TEXT", "RATIO", "FEN", "DAYS", "MONTHS", "DATE", "COUNT", "MINUTES"}

// String returns the unit's code.
func (u Unit) String() string { return nameOf(unitNames[:], uint8(u)) }

// Evidence is one dated, sourced fact about a product or, where a stage says so, about
// an amount in it. Every figure in a text is one of these.
type Evidence struct {
	Field    string // what it is: MAX_DRAWDOWN, COST_A, ...; a constant of the stage
	Unit     Unit
	Number   int64
	Text     string
	Window   Window // the days that the figure speaks of; zero: a state, not a span
	AsOf     Date
	Stale    int32  // days from the newest datum in it to AsOf
	Source   string // NAV, PRODUCT, POOL, CALENDAR: where the bank can look it up
	Document string // version of the document that states it; may be empty
}

// Value writes the value as it stands in JSON: a ratio as a decimal of six places, a
// date as YYYY-MM-DD, everything else as a whole number or as the text.
func (e *Evidence) Value() string { return string(e.AppendValue(nil)) }

// AppendValue appends Value to dst.
func (e *Evidence) AppendValue(dst []byte) []byte {
	switch e.Unit {
	case UnitNone:
		return append(dst, e.Text...)
	case UnitRatio:
		return appendRatio(dst, Ratio(e.Number))
	case UnitDate:
		return Date(e.Number).Append(dst)
	default:
		return strconv.AppendInt(dst, e.Number, 10)
	}
}

func appendRatio(dst []byte, r Ratio) []byte {
	n := int64(r)
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	dst = append(strconv.AppendInt(dst, n/1_000_000, 10), '.')
	frac := n % 1_000_000
	for div := int64(100_000); div > 0; div /= 10 {
		dst = append(dst, byte('0'+frac/div%10))
	}
	return dst
}

// Append writes the window as an ISO 8601 interval, 2015-06-15/2015-08-25, or nothing
// when it is unknown.
func (w Window) Append(dst []byte) []byte {
	if w.From == 0 && w.To == 0 {
		return dst
	}
	return w.To.Append(append(w.From.Append(dst), '/'))
}

// String writes the window as Append does.
func (w Window) String() string { return string(w.Append(nil)) }
