//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func quarantinePromises() []promise {
	return []promise{
		{"a cell of the future is kept aside, counted, and in no profile", earlyCells},
		{"the tolerance holds at the bound and one past it", earlyBound},
		{"what is dated within the tolerance is seen from its instant on, and not before, whatever is folded into the head meanwhile", toleratedWaits},
		{"an end of validity in the future is no reason", futureValidity},
		{"of a batch of events the early ones are kept aside and the rest counts", earlyEvents},
		{"an import keeps aside cells, interactions and events of the future", earlyImports},
		{"a fact that comes again is kept once and counted again", earlyOnce},
		{"when its time has come the fact is taken as any other", earlyLater},
		{"a replay tells what the first call told", earlyReplay},
		{"a write that is refused keeps nothing aside", earlyRefused},
		{"the quarantine is read in the order of arrival, and a reader may stop", earlyReading},
	}
}

// tolerance is features.FutureTolerance on the clock of the cases.
const tolerance = fund.Instant(features.FutureTolerance / time.Microsecond)

// quarantined reads the quarantine.
func quarantined(t *testing.T, s Store) (out []features.QuarantinedFact) {
	t.Helper()
	err := s.Quarantined(t.Context(), func(q *features.QuarantinedFact) error { out = append(out, *q); return nil })
	if err != nil {
		t.Fatalf("read the quarantine: %v", err)
	}
	return out
}

func earlyCells(t *testing.T, s Store) {
	known(t, s, "c1")
	before := profile(t, s, "c1", later)
	c := tag("c1", "a", "tomorrow", noon(day5)+24*hour)
	c.Source = "crm"
	r := write(t, s, c)
	if r.Quarantined != 1 || r.Changed || r.Revision != before.Revision {
		t.Errorf("receipt %+v, want one quarantined and nothing changed", r)
	}
	wantSame(t, "profile", profile(t, s, "c1", later), before)
	got := quarantined(t, s)
	if len(got) != 1 || got[0].CustomerID != "c1" || got[0].What != "cell tag/a" || got[0].EventAt != c.EventAt || got[0].RecordedAt != noon(day5) {
		t.Fatalf("the quarantine holds %+v, want the cell", got)
	}
	for _, word := range []string{`"value":"tomorrow"`, `"source":"crm"`, `"event_at":"` + c.EventAt.String()} {
		if !strings.Contains(got[0].Content, word) {
			t.Errorf("%s does not say %s", got[0].Content, word)
		}
	}
	if r := write(t, s, tag("c1", "b", "1", noon(day1)), c); r.Quarantined != 1 || !r.Changed {
		t.Errorf("receipt %+v, want the other cell written", r)
	}
	wantTag(t, s, "c1", "b", later, "1")
	wantTag(t, s, "c1", "a", later, "")
}

func earlyBound(t *testing.T, s Store) {
	known(t, s, "c1")
	at := noon(day5)
	on := tag("c1", "on", "1", at+tolerance)
	past := tag("c1", "past", "1", at+tolerance+1)
	knownOn, knownPast := tag("c1", "known", "1", at), tag("c1", "known past", "1", at)
	knownOn.KnownAt, knownPast.KnownAt = at+tolerance, at+tolerance+1
	if r := write(t, s, on, past, knownOn, knownPast); r.Quarantined != 2 {
		t.Errorf("receipt %+v, want two quarantined", r)
	}
	for name, want := range map[string]string{"on": "1", "past": "", "known": "1", "known past": ""} {
		wantTag(t, s, "c1", name, later, want)
	}
}

func toleratedWaits(t *testing.T, s Store) {
	known(t, s, "c1")
	now := noon(day5)
	soon, knownSoon := tag("c1", "a", "soon", now+tolerance), tag("c1", "b", "soon", now)
	knownSoon.KnownAt = now + tolerance
	write(t, s, tag("c1", "a", "old", noon(day1)), tag("c1", "b", "old", noon(day1)))
	write(t, s, soon, knownSoon)
	want := func(at fund.Instant, value string, clicks int) {
		t.Helper()
		p := profile(t, s, "c1", at)
		a, _ := p.Tag("a", at)
		b, _ := p.Tag("b", at)
		if a.Value != value || b.Value != value || len(p.Trail.Recent) != clicks {
			t.Errorf("at %s: tags %q and %q, %d events, want %q and %d", at, a.Value, b.Value, len(p.Trail.Recent), value, clicks)
		}
	}
	want(now, "old", 0)
	record(t, s, now, did("e1", "c1", "CLICK", noon(day2)))
	record(t, s, now, did("e2", "c1", "CLICK", now+tolerance-1))
	want(now, "old", 1)
	want(now+tolerance-2, "old", 1)
	want(now+tolerance-1, "old", 2)
	want(now+tolerance, "soon", 2)
	want(later, "soon", 2)
}

