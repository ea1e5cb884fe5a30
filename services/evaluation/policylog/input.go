package policylog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/fundmatch/fundmatch/services/evaluation/packed"
)

// Format is how a file's rows are written.
type Format uint8

// The formats.
const (
	CSV Format = iota
	NDJSON
	Parquet
)

// String is the format's name as an option takes it.
func (f Format) String() string { return [...]string{"csv", "ndjson", "parquet"}[min(f, Parquet)] }

// ParseFormat reads the name of a format.
func ParseFormat(s string) (Format, error) {
	for f := CSV; f <= Parquet; f++ {
		if f.String() == s {
			return f, nil
		}
	}
	return 0, fmt.Errorf("format %q: expected csv, ndjson or parquet", s)
}

// Stdin is the name that reads Options.Stdin.
const Stdin = "-"

// maxFiles bounds a log.
const maxFiles = 100_000

// maxWindow bounds what unpacking zstd may look back on, in bytes; the format's own advice is 8 MiB.
const maxWindow = 32 << 20

// findFiles expands the names and puts the files in their order.
func findFiles(names []string, otherwise Format) ([]File, error) {
	var found []File
	for _, n := range names {
		matches := []string{n}
		if n != Stdin && strings.ContainsAny(n, "*?[") {
			if _, err := os.Lstat(n); err != nil { // no file has this very name
				if matches, err = filepath.Glob(n); err != nil {
					return nil, fmt.Errorf("%q is no pattern: %w", n, err)
				}
			}
		}
		if len(matches) == 0 {
			return nil, fmt.Errorf("no file matches %q", n)
		}
		for _, m := range matches {
			format, _ := formatOf(m, otherwise)
			found = append(found, File{Name: m, Format: format, Size: -1})
		}
	}
	if len(found) == 0 {
		return nil, errors.New("no log is named")
	}
	if len(found) > maxFiles {
		return nil, fmt.Errorf("%d files: at most %d can be one log", len(found), maxFiles)
	}
	slices.SortFunc(found, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return found, checkOnce(found)
}

// checkOnce refuses a file that is named twice, by whatever path or link.
func checkOnce(files []File) error {
	type look struct{ size, written int64 }
	type known struct {
		name string
		info os.FileInfo
	}
	seen, alike := make(map[string]string, len(files)), map[look][]known{}
	for _, f := range files {
		path := f.Name
		if path != Stdin {
			if whole, err := filepath.Abs(path); err == nil {
				path = whole
			}
			if target, err := filepath.EvalSymlinks(path); err == nil {
				path = target
			}
		}
		if other, twice := seen[path]; twice {
			return sameFile(f.Name, other)
		}
		seen[path] = f.Name
		info, err := os.Stat(path)
		if f.Name == Stdin || err != nil { // who opens it says what is wrong with it
			continue
		}
		at := look{info.Size(), info.ModTime().UnixNano()} // hard links have the same
		for _, other := range alike[at] {
			if os.SameFile(info, other.info) {
				return sameFile(f.Name, other.name)
			}
		}
		alike[at] = append(alike[at], known{f.Name, info})
	}
	return nil
}

func sameFile(name, other string) error {
	return &FileError{File: name, Found: "the same file as " + other, Want: "each file once"}
}

// formatOf tells a file's format and packing by its name.
func formatOf(name string, otherwise Format) (Format, packed.Packing) {
	stem, p := packed.ByName(name)
	switch filepath.Ext(stem) {
	case ".csv":
		return CSV, p
	case ".ndjson", ".jsonl", ".json":
		return NDJSON, p
	case ".parquet":
		return Parquet, p
	}
	return otherwise, p
}

// input is an opened file.
type input struct {
	name    string
	packing packed.Packing
	file    *os.File      // nil: stdin
	size    int64         // of a regular file, else -1
	in      io.ReadCloser // its bytes, unpacked; closing it does not close the file
	count   *counter
}

// openInput opens a file. read counts the bytes that are read of it as they lie on disk.
func openInput(name string, stdin io.Reader, read *atomic.Int64) (*input, error) {
	in := &input{name: name, size: -1}
	_, in.packing = formatOf(name, CSV)
	from := stdin
	if name != Stdin {
		if err := in.openFile(); err != nil {
			return nil, errors.Join(err, in.close())
		}
		from = in.file
	} else if stdin == nil {
		return nil, &FileError{File: name, Found: "no standard input", Want: "a file"}
	}
	in.count = &counter{in: from, read: read}
	if err := in.open(in.count); err != nil {
		return nil, errors.Join(err, in.close())
	}
	return in, nil
}

func (i *input) openFile() error {
	f, err := os.Open(i.name)
	if err != nil {
		return &FileError{File: i.name, Found: "cannot be opened", Err: reasonOf(err)}
	}
	i.file = f
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("it is a directory")
	}
	if err != nil {
		return &FileError{File: i.name, Found: "cannot be read", Err: reasonOf(err)}
	}
	if info.Mode().IsRegular() {
		i.size = info.Size()
	}
	return nil
}

// open sets up the unpacking. What is not a regular file is looked at: who pipes a packed log need not say so.
func (i *input) open(from io.Reader) error {
	if i.size < 0 && i.packing == packed.None {
		b := bufio.NewReaderSize(from, 64<<10)
		start, _ := b.Peek(packed.StartBytes) // an error comes again
		i.packing, from = packed.ByStart(start), b
	}
	in, err := packed.NewReader(from, i.packing, maxWindow)
	if err != nil {
		return i.broken(0, err)
	}
	i.in = in
	return nil
}

// reasonOf is why the system refused, without the name of the file, which is said already.
func reasonOf(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// broken is the error of a file that cannot be read on.
func (i *input) broken(row int64, err error) error {
	e := &FileError{File: i.name, Row: row, Found: "cannot be read", Err: reasonOf(err)}
	if i.packing == packed.None {
		return e
	}
	e.Want = "a whole " + i.packing.String() + " file"
	if e.Found = "damaged"; errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		e.Found, e.Err = "cut short", io.ErrUnexpectedEOF
	}
	return e
}

func (i *input) close() error {
	var err error
	if i.in != nil {
		err = i.in.Close()
	}
	if i.file != nil {
		err = errors.Join(err, i.file.Close())
	}
	return err
}

// counter counts what is read.
type counter struct {
	in   io.Reader
	read *atomic.Int64 // of the whole log
	own  int64
}

// skip counts what is not read.
func (c *counter) skip(n int64) {
	c.read.Add(n)
	c.own += n
}

// Read reads and counts.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.skip(int64(n))
	return n, err
}
