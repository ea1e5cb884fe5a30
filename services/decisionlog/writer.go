package decisionlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// tail is the segment that is being written.
type tail struct {
	file    file
	path    string
	number  uint64
	span    span
	written atomic.Int64 // bytes up to the last whole block
	durable atomic.Int64 // bytes known to be on the disk
	// finish: no block may follow (recovery cut the file); the next append begins another segment.
	finish bool
}

// writer appends blocks to the segments of one writer directory. Only the leader calls it, except sync and refuse.
type writer struct {
	dir string // of the log
	id  uint32
	cfg *Config

	// mu guards tail against the goroutine that syncs. The leader alone changes it and reads it without.
	mu   sync.Mutex
	tail *tail // nil: the next append begins a segment

	last     uint64 // number of the last segment
	next     uint64 // index of the next record
	chain    Hash
	profiles profileTable
	block    block
	refused  atomic.Pointer[error]
}

// block is the memory in which the leader makes blocks, used again and again.
type block struct {
	head blockHeader
	raw  []byte
	out  []byte
	hash *hasher
}

// write appends a batch and leaves in each of it what became of it.
func (w *writer) write(batch []*pending) {
	for rest := batch; len(rest) > 0; {
		if rest[0].op != nil {
			rest[0].err = rest[0].op()
			rest = rest[1:]
			continue
		}
		n := blockful(rest)
		err := w.ready()
		if err == nil {
			err = w.writeBlock(rest[:n])
		}
		for _, p := range rest[:n] {
			p.err = err
		}
		rest = rest[n:]
	}
	if !w.cfg.SyncEachAnswer {
		return
	}
	if err := w.sync(); err != nil {
		for _, p := range batch {
			if p.op == nil {
				p.err = errors.Join(p.err, err)
			}
		}
	}
}

// blockful says how many of the batch go into one block: at least one, and no operation.
func blockful(batch []*pending) int {
	total := 0
	for i, p := range batch {
		if p.op != nil {
			return i
		}
		total += maxEntryBytes - MaxProfileBytes - MaxPayloadBytes + len(p.entry.profile) + len(p.entry.payload)
		if total > blockBytes && i > 0 {
			return i
		}
	}
	return len(batch)
}

// ready sees to a segment that takes a block.
func (w *writer) ready() error {
	if err := w.refused.Load(); err != nil {
		return *err
	}
	if w.tail != nil && (w.tail.finish || w.tail.written.Load() >= w.cfg.SegmentBytes) {
		if err := w.seal(); err != nil {
			return err
		}
	}
	if w.tail == nil {
		return w.begin()
	}
	return nil
}

// writeBlock encodes, chains, compresses and writes the records of one block: all or none.
func (w *writer) writeBlock(batch []*pending) error {
	b := &w.block
	b.head = blockHeader{
		kind: blockRecords, count: uint32(len(batch)), first: w.next, span: emptySpan(),
		durable: uint64(w.tail.durable.Load()), chain: w.chain,
	}
	b.raw = b.raw[:0]
	for i, p := range batch {
		p.entry.index = w.next + uint64(i)
		w.placeProfile(p)
		b.head.chain = b.hash.link(b.head.chain, p.entry.index, &p.entry.public)
		b.head.span.add(&p.entry.public)
		b.raw = p.entry.append(b.raw)
	}
	b.finish()
	if err := w.writeTail(b.out); err != nil {
		w.profiles.clear() // it may name records of this block
		return err
	}
	w.tail.span.join(b.head.span)
	w.next += uint64(len(batch))
	w.chain = b.head.chain
	return nil
}

// finish makes the bytes of the block in b.out, ready for the file.
func (b *block) finish() {
	if b.out == nil {
		b.out = make([]byte, 0, readBuffer)
	}
	b.out = append(b.out[:0], make([]byte, blockHeaderBytes)...)
	b.out, b.head.codec = compress(b.out, b.raw)
	body := b.out[blockHeaderBytes:]
	b.head.stored, b.head.raw, b.head.bodyCRC = uint32(len(body)), uint32(len(b.raw)), checksum(body)
	b.head.encode(b.out)
}

// placeProfile decides whether an entry carries its profile or refers to the record that does.
func (w *writer) placeProfile(p *pending) {
	e := &p.entry
	if len(e.profile) == 0 {
		return
	}
	if known, ok := w.profiles.find(p.customer, p.mark); ok {
		e.carrier, e.profileSum = known.carrier, known.sum
		return
	}
	if e.profileSum == (Hash{}) { // it was known when the caller looked, then a segment ended
		e.profileSum = w.block.hash.commit(tagProfile, &e.salts.profile, e.profile)
	}
	e.carrier = e.index
	w.profiles.put(p.customer, writtenProfile{mark: p.mark, carrier: e.index, sum: e.profileSum})
}

