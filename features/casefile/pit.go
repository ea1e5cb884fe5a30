package casefile

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// table is a view of a case and its rows in the order of their arrival.
type table struct {
	Name     string     `json:"name"`
	Features []string   `json:"features"`
	TTL      span       `json:"ttl_seconds"`
	Rows     []tableRow `json:"rows"`
}

type tableRow struct {
	Entity entity                     `json:"entity"`
	Event  moment                     `json:"event_ts"`
	Known  moment                     `json:"known_ts"`
	To     ending                     `json:"valid_to"`
	Delete bool                       `json:"delete"` // of all features of the view
	Values map[string]json.RawMessage `json:"values"` // what a row leaves out it says nothing about
}

// request asks for one row of an answer.
type request struct {
	RowID  label  `json:"row_id"`
	Entity entity `json:"entity"`
	AsOf   moment `json:"as_of"`
}

func (r *request) check() error {
	if len(r.RowID) == 0 || r.Entity == "" || !r.AsOf.given {
		return unsupported("a request without row_id, entity or as_of")
	}
	return nil
}

// take declares the tables and takes their rows.
func (b *bank) take(tables []table) error {
	for i := range tables {
		t := &tables[i]
		if t.Name == "" || len(t.Features) == 0 {
			return unsupported("views[%d] without a name or features", i)
		}
		if err := b.declare(t.Name, t.Features, t.TTL, view.Access{}); err != nil {
			return err
		}
	}
	for i := range tables {
		for j := range tables[i].Rows {
			if err := b.takeRow(&tables[i], &tables[i].Rows[j]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bank) takeRow(t *table, r *tableRow) error {
	if r.Delete && len(r.Values) > 0 || !r.Delete && r.Values == nil {
		return unsupported("a row of %s, expected either values or a delete", t.Name)
	}
	for name := range r.Values {
		if !slices.Contains(t.Features, name) {
			return unsupported("a value of %s.%s, which the view does not declare", t.Name, name)
		}
	}
	for _, name := range t.Features {
		value, said := r.Values[name]
		if !said && !r.Delete {
			continue
		}
		l := line{of: r.Entity, feature: key{t.Name, name}, value: value, gone: r.Delete, event: r.Event, known: r.Known, to: r.To.moment}
		if err := b.add(&l); err != nil {
			return err
		}
	}
	return nil
}

// inclusive reads the bound of a read: is what lies at the very instant part of it?
func inclusive(bound string, absent bool) (bool, error) {
	switch bound {
	case "":
		return absent, nil
	case "inclusive", "exclusive":
		return bound == "inclusive", nil
	}
	return false, unsupported("params.bound %q, expected inclusive or exclusive", bound)
}

// pitJoin answers each request with the newest values at or before its instant. Without a
// cutoff all that is known today counts, also of known times that are not given.
func pitJoin(ctx context.Context, c *Case, t *trial) ([]row, error) {
	var params struct {
		Cutoff bool   `json:"known_cutoff"`
		Bound  string `json:"bound"`
	}
	var input struct {
		Views    []table   `json:"views"`
		Requests []request `json:"requests"`
	}
	if err := firstOf(decode("params", c.Params, &params), decode("input", c.Input, &input)); err != nil {
		return nil, err
	}
	closed, err := inclusive(params.Bound, true)
	if err != nil {
		return nil, err
	}
	b := newBank()
	if err := b.take(input.Views); err != nil {
		return nil, err
	}
	past := func(at fund.Instant) features.AsOf {
		if !closed {
			at-- // an instant is a whole microsecond: this is all that lies before it
		}
		if !params.Cutoff {
			return features.AsOf{At: at, Known: fund.Forever}
		}
		return features.AsOf{At: at, Known: at, KnownOnly: true}
	}
	var rows []row
	err = t.within(ctx, func(s Store, prefix string) error {
		reader, err := b.opened(ctx, s, prefix, b.order)
		if err != nil {
			return err
		}
		for i := range input.Requests {
			r := &input.Requests[i]
			if err := r.check(); err != nil {
				return err
			}
			p, err := asOf(ctx, s, reader.id(r.Entity), past(r.AsOf.at))
			if err != nil {
				return err
			}
			values, statuses := reader.read(p, &view.Request{At: r.AsOf.at})
			rows = append(rows, row{
				name: show(r.RowID), fields: map[string]any{"row_id": tree(r.RowID), "values": values},
				may: map[string]any{"statuses": statuses},
			})
		}
		return nil
	})
	return rows, err
}

// firstOf returns the first error.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// reader reads the features of a case out of profiles.
type reader struct {
	bank   *bank
	prefix string
	plan   *view.Plan
	keys   []key
}

// opened imports all lines of a case and returns how its features are read.
func (b *bank) opened(ctx context.Context, s Store, prefix string, keys []key) (*reader, error) {
	if err := b.load(ctx, s, prefix, b.rows); err != nil {
		return nil, err
	}
	return b.reader(prefix, keys)
}

func (b *bank) reader(prefix string, keys []key) (*reader, error) {
	catalogue, err := b.catalogue()
	if err != nil {
		return nil, err
	}
	refs := make([]view.Ref, len(keys))
	for i, k := range keys {
		ref, ok := b.refs[k]
		if !ok {
			return nil, unsupported("feature %s, which no view has", k)
		}
		refs[i] = ref
	}
	plan, err := catalogue.Plan(refs)
	return &reader{b, prefix, plan, keys}, err
}

// id is the customer that an entity is; one of whom nothing was written is nobody's.
func (r *reader) id(e entity) string {
	if id, ok := r.bank.customers[e]; ok {
		return r.prefix + id
	}
	return r.prefix + "nobody"
}

// read returns the values and the statuses of all features, by their names in the case.
func (r *reader) read(p *fund.Profile, q *view.Request) (values, statuses map[string]any) {
	values, statuses = map[string]any{}, map[string]any{}
	cells := r.plan.Read(p, q, nil)
	for i := range cells {
		name := r.keys[i].String()
		values[name], statuses[name] = r.bank.found(&cells[i]), cells[i].Status.String()
	}
	return values, statuses
}

// String returns view.feature, or the feature alone where the case knows no views.
func (k key) String() string {
	if k.view == "" {
		return k.feature
	}
	return k.view + "." + k.feature
}
