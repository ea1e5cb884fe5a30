package casefile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// upsert is one write of one value.
type upsert struct {
	Entity entity          `json:"entity"`
	Event  moment          `json:"event_ts"`
	Known  moment          `json:"known_ts"`
	Value  json.RawMessage `json:"value"`
	Delete bool            `json:"delete"`
}

// The one feature of a case that names none.
var theValue = key{feature: "value"}

// onlineUpsert writes batch after batch and says after each what a read of entity 1 returns.
func onlineUpsert(ctx context.Context, c *Case, t *trial) ([]row, error) {
	var input struct {
		Entity  entity     `json:"entity"`
		Batches [][]upsert `json:"batches"`
		Fresh   bool       `json:"each_batch_starts_empty"`
	}
	if err := firstOf(decode("params", c.Params, &struct{}{}), decode("input", c.Input, &input)); err != nil {
		return nil, err
	}
	b := newBank()
	ends, err := b.takeBatches(input.Batches)
	if err != nil {
		return nil, err
	}
	whose, err := readEntity(input.Entity, b)
	if err != nil {
		return nil, err
	}
	var rows []row
	from := 0
	step := func(i int, s Store, prefix string) error {
		if err := b.write(ctx, s, prefix, b.rows[from:ends[i]]); err != nil {
			return err
		}
		from = ends[i]
		r, err := b.upserted(ctx, s, prefix, whose)
		r.name = fmt.Sprintf("after batch %d", i)
		rows = append(rows, r)
		return err
	}
	if input.Fresh {
		for i := range ends {
			err := t.within(ctx, func(s Store, prefix string) error {
				return firstOf(b.meet(ctx, s, prefix), step(i, s, prefix))
			})
			if err != nil {
				return nil, err
			}
		}
		return rows, nil
	}
	err = t.within(ctx, func(s Store, prefix string) error {
		if err := b.meet(ctx, s, prefix); err != nil {
			return err
		}
		for i := range ends {
			if err := step(i, s, prefix); err != nil {
				return err
			}
		}
		return nil
	})
	return rows, err
}

// takeBatches takes all lines and returns where each batch ends.
func (b *bank) takeBatches(batches [][]upsert) ([]int, error) {
	if err := b.declare("", []string{theValue.feature}, span{}, view.Access{}); err != nil {
		return nil, err
	}
	ends := make([]int, 0, len(batches))
	for i := range batches {
		for j := range batches[i] {
			u := &batches[i][j]
			if u.Delete && len(u.Value) > 0 && string(u.Value) != "null" {
				return nil, unsupported("batches[%d][%d] deletes and has a value", i, j)
			}
			if err := b.add(&line{of: u.Entity, feature: theValue, value: u.Value, gone: u.Delete, event: u.Event, known: u.Known}); err != nil {
				return nil, err
			}
		}
		ends = append(ends, len(b.rows))
	}
	return ends, nil
}

// readEntity returns whom a case reads: whom it names, entity 1, or the only one there is.
func readEntity(named entity, b *bank) (entity, error) {
	const first entity = "=1"
	if named != "" {
		return named, nil
	}
	if _, ok := b.customers[first]; ok || len(b.customers) == 0 {
		return first, nil
	}
	if len(b.customers) == 1 {
		for e := range b.customers {
			return e, nil
		}
	}
	return "", unsupported("rows of %d entities, and none of them is 1: nobody says who is read", len(b.customers))
}

// upserted reads the head of one customer.
func (b *bank) upserted(ctx context.Context, s Store, prefix string, whose entity) (row, error) {
	reader, err := b.reader(prefix, []key{theValue})
	if err != nil {
		return row{}, err
	}
	id := reader.id(whose)
	heads, err := s.Heads(ctx, []string{id})
	if err != nil {
		return row{}, err
	}
	at := max(b.newest, heads[0].From)
	p, err := online(ctx, s, id, at)
	if err != nil {
		return row{}, err
	}
	if (p == nil) != (heads[0].Profile == nil) || p != nil && !sameProfile(p, heads[0].Profile) {
		return row{}, &differsError{"a read of heads gives another profile than one of the customer"}
	}
	values, statuses := reader.read(p, &view.Request{At: at})
	return row{
		fields: map[string]any{"value": values[theValue.feature]},
		may:    map[string]any{"status": statuses[theValue.feature], "event_ts": b.since(p, theValue)},
	}, nil
}

// since returns the event time of the newest that is said of a feature, its removal
// included; nil: nothing was ever said.
func (b *bank) since(p *fund.Profile, k key) any {
	if p == nil {
		return nil
	}
	for i := range p.Features {
		if f := &p.Features[i]; f.View == b.refs[k].View && f.Name == b.refs[k].Name {
			return f.From
		}
	}
	return nil
}

// onlineRead reads features of several views of one customer, a cell each.
func onlineRead(ctx context.Context, c *Case, t *trial) ([]row, error) {
	var input struct {
		Now      moment   `json:"now"`
		Views    []table  `json:"views"`
		Entity   entity   `json:"entity"`
		Features []string `json:"features"`
	}
	if err := firstOf(decode("params", c.Params, &struct{}{}), decode("input", c.Input, &input)); err != nil {
		return nil, err
	}
	if !input.Now.given || input.Entity == "" {
		return nil, unsupported("input without now or entity")
	}
	b := newBank()
	if err := b.take(input.Views); err != nil {
		return nil, err
	}
	b.saw(input.Now)
	keys, err := b.named(input.Features)
	if err != nil {
		return nil, err
	}
	var rows []row
	err = t.within(ctx, func(s Store, prefix string) error {
		if err := firstOf(b.meet(ctx, s, prefix), b.write(ctx, s, prefix, b.rows)); err != nil {
			return err
		}
		reader, err := b.reader(prefix, distinct(keys))
		if err != nil {
			return err
		}
		p, err := online(ctx, s, reader.id(input.Entity), input.Now.at)
		if err != nil {
			return err
		}
		values, statuses := reader.read(p, &view.Request{At: input.Now.at})
		for i, name := range input.Features {
			rows = append(rows, row{
				name:   name,
				fields: map[string]any{"feature": name, "value": values[keys[i].String()], "status": statuses[keys[i].String()]},
			})
		}
		return nil
	})
	return rows, err
}

// named finds features by view.feature. One that no view has was never written: it becomes
// a feature of a view of its own.
func (b *bank) named(names []string) ([]key, error) {
	keys := make([]key, len(names))
	for i, name := range names {
		known := false
		for _, k := range b.order {
			if k.String() == name {
				keys[i], known = k, true
			}
		}
		if known {
			continue
		}
		of, feature, ok := strings.Cut(name, ".")
		if !ok {
			return nil, unsupported("feature %q, expected view.feature", name)
		}
		keys[i] = key{of, feature}
		if err := b.declare(of, []string{feature}, span{}, view.Access{}); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// distinct returns each key once.
func distinct(keys []key) []key {
	var out []key
	seen := map[key]bool{}
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}

// differsError says that two ways of reading the same thing gave different answers: no case
// passes with that, whatever it expects.
type differsError struct{ text string }

func (e *differsError) Error() string { return e.text }

func sameProfile(a, b *fund.Profile) bool {
	return string(fund.AppendProfile(nil, a)) == string(fund.AppendProfile(nil, b))
}

func isDiffers(err error) bool {
	var d *differsError
	return errors.As(err, &d)
}
