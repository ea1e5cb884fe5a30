package parquetfile

import (
	"encoding/binary"
	"errors"
)

// hybrid reads runs of small numbers: Parquet's RLE encoding, of levels and of places in a dictionary. A run is one
// number many times, or eight and more numbers packed bit by bit.
type hybrid struct {
	b      []byte
	at     int // of the next run, in b
	width  uint
	left   int    // numbers left in this run
	value  uint32 // of a run of one number
	packed []byte // of a run of packed ones; nil: it is of one number
	bit    int    // in packed
}

var (
	errRuns  = errors.New("its runs end before its values")
	errWidth = errors.New("its numbers have more than 32 bits")
)

// run goes to the next run.
func (h *hybrid) run() error {
	if h.width == 0 { // some writers leave out runs that say only 0
		h.left, h.packed, h.value = 1<<30, nil, 0
		return nil
	}
	head, n := binary.Uvarint(h.b[h.at:])
	if n <= 0 || head>>1 == 0 {
		return errRuns
	}
	h.at += n
	if head&1 == 0 {
		size := int(h.width+7) / 8
		if size > len(h.b)-h.at {
			return errRuns
		}
		var value [4]byte
		copy(value[:], h.b[h.at:h.at+size])
		h.at += size
		h.left, h.packed, h.value = int(min(head>>1, 1<<31)), nil, binary.LittleEndian.Uint32(value[:])
		return nil
	}
	groups := head >> 1
	size := uint64(len(h.b) - h.at)
	if groups > size/uint64(h.width) { // the last run may be cut short behind its last value
		groups = size/uint64(h.width) + 1
	}
	size = min(size, groups*uint64(h.width))
	h.left, h.packed, h.bit = min(int(groups)*8, int(size*8/uint64(h.width))), h.b[h.at:h.at+int(size)], 0
	h.at += int(size)
	if h.left == 0 {
		return errRuns
	}
	return nil
}

// skip leaves out n numbers.
func (h *hybrid) skip(n int) error {
	for n > 0 {
		if h.left == 0 {
			if err := h.run(); err != nil {
				return err
			}
		}
		k := min(n, h.left)
		h.bit += k * int(h.width)
		h.left -= k
		n -= k
	}
	return nil
}

// read fills dst.
func (h *hybrid) read(dst []uint32) error {
	for len(dst) > 0 {
		if h.left == 0 {
			if err := h.run(); err != nil {
				return err
			}
		}
		k := min(len(dst), h.left)
		if h.packed == nil {
			fill(dst[:k], h.value)
		} else {
			h.unpack(dst[:k])
		}
		h.left -= k
		dst = dst[k:]
	}
	return nil
}

func fill(dst []uint32, v uint32) {
	for i := range dst {
		dst[i] = v
	}
}

// unpack reads packed numbers. Eight bytes from the one on where a number begins hold it, and as many behind it as fit
// into 57 bits.
func (h *hybrid) unpack(dst []uint32) {
	mask := uint64(1)<<h.width - 1
	b, bit, width := h.packed, h.bit, int(h.width)
	fast := 8*len(b) - 64
	switch {
	case width <= 7:
		for ; len(dst) >= 8 && bit <= fast; dst, bit = dst[8:], bit+8*width {
			v := binary.LittleEndian.Uint64(b[bit>>3:]) >> (bit & 7)
			eight := (*[8]uint32)(dst)
			for i := range eight {
				eight[i] = uint32(v & mask)
				v >>= width & 63
			}
		}
	case width <= 14:
		for ; len(dst) >= 4 && bit <= fast; dst, bit = dst[4:], bit+4*width {
			v := binary.LittleEndian.Uint64(b[bit>>3:]) >> (bit & 7)
			four := (*[4]uint32)(dst)
			four[0] = uint32(v & mask)
			four[1] = uint32(v >> (width & 63) & mask)
			four[2] = uint32(v >> (2 * width & 63) & mask)
			four[3] = uint32(v >> (3 * width & 63) & mask)
		}
	case width <= 28:
		for ; len(dst) >= 2 && bit <= fast; dst, bit = dst[2:], bit+2*width {
			v := binary.LittleEndian.Uint64(b[bit>>3:]) >> (bit & 7)
			dst[0] = uint32(v & mask)
			dst[1] = uint32(v >> (width & 63) & mask)
		}
	}
	for i := range dst {
		var eight [8]byte
		copy(eight[:], b[bit>>3:])
		dst[i] = uint32(binary.LittleEndian.Uint64(eight[:]) >> (bit & 7) & mask)
		bit += width
	}
	h.bit = bit
}

// ones counts how many of the next n numbers are 1, and leaves them out. Levels of a column at the top are 0 or 1.
func (h *hybrid) ones(n int) (int, error) {
	count := 0
	var some [256]uint32
	for n > 0 {
		if h.left == 0 {
			if err := h.run(); err != nil {
				return 0, err
			}
		}
		k := min(n, h.left)
		if h.packed == nil {
			if h.value == 1 {
				count += k
			}
			h.left -= k
		} else {
			k = min(k, len(some))
			h.unpack(some[:k])
			h.left -= k
			for _, v := range some[:k] {
				count += int(v & 1)
			}
		}
		n -= k
	}
	return count, nil
}
