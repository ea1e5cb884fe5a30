// Package packed unpacks what is packed with gzip or zstd. How a file is packed is told by its name or by its first bytes;
// which of the two counts is its reader's to say.
package packed

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Packing is how bytes are packed.
type Packing uint8

// The packings.
const (
	None Packing = iota
	Gzip
	Zstd
)

// String is what the packing is called, "" for None.
func (p Packing) String() string { return [...]string{"", "gzip", "zstd"}[min(p, Zstd)] }

// ByName reads the packing off the end of a file's name, .gz or .zst, and returns what stands before it, in lower case.
func ByName(name string) (stem string, p Packing) {
	name = strings.ToLower(name)
	if stem, is := strings.CutSuffix(name, ".gz"); is {
		return stem, Gzip
	}
	if stem, is := strings.CutSuffix(name, ".zst"); is {
		return stem, Zstd
	}
	return name, None
}

// StartBytes is how many of the first bytes ByStart looks at.
const StartBytes = 4

// ByStart tells the packing by the first bytes, which may be fewer.
func ByStart(start []byte) Packing {
	switch {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		return Gzip
	case bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return Zstd
	}
	return None
}

// readAhead is how much of packed bytes is read at once.
const readAhead = 256 << 10

// NewReader unpacks in, all in the goroutine that reads. What is packed with zstd may make it look back on at most window
// bytes. Close frees memory, has no error, and does not close in.
func NewReader(in io.Reader, p Packing, window uint64) (io.ReadCloser, error) {
	switch p {
	case Gzip:
		z, err := gzip.NewReader(bufio.NewReaderSize(in, readAhead))
		if err != nil {
			return nil, err
		}
		return io.NopCloser(z), nil // its own Close says again what Read said
	case Zstd:
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(window), zstd.WithDecoderMaxMemory(2*window))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case None:
	}
	return io.NopCloser(in), nil
}
