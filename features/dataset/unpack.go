package dataset

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
)

// gunzip reads a gzip file: one stream or several in a row (RFC 1952), and nothing
// else. It streams, so that what a small file expands to is never in memory.
type gunzip struct {
	in *bufio.Reader
	z  *gzip.Reader // nil before the first byte is read
}

func newGunzip(in io.Reader) *gunzip { return &gunzip{in: bufio.NewReaderSize(in, 64<<10)} }

// Read reads unpacked bytes. What is wrong with the packed ones is an *Error without a
// place.
func (g *gunzip) Read(p []byte) (int, error) {
	if g.z == nil {
		z, err := gzip.NewReader(g.in)
		if err != nil {
			return 0, gzipError(err, "not a gzip file")
		}
		z.Multistream(false)
		g.z = z
	}
	for {
		n, err := g.z.Read(p)
		if n > 0 && errors.Is(err, io.EOF) {
			return n, nil
		}
		if !errors.Is(err, io.EOF) {
			return n, gzipError(err, "the gzip stream is damaged")
		}
		if _, err := g.in.Peek(1); err != nil {
			return 0, err
		}
		if err := g.z.Reset(g.in); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = gzip.ErrHeader
			}
			return 0, gzipError(err, "other bytes behind the gzip stream")
		}
		g.z.Multistream(false)
	}
}

// gzipError says in the dataset's words what the bytes are; other errors stay.
func gzipError(err error, otherwise string) error {
	var corrupt flate.CorruptInputError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		// Never io.EOF itself, which would pass for the end of the file.
		return &Error{Problem: "the gzip stream is cut short", Expected: "a whole gzip file", Err: io.ErrUnexpectedEOF}
	case errors.Is(err, gzip.ErrChecksum):
		return &Error{Problem: "the gzip stream is damaged: its checksum differs", Expected: "a whole gzip file", Err: err}
	case errors.Is(err, gzip.ErrHeader), errors.As(err, &corrupt):
		return &Error{Problem: otherwise, Expected: "a whole gzip file", Err: err}
	}
	return err
}
