package view

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/strictyaml"
)

// MaxCatalogueBytes is the size of the largest text of a catalogue that is read.
const MaxCatalogueBytes = 256 << 10

// CatalogueSchema names the form of a catalogue's text.
const CatalogueSchema = "fundmatch.views/v1"

type catalogueFile struct {
	Schema   string        `yaml:"schema"`
	Purposes []purposeFile `yaml:"purposes"`
	Views    []viewFile    `yaml:"views"`
}

type purposeFile struct {
	Name string `yaml:"name"`
	Kind string `yaml:"kind"`
	Doc  string `yaml:"doc"`
}

type viewFile struct {
	Name     string        `yaml:"name"`
	Doc      string        `yaml:"doc"`
	Owner    string        `yaml:"owner"`
	Version  string        `yaml:"version"`
	Open     string        `yaml:"open"`
	Personal *bool         `yaml:"personal"`
	Access   accessFile    `yaml:",inline"`
	Span     spanFile      `yaml:",inline"`
	Features []featureFile `yaml:"features"`
}

type accessFile struct {
	Purposes     []string `yaml:"purposes"`
	NeedsConsent []string `yaml:"needs_consent"`
	Roles        []string `yaml:"roles"`
}

type spanFile struct {
	MaxAge    string `yaml:"max_age"`
	LookBack  string `yaml:"look_back"`
	Retention string `yaml:"retention"`
}

type featureFile struct {
	Name  string   `yaml:"name"`
	Type  string   `yaml:"type"`
	Doc   string   `yaml:"doc"`
	Roles []string `yaml:"roles"`
}

// Parse reads a bank's catalogue over the built-in one, as Extend does, from YAML and
// strictly: an unknown key, anchors, several documents and every value that is out of its
// bounds are errors. A view that does not say so is personal. The error is a
// *features.InvalidError whose field names line and place: line 12, views[2].max_age.
func Parse(data []byte) (*Catalogue, error) {
	form := strictyaml.Form{
		Limits: strictyaml.Limits{Bytes: MaxCatalogueBytes, Line: 1024, Depth: 8, Marks: 64},
		Keys: "{schema, purposes: [{name, kind, doc}], views: [{name, doc, owner, version, open, personal, " +
			"purposes, needs_consent, roles, max_age, look_back, retention, features: [{name, type, doc, roles}]}]}",
		Refuse: func(place, value, expected string) error { return features.Invalid(place, value, expected) },
	}
	document, err := form.Parse(data)
	if err != nil {
		return nil, err
	}
	c, err := read(document)
	return c, located(err, document)
}

func read(document *strictyaml.Document) (*Catalogue, error) {
	var file catalogueFile
	if err := document.Decode(&file); err != nil {
		return nil, err
	}
	if file.Schema != CatalogueSchema {
		return nil, features.Invalid("schema", file.Schema, CatalogueSchema)
	}
	purposes := make([]Purpose, len(file.Purposes))
	for i, p := range file.Purposes {
		kind, err := ParseKind(p.Kind)
		if err != nil {
			return nil, within(fmt.Sprintf("purposes[%d].kind", i), err)
		}
		purposes[i] = Purpose{Name: p.Name, Kind: kind, Doc: p.Doc}
	}
	views := make([]View, len(file.Views))
	for i := range file.Views {
		v, err := file.Views[i].view(fmt.Sprintf("views[%d]", i))
		if err != nil {
			return nil, err
		}
		views[i] = v
	}
	return Extend(purposes, views)
}

// view reads what a file says of a view.
func (f *viewFile) view(place string) (View, error) {
	v := View{Definition: Definition{Name: f.Name, Doc: f.Doc, Owner: f.Owner, Version: f.Version}}
	v.Personal = f.Personal == nil || *f.Personal
	v.Purposes, v.NeedsConsent = f.Access.Purposes, f.Access.NeedsConsent
	var err error
	if v.Roles, err = parseRoles(place, f.Access.Roles); err != nil {
		return v, err
	}
	if f.Open != "" {
		if v.Open, err = ParseType(f.Open); err != nil {
			return v, within(place+".open", err)
		}
	}
	for _, x := range [...]struct {
		name, text string
		to         *time.Duration
	}{{"max_age", f.Span.MaxAge, &v.MaxAge}, {"look_back", f.Span.LookBack, &v.LookBack}, {"retention", f.Span.Retention, &v.Retention}} {
		if *x.to, err = parseSpan(x.text); err != nil {
			return v, within(place+"."+x.name, err)
		}
	}
	for i, g := range f.Features {
		at := fmt.Sprintf("%s.features[%d]", place, i)
		kind, err := ParseType(g.Type)
		if err != nil {
			return v, within(at+".type", err)
		}
		roles, err := parseRoles(at, g.Roles)
		if err != nil {
			return v, err
		}
		v.Features = append(v.Features, Feature{Name: g.Name, Type: kind, Doc: g.Doc, Roles: roles})
	}
	return v, nil
}

func parseRoles(place string, names []string) ([]Role, error) {
	if names == nil {
		return nil, nil
	}
	roles := make([]Role, len(names))
	for i, name := range names {
		r, err := parseName[Role](roleNames[:], int(Manager), name, "role")
		if err != nil {
			return nil, within(fmt.Sprintf("%s.roles[%d]", place, i), err)
		}
		roles[i] = r
	}
	return roles, nil
}

// parseSpan reads a whole number of days, hours, minutes or seconds: 30d, 12h. Empty: no bound.
func parseSpan(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	units := map[byte]time.Duration{'d': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute, 's': time.Second}
	unit := units[s[len(s)-1]]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	if err != nil || unit == 0 || n == 0 || n > uint64(MaxSpan/unit) {
		return 0, features.Invalid("span", s, fmt.Sprintf("a number and one of d h m s, such as 30d, at most %dd", MaxSpan/(24*time.Hour)))
	}
	return time.Duration(n) * unit, nil
}

// within names the place of a value that was refused.
func within(place string, err error) error {
	if refused := (*features.InvalidError)(nil); errors.As(err, &refused) {
		return features.Invalid(place, refused.Value, refused.Expected)
	}
	return err
}

// located puts the line of the place before it: of the value, or of what it should stand in.
func located(err error, document *strictyaml.Document) error {
	refused := (*features.InvalidError)(nil)
	if !errors.As(err, &refused) {
		return err
	}
	line, ok := document.Line(refused.Field)
	if !ok {
		return err
	}
	return features.Invalid(fmt.Sprintf("line %d, %s", line, refused.Field), refused.Value, refused.Expected)
}
