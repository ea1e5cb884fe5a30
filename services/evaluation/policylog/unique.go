package policylog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/fundmatch/fundmatch/services/evaluation/spill"
)

// uniqueMemory is what Unique holds before it writes to disk: about 750,000 decisions.
const uniqueMemory = 32 << 20

// A decision is 128 bits of its id's SHA-256, then its file and row.
const (
	uniqueKey  = 16
	uniqueSize = uniqueKey + 4 + 8
)

// Unique looks for decisions that come back after others, anywhere in a log: within a file the rows of a decision stand
// together, and no two files share one. What memory does not hold lies in a file without a name, 28 bytes a decision.
// It says nothing about files that another shard reads. Add may be called by several goroutines.
type Unique struct {
	mu     sync.Mutex
	sorter *spill.Sorter
}

// NewUnique keeps what memory does not hold in the folder dir; "" is the system's for temporary files.
func NewUnique(dir string) *Unique { return newUnique(dir, uniqueMemory) }

func newUnique(dir string, memory int) *Unique {
	return &Unique{sorter: spill.New(dir, uniqueSize, memory)}
}

// Add takes the decisions of a block. Each block of the log is added once, in any order.
func (u *Unique) Add(b *Block) error {
	records := make([]byte, 0, uniqueSize*len(b.Decisions)) // hashed before the lock
	for i := range b.Decisions {
		d := &b.Decisions[i]
		key := sha256.Sum256(d.ID)
		records = append(records, key[:uniqueKey]...)
		records = binary.BigEndian.AppendUint32(records, uint32(b.File))
		records = binary.BigEndian.AppendUint64(records, uint64(d.Row))
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for ; len(records) > 0; records = records[uniqueSize:] {
		if err := u.sorter.Add(records[:uniqueSize]); err != nil {
			return err
		}
	}
	return nil
}

// RepeatedError says that a decision's rows stand in two places.
type RepeatedError struct {
	File, First string // where it comes back, and where it was first
	Row         int64  // from 1
	FirstRow    int64
	ID          string // of the decision; "" as Check tells it, see Log.Named
}

// Error returns b.csv: row 12, decision_id: "d5", also in a.csv, row 3, expected the rows of a decision together.
func (e *RepeatedError) Error() string {
	id := ""
	if e.ID != "" {
		id = strconv.Quote(e.ID) + ", "
	}
	return fmt.Sprintf("%s: row %d, %s: %salso in %s, row %d, expected the rows of a decision together", e.File, e.Row, ColumnDecisionID, id, e.First, e.FirstRow)
}

// Named puts the decision's id into a *RepeatedError: Unique keeps hashes alone, so its file is read again up to there. An
// error stays as it is where that cannot be done, as of stdin, and where it is another.
func (l *Log) Named(ctx context.Context, err error) error {
	e := (*RepeatedError)(nil)
	if !errors.As(err, &e) {
		return err
	}
	i := slices.IndexFunc(l.files, func(f File) bool { return f.Name == e.File })
	if i < 0 || l.files[i].Size < 0 {
		return err
	}
	c, failed := l.File(i, Position{})
	if failed != nil {
		return err
	}
	defer func() { _ = c.Close() }() // it was only read
	var b Block
	for ctx.Err() == nil && c.Next(&b) == nil {
		for d := range b.Decisions {
			if b.Decisions[d].Row == e.Row {
				named := *e
				named.ID = string(b.Decisions[d].ID)
				return &named
			}
		}
	}
	return err
}

// Check returns a *RepeatedError for the decision that comes back first, in the order of files and rows. Nothing may be
// added afterwards.
func (u *Unique) Check(files []File) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	var first, again, before []byte
	repeated := false // before is a repetition itself
	err := u.sorter.Each(func(record []byte) error {
		if len(before) == 0 || !bytes.Equal(before[:uniqueKey], record[:uniqueKey]) {
			before, repeated = append(before[:0], record...), false
			return nil
		}
		if !repeated && (len(again) == 0 || bytes.Compare(record[uniqueKey:], again) < 0) {
			first, again = append(first[:0], before[uniqueKey:]...), append(again[:0], record[uniqueKey:]...)
		}
		repeated = true
		return nil
	})
	if err != nil || len(again) == 0 {
		return err
	}
	place := func(b []byte) (string, int64) {
		return files[binary.BigEndian.Uint32(b)].Name, int64(binary.BigEndian.Uint64(b[4:]))
	}
	var e RepeatedError
	e.File, e.Row = place(again)
	e.First, e.FirstRow = place(first)
	return &e
}

// Close removes what lies on disk.
func (u *Unique) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.sorter.Close()
}
