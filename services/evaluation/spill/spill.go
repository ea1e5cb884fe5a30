// Package spill sorts more records than memory holds. All are of one size and sorted by their bytes, so that what comes
// out does not depend on the order in which they were put in: a fold over it is the same for any number of workers.
package spill

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Sorter sorts records. What memory does not hold lies in a file that has no name: whatever ends the process, nothing
// is left behind. It is not safe for several goroutines.
type Sorter struct {
	dir   string
	size  int    // bytes of a record
	most  int    // records in memory
	held  []byte // records
	order []place
	file  *os.File
	name  string // of the file, where an open file keeps it
	runs  []run
	end   int64 // of the file
}

// place is a record in memory. Its first bytes decide most comparisons.
type place struct {
	prefix uint64
	at     uint32
}

// run is a sorted part of the file.
type run struct{ start, length int64 }

const (
	placeBytes = 16
	least      = 4 << 10   // of a run's buffer
	greatest   = 256 << 10 // of a run's buffer
)

// New makes a sorter of records of size bytes that uses about memory bytes, and the folder dir ("": the system's) for
// what is more.
func New(dir string, size, memory int) *Sorter {
	return &Sorter{dir: dir, size: size, most: min(max(memory/(size+placeBytes), 2), 1<<30)}
}

// Add takes a copy of a record.
func (s *Sorter) Add(record []byte) error {
	if len(record) != s.size {
		return fmt.Errorf("a record of %d bytes where all have %d", len(record), s.size)
	}
	if len(s.held) == s.most*s.size {
		if err := s.spill(); err != nil {
			return fmt.Errorf("sort on disk: %w", err)
		}
	}
	s.held = append(s.held, record...)
	return nil
}

// Each yields every record in order; it is valid during the call. No record may be added afterwards.
func (s *Sorter) Each(yield func(record []byte) error) error {
	s.sort()
	if len(s.runs) == 0 {
		for _, p := range s.order {
			if err := yield(s.record(p)); err != nil {
				return err
			}
		}
		return nil
	}
	cursors, err := s.cursors()
	if err != nil {
		return fmt.Errorf("sort on disk: %w", err)
	}
	return merge(cursors, yield)
}

// Groups puts together records that begin with the same key bytes, in order: fold adds a record to the first of its
// group, in place, and may not change the key. Each group is then yielded.
func (s *Sorter) Groups(key int, fold func(sum, record []byte), yield func(sum []byte) error) error {
	var sum []byte
	err := s.Each(func(record []byte) error {
		switch {
		case len(sum) == 0:
		case bytes.Equal(sum[:key], record[:key]):
			fold(sum, record)
			return nil
		default:
			if err := yield(sum); err != nil {
				return err
			}
		}
		sum = append(sum[:0], record...)
		return nil
	})
	if err != nil || len(sum) == 0 {
		return err
	}
	return yield(sum)
}

// Close gives memory and file back.
func (s *Sorter) Close() error {
	s.held, s.order, s.runs = nil, nil, nil
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

func (s *Sorter) record(p place) []byte {
	return s.held[int(p.at)*s.size : (int(p.at)+1)*s.size]
}

// sort orders what is in memory.
func (s *Sorter) sort() {
	n := len(s.held) / s.size
	s.order = slices.Grow(s.order[:0], n)
	for i := range n {
		p := place{at: uint32(i)}
		var eight [8]byte
		copy(eight[:], s.record(p))
		p.prefix = binary.BigEndian.Uint64(eight[:])
		s.order = append(s.order, p)
	}
	slices.SortFunc(s.order, func(a, b place) int {
		switch {
		case a.prefix < b.prefix:
			return -1
		case a.prefix > b.prefix:
			return 1
		}
		return bytes.Compare(s.record(a), s.record(b))
	})
}

// spill writes what is in memory to the file, as one more run.
func (s *Sorter) spill() error {
	if s.file == nil {
		file, err := os.CreateTemp(s.dir, "fundmatch-spill-*")
		if err != nil {
			return err
		}
		s.file = file
		if os.Remove(file.Name()) != nil { // where an open file keeps its name
			s.name = file.Name()
		}
	}
	s.sort()
	out := bufio.NewWriterSize(s.file, greatest)
	for _, p := range s.order {
		if _, err := out.Write(s.record(p)); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	length := int64(len(s.held))
	s.runs = append(s.runs, run{s.end, length})
	s.end += length
	s.held = s.held[:0]
	return nil
}

// cursors opens the runs, and what is in memory as one more, each at its first record.
func (s *Sorter) cursors() ([]*cursor, error) {
	size := min(greatest, max(least, s.most*s.size/2/len(s.runs)))
	all := make([]*cursor, 0, len(s.runs)+1)
	for _, r := range s.runs {
		all = append(all, &cursor{
			in: bufio.NewReaderSize(io.NewSectionReader(s.file, r.start, r.length), size), record: make([]byte, s.size), left: r.length / int64(s.size),
		})
	}
	if len(s.order) > 0 {
		all = append(all, &cursor{memory: s, left: int64(len(s.order))})
	}
	for _, c := range all {
		if err := c.next(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// cursor stands at a record of one run.
type cursor struct {
	in     *bufio.Reader
	memory *Sorter // in place of in: what was not written to the file
	at     int
	left   int64 // records behind this one
	record []byte
}

// next goes to the next record; io.EOF at the end.
func (c *cursor) next() error {
	if c.left == 0 {
		return io.EOF
	}
	c.left--
	if c.memory != nil {
		c.record = c.memory.record(c.memory.order[c.at])
		c.at++
		return nil
	}
	if _, err := io.ReadFull(c.in, c.record); err != nil {
		return fmt.Errorf("a run is shorter than it was written: %w", err)
	}
	return nil
}

// merge yields the records of all cursors in order. The cursors are a heap with the least record first.
func merge(heap []*cursor, yield func([]byte) error) error {
	for i := len(heap)/2 - 1; i >= 0; i-- {
		sink(heap, i)
	}
	for len(heap) > 0 {
		if err := yield(heap[0].record); err != nil {
			return err
		}
		err := heap[0].next()
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("sort on disk: %w", err)
		}
		if err != nil {
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		}
		sink(heap, 0)
	}
	return nil
}

// sink moves the cursor at i to where it belongs.
func sink(heap []*cursor, i int) {
	for {
		child := 2*i + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && bytes.Compare(heap[child+1].record, heap[child].record) < 0 {
			child++
		}
		if bytes.Compare(heap[i].record, heap[child].record) <= 0 {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}
