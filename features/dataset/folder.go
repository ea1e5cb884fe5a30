package dataset

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fileNames lists the files of the format in the order in which they are loaded: a file
// stands behind those whose ids it names.
func fileNames() []string {
	return []string{
		"products.csv", "calendar.csv", "branches.csv", "managers.csv", "nav.csv", "customers.csv", "assessments.csv",
		"consents.csv", "tags.csv", "features.csv", "holdings.csv", "interactions.csv", "events.csv",
	}
}

// Folder is a directory that holds dataset files.
type Folder struct {
	dir     string
	files   map[string]string // name in the format: name in the directory
	ignored []string
}

// Open finds the dataset files of a directory. A directory without any, or one that
// holds a file both plain and packed, is an *Error.
func Open(dir string) (*Folder, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open dataset: %w", err)
	}
	f := &Folder{dir: dir, files: map[string]string{}}
	for _, e := range entries { // by name
		if err := f.take(e.Name()); err != nil {
			return nil, err
		}
	}
	if len(f.files) == 0 {
		return nil, &Error{File: filepath.Base(dir), Problem: "no dataset file", Expected: "at least one of " + strings.Join(fileNames(), " ") + ", .gz or not"}
	}
	return f, nil
}

// take notes a file of the directory.
func (f *Folder) take(name string) error {
	plain := strings.TrimSuffix(name, ".gz")
	if !strings.HasSuffix(plain, ".csv") {
		return nil
	}
	if !slices.Contains(fileNames(), plain) {
		f.ignored = append(f.ignored, name)
		return nil
	}
	info, err := os.Stat(filepath.Join(f.dir, name))
	if err != nil {
		return fmt.Errorf("open dataset: %w", err)
	}
	if !info.Mode().IsRegular() {
		return &Error{File: name, Problem: "not a regular file", Expected: "a CSV file"}
	}
	if _, twice := f.files[plain]; twice {
		return &Error{File: plain, Problem: "is there both plain and as " + plain + ".gz", Expected: "one of the two"}
	}
	f.files[plain] = name
	return nil
}

// Files returns the names of the dataset files in the order in which they are loaded.
func (f *Folder) Files() []string {
	var names []string
	for _, plain := range fileNames() {
		if name, ok := f.files[plain]; ok {
			names = append(names, name)
		}
	}
	return names
}

// source is one open file.
type source struct {
	io.Reader // unpacked

	name  string
	size  int64 // bytes on disk
	taken *counter
	file  *os.File
}

// open opens a file by its name in the format. Cancelling ctx ends its reads.
func (f *Folder) open(ctx context.Context, plain string) (*source, error) {
	name := f.files[plain]
	file, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		return nil, fmt.Errorf("open dataset: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("open dataset: %w", err)
	}
	s := &source{name: name, size: info.Size(), taken: &counter{ctx: ctx, in: file}, file: file}
	s.Reader = s.taken
	if strings.HasSuffix(name, ".gz") {
		s.Reader = newGunzip(s.taken)
	}
	return s, nil
}

// counter counts the bytes that were read from a file.
type counter struct {
	ctx context.Context //nolint:containedctx // a Reader has no other way to be cancelled
	in  io.Reader
	n   int64
}

func (c *counter) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}
