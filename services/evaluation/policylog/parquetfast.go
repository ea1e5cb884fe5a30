package policylog

import (
	"bytes"
	"errors"
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/services/evaluation/parquetfile"
)

// errSlow says that some row is not as it should be, or cannot be read: rows are then taken one by one.
var errSlow = errors.New("a row is not good")

// parquetScratch is memory that decoding uses again.
type parquetScratch struct {
	values parquetfile.Values
	places []uint32
	batch  []batchColumn // by slot
	cells  []cell
}

// decode fills the block column by column, which holds only where every row is good. Where one is not, it begins again
// and takes the rows one by one: builder.add then tells what is wrong with the first of them, or leaves it out.
func (r *parquetReader) decode(k *chunk, b *builder) error {
	if err := r.decodeFast(k, b); err == nil {
		return nil
	}
	defer k.parquet.release() // rows are copied
	b.begin(b.block, b.file, r.names, k)
	return r.decodeRows(k, b)
}

// decodeFast fills the block if every row is good. The checks are those of builder.check.
func (r *parquetReader) decodeFast(k *chunk, b *builder) error {
	c := fastChunk{parquetChunk: &k.parquet, reader: r, builder: b, rows: k.rows}
	block := b.block
	steps := []func() error{c.ids, c.customers, c.instants, c.positions}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	if err := c.places(slotProduct, block.Product, &b.codes, isID, false); err != nil {
		return err
	}
	low, high := -math.MaxFloat64, math.MaxFloat64
	if b.plan.ranged {
		low, high = b.plan.low, b.plan.high
	}
	if err := c.fill(slotReward, block.Reward, low, high, true); err != nil {
		return err
	}
	if err := c.fill(slotPropensity, block.Propensity, math.SmallestNonzeroFloat64, 1, false); err != nil {
		return err
	}
	if b.plan.target {
		if err := c.fill(slotTarget, block.Target, 0, 1, false); err != nil {
			return err
		}
	}
	for i := range block.Texts {
		if err := c.places(slotOthers+i, block.Texts[i].Values, &b.texts[i], isText, true); err != nil {
			return err
		}
	}
	for i := range block.Numbers {
		if err := c.fill(slotOthers+b.plan.texts+i, block.Numbers[i].Values, -math.MaxFloat64, math.MaxFloat64, true); err != nil {
			return err
		}
	}
	b.rows = k.rows
	return nil
}

// fastChunk is a chunk whose rows are taken to be good until one is not.
type fastChunk struct {
	*parquetChunk
	reader  *parquetReader
	builder *builder
	rows    int
}

// ids begins the decisions. Where one ends is where the next begins. Texts stay in their pages, which the chunk holds until it
// is filled again.
func (c *fastChunk) ids() error {
	row := 0
	var id []byte
	for _, segment := range c.segments[slotDecision] {
		t, err := c.scratch.values.Texts(segment)
		if err != nil {
			return err
		}
		last := ^t.Index[0] // another than the first
		for k, i := range t.Index {
			if i == last {
				continue
			}
			last = i
			if text := t.Text(i); row+k == 0 || !bytes.Equal(text, id) {
				if !c.begin(text, row+k) {
					return errSlow
				}
				id = text
			}
		}
		row += len(t.Index)
	}
	c.builder.block.Ends = append(c.builder.block.Ends, int32(row))
	return nil
}

// begin begins a decision, and ends the one before it; false where that is no id.
func (c *fastChunk) begin(id []byte, row int) bool {
	u, is := parseUUID(id)
	if !is {
		if u = (uuid{}); !isDecisionID(id) {
			return false
		}
	}
	b := c.builder
	if row > 0 {
		b.block.Ends = append(b.block.Ends, int32(row))
	}
	b.hash.known.uuids = append(b.hash.known.uuids, u)
	b.block.Decisions = append(b.block.Decisions, Decision{ID: id, Row: b.from.Row + int64(row) + 1})
	return true
}

// customers reads each decision's, the same in all of its rows.
func (c *fastChunk) customers() error {
	block := c.builder.block
	return c.same(slotCustomer, func(d int, text []byte, begins bool) bool {
		head := &block.Decisions[d]
		if begins && isID(text) {
			head.CustomerID = text
			block.Cluster = append(block.Cluster, ClusterOf(text))
			return true
		}
		return !begins && bytes.Equal(text, head.CustomerID)
	})
}

// same goes through a column of texts, decision by decision: take is told of the first row of each, and of others whose
// text may not be that of the row before.
func (c *fastChunk) same(slot int, take func(d int, text []byte, begins bool) bool) error {
	d, row, next := -1, 0, 0
	for _, segment := range c.segments[slot] {
		t, err := c.scratch.values.Texts(segment)
		if err != nil {
			return err
		}
		for k := 0; k < len(t.Index); {
			begins := row+k == next
			if begins {
				d++
				next = int(c.builder.block.Ends[d])
			}
			rows := t.Index[k:min(next-row, len(t.Index))]
			k += len(rows)
			last := rows[0]
			if !take(d, t.Text(last), begins) {
				return errSlow
			}
			if !allAre(rows, last) && slices.ContainsFunc(rows, func(i uint32) bool { return i != last && !take(d, t.Text(i), false) }) {
				return errSlow
			}
		}
		row += len(t.Index)
	}
	return nil
}

