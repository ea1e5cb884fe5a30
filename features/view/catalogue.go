package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The limits of a catalogue.
const (
	MaxViews    = 256
	MaxFeatures = fund.MaxFeatures // of one view
	MaxPurposes = 64
	MaxText     = 256                        // bytes of an owner, a version, a line of documentation
	MaxSpan     = 100 * 365 * 24 * time.Hour // read age, look-back, retention
)

// Catalogue is a checked set of views and purposes: the built-in ones and the bank's own. It
// never changes.
type Catalogue struct {
	entries  []entry
	purposes []Purpose
}

// Default returns the built-in views and purposes.
func Default() *Catalogue {
	return &Catalogue{entries: builtinViews(), purposes: builtinPurposes()}
}

// Extend returns the built-in catalogue with a bank's purposes and views. A view of the name
// of a built-in one refines that: its owner, its purposes, more consents, fewer roles, its
// spans where the profile keeps its times, and the named features of tag and attribute.
// A view's purposes must be declared. The error is a *features.InvalidError that names the
// place: views[0].features[2].type.
func Extend(purposes []Purpose, views []View) (*Catalogue, error) {
	c := Default()
	if err := c.addPurposes(purposes); err != nil {
		return nil, err
	}
	if len(views) > MaxViews {
		return nil, refuse("views", len(views), "at most %d views", MaxViews)
	}
	seen := map[string]bool{}
	for i := range views {
		v, place := views[i], fmt.Sprintf("views[%d]", i)
		if seen[v.Name] {
			return nil, refuse(place+".name", v.Name, "each view once")
		}
		seen[v.Name] = true
		if err := c.addView(place, &v); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func refuse(place string, value any, expected string, args ...any) error {
	return features.Invalid(place, fmt.Sprint(value), fmt.Sprintf(expected, args...))
}

func (c *Catalogue) addPurposes(purposes []Purpose) error {
	if len(purposes) > MaxPurposes {
		return refuse("purposes", len(purposes), "at most %d purposes", MaxPurposes)
	}
	for i, p := range purposes {
		place := fmt.Sprintf("purposes[%d]", i)
		if fund.CheckID(p.Name) != nil {
			return refuse(place+".name", p.Name, "1 to %d of 0-9 A-Z a-z . _ -", fund.MaxIDLength)
		}
		if c.hasPurpose(p.Name) {
			return refuse(place+".name", p.Name, "a name that no other purpose has, built-in ones included")
		}
		if p.Kind < Personalizing || p.Kind > NonPersonal {
			return refuse(place+".kind", p.Kind, "one of %s", strings.Join(kindNames[1:], ", "))
		}
		if len(p.Doc) > MaxText {
			return refuse(place+".doc", p.Doc, "at most %d bytes", MaxText)
		}
		c.purposes = append(c.purposes, p)
	}
	return nil
}

// addView checks a view of the bank and adds it, or refines the built-in one of its name.
func (c *Catalogue) addView(place string, v *View) error {
	if v.Derived || v.Gate || slices.ContainsFunc(v.Features, func(f Feature) bool { return f.Gate }) {
		return refuse(place+".gate", true, "no view of a bank is derived or read by the gate")
	}
	if len(v.Owner) > MaxText || len(v.Version) > MaxText || len(v.Doc) > MaxText {
		return refuse(place, v.Name, "owner, version and doc of at most %d bytes", MaxText)
	}
	if err := c.checkAccess(place, &v.Access); err != nil {
		return err
	}
	if err := checkSpan(place, v.Span); err != nil {
		return err
	}
	if i := slices.IndexFunc(c.entries, func(e entry) bool { return e.Name == v.Name && e.own }); i >= 0 {
		return c.entries[i].refine(place, v)
	}
	if err := checkOwn(place, v); err != nil {
		return err
	}
	c.entries = append(c.entries, entry{View: cloneView(v), needs: []features.View{features.View(v.Name)}, timed: true, named: featureOf, parse: ParseValue})
	return nil
}

// checkOwn checks what a bank says of a view of its own.
func checkOwn(place string, v *View) error {
	switch {
	case !validViewName(v.Name) || features.View(v.Name).BuiltIn():
		return refuse(place+".name", v.Name, "1 to %d of 0-9 A-Z a-z _ - and no name of the profile's own cells", fund.MaxIDLength)
	case v.Owner == "":
		return refuse(place+".owner", v.Owner, "who answers for it, 1 to %d bytes", MaxText)
	case v.Version == "":
		return refuse(place+".version", v.Version, "the version of the definition, 1 to %d bytes", MaxText)
	case v.Open > List:
		return refuse(place+".open", v.Open, "one of %s", strings.Join(typeNames[1:], ", "))
	case len(v.Features) == 0 && v.Open == 0:
		return refuse(place+".features", "none", "1 to %d features, or the type of open ones", MaxFeatures)
	}
	return checkFeatures(place, v.Features, func(name string) bool { return fund.CheckID(name) == nil })
}

// refine lets a bank say more about a built-in view, and never less.
func (e *entry) refine(place string, v *View) error {
	purposes := e.Purposes
	if v.Purposes != nil {
		purposes = v.Purposes
	}
	if err := e.checkRefined(place, v, purposes); err != nil {
		return err
	}
	more := cloneView(v)
	e.Owner = cmp.Or(more.Owner, e.Owner)
	e.Span, e.Features, e.Purposes = more.Span, append(e.Features, more.Features...), slices.Clone(purposes)
	if more.NeedsConsent != nil {
		e.NeedsConsent = more.NeedsConsent
	}
	if more.Roles != nil {
		e.Roles = more.Roles
	}
	return nil
}

func (e *entry) checkRefined(place string, v *View, purposes []string) error {
	switch {
	case v.Version != "" || v.Doc != "" || v.Open != 0:
		return refuse(place, v.Name, "owner, purposes, needs_consent, roles, max_age, look_back, retention and features: the rest is built in")
	case len(v.Features) > 0 && e.Open != String:
		return refuse(place+".features", v.Name, "features of tag or attribute: those of %s are built in", v.Name)
	case v.Span != Span{} && !e.timed:
		return refuse(place+".max_age", v.Name, "no bounds of age: a profile keeps no event times of %s", v.Name)
	}
	for _, r := range v.Roles {
		if !slices.Contains(e.Roles, r) {
			return refuse(place+".roles", r, "roles among %v", e.Roles)
		}
	}
	for _, needed := range e.NeedsConsent {
		if v.NeedsConsent != nil && slices.Contains(purposes, needed) && !slices.Contains(v.NeedsConsent, needed) {
			return refuse(place+".needs_consent", v.NeedsConsent, "%s among them", needed)
		}
	}
	return checkFeatures(place, v.Features, func(name string) bool {
		return name != "" && len(name) <= features.MaxNameLength && utf8.ValidString(name)
	})
}

func (c *Catalogue) checkAccess(place string, a *Access) error {
	for i, name := range a.Purposes {
		if !c.hasPurpose(name) {
			return refuse(fmt.Sprintf("%s.purposes[%d]", place, i), name, "a purpose that is declared")
		}
		if slices.Contains(a.Purposes[:i], name) {
			return refuse(fmt.Sprintf("%s.purposes[%d]", place, i), name, "each purpose once")
		}
	}
	for i, name := range a.NeedsConsent {
		if !c.hasPurpose(name) || a.Purposes != nil && !slices.Contains(a.Purposes, name) {
			return refuse(fmt.Sprintf("%s.needs_consent[%d]", place, i), name, "one of the view's purposes")
		}
	}
	for i, r := range a.Roles {
		if r < Manager || r > Auditor || slices.Contains(a.Roles[:i], r) {
			return refuse(fmt.Sprintf("%s.roles[%d]", place, i), r, "each of %s at most once", strings.Join(roleNames[1:], ", "))
		}
	}
	return nil
}

// checkSpan accepts spans that leave each other something to say.
func checkSpan(place string, s Span) error {
	last, lastName := time.Duration(0), ""
	for _, x := range [...]struct {
		name string
		d    time.Duration
	}{{"max_age", s.MaxAge}, {"look_back", s.LookBack}, {"retention", s.Retention}} {
		switch {
		case x.d == 0:
			continue
		case x.d < time.Second || x.d > MaxSpan || x.d%time.Microsecond != 0:
			return refuse(place+"."+x.name, x.d, "1s to %dd", MaxSpan/(24*time.Hour))
		case x.d < last:
			return refuse(place+"."+x.name, x.d, "not below %s", lastName)
		}
		last, lastName = x.d, x.name
	}
	return nil
}

func checkFeatures(place string, list []Feature, nameOK func(string) bool) error {
	if len(list) > MaxFeatures {
		return refuse(place+".features", len(list), "at most %d features", MaxFeatures)
	}
	seen := map[string]bool{}
	for i, f := range list {
		at := fmt.Sprintf("%s.features[%d]", place, i)
		switch {
		case !nameOK(f.Name):
			return refuse(at+".name", f.Name, "1 to %d of 0-9 A-Z a-z . _ -, or a tag's name", fund.MaxIDLength)
		case seen[f.Name]:
			return refuse(at+".name", f.Name, "each feature once")
		case f.Type < Int || f.Type > List:
			return refuse(at+".type", f.Type, "one of %s", strings.Join(typeNames[1:], ", "))
		case len(f.Doc) > MaxText:
			return refuse(at+".doc", f.Doc, "at most %d bytes", MaxText)
		}
		for j, r := range f.Roles {
			if r < Manager || r > Auditor {
				return refuse(fmt.Sprintf("%s.roles[%d]", at, j), r, "one of %s", strings.Join(roleNames[1:], ", "))
			}
		}
		seen[f.Name] = true
	}
	return nil
}

// validViewName accepts ids without a dot: the first dot of a Ref ends the view's name.
func validViewName(s string) bool { return fund.CheckID(s) == nil && !strings.Contains(s, ".") }

func cloneView(v *View) View {
	out := *v
	out.Purposes, out.NeedsConsent, out.Roles = slices.Clone(v.Purposes), slices.Clone(v.NeedsConsent), slices.Clone(v.Roles)
	out.Features = slices.Clone(v.Features)
	for i := range out.Features {
		out.Features[i].Roles = slices.Clone(out.Features[i].Roles)
	}
	return out
}

// Views returns the views, the built-in ones first, then the bank's in their order.
func (c *Catalogue) Views() []View {
	out := make([]View, len(c.entries))
	for i := range c.entries {
		out[i] = cloneView(&c.entries[i].View)
	}
	return out
}

// View finds a view by its name.
func (c *Catalogue) View(name string) (View, bool) {
	e := c.entry(name)
	if e == nil {
		return View{}, false
	}
	return cloneView(&e.View), true
}

// Version returns the version of a view's definition; empty: there is no such view.
func (c *Catalogue) Version(view string) string {
	if e := c.entry(view); e != nil {
		return e.Version
	}
	return ""
}

// Purposes returns the purposes, the built-in ones first.
func (c *Catalogue) Purposes() []Purpose { return slices.Clone(c.purposes) }

func (c *Catalogue) entry(name string) *entry {
	for i := range c.entries {
		if c.entries[i].Name == name {
			return &c.entries[i]
		}
	}
	return nil
}

func (c *Catalogue) hasPurpose(name string) bool {
	return slices.ContainsFunc(c.purposes, func(p Purpose) bool { return p.Name == name })
}

// feature finds a feature that is declared, or one of an open view's.
func (e *entry) feature(name string) (Feature, reader, bool) {
	for i := range e.Features {
		if e.Features[i].Name != name {
			continue
		}
		if i < len(e.read) {
			return e.Features[i], e.read[i], true
		}
		return e.Features[i], e.byName(name, e.Features[i].Type), true
	}
	if e.Open == 0 || name == "" || len(name) > features.MaxNameLength || !utf8.ValidString(name) {
		return Feature{}, nil, false
	}
	return Feature{Name: name, Type: e.Open}, e.byName(name, e.Open), true
}

// byName reads what is found by name. A value that is none of the feature's type is not the
// feature: it was written under another definition.
func (e *entry) byName(name string, t Type) reader {
	ref, named, parse := Ref{View: e.Name, Name: name}, e.named, e.parse
	if parse == nil {
		return func(s *source) finding { return named(s, ref) }
	}
	return func(s *source) finding {
		f := named(s, ref)
		if f.state != there {
			return f
		}
		v, err := parse(t, f.value.Text)
		if err != nil {
			return finding{}
		}
		f.value = v
		return f
	}
}

// CheckCell reports whether a store may be given the cell: its view and feature are known,
// and its value is one of the feature's type. What the store itself checks of its own views
// it goes on checking. The error is a *features.InvalidError.
func (c *Catalogue) CheckCell(cell *features.Cell) error {
	name := string(cell.View)
	switch cell.View { //nolint:exhaustive // the others are views of the catalogue
	case features.LotView, features.HoldingsView:
		return nil // holdings are derived of them
	case features.PersonView, features.AssessmentView, features.NeedsView, features.PersonalizationView, features.ConsentView:
		return nil // their names and values are the store's to check
	}
	e := c.entry(name)
	if e == nil {
		return features.Invalid("view", name, "a view of the catalogue")
	}
	if e.Derived {
		return features.Invalid("view", name, "a view that is written: this one is derived")
	}
	f, _, ok := e.feature(cell.Name)
	if !ok {
		return features.Invalid("feature", cell.Name, "a feature of the view "+name)
	}
	plain := cell.View.BuiltIn()
	if !plain && cell.Purpose != "" && !slices.Contains(e.Purposes, cell.Purpose) {
		return features.Invalid("purpose", cell.Purpose, "a purpose of the view "+name)
	}
	if cell.Tombstone || !plain && cell.Value == "null" {
		return nil
	}
	if plain {
		_, err := parseText(f.Type, cell.Value)
		return err
	}
	_, err := ParseValue(f.Type, cell.Value)
	return err
}
