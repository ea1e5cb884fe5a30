//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func erasurePromises() []promise {
	return []promise{
		{"after an erasure the customer is not found, by any read or write", erasedIsNotFound},
		{"an erasure touches nobody else", erasureOfOneAlone},
		{"the commitment is that of the history that was there, and salted", erasureCommits},
		{"interactions stay without a name and amounts: every cut counts the same baskets", erasedBaskets},
		{"the change log names the customer once more", erasureIsAChange},
		{"erasing again returns the erasure that stands", erasedTwice},
		{"who was never imported cannot be erased", eraseUnknown},
		{"an import that brings him again begins anew, as of any past", importAfterErasure},
		{"who came again may be erased again", erasedAgain},
		{"an erasure takes his idempotency keys and leaves those of others", erasedKeys},
		{"the key of an erasure returns it, also when he came again", erasureReplayed},
		{"confirmations stay as evidence", erasedConfirmations},
		{"quarantined facts go with the customer", erasedQuarantine},
		{"quarantined facts of somebody unknown can be erased", erasedQuarantineOfNobody},
		{"an erasure without its time, its author or randomness is invalid", erasureChecked},
		{"erasures are listed from an instant on, by time", erasuresListed},
		{"an erasure that was cancelled changed nothing", erasureCancelled},
	}
}

// erasure returns what to ask for.
func erasure(id string) features.Erasure {
	return features.Erasure{CustomerID: id, At: noon(day5), By: "customer", Salt: [32]byte{1, 2, 3}, Pseudonym: [16]byte{byte(len(id)), id[0], id[len(id)-1]}}
}

// eraseC1 forgets the customer of most cases and must succeed.
func eraseC1(t *testing.T, s Store) features.Erased {
	t.Helper()
	out, err := s.Erase(t.Context(), erasure("c1"))
	if err != nil {
		t.Fatalf("erase c1: %v", err)
	}
	return out
}

// fullCustomers brings customers with facts of every kind.
func fullCustomers(t *testing.T, s Store, ids ...string) {
	t.Helper()
	load(t, s, func(b features.Batch) error {
		for i, id := range ids {
			cells := []features.Cell{person(id, "industry", "SECRET-"+id), tag(id, "a", "SECRET-"+id, noon(day1))}
			bought := []features.CustomerPurchase{
				{CustomerID: id, Purchase: fund.Purchase{ProductCode: "P1", KnownOn: day1, Kind: "BUY", Amount: 77}},
				{CustomerID: id, Purchase: fund.Purchase{ProductCode: fmt.Sprint("P", i+2), KnownOn: day2, Kind: "BUY", Amount: 88}},
			}
			if err := errors.Join(b.Cells(cells), b.Purchases(bought), b.Events([]features.Event{did("e-"+id, id, "CLICK", noon(day2))})); err != nil {
				return err
			}
		}
		return nil
	})
}

func erasedIsNotFound(t *testing.T, s Store) {
	fullCustomers(t, s, "c1", "c2")
	eraseC1(t, s)
	ctx, errs := t.Context(), map[string]error{}
	_, errs["Profile"] = s.Profile(ctx, "c1", later)
	_, errs["Profile of the past"] = s.Profile(ctx, "c1", noon(day1))
	errs["Events"] = s.Events(ctx, "c1", later, func(*features.Event) error { return nil })
	_, errs["Write"] = s.Write(ctx, features.Write{CustomerID: "c1", Cells: []features.Cell{tag("c1", "x", "1", 1)}, RecordedAt: noon(day5)})
	_, errs["RecordEvents"] = s.RecordEvents(ctx, features.EventBatch{Events: []features.Event{did("n", "c1", "CLICK", 1)}, RecordedAt: noon(day5)})
	for what, err := range errs {
		if !errors.Is(err, features.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", what, err)
		}
	}
	ids, err := s.CustomerIDs(ctx, "", 10)
	if err != nil || len(ids) != 1 || ids[0] != "c2" {
		t.Errorf("customers %v, %v, want c2 alone", ids, err)
	}
	err = s.Histories(ctx, features.HistoryQuery{CustomerIDs: []string{"c1"}}, func(h *features.History) error { return errors.New(h.CustomerID) })
	heads, err2 := s.Heads(ctx, []string{"c1"})
	if err != nil || err2 != nil || heads[0].Profile != nil {
		t.Errorf("histories %v, heads %v, %v: want nothing of c1", err, heads, err2)
	}
	var missing *features.NotFoundError
	if !errors.As(errs["RecordEvents"], &missing) || missing.ID != "c1" {
		t.Errorf("events: %v, want that customer c1 is not found", errs["RecordEvents"])
	}
}

