package wording

import (
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed templates/*.yaml
var templateFiles embed.FS

// DefaultTemplates holds the built-in sentences, one YAML file a concern.
func DefaultTemplates() fs.FS {
	sub, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		return templateFiles // cannot be: the folder is embedded; Compile then says that it is empty
	}
	return sub
}

// An Audience says who may read a sentence.
type Audience uint8

const (
	// Both customers and relationship managers.
	Both Audience = iota
	// Customer is the customer himself.
	Customer
	// Manager is the relationship manager, never the customer.
	Manager
)

// String is the name in the files: BOTH, CUSTOMER, MANAGER.
func (a Audience) String() string {
	switch a {
	case Customer:
		return "CUSTOMER"
	case Manager:
		return "MANAGER"
	default:
		return "BOTH"
	}
}

// May reports whether a reader of the given audience may see a sentence for a.
func (a Audience) May(reader Audience) bool { return a == Both || a == reader }

// A TemplateID names a template within one [Templates]. Zero is no template.
type TemplateID uint16

// Templates are the compiled sentences. They are immutable.
type Templates struct {
	list    []template // by id; list[0] is none
	byName  map[string]TemplateID
	names   []string // sorted
	version string
}

// A template is its segments in order.
type template struct {
	name     string
	audience Audience
	text     string
	segments []segment
}

// A segment is literal text, or a slot when slot is not empty.
type segment struct {
	literal string
	slot    string
	field   string // the evidence that fills the slot: its name in capitals
	kind    SlotType
}

// Errors of rendering.
var (
	// ErrTemplate: there is no such template.
	ErrTemplate = errors.New("wording: no such template")
	// ErrSlot: a slot has no value, or one of another type.
	ErrSlot = errors.New("wording: slot not filled")
)

// Limits of the files.
const (
	maxTemplates    = 4096
	maxTemplateText = 400
	maxFile         = 1 << 20
)

type templateFile struct {
	Templates []templateSource `yaml:"templates"`
}

type templateSource struct {
	ID       string `yaml:"id"`
	Audience string `yaml:"audience"`
	Text     string `yaml:"text"`
}

// Compile reads every *.yaml at the root of files. It is strict: an unknown key, a
// template that stands twice or in the file of another concern (its id starts with
// the file's name), an unknown slot type, a figure that was typed in, or a sentence
// that the linter flags is an error that names file and template.
func Compile(files fs.FS) (*Templates, error) {
	linter, err := NewLinter()
	if err != nil {
		return nil, err
	}
	return compile(linter, files)
}

func compile(linter *Linter, files fs.FS) (*Templates, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("wording: %w", err)
	}
	if len(names) == 0 {
		return nil, errors.New("wording: no template files (*.yaml)")
	}
	slices.Sort(names)
	t := &Templates{list: make([]template, 1), byName: map[string]TemplateID{}}
	for _, name := range names {
		if err := t.addFile(linter, files, name); err != nil {
			return nil, fmt.Errorf("wording: %s: %w", name, err)
		}
	}
	t.seal()
	return t, nil
}

// addFile compiles one file.
func (t *Templates) addFile(linter *Linter, files fs.FS, name string) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	if len(text) > maxFile {
		return fmt.Errorf("%d bytes; at most %d", len(text), maxFile)
	}
	var source templateFile
	if err := yaml.UnmarshalWithOptions(text, &source, yaml.Strict()); err != nil {
		return err
	}
	concern := strings.TrimSuffix(path.Base(name), ".yaml")
	for i := range source.Templates {
		s := &source.Templates[i]
		if err := t.add(linter, concern, s); err != nil {
			return fmt.Errorf("template %d (%q): %w", i+1, s.ID, err)
		}
	}
	return nil
}

// add compiles one template.
func (t *Templates) add(linter *Linter, concern string, s *templateSource) error {
	if !validName(s.ID) || !strings.HasPrefix(s.ID, concern+".") {
		return fmt.Errorf("id: want %s.NAME of letters, digits, points and underscores", concern)
	}
	if _, twice := t.byName[s.ID]; twice {
		return errors.New("id stands twice")
	}
	if len(t.list) > maxTemplates {
		return fmt.Errorf("more than %d templates", maxTemplates)
	}
	audience, ok := audienceOf(s.Audience)
	if !ok {
		return fmt.Errorf("audience %q: want CUSTOMER, MANAGER or BOTH", s.Audience)
	}
	segments, err := parse(s.Text)
	if err != nil {
		return err
	}
	next := template{name: s.ID, audience: audience, text: s.Text, segments: segments}
	sample, err := next.append(nil, next.samples())
	if err != nil {
		return err
	}
	if found := linter.Lint(string(sample), ProductTemplate); len(found) > 0 {
		f := found[0]
		return fmt.Errorf("rule %s: %q at %d-%d of %q: %s", f.Rule, f.Text, f.Start, f.End, sample, f.Why)
	}
	t.byName[s.ID] = TemplateID(len(t.list))
	t.list = append(t.list, next)
	return nil
}

func audienceOf(name string) (Audience, bool) {
	for _, a := range [...]Audience{Both, Customer, Manager} {
		if a.String() == name {
			return a, true
		}
	}
	return 0, false
}

// seal sorts the names and computes the version: a hash over what the sentences
// say, so that a comment or the order in a file does not change it.
func (t *Templates) seal() {
	for name := range t.byName {
		t.names = append(t.names, name)
	}
	slices.Sort(t.names)
	hash := sha256.New()
	var size [8]byte
	for _, name := range t.names {
		tp := &t.list[t.byName[name]]
		for _, field := range [...]string{tp.name, tp.audience.String(), tp.text} {
			binary.BigEndian.PutUint64(size[:], uint64(len(field)))
			hash.Write(size[:])
			hash.Write([]byte(field))
		}
	}
	t.version = hex.EncodeToString(hash.Sum(nil))
}

// Version is the SHA-256 of all sentences in hex, for the record of a decision.
func (t *Templates) Version() string { return t.version }

// Names returns the names of all templates, sorted. The slice is a copy.
func (t *Templates) Names() []string { return slices.Clone(t.names) }

// ID finds a template by its name.
func (t *Templates) ID(name string) (TemplateID, bool) {
	id, ok := t.byName[name]
	return id, ok
}

// Name returns the name of a template, "" when there is none.
func (t *Templates) Name(id TemplateID) string {
	if int(id) >= len(t.list) {
		return ""
	}
	return t.list[id].name
}

// Audience says who may read the template. Of an unknown id it is Manager, so that
// nothing reaches a customer by mistake.
func (t *Templates) Audience(id TemplateID) Audience {
	if id == 0 || int(id) >= len(t.list) {
		return Manager
	}
	return t.list[id].audience
}

// A Slot is a place in a template that a value fills.
type Slot struct {
	Name string
	Type SlotType
}

// Slots returns the slots of a template in the order of the text, each name once.
func (t *Templates) Slots(id TemplateID) []Slot {
	if int(id) >= len(t.list) {
		return nil
	}
	var out []Slot
	for _, s := range t.list[id].segments {
		slot := Slot{Name: s.slot, Type: s.kind}
		if s.slot != "" && !slices.Contains(out, slot) {
			out = append(out, slot)
		}
	}
	return out
}

// Append writes the sentence with its slots filled. Values may be more than the
// sentence needs; of two with one name the first counts. A slot without a value or
// with one of another type is [ErrSlot], a value that cannot be written [ErrValue],
// an unknown id [ErrTemplate]; dst then comes back as it was, never a sentence with
// a hole. Append allocates only when dst is too short or on an error.
func (t *Templates) Append(dst []byte, id TemplateID, values []Value) ([]byte, error) {
	if id == 0 || int(id) >= len(t.list) {
		return dst, fmt.Errorf("%w: %d", ErrTemplate, id)
	}
	return t.list[id].append(dst, values)
}

func (tp *template) append(dst []byte, values []Value) ([]byte, error) {
	out := dst
	for i := range tp.segments {
		s := &tp.segments[i]
		if s.slot == "" {
			out = append(out, s.literal...)
			continue
		}
		v := named(values, s.slot)
		if v == nil || v.Type != s.kind {
			return dst, tp.unfilled(s, v)
		}
		var err error
		if out, err = v.append(out); err != nil {
			return dst, fmt.Errorf("%s: %w", tp.name, err)
		}
	}
	return out, nil
}

func named(values []Value, name string) *Value {
	for i := range values {
		if values[i].Name == name {
			return &values[i]
		}
	}
	return nil
}

func (tp *template) unfilled(s *segment, v *Value) error {
	if v == nil {
		return fmt.Errorf("%w: %s: {%s:%s} has no value", ErrSlot, tp.name, s.slot, s.kind)
	}
	return fmt.Errorf("%w: %s: {%s:%s} was given %s", ErrSlot, tp.name, s.slot, s.kind, v.Type)
}
