package policylog

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/draw"
)

// canonicalV1 begins the canonical form of a block (docs/evaluation/log.md): who changes the form changes this line.
const canonicalV1 = "fundmatch.policy-log-block/v1\n"

// HashFile is the hash of a file, given those of its blocks in their order.
func HashFile(blocks [][sha256.Size]byte) [sha256.Size]byte {
	return hashAll("fundmatch.policy-log-file/v1\n", blocks)
}

// HashLog is the hash of a log, given those of its files in their order. The files' names are not in it.
func HashLog(files [][sha256.Size]byte) [sha256.Size]byte {
	return hashAll("fundmatch.policy-log/v1\n", files)
}

func hashAll(what string, parts [][sha256.Size]byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte(what))
	for i := range parts {
		h.Write(parts[i][:])
	}
	h.Sum(sum[:0])
	return sum
}

// ClusterOf is the hash of a customer by which a log is resampled: of the id's bytes in words of eight, the last filled
// up with zeros, and of its length. It is part of results: it never changes.
func ClusterOf(customer []byte) uint64 {
	h := draw.Mix(uint64(len(customer)))
	for ; len(customer) >= 8; customer = customer[8:] {
		h = draw.Mix(h ^ binary.LittleEndian.Uint64(customer))
	}
	if len(customer) > 0 {
		var last [8]byte
		copy(last[:], customer)
		h = draw.Mix(h ^ binary.LittleEndian.Uint64(last[:]))
	}
	return h
}

// canonical hashes a block's canonical form as it is written, through a buffer that stays in the processor's cache.
type canonical struct {
	hash    hash.Hash
	buf     []byte
	full    int
	texts   []*Text
	numbers []*Number
	known   known
}

// known is what a reader has found out of a block already.
type known struct {
	straight bool   // all decisions have the positions 1 to n in that order
	uuids    []uuid // of the decisions, or none; 0 of one that is no UUID
}

// Sizes of the buffer: it is written out once it is full, and whoever appends at most the spare may then go on to its end.
const (
	canonicalFull  = 16 << 10
	canonicalSpare = 8*numberGroup + 64
)

func newCanonical() *canonical {
	return &canonical{hash: sha256.New(), buf: make([]byte, canonicalFull+canonicalSpare)}
}

// block returns the hash of the block's rows in canonical form.
func (c *canonical) block(b *Block) (sum [sha256.Size]byte) {
	c.hash.Reset()
	c.full = 0
	c.bytes(canonicalV1)
	c.uint(uint64(len(b.Decisions)))
	c.uint(uint64(b.Rows()))
	straight := c.decisions(b)
	c.names(b.Codes)
	c.places(b.Product, len(b.Codes))
	if !straight {
		c.positions(b)
	}
	c.numbersOf(b.Reward)
	c.numbersOf(b.Propensity)
	c.uint(uint64(len(b.Target)))
	c.numbersOf(b.Target)
	c.others(b)
	c.flush()
	copy(sum[:], c.hash.Sum(c.buf[:0]))
	return sum
}

// decisions are the heads, each with how many rows it has and whether their positions need be told. Straight says that none
// need be.
func (c *canonical) decisions(b *Block) (straight bool) {
	from, before := int32(0), int64(0)
	straight = true
	uuids := c.known.uuids
	if len(uuids) != len(b.Decisions) {
		uuids = nil
	}
	for i := range b.Decisions {
		c.room()
		d, rows := &b.Decisions[i], b.Position[from:b.Ends[i]]
		from = b.Ends[i]
		length := uint64(len(rows)) * 2
		if c.known.straight || inOrder(rows) {
			length++
		} else {
			straight = false
		}
		to := c.buf[c.full:][:canonicalSpare]
		n := putUint(to, length)
		if i < len(uuids) && uuids[i] != (uuid{}) {
			n += putUUID(to[n:], uuids[i])
		} else {
			n += putID(to[n:], d.ID)
		}
		n += putText(to[n:], d.CustomerID)
		n += putUint(to[n:], zigzag(d.At-before))
		before = d.At
		c.full += n
	}
	return straight
}

