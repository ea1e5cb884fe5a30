package evaluation

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// feed hands out the blocks of a fold's files, one file after the other, to all workers.
type feed struct {
	fold *fold

	mu   sync.Mutex
	at   int                // which of the fold's files is open, or is opened next
	from policylog.Position // where that one is read from
	open *lease             // nil: none is
}

// lease is a file from which workers take blocks. It is given back when none of them has one of its blocks any more.
type lease struct {
	file   int    // which of the fold's files
	cursor Cursor // nil: it could not be opened
	users  int
	ended  bool // it has no more blocks to give
}

// work measures blocks until there are none left, or the fold takes no more.
func (f *feed) work(ctx context.Context) {
	var block policylog.Block
	for f.fold.reserve(ctx) {
		l, err := f.next(&block)
		if l == nil {
			f.fold.unreserve()
			return
		}
		m := &measured{err: err}
		if err == nil {
			m = f.fold.measure(&block)
		}
		f.fold.deliver(place{l.file, block.Index}, m)
		f.leave(l, false)
	}
}

// next fills a block, or returns the error that stands in the place of one. No lease: nothing is left.
func (f *feed) next(b *policylog.Block) (*lease, error) {
	for {
		l, err := f.enter(b)
		if l == nil || err != nil {
			return l, err
		}
		if err = l.cursor.Next(b); !errors.Is(err, io.EOF) {
			return l, err
		}
		f.leave(l, true)
	}
}

// enter takes part in reading the file whose turn it is.
func (f *feed) enter(b *policylog.Block) (*lease, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		if f.at >= len(f.fold.files) {
			return nil, nil
		}
		l := &lease{file: f.at}
		cursor, err := f.fold.log.Open(f.fold.files[f.at], f.from)
		if err != nil {
			b.Index = f.from.Block
			f.at = len(f.fold.files) // nothing behind it counts
			l.users++
			return l, err
		}
		l.cursor, f.open = cursor, l
	}
	f.open.users++
	return f.open, nil
}

// leave gives back what was taken of a file. The last to leave a file that has ended closes it.
func (f *feed) leave(l *lease, ended bool) {
	f.mu.Lock()
	if ended && !l.ended {
		l.ended = true
		f.open, f.from = nil, policylog.Position{}
		f.at++
	}
	l.users--
	over := l.ended && l.users == 0
	f.mu.Unlock()
	if over {
		_ = l.cursor.Close() // it was only read, to its end
		f.fold.endFile(l.file)
	}
}

// close closes the file that workers stopped in the middle of.
func (f *feed) close() {
	if f.open != nil {
		_ = f.open.cursor.Close() // it was only read
	}
}
