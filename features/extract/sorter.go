package extract

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// sorter gives records back in the byte order of their keys. It keeps what its limit
// allows in memory and sorts the rest in a file that has no name: whatever kills the
// process, nothing is left behind.
type sorter struct {
	limit  int
	dir    string
	chunks [][]byte
	spare  [][]byte // chunks of what is in the file
	refs   []ref
	held   int // bytes of chunks and refs
	common int // bytes that all keys of the chunks begin with
	file   *os.File
	name   string // of the file, where it could not be taken away
	out    *bufio.Writer
	end    int64 // of the file
	runs   []run
}

// ref is a record in the chunks. The bytes after those that all keys have in common decide
// most comparisons without a look at the key.
type ref struct {
	prefix       uint64
	chunk, start uint32
	key, value   uint32
}

// run is a sorted part of the file.
type run struct{ start, length int64 }

const (
	chunkBytes = 1 << 20
	refBytes   = 24
	minBuffer  = 4 << 10
	maxBuffer  = 256 << 10
)

func newSorter(dir string, limit int) *sorter { return &sorter{limit: limit, dir: dir} }

// add takes a record; both slices are copied.
func (s *sorter) add(key, value []byte) error {
	n := len(key) + len(value)
	if s.held+n+refBytes > s.limit && len(s.refs) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	last := s.room(n)
	start := len(s.chunks[last])
	s.chunks[last] = append(append(s.chunks[last], key...), value...)
	r := ref{chunk: uint32(last), start: uint32(start), key: uint32(len(key)), value: uint32(len(value))}
	if len(s.refs) == 0 {
		s.common = len(key)
	} else {
		s.common = commonPrefix(s.keyOf(&s.refs[0])[:s.common], key)
	}
	s.refs = append(s.refs, r)
	s.held += n + refBytes
	return nil
}

// room returns a chunk that n bytes more fit into.
func (s *sorter) room(n int) int {
	last := len(s.chunks) - 1
	if last >= 0 && cap(s.chunks[last])-len(s.chunks[last]) >= n {
		return last
	}
	if i := len(s.spare) - 1; i >= 0 && cap(s.spare[i]) >= n {
		s.chunks, s.spare = append(s.chunks, s.spare[i]), s.spare[:i]
	} else {
		s.chunks = append(s.chunks, make([]byte, 0, max(n, min(chunkBytes, s.limit))))
	}
	return last + 1
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func (s *sorter) keyOf(r *ref) []byte { return s.chunks[r.chunk][r.start : r.start+r.key] }

func (s *sorter) valueOf(r *ref) []byte {
	start := r.start + r.key
	return s.chunks[r.chunk][start : start+r.value]
}

// sort orders what is in memory.
func (s *sorter) sort() {
	for i := range s.refs {
		var eight [8]byte
		copy(eight[:], s.keyOf(&s.refs[i])[s.common:])
		s.refs[i].prefix = binary.BigEndian.Uint64(eight[:])
	}
	slices.SortFunc(s.refs, func(a, b ref) int {
		switch {
		case a.prefix < b.prefix:
			return -1
		case a.prefix > b.prefix:
			return 1
		}
		return bytes.Compare(s.keyOf(&a)[s.common:], s.keyOf(&b)[s.common:])
	})
}

// spill writes what is in memory to the file, as one more run.
func (s *sorter) spill() error {
	if s.file == nil {
		file, err := os.CreateTemp(s.dir, "fundmatch-extract-*")
		if err != nil {
			return fmt.Errorf("sort on disk: %w", err)
		}
		s.file, s.out = file, bufio.NewWriterSize(file, maxBuffer)
		if os.Remove(file.Name()) != nil { // where an open file keeps its name
			s.name = file.Name()
		}
	}
	s.sort()
	start := s.end
	var head [2 * binary.MaxVarintLen32]byte
	for i := range s.refs {
		r := &s.refs[i]
		n := binary.PutUvarint(head[:], uint64(r.key))
		n += binary.PutUvarint(head[n:], uint64(r.value))
		body := s.chunks[r.chunk][r.start : r.start+r.key+r.value]
		if _, err := s.out.Write(head[:n]); err != nil {
			return fmt.Errorf("sort on disk: %w", err)
		}
		if _, err := s.out.Write(body); err != nil {
			return fmt.Errorf("sort on disk: %w", err)
		}
		s.end += int64(n + len(body))
	}
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("sort on disk: %w", err)
	}
	s.runs = append(s.runs, run{start, s.end - start})
	s.refs, s.held = s.refs[:0], 0
	for _, c := range s.chunks {
		s.spare = append(s.spare, c[:0])
	}
	s.chunks = s.chunks[:0]
	return nil
}

