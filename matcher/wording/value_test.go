package wording

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// How every type of figure is written, at its limits too.
func TestValueIsWritten(t *testing.T) {
	for _, c := range []struct {
		kind   SlotType
		number int64
		want   string
	}{
		{Percent, -360100, "-36.01%"},
		{Percent, 15000, "1.50%"},
		{Percent, 0, "0.00%"},
		{Percent, 49, "0.00%"},
		{Percent, 50, "0.01%"},
		{Percent, -49, "0.00%"},
		{Percent, -50, "-0.01%"},
		{Percent, 1_000_000, "100.00%"},
		{Percent, 12_345_678_900, "1,234,567.89%"},
		{AbsPercent, -360100, "36.01%"},
		{AbsPercent, 360100, "36.01%"},
		{Money, 0, "0元"},
		{Money, 1, "0.01元"},
		{Money, 100, "1元"},
		{Money, 99_900, "999元"},
		{Money, 100_000, "1,000元"},
		{Money, 123_450, "1,234.50元"},
		{Money, 100_000_005, "1,000,000.05元"},
		{Money, -1_801_050, "-18,010.50元"},
		{Date, 20150825, "2015年8月25日"},
		{Date, 20240229, "2024年2月29日"},
		{Date, 20001231, "2000年12月31日"},
		{Days, 0, "0天"},
		{Days, 7, "7天"},
		{Days, 100_000, "100000天"},
		{Months, 0, "0个月"},
		{Months, 3, "3个月"},
		{Months, 12, "1年"},
		{Months, 24, "2年"},
		{Months, 30, "2年6个月"},
		{Months, 1200, "100年"},
		{Count, 0, "0"},
		{Count, 999, "999"},
		{Count, 1000, "1,000"},
		{Count, 1_002_003, "1,002,003"},
		{Grade, 1, "R1"},
		{Grade, 5, "R5"},
		{Level, 4, "C4"},
		{LargeMoney, 420_000_000_000, "42亿元"},
		{LargeMoney, 12_345_600_000, "1.23亿元"},
		{LargeMoney, 12_350_000_000, "1.24亿元"},
		{LargeMoney, 12_000_000_000, "1.2亿元"},
		{LargeMoney, 1_234_567_000_000_000, "123,456.7亿元"},
		{LargeMoney, 9_999_994_999, "9,999.99万元"},
		{LargeMoney, 9_999_995_000, "1亿元"},
		{LargeMoney, 5_600_000_000, "5,600万元"},
		{LargeMoney, 1_000_000, "1万元"},
		{LargeMoney, 999_999, "9,999.99元"},
		{LargeMoney, -5_600_000_000, "-5,600万元"},
		{Clock, 15 * 60, "15:00"},
		{Clock, 9*60 + 5, "09:05"},
		{Clock, 0, "00:00"},
	} {
		v := Value{Name: "v", Type: c.kind, Number: c.number}
		got, err := v.append(nil)
		if err != nil || string(got) != c.want {
			t.Errorf("%s %d: got %q, %v, want %q", c.kind, c.number, got, err, c.want)
		}
	}
}

// What is no value of its type is an error that names the value, and nothing is
// written.
func TestValueOutOfRange(t *testing.T) {
	for _, v := range []Value{
		{Type: Date, Number: 0},
		{Type: Date, Number: 20230229},
		{Type: Date, Number: 19000229},
		{Type: Date, Number: 20151301},
		{Type: Date, Number: 20150431},
		{Type: Date, Number: 20150100},
		{Type: Date, Number: 18991231},
		{Type: Date, Number: -20150825},
		{Type: Days, Number: -1},
		{Type: Days, Number: 100_001},
		{Type: Months, Number: -1},
		{Type: Months, Number: 1201},
		{Type: Count, Number: -1},
		{Type: Grade, Number: 0},
		{Type: Grade, Number: 6},
		{Type: Level, Number: 0},
		{Type: Level, Number: 6},
		{Type: Clock, Number: 1440},
		{Type: Clock, Number: -1},
		{Type: Money, Number: math.MinInt64},
		{Type: Percent, Number: math.MaxInt64},
		{Type: Text},
		{Type: Text, Text: "  "},
		{Type: Text, Text: "a\nb"},
		{Type: Text, Text: "a\u202eb"},
		{Type: Text, Text: "\xff"},
		{Type: Text, Text: strings.Repeat("长", MaxSlotText+1)},
		{Type: 0, Number: 1},
		{Type: 99, Number: 1},
	} {
		v.Name = "named"
		got, err := v.append([]byte("kept"))
		if !errors.Is(err, ErrValue) || !strings.Contains(err.Error(), "named") || string(got) != "kept" {
			t.Errorf("%s %d %q: got %q, %v", v.Type, v.Number, v.Text, got, err)
		}
	}
	longest := Value{Name: "v", Type: Text, Text: strings.Repeat("长", MaxSlotText)}
	if _, err := longest.append(nil); err != nil {
		t.Errorf("the longest text: %v", err)
	}
}

// Money is written so that reading it back gives the fen again.
func TestMoneyLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fen := rapid.Int64Range(-maxNumber, maxNumber).Draw(t, "fen")
		v := Value{Name: "m", Type: Money, Number: fen}
		text, err := v.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		yuan, cents, _ := strings.Cut(strings.ReplaceAll(strings.TrimSuffix(string(text), "元"), ",", ""), ".")
		if cents == "" {
			cents = "00"
		}
		sign, digits := int64(1), yuan+cents
		if strings.HasPrefix(digits, "-") {
			sign, digits = -1, digits[1:]
		}
		back := int64(0)
		for _, r := range digits {
			back = back*10 + int64(r-'0')
		}
		if back*sign != fen {
			t.Fatalf("%d is written %s", fen, text)
		}
	})
}
