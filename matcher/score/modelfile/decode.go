package modelfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Is reports whether bytes are meant to be a model file: they begin or end as one does. It
// says nothing of whether Decode takes them.
func Is(data []byte) bool {
	return bytes.HasPrefix(data, []byte(magicPrefix)) || hasTrailer(data)
}

// Decode reads a model file of MaxBytes or less. The hash that the file has of itself is
// looked at before anything else is believed. The sections share data's memory. Errors wrap
// ErrModelFile, and ErrTruncated, ErrAltered or ErrNewerSchema where that is the reason; none
// of the file is used then.
func Decode(data []byte) (*File, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, expected at most %d", ErrModelFile, len(data), MaxBytes)
	}
	if err := checkSchema(data); err != nil {
		return nil, err
	}
	if err := checkTrailer(data); err != nil {
		return nil, err
	}
	line, rest, ok := manifestLine(data)
	if !ok {
		return nil, fmt.Errorf("%w: line 2: no manifest of at most %d bytes", ErrModelFile, MaxManifestBytes)
	}
	m, err := parseManifest(line)
	if err != nil {
		return nil, err
	}
	f := &File{Manifest: *m, Sections: make(map[string][]byte, len(m.Sections))}
	// A manifest that parses is no part of the last line, which therefore lies in rest.
	if err := f.cut(rest[:len(rest)-trailerBytes]); err != nil {
		return nil, err
	}
	return f, nil
}

// checkSchema reads the first line. Another schema's file is whole or not by rules that this
// program does not know, unless it ends as ours do: then a wrong hash says more.
func checkSchema(data []byte) error {
	first, _, whole := bytes.Cut(data[:min(len(data), len(magicPrefix)+20)], []byte("\n"))
	switch {
	case whole && string(first) == Magic:
		return nil
	case !whole && strings.HasPrefix(Magic, string(first)):
		return fmt.Errorf("%w: line 1: %q and no more, expected %q", ErrTruncated, first, Magic)
	case hasTrailer(data) && !ownHash(data):
		return altered(data)
	}
	number, ours := strings.CutPrefix(string(first), magicPrefix)
	if n, err := strconv.ParseUint(number, 10, 32); ours && whole && err == nil && n > Schema {
		return fmt.Errorf("%w: line 1: %q, expected %q: a newer program wrote it", ErrNewerSchema, first, Magic)
	}
	return fmt.Errorf("%w: line 1: %.40q, expected %q", ErrModelFile, first, Magic)
}

// checkTrailer compares the file with the hash in its last line. Where there is no such line,
// the sizes that the manifest gives tell a file that ends early from one that was changed;
// nothing else of the manifest is believed for that.
func checkTrailer(data []byte) error {
	switch {
	case hasTrailer(data) && ownHash(data):
		return nil
	case hasTrailer(data):
		return altered(data)
	}
	if line, _, ok := manifestLine(data); ok {
		want, err := expectedSize(line)
		if err != nil || len(data) >= want {
			return fmt.Errorf("%w: last line: %q, expected %s and 64 hex digits", ErrAltered, data[len(data)-min(len(data), 16):], trailerPrefix)
		}
		return fmt.Errorf("%w: %d bytes, expected %d", ErrTruncated, len(data), want)
	}
	return fmt.Errorf("%w: %d bytes, expected a manifest in line 2", ErrTruncated, len(data))
}

func altered(data []byte) error {
	sum := sha256.Sum256(data[:len(data)-trailerBytes])
	return fmt.Errorf("%w: the bytes have the hash %x, expected %s as in the last line", ErrAltered, sum,
		data[len(data)-trailerBytes+len(trailerPrefix):len(data)-1])
}

// hasTrailer reports whether the last line is one of a model file.
func hasTrailer(data []byte) bool {
	if len(data) < trailerBytes {
		return false
	}
	last := data[len(data)-trailerBytes:]
	return bytes.HasPrefix(last, []byte(trailerPrefix)) && last[trailerBytes-1] == '\n' &&
		isHash(string(last[len(trailerPrefix):trailerBytes-1]))
}

// ownHash reports whether the last line is the hash of what stands before it.
func ownHash(data []byte) bool {
	end := len(data) - trailerBytes
	sum := sha256.Sum256(data[:end])
	return string(data[end+len(trailerPrefix):len(data)-1]) == hex.EncodeToString(sum[:])
}

// manifestLine returns the second line, and what follows it.
func manifestLine(data []byte) (line, rest []byte, ok bool) {
	after := data[len(Magic)+1:]
	end := bytes.IndexByte(after[:min(len(after), MaxManifestBytes+1)], '\n')
	if end < 0 {
		return nil, nil, false
	}
	return after[:end], after[end+1:], true
}

// expectedSize is the length of a file by its manifest.
func expectedSize(line []byte) (int, error) {
	m, err := parseManifest(line)
	if err != nil {
		return 0, err
	}
	total := len(Magic) + 1 + len(line) + 1 + trailerBytes
	for _, s := range m.Sections {
		total += int(s.Bytes) // each is bounded by MaxBytes, and there are few
	}
	return total, nil
}

// parseManifest reads a manifest strictly: what Encode would have written, and nothing else.
func parseManifest(line []byte) (*Manifest, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	m := &Manifest{}
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("%w: line 2: manifest: %w", ErrModelFile, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: line 2: manifest: more behind it, expected one JSON object", ErrModelFile)
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	again, err := m.line()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, line) {
		at := differs(again, line)
		return nil, fmt.Errorf("%w: line 2: manifest: column %d: %.40q, expected the canonical form %.40q", ErrModelFile, at+1, line[at:], again[at:])
	}
	return m, nil
}

// differs returns the first place at which two texts differ.
func differs(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// cut gives each section its bytes.
func (f *File) cut(data []byte) error {
	for _, s := range f.Manifest.Sections {
		if s.Bytes > int64(len(data)) {
			return fmt.Errorf("%w: section %s: %d bytes left, expected %d", ErrModelFile, s.Name, len(data), s.Bytes)
		}
		part := slices.Clip(data[:s.Bytes])
		if is := describe(s.Name, part); is.SHA256 != s.SHA256 {
			return fmt.Errorf("%w: section %s: hash %s, expected %s", ErrAltered, s.Name, is.SHA256, s.SHA256)
		}
		f.Sections[s.Name], data = part, data[s.Bytes:]
	}
	if len(data) != 0 {
		return fmt.Errorf("%w: %d bytes behind the last section, expected none", ErrModelFile, len(data))
	}
	return nil
}
