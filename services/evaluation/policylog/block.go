// Package policylog reads policy logs: CSV, NDJSON and Parquet files, packed or not, with a row for each product of a
// decision (docs/evaluation/log.md). Whatever the format, the same rows come out as the same blocks with the same hash.
package policylog

import "github.com/fundmatch/fundmatch/matcher/evaluate/policy"

// BlockRows is how many rows a block has before it ends with the decision that it is in. Blocks restart with each file.
// Sums are taken within a block row by row, then over the blocks of a file, then over the files in the order of their
// names: so the last digit does not depend on workers, shards or formats.
const BlockRows = 1 << 16

// Block is a run of whole decisions of one file. It is filled again by the next read: who keeps something copies it.
type Block struct {
	File  int // the file's place in the log
	Index int // from 0 within the file

	policy.Batch

	Decisions []Decision // as many as Ends
	Texts     []Text     // the columns of text that were asked for, in that order
	Numbers   []Number   // the columns of numbers that were asked for, in that order

	End     Position // where the file goes on
	Bad     []Bad    // rows that were left out (SkipBad): the first MaxBad of them
	BadRows int      // rows that were left out, all of them
	SHA256  [32]byte // of the block's rows in canonical form (docs/evaluation/log.md)

	work *work // memory that is used again by the next read
}

// work is what reading a block needs.
type work struct {
	chunk   chunk
	builder builder
}

// workFor returns the block's memory; that of a log with other options is of no use.
func (b *Block) workFor(p *plan) *work {
	if b.work == nil {
		b.work = &work{}
	}
	if b.work.builder.plan != p {
		b.work.builder = newBuilder(p)
	}
	return b.work
}

// Decision is what is the same for all rows of a decision. The texts share the block's memory.
type Decision struct {
	ID, CustomerID []byte
	At             int64 // nanoseconds since 1970-01-01T00:00:00Z
	Row            int64 // of the file, from 1, bad ones counted: where it begins
}

// Text is a column of text, each value once: Values holds places in Names. An absent value is "".
type Text struct {
	Name   string
	There  bool // the file has this column
	Values []uint32
	Names  []string // in the order of their first row
}

// Number is a column of numbers; NaN where it is empty.
type Number struct {
	Name   string
	There  bool // the file has this column
	Values []float64
}

// Position is where in a file reading may go on: at the beginning of a decision.
type Position struct {
	Block  int   `json:"block"`  // of the next block
	Offset int64 `json:"offset"` // bytes of unpacked text; 0 in Parquet
	Row    int64 `json:"row"`    // rows before it, bad ones too
	Line   int64 `json:"line"`   // lines of text before it; 0 in Parquet
}

// Bad is a row that cannot be used. It is an error unless bad rows are to be left out.
type Bad struct {
	File   string `json:"file"`
	Row    int64  `json:"row"`    // from 1
	Line   int64  `json:"line"`   // from 1; 0 where rows have no lines
	Column string `json:"column"` // "" where it is not about one
	Value  string `json:"value"`  // cut to a length that can be shown
	Want   string `json:"want"`   // what was expected
}
