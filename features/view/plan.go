package view

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/fundmatch/fundmatch/features"
)

// MaxColumns bounds the features of a plan.
const MaxColumns = 2_048

// Plan is a selection of features, ready to be read many times and by many at once.
type Plan struct {
	columns  []column
	refs     []Ref
	purposes []Purpose
	needs    features.HistoryQuery
	sources  sync.Pool // *source
}

// column is one feature of a plan.
type column struct {
	Ref
	kind   Type
	read   reader
	access Access // the feature's own
	span   Span
}

// ParseRef reads view.name: the first dot ends the view's name.
func ParseRef(s string) (Ref, error) {
	view, name, ok := strings.Cut(s, ".")
	if !ok || !validViewName(view) || name == "" || len(name) > features.MaxNameLength {
		return Ref{}, features.Invalid("feature", s, "view.feature")
	}
	return Ref{View: view, Name: name}, nil
}

// String returns view.name.
func (r Ref) String() string { return r.View + "." + r.Name }

// Plan selects features, in this order. One that is not known or comes twice is a
// *features.InvalidError.
func (c *Catalogue) Plan(refs []Ref) (*Plan, error) {
	if len(refs) == 0 || len(refs) > MaxColumns {
		return nil, refuse("features", len(refs), "1 to %d features", MaxColumns)
	}
	p := &Plan{
		purposes: c.Purposes(), refs: slices.Clone(refs),
		needs: features.HistoryQuery{
			Views:       []features.View{features.ConsentView, features.PersonalizationView},
			NoPurchases: true, NoEvents: true,
		},
	}
	p.sources.New = func() any { return new(source) }
	seen := make(map[Ref]bool, len(refs))
	for _, ref := range refs {
		if seen[ref] {
			return nil, features.Invalid("feature", ref.String(), "each feature once")
		}
		seen[ref] = true
		if err := p.add(c, ref); err != nil {
			return nil, err
		}
	}
	slices.Sort(p.needs.Views)
	return p, nil
}

func (p *Plan) add(c *Catalogue, ref Ref) error {
	e := c.entry(ref.View)
	if e == nil {
		return features.Invalid("view", ref.View, "one of "+strings.Join(c.names(), ", "))
	}
	f, read, ok := e.feature(ref.Name)
	if !ok {
		return features.Invalid("feature", ref.String(), "a feature of the view "+ref.View)
	}
	col := column{Ref: ref, kind: f.Type, read: read, access: e.Access, span: e.Span}
	col.access.Gate = e.Gate || f.Gate
	if f.Roles != nil {
		col.access.Roles = f.Roles
	}
	p.columns = append(p.columns, col)
	for _, v := range e.needs {
		if !slices.Contains(p.needs.Views, v) {
			p.needs.Views = append(p.needs.Views, v)
		}
	}
	if e.trail {
		p.needs.NoPurchases, p.needs.NoEvents = false, false
	}
	return nil
}

func (c *Catalogue) names() []string {
	names := make([]string, len(c.entries))
	for i := range c.entries {
		names[i] = c.entries[i].Name
	}
	return names
}

// PlanViews selects all declared features of views, in the catalogue's order within each;
// "view.feature" selects one, and is the only way to a name that an open view does not
// declare. What comes twice is a *features.InvalidError.
func (c *Catalogue) PlanViews(names []string) (*Plan, error) {
	var refs []Ref
	for _, name := range names {
		if strings.Contains(name, ".") {
			ref, err := ParseRef(name)
			if err != nil {
				return nil, err
			}
			refs = append(refs, ref)
			continue
		}
		e := c.entry(name)
		if e == nil {
			return nil, features.Invalid("view", name, "one of "+strings.Join(c.names(), ", "))
		}
		if len(e.Features) == 0 {
			return nil, features.Invalid("view", name, fmt.Sprintf("%s.NAME: it declares no features of its own", name))
		}
		for i := range e.Features {
			refs = append(refs, Ref{View: name, Name: e.Features[i].Name})
		}
	}
	return c.Plan(refs)
}

// Columns returns the features in the order of the cells that Read appends.
func (p *Plan) Columns() []Ref { return slices.Clone(p.refs) }

// Types returns the types of the columns, in their order.
func (p *Plan) Types() []Type {
	types := make([]Type, len(p.columns))
	for i := range p.columns {
		types[i] = p.columns[i].kind
	}
	return types
}

// Needs says which parts of a history the features are read from, consents and the switch
// of personalisation included. Customers are the caller's to name.
func (p *Plan) Needs() features.HistoryQuery {
	q := p.needs
	q.Views = slices.Clone(q.Views)
	return q
}
