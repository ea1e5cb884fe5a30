package policylog

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds values within values.
const maxDepth = 64

// ndjsonFormat is a JSON object (RFC 8259) a line. The first line says which columns there are.
type ndjsonFormat struct{ file string }

// openNDJSON reads an NDJSON file.
func openNDJSON(in *input, p *plan) (reader, error) {
	t, err := newTextReader(in, p, ndjsonFormat{in.name}, false)
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (f ndjsonFormat) columns(text []byte, ended bool) (names []string, n, lines int, err error) {
	end := bytes.IndexByte(text, '\n') + 1
	if end == 0 {
		if !ended {
			return nil, -1, 0, nil
		}
		if end = len(text); end == 0 {
			return nil, 0, 0, &FileError{File: f.file, Found: "an empty file", Want: "a JSON object a line"}
		}
	}
	row := parsed{}
	row.key = func(name []byte) (place, slot int) {
		names = append(names, string(name))
		return -1, -1
	}
	if want := row.object(text[:end]); want != "" {
		return nil, 0, 0, &FileError{File: f.file, Found: "a first row that cannot be read: " + shown(text[:end]), Want: want}
	}
	return names, 0, 0, nil
}

func (ndjsonFormat) rowEnd(text []byte, p int) int {
	if end := bytes.IndexByte(text[p:], '\n'); end >= 0 {
		return p + end + 1
	}
	return -1
}

func (f ndjsonFormat) parse(row []byte, into *parsed) (column, want string) {
	into.clear()
	if want := into.object(row); want != "" {
		return into.blamed, want
	}
	for i, slot := range into.layout.slots {
		if slot >= 0 && !into.seen[i] {
			return into.plan.columns[slot].name, "a value or null, as the first row has this key"
		}
	}
	return "", ""
}

// columnOf finds a key among the file's columns.
func (r *parsed) columnOf(name []byte) (place, slot int, want string) {
	if r.key != nil {
		place, slot = r.key(name)
		return place, slot, ""
	}
	place, known := r.layout.places[string(name)]
	if !known {
		if r.plan.slot(string(name)) >= 0 {
			return 0, 0, "no such key, as the first row has none"
		}
		return -1, -1, ""
	}
	if r.seen[place] {
		return 0, 0, "each key once"
	}
	r.seen[place] = true
	return place, r.layout.slots[place], ""
}

// object reads a line.
func (r *parsed) object(row []byte) (want string) {
	const wantObject = "a JSON object"
	r.fields, r.scratch, r.blamed = r.fields[:0], r.scratch[:0], ""
	j := jsonText{text: row}
	if !j.take('{') {
		return wantObject
	}
	if j.take('}') {
		return j.atEnd(wantObject)
	}
	for {
		if want = r.member(&j); want != "" {
			return want
		}
		if j.take(',') {
			continue
		}
		if !j.take('}') {
			return wantObject
		}
		return j.atEnd(wantObject)
	}
}

// member reads a key and its value.
func (r *parsed) member(j *jsonText) (want string) {
	const wantMember = "a JSON object of keys and values"
	j.blanks()
	from, to, plain, ok := j.quoted()
	if !ok {
		return wantMember
	}
	name := j.text[from:to]
	if !plain {
		if name, ok = r.unescape(name); !ok {
			return wantMember
		}
	}
	_, slot, want := r.columnOf(name)
	if want != "" {
		r.blamed = string(name)
		return want
	}
	if !j.take(':') {
		return wantMember
	}
	j.blanks()
	f := field{slot: slot, from: j.at}
	if slot < 0 {
		f.plain = true
		ok = j.skip(0)
		f.to = j.at
	} else {
		ok = r.value(j, &f)
	}
	if !ok {
		return wantMember
	}
	r.fields = append(r.fields, f)
	return ""
}

// value reads the value of a column into its cell. What is not of the column's type becomes a kind that is refused there.
func (r *parsed) value(j *jsonText, f *field) (ok bool) {
	c, isNumber := &r.cells[f.slot], r.plan.columns[f.slot].number
	if j.at < len(j.text) && j.text[j.at] == '"' {
		if f.from, f.to, f.plain, ok = j.quoted(); !ok {
			return false
		}
		c.text = j.text[f.from:f.to]
		if !f.plain {
			c.text, ok = r.unescape(c.text)
		}
		if c.kind = cellText; len(c.text) == 0 && !isNumber {
			c.kind = cellNone
		}
		return ok
	}
	if !j.skip(0) {
		return false
	}
	f.to = j.at
	c.text = j.text[f.from:f.to]
	switch f.plain = isNumber; {
	case string(c.text) == "null":
		c.text = nil
	case isNumber:
		c.readNumber(c.text, true)
	default:
		c.kind = cellNumber
	}
	return true
}

// unescape writes a string's characters for its escapes. A half of a surrogate pair is no character.
func (r *parsed) unescape(v []byte) ([]byte, bool) {
	n := len(r.scratch)
	for i := 0; i < len(v); i++ {
		if v[i] != '\\' {
			r.scratch = append(r.scratch, v[i])
			continue
		}
		if i++; v[i] != 'u' {
			r.scratch = append(r.scratch, escaped(v[i]))
			continue
		}
		c := hexOf(v[i+1:])
		i += 4
		if utf16.IsSurrogate(c) {
			if i+6 >= len(v) || v[i+1] != '\\' || v[i+2] != 'u' {
				return nil, false
			}
			if c = utf16.DecodeRune(c, hexOf(v[i+3:])); c == utf8.RuneError {
				return nil, false
			}
			i += 6
		}
		r.scratch = utf8.AppendRune(r.scratch, c)
	}
	return r.scratch[n:len(r.scratch):len(r.scratch)], true
}

func escaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// hexOf is the number of four hexadecimal digits, -1 where they are none.
func hexOf(v []byte) (c rune) {
	if len(v) < 4 {
		return -1
	}
	for _, b := range v[:4] {
		switch {
		case b-'0' <= 9:
			c = c<<4 | rune(b-'0')
		case b|0x20 >= 'a' && b|0x20 <= 'f':
			c = c<<4 | rune(b|0x20-'a'+10)
		default:
			return -1
		}
	}
	return c
}
