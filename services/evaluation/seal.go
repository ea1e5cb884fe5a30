package evaluation

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// sealed is a document that carries the hash of its body, so that a file that was cut short or changed is told as such.
type sealed struct {
	Schema string          `json:"schema"`
	SHA256 string          `json:"sha256"` // of body, compact
	Body   json.RawMessage `json:"body"`
}

// seal writes a document on one line.
func seal(schema string, body any) ([]byte, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	out, err := json.Marshal(sealed{Schema: schema, SHA256: hex.EncodeToString(sum[:]), Body: data})
	return append(out, '\n'), err
}

// unseal reads a document of a schema into body, strictly.
func unseal(schema string, data []byte, body any) error {
	var s sealed
	if err := strict(data, &s); err != nil {
		return fmt.Errorf("it does not read as %q: it is something else, or was cut short", schema)
	}
	if s.Schema != schema {
		return fmt.Errorf("schema %.80q, expected %q", s.Schema, schema)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, s.Body); err != nil {
		return err
	}
	if sum := sha256.Sum256(compact.Bytes()); hex.EncodeToString(sum[:]) != s.SHA256 {
		return errors.New("its sha256 is not that of what it holds: it was cut short or changed")
	}
	return strict(s.Body, body)
}

// strict reads one JSON value: no member that is not known, nothing behind it.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something behind its end")
	}
	return nil
}

// digest is a SHA-256 as documents hold it.
type digest [sha256.Size]byte

// MarshalText is hexadecimal.
func (d digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText takes 64 hexadecimal digits.
func (d *digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("sha256 %.80q, expected %d hexadecimal digits", text, hex.EncodedLen(len(d)))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// tallyForm is a Tally as files between runs hold it.
type tallyForm struct {
	Rows      int64           `json:"rows"`
	Decisions int64           `json:"decisions"`
	Skipped   int64           `json:"skipped"`
	Bad       []policylog.Bad `json:"bad"`
}

func formOf(t *Tally) tallyForm {
	return tallyForm{Rows: t.Rows, Decisions: t.Decisions, Skipped: t.Skipped, Bad: append([]policylog.Bad{}, t.Bad...)}
}

// maxRows bounds a count that comes from outside, so that no sum of them overflows.
const maxRows = 1 << 50

func (f *tallyForm) tally() (Tally, error) {
	if min(f.Rows, f.Decisions, f.Skipped) < 0 || max(f.Rows, f.Skipped) > maxRows || f.Decisions > f.Rows ||
		int64(len(f.Bad)) > min(f.Skipped, MaxBad) || f.Skipped > 0 && len(f.Bad) == 0 {
		return Tally{}, fmt.Errorf("%d rows of %d decisions, %d left out, %d listed, expected counts that agree", f.Rows, f.Decisions, f.Skipped, len(f.Bad))
	}
	return Tally{Rows: f.Rows, Decisions: f.Decisions, Skipped: f.Skipped, Bad: f.Bad}, nil
}

// resultForm is a FileResult as files between runs hold it.
type resultForm struct {
	Name   string          `json:"name"`
	Size   int64           `json:"size"`
	SHA256 digest          `json:"sha256"` // of its rows in canonical form
	Tally  tallyForm       `json:"tally"`
	State  json.RawMessage `json:"state,omitempty"`
}

func formOfResult(r *FileResult) (resultForm, error) {
	form := resultForm{Name: r.Name, Size: r.Size, SHA256: r.SHA256, Tally: formOf(&r.Tally)}
	if r.state == nil {
		return form, nil
	}
	var err error
	form.State, err = r.state.encode()
	return form, err
}

// result reads a file's result back, with its state where own is set and without where it is not.
func (f *resultForm) result(parts []Part, own bool) (FileResult, error) {
	r := FileResult{Name: f.Name, Size: f.Size, SHA256: f.SHA256}
	var err error
	if r.Tally, err = f.Tally.tally(); err != nil {
		return r, err
	}
	switch {
	case own != (f.State != nil):
		return r, errors.New("a state that should not be there, or one that is not there")
	case own:
		r.state, err = decodeState(parts, f.State)
	}
	return r, err
}
