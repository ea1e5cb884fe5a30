package parquetfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// The codecs that are read. They are told how long the result is and may not make it longer: what a page's header says
// is bounded before a byte is written.
const (
	codecNone   = 0
	codecSnappy = 1
	codecGzip   = 2
	codecZstd   = 6
)

func codecKnown(codec int64) bool {
	return codec == codecNone || codec == codecSnappy || codec == codecGzip || codec == codecZstd
}

func codecName(codec int64) string {
	return nameOf([]string{"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"}, codec)
}

var errLength = errors.New("it does not have the length that its header tells")

// unpack fills dst with what src holds.
func unpack(codec int64, dst, src []byte) error {
	switch codec {
	case codecSnappy:
		return unpackSnappy(dst, src)
	case codecZstd:
		return unpackZstd(dst, src)
	case codecGzip:
		return unpackGzip(dst, src)
	}
	if len(dst) != len(src) {
		return errLength
	}
	copy(dst, src)
	return nil
}

// unpackSnappy looks first at the length that the packed bytes begin with: the library would make room for it.
func unpackSnappy(dst, src []byte) error {
	if n, _ := binary.Uvarint(src); n != uint64(len(dst)) {
		return errLength
	}
	out, err := snappy.Decode(dst, src)
	if err == nil && (len(out) != len(dst) || len(out) > 0 && &out[0] != &dst[0]) {
		return errLength
	}
	return err
}

func unpackZstd(dst, src []byte) error {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(MaxPage))
	if err != nil {
		return err
	}
	defer decoder.Close()
	out, err := decoder.DecodeAll(src, dst[:0:len(dst)])
	if err == nil && len(out) != len(dst) {
		return errLength
	}
	return err
}

func unpackGzip(dst, src []byte) error {
	in, err := gzip.NewReader(bytes.NewReader(src))
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(in, dst); err != nil {
		return err
	}
	var one [1]byte
	if n, err := in.Read(one[:]); n > 0 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w (%w)", errLength, err)
	}
	return nil
}

// Memory keeps what held pages that are read no more for those that follow, of one file or of many. The zero value is
// ready; it is safe for several goroutines.
type Memory struct {
	bytes  freeList[byte]
	places freeList[uint32]
}

// freeList is memory of one kind.
type freeList[T any] struct {
	mu   sync.Mutex
	free [][]T
	held int // elements, of all that is free
}

// maxHeld bounds the elements that are kept: about what the columns of a few blocks need.
const maxHeld = 12 << 20

// get returns n elements with anything in them.
func (l *freeList[T]) get(n int) []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	best := -1
	for i := range l.free {
		if c := cap(l.free[i]); c >= n && c/4 <= n+1<<14 && (best < 0 || c <= cap(l.free[best])) {
			best = i
		}
	}
	if best < 0 {
		return make([]T, n, n+n/8)
	}
	got := l.free[best][:n]
	l.free = slices.Delete(l.free, best, best+1)
	l.held -= cap(got)
	return got
}

// put gives memory back. What was given back long ago and never fitted is given up.
func (l *freeList[T]) put(b []T) {
	if cap(b) == 0 || cap(b) > maxHeld {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.held += cap(b); l.held > maxHeld; l.free = slices.Delete(l.free, 0, 1) {
		l.held -= cap(l.free[0])
	}
	l.free = append(l.free, b)
}
