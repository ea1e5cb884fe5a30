package parquetfile

import (
	"encoding/binary"
	"errors"
	"math"
)

// maxDelta bounds the values of a page in a DELTA encoding: such pages are decoded as a whole, and a run of equal steps
// takes no bytes.
const maxDelta = 1 << 22

var errDelta = errors.New("its DELTA encoding is damaged")

// deltas decodes DELTA_BINARY_PACKED
// (https://parquet.apache.org/docs/file-format/data-pages/encodings/#delta-encoding-delta_binary_packed--5): want
// values, and how many bytes they took.
func deltas(b []byte, want int) (values []int64, taken int, err error) {
	size := len(b)
	var head [3]uint64
	for i := range head {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, 0, errDelta
		}
		head[i], b = v, b[n:]
	}
	first, n := binary.Varint(b)
	block, minis, total := head[0], head[1], head[2]
	switch {
	case n <= 0, total != uint64(want), want > maxDelta:
		return nil, 0, errDelta
	case minis == 0 || block == 0 || block > 1<<20 || block%minis != 0 || block/minis%32 != 0:
		return nil, 0, errDelta
	}
	b = b[n:]
	values = make([]int64, 0, want)
	if want > 0 {
		values = append(values, first)
	}
	for len(values) < want {
		if values, b, err = deltaBlock(values, b, int(minis), int(block/minis), want); err != nil {
			return nil, 0, err
		}
	}
	return values, size - len(b), nil
}

// deltaBlock appends the values of a block.
func deltaBlock(values []int64, b []byte, minis, each, want int) ([]int64, []byte, error) {
	least, n := binary.Varint(b)
	if n <= 0 || len(b)-n < minis {
		return nil, nil, errDelta
	}
	widths := b[n : n+minis]
	b = b[n+minis:]
	for _, width := range widths {
		if len(values) == want {
			break // the widths of what is not there say nothing
		}
		if width > 64 || len(b) < int(width)*each/8 {
			return nil, nil, errDelta
		}
		packed := b[:int(width)*each/8]
		b = b[len(packed):]
		last := values[len(values)-1]
		for i := 0; i < each && len(values) < want; i++ {
			last += least + int64(bitsAt(packed, i*int(width), int(width)))
			values = append(values, last)
		}
	}
	return values, b, nil
}

// bitsAt reads a number of up to 64 bits.
func bitsAt(b []byte, bit, width int) uint64 {
	if width == 0 {
		return 0
	}
	var nine [9]byte
	copy(nine[:], b[bit>>3:])
	low := binary.LittleEndian.Uint64(nine[:8]) >> (bit & 7)
	if over := bit&7 + width - 64; over > 0 {
		low |= uint64(nine[8]) << (64 - bit&7)
	}
	return low & (math.MaxUint64 >> (64 - width))
}

// deltaTexts decodes DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes.
func deltaTexts(b []byte, want int) (texts, error) {
	lengths, n, err := deltas(b, want)
	if err != nil {
		return texts{}, err
	}
	t := texts{data: b[n:], at: make([]uint32, 1, want+1)}
	var end int64
	for _, length := range lengths {
		if length < 0 || length > int64(len(t.data))-end {
			return texts{}, errDelta
		}
		end += length
		t.at = append(t.at, uint32(end))
	}
	return t, nil
}

// deltaPrefixes decodes DELTA_BYTE_ARRAY: how much of the text before each begins with, then the rest.
func deltaPrefixes(b []byte, want int) (texts, error) {
	prefixes, n, err := deltas(b, want)
	if err != nil {
		return texts{}, err
	}
	rest, err := deltaTexts(b[n:], want)
	if err != nil {
		return texts{}, err
	}
	size := int64(len(rest.data))
	for _, p := range prefixes {
		if p < 0 || p > MaxPage || size > MaxPage {
			return texts{}, errDelta
		}
		size += p
	}
	t := texts{data: make([]byte, 0, min(size, MaxPage)), at: make([]uint32, 1, want+1)}
	last := 0
	for i, p := range prefixes {
		if p > int64(len(t.data)-last) || size > MaxPage {
			return texts{}, errDelta
		}
		start := len(t.data)
		t.data = append(t.data, t.data[last:last+int(p)]...)
		t.data = append(t.data, rest.of(i)...)
		t.at = append(t.at, uint32(len(t.data)))
		last = start
	}
	return t, nil
}

// unsplit decodes BYTE_STREAM_SPLIT: the first bytes of all values, then the second ones, ...
func unsplit(dst, src []byte, size int) {
	n := len(src) / size
	for k := range size {
		for i, v := range src[k*n : (k+1)*n] {
			dst[i*size+k] = v
		}
	}
}
