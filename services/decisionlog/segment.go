package decisionlog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
)

// readBuffer is how much of a segment is read at once.
const readBuffer = 128 << 10

// segment reads one segment file from front to back, header by header; a body is read or skipped.
type segment struct {
	place
	header segmentHeader
	src    io.ReaderAt
	file   io.Closer
	in     *bufio.Reader
	offset int64  // of the next block
	next   uint64 // index of the next record
	passed []mark
	sealed bool
	stored []byte
}

// mark is where a block of records that was passed begins.
type mark struct {
	first  uint64
	offset int64
}

// openSegment opens a segment and reads its header.
func openSegment(at place) (*segment, error) {
	f, err := os.Open(at.path)
	if err != nil {
		return nil, fmt.Errorf("decision log: %w", err)
	}
	s, err := newSegment(at, f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s.file = f
	return s, nil
}

func newSegment(at place, src io.ReaderAt) (*segment, error) {
	s := &segment{place: at, src: src}
	s.rewind(0, 0)
	head := make([]byte, headerBytes)
	if n, err := io.ReadFull(s.in, head); err != nil {
		if !isEnd(err) {
			return nil, s.readError(err)
		}
		return nil, s.cut("segment header cut after %d of %d bytes", n, headerBytes)
	}
	if err := s.header.decode(head); err != nil {
		if errors.Is(err, ErrNewerFormat) {
			return nil, fmt.Errorf("%s: %w", at.path, err)
		}
		return nil, s.broken(err.Error())
	}
	s.offset, s.next = headerBytes, s.header.first
	if s.header.writer != at.writer || s.header.segment != at.number {
		s.offset = 0
		return nil, s.broken(fmt.Sprintf("segment header says writer %d, segment %d", s.header.writer, s.header.segment))
	}
	if s.header.first == 0 {
		return nil, s.broken("segment header: first record 0, want 1 or more")
	}
	return s, nil
}

// release closes the file.
func (s *segment) release() { closeRead(s.file) }

// closeRead closes what was only read, or held for its lock: there is nothing that a failure could lose.
func closeRead(c io.Closer) { _ = c.Close() }

// rewind goes on at a block that begins at offset with the record next.
func (s *segment) rewind(offset int64, next uint64) {
	in := io.NewSectionReader(s.src, offset, 1<<62-offset)
	if s.in == nil {
		s.in = bufio.NewReaderSize(in, readBuffer)
	} else {
		s.in.Reset(in)
	}
	s.offset, s.next, s.sealed = offset, next, false
}

// nextBlock reads the header of the next block of records; io.EOF: there is none. After it comes body or skip.
func (s *segment) nextBlock() (blockHeader, error) {
	var h blockHeader
	var head [blockHeaderBytes]byte
	n, err := io.ReadFull(s.in, head[:])
	switch {
	case errors.Is(err, io.EOF):
		return h, io.EOF
	case isEnd(err):
		return h, s.cut("block header cut after %d of %d bytes", n, blockHeaderBytes)
	case err != nil:
		return h, s.readError(err)
	case s.sealed:
		return h, s.broken("bytes after the seal")
	}
	if err := h.decode(head[:]); err != nil {
		return h, s.broken(err.Error())
	}
	if h.first != s.next {
		return h, s.broken(fmt.Sprintf("block begins with record %d, want %d", h.first, s.next))
	}
	if h.durable > uint64(s.offset) {
		return h, s.broken(fmt.Sprintf("block says that %d bytes were on the disk before it", h.durable))
	}
	if h.kind == blockSeal {
		return h, s.pastSeal()
	}
	return h, nil
}

// pastSeal expects the end of the file after a seal.
func (s *segment) pastSeal() error {
	s.sealed = true
	s.offset += blockHeaderBytes
	if _, err := s.in.Peek(1); err == nil {
		return s.broken("bytes after the seal")
	} else if !errors.Is(err, io.EOF) {
		return s.readError(err)
	}
	return io.EOF
}

// body reads and decompresses the body of the block whose header nextBlock gave. The memory is the caller's.
func (s *segment) body(h *blockHeader) ([]byte, error) {
	if cap(s.stored) < int(h.stored) {
		s.stored = make([]byte, h.stored)
	}
	s.stored = s.stored[:h.stored]
	if n, err := io.ReadFull(s.in, s.stored); err != nil {
		if !isEnd(err) {
			return nil, s.readError(err)
		}
		return nil, s.cut("block body cut after %d of %d bytes", n, h.stored)
	}
	raw, err := h.decompress(s.stored)
	if err != nil {
		return nil, s.broken(err.Error())
	}
	s.pass(h)
	return raw, nil
}

// skip passes over the body of the block whose header nextBlock gave.
func (s *segment) skip(h *blockHeader) error {
	if n, err := s.in.Discard(int(h.stored)); err != nil {
		if !isEnd(err) {
			return s.readError(err)
		}
		return s.cut("block body cut after %d of %d bytes", n, h.stored)
	}
	s.pass(h)
	return nil
}

func (s *segment) pass(h *blockHeader) {
	s.passed = append(s.passed, mark{first: h.first, offset: s.offset})
	s.offset += blockHeaderBytes + int64(h.stored)
	s.next = h.first + uint64(h.count)
}

// blockOf reads again the block, among those passed, that holds the record, and then goes on where it was.
func (s *segment) blockOf(index uint64) (blockHeader, []byte, error) {
	i := sort.Search(len(s.passed), func(i int) bool { return s.passed[i].first > index }) - 1
	if i < 0 {
		return blockHeader{}, nil, s.broken(fmt.Sprintf("a record refers to record %d, before this segment", index))
	}
	other := &segment{place: s.place, src: s.src, header: s.header}
	other.rewind(s.passed[i].offset, s.passed[i].first)
	h, err := other.nextBlock()
	if err != nil {
		return h, nil, err
	}
	body, err := other.body(&h)
	return h, body, err
}

// broken is a BrokenError at the block that is being read.
func (s *segment) broken(reason string) *BrokenError {
	return &BrokenError{
		Path: s.path, Writer: s.writer, Segment: s.number, Index: max(s.next, 1), Offset: s.offset, Reason: reason,
	}
}

// brokenAt is a BrokenError about a record of the block that began at offset.
func (s *segment) brokenAt(offset int64, err error) error {
	broken := s.broken(err.Error())
	broken.Offset = offset
	var at *entryError
	if errors.As(err, &at) {
		broken.Index = at.index
	}
	return broken
}

func (s *segment) cut(format string, args ...any) error {
	broken := s.broken(fmt.Sprintf(format, args...))
	broken.cut = true
	return broken
}

func (s *segment) readError(err error) error {
	return fmt.Errorf("%w: %s at byte %d: %w", errRead, s.path, s.offset, err)
}

// errRead: the file could not be read, which says nothing about what is in it.
var errRead = errors.New("decision log: cannot read")

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// readSeal reads the seal at the end of a segment; false: the segment is not sealed (or not whole).
func readSeal(path string) (blockHeader, bool, error) {
	var h blockHeader
	f, err := os.Open(path)
	if err != nil {
		return h, false, fmt.Errorf("decision log: %w", err)
	}
	defer closeRead(f)
	info, err := f.Stat()
	if err != nil {
		return h, false, fmt.Errorf("decision log: %w", err)
	}
	if info.Size() < headerBytes+blockHeaderBytes {
		return h, false, nil
	}
	var head [blockHeaderBytes]byte
	if _, err := f.ReadAt(head[:], info.Size()-blockHeaderBytes); err != nil {
		return h, false, fmt.Errorf("decision log: reading %s: %w", path, err)
	}
	if err := h.decode(head[:]); err != nil || h.kind != blockSeal {
		return blockHeader{}, false, nil
	}
	return h, true, nil
}
