package view

import (
	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Plan is a selection of features, ready to be read many times and by many at once.
type Plan struct {
	catalogue *Catalogue
	refs      []Ref
}

// ParseRef reads view.name.
func ParseRef(s string) (Ref, error) { return Ref{}, nil }

// String returns view.name.
func (r Ref) String() string { return r.View + "." + r.Name }

// Plan selects features, in this order.
func (c *Catalogue) Plan(refs []Ref) (*Plan, error) { return nil, nil }

// PlanViews selects all declared features of views, in the catalogue's order within each;
// "view.feature" selects one.
func (c *Catalogue) PlanViews(names []string) (*Plan, error) { return nil, nil }

// Columns returns the features in the order of the cells that Read appends.
func (p *Plan) Columns() []Ref { return nil }

// Types returns the types of the columns, in their order.
func (p *Plan) Types() []Type { return nil }

// Needs says which parts of a history the features are read from, consents and the switch
// of personalisation included. Customers are the caller's to name.
func (p *Plan) Needs() features.HistoryQuery { return features.HistoryQuery{} }

// Read appends one cell for each column, read off a profile of the request's instant. nil: a
// customer who is not known.
func (p *Plan) Read(profile *fund.Profile, r *Request, dst []Cell) []Cell { return dst }
