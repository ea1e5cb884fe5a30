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
	wide    []int64
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

// plainDoubles copies numbers and says whether all of them are in the range. Numbers from 0 on are in the order of their
// bits: so one subtraction tells each, and only where one is off is each looked at (-0 is off, and becomes 0).
func plainDoubles(dst []float64, plain []byte, low, high float64) (good bool) {
	if low += 0; !(low >= 0 && high >= low) {
		return eachDouble(dst, plain, low, high)
	}
	least := math.Float64bits(low)
	span := math.Float64bits(high) - least
	to, from := dst, plain
	for ; len(to) >= 4 && len(from) >= 32; to, from = to[4:], from[32:] {
		four, b := (*[4]float64)(to), (*[32]byte)(from)
		w, x := binary.LittleEndian.Uint64(b[0:8]), binary.LittleEndian.Uint64(b[8:16])
		y, z := binary.LittleEndian.Uint64(b[16:24]), binary.LittleEndian.Uint64(b[24:32])
		if w-least > span || x-least > span || y-least > span || z-least > span {
			return eachDouble(dst, plain, low, high)
		}
		four[0], four[1] = math.Float64frombits(w), math.Float64frombits(x)
		four[2], four[3] = math.Float64frombits(y), math.Float64frombits(z)
	}
	return eachDouble(to, from, low, high)
}

func eachDouble(dst []float64, plain []byte, low, high float64) bool {
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

// pieceRows are looked up at once, so that their places stay in the nearest cache.
const pieceRows = 2048

// byPlaces hands over which values of the dictionary the segment has, piece by piece.
func (v *Values) byPlaces(c *content, at place, take func(from int, places []uint32) error) error {
	v.indexes = grown(v.indexes, min(at.n, pieceRows))
	runs := hybrid{b: c.runs, width: c.width}
	if err := runs.skip(at.before); err != nil {
		return err
	}
	for from := 0; from < at.n; from += pieceRows {
		places := v.indexes[:min(at.n-from, pieceRows)]
		if err := runs.read(places); err != nil {
			return err
		}
		if err := take(from, places); err != nil {
			return err
		}
	}
	return nil
}

// looked looks numbers up in the dictionary. If all that it has are in the range, so are the rows.
func (v *Values) looked(dst []float64, c *content, p *Page, at place, low, high float64) (good bool, err error) {
	if err := p.dictionary.opened(); err != nil {
		return false, err
	}
	d := p.dictionary
	check, good := d.n > at.n || !d.within(low, high), true
	err = v.byPlaces(c, at, func(from int, places []uint32) error {
		to, table := dst[from:][:len(places)], d.plain
		for i, k := range places {
			at := uint64(k) * 8
			if at >= uint64(len(table)) {
				return beyond(k, d.n)
			}
			to[i] = math.Float64frombits(binary.LittleEndian.Uint64(table[at:at+8])) + 0
		}
		for i := 0; check && i < len(to); i++ {
			good = good && to[i] >= low && to[i] <= high
		}
		return nil
	})
	return good, err
}

// within reports whether every number of the dictionary is one from low to high.
func (d *dictionary) within(low, high float64) bool {
	for at := 0; at < len(d.plain); at += 8 {
		if x := math.Float64frombits(binary.LittleEndian.Uint64(d.plain[at:])); !(x >= low && x <= high) {
			return false
		}
	}
	return true
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

// Small fills dst with whole numbers; good says that every row has one, of 32 bits. Where it is false dst holds anything.
func (v *Values) Small(dst []int32, s Segment) (good bool, err error) {
	c, at, present, err := v.opened(s)
	if err != nil || present != nil || s.Page.column.Kind != Integer {
		return false, err
	}
	dst = dst[:s.To-s.From]
	if c.form != formIndexes || sizeOf(s.Page.column) != 4 {
		return v.narrowed(dst, c, s.Page, at)
	}
	d := s.Page.dictionary
	if err := d.opened(); err != nil {
		return false, err
	}
	err = v.byPlaces(c, at, func(from int, places []uint32) error {
		to, table := dst[from:][:len(places)], d.plain
		for i, k := range places {
			at := uint64(k) * 4
			if at >= uint64(len(table)) {
				return s.Page.wrong(beyond(k, d.n))
			}
			to[i] = int32(binary.LittleEndian.Uint32(table[at : at+4]))
		}
		return nil
	})
	return true, err
}

// narrowed is Small of pages that are not dictionaries of 32 bits.
func (v *Values) narrowed(dst []int32, c *content, p *Page, at place) (good bool, err error) {
	whole := make([]int64, at.n)
	if err := v.whole(whole, c, p, at); err != nil {
		return false, p.wrong(err)
	}
	good = true
	for i, k := range whole {
		dst[i] = int32(k)
		good = good && int64(dst[i]) == k
	}
	return good, nil
}

// Wholes are the whole numbers of a segment, or which value of a dictionary each row has.
type Wholes struct {
	values     []int64 // nil: they are in a dictionary
	index      []uint32
	dictionary *dictionary
}

// Wholes reads whole numbers and instants (in nanoseconds); false where a row is null.
func (v *Values) Wholes(s Segment) (w Wholes, ok bool, err error) {
	c, at, present, err := v.opened(s)
	switch {
	case err != nil || present != nil:
		return Wholes{}, false, err
	case c.form != formIndexes || sizeOf(s.Page.column) != 8:
		v.wide = grown(v.wide, at.n)
		_, err := v.Integers(v.wide, s)
		return Wholes{values: v.wide}, err == nil, err
	}
	if err := s.Page.dictionary.opened(); err != nil {
		return Wholes{}, false, err
	}
	index, err := v.places(c, at)
	if err != nil {
		return Wholes{}, false, s.Page.wrong(err)
	}
	return Wholes{index: index, dictionary: s.Page.dictionary}, true, nil
}

// Run is the number that all rows from a row on up to another have. False: they do not have one, or it cannot be read.
func (w *Wholes) Run(from, to int) (number int64, one bool) {
	if w.values != nil {
		number = w.values[from]
		for _, v := range w.values[from:to] {
			if v != number {
				return 0, false
			}
		}
		return number, true
	}
	var other uint32
	first := w.index[from]
	for _, i := range w.index[from:to] {
		other |= i ^ first
	}
	number, one = w.dictionary.wide(first)
	if other == 0 || !one {
		return number, one
	}
	for _, i := range w.index[from:to] {
		if v, ok := w.dictionary.wide(i); !ok || v != number {
			return 0, false
		}
	}
	return number, true
}

// wide is a number of 64 bits by its place; false where there is no such place, or where nanoseconds do not fit 64 bits.
func (d *dictionary) wide(i uint32) (v int64, ok bool) {
	at := uint64(i) * 8
	if at >= uint64(len(d.plain)) {
		return 0, false
	}
	v = int64(binary.LittleEndian.Uint64(d.plain[at:]))
	if scale := d.page.column.scale; scale > 1 {
		return v * scale, v >= math.MinInt64/scale && v <= math.MaxInt64/scale
	}
	return v, true
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
		return v.byPlaces(c, at, func(from int, places []uint32) error {
			return p.dictionary.whole(dst[from:], places)
		})
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
