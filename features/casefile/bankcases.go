package casefile

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
)

// validityRead reads a value that ends by itself: valid in [from, to), usable from when it is
// known, and never carried over a gap.
func validityRead(ctx context.Context, c *Case, t *trial) ([]row, error) {
	var input struct {
		Rows []struct {
			Entity entity          `json:"entity"`
			Value  json.RawMessage `json:"value"`
			From   moment          `json:"valid_from"`
			To     ending          `json:"valid_to"`
			Known  moment          `json:"known_ts"`
			Delete bool            `json:"delete"`
		} `json:"rows"`
		Requests []request `json:"requests"`
	}
	if err := firstOf(decode("params", c.Params, &struct{}{}), decode("input", c.Input, &input)); err != nil {
		return nil, err
	}
	b := newBank()
	if err := b.declare("", []string{theValue.feature}, span{}, view.Access{}); err != nil {
		return nil, err
	}
	for i := range input.Rows {
		r := &input.Rows[i]
		if err := b.add(&line{of: r.Entity, feature: theValue, value: r.Value, gone: r.Delete, event: r.From, known: r.Known, to: r.To.moment}); err != nil {
			return nil, err
		}
	}
	var rows []row
	err := t.within(ctx, func(s Store, prefix string) error {
		reader, err := b.opened(ctx, s, prefix, []key{theValue})
		if err != nil {
			return err
		}
		for i := range input.Requests {
			r := &input.Requests[i]
			if err := r.check(); err != nil {
				return err
			}
			p, err := online(ctx, s, reader.id(r.Entity), r.AsOf.at)
			if err != nil {
				return err
			}
			values, statuses := reader.read(p, &view.Request{At: r.AsOf.at})
			rows = append(rows, row{
				name: show(r.RowID), fields: map[string]any{"row_id": tree(r.RowID), "value": values[theValue.feature]},
				may: map[string]any{"status": statuses[theValue.feature]},
			})
		}
		return nil
	})
	return rows, err
}

// fact is one value of one feature of a replay.
type fact struct {
	Entity  entity          `json:"entity"`
	Feature string          `json:"feature"`
	Event   moment          `json:"event_ts"`
	Known   moment          `json:"known_ts"`
	Value   json.RawMessage `json:"value"`
	Delete  bool            `json:"delete"`
}

// decision is one instant at which features were used.
type decision struct {
	ID       label    `json:"id"`
	Entity   entity   `json:"entity"`
	At       moment   `json:"at"`
	Features []string `json:"features"`
}

// replay reads what each decision had: what had happened and was known at its instant.
func replay(ctx context.Context, c *Case, t *trial) ([]row, error) {
	var input struct {
		Rows      []fact     `json:"rows"`
		Decisions []decision `json:"decisions"`
	}
	if err := firstOf(decode("params", c.Params, &struct{}{}), decode("input", c.Input, &input)); err != nil {
		return nil, err
	}
	b := newBank()
	if err := b.takeFacts(input.Rows, input.Decisions); err != nil {
		return nil, err
	}
	var rows []row
	err := t.within(ctx, func(s Store, prefix string) error {
		if err := b.load(ctx, s, prefix, b.rows); err != nil {
			return err
		}
		for i := range input.Decisions {
			d := &input.Decisions[i]
			reader, err := b.reader(prefix, distinct(plainKeys(d.Features)))
			if err != nil {
				return err
			}
			p, err := online(ctx, s, reader.id(d.Entity), d.At.at)
			if err != nil {
				return err
			}
			values, statuses := reader.read(p, &view.Request{At: d.At.at})
			rows = append(rows, row{
				name: show(d.ID), fields: map[string]any{"id": tree(d.ID), "values": values}, may: map[string]any{"statuses": statuses},
			})
		}
		return nil
	})
	return rows, err
}

// plainKeys are features of a case that knows no views.
func plainKeys(names []string) []key {
	keys := make([]key, len(names))
	for i, name := range names {
		keys[i] = key{feature: name}
	}
	return keys
}

func (b *bank) takeFacts(facts []fact, decisions []decision) error {
	var names []string
	for i := range facts {
		names = append(names, facts[i].Feature)
	}
	for i := range decisions {
		d := &decisions[i]
		if len(d.ID) == 0 || d.Entity == "" || !d.At.given || len(d.Features) == 0 {
			return unsupported("decisions[%d] without id, entity, at or features", i)
		}
		names = append(names, d.Features...)
	}
	slices.Sort(names)
	if err := b.declare("", slices.Compact(names), span{}, view.Access{}); err != nil {
		return err
	}
	for i := range facts {
		f := &facts[i]
		if err := b.add(&line{of: f.Entity, feature: key{feature: f.Feature}, value: f.Value, gone: f.Delete, event: f.Event, known: f.Known}); err != nil {
			return err
		}
	}
	return nil
}

// access says what a feature of a case may be read for.
type access struct {
	Purposes     []string `json:"purposes"`
	NeedsConsent []string `json:"needs_consent"`
}

// word is what the customer said to a purpose.
type word struct {
	Purpose string `json:"purpose"`
	Granted *bool  `json:"granted"`
	At      moment `json:"ts"`
	Known   moment `json:"known_ts"`
}

