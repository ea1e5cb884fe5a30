package policylog

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
	"slices"
	"strings"
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
	h := mix(uint64(len(customer)))
	for ; len(customer) >= 8; customer = customer[8:] {
		h = mix(h ^ binary.LittleEndian.Uint64(customer))
	}
	if len(customer) > 0 {
		var last [8]byte
		copy(last[:], customer)
		h = mix(h ^ binary.LittleEndian.Uint64(last[:]))
	}
	return h
}

// mix is the finaliser of splitmix64 (Steele, Lea and Flood, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15 // 2^64 over the golden ratio
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// canonical hashes a block's canonical form as it is written, through a buffer that stays in the processor's cache.
type canonical struct {
	hash    hash.Hash
	buf     []byte
	full    int
	texts   []*Text
	numbers []*Number
}

// Sizes of the buffer: it is written out once it is full, and whoever appends something short may then go on to its end.
const (
	canonicalFull  = 16 << 10
	canonicalSpare = 512
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
	c.decisions(b)
	c.names(b.Codes)
	c.places(b.Product, len(b.Codes))
	c.positions(b.Position)
	c.floats(b.Reward)
	c.floats(b.Propensity)
	c.uint(uint64(len(b.Target)))
	c.floats(b.Target)
	c.others(b)
	c.flush()
	copy(sum[:], c.hash.Sum(c.buf[:0]))
	return sum
}

func (c *canonical) decisions(b *Block) {
	from := int32(0)
	for i := range b.Decisions {
		d := &b.Decisions[i]
		c.uint(uint64(b.Ends[i] - from))
		from = b.Ends[i]
		c.text(d.ID)
		c.text(d.CustomerID)
		c.word(uint64(d.At))
	}
}

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
		c.floats(n.Values)
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

// text is the length and the bytes.
func (c *canonical) text(v []byte) {
	c.uint(uint64(len(v)))
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

// word is eight bytes, the least first.
func (c *canonical) word(v uint64) {
	c.room()
	binary.LittleEndian.PutUint64(c.buf[c.full:], v)
	c.full += 8
}

// places are the places in a list of so many names, least byte first: one byte each while the list has at most 256 names,
// two up to 65,536, and else four.
func (c *canonical) places(v []uint32, names int) {
	switch {
	case names <= 1<<8:
		for ; len(v) > 0; v = v[min(len(v), canonicalSpare):] {
			c.room()
			for _, p := range v[:min(len(v), canonicalSpare)] {
				c.buf[c.full] = byte(p)
				c.full++
			}
		}
	case names <= 1<<16:
		for ; len(v) > 0; v = v[min(len(v), canonicalSpare/2):] {
			c.room()
			for _, p := range v[:min(len(v), canonicalSpare/2)] {
				binary.LittleEndian.PutUint16(c.buf[c.full:], uint16(p))
				c.full += 2
			}
		}
	default:
		for ; len(v) > 0; v = v[min(len(v), canonicalSpare/4):] {
			c.room()
			for _, p := range v[:min(len(v), canonicalSpare/4)] {
				binary.LittleEndian.PutUint32(c.buf[c.full:], p)
				c.full += 4
			}
		}
	}
}

// positions are two bytes each, the least first.
func (c *canonical) positions(v []int32) {
	for ; len(v) > 0; v = v[min(len(v), canonicalSpare/2):] {
		c.room()
		for _, p := range v[:min(len(v), canonicalSpare/2)] {
			binary.LittleEndian.PutUint16(c.buf[c.full:], uint16(p))
			c.full += 2
		}
	}
}

// The ways to write a column of numbers.
const (
	asTags = 1 // a byte each: 0, 1, and 2 for what is absent
	asBits = 8 // eight bytes each, the least first
)

// floats are a column of numbers: as tags where every one of them is 0, 1 or absent, else as bits.
func (c *canonical) floats(v []float64) {
	if isTagged(v) {
		c.uint(asTags)
		for ; len(v) > 0; v = v[min(len(v), canonicalSpare):] {
			c.room()
			to := c.buf[c.full:]
			for i, f := range v[:min(len(v), canonicalSpare)] {
				to[i] = byte(tagOfNumber(math.Float64bits(f)))
			}
			c.full += min(len(v), canonicalSpare)
		}
		return
	}
	c.uint(asBits)
	for ; len(v) > 0; v = v[min(len(v), canonicalSpare/8):] {
		c.room()
		to := c.buf[c.full:]
		for i, f := range v[:min(len(v), canonicalSpare/8)] {
			binary.LittleEndian.PutUint64(to[8*i:], math.Float64bits(f))
		}
		c.full += 8 * min(len(v), canonicalSpare/8)
	}
}

// isTagged reports whether every number is 0, 1 or absent.
func isTagged(v []float64) bool {
	bitsOf := [4]uint64{0, math.Float64bits(1), math.Float64bits(math.NaN())}
	for ; len(v) > 0; v = v[min(len(v), canonicalSpare):] {
		var other uint64
		for _, f := range v[:min(len(v), canonicalSpare)] {
			b := math.Float64bits(f)
			other |= b ^ bitsOf[tagOfNumber(b)]
		}
		if other != 0 {
			return false
		}
	}
	return true
}

// tagOfNumber is 0, 1 and 2 for the bits of 0, 1 and NaN, by their exponents; of other numbers it says nothing.
func tagOfNumber(b uint64) uint64 { return (b>>52 + 1) >> 10 & 3 }
