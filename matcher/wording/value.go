package wording

import (
	"errors"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// A SlotType says what a slot holds and how it is written in zh-CN.
type SlotType uint8

const (
	// Percent is a share in millionths: -360100 is written -36.01%.
	Percent SlotType = iota + 1
	// AbsPercent is a share in millionths without its sign, for sentences that say
	// the direction: 下跌36.01%.
	AbsPercent
	// Money is an amount in fen: 123450 is written 1,234.50元, 123400 1,234元.
	Money
	// Date is a date as yyyymmdd: 20150825 is written 2015年8月25日.
	Date
	// Days is a number of days: 7天.
	Days
	// Months is a number of months: 3个月, 2年, 2年6个月.
	Months
	// Count is a number with thousands separators: 1,234.
	Count
	// Text is a name from outside (a fund, an issuer), at most MaxSlotText characters.
	Text
	// Grade is a product's risk grade 1-5: R3.
	Grade
	// Level is a customer's risk level 1-5: C4.
	Level
	// Clock is a time of day in minutes after midnight, Asia/Shanghai: 15:00.
	Clock
	// LargeMoney is an amount in fen that nobody reads digit by digit, such as the size
	// of a fund, rounded half up to two decimals: 420000000000 is written 42亿元,
	// 5651000000 5,651万元, and what is under ten thousand yuan as Money.
	LargeMoney
)

// MaxSlotText bounds the characters of a Text value.
const MaxSlotText = 200

// slotTypeNames are the names in templates, by SlotType.
func slotTypeNames() [LargeMoney + 1]string {
	return [...]string{"", "percent", "abs_percent", "money", "date", "days", "months", "count", "text", "grade", "level", "clock", "large_money"}
}

// String is the name in templates: money, date, ...
func (t SlotType) String() string {
	if names := slotTypeNames(); t > 0 && int(t) < len(names) {
		return names[t]
	}
	return "SlotType(" + strconv.Itoa(int(t)) + ")"
}

func slotType(name string) (SlotType, bool) {
	for t, n := range slotTypeNames() {
		if t > 0 && n == name {
			return SlotType(t), true
		}
	}
	return 0, false
}

// A Value is a named figure that a stage gives to a sentence. Number holds every
// type but Text, in the unit of its type.
type Value struct {
	Name   string
	Type   SlotType
	Number int64
	Text   string
}

// ErrValue marks a value that cannot be written: out of the range of its type, or
// text that is empty, too long, or not printable.
var ErrValue = errors.New("wording: value out of range")

// The largest magnitudes that are written.
const (
	maxNumber = 1 << 53
	maxMonths = 1200
	maxDays   = 100_000
)

// append writes the value as its type says.
func (v *Value) append(dst []byte) ([]byte, error) {
	if v.Number < -maxNumber || v.Number > maxNumber || v.outOfRange() {
		return dst, fmt.Errorf("%w: %s (%s): %d %q", ErrValue, v.Name, v.Type, v.Number, v.Text)
	}
	switch v.Type {
	case Percent:
		return appendPercent(dst, v.Number), nil
	case AbsPercent:
		return appendPercent(dst, max(v.Number, -v.Number)), nil
	case Money:
		return appendMoney(dst, v.Number), nil
	case Date:
		dst = append(strconv.AppendInt(dst, v.Number/10000, 10), "年"...)
		dst = append(strconv.AppendInt(dst, v.Number/100%100, 10), "月"...)
		return append(strconv.AppendInt(dst, v.Number%100, 10), "日"...), nil
	case Days:
		return append(strconv.AppendInt(dst, v.Number, 10), "天"...), nil
	case Months:
		return appendMonths(dst, v.Number), nil
	case Count:
		return appendThousands(dst, v.Number), nil
	case Text:
		return append(dst, v.Text...), nil
	case Grade:
		return strconv.AppendInt(append(dst, 'R'), v.Number, 10), nil
	case Level:
		return strconv.AppendInt(append(dst, 'C'), v.Number, 10), nil
	case Clock:
		dst = append(appendTwo(dst, v.Number/60), ':')
		return appendTwo(dst, v.Number%60), nil
	case LargeMoney:
		return appendLargeMoney(dst, v.Number), nil
	}
	return dst, fmt.Errorf("%w: %s: %s", ErrValue, v.Name, v.Type)
}

// outOfRange reports whether the value is none of its type.
func (v *Value) outOfRange() bool {
	n := v.Number
	switch v.Type {
	case Percent, AbsPercent, Money, LargeMoney:
		return false
	case Date:
		return !isDate(n)
	case Days:
		return n < 0 || n > maxDays
	case Months:
		return n < 0 || n > maxMonths
	case Count:
		return n < 0
	case Text:
		return !printable(v.Text)
	case Grade, Level:
		return n < 1 || n > 5
	case Clock:
		return n < 0 || n >= 24*60
	}
	return true
}

// isDate reports whether n is a day of the Gregorian calendar as yyyymmdd, in the
// years that a bank's records hold.
func isDate(n int64) bool {
	year, month, day := n/10000, n/100%100, n%100
	if year < 1900 || year > 2200 || month < 1 || month > 12 || day < 1 {
		return false
	}
	switch month {
	case 4, 6, 9, 11:
		return day <= 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return day <= 29
		}
		return day <= 28
	}
	return day <= 31
}

