//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func eventPromises() []promise {
	return []promise{
		{"an event is kept once, however often it comes", eventsAreIdempotent},
		{"an id with other content is refused, and all of its batch", eventIDReused},
		{"an event of nobody is not found, and nothing of its batch is kept", eventOfNobody},
		{"what no store may keep is invalid at its place, and nothing of its batch is kept", invalidEvents},
		{"an event is seen from the time that it happened and was known", eventsAreBitemporal},
		{"an event that says no known time is known when it was recorded", eventsKnownWhenRecorded},
		{"events come by time and id, whatever their order of arrival", eventOrder},
		{"a reader of events may stop, and its error comes back", eventsStop},
		{"each customer of a batch is in the change log once, with a new revision", eventChanges},
		{"an import corrects an event, of whomever it was", eventCorrections},
		{"an import that repeats an event leaves its known time", repeatedEventsStayKnown},
		{"consents are in the profile, the newest word on each purpose", consentsInProfile},
		{"one by one, in one batch or imported, in any order: the same profile", eventsConverge},
		{"a full trail forgets the same whichever way it was filled", fullTrails},
		{"a manager is found by his id", managersFound},
	}
}

// did returns an event of a customer.
func did(id, customerID, kind string, at fund.Instant) features.Event {
	return features.Event{ID: id, CustomerID: customerID, Kind: kind, EventAt: at, ProductCode: "P1", Channel: "APP"}
}

// record records events and must succeed.
func record(t *testing.T, s Store, at fund.Instant, events ...features.Event) features.EventsReceipt {
	t.Helper()
	r, err := s.RecordEvents(t.Context(), features.EventBatch{Events: events, RecordedAt: at})
	if err != nil {
		t.Fatalf("record events: %v", err)
	}
	return r
}

// eventIDs reads the ids of a customer's events as of an instant.
func eventIDs(t *testing.T, s Store, customerID string, at fund.Instant) string {
	t.Helper()
	var ids []string
	err := s.Events(t.Context(), customerID, at, func(e *features.Event) error {
		ids = append(ids, e.ID)
		return nil
	})
	if err != nil {
		t.Fatalf("events of %s: %v", customerID, err)
	}
	return strings.Join(ids, " ")
}

func eventsAreIdempotent(t *testing.T, s Store) {
	known(t, s, "c1")
	a, b := did("e1", "c1", "CLICK", noon(day1)), did("e2", "c1", "OBJECTION", noon(day2))
	b.Attributes = `{"objection":"FEE","n":1}`
	if r := record(t, s, noon(day3), a, a, b); r != (features.EventsReceipt{Accepted: 2, Duplicates: 1}) {
		t.Errorf("receipt %+v, want 2 accepted and 1 duplicate", r)
	}
	want, log := profile(t, s, "c1", later), changes(t, s)
	b.Attributes = `{ "n": 1, "objection": "FEE" }` // the same object
	if r := record(t, s, noon(day4), b, a); r != (features.EventsReceipt{Duplicates: 2}) {
		t.Errorf("receipt of the repetition %+v, want 2 duplicates", r)
	}
	wantSame(t, "profile after a repetition", profile(t, s, "c1", later), want)
	wantSame(t, "change log after a repetition", changes(t, s), log)
	if n := len(want.Trail.Recent); n != 2 || want.Trail.Recent[1].About != "FEE" {
		t.Errorf("trail %+v, want the click and the doubt", want.Trail.Recent)
	}
}

