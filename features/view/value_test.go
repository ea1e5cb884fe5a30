package view_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestParseValue(t *testing.T) {
	long := strings.Repeat("9", view.MaxDecimalDigits)
	for _, c := range []struct {
		kind       view.Type
		in         string
		json, text string // empty json: refused
	}{
		{view.Int, "0", "0", "0"},
		{view.Int, "-9223372036854775808", "-9223372036854775808", "-9223372036854775808"},
		{view.Int, "9223372036854775808", "", ""},
		{view.Int, "3.0", "3", "3"},
		{view.Int, "3e2", "300", "300"},
		{view.Int, "3.5", "", ""},
		{view.Int, `"3"`, "", ""},
		{view.Int, "03", "", ""},
		{view.Int, "null", "", ""},
		{view.Int, "", "", ""},
		{view.Decimal, "0.50", "0.5", "0.5"},
		{view.Decimal, "5e-1", "0.5", "0.5"},
		{view.Decimal, "-0.0", "0", "0"},
		{view.Decimal, "0e999999999999", "0", "0"},
		{view.Decimal, "120e-1", "12", "12"},
		{view.Decimal, "1.5E+3", "1500", "1500"},
		{view.Decimal, "0.1e1", "1", "1"},
		{view.Decimal, long, long, long},
		{view.Decimal, long + "9", "", ""},
		{view.Decimal, "1e63", "1" + strings.Repeat("0", 63), "1" + strings.Repeat("0", 63)},
		{view.Decimal, "1e64", "", ""},
		{view.Decimal, "1e-63", "0." + strings.Repeat("0", 62) + "1", "0." + strings.Repeat("0", 62) + "1"},
		{view.Decimal, "1e-64", "", ""},
		{view.Decimal, "1e", "", ""},
		{view.Decimal, "1.", "", ""},
		{view.Decimal, ".5", "", ""},
		{view.Decimal, "+1", "", ""},
		{view.Decimal, "NaN", "", ""},
		{view.Decimal, " 1", "", ""},
		{view.String, `"稳健"`, `"稳健"`, "稳健"},
		{view.String, `"a\"\n<b>"`, `"a\"\n<b>"`, "a\"\n<b>"},
		{view.String, `""`, `""`, ""},
		{view.String, `"`, "", ""},
		{view.String, `"a"b"`, "", ""},
		{view.String, "\"\xff\"", "", ""},
		{view.String, "1", "", ""},
		{view.String, `"` + strings.Repeat("x", features.MaxJSONLength) + `"`, "", ""},
		{view.Bool, "true", "true", "true"},
		{view.Bool, "false", "false", "false"},
		{view.Bool, "1", "", ""},
		{view.Bool, `"true"`, "", ""},
		{view.Time, `"2026-01-01T08:00:00.5+08:00"`, `"2026-01-01T00:00:00.5Z"`, "2026-01-01T00:00:00.5Z"},
		{view.Time, `"2026-01-01"`, "", ""},
		{view.Time, `""`, "", ""},
		{view.Time, "1767225600", "", ""},
		{view.List, `["b","a",""]`, `["b","a",""]`, `["b","a",""]`},
		{view.List, `[]`, `[]`, `[]`},
		{view.List, `[1]`, "", ""},
		{view.List, `[null]`, "", ""},
		{view.List, `null`, "", ""},
		{view.List, `["a"] x`, "", ""},
	} {
		v, err := view.ParseValue(c.kind, c.in)
		if c.json == "" {
			if !errors.Is(err, features.ErrInvalid) {
				t.Errorf("%s %s: %v, %v, expected an error", c.kind, c.in, v, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", c.kind, c.in, err)
			continue
		}
		if got := string(v.AppendJSON([]byte("x"))); got != "x"+c.json || v.String() != c.text || v.Type != c.kind {
			t.Errorf("%s %s: JSON %s, text %s", c.kind, c.in, got, v)
		}
	}
}

func TestTheZeroValueIsNone(t *testing.T) {
	var v view.Value
	if got := string(v.AppendJSON(nil)); got != "null" || v.String() != "" {
		t.Errorf("JSON %s, text %q", got, v)
	}
	if v.Equal(view.IntValue(0)) {
		t.Error("no value equals 0")
	}
}

func TestCompare(t *testing.T) {
	decimal := func(s string) view.Value {
		v, err := view.DecimalValue(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	ordered := []view.Value{
		view.IntValue(-2), view.IntValue(1), view.IntValue(10),
		decimal("-10"), decimal("-9.5"), decimal("-0.01"), decimal("0"), decimal("0.009"), decimal("0.01"), decimal("0.1"), decimal("2"), decimal("10"),
		view.StringValue(""), view.StringValue("a"), view.StringValue("b"),
		view.BoolValue(false), view.BoolValue(true),
		view.TimeValue(1), view.TimeValue(2),
		view.ListValue(nil), view.ListValue([]string{"a"}), view.ListValue([]string{"a", "b"}), view.ListValue([]string{"b"}),
	}
	for i, a := range ordered {
		for j, b := range ordered {
			got := a.Compare(b)
			if got != 0 != (i != j) || i < j && got >= 0 || i > j && got <= 0 || a.Equal(b) != (i == j) {
				t.Errorf("%v and %v: %d", a, b, got)
			}
		}
	}
}

// numbers draws JSON numbers in all their spellings.
func numbers() *rapid.Generator[string] {
	return rapid.StringMatching(`-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?`)
}

func TestDecimalsAreExactAndHaveOneForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers().Draw(t, "a"), numbers().Draw(t, "b")
		x, err := view.DecimalValue(a)
		if err != nil {
			return // more digits than are kept
		}
		exact, _ := new(big.Rat).SetString(a)
		kept, ok := new(big.Rat).SetString(x.Text)
		if !ok || exact.Cmp(kept) != 0 {
			t.Fatalf("%s became %s", a, x.Text)
		}
		again, err := view.DecimalValue(x.Text)
		if err != nil || again.Text != x.Text {
			t.Fatalf("%s became %s, and that %s, %v", a, x.Text, again.Text, err)
		}
		y, err := view.DecimalValue(b)
		if err != nil {
			return
		}
		other, _ := new(big.Rat).SetString(b)
		if sign := exact.Cmp(other); x.Compare(y) != sign || x.Equal(y) != (sign == 0) || (x.Text == y.Text) != (sign == 0) {
			t.Fatalf("%s and %s: %d, expected %d", x, y, x.Compare(y), sign)
		}
	})
}

func TestCanonicalJSONIsReadAndWrittenAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var v view.Value
		switch rapid.IntRange(1, 5).Draw(t, "type") {
		case 1:
			v = view.IntValue(rapid.Int64().Draw(t, "int"))
		case 2:
			v = view.StringValue(rapid.StringN(0, 20, 60).Draw(t, "text"))
		case 3:
			v = view.BoolValue(rapid.Bool().Draw(t, "bool"))
		case 4:
			v = view.TimeValue(fund.Instant(rapid.Int64Range(1_000_000, 4e15).Draw(t, "time")))
		default:
			v = view.ListValue(rapid.SliceOfN(rapid.StringN(0, 5, 20), 0, 5).Draw(t, "list"))
		}
		text := string(v.AppendJSON(nil))
		canonical, err := features.CanonicalValue(text)
		if err != nil || canonical != text || !json.Valid([]byte(text)) {
			t.Fatalf("%s is not canonical: %s, %v", text, canonical, err)
		}
		back, err := view.ParseValue(v.Type, text)
		if err != nil || !back.Equal(v) {
			t.Fatalf("%s came back as %v, %v", text, back, err)
		}
	})
}