// putID writes a decision's id: a UUID in lower case as 0, which is no length of an id, and its 16 bytes; another as text.
func putID(to, id []byte) int {
	if u, is := parseUUID(id); is {
		return putUUID(to, u)
	}
	return putText(to, id)
}

func putUUID(to []byte, u uuid) int {
	to[0] = 0
	binary.LittleEndian.PutUint64(to[1:], u.first)
	binary.LittleEndian.PutUint64(to[9:], u.second)
	return 17
}

// putText writes a text that fits.
func putText(to, v []byte) int {
	n := putUint(to, uint64(len(v)))
	if len(v) == 8 { // of most customers
		binary.LittleEndian.PutUint64(to[n:], binary.LittleEndian.Uint64(v))
		return n + 8
	}
	return n + copy(to[n:], v)
}

func putUint(to []byte, v uint64) int {
	if v < 0x80 {
		to[0] = byte(v)
		return 1
	}
	return binary.PutUvarint(to, v)
}

// zigzag makes small numbers of both signs small ones without.
func zigzag(v int64) uint64 { return uint64(v)<<1 ^ uint64(v>>63) }

// others are the columns that were asked for and are there, texts before numbers, each kind in the order of its names.
func (c *canonical) others(b *Block) {
	texts := c.texts[:0]
	for i := range b.Texts {
		if b.Texts[i].There {
			texts = append(texts, &b.Texts[i])
		}
	}
	slices.SortFunc(texts, func(x, y *Text) int { return strings.Compare(x.Name, y.Name) })
	c.uint(uint64(len(texts)))
	for _, t := range texts {
		c.string(t.Name)
		c.names(t.Names)
		c.places(t.Values, len(t.Names))
	}
	numbers := c.numbers[:0]
	for i := range b.Numbers {
		if b.Numbers[i].There {
			numbers = append(numbers, &b.Numbers[i])
		}
	}
	slices.SortFunc(numbers, func(x, y *Number) int { return strings.Compare(x.Name, y.Name) })
	c.uint(uint64(len(numbers)))
	for _, n := range numbers {
		c.string(n.Name)
		c.numbersOf(n.Values)
	}
	c.texts, c.numbers = texts, numbers
}

func (c *canonical) flush() {
	c.hash.Write(c.buf[:c.full])
	c.full = 0
}

// room makes sure that the spare is free.
func (c *canonical) room() {
	if c.full >= canonicalFull {
		c.flush()
	}
}

func (c *canonical) bytes(v string) {
	for len(v) > 0 {
		c.room()
		n := copy(c.buf[c.full:], v)
		c.full += n
		v = v[n:]
	}
}

func (c *canonical) string(v string) {
	c.uint(uint64(len(v)))
	c.bytes(v)
}

func (c *canonical) names(v []string) {
	c.uint(uint64(len(v)))
	for _, n := range v {
		c.string(n)
	}
}

// uint is an unsigned varint, least group of seven bits first (binary.AppendUvarint).
func (c *canonical) uint(v uint64) {
	c.room()
	c.full += binary.PutUvarint(c.buf[c.full:], v)
}

// places are the places in a list of so many names, least byte first: one byte each while the list has at most 256 names,
// two up to 65,536, and else four.
func (c *canonical) places(v []uint32, names int) {
	const part = canonicalSpare / 4
	for ; len(v) > 0; v = v[min(len(v), part):] {
		c.room()
		to, now := c.buf[c.full:][:canonicalSpare], v[:min(len(v), part)]
		switch {
		case names <= 1<<8:
			for i, p := range now {
				to[i] = byte(p)
			}
			c.full += len(now)
		case names <= 1<<16:
			for i, p := range now {
				binary.LittleEndian.PutUint16(to[2*i:], uint16(p))
			}
			c.full += 2 * len(now)
		default:
			for i, p := range now {
				binary.LittleEndian.PutUint32(to[4*i:], p)
			}
			c.full += 4 * len(now)
		}
	}
}

