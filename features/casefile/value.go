package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
)

// stored returns a value of a case as a cell keeps it, and settles the type of its feature:
// all values of one feature are of one type, null aside.
func (b *bank) stored(ref view.Ref, raw json.RawMessage) (string, error) {
	text, kept, err := keep(raw)
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
	case seen && b.forms[ref] != kept:
		return "", errors.New("a list, an object and a single value in one feature, expected one type")
	case !seen || now == view.Int && t == view.Decimal:
		b.types[ref] = t
	case now == t || now == view.Decimal && t == view.Int:
	default:
		return "", fmt.Errorf("a value of type %s after one of type %s, expected one type", t, now)
	}
	b.forms[ref] = kept
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

// form is how a store, which has single values and lists of texts, keeps a value of a case.
type form uint8

const (
	bare     form = iota // as it is
	items                // a list, each item as the text of its JSON
	document             // an object, as the text of its JSON
)

// keep writes a value as a store keeps it.
func keep(raw json.RawMessage) (text string, kept form, err error) {
	switch raw[0] {
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return "", items, err
		}
		texts := make([]string, len(list))
		for i, item := range list {
			if texts[i], err = compact(item); err != nil {
				return "", items, err
			}
		}
		out, err := json.Marshal(texts)
		return string(out), items, err
	case '{':
		text, err := compact(raw)
		if err != nil {
			return "", document, err
		}
		out, err := json.Marshal(text)
		return string(out), document, err
	}
	return string(raw), bare, nil
}

func compact(raw json.RawMessage) (string, error) {
	var out bytes.Buffer
	err := json.Compact(&out, raw)
	return out.String(), err
}

// found returns the value of a cell as the tree that a case's JSON is; nil where it has none.
func (b *bank) found(c *view.Cell) any {
	if c.Status != view.Present {
		return nil
	}
	switch b.forms[c.Ref] {
	case items:
		return tree(json.RawMessage("[" + strings.Join(c.Value.List, ",") + "]"))
	case document:
		return tree(json.RawMessage(c.Value.Text))
	case bare:
	}
	return tree(c.Value.AppendJSON(nil))
}
