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

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
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

// packing is how a file's bytes are packed.
type packing uint8

const (
	packedNot packing = iota
	packedGzip
	packedZstd
)

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

// checkOnce refuses a file that is named twice, by whatever path.
func checkOnce(files []File) error {
	seen := make(map[string]string, len(files))
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
			return &FileError{File: f.Name, Found: "the same file as " + other, Want: "each file once"}
		}
		seen[path] = f.Name
	}
	return nil
}

// formatOf tells a file's format and packing by its name.
func formatOf(name string, otherwise Format) (Format, packing) {
	p := packedNot
	lower := strings.ToLower(name)
	if rest, ok := strings.CutSuffix(lower, ".gz"); ok {
		lower, p = rest, packedGzip
	} else if rest, ok := strings.CutSuffix(lower, ".zst"); ok {
		lower, p = rest, packedZstd
	}
	switch filepath.Ext(lower) {
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
	packing packing
	file    *os.File  // nil: stdin
	size    int64     // of a regular file, else -1
	in      io.Reader // its bytes, unpacked
	unpack  func() error
	count   *counter
}

// openInput opens a file. read counts the bytes that are read of it as they lie on disk.
func openInput(name string, stdin io.Reader, read *atomic.Int64) (*input, error) {
	in := &input{name: name, size: -1}
	_, in.packing = formatOf(name, CSV)
	packed := stdin
	if name != Stdin {
		if err := in.openFile(); err != nil {
			return nil, errors.Join(err, in.close())
		}
		packed = in.file
	} else if stdin == nil {
		return nil, &FileError{File: name, Found: "no standard input", Want: "a file"}
	}
	in.count = &counter{in: packed, read: read}
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
func (i *input) open(packed io.Reader) error {
	if i.size < 0 && i.packing == packedNot {
		b := bufio.NewReaderSize(packed, 64<<10)
		i.packing, packed = packingOf(b), b
	}
	var err error
	switch i.packing {
	case packedGzip:
		var z *gzip.Reader
		if z, err = gzip.NewReader(bufio.NewReaderSize(packed, 256<<10)); err == nil {
			i.in, i.unpack = z, z.Close
		}
	case packedZstd:
		var z *zstd.Decoder
		z, err = zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow*2))
		if err == nil {
			i.in, i.unpack = z, func() error { z.Close(); return nil }
		}
	case packedNot:
		i.in = packed
	}
	if err != nil {
		return i.broken(0, err)
	}
	return nil
}

// packingOf looks at the first bytes.
func packingOf(b *bufio.Reader) packing {
	switch head, _ := b.Peek(4); {
	case len(head) >= 2 && head[0] == 0x1f && head[1] == 0x8b:
		return packedGzip
	case string(head) == "\x28\xb5\x2f\xfd":
		return packedZstd
	}
	return packedNot
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
	if i.packing == packedNot {
		return e
	}
	e.Want = [...]string{"", "a whole gzip file", "a whole zstd file"}[i.packing]
	if e.Found = "damaged"; errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		e.Found, e.Err = "cut short", io.ErrUnexpectedEOF
	}
	return e
}

func (i *input) close() error {
	var err error
	if i.unpack != nil {
		err = i.unpack()
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