func futureValidity(t *testing.T, s Store) {
	known(t, s, "c1")
	c := tag("c1", "a", "1", noon(day1))
	c.ValidTo = later
	if r := write(t, s, c); r.Quarantined != 0 || !r.Changed {
		t.Errorf("receipt %+v, want the cell written", r)
	}
}

func earlyEvents(t *testing.T, s Store) {
	known(t, s, "c1", "c2")
	early, knownEarly := did("e2", "c1", "CLICK", noon(day3)), did("e4", "c2", "CLICK", noon(day1))
	knownEarly.KnownAt = noon(day3)
	batch := []features.Event{did("e1", "c1", "CLICK", noon(day1)), early, did("e3", "c1", "CONTACT", noon(day2)+tolerance), knownEarly}
	if r := record(t, s, noon(day2), batch...); r != (features.EventsReceipt{Accepted: 2, Quarantined: 2}) {
		t.Errorf("receipt %+v, want two accepted and two quarantined", r)
	}
	if got := eventIDs(t, s, "c1", later); got != "e1 e3" {
		t.Errorf("events %q, want e1 e3", got)
	}
	if p := profile(t, s, "c1", later); len(p.Trail.Recent) != 2 {
		t.Errorf("trail %+v, want two events", p.Trail.Recent)
	}
	if r := record(t, s, noon(day2), batch...); r != (features.EventsReceipt{Duplicates: 2, Quarantined: 2}) {
		t.Errorf("receipt of the same again %+v, want two duplicates and two quarantined", r)
	}
	before := changes(t, s)
	if r := record(t, s, noon(day2), early); r != (features.EventsReceipt{Quarantined: 1}) {
		t.Errorf("receipt %+v, want one quarantined", r)
	}
	wantSame(t, "the log", changes(t, s), before)
	if got := quarantined(t, s); len(got) != 2 || got[0].What != "event e2" || got[1].What != "event e4" {
		t.Errorf("the quarantine holds %+v, want e2 and e4, once each", got)
	}
	_, err := s.RecordEvents(t.Context(), features.EventBatch{RecordedAt: noon(day2), Events: []features.Event{did("x", "nobody", "CLICK", noon(day3))}})
	if !errors.Is(err, features.ErrNotFound) {
		t.Errorf("an early event of nobody: %v, want ErrNotFound", err)
	}
}

func earlyImports(t *testing.T, s Store) {
	tomorrow := noon(day5) + 24*hour
	fill := func(b features.Batch) error {
		return errors.Join(
			b.Cells([]features.Cell{person("c1", "industry", "BANKING"), tag("c1", "a", "now", noon(day1)), tag("c1", "a", "early", tomorrow)}),
			b.Purchases([]features.CustomerPurchase{
				{CustomerID: "c1", Purchase: fund.Purchase{ProductCode: "P1", KnownOn: day5, Kind: "BUY"}},
				{CustomerID: "c1", Purchase: fund.Purchase{ProductCode: "P2", KnownOn: tomorrow.Date(), Kind: "BUY", Amount: 5}},
			}),
			b.Events([]features.Event{did("e1", "c1", "CLICK", noon(day5)), did("e2", "c1", "CLICK", tomorrow)}),
		)
	}
	res := load(t, s, fill)
	if res.Quarantined != 3 || res.Changed != 4 {
		t.Errorf("result %+v, want 4 changed and 3 quarantined", res)
	}
	p := profile(t, s, "c1", later)
	if len(p.Purchases) != 1 || len(p.Trail.Recent) != 1 {
		t.Errorf("profile %+v, want one purchase and one event", p)
	}
	wantTag(t, s, "c1", "a", later, "now")
	got := quarantined(t, s)
	want := []string{"cell tag/a", "interaction P2", "event e2"}
	if len(got) != len(want) {
		t.Fatalf("the quarantine holds %+v, want %v", got, want)
	}
	for i := range want {
		if got[i].What != want[i] {
			t.Errorf("place %d holds %s, want %s", i, got[i].What, want[i])
		}
	}
	if all := purchases(t, s, features.Cut{AsOf: later, Seq: 1 << 40}); len(all["c1"]) != 1 {
		t.Errorf("a cut holds %v, want the one purchase", all)
	}
	if res := load(t, s, fill); res.Changed != 0 || res.Quarantined != 3 {
		t.Errorf("the same again: %+v, want nothing changed", res)
	}
}

