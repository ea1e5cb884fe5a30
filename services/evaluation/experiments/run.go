package experiments

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
)

// BlockRows is how many rows are summed before their sum is added to that of all: with that the last digit depends on the
// rows and their order alone, and a long file loses no digits to its length.
const BlockRows = 1 << 16

// MaxRows is how many rows one run takes. Each customer costs it some 32 bytes, and as much again that the collector leaves
// to be used, for a hash of his id and the line that he came in; nothing else grows with the rows.
const MaxRows = math.MaxUint32

// maxListed bounds the bad rows that a document lists; all are counted.
const maxListed = 100

// run is a run under way.
type run struct {
	config   Config
	all      *State
	block    *State
	inBlock  int
	seen     map[[16]byte]uint32 // rows by hash of the customer's id
	digest   hash.Hash
	scratch  []byte
	rows     int64
	skipped  Skipped
	progress func(rows int64)
}

// Run reads a source to its end and evaluates what it holds. Progress, which may be nil, is told every few thousand rows.
// A document does not depend on the format or the name of what was read.
// Errors: ErrConfig; ErrData (a *RowError unless bad rows are skipped; no rows; one arm); the source's own; ctx's.
func Run(ctx context.Context, source Source, config Config, progress func(rows int64)) (*Document, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	r := &run{config: config, seen: map[[16]byte]uint32{}, digest: sha256.New(), progress: progress}
	r.skipped.Listed = []BadListed{}
	var err error
	if r.all, err = NewState(config.Columns); err == nil {
		r.block, err = NewState(config.Columns)
	}
	if err != nil {
		return nil, err
	}
	columns, err := json.Marshal(config.Columns)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	r.digest.Write(r.text(r.scratch[:0], string(columns)))
	if err := r.read(ctx, source); err != nil {
		return nil, err
	}
	d, err := r.all.Judge(config)
	if err != nil {
		return nil, err
	}
	d.Rows, d.Skipped = r.rows, r.skipped
	d.Input = &Input{SHA256: hex.EncodeToString(r.digest.Sum(nil))}
	return d, nil
}

// read takes all rows.
func (r *run) read(ctx context.Context, source Source) error {
	var c Customer
	for {
		err := source.Next(&c)
		if errors.Is(err, io.EOF) && !errors.Is(err, ErrData) {
			break
		}
		if err == nil {
			err = r.take(&c)
		}
		if err := r.pass(err); err != nil {
			return err
		}
		if r.rows%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if r.progress != nil {
				r.progress(r.rows)
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.rows == 0 {
		return fmt.Errorf("%w: no rows", ErrData)
	}
	return r.all.Merge(r.block)
}

// pass counts a row, and lets go by what is wrong with it where that was asked for.
func (r *run) pass(err error) error {
	if bad := (*RowError)(nil); r.config.SkipBad && errors.As(err, &bad) {
		r.skip(bad)
		err = nil
	}
	if r.rows++; err == nil && r.rows > MaxRows {
		return fmt.Errorf("%w: more than %d rows", ErrData, int64(MaxRows))
	}
	return err
}

// take adds a customer who was not there before.
func (r *run) take(c *Customer) error {
	key := [16]byte(sum128(c.ID))
	if first, twice := r.seen[key]; twice {
		at := c.At
		if at.Line > 0 {
			at.Line = int64(first)
		} else {
			at.Row = int64(first)
		}
		return &RowError{At: c.At, Column: "customer_id", Value: Clip(c.ID), Want: "each customer once", First: &at}
	}
	if err := r.block.Add(&c.Row); err != nil {
		if value := (*ValueError)(nil); errors.As(err, &value) {
			return &RowError{At: c.At, Column: value.Column, Value: value.Value, Want: value.Want}
		}
		return fmt.Errorf("%s: %w", c.At, err)
	}
	place := c.At.Line
	if place == 0 {
		place = c.At.Row
	}
	if place > math.MaxUint32 {
		return fmt.Errorf("%s: %w: expected at most %d lines", c.At, ErrData, int64(math.MaxUint32))
	}
	r.seen[key] = uint32(place)
	r.hash(c)
	if r.inBlock++; r.inBlock == BlockRows {
		return r.fold()
	}
	return nil
}

// fold adds the block to all, and begins another.
func (r *run) fold() error {
	if err := r.all.Merge(r.block); err != nil {
		return err
	}
	var err error
	r.block, err = NewState(r.config.Columns)
	r.inBlock = 0
	return err
}

// sum128 is half of SHA-256: two of a thousand million ids meet by chance once in 10^21 logs, and nobody can make them.
func sum128(id string) []byte {
	sum := sha256.Sum256([]byte(id))
	return sum[:16]
}

// hash adds a row in its canonical form: texts with their lengths before them, numbers as their bits, one NaN for what is
// not known and no -0.
func (r *run) hash(c *Customer) {
	b := r.text(r.scratch[:0], c.ID)
	b = r.text(b, c.Row.Arm)
	for i := range c.Row.Metrics {
		b = binary.LittleEndian.AppendUint64(b, bits(c.Row.Metrics[i]))
		b = binary.LittleEndian.AppendUint64(b, bits(c.Row.Pre[i]))
	}
	for _, value := range c.Row.Segments {
		b = r.text(b, value)
	}
	r.digest.Write(b)
	r.scratch = b
}

func (r *run) text(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func bits(v float64) uint64 {
	switch {
	case math.IsNaN(v):
		return 0x7ff8000000000001
	case v == 0:
		return 0
	}
	return math.Float64bits(v)
}

// skip counts a bad row, and lists the first.
func (r *run) skip(bad *RowError) {
	r.skipped.Rows++
	if len(r.skipped.Listed) < maxListed {
		r.skipped.Listed = append(r.skipped.Listed, BadListed{Row: bad.At.Row, Column: bad.Column, Value: bad.Value, Expected: bad.Want})
	}
}
