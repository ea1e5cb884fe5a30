package modelfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// trailerBytes is the length of the last line: "sha256:", 64 hex digits, the line's end.
const trailerBytes = len(trailerPrefix) + 2*sha256.Size + 1

const trailerPrefix = "sha256:"

// Encode returns the bytes of a model file. The same content gives the same bytes: the
// sections follow in a fixed order and Manifest.Sections is made anew from them, whatever it
// holds. What Decode would refuse is refused here; errors wrap ErrModelFile.
func Encode(f File) ([]byte, error) {
	m := f.Manifest
	m.Sections = nil
	size := 0
	for _, name := range sections() {
		if data, ok := f.Sections[name]; ok {
			m.Sections = append(m.Sections, describe(name, data))
			size += len(data)
		}
	}
	if err := onlyKnown(f.Sections); err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	line, err := m.line()
	if err != nil {
		return nil, err
	}
	total := len(Magic) + 1 + len(line) + 1 + size + trailerBytes
	if err := checkSize(total, len(line)); err != nil {
		return nil, err
	}
	out := make([]byte, 0, total)
	out = append(append(out, Magic...), '\n')
	out = append(append(out, line...), '\n')
	for _, s := range m.Sections {
		out = append(out, f.Sections[s.Name]...)
	}
	return appendTrailer(out), nil
}

func checkSize(total, manifest int) error {
	if total > MaxBytes {
		return fmt.Errorf("%w: %d bytes, expected at most %d", ErrModelFile, total, MaxBytes)
	}
	if manifest > MaxManifestBytes {
		return fmt.Errorf("%w: manifest: %d bytes, expected at most %d", ErrModelFile, manifest, MaxManifestBytes)
	}
	return nil
}

// describe names a section's bytes.
func describe(name string, data []byte) Section {
	sum := sha256.Sum256(data)
	return Section{Name: name, Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
}

// onlyKnown refuses sections that no reader of this schema knows.
func onlyKnown(given map[string][]byte) error {
	known := sections()
	unknown := []string{}
	for name := range given {
		if !slices.Contains(known[:], name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown) // the same error for the same file
	return fmt.Errorf("%w: section %.80q, expected one of %v", ErrModelFile, unknown[0], known)
}

// line returns the manifest's canonical JSON: the fields in the order of their declaration,
// every list present, nothing escaped that need not be.
func (m *Manifest) line() ([]byte, error) {
	whole := *m
	whole.Features, whole.Validation, whole.Sections = present(m.Features), present(m.Validation), present(m.Sections)
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(&whole); err != nil { // a figure that JSON has no number for
		return nil, fmt.Errorf("%w: manifest: %w", ErrModelFile, err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// present gives an absent list the form of an empty one.
func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// appendTrailer ends a file with the hash of everything before it.
func appendTrailer(out []byte) []byte {
	sum := sha256.Sum256(out)
	out = append(out, trailerPrefix...)
	out = hex.AppendEncode(out, sum[:])
	return append(out, '\n')
}