func TestNamesAreReadBack(t *testing.T) {
	for s := view.Present; s <= view.PurposeDenied; s++ {
		if got, err := view.ParseStatus(s.String()); err != nil || got != s {
			t.Errorf("status %s: %v, %v", s, got, err)
		}
	}
	for r := view.AnyRole; r <= view.Auditor; r++ {
		if got, err := view.ParseRole(r.String()); err != nil || got != r {
			t.Errorf("role %s: %v, %v", r, got, err)
		}
	}
	for k := view.Int; k <= view.List; k++ {
		if got, err := view.ParseType(k.String()); err != nil || got != k {
			t.Errorf("type %s: %v, %v", k, got, err)
		}
	}
	if r, err := view.ParseRole(""); r != view.AnyRole || err != nil {
		t.Errorf("no role: %v, %v", r, err)
	}
	for _, err := range []error{second(view.ParseStatus("")), second(view.ParseStatus("present")), second(view.ParseRole("boss")), second(view.ParseType("")), second(view.ParseKind("x"))} {
		if !errors.Is(err, features.ErrInvalid) {
			t.Errorf("an unknown name: %v", err)
		}
	}
	if diff := cmp.Diff("unknown(99)", view.Status(99).String()); diff != "" {
		t.Error(diff)
	}
}

func second[T any](_ T, err error) error { return err }

func FuzzParseValue(f *testing.F) {
	for _, s := range []string{"1", "-0.50", "1e-7", `"a"`, `["a","b"]`, "true", `"2026-01-01T00:00:00Z"`, "null", `"\u0000"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for k := view.Int; k <= view.List; k++ {
			v, err := view.ParseValue(k, text)
			if err != nil {
				continue
			}
			again, err := view.ParseValue(k, string(v.AppendJSON(nil)))
			if err != nil || !again.Equal(v) {
				t.Errorf("%s %q: %v, then %v, %v", k, text, v, again, err)
			}
		}
	})
}
