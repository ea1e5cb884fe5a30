package parquetfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// Reader gives the pages of one column in the order of the rows. It reads and does not decode: Values does that,
// elsewhere and at the same time. It is not safe for several goroutines.
type Reader struct {
	file   *File
	column int
	group  int   // the next page is in it
	at     int64 // of the next page, in the file; 0: at the beginning of the group
	left   int64 // rows of the group that are not in a page yet
	row    int64 // of the file, the first of the next page
	pages  []*Page
	used   int   // rows of pages[0] that were taken
	skip   int64 // rows that are left out before the next page

	dictionary *dictionary // of the group
	window     []byte      // bytes of the file from windowAt on
	windowAt   int64
}

// Segment is some rows of a page.
type Segment struct {
	Page     *Page
	From, To int // rows within the page
}

// Page holds the bytes of a page until every segment of it is released.
type Page struct {
	header     header
	column     *Column
	group      int
	row        int64 // of the file, its first
	codec      int64
	raw        []byte
	dictionary *dictionary
	pool       *Memory
	refs       atomic.Int32
	content    content
}

// windowBytes are read at once: the header of a page, and small pages whole. Behind a large page only as much as a header
// needs: the rest would be copied once more.
const (
	windowBytes = 64 << 10
	headerBytes = 4 << 10
)

// Reader starts at the beginning of File.Columns[column].
func (f *File) Reader(column int) *Reader { return &Reader{file: f, column: column} }

// Take appends segments of the next n rows; io.ErrUnexpectedEOF when the file has fewer.
func (r *Reader) Take(dst []Segment, n int) ([]Segment, error) {
	for n > 0 {
		p, err := r.page()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return dst, err
		}
		k := min(n, p.Rows()-r.used)
		dst = append(dst, Segment{Page: p, From: r.used, To: r.used + k})
		p.refs.Add(1)
		r.used += k
		n -= k
	}
	return dst, nil
}

// Run counts how many of the next rows have this text too, or none, up to limit. Of no text it is the first that comes.
func (r *Reader) Run(text []byte, limit int) (int, error) {
	count, used := 0, r.used
	for i := 0; count < limit; i++ {
		if i == len(r.pages) {
			if err := r.read(); errors.Is(err, io.EOF) {
				return count, nil
			} else if err != nil {
				return 0, err
			}
		}
		p := r.pages[i]
		n, err := p.run(used, &text, limit-count)
		if err != nil {
			return 0, err
		}
		count += n
		if used+n < p.Rows() {
			break
		}
		used = 0
	}
	return count, nil
}

// Skip goes on behind the first n rows. It is called before anything is taken; row groups and pages that are left out
// as a whole are not read, but for the pages' headers.
func (r *Reader) Skip(n int64) error {
	for r.group < len(r.file.groups) && r.file.groups[r.group].rows <= n {
		n -= r.file.groups[r.group].rows
		r.row += r.file.groups[r.group].rows
		r.group++
	}
	if r.skip = n; n == 0 {
		return nil
	}
	_, err := r.page()
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	r.used, r.skip = int(r.skip), 0
	return err
}

// Close gives back the pages that were read and not taken.
func (r *Reader) Close() {
	for _, p := range r.pages {
		p.release()
	}
	r.pages = nil
	r.leave()
}

// leave gives up the dictionary of the group.
func (r *Reader) leave() {
	if r.dictionary != nil {
		r.dictionary.release()
		r.dictionary = nil
	}
}

// page returns the page with the next row.
func (r *Reader) page() (*Page, error) {
	for len(r.pages) > 0 && r.used == r.pages[0].Rows() {
		r.pages[0].release()
		copy(r.pages, r.pages[1:])
		r.pages = r.pages[:len(r.pages)-1]
		r.used = 0
	}
	if len(r.pages) == 0 {
		if err := r.read(); err != nil {
			return nil, err
		}
	}
	return r.pages[0], nil
}

// read appends the next page that has rows; io.EOF behind the last.
func (r *Reader) read() error {
	for {
		if r.left == 0 {
			if err := r.nextGroup(); err != nil {
				return err
			}
			continue
		}
		chunk := &r.file.groups[r.group].chunks[r.column]
		h, err := r.header(chunk)
		if err != nil {
			return err
		}
		if h.isData() && h.values > r.skip || h.kind == pageDictionary {
			read, err := r.readPage(&h, chunk.codec)
			if read || err != nil {
				return err
			}
			continue
		}
		if r.at += h.size; h.isData() {
			r.skip -= h.values
			r.passed(h.values)
		}
	}
}

// passed takes note of rows that are behind the reader.
func (r *Reader) passed(rows int64) {
	r.left -= rows
	r.row += rows
}