// each yields every record in order; the slices are valid during the call.
func (s *sorter) each(yield func(key, value []byte) error) error {
	s.sort()
	if len(s.runs) == 0 {
		for i := range s.refs {
			if err := yield(s.keyOf(&s.refs[i]), s.valueOf(&s.refs[i])); err != nil {
				return err
			}
		}
		return nil
	}
	merge, err := s.openRuns()
	if err != nil {
		return err
	}
	heap.Init(&merge)
	for len(merge) > 0 {
		least := merge[0]
		if err := yield(least.key, least.value); err != nil {
			return err
		}
		switch err := least.next(); {
		case errors.Is(err, io.EOF):
			heap.Pop(&merge)
		case err != nil:
			return err
		default:
			heap.Fix(&merge, 0)
		}
	}
	return nil
}

// openRuns opens the runs of the file and what is in memory, each at its first record.
func (s *sorter) openRuns() (runHeap, error) {
	size := min(maxBuffer, max(minBuffer, s.limit/2/len(s.runs)))
	all := make(runHeap, 0, len(s.runs)+1)
	for _, r := range s.runs {
		all = append(all, &cursor{in: bufio.NewReaderSize(io.NewSectionReader(s.file, r.start, r.length), size)})
	}
	if len(s.refs) > 0 {
		all = append(all, &cursor{memory: s})
	}
	for _, c := range all {
		if err := c.next(); err != nil {
			return nil, fmt.Errorf("sort on disk: %w", err)
		}
	}
	return all, nil
}

// close gives the file back.
func (s *sorter) close() error {
	s.chunks, s.spare, s.refs = nil, nil, nil
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	s.file = nil
	return err
}

// cursor stands at a record of one run.
type cursor struct {
	in         *bufio.Reader
	memory     *sorter // in place of in: what was not written to the file
	place      int
	buf        []byte
	key, value []byte
}

// next goes to the next record; io.EOF at the end.
func (c *cursor) next() error {
	if c.memory != nil {
		if c.place == len(c.memory.refs) {
			return io.EOF
		}
		r := &c.memory.refs[c.place]
		c.key, c.value = c.memory.keyOf(r), c.memory.valueOf(r)
		c.place++
		return nil
	}
	key, err := binary.ReadUvarint(c.in)
	if err != nil {
		return err // io.EOF between records only: the section ends there
	}
	value, err := binary.ReadUvarint(c.in)
	if err != nil {
		return fmt.Errorf("sort on disk: %w", noEOF(err))
	}
	c.buf = slices.Grow(c.buf[:0], int(key+value))[:key+value]
	if _, err := io.ReadFull(c.in, c.buf); err != nil {
		return fmt.Errorf("sort on disk: %w", noEOF(err))
	}
	c.key, c.value = c.buf[:key], c.buf[key:]
	return nil
}

// noEOF keeps a file that is too short from looking like its end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// runHeap has the run with the least key first.
type runHeap []*cursor

func (h *runHeap) Len() int { return len(*h) }

func (h *runHeap) Less(i, j int) bool { return bytes.Compare((*h)[i].key, (*h)[j].key) < 0 }

func (h *runHeap) Swap(i, j int) { (*h)[i], (*h)[j] = (*h)[j], (*h)[i] }

// Push is heap.Interface.
func (h *runHeap) Push(x any) {
	if c, ok := x.(*cursor); ok {
		*h = append(*h, c)
	}
}

// Pop is heap.Interface.
func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
