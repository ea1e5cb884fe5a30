// Package gate turns a figure of an evaluation into a yes or a no: `snips.ci95.low >= 0.004` stops a release whose
// interval reaches below. Every verb of `fundmatch evaluate` takes gates and judges them by its own document.
//
// The grammar, blanks being free between its parts:
//
//	gate  = path op number
//	path  = word { "." word }
//	word  = letters, digits and any of _ - : @ / + %, or a JSON string, for names that hold anything else
//	op    = ">=" | "<=" | ">" | "<" | "==" | "!="
//	number = as in JSON, a leading + or . being taken too
//
// A path is looked for from the root of the document, and then within its parts estimates, diagnostics, all, policy,
// policy.estimates and policy.diagnostics, the first that has it. A word is a member of an object; of a list it is the
// element's place from 0, or what one element alone is called by its name, value, metric, arm, code or id. The words low and high are the ends of an interval [low, high], of the interval itself or of what has a member
// ci95. A path that ends at an object with a member value means that value.
package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is asked.
const (
	MaxGates = 100 // of a run
	MaxBytes = 400 // of a gate
	MaxWords = 16  // of a path
)

// ErrGate is what all errors of this package wrap: a gate that cannot be read, or that asks for a figure that its
// document has not. It is an input error, never a gate that failed.
var ErrGate = errors.New("not a gate")

// Gate is a figure and its bound.
type Gate struct {
	text  string
	path  []string
	op    string
	bound float64
}

// String is the gate as it was written, its blanks around.
func (g Gate) String() string { return g.text }

// ParseAll reads the gates of a run, and refuses one that is written twice.
func ParseAll(texts []string) ([]Gate, error) {
	if len(texts) > MaxGates {
		return nil, fmt.Errorf("%w: %d of them, expected %d at most", ErrGate, len(texts), MaxGates)
	}
	gates := make([]Gate, 0, len(texts))
	seen := make(map[string]bool, len(texts))
	for _, text := range texts {
		g, err := Parse(text)
		if err != nil {
			return nil, err
		}
		if seen[g.text] {
			return nil, fmt.Errorf("%w: %q is there twice", ErrGate, g.text)
		}
		seen[g.text] = true
		gates = append(gates, g)
	}
	return gates, nil
}

// Parse reads one gate.
func Parse(text string) (Gate, error) {
	g := Gate{text: strings.TrimSpace(text)}
	if len(text) > MaxBytes || !utf8.ValidString(text) {
		return Gate{}, fmt.Errorf("%w: %.40q..., expected at most %d bytes of UTF-8", ErrGate, text, MaxBytes)
	}
	path, rest, err := parsePath(g.text)
	if err != nil {
		return Gate{}, fmt.Errorf("%w: %q: %w, as in snips.ci95.low >= 0.004", ErrGate, text, err)
	}
	g.path = path
	g.op, rest = cutOperator(strings.TrimSpace(rest))
	if g.op == "" {
		return Gate{}, fmt.Errorf("%w: %q: %q, expected >=, <=, >, <, == or != after the path", ErrGate, text, rest)
	}
	if g.bound, err = parseNumber(strings.TrimSpace(rest)); err != nil {
		return Gate{}, fmt.Errorf("%w: %q: %w", ErrGate, text, err)
	}
	return g, nil
}

// parsePath takes words off the front.
func parsePath(text string) (path []string, rest string, err error) {
	for rest = text; ; rest = strings.TrimLeft(rest[1:], " \t") {
		var word string
		if word, rest, err = parseWord(rest); err != nil {
			return nil, rest, err
		}
		if path = append(path, word); len(path) > MaxWords {
			return nil, rest, fmt.Errorf("a path of more than %d words", MaxWords)
		}
		if rest = strings.TrimLeft(rest, " \t"); !strings.HasPrefix(rest, ".") {
			return path, rest, nil
		}
	}
}

func parseWord(text string) (word, rest string, err error) {
	if strings.HasPrefix(text, `"`) {
		d := json.NewDecoder(strings.NewReader(text))
		if err := d.Decode(&word); err != nil || word == "" {
			return "", text, fmt.Errorf("%.40q, expected a name in double quotes", text)
		}
		return word, text[d.InputOffset():], nil
	}
	end := strings.IndexFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-:@/+%", r)
	})
	if end < 0 {
		end = len(text)
	}
	if end == 0 {
		return "", text, fmt.Errorf("%.40q, expected the name of a figure", text)
	}
	return text[:end], text[end:], nil
}

func cutOperator(text string) (op, rest string) {
	for _, op := range []string{">=", "<=", "==", "!=", ">", "<"} {
		if rest, found := strings.CutPrefix(text, op); found {
			return op, rest
		}
	}
	return "", text
}

// parseNumber takes decimal numbers only: what Go takes besides (0x1p-2, 1_000, inf) is more likely a slip.
func parseNumber(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, fmt.Errorf("%.40q, expected a finite decimal number", text)
	}
	return v, nil
}

// holds compares exactly: == asks for the same number to the last bit.
func (g Gate) holds(v float64) bool {
	switch g.op {
	case ">=":
		return v >= g.bound
	case "<=":
		return v <= g.bound
	case ">":
		return v > g.bound
	case "<":
		return v < g.bound
	case "==":
		return v == g.bound
	default:
		return v != g.bound
	}
}