// consentInput is what a consent_read gives; all of it is about one customer.
type consentInput struct {
	Features map[string]access          `json:"features"`
	Values   map[string]json.RawMessage `json:"values"`
	Consents []word                     `json:"consents"`
	Requests []struct {
		RowID    label    `json:"row_id"`
		Purpose  string   `json:"purpose"`
		At       moment   `json:"at"`
		Features []string `json:"features"`
	} `json:"requests"`
}

// consentRead reads features for purposes: the purpose is checked first, then the latest
// consent at or before the instant.
func consentRead(ctx context.Context, c *Case, t *trial) ([]row, error) {
	var input consentInput
	if err := firstOf(decode("params", c.Params, &struct{}{}), decode("input", c.Input, &input)); err != nil {
		return nil, err
	}
	b := newBank()
	purposes, words, err := b.takeConsents(&input)
	if err != nil {
		return nil, err
	}
	var rows []row
	err = t.within(ctx, func(s Store, prefix string) error {
		if err := b.load(ctx, s, prefix, slices.Concat(b.rows, words)); err != nil {
			return err
		}
		for i := range input.Requests {
			r := &input.Requests[i]
			if len(r.RowID) == 0 || !r.At.given || r.Purpose == "" || len(r.Features) == 0 {
				return unsupported("requests[%d] without row_id, purpose, at or features", i)
			}
			reader, err := b.reader(prefix, distinct(viewKeys(r.Features)))
			if err != nil {
				return err
			}
			p, err := online(ctx, s, reader.id(theCustomer), r.At.at)
			if err != nil {
				return err
			}
			values, statuses := reader.read(p, &view.Request{At: r.At.at, Purpose: purposes[r.Purpose]})
			cells := map[string]any{}
			for _, name := range r.Features {
				k := viewKey(name).String()
				cells[name] = []any{values[k], statuses[k]}
			}
			rows = append(rows, row{name: show(r.RowID), fields: map[string]any{"row_id": tree(r.RowID), "cells": cells}})
		}
		return nil
	})
	return rows, err
}

// theCustomer is whom a case about consents is about.
const theCustomer entity = "=customer"

// viewKey is a feature in a view of its own: purposes belong to views.
func viewKey(name string) key { return key{view: name, feature: "value"} }

func viewKeys(names []string) []key {
	keys := make([]key, len(names))
	for i, name := range names {
		keys[i] = viewKey(name)
	}
	return keys
}

// takeConsents declares purposes and features, and takes values and words. What is asked for
// and no feature of the case may be read for nothing.
func (b *bank) takeConsents(in *consentInput) (purposes map[string]string, words []features.Cell, err error) {
	purposes = map[string]string{}
	name := func(purpose string) string {
		if _, ok := purposes[purpose]; !ok {
			purposes[purpose] = "case-p" + strconv.Itoa(len(purposes))
			b.purposes = append(b.purposes, view.Purpose{Name: purposes[purpose], Kind: view.Duty})
		}
		return purposes[purpose]
	}
	if err := b.takeAccess(in, name); err != nil {
		return nil, nil, err
	}
	if err := b.takeValues(in.Values); err != nil {
		return nil, nil, err
	}
	words, err = b.takeWords(in.Consents, name)
	return purposes, words, err
}

// takeAccess declares each feature with what it may be read for.
func (b *bank) takeAccess(in *consentInput, name func(purpose string) string) error {
	all := maps.Clone(in.Features)
	if all == nil {
		all = map[string]access{}
	}
	for i := range in.Requests {
		name(in.Requests[i].Purpose)
		for _, f := range in.Requests[i].Features {
			if _, ok := all[f]; !ok {
				all[f] = access{}
			}
		}
		b.saw(in.Requests[i].At)
	}
	for _, feature := range slices.Sorted(maps.Keys(all)) {
		var may view.Access
		for _, p := range all[feature].Purposes {
			may.Purposes = append(may.Purposes, name(p))
		}
		for _, p := range all[feature].NeedsConsent {
			if slices.Contains(may.Purposes, name(p)) {
				may.NeedsConsent = append(may.NeedsConsent, name(p))
			}
		}
		if err := b.declare(feature, []string{"value"}, span{}, may); err != nil {
			return err
		}
	}
	return nil
}

// takeWords returns what the customer said as cells of the profile's own.
func (b *bank) takeWords(said []word, name func(purpose string) string) (words []features.Cell, err error) {
	for i := range said {
		w := &said[i]
		if w.Purpose == "" || w.Granted == nil || !w.At.given {
			return nil, unsupported("consents[%d] without purpose, granted or ts", i)
		}
		words = append(words, features.Cell{
			CustomerID: b.customer(theCustomer), View: features.ConsentView, Name: name(w.Purpose), Value: strconv.FormatBool(*w.Granted),
			EventAt: w.At.at, KnownAt: w.Known.at, SourceSeq: uint64(i + 1),
		})
		b.saw(w.At, w.Known)
	}
	return words, nil
}

// takeValues takes the values of the customer, which were always true.
func (b *bank) takeValues(values map[string]json.RawMessage) error {
	for _, feature := range slices.Sorted(maps.Keys(values)) {
		if _, ok := b.refs[viewKey(feature)]; !ok {
			return unsupported("a value of %s, which is no feature", feature)
		}
		if err := b.add(&line{of: theCustomer, feature: viewKey(feature), value: values[feature], event: moment{given: true}}); err != nil {
			return err
		}
	}
	return nil
}
