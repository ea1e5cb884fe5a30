package experimentfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
)

// ndjsonRows are objects, one a line.
type ndjsonRows struct {
	reader *rowReader
	in     *bufio.Reader
	line   int64
	long   []byte // holds a line that is longer than the buffer
	first  []byte // the first line, which was read to see the columns; nil once it was given
	at     []int  // of the wanted columns: -1 where the first line has it not
	seen   []bool
}

// openNDJSON looks at the first object: what it has not of the columns that may be absent, the file has not.
func (r *rowReader) openNDJSON(in *bufio.Reader) error {
	n := &ndjsonRows{reader: r, in: in, seen: make([]bool, len(r.wanted.names))}
	line, err := n.readLine()
	if err != nil {
		return err
	}
	n.first = slices.Clone(line)
	n.at = make([]int, len(r.wanted.names))
	names, err := n.names(line)
	if err != nil {
		return headError(r.name, "", "line 1: "+err.Error(), "one object a line")
	}
	if n.at, err = r.wanted.find(r.name, names); err != nil {
		return err
	}
	r.settle(n.at)
	r.rows = n
	return nil
}

// names are the members of an object.
func (n *ndjsonRows) names(line []byte) (names []string, err error) {
	err = members(line, func(d *json.Decoder, name string) error {
		names = append(names, name)
		return skipValue(d)
	})
	return names, err
}

func (n *ndjsonRows) next(fields []field) (int64, error) {
	line := n.first
	if n.first = nil; line == nil {
		var err error
		if line, err = n.readLine(); err != nil {
			return n.line, err
		}
	}
	clear(fields)
	clear(n.seen)
	err := members(line, func(d *json.Decoder, name string) error {
		i := slices.Index(n.reader.wanted.names, name)
		if i < 0 {
			return skipValue(d)
		}
		if n.seen[i] {
			return badMember(name, "comes twice", "each name once")
		}
		n.seen[i] = true
		if n.at[i] < 0 {
			return badMember(name, "is not in the first line", "it there too, null where it is not known")
		}
		var err error
		fields[i], err = scalar(d, name)
		return err
	})
	if bad := (*experiments.RowError)(nil); errors.As(err, &bad) {
		return n.line, bad
	}
	if err != nil {
		return n.line, badMember("", err.Error(), "an object in a line")
	}
	for i, seen := range n.seen {
		if !seen && !n.reader.wanted.optional[i] {
			return n.line, badMember(n.reader.wanted.names[i], "is missing", "a value, or null where it is not known")
		}
	}
	return n.line, nil
}

func badMember(name, problem, want string) *experiments.RowError {
	return &experiments.RowError{Column: name, Value: experiments.Clip(problem), Want: want}
}

// members gives each member of an object to take, which reads its value, and refuses what stands behind the object.
func members(line []byte, take func(d *json.Decoder, name string) error) error {
	if !utf8.Valid(line) {
		return errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not an object")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return notJSON(err)
		}
		name, isName := t.(string)
		if !isName {
			return errors.New("not an object")
		}
		if err := take(d, name); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return notJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than an object")
	}
	return nil
}

// notJSON keeps the end of a line from passing for that of the file.
func notJSON(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("JSON that is cut short")
	}
	return err
}

// skipValue passes over a value, whatever it holds.
func skipValue(d *json.Decoder) error {
	depth := 0
	for {
		t, err := d.Token()
		if err != nil {
			return notJSON(err)
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// scalar reads a text, a number or null.
func scalar(d *json.Decoder, name string) (field, error) {
	t, err := d.Token()
	if err != nil {
		return field{}, notJSON(err)
	}
	switch v := t.(type) {
	case nil:
		return field{}, nil
	case string:
		return field{form: text, text: v}, nil
	case json.Number:
		return field{form: digits, text: v.String()}, nil
	case bool:
		return field{}, badMember(name, strconv.FormatBool(v), "a text, a number or null")
	}
	return field{}, badMember(name, fmt.Sprint(t), "a text, a number or null")
}

// readLine returns the next line without its end, valid until the next call.
func (n *ndjsonRows) readLine() ([]byte, error) {
	n.line++
	n.long = n.long[:0]
	for {
		part, err := n.in.ReadSlice('\n')
		if len(n.long)+len(part) > MaxRecord {
			return nil, fmt.Errorf("%w: %s:%d: a row of more than %d bytes, expected at most so many", experiments.ErrData, n.reader.name, n.line, MaxRecord)
		}
		whole := part
		if len(n.long) > 0 || errors.Is(err, bufio.ErrBufferFull) {
			n.long = append(n.long, part...)
			whole = n.long
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil:
			return bytes.TrimRight(whole, "\r\n"), nil
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			if len(whole) == 0 {
				return nil, io.EOF
			}
			return whole, nil
		}
		return nil, n.reader.brokenText(err)
	}
}
