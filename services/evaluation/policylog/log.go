package policylog

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// ErrEmpty is for whoever has read a log to its end and found no row.
var ErrEmpty = errors.New("the log has no rows")

// Options say what is read of a log. The zero value reads the seven columns that every log has.
type Options struct {
	Format Format    // of stdin, and of files whose names do not tell; the zero value is CSV
	Stdin  io.Reader // what "-" reads

	Target          bool     // target_propensity must be there
	OptionalTarget  bool     // target_propensity is read where the log has it
	Texts           []string // columns of text that must be there
	OptionalTexts   []string // columns of text that are read where the log has them
	Numbers         []string // columns of numbers that must be there
	OptionalNumbers []string // columns of numbers that are read where the log has them

	RewardLow, RewardHigh float64 // rewards outside are bad; both 0: any finite number

	SkipBad bool // leave bad rows out and list them; else the first one is the error

	blockRows int // for tests; 0: BlockRows
}

// File is one file of a log.
type File struct {
	Name   string // as it was given or found; "-" is stdin
	Format Format
	Size   int64 // bytes as they lie on disk; -1 where nobody knows
}

// Log is a set of files of one schema, in the bytewise order of their names.
type Log struct {
	plan    *plan
	files   []File
	kept    []reader // what cannot be opened twice: stdin, pipes; else nil
	columns []string // of every file
	read    atomic.Int64
}

// Open finds the files and reads their columns. A name may be a pattern as filepath.Match has it, "-" is stdin. A name
// that matches nothing, a file that is named twice, a needed column that is not there, and files whose columns differ are
// errors: *FileError where a file is to blame.
func Open(names []string, o Options) (*Log, error) {
	p, err := newPlan(&o)
	if err != nil {
		return nil, err
	}
	files, err := findFiles(names, o.Format)
	if err != nil {
		return nil, err
	}
	l := &Log{plan: p, files: files, kept: make([]reader, len(files))}
	for i := range files {
		if err := l.look(i, o.Stdin); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	p.target = p.target && l.Has(ColumnTarget)
	return l, nil
}

// Files are the log's files in the order in which they count.
func (l *Log) Files() []File { return l.files }

// Has reports whether the log has a column.
func (l *Log) Has(column string) bool { return hasColumn(l.columns, column) }

// Read is how many bytes have been read of all files, as they lie on disk; it may be asked for at any time.
func (l *Log) Read() int64 { return l.read.Load() }

// Size is how many bytes the files have on disk, -1 where one of them does not tell.
func (l *Log) Size() int64 {
	total := int64(0)
	for _, f := range l.files {
		if f.Size < 0 {
			return -1
		}
		total += f.Size
	}
	return total
}

// File begins to read a file from a position on: the zero Position, or the End of a block that was read before with the
// same options. The caller closes the cursor. Stdin and pipes can be read once.
func (l *Log) File(i int, from Position) (*Cursor, error) {
	if i < 0 || i >= len(l.files) {
		return nil, fmt.Errorf("the log has no file %d", i)
	}
	r, err := l.again(i)
	if err != nil {
		return nil, err
	}
	if from != (Position{}) {
		if err := r.resume(from); err != nil {
			return nil, errors.Join(err, r.close())
		}
	}
	return &Cursor{reader: r, plan: l.plan, file: i, name: l.files[i].Name, next: from}, nil
}

// Close releases what Open holds: inputs that cannot be opened twice and were not read.
func (l *Log) Close() error {
	var all error
	for i, r := range l.kept {
		if r != nil {
			all = errors.Join(all, r.close())
			l.kept[i] = nil
		}
	}
	return all
}
