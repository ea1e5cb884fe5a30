package training

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// asOf is the day of every bank here.
const asOf = fund.Date(20261120)

// aBank is a store with a synthetic bank.
func aBank(tb testing.TB, customers, products int) *memory.Store {
	tb.Helper()
	bank, err := synthetic.Generate(synthetic.Options{Customers: customers, Products: products, AsOf: asOf})
	if err != nil {
		tb.Fatal(err)
	}
	store := memory.New()
	if _, err := store.Import(context.Background(), asOf.Start(), bank.Load); err != nil {
		tb.Fatal(err)
	}
	return store
}

// jobOn is a training of a store with the built-in model and pack.
func jobOn(tb testing.TB, store Store, o Options) *Job {
	tb.Helper()
	rules, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		tb.Fatal(err)
	}
	return &Job{Store: store, AsOf: history.AsOf, Base: score.DefaultModel(), Rules: rules, Version: "test", Options: o}
}

func run(tb testing.TB, store Store, o Options) *Result {
	tb.Helper()
	result, err := jobOn(tb, store, o).Run(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return result
}

// told is a store whose histories are told by hand, over the pool of another.
type told struct {
	Store
	histories []*features.History
}

// Histories is features.Histories, of one range and of all parts.
func (s *told) Histories(_ context.Context, q features.HistoryQuery, yield func(*features.History) error) error {
	for _, h := range s.histories {
		if h.CustomerID <= q.After || q.Through != "" && h.CustomerID > q.Through {
			continue
		}
		if err := yield(h); err != nil {
			return err
		}
	}
	return nil
}

// day is the start of a day of March 2026 and, beyond it, of the days after.
func day(n int) fund.Instant { return fund.Date(20260301).AddDays(n - 1).Start() }

// customer is an adult of level C3, assessed on the first of March, whose goal is known.
func customer(number int, events ...features.Event) *features.History {
	h := &features.History{CustomerID: fmt.Sprintf("K%04d", number)}
	cell := func(view features.View, name, value string, at fund.Instant) {
		h.Cells = append(h.Cells, features.Cell{CustomerID: h.CustomerID, View: view, Name: name, Value: value, EventAt: at})
		h.CellSeqs = append(h.CellSeqs, 1)
	}
	cell(features.AssessmentView, "assessed", `{"level":"C3","on":"2026-03-01"}`, day(1))
	cell(features.PersonalizationView, "enabled", "true", day(1))
	cell(features.PersonView, "birth_date", "1980-06-15", 0)
	cell(features.PersonView, "capacity", "FULL", 0)
	cell(features.PersonView, "investor_type", "ORDINARY", 0)
	for i := range events {
		e := events[i]
		e.CustomerID, e.ID = h.CustomerID, fmt.Sprintf("E%04d-%03d", number, i)
		h.Events = append(h.Events, e)
		h.EventSeqs = append(h.EventSeqs, 1)
	}
	history.Settle(h)
	return h
}

// did is an event about the short bonds that every bank has, at an hour of a day.
func did(kind fund.EventKind, on, hour int, attributes string) features.Event {
	return features.Event{
		Kind: kind.String(), EventAt: day(on).Add(time.Duration(hour) * time.Hour), ProductCode: synthetic.AnchorShortBond, Channel: "APP", Attributes: attributes,
	}
}