// readPage reads a page whose header was read. Data reports whether it is one with rows, not the dictionary.
func (r *Reader) readPage(h *header, codec int64) (data bool, err error) {
	if h.kind == pageDictionary && r.dictionary != nil {
		return false, r.damaged(errors.New("it has two dictionaries"))
	}
	raw := r.file.pool.bytes.get(int(h.size))
	if err := r.bytes(raw); err != nil {
		return false, err
	}
	r.at += h.size
	p := &Page{
		header: *h, column: &r.file.Columns[r.column], group: r.group + 1, row: r.row, codec: codec, raw: raw,
		dictionary: r.dictionary, pool: r.file.pool,
	}
	p.refs.Store(1) // of a dictionary the reader's, until the group ends
	if h.kind == pageDictionary {
		r.dictionary = &dictionary{page: p}
		return false, nil
	}
	if p.dictionary != nil {
		p.dictionary.page.refs.Add(1)
	}
	r.passed(h.values)
	r.pages = append(r.pages, p)
	return true, nil
}

// nextGroup goes to the next group that has rows, from where the pages of the one before are read.
func (r *Reader) nextGroup() error {
	if r.at > 0 {
		r.group++
	}
	r.at = 0
	r.leave()
	for r.group < len(r.file.groups) && r.file.groups[r.group].rows == 0 {
		r.group++
	}
	if r.group == len(r.file.groups) {
		return io.EOF
	}
	g := &r.file.groups[r.group]
	r.at, r.left = g.chunks[r.column].start, g.rows
	return nil
}

// header reads the header of the next page and goes on behind it.
func (r *Reader) header(chunk *chunk) (header, error) {
	size := int64(windowBytes)
	if r.at-r.windowAt-int64(len(r.window)) > windowBytes/2 {
		size = headerBytes
	}
	for ; ; size *= 4 {
		b, err := r.view(min(size, chunk.end-r.at))
		if err != nil {
			return header{}, err
		}
		h, n, err := parseHeader(b)
		if errors.Is(err, errShort) && int64(len(b)) < chunk.end-r.at && len(b) < maxHeader {
			continue
		}
		if err != nil {
			return header{}, r.damaged(fmt.Errorf("the header of a page cannot be read: %w", err))
		}
		r.at += int64(n)
		if err := h.check(chunk.end-r.at, r.left); err != nil {
			return header{}, r.damaged(err)
		}
		return h, nil
	}
}

// view returns up to n bytes at the place of the reader.
func (r *Reader) view(n int64) ([]byte, error) {
	if have := r.windowAt + int64(len(r.window)) - r.at; r.at >= r.windowAt && have > 0 && (have >= n || have >= windowBytes/8 && n == windowBytes) {
		return r.window[r.at-r.windowAt:][:min(n, have)], nil
	}
	if int64(cap(r.window)) < n {
		r.window = make([]byte, n)
	}
	r.window = r.window[:n]
	if _, err := r.file.in.ReadAt(r.window, r.at); err != nil {
		r.window = r.window[:0]
		return nil, fmt.Errorf("read a page: %w", err)
	}
	r.windowAt = r.at
	return r.window, nil
}

// bytes fills b from the place of the reader on.
func (r *Reader) bytes(b []byte) error {
	n := 0
	if r.at >= r.windowAt && r.at < r.windowAt+int64(len(r.window)) {
		n = copy(b, r.window[r.at-r.windowAt:])
	}
	if n == len(b) {
		return nil
	}
	if _, err := r.file.in.ReadAt(b[n:], r.at+int64(n)); err != nil {
		return fmt.Errorf("read a page: %w", err)
	}
	return nil
}

func (r *Reader) damaged(err error) error {
	return damaged(&r.file.Columns[r.column], r.group+1, r.row, err)
}

// damaged is the error of a page whose first row has row others before it.
func damaged(column *Column, group int, row int64, err error) error {
	return &Error{Column: column.Name, Group: group, Row: row + 1, Problem: err.Error(), Expected: "pages as Parquet's specification has them"}
}

// Rows is how many the page has.
func (p *Page) Rows() int { return int(p.header.values) }

// Release says that the segment is read no more. What was decoded from it is copied or forgotten by then.
func (s *Segment) Release() { s.Page.release() }

// release reports whether nobody needs the page any more.
func (p *Page) release() bool {
	if p.refs.Add(-1) > 0 {
		return false
	}
	p.pool.bytes.put(p.raw)
	p.pool.bytes.put(p.content.unpacked)
	p.pool.places.put(p.content.texts.at)
	p.raw, p.content.unpacked, p.content.texts = nil, nil, texts{}
	if p.dictionary != nil {
		p.dictionary.release()
	}
	return true
}

// run counts the rows from a row on that have this text or none, up to limit. No text becomes the first that there is.
func (p *Page) run(from int, text *[]byte, limit int) (int, error) {
	var v Values
	to := min(p.Rows(), from+limit)
	for at := from; at < to; { // a decision is short: little by little
		end := min(to, at+64)
		t, err := v.Texts(Segment{Page: p, From: at, To: end})
		if err != nil {
			return 0, err
		}
		for i := range t.Index {
			switch row := t.Row(i); {
			case len(row) == 0:
			case len(*text) == 0:
				*text = bytes.Clone(row)
			case !bytes.Equal(row, *text):
				return at + i - from, nil
			}
		}
		at = end
	}
	return to - from, nil
}
