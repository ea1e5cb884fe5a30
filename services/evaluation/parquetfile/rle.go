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
	packed []byte // of a run of packed ones, and what is behind them; nil: it is of one number
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
	head, n := uvarint(h.b[h.at:])
	if n <= 0 || head>>1 == 0 {
		return errRuns
	}
	h.at += n
	if head&1 == 0 {
		return h.repeat(head >> 1)
	}
	groups, left := head>>1, uint64(len(h.b)-h.at)
	h.packed, h.bit = h.b[h.at:], 0
	if groups <= left && groups*uint64(h.width) <= left {
		h.left = int(groups) * 8
		h.at += int(groups) * int(h.width)
		return nil
	}
	h.left = int(left * 8 / uint64(h.width)) // the last run may be cut short behind its last value
	h.at = len(h.b)
	if h.left == 0 {
		return errRuns
	}
	return nil
}

// uvarint is binary.Uvarint; most are of one byte.
func uvarint(b []byte) (v uint64, n int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	return binary.Uvarint(b)
}

// repeat goes to a run of one number.
func (h *hybrid) repeat(n uint64) error {
	size := int(h.width+7) / 8
	if size > len(h.b)-h.at {
		return errRuns
	}
	h.value = 0
	for i, b := range h.b[h.at : h.at+size] {
		h.value |= uint32(b) << (8 * i)
	}
	h.at += size
	h.left, h.packed = int(min(n, 1<<31)), nil
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

// unpack reads packed numbers. Eight of them end where a byte does: from there on they are taken eight at a time.
func (h *hybrid) unpack(dst []uint32) {
	bit, width := h.bit, int(h.width)
	h.bit += len(dst) * width
	for ; len(dst) > 0 && bit&7 != 0; bit += width {
		dst[0] = h.one(bit)
		dst = dst[1:]
	}
	n := unpackEights(dst, h.packed[bit>>3:], h.width)
	bit += n * width
	for i := n; i < len(dst); i++ {
		dst[i] = h.one(bit)
		bit += width
	}
}

// one is the packed number that begins at a bit.
func (h *hybrid) one(bit int) uint32 {
	var eight [8]byte
	copy(eight[:], h.packed[bit>>3:])
	return uint32(binary.LittleEndian.Uint64(eight[:]) >> (bit & 7) & (1<<h.width - 1))
}

// unpackEights reads numbers from the beginning of a byte on, eight at a time while words of 64 bits can be read, and
// returns how many. A word holds eight numbers of up to 8 bits, four of up to 16 (the second four may begin within a byte),
// or two of up to 28.
func unpackEights(dst []uint32, b []byte, width uint) (n int) {
	mask, w := uint64(1)<<width-1, width&63
	switch {
	case width <= 8:
		for ; n+8 <= len(dst) && len(b) >= 8; n += 8 {
			v, to := binary.LittleEndian.Uint64(b), (*[8]uint32)(dst[n:])
			b = b[width:]
			for i := range to {
				to[i] = uint32(v & mask)
				v >>= w
			}
		}
	case width <= 16:
		at, off := width*4>>3, width*4&7
		for ; n+8 <= len(dst) && uint(len(b)) >= at+8; n += 8 {
			v, u := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[at:])>>off
			to := (*[8]uint32)(dst[n:])
			b = b[width:]
			to[0], to[4] = uint32(v&mask), uint32(u&mask)
			v, u = v>>w, u>>w
			to[1], to[5] = uint32(v&mask), uint32(u&mask)
			v, u = v>>w, u>>w
			to[2], to[6] = uint32(v&mask), uint32(u&mask)
			v, u = v>>w, u>>w
			to[3], to[7] = uint32(v&mask), uint32(u&mask)
		}
	case width <= 28:
		for ; n+8 <= len(dst) && uint(len(b)) >= width*6>>3+8; n += 8 {
			to := (*[8]uint32)(dst[n:])
			for i := range uint(4) {
				v := binary.LittleEndian.Uint64(b[width*2*i>>3:]) >> (width * 2 * i & 7)
				to[2*i], to[2*i+1] = uint32(v&mask), uint32(v>>w&mask)
			}
			b = b[width:]
		}
	}
	return n
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
