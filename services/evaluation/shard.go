package evaluation

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// PartialSchema names the form of what a shard leaves behind. It is merged by the version of the program that wrote it.
const PartialSchema = "fundmatch.evaluation-partial/v1"

// Bounds of what is merged.
const (
	MaxShards       = 10_000
	MaxPartialBytes = 256 << 20 // of one partial file
	maxFileName     = 4096
)

// Shard is one of the parts into which the files of a log are dealt out: file k of the log, in the order of the names and
// counted from 0, belongs to shard k mod Of.
type Shard struct {
	Index int `json:"index"` // from 0
	Of    int `json:"of"`
}

// ParseShard reads i/n: 0/7 to 6/7 are the shards of seven.
func ParseShard(text string) (Shard, error) {
	first, second, found := strings.Cut(text, "/")
	index, err := strconv.ParseUint(first, 10, 31)
	of, err2 := strconv.ParseUint(second, 10, 31)
	if !found || err != nil || err2 != nil || of < 1 || of > MaxShards || index >= of {
		return Shard{}, fmt.Errorf("%.40q, expected i/n with i from 0 to n-1 and n from 1 to %d", text, MaxShards)
	}
	return Shard{Index: int(index), Of: int(of)}, nil
}

// filesOf are the places in the log of the shard's files.
func (s Shard) filesOf(log int) []int {
	files := []int{}
	for i := s.Index; i < log; i += s.Of {
		files = append(files, i)
	}
	return files
}

// Partial is what a shard found: a state for each of its files, so that merging gives the very sums of one run.
type Partial struct {
	Shard Shard
	Files []FileResult
	form  partialForm
}

// partialForm is the body of a partial file.
type partialForm struct {
	Version  string          `json:"version"`
	Settings json.RawMessage `json:"settings"`
	Shard    Shard           `json:"shard"`
	Log      logForm         `json:"log"`
	Files    []resultForm    `json:"files"`
}

// logForm says of which files the whole log is: all shards must have seen the same.
type logForm struct {
	Files int    `json:"files"`
	Names digest `json:"names_sha256"` // of the names, a line each
}

func logFormOf(names []string) logForm {
	h := sha256.New()
	for _, name := range names {
		h.Write([]byte(name + "\n"))
	}
	form := logForm{Files: len(names)}
	h.Sum(form.Names[:0])
	return form
}

// RunShard measures the files of a shard. A shard without files is a shard like any other.
func RunShard(ctx context.Context, log Source, shard Shard, config *Config) (*Partial, error) {
	names := []string{}
	for _, f := range log.Files() {
		names = append(names, f.Name)
	}
	f := newFold(log, shard.filesOf(len(names)), config)
	f.shard = &shard
	if err := f.run(ctx); err != nil {
		return nil, err
	}
	return &Partial{Shard: shard, Files: f.finished, form: partialForm{
		Version: config.Version, Settings: config.Settings, Shard: shard, Log: logFormOf(names),
	}}, nil
}

// Tally counts what the shard read.
func (p *Partial) Tally() (t Tally) {
	for i := range p.Files {
		t.add(&p.Files[i].Tally)
	}
	return t
}

// Settings are the run's, as Config has them.
func (p *Partial) Settings() []byte { return p.form.Settings }

// Encode writes a partial file.
func (p *Partial) Encode() ([]byte, error) {
	form := p.form
	form.Files = []resultForm{}
	for i := range p.Files {
		r, err := formOfResult(&p.Files[i])
		if err != nil {
			return nil, err
		}
		form.Files = append(form.Files, r)
	}
	return seal(PartialSchema, form)
}

// ReadPartial reads a partial file but for the states, which it takes the run's parts to read: they follow from Settings.
// An error wraps ErrPartial.
func ReadPartial(data []byte, version string) (*Partial, error) {
	p := &Partial{}
	err := unseal(PartialSchema, data, &p.form)
	if err == nil {
		err = p.form.check(version)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPartial, err)
	}
	p.Shard = p.form.Shard
	return p, nil
}