// positions are those of decisions whose positions are not 1 to n in that order: two bytes each, the least first.
func (c *canonical) positions(b *Block) {
	from := int32(0)
	for _, end := range b.Ends {
		rows := b.Position[from:end]
		from = end
		if inOrder(rows) {
			continue
		}
		for _, p := range rows {
			c.room()
			binary.LittleEndian.PutUint16(c.buf[c.full:], uint16(p))
			c.full += 2
		}
	}
}

// inOrder reports whether positions are 1 to n in that order.
func inOrder(positions []int32) bool {
	var off int32
	for i, p := range positions {
		off |= p ^ int32(i+1)
	}
	return off == 0
}

// numberGroup is how many numbers of a column are written in one way: the first of these that holds for all of them.
const numberGroup = 256

const (
	asTags   = 1 // 0, 1, or absent: two bits each, 0, 1 and 2, four in a byte from the lowest on
	asSevens = 7 // their highest byte is 3f, and is left out: 2^-15 up to below 2
	asBits   = 8 // eight bytes, the least first
)

// numbersOf are a column of numbers.
func (c *canonical) numbersOf(v []float64) {
	for ; len(v) > 0; v = v[min(len(v), numberGroup):] {
		c.room()
		to, group := c.buf[c.full:][:canonicalSpare], v[:min(len(v), numberGroup)]
		switch {
		case putTags(to[1:], group):
			to[0] = asTags
			c.full += 1 + (len(group)+3)/4
		case putSevens(to[1:], group):
			to[0] = asSevens
			c.full += 1 + 7*len(group)
		default:
			to[0] = asBits
			for i, f := range group {
				binary.LittleEndian.PutUint64(to[1+8*i:], math.Float64bits(f))
			}
			c.full += 1 + 8*len(group)
		}
	}
}

// putTags writes numbers as tags; false: one of them is another.
func putTags(to []byte, v []float64) bool {
	if !isTag(math.Float64bits(v[0])) { // most columns of others
		return false
	}
	var other uint64
	for ; len(v) >= 4; to, v = to[1:], v[4:] {
		a, b := math.Float64bits(v[0]), math.Float64bits(v[1])
		c, d := math.Float64bits(v[2]), math.Float64bits(v[3])
		to[0] = byte(tagOfNumber(a) | tagOfNumber(b)<<2 | tagOfNumber(c)<<4 | tagOfNumber(d)<<6)
		other |= notTag(a) | notTag(b) | notTag(c) | notTag(d)
	}
	if len(v) > 0 {
		to[0] = 0
	}
	for i, f := range v {
		b := math.Float64bits(f)
		to[0] |= byte(tagOfNumber(b) << (2 * i))
		other |= notTag(b)
	}
	return other == 0
}

// tagOfNumber is 0, 1 and 2 for the bits of 0, 1 and what is absent, by their exponents.
func tagOfNumber(b uint64) uint64 { return (b>>52 + 1) >> 10 & 3 }

// notTag is 0 for those alone.
func notTag(b uint64) uint64 {
	return b ^ [4]uint64{0, 0x3ff0000000000000, 0x7ff8000000000001, 0}[tagOfNumber(b)]
}

func isTag(b uint64) bool { return notTag(b) == 0 }

// putSevens writes numbers without their highest byte; false: one of them has another than 3f. It writes a byte behind them.
func putSevens(to []byte, v []float64) bool {
	const highest = 0x3f
	var off uint64
	for ; len(v) >= 4; to, v = to[28:], v[4:] {
		a, b := math.Float64bits(v[0]), math.Float64bits(v[1])
		c, d := math.Float64bits(v[2]), math.Float64bits(v[3])
		part := (*[29]byte)(to)
		binary.LittleEndian.PutUint64(part[0:8], a)
		binary.LittleEndian.PutUint64(part[7:15], b)
		binary.LittleEndian.PutUint64(part[14:22], c)
		binary.LittleEndian.PutUint64(part[21:29], d)
		off |= (a ^ highest<<56) | (b ^ highest<<56) | (c ^ highest<<56) | (d ^ highest<<56)
	}
	for i, f := range v {
		b := math.Float64bits(f)
		binary.LittleEndian.PutUint64(to[7*i:], b)
		off |= b ^ highest<<56
	}
	return off>>56 == 0
}
