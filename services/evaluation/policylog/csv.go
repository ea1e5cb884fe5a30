package policylog

import (
	"bytes"
	"strconv"
)

// csvFormat is RFC 4180: fields between commas, quoted where they hold a comma, a quote or a line end. Lines end in LF or
// CRLF. The first row names the columns.
type csvFormat struct{ file string }

// openCSV reads a CSV file.
func openCSV(in *input, p *plan) (reader, error) {
	t, err := newTextReader(in, p, csvFormat{in.name}, true)
	if err != nil {
		return nil, err
	}
	return t, nil
}

const byteOrderMark = "\xef\xbb\xbf"

func (f csvFormat) columns(text []byte, ended bool) (names []string, n, lines int, err error) {
	if len(text) < len(byteOrderMark) && !ended {
		return nil, -1, 0, nil
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, 0, 0, &FileError{File: f.file, Found: "a byte order mark of UTF-16", Want: "UTF-8"}
	}
	head := bytes.TrimPrefix(text, []byte(byteOrderMark))
	n = f.rowEnd(head, 0)
	if n < 0 {
		if !ended {
			return nil, -1, 0, nil
		}
		if len(head) == 0 {
			return nil, 0, 0, &FileError{File: f.file, Found: "an empty file", Want: "a first row that names the columns"}
		}
		n = len(head)
		if f.rowEnd(append(bytes.Clone(head), '\n'), 0) < 0 {
			return nil, 0, 0, &FileError{File: f.file, Found: "a quoted field that does not end", Want: "a first row that names the columns"}
		}
	}
	var row parsed
	if want := row.csv(head[:n]); want != "" {
		return nil, 0, 0, &FileError{File: f.file, Found: "a first row that cannot be read", Want: want}
	}
	for _, v := range row.fields {
		names = append(names, string(v.value))
	}
	return names, n + len(text) - len(head), bytes.Count(head[:n], []byte{'\n'}), nil
}

func (csvFormat) rowEnd(text []byte, p int) int {
	end := bytes.IndexByte(text[p:], '\n')
	if end < 0 {
		return -1
	}
	if bytes.IndexByte(text[p:p+end], '"') < 0 {
		return p + end + 1
	}
	for {
		if p < len(text) && text[p] == '"' {
			if p = closingQuote(text, p+1); p < 0 {
				return -1
			}
			p++
		}
		for p < len(text) && text[p] != ',' && text[p] != '\n' {
			p++
		}
		if p == len(text) {
			return -1
		}
		if p++; text[p-1] == '\n' {
			return p
		}
	}
}

// closingQuote is the quote that ends the field whose text begins at p; -1: there is none, or it may be the first half of
// a doubled one.
func closingQuote(text []byte, p int) int {
	for {
		i := bytes.IndexByte(text[p:], '"')
		if p += i; i < 0 || p+1 == len(text) {
			return -1
		}
		if text[p+1] != '"' {
			return p
		}
		p += 2
	}
}

func (f csvFormat) parse(row []byte, into *parsed) (column, want string) {
	if want := into.csv(row); want != "" {
		return "", want
	}
	if len(into.fields) != len(into.layout.slots) {
		return "", strconv.Itoa(len(into.layout.slots)) + " fields as in the first row"
	}
	into.clear()
	for i := range into.fields {
		slot := into.layout.slots[i]
		if into.fields[i].slot = slot; slot < 0 {
			continue
		}
		v := into.fields[i].value
		c := &into.cells[slot]
		c.text = v
		switch {
		case len(v) == 0:
		case !into.plan.columns[slot].number:
			c.kind = cellText
		default:
			c.readNumber(v, false)
		}
	}
	return "", ""
}

// readNumber makes the cell a number, or a text where it is none.
func (c *cell) readNumber(v []byte, json bool) {
	c.kind = cellText
	if f, ok := parseNumber(v, json); ok {
		c.kind, c.number = cellNumber, f
	}
}

// csv splits a row into fields.
func (r *parsed) csv(row []byte) (want string) {
	r.fields, r.scratch = r.fields[:0], r.scratch[:0]
	body := bytes.TrimSuffix(row, []byte{'\n'})
	body = bytes.TrimSuffix(body, []byte{'\r'})
	for p := 0; ; p++ {
		f := field{from: p, plain: true}
		if p < len(body) && body[p] == '"' {
			f.from++
			if p = r.csvQuoted(&f, body); p < 0 {
				return "a closing quote"
			}
			if p < len(body) && body[p] != ',' {
				return "no text behind a closing quote"
			}
		} else {
			if p += bytes.IndexByte(body[p:], ','); p < f.from {
				p = len(body)
			}
			if f.to, f.value = p, body[f.from:p]; bytes.IndexByte(f.value, '"') >= 0 {
				return "no quote within a field that is not quoted"
			}
		}
		if r.fields = append(r.fields, f); p == len(body) {
			return ""
		}
	}
}

// csvQuoted reads the field behind its quote, and returns where it ends behind its closing one.
func (r *parsed) csvQuoted(f *field, body []byte) int {
	doubled := 0
	for p := f.from; ; p += 2 {
		i := bytes.IndexByte(body[p:], '"')
		if i < 0 {
			return -1
		}
		if p += i; p+1 < len(body) && body[p+1] == '"' {
			doubled++
			continue
		}
		if f.to, f.value = p, body[f.from:p]; doubled > 0 {
			f.plain = false
			f.value = r.undouble(f.value)
		}
		return p + 1
	}
}

// undouble writes each doubled quote once.
func (r *parsed) undouble(v []byte) []byte {
	n := len(r.scratch)
	for i := 0; i < len(v); i++ {
		if r.scratch = append(r.scratch, v[i]); v[i] == '"' {
			i++
		}
	}
	return r.scratch[n:len(r.scratch):len(r.scratch)]
}
