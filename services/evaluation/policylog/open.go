package policylog

import (
	"errors"
	"io"
	"slices"
)

// look opens a file to see its columns, which must be those of the files before it. What cannot be opened twice stays
// open until File asks for it.
func (l *Log) look(i int, stdin io.Reader) error {
	in, err := openInput(l.files[i].Name, stdin, &l.read)
	if err != nil {
		return err
	}
	r, err := l.reader(in, l.files[i].Format)
	if err != nil {
		return errors.Join(err, in.close())
	}
	if err := l.sameColumns(i, r.columns()); err != nil {
		return errors.Join(err, r.close())
	}
	if l.files[i].Size = in.size; in.size < 0 {
		l.kept[i] = r
		return nil
	}
	l.read.Add(-in.count.own) // it will be read again
	return r.close()
}

// again returns a reader of a file that look has seen.
func (l *Log) again(i int) (reader, error) {
	f := &l.files[i]
	if f.Size < 0 {
		r := l.kept[i]
		if l.kept[i] = nil; r == nil {
			return nil, &FileError{File: f.Name, Found: "read before", Want: "what can be read once only to be read once"}
		}
		return r, nil
	}
	in, err := openInput(f.Name, nil, &l.read)
	if err != nil {
		return nil, err
	}
	r, err := l.reader(in, f.Format)
	if err != nil {
		return nil, errors.Join(err, in.close())
	}
	if err := l.sameColumns(i, r.columns()); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// reader reads an opened file; the reader's close closes it.
func (l *Log) reader(in *input, f Format) (reader, error) {
	switch f {
	case Parquet:
		return openParquet(in, l.plan)
	case NDJSON:
		return openNDJSON(in, l.plan)
	case CSV:
	}
	return openCSV(in, l.plan)
}

// sameColumns refuses a file without a column that is needed, and one whose columns are not those of the first file. The
// order does not matter.
func (l *Log) sameColumns(i int, columns []string) error {
	name := l.files[i].Name
	if err := l.plan.checkColumns(name, columns); err != nil {
		return err
	}
	if l.columns == nil {
		l.columns = slices.Clone(columns)
	}
	first := l.files[0].Name
	for _, c := range columns {
		if !slices.Contains(l.columns, c) {
			return &FileError{File: name, Column: shown([]byte(c)), Found: "there", Want: "the columns of " + first + ", which has no such column"}
		}
	}
	for _, c := range l.columns {
		if !slices.Contains(columns, c) {
			return &FileError{File: name, Column: shown([]byte(c)), Found: "not there", Want: "the columns of " + first + ", which has it"}
		}
	}
	return nil
}