// printable reports whether a text from outside may stand in a sentence.
func printable(s string) bool {
	if s == "" || len(s) > 4*MaxSlotText || !utf8.ValidString(s) {
		return false
	}
	count, blank := 0, true
	for _, r := range s {
		count++
		if !unicode.IsPrint(r) && r != '\u3000' {
			return false
		}
		blank = blank && unicode.IsSpace(r)
	}
	return count <= MaxSlotText && !blank
}

// appendPercent writes millionths as a percentage with two decimals, rounded half
// away from zero.
func appendPercent(dst []byte, millionths int64) []byte {
	magnitude := max(millionths, -millionths)
	hundredths := (magnitude + 50) / 100
	if millionths < 0 && hundredths > 0 {
		dst = append(dst, '-')
	}
	dst = append(appendThousands(dst, hundredths/100), '.')
	return append(appendTwo(dst, hundredths%100), '%')
}

// appendMoney writes fen as yuan, with two decimals only when there are fen.
func appendMoney(dst []byte, fen int64) []byte {
	if fen < 0 {
		dst, fen = append(dst, '-'), -fen
	}
	dst = appendThousands(dst, fen/100)
	if fen%100 != 0 {
		dst = appendTwo(append(dst, '.'), fen%100)
	}
	return append(dst, "元"...)
}

// appendLargeMoney writes fen in the largest of 亿 and 万 yuan that they reach, with the
// decimals that there are.
func appendLargeMoney(dst []byte, fen int64) []byte {
	const wan, yi = 10_000 * 100, 100_000_000 * 100
	if fen < 0 {
		dst, fen = append(dst, '-'), -fen
	}
	unit, name := int64(yi), "亿元"
	switch {
	case fen < wan:
		return appendMoney(dst, fen)
	case fen < yi-wan/200: // what would be rounded to ten thousand 万 is one 亿
		unit, name = wan, "万元"
	}
	hundredths := (fen + unit/200) / (unit / 100)
	dst = appendThousands(dst, hundredths/100)
	if rest := hundredths % 100; rest%10 != 0 {
		dst = appendTwo(append(dst, '.'), rest)
	} else if rest != 0 {
		dst = append(dst, '.', byte('0'+rest/10))
	}
	return append(dst, name...)
}

func appendMonths(dst []byte, months int64) []byte {
	years, rest := months/12, months%12
	if years > 0 {
		dst = append(strconv.AppendInt(dst, years, 10), "年"...)
	}
	if rest > 0 || years == 0 {
		dst = append(strconv.AppendInt(dst, rest, 10), "个月"...)
	}
	return dst
}

func appendTwo(dst []byte, n int64) []byte {
	return append(dst, byte('0'+n/10%10), byte('0'+n%10))
}

// appendThousands writes n >= 0 with a comma before every group of three digits.
func appendThousands(dst []byte, n int64) []byte {
	if n < 1000 {
		return strconv.AppendInt(dst, n, 10)
	}
	dst = append(appendThousands(dst, n/1000), ',')
	return append(dst, byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10))
}