// writeTail writes after the last whole block. What a failed write left is cut off, so that the file ends with a whole
// block again; where that fails too the log refuses to go on.
func (w *writer) writeTail(b []byte) error {
	t := w.tail
	at := t.written.Load()
	if _, err := t.file.WriteAt(b, at); err != nil {
		full := fmt.Errorf("%w: %d bytes at byte %d of %s: %w", ErrFull, len(b), at, t.path, err)
		if err := t.file.Truncate(at); err != nil {
			w.refuse(fmt.Errorf("%w: cutting %s back to byte %d after a failed write: %w", ErrRefused, t.path, at, err))
			return errors.Join(full, *w.refused.Load())
		}
		return full
	}
	t.written.Store(at + int64(len(b)))
	return nil
}

// begin starts the next segment. Its header is on the disk before it gets its name: a segment always has one.
func (w *writer) begin() error {
	head := segmentHeader{
		writer: w.id, segment: w.last + 1, first: w.next, created: w.cfg.Now().UnixMicro(), previous: w.chain,
	}
	path := segmentPath(writerDir(w.dir, w.id), head.segment)
	f, err := w.cfg.open(path+newSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return fmt.Errorf("%w: new segment: %w", ErrFull, err)
	}
	if _, err = f.WriteAt(head.encode(), 0); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = moveInto(path+newSuffix, path)
	}
	if err != nil {
		return fmt.Errorf("%w: new segment %s: %w", ErrFull, path, errors.Join(err, f.Close(), removeNew(path)))
	}
	t := &tail{file: f, path: path, number: head.segment, span: emptySpan()}
	t.written.Store(headerBytes)
	t.durable.Store(headerBytes)
	w.setTail(t)
	w.last, w.chain = head.segment, head.seed()
	return nil
}

// removeNew takes away what begin left. Nothing is recorded in it, under either name.
func removeNew(path string) error {
	var errs []error
	for _, name := range []string{path + newSuffix, path} {
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// seal ends the segment: the summary of its blocks, fsync, close. No block follows a seal.
func (w *writer) seal() error {
	t := w.tail
	head := blockHeader{kind: blockSeal, first: w.next, span: t.span, durable: uint64(t.durable.Load()), chain: w.chain}
	out := make([]byte, blockHeaderBytes)
	head.encode(out)
	if err := w.writeTail(out); err != nil {
		return err
	}
	if err := w.sync(); err != nil {
		return err
	}
	w.setTail(nil)
	w.profiles.clear()
	if err := t.file.Close(); err != nil {
		return fmt.Errorf("%w: closing %s: %w", ErrFull, t.path, err)
	}
	return nil
}

func (w *writer) setTail(t *tail) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tail = t
}

// sync puts on the disk what was written. A failure is final: the kernel may have marked the pages clean, and a second
// fsync would answer for nothing.
func (w *writer) sync() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.refused.Load(); err != nil {
		return *err
	}
	t := w.tail
	if t == nil || t.written.Load() == t.durable.Load() {
		return nil
	}
	reached := t.written.Load()
	started := w.cfg.Now()
	if err := t.file.Sync(); err != nil {
		w.refuse(fmt.Errorf("%w: fsync of %s: %w", ErrRefused, t.path, err))
		return *w.refused.Load()
	}
	if w.cfg.ObserveSync != nil {
		w.cfg.ObserveSync(w.cfg.Now().Sub(started))
	}
	t.durable.Store(reached)
	return nil
}

func (w *writer) refuse(why error) { w.refused.CompareAndSwap(nil, &why) }

// end syncs and closes the segment without sealing it: the next Open goes on in it.
func (w *writer) end() error {
	err := w.sync()
	if t := w.tail; t != nil {
		w.setTail(nil)
		err = errors.Join(err, t.file.Close())
	}
	return err
}

// rotate seals the segment so that it may be rewritten; nothing to do where nothing was recorded in it.
func (w *writer) rotate() error {
	if err := w.refused.Load(); err != nil {
		return *err
	}
	if w.tail == nil || w.tail.written.Load() == headerBytes {
		return nil
	}
	return w.seal()
}

// rotateWhenAsked does what another process asked for by the file "rotate".
func (w *writer) rotateWhenAsked() error {
	if err := os.Remove(filepath.Join(writerDir(w.dir, w.id), rotateName)); err != nil {
		return err
	}
	return w.rotate()
}
