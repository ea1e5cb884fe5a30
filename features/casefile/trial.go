package casefile

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// trial gives the batches of one case their stores.
type trial struct {
	prefix string // of the names of all that the case writes
	open   Open
	opened int
}

// within runs f with a store and a name that nothing else has.
func (t *trial) within(ctx context.Context, f func(s Store, prefix string) error) error {
	s, done, err := t.open(ctx)
	if err != nil {
		return err
	}
	t.opened++
	return errors.Join(f(s, t.prefix+strconv.Itoa(t.opened)+"."), done())
}

// key names a feature in the words of the case.
type key struct{ view, feature string }

// bank is what a case gives, under names of this package: a case may call a view "holdings",
// which is one of the profile's own, and a customer whatever it likes.
type bank struct {
	refs      map[key]view.Ref
	order     []key
	views     []view.View
	purposes  []view.Purpose
	customers map[entity]string
	rows      []features.Cell // of the bank's own views, in the order of arrival
	newest    fund.Instant
	types     map[view.Ref]view.Type
	forms     map[view.Ref]form
}

func newBank() *bank {
	return &bank{
		refs: map[key]view.Ref{}, customers: map[entity]string{},
		types: map[view.Ref]view.Type{}, forms: map[view.Ref]form{},
	}
}

// declare makes a view of the case one of the bank's own.
func (b *bank) declare(name string, names []string, age span, access view.Access) error {
	v := view.View{
		Definition: view.Definition{Name: "case-" + strconv.Itoa(len(b.views)), Owner: "case file", Version: "1"},
		Access:     access, Span: view.Span{MaxAge: age.length},
	}
	for i, feature := range names {
		k := key{name, feature}
		if _, twice := b.refs[k]; twice {
			return unsupported("feature %s.%s is declared twice", name, feature)
		}
		f := view.Feature{Name: "f" + strconv.Itoa(i)}
		v.Features = append(v.Features, f)
		b.refs[k] = view.Ref{View: v.Name, Name: f.Name}
		b.order = append(b.order, k)
	}
	if len(names) > 0 {
		b.views = append(b.views, v)
	}
	return nil
}

// line is one value of one feature as it arrives. No value at all is a removal.
type line struct {
	of      entity
	feature key
	value   json.RawMessage
	gone    bool
	event   moment
	known   moment
	to      moment // end of validity
}

// add takes a line. The order of lines is that of their arrival, and decides between equal
// times.
func (b *bank) add(l *line) error {
	ref, ok := b.refs[l.feature]
	switch {
	case !ok:
		return unsupported("feature %s.%s, which no view has", l.feature.view, l.feature.feature)
	case !l.event.given:
		return unsupported("a row of %s without its event time", show(json.RawMessage(l.feature.view)))
	case l.of == "":
		return unsupported("a row without its entity")
	case !l.gone && len(l.value) == 0:
		return unsupported("a row of %s.%s without a value", l.feature.view, l.feature.feature)
	}
	c := features.Cell{
		CustomerID: b.customer(l.of), View: features.View(ref.View), Name: ref.Name, EventAt: l.event.at, KnownAt: l.known.at, ValidTo: l.to.at,
		Tombstone: l.gone, SourceSeq: uint64(len(b.rows) + 1),
	}
	if !l.gone {
		text, err := b.stored(ref, l.value)
		if err != nil {
			return unsupported("%s.%s: %v", l.feature.view, l.feature.feature, err)
		}
		c.Value = text
	}
	b.rows = append(b.rows, c)
	b.saw(l.event, l.known)
	return nil
}

// customer names an entity of the case; its id lacks the prefix.
func (b *bank) customer(e entity) string {
	id, ok := b.customers[e]
	if !ok {
		id = strconv.Itoa(len(b.customers))
		b.customers[e] = id
	}
	return id
}

// saw remembers the newest instant of the case: nothing is recorded before it is true.
func (b *bank) saw(moments ...moment) {
	for _, m := range moments {
		b.newest = max(b.newest, m.at)
	}
}

// catalogue returns the views, each feature with the type of its values.
func (b *bank) catalogue() (*view.Catalogue, error) {
	for i := range b.views {
		v := &b.views[i]
		for j := range v.Features {
			v.Features[j].Type = b.types[view.Ref{View: v.Name, Name: v.Features[j].Name}]
			if v.Features[j].Type == 0 {
				v.Features[j].Type = view.String // of no value, or of null alone
			}
		}
	}
	return view.Extend(b.purposes, b.views)
}

// under returns cells under the names of one batch.
func under(prefix string, cells []features.Cell) []features.Cell {
	out := slices.Clone(cells)
	for i := range out {
		out[i].CustomerID = prefix + out[i].CustomerID
	}
	return out
}

// load imports cells, as a bank's nightly file would.
func (b *bank) load(ctx context.Context, s Store, prefix string, cells []features.Cell) error {
	if len(cells) > features.MaxSourceSeq {
		return unsupported("%d values, expected at most %d", len(cells), features.MaxSourceSeq)
	}
	named := under(prefix, cells)
	_, err := s.Import(ctx, max(b.newest, 1), func(into features.Batch) error { return into.Cells(named) })
	return err
}

// meet makes the entities known without saying anything about them.
func (b *bank) meet(ctx context.Context, s Store, prefix string) error {
	cells := make([]features.Cell, 0, len(b.customers))
	for _, id := range b.customers {
		cells = append(cells, features.Cell{CustomerID: id, View: features.AttributeView, Name: "case", Value: "1"})
	}
	slices.SortFunc(cells, func(x, y features.Cell) int { return strings.Compare(x.CustomerID, y.CustomerID) })
	return b.load(ctx, s, prefix, cells)
}

// write records cells as a service would: customer by customer in the order of arrival.
func (b *bank) write(ctx context.Context, s Store, prefix string, cells []features.Cell) error {
	for _, c := range under(prefix, cells) {
		w := features.Write{CustomerID: c.CustomerID, Cells: []features.Cell{c}, RecordedAt: max(b.newest, 1)}
		if _, err := s.Write(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// online reads the profile of an instant as a service would; nil: the store knows nobody of
// that name. It is read a second time from the history: both have to say the same.
func online(ctx context.Context, s Store, id string, at fund.Instant) (*fund.Profile, error) {
	p, err := s.Profile(ctx, id, at)
	if errors.Is(err, features.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	folded, err := asOf(ctx, s, id, features.AsKnown(at))
	if err == nil && folded == nil {
		err = &differsError{"a profile without a history"}
	}
	if err == nil && !sameProfile(p, folded) {
		err = &differsError{"the profile at " + at.String() + " is not what its history folds into"}
	}
	return p, err
}

// asOf folds the profile of a past; nil: the store knows nobody of that name.
func asOf(ctx context.Context, s Store, id string, a features.AsOf) (p *fund.Profile, err error) {
	err = s.Histories(ctx, features.HistoryQuery{CustomerIDs: []string{id}}, func(h *features.History) error {
		p, err = history.AsOf(h, a)
		return err
	})
	return p, err
}
