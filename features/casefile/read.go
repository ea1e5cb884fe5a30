package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/features"
)

// The limits of a file.
const (
	MaxBytes = 64 << 20
	MaxCases = 10_000
	maxDepth = 32
)

// Read reads a file of cases. It is strict about its frame: one JSON document in UTF-8, no
// key twice in an object, version 1, cases with an id each and an op. What a case holds is
// judged when it is run. The error wraps features.ErrInvalid and names line and column.
func Read(data []byte) (*File, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", features.ErrInvalid, MaxBytes)
	}
	if err := checkDocument(data); err != nil {
		return nil, err
	}
	var frame struct {
		Name        string            `json:"name"`
		Version     json.Number       `json:"version"`
		Conventions map[string]string `json:"conventions"`
		Cases       []json.RawMessage `json:"cases"`
	}
	if err := json.Unmarshal(data, &frame); err != nil {
		return nil, fmt.Errorf("%w: %s", features.ErrInvalid, words(err))
	}
	if frame.Version != "1" {
		return nil, fmt.Errorf("%w: version %q, expected 1", features.ErrInvalid, frame.Version)
	}
	if len(frame.Cases) == 0 || len(frame.Cases) > MaxCases {
		return nil, fmt.Errorf("%w: %d cases, expected 1 to %d", features.ErrInvalid, len(frame.Cases), MaxCases)
	}
	f := &File{Name: frame.Name, Strange: strangeConventions(frame.Conventions)}
	seen := make(map[string]int, len(frame.Cases))
	for i, raw := range frame.Cases {
		c, err := readCase(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: cases[%d]: %w", features.ErrInvalid, i, err)
		}
		if first, ok := seen[c.ID]; ok {
			return nil, fmt.Errorf("%w: cases[%d]: id %q, which cases[%d] has", features.ErrInvalid, i, c.ID, first)
		}
		seen[c.ID] = i
		f.Cases = append(f.Cases, c)
	}
	return f, nil
}

// told are the keys of a case that only tell about it.
var told = []string{"level", "origin", "source", "why"}

func readCase(raw json.RawMessage) (Case, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return Case{}, errors.New("expected an object")
	}
	var c Case
	for _, text := range [...]struct {
		key      string
		into     *string
		required bool
	}{{"id", &c.ID, true}, {"op", &c.Op, true}, {"title", &c.Title, false}} {
		value, there := fields[text.key]
		if there && json.Unmarshal(value, text.into) != nil || text.required && *text.into == "" {
			return Case{}, fmt.Errorf("%s %.80s, expected a text", text.key, value)
		}
	}
	c.Params, c.Input, c.Expected = fields["params"], fields["input"], fields["expected"]
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(told, key) && !slices.Contains([]string{"id", "op", "title", "params", "input", "expected"}, key) {
			c.strange = key
			break
		}
	}
	return c, nil
}

// checkDocument walks over all of a document once: encoding/json alone takes the last of two
// equal keys, replaces what is no UTF-8, and says no line.
func checkDocument(data []byte) error {
	if !utf8.Valid(data) {
		return fmt.Errorf("%w: expected UTF-8", features.ErrInvalid)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	w := walk{decoder: d}
	err := w.value()
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("expected nothing after the document")
		}
	}
	if err != nil {
		line, column := placeOf(data, d.InputOffset())
		return fmt.Errorf("%w: line %d, column %d: %s", features.ErrInvalid, line, column, words(err))
	}
	return nil
}

// walk goes over a document token by token.
type walk struct {
	decoder *json.Decoder
	depth   int
}

func (w *walk) value() error {
	token, err := w.decoder.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if w.depth++; w.depth > maxDepth {
		return fmt.Errorf("deeper than %d", maxDepth)
	}
	seen := map[string]bool{}
	for w.decoder.More() {
		if open == '{' {
			key, err := w.decoder.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string) // the keys of an object are texts
			if seen[name] {
				return fmt.Errorf("key %.80q twice in one object", name)
			}
			seen[name] = true
		}
		if err := w.value(); err != nil {
			return err
		}
	}
	w.depth--
	_, err = w.decoder.Token() // what closes it
	return err
}

func placeOf(data []byte, offset int64) (line, column int) {
	before := data[:min(offset, int64(len(data)))]
	return 1 + bytes.Count(before, []byte{'\n'}), 1 + len(before) - (bytes.LastIndexByte(before, '\n') + 1)
}

// words says an error of encoding/json without Go's names of types.
func words(err error) string {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Sprintf("%s: a %s, expected another type", wrong.Field, wrong.Value)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return "the document ends in its middle"
	}
	return err.Error()
}