// allAre reports whether all places are one.
func allAre(places []uint32, one uint32) bool {
	var other uint32
	for _, i := range places {
		other |= i ^ one
	}
	return other == 0
}

// instants reads each decision's, the same in all of its rows.
func (c *fastChunk) instants() error {
	block := c.builder.block
	if c.reader.slots[slotAt].kind == parquetfile.Text {
		return c.same(slotAt, func(d int, text []byte, begins bool) bool {
			at, ok := parseInstant(text)
			if begins {
				block.Decisions[d].At = at
			}
			return ok && at >= minInstant && at <= maxInstant && at == block.Decisions[d].At
		})
	}
	d, row, next := -1, 0, 0
	for _, segment := range c.segments[slotAt] {
		w, ok, err := c.scratch.values.Wholes(segment)
		if err != nil {
			return err
		}
		if !ok {
			return errSlow
		}
		first := row
		for end := row + segment.To - segment.From; row < end; {
			begins := row == next
			if begins {
				d++
				next = int(block.Ends[d])
			}
			to, head := min(next, end), &block.Decisions[d]
			at, one := w.Run(row-first, to-first)
			if !one || at < minInstant || at > maxInstant || !begins && at != head.At {
				return errSlow
			}
			head.At, row = at, to
		}
	}
	return nil
}

// positions reads each row's, none of them twice in a decision. Most decisions have 1 to n in that order.
func (c *fastChunk) positions() error {
	b, row := c.builder, 0
	for _, segment := range c.segments[slotPosition] {
		n := segment.To - segment.From
		good, err := c.scratch.values.Small(b.block.Position[row:row+n], segment)
		if err != nil {
			return err
		}
		if !good {
			return errSlow
		}
		row += n
	}
	from, straight := int32(0), true
	for _, end := range b.block.Ends {
		positions := b.block.Position[from:end]
		from = end
		if len(positions) > maxPosition {
			return errSlow
		}
		if !inOrder(positions) {
			if straight = false; !b.areNew(positions) {
				return errSlow
			}
		}
	}
	b.hash.known.straight = straight
	return nil
}

// areNew reports whether a decision's positions are what positions may be, none of them twice.
func (b *builder) areNew(positions []int32) bool {
	b.countDecision()
	for _, p := range positions {
		if p < 1 || p > maxPosition || b.isRepeated(p) {
			return false
		}
		b.seen[p] = b.decision
	}
	return true
}

// places fills a column of texts. Absent says that a row may be without one: its text is "" then.
func (c *fastChunk) places(slot int, dst []uint32, names *dictionary, isGood func([]byte) bool, absent bool) error {
	known := knownTexts{names: names, isGood: isGood, absent: absent, places: c.scratch.places}
	defer func() { c.scratch.places = known.places }()
	row := 0
	for _, segment := range c.segments[slot] {
		t, err := c.scratch.values.Texts(segment)
		if err != nil {
			return err
		}
		if err := known.fill(dst[row:row+len(t.Index)], &t); err != nil {
			return err
		}
		row += len(t.Index)
	}
	return nil
}

// knownTexts gives texts their places in the block, and looks at a text of a page's dictionary once.
type knownTexts struct {
	names  *dictionary
	isGood func([]byte) bool
	absent bool
	keep   any
	places []uint32 // in the block, by place in keep's texts
}

func (k *knownTexts) fill(dst []uint32, t *parquetfile.Texts) error {
	if t.Keep == nil || t.Len > 4*BlockRows { // not a dictionary, or one that most rows do not speak of
		for row, i := range t.Index {
			place, err := k.place(t, i)
			if err != nil {
				return err
			}
			dst[row] = place
		}
		return nil
	}
	if t.Keep != k.keep {
		k.keep = t.Keep
		k.places = resized(k.places, t.Len)
		for i := range k.places {
			k.places[i] = noPlace
		}
	}
	places := k.places
	for row, i := range t.Index {
		if int(i) < len(places) && places[i] != noPlace {
			dst[row] = places[i]
			continue
		}
		place, err := k.place(t, i)
		if err != nil {
			return err
		}
		if dst[row] = place; i != parquetfile.None {
			places[i] = place
		}
	}
	return nil
}

// place looks at a text.
func (k *knownTexts) place(t *parquetfile.Texts, i uint32) (uint32, error) {
	text := t.Text(i)
	switch {
	case i == parquetfile.None && !k.absent, i != parquetfile.None && text == nil, text != nil && !k.isGood(text):
		return 0, errSlow
	}
	return k.names.add(text), nil
}

// fill reads a column of numbers from low to high. Absent says that a row may be without one: it has NaN then.
func (c *fastChunk) fill(slot int, dst []float64, low, high float64, absent bool) error {
	row := 0
	for _, segment := range c.segments[slot] {
		n := segment.To - segment.From
		present, good, err := c.scratch.values.Between(dst[row:row+n], segment, low, high)
		if err != nil {
			return err
		}
		if !good || present != nil && !absent {
			return errSlow
		}
		row += n
	}
	return nil
}