func eventIDReused(t *testing.T, s Store) {
	known(t, s, "c1", "c2")
	base := did("e1", "c1", "CLICK", noon(day1))
	base.KnownAt, base.Attributes = noon(day1)+hour, `{"page":"FEE"}`
	record(t, s, noon(day3), base)
	want, log := profile(t, s, "c1", later), changes(t, s)
	for name, change := range map[string]func(*features.Event){
		"customer":   func(e *features.Event) { e.CustomerID = "c2" },
		"kind":       func(e *features.Event) { e.Kind = "DETAIL_VIEW" },
		"event time": func(e *features.Event) { e.EventAt++ },
		"known time": func(e *features.Event) { e.KnownAt++ },
		"product":    func(e *features.Event) { e.ProductCode = "" },
		"decision":   func(e *features.Event) { e.DecisionID = "d" },
		"channel":    func(e *features.Event) { e.Channel = "BRANCH" },
		"attributes": func(e *features.Event) { e.Attributes = `{"page":"RISK"}` },
	} {
		other := base
		change(&other)
		batches := [][]features.Event{{did("new", "c1", "CLICK", noon(day2)), other}}
		again := other // in one batch, neither of them in the store
		again.ID, base.ID = "e9", "e9"
		batches = append(batches, []features.Event{base, again})
		base.ID = "e1"
		for _, events := range batches {
			_, err := s.RecordEvents(t.Context(), features.EventBatch{Events: events, RecordedAt: noon(day4)})
			var reused *features.EventReusedError
			if !errors.Is(err, features.ErrEventReused) || !errors.As(err, &reused) || reused.Place != 1 || reused.ID != events[1].ID {
				t.Errorf("another %s: %v, want ErrEventReused of events[1]", name, err)
			}
		}
	}
	wantSame(t, "profile", profile(t, s, "c1", later), want)
	wantSame(t, "change log", changes(t, s), log)
	if got := eventIDs(t, s, "c1", later); got != "e1" {
		t.Errorf("events %q, want e1 alone", got)
	}
}

func eventOfNobody(t *testing.T, s Store) {
	known(t, s, "c1")
	log := changes(t, s)
	events := []features.Event{did("e1", "c1", "CLICK", noon(day1)), did("e2", "c2", "CLICK", noon(day1))}
	_, err := s.RecordEvents(t.Context(), features.EventBatch{Events: events, RecordedAt: noon(day2)})
	var missing *features.NotFoundError
	if !errors.As(err, &missing) || missing.Kind != features.CustomerKind || missing.ID != "c2" {
		t.Errorf("error %v, want that customer c2 is not found", err)
	}
	wantSame(t, "change log", changes(t, s), log)
	if got := eventIDs(t, s, "c1", later); got != "" {
		t.Errorf("events %q, want none", got)
	}
	if err := s.Events(t.Context(), "c2", later, nil); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("events of c2: %v, want ErrNotFound", err)
	}
}

