// Package evaluation runs measures over policy logs: on any number of workers, in shards, over a kill, always to the
// same bytes. What is measured is in matcher/evaluate, what is read in policylog; here is what makes a job of them, and
// the documents that come out.
//
// Sums are taken within a block row by row, the blocks of a file are added up in their order, and the files in the
// order of their names. Blocks restart with each file. So neither the workers nor the shards nor the format of a log
// can move the last digit of a figure.
package evaluation

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"

	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// Errors that a caller can act upon: each is about what was given, none about the machine.
var (
	ErrCheckpoint = errors.New("the checkpoint is not of this run")
	ErrPartial    = errors.New("not a partial result that can be merged")
	ErrSegments   = errors.New("too many segments")
)

// Source is a log: files in the order of their names.
type Source interface {
	// Files are all of the log's, in their order.
	Files() []File
	// Open reads a file from a position on; the zero Position is its beginning.
	Open(file int, from policylog.Position) (Cursor, error)
}

// Cursor gives the blocks of a file, to several goroutines.
type Cursor interface {
	// Next fills a block with the next that nobody has; io.EOF: there is none. Of an error the block has the Index.
	Next(b *policylog.Block) error
	// Close closes the file. No Next is under way.
	Close() error
}

// File is what a run needs to know of a file besides its rows.
type File struct {
	Name string // as it was found, by which files are ordered
	Size int64  // bytes as it lies there; -1: unknown
	// Identity changes when the file does. Empty: it cannot be known, as of stdin, and no run over it can be continued.
	Identity string
}

// Config is how a run is made. Only Settings and Parts have a say in the result.
type Config struct {
	Version    string // of the program
	Settings   []byte // JSON: all that the measures and the reader were told
	Parts      []Part
	Workers    int         // 1, or less: everything in the goroutine of the caller
	Checkpoint *Checkpoint // nil: none
	// Watch sees each block that is read, from any worker and in any order, before it is measured; nil: nobody does.
	Watch    func(b *policylog.Block) error
	Progress func(rows int64) // how many are folded, told from any worker, one at a time; nil: nobody asks
}

// Outcome is what a run found in its log.
type Outcome struct {
	Tally
	SHA256 [sha256.Size]byte // of the rows of the log in canonical form
	Files  []FileResult
	State  *State
}

// Run measures a whole log. Of several errors the first in the order of files and rows is returned, for any number of
// workers. After ctx is done it returns ctx's error.
func Run(ctx context.Context, log Source, config *Config) (*Outcome, error) {
	files := make([]int, len(log.Files()))
	for i := range files {
		files[i] = i
	}
	f := newFold(log, files, config)
	f.whole = newState(config.Parts)
	if err := f.run(ctx); err != nil {
		return nil, err
	}
	return outcomeOf(f.finished, f.whole), nil
}

// outcomeOf counts what the files hold, and takes the hash of theirs.
func outcomeOf(files []FileResult, whole *State) *Outcome {
	out := &Outcome{Files: files, State: whole}
	hashes := make([][sha256.Size]byte, len(files))
	for i := range files {
		out.add(&files[i].Tally)
		hashes[i] = files[i].SHA256
	}
	out.SHA256 = policylog.HashLog(hashes)
	return out
}

// run measures the files of a fold on the workers, from where it stands.
func (f *fold) run(ctx context.Context) error {
	if err := f.restore(); err != nil {
		return err
	}
	feed := &feed{fold: f, at: f.next.file, from: f.from}
	workers := max(1, f.config.Workers)
	f.ahead = make(chan struct{}, aheadOfWorker*workers)
	if workers == 1 {
		feed.work(ctx)
	} else {
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() { feed.work(ctx) })
		}
		wg.Wait()
	}
	feed.close()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case f.err != nil:
		return f.err
	case f.next.file != len(f.files):
		return errBlocks
	}
	return nil
}
