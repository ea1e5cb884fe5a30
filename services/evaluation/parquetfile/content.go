package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
)

// content is what a page holds once it is unpacked. Who needs it first unpacks it; then it is only read.
type content struct {
	mu       sync.Mutex
	open     bool
	err      error
	unpacked []byte // from the pool; nil where raw is it

	levels []byte // of runs; nil: no value is null
	form   form
	plain  []byte  // values of one size, one behind the other
	size   int     // of one
	runs   []byte  // of places in the dictionary
	width  uint    // of one
	texts  texts   // of a page of texts
	whole  []int64 // of a page in DELTA
}

// form is how the values of a page are read.
type form uint8

const (
	formPlain form = iota
	formIndexes
	formTexts
	formWhole
)

// texts are texts one behind the other: text i is data[at[i] : at[i+1]-gap].
type texts struct {
	data []byte
	at   []uint32
	gap  uint32
}

func (t *texts) len() int { return max(len(t.at)-1, 0) }

func (t *texts) of(i int) []byte { return t.data[t.at[i] : t.at[i+1]-t.gap] }

// dictionary is a row group's, of one column.
type dictionary struct {
	page  *Page
	mu    sync.Mutex
	open  bool
	err   error
	n     int
	texts texts
	plain []byte // values of one size
}

// opened unpacks the page if nobody did.
func (p *Page) opened() (*content, error) {
	c := &p.content
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open {
		c.open = true
		if err := p.decode(c); err != nil {
			c.err = damaged(p.column, p.group, p.row, err)
		}
	}
	return c, c.err
}

// unpack checks and unpacks the bytes from a place on.
func (p *Page) unpack(packed bool, from int64) ([]byte, error) {
	if p.header.checked && crc32.ChecksumIEEE(p.raw) != p.header.crc {
		return nil, errors.New("a page does not have the checksum that its header tells")
	}
	if !packed || p.codec == codecNone {
		if p.header.size != p.header.unpacked {
			return nil, errLength
		}
		return p.raw[from:], nil
	}
	size := int(p.header.unpacked - from)
	if int64(size) > 1<<20 && int64(size) > 64<<10*(p.header.size+1) { // no codec packs 64 KB into a byte
		return nil, fmt.Errorf("a page claims %d bytes unpacked of %d", p.header.unpacked, p.header.size)
	}
	p.content.unpacked = p.pool.bytes.get(size)
	if size == 0 {
		return nil, nil
	}
	if err := unpack(p.codec, p.content.unpacked, p.raw[from:]); err != nil {
		return nil, fmt.Errorf("a page cannot be unpacked (%s): %w", codecName(p.codec), err)
	}
	return p.content.unpacked, nil
}

// decode finds levels and values.
func (p *Page) decode(c *content) error {
	if p.header.kind == pageData2 {
		return p.decodeSecond(c)
	}
	b, err := p.unpack(true, 0)
	if err != nil {
		return err
	}
	if !p.column.Optional {
		return p.decodeValues(c, b, p.Rows())
	}
	switch {
	case p.header.levels != encodingRLE:
		return errors.New("its levels are not in the encoding RLE")
	case len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4):
		return errors.New("its levels are larger than the page")
	}
	end := 4 + int(binary.LittleEndian.Uint32(b))
	runs := hybrid{b: b[4:end], width: 1}
	count, err := runs.ones(p.Rows())
	if err != nil {
		return fmt.Errorf("its levels: %w", err)
	}
	if count < p.Rows() {
		c.levels = b[4:end]
	}
	return p.decodeValues(c, b[end:], count)
}

// decodeSecond is decode of a page of the second version: its levels are not packed, and it tells how many are null.
func (p *Page) decodeSecond(c *content) error {
	h := &p.header
	levels := h.before + h.behind
	b, err := p.unpack(!h.plain, levels)
	if err != nil {
		return err
	}
	if h.nulls > 0 && !p.column.Optional {
		return errors.New("it has nulls, and the schema says that it has none")
	}
	if h.nulls > 0 {
		c.levels = p.raw[h.before:levels]
		runs := hybrid{b: c.levels, width: 1}
		if n, err := runs.ones(int(h.values)); err != nil || int64(n) != h.values-h.nulls {
			return errors.New("its levels do not have as many nulls as its header tells")
		}
	}
	return p.decodeValues(c, b, int(h.values-h.nulls))
}

// sizeOf is how many bytes a value of the column takes; 0 of texts.
func sizeOf(column *Column) int {
	switch column.physical {
	case physicalInt32:
		return 4
	case physicalInt64, physicalDouble:
		return 8
	}
	return 0
}

