package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Values decodes segments. What it returns is valid until its next call; its memory is used again. Each goroutine has
// its own.
type Values struct {
	present []bool
	levels  []uint32
	indexes []uint32
}

// None is the place of a text that is null.
const None = math.MaxUint32

// Texts are the texts of a segment: each value of the dictionary or of the page once, and which one a row has.
type Texts struct {
	Index []uint32 // per row: a place in the texts, or None
	Len   int      // of the texts
	Keep  any      // the same for every segment whose texts are the same; nil where each row has its own
	texts *texts
	page  *Page
}

// Text is a text by its place, nil of None and of a place that there is not: Check tells them apart. It is valid until
// the segment is released.
func (t *Texts) Text(i uint32) []byte {
	if int(i) >= t.Len {
		return nil
	}
	return t.texts.of(int(i))
}

// Row is the text of a row, nil where it is null.
func (t *Texts) Row(i int) []byte { return t.Text(t.Index[i]) }

// Check reports a row whose place there is not. Who looks at the text of every row need not ask.
func (t *Texts) Check() error {
	for _, i := range t.Index {
		if int(i) >= t.Len && i != None {
			return t.page.wrong(beyond(i, t.Len))
		}
	}
	return nil
}

func beyond(place uint32, n int) error {
	return fmt.Errorf("a value is place %d of a dictionary of %d", place, n)
}

// place is what the levels say of a segment: values before it, values in it.
type place struct{ before, n int }

// opened unpacks the page and finds the segment's values. The present are nil where no row is null.
func (v *Values) opened(s Segment) (c *content, at place, present []bool, err error) {
	if c, err = s.Page.opened(); err != nil {
		return nil, place{}, nil, err
	}
	rows := s.To - s.From
	if c.levels == nil {
		return c, place{s.From, rows}, nil, nil
	}
	runs := hybrid{b: c.levels, width: 1}
	if at.before, err = runs.ones(s.From); err != nil {
		return nil, at, nil, s.Page.wrong(fmt.Errorf("its levels: %w", err))
	}
	v.levels = grown(v.levels, rows)
	v.present = grown(v.present, rows)
	if err := runs.read(v.levels); err != nil {
		return nil, at, nil, s.Page.wrong(fmt.Errorf("its levels: %w", err))
	}
	for i, level := range v.levels {
		v.present[i] = level == 1
		at.n += int(level & 1)
	}
	if at.n == rows {
		return c, at, nil, nil
	}
	return c, at, v.present, nil
}

// grown is a slice of n elements with anything in them.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

func (p *Page) wrong(err error) error { return damaged(p.column, p.group, p.row, err) }

// places reads which values of the dictionary the segment has. They may be beyond it.
func (v *Values) places(c *content, at place) ([]uint32, error) {
	v.indexes = grown(v.indexes, at.n)
	runs := hybrid{b: c.runs, width: c.width}
	if err := runs.skip(at.before); err != nil {
		return nil, err
	}
	if err := runs.read(v.indexes); err != nil {
		return nil, err
	}
	return v.indexes, nil
}

// Doubles fills dst, NaN where a row is null, and 0 where it is -0. Present tells nulls from numbers; nil: no row is
// null. Whole numbers are read too where a float64 holds them exactly.
func (v *Values) Doubles(dst []float64, s Segment) (present []bool, err error) {
	present, _, err = v.Between(dst, s, 0, 0)
	return present, err
}

// Between is Doubles, and says whether every number is one from low to high.
func (v *Values) Between(dst []float64, s Segment, low, high float64) (present []bool, good bool, err error) {
	c, at, present, err := v.opened(s)
	if err != nil {
		return nil, false, err
	}
	dst = dst[:s.To-s.From]
	switch {
	case s.Page.column.Kind != Double:
		good, err = v.exact(dst[:at.n], c, s.Page, at, low, high)
	case c.form == formIndexes:
		good, err = v.looked(dst[:at.n], c, s.Page, at, low, high)
	default:
		good = plainDoubles(dst[:at.n], c.plain[8*at.before:], low, high)
	}
	if err != nil {
		return nil, false, s.Page.wrong(err)
	}
	spread(dst, at.n, present, math.NaN())
	return present, good, nil
}

func plainDoubles(dst []float64, plain []byte, low, high float64) bool {
	good := true
	plain = plain[:8*len(dst)]
	for i := range dst {
		x := math.Float64frombits(binary.LittleEndian.Uint64(plain[8*i:])) + 0
		if !(x >= low && x <= high) {
			good = false
		}
		dst[i] = x
	}
	return good
}

