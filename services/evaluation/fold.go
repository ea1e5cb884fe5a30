package evaluation

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// fold adds measured blocks up in the order of files and blocks, whatever the order in which they come.
type fold struct {
	log    Source
	files  []int // of the log, in the order in which they are read
	config *Config
	shard  *Shard // nil: the files are all of the log
	whole  *State // what ended files are added to; nil: each keeps its own

	ahead chan struct{} // a token for each block that was handed out and is not folded: bounds what waits
	stop  chan struct{} // closed when no more blocks are taken

	mu sync.Mutex
	progress
	waiting map[place]*measured
	ended   map[int]bool // files whose blocks have all been delivered
	spare   []*State     // empty ones, to be used again
	idle    int          // workers that wait for others
	stopped bool
	err     error // the first in the order of the blocks
}

// progress is how far a fold is: what a checkpoint holds.
type progress struct {
	next     place              // whose turn it is
	from     policylog.Position // where next.file is read from
	rows     int64              // folded
	finished []FileResult
	running  runningFile
}

// place is where a block stands: which of the files, which of its blocks.
type place struct{ file, block int }

// measured is what a worker made of a block: a state, or the error that came in its place.
type measured struct {
	Tally
	state  *State
	digest [sha256.Size]byte
	end    policylog.Position
	err    error
}

// runningFile is a file that is being added up.
type runningFile struct {
	Tally
	state  *State
	blocks [][sha256.Size]byte // the hashes of its blocks
}

// FileResult is what a run found in a file.
type FileResult struct {
	Name   string
	Size   int64
	SHA256 [sha256.Size]byte // of its rows in canonical form
	Tally
	state *State // nil where it was added to the whole
}

// Tally counts what was read.
type Tally struct {
	Rows      int64           // that count
	Decisions int64           // that have one of them
	Skipped   int64           // rows that were left out
	Bad       []policylog.Bad // of these the first of each block, MaxBad at most
}

// MaxBad is how many of the rows that were left out are told one by one.
const MaxBad = 100

// add takes what comes after.
func (t *Tally) add(later *Tally) {
	t.Rows += later.Rows
	t.Decisions += later.Decisions
	t.Skipped += later.Skipped
	t.Bad = append(t.Bad, later.Bad[:min(len(later.Bad), MaxBad-len(t.Bad))]...)
}

func newFold(log Source, files []int, config *Config) *fold {
	f := &fold{
		log: log, files: files, config: config,
		stop: make(chan struct{}), waiting: map[place]*measured{}, ended: map[int]bool{},
	}
	f.running = f.newFile()
	return f
}

func (f *fold) newFile() runningFile {
	return runningFile{state: newState(f.config.Parts)}
}

// reserve waits until a block may be taken; false: none may any more.
func (f *fold) reserve(ctx context.Context) bool {
	select {
	case <-f.stop:
		return false
	case <-ctx.Done():
		return false
	default:
	}
	select {
	case f.ahead <- struct{}{}:
		return true
	default:
	}
	f.wait(1)
	defer f.wait(-1)
	select {
	case f.ahead <- struct{}{}:
		return true
	case <-f.stop:
		return false
	case <-ctx.Done():
		return false
	}
}

// wait counts the workers that can do nothing. Were that all of them, they would wait for a block that no one has.
func (f *fold) wait(one int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle += one
	if f.idle == cap(f.ahead)/aheadOfWorker && len(f.ahead) == cap(f.ahead) && f.err == nil {
		f.err = f.named(errBlocks)
		f.halt()
	}
}

// aheadOfWorker is how many blocks may wait for each worker.
const aheadOfWorker = 2

func (f *fold) unreserve() { <-f.ahead }

// fresh is an empty state for a block.
func (f *fold) fresh() *State {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.spare); n > 0 {
		s := f.spare[n-1]
		f.spare = f.spare[:n-1]
		return s
	}
	return newState(f.config.Parts)
}

// measure makes a state of a block.
func (f *fold) measure(b *policylog.Block) *measured {
	m := &measured{state: f.fresh(), digest: b.SHA256, end: b.End}
	m.Rows, m.Decisions, m.Skipped = int64(b.Rows()), int64(len(b.Ends)), int64(b.BadRows)
	m.Bad = append(m.Bad, b.Bad...)
	if f.config.Watch != nil {
		if m.err = f.config.Watch(b); m.err != nil {
			return m
		}
	}
	if err := m.state.add(b); err != nil {
		m.err = fmt.Errorf("%s: %w", f.log.Files()[b.File].Name, err)
	}
	return m
}

// deliver takes what became of a block, and folds all whose turn has come.
func (f *fold) deliver(at place, m *measured) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, twice := f.waiting[at]
	if twice || at.file < f.next.file || at.file == f.next.file && at.block < f.next.block {
		f.err = f.named(errBlocks)
		f.halt()
		return
	}
	f.waiting[at] = m
	if m.err != nil {
		f.halt()
	}
	f.advance()
}

// endFile says that all blocks of a file have been delivered.
func (f *fold) endFile(file int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended[file] = true
	f.advance()
}

// halt lets no more blocks be taken. Those before the fault are on their way: blocks are handed out in order.
func (f *fold) halt() {
	if !f.stopped {
		f.stopped = true
		close(f.stop)
	}
}

// advance folds what can be folded.
func (f *fold) advance() {
	for f.err == nil {
		m, has := f.waiting[f.next]
		switch {
		case has:
			delete(f.waiting, f.next)
			f.err = f.take(m)
			f.unreserve()
		case f.ended[f.next.file]:
			delete(f.ended, f.next.file)
			f.err = f.finish()
		default:
			return
		}
	}
	f.halt()
}

// take adds the block whose turn it is.
func (f *fold) take(m *measured) error {
	if m.err != nil {
		return m.err
	}
	r := &f.running
	if err := r.state.merge(m.state); err != nil {
		return f.named(err)
	}
	if m.state.reset() {
		f.spare = append(f.spare, m.state)
	}
	r.add(&m.Tally)
	r.blocks = append(r.blocks, m.digest)
	f.rows += m.Rows
	f.next.block++
	f.from = m.end
	return f.told()
}

// errBlocks is for a reader that does not keep its promise: it would be wrong to go on, and to wait would be for ever.
var errBlocks = errors.New("its reader gave a block twice or left one out")

// finish ends the file whose turn it is.
func (f *fold) finish() error {
	for at := range f.waiting {
		if at.file == f.next.file {
			return f.named(errBlocks)
		}
	}
	file := f.log.Files()[f.files[f.next.file]]
	r := &f.running
	result := FileResult{Name: file.Name, Size: file.Size, SHA256: policylog.HashFile(r.blocks), Tally: r.Tally, state: r.state}
	if f.whole != nil {
		if err := f.whole.merge(result.state); err != nil {
			return f.named(err)
		}
		result.state = nil
	}
	f.finished = append(f.finished, result)
	f.running = f.newFile()
	f.next, f.from = place{file: f.next.file + 1}, policylog.Position{}
	return nil
}

// told tells how far the fold is, and keeps it where that is asked for.
func (f *fold) told() error {
	if f.config.Progress != nil {
		f.config.Progress(f.rows)
	}
	if c := f.config.Checkpoint; c != nil && c.due() {
		return f.save()
	}
	return nil
}

// named tells an error as one of the file whose turn it is.
func (f *fold) named(err error) error {
	if f.next.file >= len(f.files) {
		return err
	}
	return fmt.Errorf("%s: %w", f.log.Files()[f.files[f.next.file]].Name, err)
}