// decodeValues makes count values readable.
func (p *Page) decodeValues(c *content, b []byte, count int) (err error) {
	size := sizeOf(p.column)
	switch p.header.encoding {
	case encodingIndexes, encodingDictionary:
		return p.decodeIndexes(c, b, count)
	case encodingPlain, encodingSplit:
		if size > 0 {
			return p.decodePlain(c, b, count, size)
		}
	}
	if size == 0 {
		return p.decodeTexts(c, b, count)
	}
	if p.header.encoding != encodingDelta || p.column.physical == physicalDouble {
		return p.unknown()
	}
	c.form = formWhole
	c.whole, _, err = deltas(b, count)
	return err
}

func (p *Page) unknown() error {
	return fmt.Errorf("its encoding is %s", encodingName(p.header.encoding))
}

// decodePlain is of values of one size.
func (p *Page) decodePlain(c *content, b []byte, count, size int) error {
	if len(b)/size < count {
		return fmt.Errorf("it claims %d values of %d bytes in %d", count, size, len(b))
	}
	c.form, c.plain, c.size = formPlain, b[:count*size], size
	if p.header.encoding == encodingPlain {
		return nil
	}
	if len(b) != count*size {
		return errLength
	}
	c.plain = make([]byte, count*size)
	unsplit(c.plain, b, size)
	return nil
}

func (p *Page) decodeTexts(c *content, b []byte, count int) (err error) {
	c.form = formTexts
	switch p.header.encoding {
	case encodingPlain:
		c.texts, err = plainTexts(p.pool, b, count)
	case encodingDeltaText:
		c.texts, err = deltaTexts(b, count)
	case encodingDeltaBytes:
		c.texts, err = deltaPrefixes(b, count)
	default:
		err = p.unknown()
	}
	return err
}

func encodingName(encoding int64) string {
	return nameOf([]string{
		"PLAIN", "", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "RLE_DICTIONARY", "BYTE_STREAM_SPLIT",
	}, encoding)
}

func (p *Page) decodeIndexes(c *content, b []byte, count int) error {
	switch {
	case p.dictionary == nil:
		return errors.New("its values are places in a dictionary that is not there")
	case count == 0:
		c.form = formIndexes
		return nil
	case len(b) == 0:
		return errRuns
	case b[0] > 32:
		return errWidth
	}
	c.form, c.width, c.runs = formIndexes, uint(b[0]), b[1:]
	return nil
}

// plainTexts finds where the texts begin: each has its length before it.
func plainTexts(pool *Memory, b []byte, count int) (texts, error) {
	short := errors.New("its texts are longer than the page")
	if count > len(b)/4 {
		return texts{}, short
	}
	at := pool.places.get(count + 1)
	next, size := 4, 0 // of most columns all texts have one length: then none waits for the length of the one before
	for i := 0; i < count; {
		for end := len(b) - size; i < count && next <= end && int(binary.LittleEndian.Uint32(b[next-4:])) == size; i++ {
			at[i] = uint32(next)
			next += size + 4
		}
		if i == count {
			break
		}
		if next > len(b) {
			return texts{}, short
		}
		n := binary.LittleEndian.Uint32(b[next-4:])
		if uint64(n) > uint64(len(b)-next) {
			return texts{}, short
		}
		size = int(n)
	}
	at[count] = uint32(next)
	return texts{data: b, at: at, gap: 4}, nil
}

// release is called by the reader and by each page once; the last one gives its memory back.
func (d *dictionary) release() {
	if d.page.release() {
		d.page.pool.places.put(d.texts.at)
		d.texts, d.plain = texts{}, nil
	}
}

// opened unpacks the dictionary if nobody did.
func (d *dictionary) opened() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.open {
		d.open = true
		if err := d.decode(); err != nil {
			d.err = damaged(d.page.column, d.page.group, d.page.row, fmt.Errorf("its dictionary: %w", err))
		}
	}
	return d.err
}

func (d *dictionary) decode() error {
	h := &d.page.header
	if h.encoding != encodingPlain && h.encoding != encodingDictionary {
		return fmt.Errorf("its encoding is %s", encodingName(h.encoding))
	}
	b, err := d.page.unpack(true, 0)
	if err != nil {
		return err
	}
	d.n = int(h.values)
	size := sizeOf(d.page.column)
	if size == 0 {
		d.texts, err = plainTexts(d.page.pool, b, d.n)
		return err
	}
	if len(b)/size < d.n {
		return fmt.Errorf("it claims %d values of %d bytes in %d", d.n, size, len(b))
	}
	d.plain = b[:d.n*size]
	return nil
}