func (f *partialForm) check(version string) error {
	s := f.Shard
	switch {
	case f.Version != version:
		return fmt.Errorf("version %.80q of the program wrote it, this is %q", f.Version, version)
	case s.Of < 1 || s.Of > MaxShards || s.Index < 0 || s.Index >= s.Of:
		return fmt.Errorf("shard %d of %d, expected 0 to n-1 of n, at most %d", s.Index, s.Of, MaxShards)
	case len(f.Files) != max(0, f.Log.Files-s.Index+s.Of-1)/s.Of:
		return fmt.Errorf("%d files in shard %d/%d of a log of %d", len(f.Files), s.Index, s.Of, f.Log.Files)
	}
	for i := range f.Files {
		name := f.Files[i].Name
		if name == "" || len(name) > maxFileName || !utf8.ValidString(name) {
			return fmt.Errorf("a file named %.80q, expected 1 to %d bytes of UTF-8", name, maxFileName)
		}
		if i > 0 && f.Files[i-1].Name >= name {
			return fmt.Errorf("file %.200q behind %.200q, expected names in their order", name, f.Files[i-1].Name)
		}
	}
	return nil
}

// filesOf are the files of all partials in the order of their names.
func filesOf(partials []*Partial) []*resultForm {
	files := []*resultForm{}
	for _, p := range partials {
		for i := range p.form.Files {
			files = append(files, &p.form.Files[i])
		}
	}
	slices.SortFunc(files, func(a, b *resultForm) int { return strings.Compare(a.Name, b.Name) })
	return files
}

// Merge puts the shards of one log together: the Outcome is to the last bit that of one run over all files. PartsOf gives
// the parts that follow from the settings, which are the same of all shards. An error wraps ErrPartial where the partials
// are to blame.
func Merge(partials []*Partial, partsOf func(settings []byte) ([]Part, error)) (*Outcome, error) {
	if err := complete(partials); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPartial, err)
	}
	parts, err := partsOf(partials[0].form.Settings)
	if err != nil {
		return nil, fmt.Errorf("%w: its settings: %w", ErrPartial, err)
	}
	files := filesOf(partials)
	if err := sameLog(files, partials[0].form.Log); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPartial, err)
	}
	whole, results := newState(parts), []FileResult{}
	for i := range files { // a state takes far more memory than its text: one at a time
		r, err := files[i].result(parts, true)
		if err == nil {
			err = whole.merge(r.state)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: file %.200q: %w", ErrPartial, files[i].Name, err)
		}
		r.state, files[i].State = nil, nil
		results = append(results, r)
	}
	return outcomeOf(results, whole), nil
}

// complete sees to it that the partials are all shards of one run.
func complete(partials []*Partial) error {
	if len(partials) == 0 {
		return errors.New("there is none")
	}
	first := &partials[0].form
	there := map[int]bool{}
	for _, p := range partials {
		f := &p.form
		switch {
		case f.Version != first.Version:
			return fmt.Errorf("versions %.80q and %.80q of the program", first.Version, f.Version)
		case string(f.Settings) != string(first.Settings):
			return fmt.Errorf("shard %d/%d was run with other options than shard %d/%d", f.Shard.Index, f.Shard.Of, first.Shard.Index, first.Shard.Of)
		case f.Shard.Of != first.Shard.Of:
			return fmt.Errorf("a shard of %d and one of %d", first.Shard.Of, f.Shard.Of)
		case f.Log != first.Log:
			return fmt.Errorf("shard %d/%d saw %d files and shard %d/%d %d, or others", f.Shard.Index, f.Shard.Of, f.Log.Files, first.Shard.Index, first.Shard.Of, first.Log.Files)
		case there[f.Shard.Index]:
			return fmt.Errorf("shard %d/%d is there twice", f.Shard.Index, f.Shard.Of)
		}
		there[f.Shard.Index] = true
	}
	for i := range first.Shard.Of {
		if !there[i] {
			return fmt.Errorf("shard %d/%d is not there, expected all %d", i, first.Shard.Of, first.Shard.Of)
		}
	}
	return nil
}

// sameLog sees to it that the files are those of the log, each once.
func sameLog(files []*resultForm, log logForm) error {
	names := make([]string, len(files))
	for i := range files {
		names[i] = files[i].Name
		if i > 0 && names[i] == names[i-1] {
			return fmt.Errorf("file %.200q is there twice", names[i])
		}
	}
	if logFormOf(names) != log {
		return errors.New("its files are not those that the shards saw")
	}
	return nil
}