// looked looks numbers up in the dictionary.
func (v *Values) looked(dst []float64, c *content, p *Page, at place, low, high float64) (good bool, err error) {
	if err := p.dictionary.opened(); err != nil {
		return false, err
	}
	places, err := v.places(c, at)
	if err != nil {
		return false, err
	}
	good = true
	table := p.dictionary.plain
	for i, k := range places {
		at := uint64(k) * 8
		if at >= uint64(len(table)) {
			return false, beyond(k, p.dictionary.n)
		}
		x := math.Float64frombits(binary.LittleEndian.Uint64(table[at:at+8])) + 0
		if !(x >= low && x <= high) {
			good = false
		}
		dst[i] = x
	}
	return good, nil
}

// exact reads whole numbers as numbers with a fraction.
func (v *Values) exact(dst []float64, c *content, p *Page, at place, low, high float64) (good bool, err error) {
	whole := make([]int64, at.n)
	if err := v.whole(whole, c, p, at); err != nil {
		return false, err
	}
	good = true
	for i, k := range whole {
		if k > 1<<53 || k < -1<<53 {
			return false, fmt.Errorf("it has the number %d, which a float64 does not hold exactly", k)
		}
		dst[i] = float64(k)
		good = good && dst[i] >= low && dst[i] <= high
	}
	return good, nil
}

var errRange = errors.New("it has an instant that 64 bits of nanoseconds do not hold")

// Integers fills dst, 0 where a row is null; instants are in nanoseconds. Present is as of Doubles.
func (v *Values) Integers(dst []int64, s Segment) (present []bool, err error) {
	c, at, present, err := v.opened(s)
	if err != nil {
		return nil, err
	}
	dst = dst[:s.To-s.From]
	if err := v.whole(dst[:at.n], c, s.Page, at); err != nil {
		return nil, s.Page.wrong(err)
	}
	if scale := s.Page.column.scale; scale > 1 {
		least, greatest := math.MinInt64/scale, math.MaxInt64/scale
		for i, k := range dst[:at.n] {
			if k < least || k > greatest {
				return nil, s.Page.wrong(errRange)
			}
			dst[i] = k * scale
		}
	}
	spread(dst, at.n, present, 0)
	return present, nil
}

func (v *Values) whole(dst []int64, c *content, p *Page, at place) error {
	switch c.form {
	case formWhole:
		copy(dst, c.whole[at.before:])
		return nil
	case formIndexes:
		if err := p.dictionary.opened(); err != nil {
			return err
		}
		indexes, err := v.places(c, at)
		if err != nil {
			return err
		}
		return p.dictionary.whole(dst, indexes)
	case formPlain, formTexts:
	}
	plain := c.plain[c.size*at.before:]
	if c.size == 4 {
		for i := range dst {
			dst[i] = int64(int32(binary.LittleEndian.Uint32(plain[4*i:])))
		}
		return nil
	}
	for i := range dst {
		dst[i] = int64(binary.LittleEndian.Uint64(plain[8*i:]))
	}
	return nil
}

// whole looks whole numbers up.
func (d *dictionary) whole(dst []int64, places []uint32) error {
	table, dst := d.plain, dst[:len(places)]
	if sizeOf(d.page.column) == 4 {
		for i, k := range places {
			at := uint64(k) * 4
			if at >= uint64(len(table)) {
				return beyond(k, d.n)
			}
			dst[i] = int64(int32(binary.LittleEndian.Uint32(table[at : at+4])))
		}
		return nil
	}
	for i, k := range places {
		at := uint64(k) * 8
		if at >= uint64(len(table)) {
			return beyond(k, d.n)
		}
		dst[i] = int64(binary.LittleEndian.Uint64(table[at : at+8]))
	}
	return nil
}

// Texts reads texts.
func (v *Values) Texts(s Segment) (Texts, error) {
	c, at, present, err := v.opened(s)
	if err != nil {
		return Texts{}, err
	}
	rows := s.To - s.From
	t := Texts{texts: &c.texts, Len: c.texts.len(), page: s.Page}
	if c.form == formIndexes {
		d := s.Page.dictionary
		if err := d.opened(); err != nil {
			return Texts{}, err
		}
		t = Texts{texts: &d.texts, Len: d.n, Keep: d, page: s.Page}
		if _, err := v.places(c, at); err != nil {
			return Texts{}, s.Page.wrong(err)
		}
	} else {
		v.indexes = grown(v.indexes, at.n)
		for i := range v.indexes {
			v.indexes[i] = uint32(at.before + i)
		}
	}
	if present != nil {
		indexes := grown(v.indexes, rows)
		copy(indexes, v.indexes)
		v.indexes = indexes
		spread(v.indexes, at.n, present, None)
	}
	t.Index = v.indexes
	return t, nil
}

// spread moves n values that stand at the beginning of dst to the rows that are present.
func spread[T any](dst []T, n int, present []bool, null T) {
	if present == nil {
		return
	}
	for i := len(dst) - 1; i >= 0; i-- {
		if !present[i] {
			dst[i] = null
			continue
		}
		n--
		dst[i] = dst[n]
	}
}
