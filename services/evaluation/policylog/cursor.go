package policylog

import (
	"errors"
	"io"
	"sync"
)

// reader takes one file of one format apart.
type reader interface {
	// columns are the file's, in its order.
	columns() []string
	// resume goes on at the beginning of a block. It is called at most once, before split.
	resume(Position) error
	// split takes the next rows off the file: plan.blockRows, and then on to the end of the decision (a row whose id is
	// null belongs to the decision before it). It sets the chunk's rows and end and returns io.EOF where no row is left.
	// It is called under the cursor's lock. With another error the rows before the fault may be there.
	split(*chunk) error
	// decode hands the chunk's rows to the builder. Several goroutines may be in it, each with its own chunk. Its error is
	// the builder's *RowError, or a *FileError.
	decode(*chunk, *builder) error
	close() error
}

// chunk is what split takes off a file for one block. It belongs to a Block and is filled again and again.
type chunk struct {
	from Position // where it begins
	end  Position // where the file goes on; split sets it but for Block
	rows int      // bad ones too

	text []byte // of text formats: whole rows, the last with its line end, and padding behind its length

	parquet parquetChunk
}

// Cursor reads a file block by block. Next may be called by several goroutines, each with a block of its own; the blocks
// are the same for any number of them.
type Cursor struct {
	reader reader
	plan   *plan
	file   int
	name   string

	mu   sync.Mutex
	next Position
	done bool  // at the end, or broken
	err  error // the first in the order of rows
	at   int   // the block of err
}

// Next fills b with the next block. At the end it returns io.EOF. What b held before is gone, its memory is used again.
// After another error the file is not read further: *RowError for a bad row, *FileError for a file that cannot be read.
// Where several goroutines read, wait for all of them and ask Err which error comes first.
func (c *Cursor) Next(b *Block) error {
	w := b.workFor(c.plan)
	index, err := c.split(&w.chunk)
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	b.File, b.Index = c.file, index
	if err == nil || w.chunk.rows > 0 { // the rows before the fault may have one of their own
		w.builder.begin(b, c.name, c.reader.columns(), &w.chunk)
		if bad := c.reader.decode(&w.chunk, &w.builder); bad != nil {
			err = bad
		}
	}
	if err != nil {
		c.fail(index, err)
		return err
	}
	w.builder.finish()
	b.End = w.chunk.end
	return nil
}

// split takes the next chunk off the file.
func (c *Cursor) split(k *chunk) (index int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return 0, io.EOF
	}
	index = c.next.Block
	k.from, k.rows = c.next, 0
	if err := c.reader.split(k); err != nil {
		c.done = true
		return index, err
	}
	k.end.Block = index + 1
	c.next = k.end
	return index, nil
}

// fail keeps the error of the first block that has one.
func (c *Cursor) fail(block int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = true
	if c.err == nil || block < c.at {
		c.err, c.at = err, block
	}
}

// Err is the error that comes first in the order of the rows, nil without one. It is settled when every Next has
// returned.
func (c *Cursor) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close closes the file. No Next may be under way.
func (c *Cursor) Close() error { return c.reader.close() }
