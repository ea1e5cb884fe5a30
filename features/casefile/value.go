package casefile

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
)

// stored returns a value of a case as a cell keeps it, and settles the type of its feature:
// all values of one feature are of one type, null aside.
func (b *bank) stored(ref view.Ref, raw json.RawMessage) (string, error) {
	text, list, err := itemised(raw)
	if err != nil {
		return "", err
	}
	if text, err = features.CanonicalValue(text); err != nil || text == "null" {
		return text, err
	}
	t, err := typeOf(text)
	if err != nil {
		return "", err
	}
	now, seen := b.types[ref]
	switch {
	case !seen || now == view.Int && t == view.Decimal:
		b.types[ref] = t
	case now == t || now == view.Decimal && t == view.Int:
	default:
		return "", fmt.Errorf("a value of type %s after one of type %s, expected one type", t, now)
	}
	b.listed[ref] = b.listed[ref] || list
	return text, nil
}

// typeOf returns the type of a value in canonical JSON.
func typeOf(text string) (view.Type, error) {
	switch text[0] {
	case '"':
		return view.String, nil
	case '[':
		return view.List, nil
	case 't', 'f':
		return view.Bool, nil
	}
	if !strings.ContainsAny(text, ".eE") {
		if _, err := view.ParseValue(view.Int, text); err == nil {
			return view.Int, nil
		}
	}
	_, err := view.ParseValue(view.Decimal, text)
	return view.Decimal, err
}

// itemised writes a list with each item as its JSON text: a store keeps lists of texts.
func itemised(raw json.RawMessage) (text string, list bool, err error) {
	if raw[0] != '[' {
		return string(raw), false, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return "", false, err
	}
	texts := make([]string, len(items))
	for i, item := range items {
		if item[0] == '{' || item[0] == '[' {
			return "", false, fmt.Errorf("%.80s, expected a list of single values", raw)
		}
		texts[i] = string(item)
	}
	out, err := json.Marshal(texts)
	return string(out), true, err
}

// found returns the value of a cell as the tree that a case's JSON is; nil where it has none.
func (b *bank) found(c *view.Cell) any {
	if c.Status != view.Present {
		return nil
	}
	text := string(c.Value.AppendJSON(nil))
	if b.listed[c.Ref] {
		text = "[" + strings.Join(c.Value.List, ",") + "]"
	}
	return tree(json.RawMessage(text))
}