func earlyOnce(t *testing.T, s Store) {
	known(t, s, "c1", "c2")
	c := tag("c1", "a", "1", later)
	for range 3 {
		if r := write(t, s, c); r.Quarantined != 1 {
			t.Errorf("receipt %+v, want one quarantined", r)
		}
	}
	other := c
	other.Value = "2"
	write(t, s, other)
	other.CustomerID = "c2"
	write(t, s, other)
	if got := quarantined(t, s); len(got) != 3 {
		t.Errorf("the quarantine holds %d facts, want 3: the same is one", len(got))
	}
}

func earlyLater(t *testing.T, s Store) {
	known(t, s, "c1")
	c := tag("c1", "a", "1", noon(day3))
	r, err := s.Write(t.Context(), features.Write{CustomerID: "c1", Cells: []features.Cell{c}, RecordedAt: noon(day2)})
	if err != nil || r.Quarantined != 1 {
		t.Errorf("on the day before: %+v, %v, want one quarantined", r, err)
	}
	wantTag(t, s, "c1", "a", later, "")
	r, err = s.Write(t.Context(), features.Write{CustomerID: "c1", Cells: []features.Cell{c}, RecordedAt: noon(day3)})
	if err != nil || r.Quarantined != 0 || !r.Changed {
		t.Errorf("on the day: %+v, %v, want it written", r, err)
	}
	wantTag(t, s, "c1", "a", noon(day3), "1")
}

func earlyReplay(t *testing.T, s Store) {
	known(t, s, "c1")
	w := features.Write{
		CustomerID: "c1", Cells: []features.Cell{tag("c1", "a", "1", later), tag("c1", "b", "1", noon(day1))}, RecordedAt: noon(day5),
		Idempotency: features.Idempotency{Scope: "s", Key: "k", BodyHash: [32]byte{1}},
	}
	first, err := s.Write(t.Context(), w)
	if err != nil || first.Quarantined != 1 || !first.Changed {
		t.Fatalf("first %+v, %v", first, err)
	}
	again, err := s.Write(t.Context(), w)
	if again.Replayed = false; err != nil || again != first {
		t.Errorf("replay %+v, %v, want %+v", again, err, first)
	}
}

func earlyRefused(t *testing.T, s Store) {
	known(t, s, "c1")
	refused := errors.New("refused")
	w := features.Write{CustomerID: "c1", Cells: []features.Cell{tag("c1", "a", "1", later)}, RecordedAt: noon(day5), Guard: func(*fund.Profile) error { return refused }}
	if _, err := s.Write(t.Context(), w); !errors.Is(err, refused) {
		t.Fatalf("write: %v, want the guard's error", err)
	}
	bad := []features.Event{did("e1", "c1", "CLICK", later), did("e2", "nobody", "CLICK", noon(day1))}
	if _, err := s.RecordEvents(t.Context(), features.EventBatch{Events: bad, RecordedAt: noon(day5)}); err == nil {
		t.Fatal("events of nobody were taken")
	}
	_, err := s.Import(t.Context(), noon(day5), func(b features.Batch) error {
		return errors.Join(b.Cells([]features.Cell{tag("c1", "a", "1", later)}), refused)
	})
	if !errors.Is(err, refused) {
		t.Fatalf("import: %v, want the fill's error", err)
	}
	if got := quarantined(t, s); len(got) != 0 {
		t.Errorf("the quarantine holds %+v, want nothing", got)
	}
}

func earlyReading(t *testing.T, s Store) {
	known(t, s, "c1", "c2")
	for i, id := range []string{"c2", "c1", "c2"} {
		write(t, s, tag(id, "a", "1", later-fund.Instant(i)))
	}
	var order []string
	for _, q := range quarantined(t, s) {
		order = append(order, q.CustomerID)
	}
	wantSame(t, "order of arrival", order, []string{"c2", "c1", "c2"})
	enough, n := errors.New("enough"), 0
	err := s.Quarantined(t.Context(), func(*features.QuarantinedFact) error { n++; return enough })
	if !errors.Is(err, enough) || n != 1 {
		t.Errorf("error %v after %d facts, want the reader's own after 1", err, n)
	}
	if err := s.Quarantined(cancelled(t), func(*features.QuarantinedFact) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}
