package casefile

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Tolerance is how far an average may lie from what is expected, absolutely or of it: files
// write a few digits of what may have no end. Every other number is compared exactly.
const Tolerance = 1e-9

// row is one row of an answer: fields that a file has to expect, and others that it may.
type row struct {
	name   string // for a reader
	fields map[string]any
	may    map[string]any
}

// average is a number that is compared with Tolerance.
type average float64

// compare returns the rows that are not as expected, in order. An expectation that says more
// of a row than is known here, or leaves out what has to be expected, is not judged.
func compare(expected json.RawMessage, rows []row) ([]Difference, error) {
	want, ok := tree(expected).([]any)
	if !ok {
		return nil, unsupported("expected: a list of rows is missing")
	}
	var differences []Difference
	for i := range max(len(want), len(rows)) {
		d := Difference{Row: strconv.Itoa(i), Expected: json.RawMessage("null"), Got: json.RawMessage("null")}
		if i < len(want) {
			d.Expected = written(want[i])
		}
		if i >= len(rows) {
			differences = append(differences, d)
			continue
		}
		d.Row = rows[i].name
		if i >= len(want) {
			d.Got = written(rows[i].fields)
			differences = append(differences, d)
			continue
		}
		got, err := rows[i].asked(want[i], i)
		if err != nil {
			return nil, err
		}
		if !same(want[i], got) {
			d.Got = written(got)
			differences = append(differences, d)
		}
	}
	return differences, nil
}

// asked returns the fields that a row of the file expects.
func (r *row) asked(want any, place int) (map[string]any, error) {
	expected, ok := want.(map[string]any)
	if !ok {
		return nil, unsupported("expected[%d]: a row is an object", place)
	}
	got := map[string]any{}
	for name, value := range r.fields {
		if _, ok := expected[name]; !ok {
			return nil, unsupported("expected[%d]: %s is missing", place, name)
		}
		got[name] = value
	}
	for name := range expected {
		if value, ok := r.may[name]; ok {
			got[name] = value
		} else if _, ok := r.fields[name]; !ok {
			return nil, unsupported("expected[%d]: %q is nothing that this operation answers", place, name)
		}
	}
	return got, nil
}

// tree reads a JSON value with its numbers as they are written. What is none is nil.
func tree(raw json.RawMessage) any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// written is the inverse of tree, and knows what answers hold besides.
func written(v any) json.RawMessage {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(plain(v)); err != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

func plain(v any) any {
	switch v := v.(type) {
	case average:
		return json.Number(strconv.FormatFloat(float64(v), 'g', -1, 64))
	case fund.Instant:
		return v.Time().Format(time.RFC3339Nano)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = plain(v[k])
		}
		return out
	}
	return v
}

// same compares a tree of the file with one of an answer: numbers as numbers, times as
// instants, all else as it is.
func same(want, got any) bool {
	switch g := got.(type) {
	case average:
		n, ok := want.(json.Number)
		if !ok {
			return false
		}
		w, err := n.Float64()
		return err == nil && math.Abs(w-float64(g)) <= Tolerance*max(1, math.Abs(w))
	case fund.Instant:
		text, ok := want.(string)
		return ok && isInstant(text, g)
	case json.Number:
		w, ok := want.(json.Number)
		return ok && sameNumber(string(w), string(g))
	case string:
		w, ok := want.(string)
		return ok && (w == g || sameTime(w, g))
	case []any:
		w, ok := want.([]any)
		return ok && slices.EqualFunc(w, g, same)
	case map[string]any:
		return sameObject(want, g)
	}
	return want == got // true, false, null
}

func sameObject(want any, got map[string]any) bool {
	w, ok := want.(map[string]any)
	if !ok || len(w) != len(got) {
		return false
	}
	for k, v := range got {
		if x, ok := w[k]; !ok || !same(x, v) {
			return false
		}
	}
	return true
}

// sameNumber compares numbers exactly; one of too many digits only with itself.
func sameNumber(a, b string) bool {
	x, errX := view.DecimalValue(a)
	y, errY := view.DecimalValue(b)
	if errX != nil || errY != nil {
		return a == b
	}
	return x.Equal(y)
}

func sameTime(a, b string) bool {
	x, errX := time.Parse(time.RFC3339Nano, a)
	y, errY := time.Parse(time.RFC3339Nano, b)
	return errX == nil && errY == nil && x.Equal(y)
}

func isInstant(text string, i fund.Instant) bool {
	t, err := time.Parse(time.RFC3339Nano, text)
	return err == nil && t.Equal(i.Time())
}
