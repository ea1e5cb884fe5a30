package wording

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parse cuts a template into literal text and slots: 下跌{max_drawdown:abs_percent}。
func parse(text string) ([]segment, error) {
	if strings.TrimSpace(text) == "" || strings.TrimSpace(text) != text {
		return nil, errors.New("text is empty or has space around it")
	}
	if n := utf8.RuneCountInString(text); n > maxTemplateText {
		return nil, fmt.Errorf("text has %d characters; at most %d", n, maxTemplateText)
	}
	var out []segment
	kinds := map[string]SlotType{}
	for text != "" {
		literal, rest, opened := strings.Cut(text, "{")
		if err := checkLiteral(literal); err != nil {
			return nil, err
		}
		if literal != "" {
			out = append(out, segment{literal: literal})
		}
		if !opened {
			break
		}
		inside, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("slot {%s: no closing brace", rest)
		}
		s, err := parseSlot(inside)
		if err != nil {
			return nil, err
		}
		if kind, seen := kinds[s.slot]; seen && kind != s.kind {
			return nil, fmt.Errorf("slot {%s}: also used as %s", inside, kind)
		}
		kinds[s.slot] = s.kind
		out, text = append(out, s), after
	}
	return out, nil
}

// checkLiteral refuses what no literal text may hold: figures, since a figure that
// was typed in has no source and no date, and characters that do not print.
func checkLiteral(s string) error {
	if strings.Contains(s, "}") {
		return fmt.Errorf("%q: a closing brace without a slot", s)
	}
	for _, r := range s {
		if unicode.IsNumber(r) && r != '〇' {
			return fmt.Errorf("%q: the figure %q is typed in; use a slot", s, r)
		}
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%q: the character %q does not print", s, r)
		}
	}
	return nil
}

func parseSlot(inside string) (segment, error) {
	name, kindName, ok := strings.Cut(inside, ":")
	if !ok || !validSlot(name) {
		return segment{}, fmt.Errorf("slot {%s}: want {name:type}, the name in lower case", inside)
	}
	kind, ok := slotType(kindName)
	if !ok {
		return segment{}, fmt.Errorf("slot {%s}: unknown type %q", inside, kindName)
	}
	return segment{slot: name, field: strings.ToUpper(name), kind: kind}, nil
}

func validSlot(name string) bool {
	for i, r := range name {
		if (r < 'a' || r > 'z') && (i == 0 || r != '_' && !isDigit(r)) {
			return false
		}
	}
	return name != "" && len(name) <= 64
}

func validName(id string) bool {
	for _, part := range strings.Split(id, ".") {
		if part == "" {
			return false
		}
		for _, r := range part {
			if r != '_' && !isDigit(r) && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
				return false
			}
		}
	}
	return len(id) <= 96
}

// samples fills every slot with an ordinary value of its type, so that the linter
// reads the sentence as a customer would.
func (tp *template) samples() []Value {
	var out []Value
	for _, s := range tp.segments {
		if s.slot != "" && named(out, s.slot) == nil {
			out = append(out, sample(s.slot, s.kind))
		}
	}
	return out
}

func sample(name string, kind SlotType) Value {
	v := Value{Name: name, Type: kind}
	switch kind {
	case Percent:
		v.Number = -360100
	case AbsPercent:
		v.Number = 360100
	case Money:
		v.Number = 1_801_050
	case Date:
		v.Number = 20150825
	case Days:
		v.Number = 180
	case Months:
		v.Number = 30
	case Count:
		v.Number = 1234
	case Text:
		v.Text = "示例混合基金"
	case Grade:
		v.Number = 3
	case Level:
		v.Number = 2
	case Clock:
		v.Number = 15 * 60
	case LargeMoney:
		v.Number = 565_100_000_000
	}
	return v
}