func erasureOfOneAlone(t *testing.T, s Store) {
	fullCustomers(t, s, "c1", "c10", "c2")
	before := []*fund.Profile{profile(t, s, "c10", later), profile(t, s, "c2", later)}
	eraseC1(t, s)
	wantSame(t, "the others", []*fund.Profile{profile(t, s, "c10", later), profile(t, s, "c2", later)}, before)
	wantSame(t, "their past", profile(t, s, "c10", noon(day1)).Tags, before[0].Tags)
	if got := eventIDs(t, s, "c2", later); got != "e-c2" {
		t.Errorf("events of c2 are %q", got)
	}
}

// historyOf copies what a store has of a customer.
func historyOf(t *testing.T, s Store, id string) (out features.History) {
	t.Helper()
	err := s.Histories(t.Context(), features.HistoryQuery{CustomerIDs: []string{id}}, func(h *features.History) error {
		out = features.History{
			CustomerID: h.CustomerID, Cells: append([]features.Cell(nil), h.Cells...),
			Purchases: append([]fund.Purchase(nil), h.Purchases...), Events: append([]features.Event(nil), h.Events...),
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func erasureCommits(t *testing.T, s Store) {
	fullCustomers(t, s, "c1")
	write(t, s, tag("c1", "late", "1", noon(day3)))
	h := historyOf(t, s, "c1")
	out := eraseC1(t, s)
	e := erasure("c1")
	if want := features.Commit(e.Salt, &h); out.Commitment != want {
		t.Errorf("commitment %x, want %x of the history", out.Commitment, want)
	}
	if out.Cells != 3 || out.Events != 1 || out.Purchases != 2 || out.At != e.At || out.By != "customer" || out.Repeated {
		t.Errorf("erased %+v, want 3 cells, an event, 2 purchases", out)
	}
	h.Cells[0].Value += " "
	if features.Commit(e.Salt, &h) == out.Commitment {
		t.Error("another value has the same commitment")
	}
	if features.Commit([32]byte{9}, &h) == features.Commit(e.Salt, &h) {
		t.Error("another salt gives the same commitment")
	}
	kept, err := s.Erased(t.Context(), "c1")
	if err != nil || kept != out {
		t.Errorf("what stays is %+v, %v, want %+v", kept, err, out)
	}
}

func erasedBaskets(t *testing.T, s Store) {
	fullCustomers(t, s, "c1", "c2")
	first := profile(t, s, "c1", later).Revision
	load(t, s, func(b features.Batch) error { // a correction: an earlier cut saw another amount
		return b.Purchases([]features.CustomerPurchase{{CustomerID: "c1", Purchase: fund.Purchase{ProductCode: "P1", KnownOn: day1, Kind: "BUY", Amount: 99}}})
	})
	cuts := []features.Cut{{AsOf: noon(day1), Seq: first}, {AsOf: noon(day2), Seq: first}, {AsOf: later, Seq: 1 << 40}}
	var before []string
	for _, cut := range cuts {
		before = append(before, baskets(t, s, cut))
	}
	eraseC1(t, s)
	for i, cut := range cuts {
		if got := baskets(t, s, cut); got != before[i] {
			t.Errorf("the cut of %s counts %s, want %s as before", cut.AsOf, got, before[i])
		}
	}
	e := erasure("c1")
	all := purchases(t, s, cuts[2])
	for _, p := range all[e.PseudonymID()] {
		if p.Amount != 0 {
			t.Errorf("an amount stayed: %+v", p)
		}
	}
	if len(all["c1"]) != 0 || len(all[e.PseudonymID()]) != 2 || len(all["c2"]) != 2 || all["c2"][0].Amount != 77 {
		t.Errorf("interactions %v, want those of c1 under %s, and c2 as he was", all, e.PseudonymID())
	}
}

// baskets writes down who holds what together in a cut, without names and amounts: what
// affinity counts.
func baskets(t *testing.T, s Store, cut features.Cut) string {
	t.Helper()
	var all []string
	for _, rows := range purchases(t, s, cut) {
		var one []string
		for _, p := range rows {
			one = append(one, p.ProductCode+" "+p.KnownOn.String()+" "+p.Kind)
		}
		all = append(all, strings.Join(one, ","))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func erasureIsAChange(t *testing.T, s Store) {
	fullCustomers(t, s, "c1", "c2")
	before, market := changes(t, s), publishedSeq(t, s)
	eraseC1(t, s)
	now := changes(t, s)
	if len(now) != len(before)+1 || now[len(now)-1].CustomerID != "c1" {
		t.Errorf("the log grew from %d to %d entries, want c1 once more", len(before), len(now))
	}
	if got := publishedSeq(t, s); got != market {
		t.Errorf("market data moved from %d to %d: every core would be compiled again", market, got)
	}
	eraseC1(t, s)
	wantSame(t, "the log after erasing again", changes(t, s), now)
}

// publishedSeq returns the newest number of pool and market data; 0: nothing is published.
func publishedSeq(t *testing.T, s Store) uint64 {
	t.Helper()
	r, err := s.Published(t.Context())
	if err != nil && !errors.Is(err, features.ErrNoPool) {
		t.Fatal(err)
	}
	return r.Seq
}

func erasedTwice(t *testing.T, s Store) {
	fullCustomers(t, s, "c1")
	first := eraseC1(t, s)
	again := erasure("c1")
	again.At, again.By, again.Salt, again.Pseudonym = noon(day5)+hour, "somebody else", [32]byte{7}, [16]byte{7}
	got, err := s.Erase(t.Context(), again)
	if !got.Repeated {
		t.Error("a repetition is not told as one")
	}
	got.Repeated = false
	if err != nil || got != first {
		t.Errorf("erased again: %+v, %v, want %+v", got, err, first)
	}
}

func eraseUnknown(t *testing.T, s Store) {
	fullCustomers(t, s, "c1")
	if _, err := s.Erase(t.Context(), erasure("c2")); !errors.Is(err, features.ErrNotFound) || !strings.Contains(err.Error(), "c2") {
		t.Errorf("erase: %v, want ErrNotFound that names c2", err)
	}
	if _, err := s.Erased(t.Context(), "c1"); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("who was not erased: %v, want ErrNotFound", err)
	}
}

func importAfterErasure(t *testing.T, s Store) {
	fullCustomers(t, s, "c1")
	old := profile(t, s, "c1", later)
	eraseC1(t, s)
	loadCells(t, s, tag("c1", "new", "1", noon(day3)))
	for _, at := range []fund.Instant{1, noon(day1), noon(day2), noon(day3), later} {
		p := profile(t, s, "c1", at)
		if p.Person.Industry != "" || len(p.Purchases) != 0 || len(p.Trail.Recent) != 0 {
			t.Errorf("at %s something old shines through: %+v", at, p)
		}
		for _, tg := range p.Tags {
			if tg.Name != "new" || at < noon(day3) {
				t.Errorf("at %s there is the tag %s", at, tg.Name)
			}
		}
	}
	if p := profile(t, s, "c1", later); p.Revision <= old.Revision || len(p.Tags) != 1 {
		t.Errorf("the newest profile is %+v, want the new tag under a revision above %d", p, old.Revision)
	}
	if r := record(t, s, noon(day5), did("e-c1", "c1", "CONTACT", noon(day4))); r.Accepted != 1 {
		t.Errorf("the id of an erased event is still taken: %+v", r)
	}
	fullCustomers(t, s, "c1") // the very folder of before
	if p := profile(t, s, "c1", later); p.Person.Industry != "SECRET-c1" || len(p.Purchases) != 2 {
		t.Errorf("an import of the old folder gives %+v", p)
	}
}

func erasedAgain(t *testing.T, s Store) {
	fullCustomers(t, s, "c1")
	first := eraseC1(t, s)
	loadCells(t, s, tag("c1", "new", "1", noon(day3)))
	e := erasure("c1")
	e.At, e.Pseudonym = noon(day5)+hour, [16]byte{8}
	second, err := s.Erase(t.Context(), e)
	if err != nil || second.Repeated || second.Cells != 1 || second.Commitment == first.Commitment {
		t.Fatalf("the second erasure is %+v, %v, want one of its own", second, err)
	}
	if got, err := s.Erased(t.Context(), "c1"); err != nil || got != second {
		t.Errorf("what stays is %+v, %v, want the last", got, err)
	}
	var all []features.Erased
	err = s.ErasedSince(t.Context(), 0, func(e *features.Erased) error { all = append(all, *e); return nil })
	if err != nil || len(all) != 2 || all[0] != first || all[1] != second {
		t.Errorf("the list is %+v, %v, want both", all, err)
	}
}

func erasedKeys(t *testing.T, s Store) {
	fullCustomers(t, s, "c1", "c2")
	with := func(id, value string) (features.Receipt, error) {
		return s.Write(t.Context(), features.Write{
			CustomerID: id, Cells: []features.Cell{tag(id, "k", value, noon(day2))}, RecordedAt: noon(day5),
			Idempotency: features.Idempotency{Scope: "s", Key: "key of " + id, BodyHash: [32]byte{1}},
		})
	}
	for _, id := range []string{"c1", "c2"} {
		if _, err := with(id, "1"); err != nil {
			t.Fatal(err)
		}
	}
	eraseC1(t, s)
	loadCells(t, s, tag("c1", "new", "1", noon(day3)))
	if r, err := with("c1", "2"); err != nil || r.Replayed || !r.Changed {
		t.Errorf("his key after the erasure: %+v, %v, want a write of its own", r, err)
	}
	if r, err := with("c2", "2"); err != nil || !r.Replayed {
		t.Errorf("the key of another: %+v, %v, want a replay", r, err)
	}
}

func erasureReplayed(t *testing.T, s Store) {
	fullCustomers(t, s, "c1")
	e := erasure("c1")
	e.Idempotency = features.Idempotency{Scope: "s", Key: "k", BodyHash: [32]byte{1}}
	first, err := s.Erase(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	loadCells(t, s, tag("c1", "new", "1", noon(day3)))
	got, err := s.Erase(t.Context(), e)
	if got.Repeated = false; err != nil || got != first {
		t.Errorf("a late repetition: %+v, %v, want %+v", got, err, first)
	}
	wantTag(t, s, "c1", "new", later, "1")
	e.Idempotency.BodyHash[0] = 2
	if _, err := s.Erase(t.Context(), e); !errors.Is(err, features.ErrIdempotencyReused) {
		t.Errorf("another body: %v, want ErrIdempotencyReused", err)
	}
	wantTag(t, s, "c1", "new", later, "1")
}

func erasedConfirmations(t *testing.T, s Store) {
	fullCustomers(t, s, "c1")
	c := confirmation("c1", 1)
	confirm(t, s, c)
	eraseC1(t, s)
	wantSame(t, "confirmations", confirmed(t, s, "c1", c.ID), []features.Confirmation{c})
}

func erasedQuarantine(t *testing.T, s Store) {
	known(t, s, "c1", "c2")
	for _, id := range []string{"c1", "c2"} {
		write(t, s, tag(id, "a", "1", later))
	}
	eraseC1(t, s)
	if got := quarantined(t, s); len(got) != 1 || got[0].CustomerID != "c2" {
		t.Errorf("the quarantine holds %+v, want that of c2", got)
	}
}

// An import may set aside all that it brings about somebody, before or after his erasure.
func erasedQuarantineOfNobody(t *testing.T, s Store) {
	fullCustomers(t, s, "c1", "c3")
	eraseC1(t, s)
	_, err := s.Import(t.Context(), noon(day5), func(b features.Batch) error {
		return b.Cells([]features.Cell{tag("c1", "a", "1", later), tag("c2", "a", "1", later), tag("c3", "a", "1", later)})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"c1", "c2"} {
		e := erasure(id)
		e.At += hour
		if out, err := s.Erase(t.Context(), e); err != nil || out.Repeated || out.Cells != 0 || out.At != e.At {
			t.Errorf("%s, of whom nothing counts: %+v, %v, want an erasure of its own without cells", id, out, err)
		}
		if out, err := s.Erase(t.Context(), erasure(id)); err != nil || !out.Repeated || out.At != e.At {
			t.Errorf("%s again: %+v, %v, want the one that stands", id, out, err)
		}
	}
	if got := quarantined(t, s); len(got) != 1 || got[0].CustomerID != "c3" {
		t.Errorf("the quarantine holds %+v, want that of c3", got)
	}
}

func erasureChecked(t *testing.T, s Store) {
	fullCustomers(t, s, "c1")
	for name, change := range map[string]func(*features.Erasure){
		"customer":  func(e *features.Erasure) { e.CustomerID = "a b" },
		"time":      func(e *features.Erasure) { e.At = 0 },
		"author":    func(e *features.Erasure) { e.By = "" },
		"long":      func(e *features.Erasure) { e.By = strings.Repeat("x", features.MaxErasedBy+1) },
		"salt":      func(e *features.Erasure) { e.Salt = [32]byte{} },
		"pseudonym": func(e *features.Erasure) { e.Pseudonym = [16]byte{} },
	} {
		e := erasure("c1")
		change(&e)
		if _, err := s.Erase(t.Context(), e); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	profile(t, s, "c1", later)
}

func erasuresListed(t *testing.T, s Store) {
	fullCustomers(t, s, "c1", "c2", "c3")
	for i, id := range []string{"c3", "c1", "c2"} {
		e := erasure(id)
		e.At = noon(day5) + fund.Instant(i/2)*hour // c3 and c1 at once, c2 an hour later
		if _, err := s.Erase(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	list := func(since fund.Instant) (ids []string) {
		err := s.ErasedSince(t.Context(), since, func(e *features.Erased) error { ids = append(ids, e.CustomerID); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	wantSame(t, "all", list(0), []string{"c1", "c3", "c2"})
	wantSame(t, "from the very instant", list(noon(day5)), []string{"c1", "c3", "c2"})
	wantSame(t, "after it", list(noon(day5)+1), []string{"c2"})
	enough := errors.New("enough")
	if err := s.ErasedSince(t.Context(), 0, func(*features.Erased) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("a reader that stops: %v, want its own error", err)
	}
}

func erasureCancelled(t *testing.T, s Store) {
	fullCustomers(t, s, "c1")
	before := profile(t, s, "c1", later)
	if _, err := s.Erase(cancelled(t), erasure("c1")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want Canceled", err)
	}
	wantSame(t, "profile", profile(t, s, "c1", later), before)
}
