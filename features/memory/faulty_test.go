package memory_test

import (
	"context"
	"errors"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

var errBroken = errors.New("broken")

// bank returns a store with customer c1.
func bank(t *testing.T) *memory.Store {
	t.Helper()
	s := memory.New()
	_, err := s.Import(t.Context(), 1, func(b features.Batch) error {
		return b.Cells([]features.Cell{{CustomerID: "c1", View: features.PersonView, Name: "segment", Value: "gold"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tagWrite() features.Write {
	return features.Write{
		CustomerID: "c1", RecordedAt: 1, Cells: []features.Cell{{CustomerID: "c1", View: features.TagView, Name: "a", Value: "1", EventAt: 1}},
	}
}

func TestFaultyFailsByPlan(t *testing.T) {
	store := bank(t)
	f := memory.NewFaulty(store, func(m memory.Method, call int) memory.Fault {
		if m == memory.ProfileMethod && call == 2 {
			return memory.Fault{Err: errBroken}
		}
		return memory.Fault{}
	})
	for call, want := range []error{nil, errBroken, nil} {
		p, err := f.Profile(t.Context(), "c1", 1)
		if !errors.Is(err, want) || (p == nil) != (want != nil) {
			t.Errorf("call %d: %v, %v, want %v", call+1, p, err, want)
		}
	}
	if n := f.Calls(memory.ProfileMethod); n != 3 {
		t.Errorf("%d calls counted, want 3", n)
	}
}

func TestFaultyFailsOfEventsAndStaffByPlan(t *testing.T) {
	store := bank(t)
	broken := true
	f := memory.NewFaulty(store, func(memory.Method, int) memory.Fault {
		if broken {
			return memory.Fault{Err: errBroken}
		}
		return memory.Fault{}
	})
	batch := features.EventBatch{RecordedAt: 2, Events: []features.Event{{ID: "e1", CustomerID: "c1", Kind: "CLICK", EventAt: 1}}}
	for _, want := range []error{errBroken, nil} {
		r, err := f.RecordEvents(t.Context(), batch)
		if !errors.Is(err, want) || (r.Accepted == 1) != (want == nil) {
			t.Errorf("record: %+v, %v, want %v", r, err, want)
		}
		n := 0
		err = f.Events(t.Context(), "c1", 2, func(*features.Event) error { n++; return nil })
		if !errors.Is(err, want) || (n == 1) != (want == nil) {
			t.Errorf("%d events, %v, want %v", n, err, want)
		}
		if want == nil {
			want = features.ErrNotFound
		}
		if _, err := f.Manager(t.Context(), "m1"); !errors.Is(err, want) {
			t.Errorf("manager: %v, want %v", err, want)
		}
		broken = false
	}
	for _, m := range []memory.Method{memory.RecordMethod, memory.EventsMethod, memory.ManagerMethod} {
		if n := f.Calls(m); n != 2 {
			t.Errorf("%d calls of %s counted, want 2", n, m)
		}
	}
}

func TestFaultyDoesAndDenies(t *testing.T) {
	store := bank(t)
	f := memory.NewFaulty(store, func(memory.Method, int) memory.Fault { return memory.Fault{Err: errBroken, Done: true} })
	if r, err := f.Write(t.Context(), tagWrite()); !errors.Is(err, errBroken) || r != (features.Receipt{}) {
		t.Errorf("write: %+v, %v, want the error alone", r, err)
	}
	if p, err := store.Profile(t.Context(), "c1", 1); err != nil || len(p.Tags) != 1 {
		t.Errorf("profile %+v, %v, want the tag that was written all the same", p, err)
	}
}

func TestFaultyHoldsBack(t *testing.T) {
	store, gate := bank(t), make(chan struct{})
	f := memory.NewFaulty(store, func(m memory.Method, _ int) memory.Fault {
		if m == memory.WriteMethod {
			return memory.Fault{Before: gate}
		}
		return memory.Fault{After: gate}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Write(ctx, tagWrite()); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v, want context.Canceled", err)
	}
	if p, err := store.Profile(t.Context(), "c1", 1); err != nil || len(p.Tags) != 0 {
		t.Error("the store saw a call that was held back before it")
	}
	answered := make(chan error)
	go func() {
		_, _, err := f.Head(t.Context(), "c1")
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Errorf("the answer came before the gate opened: %v", err)
	default:
	}
	close(gate)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if _, err := f.Changes(t.Context(), features.Position{}, 1); err != nil {
		t.Error(err)
	}
	if _, err := f.CustomerIDs(t.Context(), "", 1); err != nil {
		t.Error(err)
	}
}

// A confirmation whose use was recorded before the connection broke is used: the same
// decision may try again, another may not.
func TestFaultyConfirmationsFailByPlan(t *testing.T) {
	store := bank(t)
	word := features.Confirmation{
		ID: "018f0000-0000-7000-8000-000000000001", CustomerID: "c1", RuleID: "S03", ProductCode: "P1", Grade: fund.R4, Level: fund.C3,
		DecisionID: "d0", Channel: "APP", Trace: "t", AskedAt: 1, ConfirmedAt: 2, ExpiresAt: 3,
	}
	ids := []string{word.ID}
	f := memory.NewFaulty(store, func(m memory.Method, call int) memory.Fault {
		return memory.Fault{Err: map[bool]error{true: errBroken}[call == 1], Done: m == memory.UseMethod}
	})
	if err := f.Confirm(t.Context(), []features.Confirmation{word}); !errors.Is(err, errBroken) {
		t.Errorf("confirm: %v", err)
	}
	if err := f.Confirm(t.Context(), []features.Confirmation{word}); err != nil {
		t.Errorf("confirm again: %v", err)
	}
	if got, err := f.Confirmations(t.Context(), "c1", ids); !errors.Is(err, errBroken) || got != nil {
		t.Errorf("read: %v, %v", got, err)
	}
	if err := f.Use(t.Context(), "c1", ids, "d1", 5); !errors.Is(err, errBroken) {
		t.Errorf("use: %v", err)
	}
	if got, err := f.Confirmations(t.Context(), "c1", ids); err != nil || got[0].UsedBy != "d1" {
		t.Errorf("read again: %v, %v", got, err)
	}
	if err := f.Use(t.Context(), "c1", ids, "d2", 6); !errors.Is(err, features.ErrConfirmationUsed) {
		t.Errorf("use by another: %v", err)
	}
	if err := f.Use(t.Context(), "c1", ids, "d1", 6); err != nil {
		t.Errorf("use again: %v", err)
	}
}