func invalidEvents(t *testing.T, s Store) {
	known(t, s, "c1")
	good := did("e1", "c1", "CLICK", noon(day1))
	for name, change := range map[string]func(*features.Event){
		"no id":            func(e *features.Event) { e.ID = "" },
		"no customer":      func(e *features.Event) { e.CustomerID = "" },
		"an unknown kind":  func(e *features.Event) { e.Kind = "BUY" },
		"no event time":    func(e *features.Event) { e.EventAt = 0 },
		"a broken channel": func(e *features.Event) { e.Channel = "\xff" },
		"no JSON":          func(e *features.Event) { e.Attributes = "[]" },
		"long attributes": func(e *features.Event) {
			e.Attributes = `{"a":"` + strings.Repeat("x", features.MaxEventAttributes) + `"}`
		},
		"a page of numbers": func(e *features.Event) { e.Attributes = `{"page":7}` },
	} {
		bad := did("e2", "c1", "CLICK", noon(day1))
		change(&bad)
		_, err := s.RecordEvents(t.Context(), features.EventBatch{Events: []features.Event{good, bad}, RecordedAt: noon(day2)})
		if !errors.Is(err, features.ErrInvalid) || !strings.Contains(err.Error(), "events[1]") {
			t.Errorf("%s: %v, want ErrInvalid of events[1]", name, err)
		}
	}
	for name, b := range map[string]features.EventBatch{
		"no time of recording": {Events: []features.Event{good}},
		"too many":             {Events: make([]features.Event, features.MaxEventBatch+1), RecordedAt: 1},
	} {
		if _, err := s.RecordEvents(t.Context(), b); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	if got := eventIDs(t, s, "c1", later); got != "" {
		t.Errorf("events %q, want none", got)
	}
	if r := record(t, s, noon(day2)); r != (features.EventsReceipt{}) {
		t.Errorf("an empty batch: %+v, want nothing", r)
	}
}

func eventsAreBitemporal(t *testing.T, s Store) {
	known(t, s, "c1")
	late := did("late", "c1", "CLICK", noon(day1))
	late.KnownAt = noon(day3)
	early := did("early", "c1", "CLICK", noon(day2)) // told before it happened
	early.KnownAt = noon(day1)
	record(t, s, noon(day5), late, early)
	for _, c := range []struct {
		at   fund.Instant
		want string
	}{
		{noon(day1), ""},
		{noon(day2) - 1, ""},
		{noon(day2), "early"},
		{noon(day3) - 1, "early"},
		{noon(day3), "late early"},
		{later, "late early"},
	} {
		if got := eventIDs(t, s, "c1", c.at); got != c.want {
			t.Errorf("events at %s: %q, want %q", c.at, got, c.want)
		}
		want := 0
		if c.want != "" {
			want = len(strings.Fields(c.want))
		}
		if p := profile(t, s, "c1", c.at); len(p.Trail.Recent) != want || int(p.Trail.Tallies[fund.Click].Count) != want {
			t.Errorf("trail at %s: %+v, want %d clicks", c.at, p.Trail.Recent, want)
		}
	}
}

func eventsKnownWhenRecorded(t *testing.T, s Store) {
	known(t, s, "c1")
	record(t, s, noon(day3), did("e1", "c1", "CLICK", noon(day1)))
	if got := eventIDs(t, s, "c1", noon(day3)-1); got != "" {
		t.Errorf("events before the recording: %q, want none", got)
	}
	if got := eventIDs(t, s, "c1", noon(day3)); got != "e1" {
		t.Errorf("events at the recording: %q, want e1", got)
	}
	said := did("e1", "c1", "CLICK", noon(day1))
	said.KnownAt = noon(day3)
	if r := record(t, s, noon(day4), said); r.Duplicates != 1 {
		t.Errorf("the same with its known time said: %+v, want a duplicate", r)
	}
}

func eventOrder(t *testing.T, s Store) {
	known(t, s, "c1")
	record(t, s, noon(day2), did("b", "c1", "CLICK", noon(day2)))
	record(t, s, noon(day2), did("c", "c1", "EXPOSURE", noon(day1)), did("a", "c1", "CONTACT", noon(day2)))
	if got := eventIDs(t, s, "c1", later); got != "c a b" {
		t.Errorf("events %q, want c a b", got)
	}
	p := profile(t, s, "c1", later)
	if len(p.Trail.Recent) != 3 || !slices.IsSortedFunc(p.Trail.Recent, func(a, b fund.Event) int { return fund.CompareEvents(&a, &b) }) {
		t.Errorf("trail %+v, want three in their order", p.Trail.Recent)
	}
}

func eventsStop(t *testing.T, s Store) {
	known(t, s, "c1")
	record(t, s, noon(day2), did("a", "c1", "CLICK", noon(day1)), did("b", "c1", "CLICK", noon(day2)))
	enough, n := errors.New("enough"), 0
	err := s.Events(t.Context(), "c1", later, func(*features.Event) error {
		n++
		return enough
	})
	if !errors.Is(err, enough) || n != 1 {
		t.Errorf("error %v after %d events, want the reader's own after 1", err, n)
	}
	if err := s.Events(cancelled(t), "c1", later, func(*features.Event) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	if _, err := s.RecordEvents(cancelled(t), features.EventBatch{RecordedAt: noon(day5)}); !errors.Is(err, context.Canceled) {
		t.Errorf("recording with a context that has ended: %v", err)
	}
}

func eventChanges(t *testing.T, s Store) {
	known(t, s, "c1", "c2", "c3")
	before := changes(t, s)
	record(t, s, noon(day2), did("e1", "c2", "CLICK", noon(day1)), did("e2", "c1", "CLICK", noon(day1)), did("e3", "c2", "CLICK", noon(day2)))
	var who []string
	for _, c := range changes(t, s)[len(before):] {
		who = append(who, c.CustomerID)
	}
	if slices.Sort(who); !slices.Equal(who, []string{"c1", "c2"}) {
		t.Errorf("the log names %v, want c1 and c2", who)
	}
	p1, p2, p3 := profile(t, s, "c1", later), profile(t, s, "c2", later), profile(t, s, "c3", later)
	if p1.Revision != p2.Revision || p1.Revision <= p3.Revision {
		t.Errorf("revisions %d, %d and %d, want a new one for the first two", p1.Revision, p2.Revision, p3.Revision)
	}
	loadCells(t, s, tag("c1", "a", "1", noon(day4))) // what is written later changes nothing about the past
	if at := profile(t, s, "c1", noon(day2)); at.Revision != p1.Revision || at.Trail.Tallies[fund.Click].Count != 1 {
		t.Errorf("when the event was known the profile has revision %d, want the event's %d", at.Revision, p1.Revision)
	}
	if past := profile(t, s, "c1", noon(day2)-1); past.Revision >= p1.Revision || len(past.Trail.Recent) != 0 {
		t.Errorf("the past has revision %d and %d events, want what stood before", past.Revision, len(past.Trail.Recent))
	}
}

func eventCorrections(t *testing.T, s Store) {
	known(t, s, "c1", "c2")
	record(t, s, noon(day2), did("e1", "c1", "CLICK", noon(day1)), did("e2", "c1", "CLICK", noon(day1)))
	loadEvents := func(events ...features.Event) features.ImportResult {
		return load(t, s, func(b features.Batch) error { return b.Events(events) })
	}
	moved := did("e1", "c2", "REFUSAL", noon(day3))
	moved.Attributes = `{"reason":"FEE"}`
	if res := loadEvents(moved); res.Changed != 1 {
		t.Errorf("%d rows changed, want 1", res.Changed)
	}
	if res := loadEvents(moved); res.Changed != 0 {
		t.Errorf("the same again: %d rows changed, want 0", res.Changed)
	}
	if a, b := eventIDs(t, s, "c1", later), eventIDs(t, s, "c2", later); a != "e2" || b != "e1" {
		t.Errorf("events %q and %q, want e2 and e1", a, b)
	}
	p1, p2 := profile(t, s, "c1", later), profile(t, s, "c2", later)
	if len(p1.Trail.Recent) != 1 || p1.Trail.Tallies[fund.Click].Count != 1 {
		t.Errorf("c1 keeps %+v, want one click", p1.Trail.Recent)
	}
	if len(p2.Trail.Recent) != 1 || p2.Trail.Recent[0].About != "FEE" {
		t.Errorf("c2 has %+v, want the refusal", p2.Trail.Recent)
	}
	other := did("e2", "c1", "CALLED_BACK", noon(day1)) // a kind of the bank's own is kept and means nothing
	if loadEvents(other); len(profile(t, s, "c1", later).Trail.Recent) != 0 || eventIDs(t, s, "c1", later) != "e2" {
		t.Error("an event of an unknown kind is not kept beside the trail")
	}
}

// A nightly file has no known times as a rule. Were it to take those of the API, the past
// would come to know what nobody knew then.
func repeatedEventsStayKnown(t *testing.T, s Store) {
	known(t, s, "c1")
	refused := did("e1", "c1", "REFUSAL", noon(day1))
	refused.Attributes = `{"reason":"FEE"}`
	record(t, s, noon(day3), refused)
	again := refused
	again.Attributes = `{ "reason": "FEE" }`
	res := load(t, s, func(b features.Batch) error { return b.Events([]features.Event{again}) })
	if res.Changed != 0 {
		t.Errorf("the same without its known time: %d rows changed, want 0", res.Changed)
	}
	if n := len(profile(t, s, "c1", noon(day2)).Trail.Recent); n != 0 {
		t.Errorf("before it was known the profile has %d events, want none", n)
	}
	again.KnownAt = noon(day2)
	if res = load(t, s, func(b features.Batch) error { return b.Events([]features.Event{again}) }); res.Changed != 1 {
		t.Errorf("with another known time: %d rows changed, want 1", res.Changed)
	}
	if n := len(profile(t, s, "c1", noon(day2)).Trail.Recent); n != 1 {
		t.Errorf("from the corrected known time on the profile has %d events, want 1", n)
	}
}

func consentsInProfile(t *testing.T, s Store) {
	known(t, s, "c1")
	say := func(purpose, value string, at fund.Instant) features.Cell {
		return features.Cell{CustomerID: "c1", View: features.ConsentView, Name: purpose, Value: value, EventAt: at}
	}
	loadCells(t, s, say(fund.ConsentPush, "true", noon(day2)), say(fund.ConsentCall, "true", noon(day1)), say(fund.ConsentPush, "false", noon(day4)))
	want := []fund.Consent{{Purpose: fund.ConsentCall, Granted: true, At: noon(day1)}, {Purpose: fund.ConsentPush, At: noon(day4)}}
	wantSame(t, "consents", profile(t, s, "c1", later).Consents, want)
	p := profile(t, s, "c1", noon(day3))
	if p.Consent(fund.ConsentPush) != fund.Yes || p.Consent("OTHER") != fund.Unknown {
		t.Errorf("consents on day 3: %+v", p.Consents)
	}
	_, err := s.Write(t.Context(), features.Write{CustomerID: "c1", RecordedAt: 1, Cells: []features.Cell{say(fund.ConsentPush, "perhaps", noon(day5))}})
	if !errors.Is(err, features.ErrInvalid) {
		t.Errorf("a word that is neither true nor false: %v, want ErrInvalid", err)
	}
}

// drawEvent draws an event of few kinds and times, so that they meet.
func drawEvent(t *rapid.T, id, customerID string) features.Event {
	kinds := []string{"CLICK", "DETAIL_VIEW", "OBJECTION", "REFUSAL", "ORDER_CONFIRM", "REDEEM", "COMPLAINT"}
	e := features.Event{
		ID: id, CustomerID: customerID, Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
		EventAt:     max(drawTime(t, "happened"), noon(day1)),
		KnownAt:     drawTime(t, "known"),
		ProductCode: rapid.SampledFrom([]string{"", "P1", "P2"}).Draw(t, "product"),
		Attributes:  rapid.SampledFrom([]string{"", `{"amount_fen":500,"about":"LOSS"}`, `{"closed":true,"until":"2020-06-01"}`}).Draw(t, "attributes"),
	}
	if e.KnownAt == 0 {
		e.KnownAt = e.EventAt // a recording would give it one of its own
	}
	return e
}

// encoded returns the canonical bytes of a profile without what the way of writing shows.
func encoded(t *rapid.T, s Store, id string, at fund.Instant) []byte {
	p, err := s.Profile(context.Background(), id, at)
	if err != nil {
		t.Fatal(err)
	}
	same := *p
	same.CustomerID, same.Revision = "", 0
	return fund.AppendProfile(nil, &same)
}

//nolint:gocognit // four ways to the same profile: they are easier to compare in one place
func eventsConverge(t *testing.T, s Store) {
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		ids := newCustomers(t, s, run, "one", "batch", "import", "mixed")
		var events []features.Event
		for i := range rapid.IntRange(1, 9).Draw(t, "events") {
			events = append(events, drawEvent(t, fmt.Sprint("e", i), ""))
		}
		// of returns the events as a customer's, in another order.
		of := func(id string) []features.Event {
			out := rapid.Permutation(events).Draw(t, "order")
			for i := range out {
				out[i].CustomerID, out[i].ID = id, id+out[i].ID
			}
			return out
		}
		recordAll := func(events ...features.Event) {
			if _, err := s.RecordEvents(context.Background(), features.EventBatch{Events: events, RecordedAt: noon(day5)}); err != nil {
				t.Fatal(err)
			}
		}
		importAll := func(events ...features.Event) {
			if _, err := s.Import(context.Background(), noon(day5), func(b features.Batch) error { return b.Events(events) }); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range of(ids[0]) {
			recordAll(e)
		}
		recordAll(of(ids[1])...)
		importAll(of(ids[2])...)
		mixed := of(ids[3])
		half := len(mixed) / 2
		importAll(mixed[:half]...)
		recordAll(mixed[half:]...)
		if _, err := s.Write(context.Background(), features.Write{CustomerID: ids[3], RecordedAt: noon(day5)}); err != nil {
			t.Fatal(err)
		}
		for _, at := range append(moments(), noon(day5)) {
			cells := []features.Cell{person("", "investor_type", "ORDINARY")}
			want, err := features.Fold("", cells, nil, features.AsKnown(at))
			if err != nil {
				t.Fatal(err)
			}
			var entries []fund.Event
			for i := range events {
				if entry, ok := events[i].Entry(); ok && events[i].VisibleAt(at) {
					entries = append(entries, entry)
				}
			}
			want.Trail = behaviour.Of(entries)
			scratch := fund.AppendProfile(nil, want)
			for _, id := range ids {
				if got := encoded(t, s, id, at); !bytes.Equal(got, scratch) {
					p, _ := s.Profile(context.Background(), id, at)
					t.Fatalf("%s at %s is not the recomputation (-want +got):\n%s", id, at, cmp.Diff(want.Trail, p.Trail))
				}
			}
		}
	})
}

func fullTrails(t *testing.T, s Store) {
	known(t, s, "c1", "c2")
	n := behaviour.KeptActs + 40
	var events []features.Event
	for i := range n {
		e := did(fmt.Sprintf("e%03d", i), "c1", "CLICK", noon(day1)+fund.Instant(i*7%n)*(hour/60))
		e.KnownAt = e.EventAt
		events = append(events, e)
	}
	for from := 0; from < n; from += 70 {
		record(t, s, noon(day5), events[from:min(from+70, n)]...)
	}
	slices.Reverse(events)
	for i := range events {
		events[i].CustomerID, events[i].ID = "c2", "x"+events[i].ID
	}
	load(t, s, func(b features.Batch) error { return b.Events(events) })
	one, two := profile(t, s, "c1", later), profile(t, s, "c2", later)
	wantSame(t, "trail", one.Trail, two.Trail)
	if len(one.Trail.Recent) != behaviour.KeptActs || int(one.Trail.Tallies[fund.Click].Count) != n {
		t.Errorf("%d events are kept of %d, want %d of %d", len(one.Trail.Recent), one.Trail.Tallies[fund.Click].Count, behaviour.KeptActs, n)
	}
}

func managersFound(t *testing.T, s Store) {
	want := features.Manager{ID: "m1", BranchID: "b1", LicenceID: "L1", LicenceUntil: day5}
	load(t, s, func(b features.Batch) error { return b.Managers([]features.Manager{want}) })
	got, err := s.Manager(t.Context(), "m1")
	if err != nil || got != want {
		t.Errorf("manager %+v, %v, want %+v", got, err, want)
	}
	_, err = s.Manager(t.Context(), "m2")
	var missing *features.NotFoundError
	if !errors.Is(err, features.ErrNotFound) || !errors.As(err, &missing) || missing.ID != "m2" {
		t.Errorf("an unknown manager: %v, want a NotFoundError of m2", err)
	}
}
