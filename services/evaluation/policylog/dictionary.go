package policylog

import (
	"encoding/binary"
	"math/bits"
)

// dictionary gives each text of a column its place in the block: the order of the first rows. Its texts outlive the
// block, so that a log whose texts come again allocates nothing from the second block on.
type dictionary struct {
	names []string // of this block, by place

	slots   []slot   // open addressing; the length is a power of two
	entries []string // every text since the last reset
	block   uint32   // a number of the block; never 0
}

// slot is a place in the table. It is free where tag is 0.
type slot struct {
	tag   uint64
	entry uint32
	place uint32 // in the block
	block uint32 // that place is of
}

// Bounds of a table that is kept over blocks.
const (
	firstSlots = 1 << 8
	keptTexts  = 1 << 16
)

// begin empties the dictionary for the next block. The names of the last one stay as they are with whoever has them.
func (d *dictionary) begin() {
	d.names = d.names[:0]
	d.block++
	if d.slots == nil || len(d.entries) > keptTexts || d.block == 0 {
		d.slots, d.entries, d.block = make([]slot, firstSlots), nil, 1
	}
}

// find returns the text's place in the block, noPlace where it has none yet.
func (d *dictionary) find(v []byte) uint32 { return d.place(tagOf(v), v) }

// findAt is find of text[p:end]; text goes on behind it for eight bytes at least.
func (d *dictionary) findAt(text []byte, p, end int) uint32 {
	n := end - p
	if n >= 8 {
		return d.find(text[p:end])
	}
	tag := binary.LittleEndian.Uint64(text[p:])&(1<<(8*uint(n))-1) | uint64(n+1)<<56
	mask := uint64(len(d.slots) - 1)
	for i := fold(tag) & mask; ; i = (i + 1) & mask {
		switch s := &d.slots[i]; {
		case s.tag == tag && s.block == d.block:
			return s.place
		case s.tag == tag, s.tag == 0:
			return noPlace
		}
	}
}

func (d *dictionary) place(tag uint64, v []byte) uint32 {
	if s := d.lookup(v, tag); s.tag != 0 && s.block == d.block {
		return s.place
	}
	return noPlace
}

// add returns the text's place in the block, the next one where it had none.
func (d *dictionary) add(v []byte) uint32 {
	tag := tagOf(v)
	s := d.lookup(v, tag)
	if s.tag == 0 {
		if len(d.entries)*2 >= len(d.slots) {
			d.grow()
			s = d.lookup(v, tag)
		}
		*s = slot{tag: tag, entry: uint32(len(d.entries))}
		d.entries = append(d.entries, string(v))
	}
	if s.block != d.block {
		s.block, s.place = d.block, uint32(len(d.names))
		d.names = append(d.names, d.entries[s.entry])
	}
	return s.place
}

// lookup returns the text's slot, or the free one where it belongs.
func (d *dictionary) lookup(v []byte, tag uint64) *slot {
	mask := uint64(len(d.slots) - 1)
	for i := fold(tag) & mask; ; i = (i + 1) & mask {
		s := &d.slots[i]
		if s.tag == 0 || s.tag == tag && (tag>>63 == 0 || d.entries[s.entry] == string(v)) {
			return s
		}
	}
}

func (d *dictionary) grow() {
	old := d.slots
	d.slots = make([]slot, 2*len(old))
	mask := uint64(len(d.slots) - 1)
	for _, s := range old {
		if s.tag == 0 {
			continue
		}
		i := fold(s.tag) & mask
		for d.slots[i].tag != 0 {
			i = (i + 1) & mask
		}
		d.slots[i] = s
	}
}

// tagOf is never 0. Of a text of less than eight bytes it is the text itself with its length above, so that another text
// has another tag; of longer ones it is a hash, with the top bit set. It serves lookups only and is in no result.
func tagOf(v []byte) uint64 {
	if len(v) < 8 {
		tag := uint64(len(v)+1) << 56
		for i, c := range v {
			tag |= uint64(c) << (8 * i)
		}
		return tag
	}
	h := uint64(len(v))
	last := binary.LittleEndian.Uint64(v[len(v)-8:])
	for ; len(v) > 8; v = v[8:] {
		h = fold(h ^ binary.LittleEndian.Uint64(v))
	}
	return fold(h^last) | 1<<63
}

// fold mixes by a product of 128 bits, its halves put together (as wyhash does).
func fold(x uint64) uint64 {
	high, low := bits.Mul64(x^0xa0761d6478bd642f, 0xe7037ed1a0b428db)
	return high ^ low
}
