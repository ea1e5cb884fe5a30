package gate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Result is what became of a gate, as documents hold it.
type Result struct {
	Gate   string   `json:"gate"`
	Value  *float64 `json:"value"` // null: there was no figure
	Passed bool     `json:"passed"`
	Reason string   `json:"reason"` // why it did not pass; "" where it did
}

// String says a result in a line.
func (r Result) String() string {
	switch {
	case r.Reason != "":
		return r.Gate + ": " + r.Reason
	case r.Value != nil:
		return r.Gate + ": " + text(*r.Value)
	}
	return r.Gate
}

// Judge judges gates by a document: JSON as bytes, or what becomes JSON. Withheld says of the full path of a figure,
// words separated by dots, that its verdict is withheld: a gate on it fails, whatever the figure is; nil withholds
// nothing. A figure that is null, or beneath one, fails too. An error wraps ErrGate.
func Judge(gates []Gate, document any, withheld func(path string) bool) ([]Result, error) {
	if len(gates) == 0 {
		return []Result{}, nil
	}
	data, isJSON := document.([]byte)
	if !isJSON {
		var err error
		if data, err = json.Marshal(document); err != nil {
			return nil, fmt.Errorf("%w: the document: %w", ErrGate, err)
		}
	}
	var root any
	if err := json.Unmarshal(data, &root); err != nil {
		return nil, fmt.Errorf("%w: the document: %w", ErrGate, err)
	}
	results := make([]Result, 0, len(gates))
	for _, g := range gates {
		r, err := g.judge(root, withheld)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// Judge judges one gate.
func (g Gate) Judge(document any, withheld func(path string) bool) (Result, error) {
	results, err := Judge([]Gate{g}, document, withheld)
	if err != nil {
		return Result{}, err
	}
	return results[0], nil
}

// Failed are the results that did not pass.
func Failed(results []Result) []Result {
	var failed []Result
	for _, r := range results {
		if !r.Passed {
			failed = append(failed, r)
		}
	}
	return failed
}

func (g Gate) judge(root any, withheld func(string) bool) (Result, error) {
	figure, path, found := lookUp(root, g.path)
	if !found {
		return Result{}, fmt.Errorf("%w: %q: the document has no %s%s", ErrGate, g.text, strings.Join(g.path, "."), nearest(root, g.path))
	}
	r := Result{Gate: g.text}
	switch v := figure.(type) {
	case float64:
		r.Value = &v
		r.Passed = g.holds(v)
		if !r.Passed {
			r.Reason = "it is " + text(v)
		}
	case nil:
		r.Reason = "there is no figure: " + strings.Join(path, ".") + " is null"
	default:
		return Result{}, fmt.Errorf("%w: %q: %s is %s, expected a number%s",
			ErrGate, g.text, strings.Join(path, "."), kind(figure), nearest(root, g.path))
	}
	if withheld != nil && withheld(strings.Join(path, ".")) {
		r.Passed, r.Reason = false, "its verdict is withheld"
	}
	return r, nil
}

// roots are the parts of a document that paths may leave out, in the order in which they are looked through.
func roots() []string {
	return []string{"", "estimates", "diagnostics", "all", "policy", "policy.estimates", "policy.diagnostics"}
}

// labels are the members by which an element of a list is called.
func labels() []string { return []string{"name", "value", "metric", "arm", "code", "id"} }

// lookUp finds a path from the first root that has it. The path that it returns is the full one.
func lookUp(document any, path []string) (figure any, full []string, found bool) {
	for _, root := range roots() {
		var prefix []string
		if root != "" {
			prefix = strings.Split(root, ".")
		}
		whole := slices.Concat(prefix, path)
		if figure, at, found := walk(document, whole); found {
			if at < len(prefix) {
				continue // a part that is null has no figures of its own to ask for
			}
			return figure, whole[:at], true
		}
	}
	return nil, nil, false
}

// walk follows a path, and returns how many words of it led to the figure: fewer than all where one of them led to null.
func walk(v any, path []string) (figure any, at int, found bool) {
	if v == nil {
		return nil, 0, true
	}
	if len(path) == 0 {
		if object, is := v.(map[string]any); is {
			if value, has := object["value"]; has {
				v = value
			}
		}
		return v, 0, true
	}
	// A name may hold dots (iprec_at_recall_0.10): words are put together until they are one.
	for n := 1; n <= len(path); n++ {
		next, has := child(v, strings.Join(path[:n], "."))
		if !has {
			continue
		}
		if figure, at, found = walk(next, path[n:]); found {
			return figure, n + at, true
		}
	}
	return nil, 0, false
}

// child is what a word leads to.
func child(v any, word string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		if next, has := v[word]; has {
			return next, true
		}
		if interval, has := v["ci95"]; has && (word == "low" || word == "high") {
			if interval == nil {
				return nil, true
			}
			return child(interval, word)
		}
	case []any:
		return element(v, word)
	}
	return nil, false
}

// element is what a word calls in a list: the one element that has it for a label, an end of an interval, or a place. A
// label of several elements calls none of them: whoever wrote the gate meant one, and nobody knows which.
func element(list []any, word string) (any, bool) {
	for _, label := range labels() {
		var called []any
		for _, e := range list {
			if object, is := e.(map[string]any); is && object[label] == word {
				called = append(called, object)
			}
		}
		if len(called) > 0 {
			return called[0], len(called) == 1
		}
	}
	if isInterval(list) && (word == "low" || word == "high") {
		if word == "low" {
			return list[0], true
		}
		return list[1], true
	}
	at, err := strconv.ParseUint(word, 10, 31)
	if err == nil && at < uint64(len(list)) && strconv.FormatUint(at, 10) == word { // a place has one name, by which its verdict is looked up
		return list[at], true
	}
	return nil, false
}

// isInterval reports whether a list may be [low, high], and not two elements that are called something.
func isInterval(list []any) bool {
	if len(list) != 2 {
		return false
	}
	for _, end := range list {
		if _, number := end.(float64); !number && end != nil {
			return false
		}
	}
	return true
}

func kind(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

// text is the shortest form that reads back as the same number.
func text(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
