package event_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/event"
)

// bank is a service over a store with two customers, and a clock that tests move.
type bank struct {
	*event.Service
	store *memory.Store
	now   time.Time
}

func open(t *testing.T) *bank {
	t.Helper()
	b := &bank{store: memory.New(), now: time.Date(2026, 3, 5, 2, 0, 0, 0, time.UTC)}
	b.Service = event.New(b.store, func() time.Time { return b.now })
	_, err := b.store.Import(t.Context(), 1, func(to features.Batch) error {
		return to.Cells([]features.Cell{
			{CustomerID: "C1", View: features.PersonView, Name: "industry", Value: "BANKING"},
			{CustomerID: "C2", View: features.PersonView, Name: "industry", Value: "BANKING"},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sent reads an event as a sender writes it.
func sent(t *testing.T, text string) *fundmatchv1.Event {
	t.Helper()
	var e fundmatchv1.Event
	if err := protojson.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	return &e
}

const (
	click   = `{"eventId":"E1","customerId":"C1","kind":"CLICK","eventAt":"2026-03-05T09:59:00+08:00","productCode":"P1","channel":"APP","attributes":{"tab":"FEE","z":1,"a":[true,null]}}`
	refusal = `{"eventId":"E2","customerId":"C1","kind":"REFUSAL","eventAt":"2026-03-01T09:59:00+08:00","decisionId":"D-1","attributes":{"reason":"FEE","until":"2026-06-01"}}`
	contact = `{"eventId":"E3","customerId":"C2","kind":"CONTACT","eventAt":"2026-03-05T10:04:59+08:00"}`
)

func (b *bank) record(t *testing.T, texts ...string) (*fundmatchv1.RecordEventsResponse, error) {
	t.Helper()
	req := &fundmatchv1.RecordEventsRequest{}
	for _, text := range texts {
		req.Events = append(req.Events, sent(t, text))
	}
	return b.RecordEvents(t.Context(), req)
}

func (b *bank) want(t *testing.T, accepted, duplicates int32, texts ...string) {
	t.Helper()
	got, err := b.record(t, texts...)
	if err != nil || got.GetAccepted() != accepted || got.GetDuplicates() != duplicates {
		t.Errorf("%v, %v, want %d accepted and %d duplicates", got, err, accepted, duplicates)
	}
}

func TestABatchIsKeptOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.want(t, 3, 0, click, refusal, contact)
	b.now = b.now.Add(time.Hour)
	b.want(t, 0, 3, contact, click, refusal) // an hour later: what it does not say is no difference
	b.want(t, 0, 1, strings.Replace(click, `"z":1,"a":[true,null]`, `"a":[true,null],"z":1.0`, 1))
	p, err := b.store.Profile(t.Context(), "C1", fund.InstantOf(b.now))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Trail.Recent) != 2 || p.Trail.Recent[0].About != "FEE" || p.Trail.Recent[0].Until != 2026_06_01 || p.Trail.Recent[1].About != "FEE" {
		t.Errorf("trail %+v, want the refusal, then the click", p.Trail.Recent)
	}
}

// What a sender's clock says is kept, a little ahead of ours too; it is seen when it has
// come.
func TestAnEventKeepsItsTime(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.want(t, 1, 0, contact)
	for _, c := range []struct {
		at   time.Time
		want int
	}{{b.now, 0}, {b.now.Add(298 * time.Second), 0}, {b.now.Add(299 * time.Second), 1}} {
		p, err := b.store.Profile(t.Context(), "C2", fund.InstantOf(c.at))
		if err != nil || len(p.Trail.Recent) != c.want {
			t.Errorf("at %s: %+v, %v, want %d events", c.at, p, err, c.want)
		}
	}
}

func TestWhatIsWrongIsNamedAndNothingIsKept(t *testing.T) {
	t.Parallel()
	edit := func(change func(*fundmatchv1.Event)) *fundmatchv1.Event {
		e := sent(t, click)
		e.EventId = "E9"
		change(e)
		return e
	}
	at := func(text string) *fundmatchv1.Event {
		return edit(func(e *fundmatchv1.Event) {
			moment, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				t.Fatal(err)
			}
			e.EventAt = timestamppb.New(moment)
		})
	}
	with := func(kind, key string, value *structpb.Value) *fundmatchv1.Event {
		return edit(func(e *fundmatchv1.Event) {
			e.Kind, e.Attributes = kind, &structpb.Struct{Fields: map[string]*structpb.Value{key: value}}
		})
	}
	for field, events := range map[string][]*fundmatchv1.Event{
		"eventId": {edit(func(e *fundmatchv1.Event) { e.EventId = "" }), edit(func(e *fundmatchv1.Event) { e.EventId = "a b" })},
		"customerId": {
			edit(func(e *fundmatchv1.Event) { e.CustomerId = "" }), edit(func(e *fundmatchv1.Event) { e.CustomerId = strings.Repeat("x", 65) }),
		},
		"kind":        {edit(func(e *fundmatchv1.Event) { e.Kind = "" }), edit(func(e *fundmatchv1.Event) { e.Kind = "UNKNOWN" }), edit(func(e *fundmatchv1.Event) { e.Kind = "click" })},
		"productCode": {edit(func(e *fundmatchv1.Event) { e.ProductCode = "-1" })},
		"decisionId":  {edit(func(e *fundmatchv1.Event) { e.DecisionId = strings.Repeat("x", 257) })},
		"channel":     {edit(func(e *fundmatchv1.Event) { e.Channel = "A\nB" })},
		"eventAt": {
			edit(func(e *fundmatchv1.Event) { e.EventAt = nil }), edit(func(e *fundmatchv1.Event) { e.EventAt = &timestamppb.Timestamp{Nanos: -1} }),
			edit(func(e *fundmatchv1.Event) { e.EventAt = &timestamppb.Timestamp{Seconds: math.MaxInt64} }),
			at("1989-12-31T23:59:59+08:00"), at("2200-01-01T00:00:00+08:00"),
		},
		"attributes.objection": {with("OBJECTION", "objection", structpb.NewStringValue("DRAWDOW")), with("EVIDENCE_OPEN", "objection", structpb.NewStringValue("fee"))},
		"attributes.code": {
			with("OBJECTION", "code", structpb.NewStringValue("UNKNOWN")), with("OBJECTION", "code", structpb.NewStringValue("KEY_FACTS")),
			with("EVIDENCE_OPEN", "code", structpb.NewStringValue("KEY_FACTS:")), with("EVIDENCE_OPEN", "code", structpb.NewStringValue("OPINION:1")),
		},
		"attributes.tab":        {with("CLICK", "tab", structpb.NewNumberValue(1))},
		"attributes.amountFen":  {with("REDEEM", "amountFen", structpb.NewStringValue("5")), with("REDEEM", "amountFen", structpb.NewNumberValue(1e300))},
		"attributes.until":      {with("REFUSAL", "until", structpb.NewStringValue("tomorrow"))},
		"attributes.closed":     {with("COMPLAINT", "closed", structpb.NewStringValue("yes"))},
		"attributes":            {with("CLICK", "x", structpb.NewStringValue(strings.Repeat("x", 17_000)))},
		"attributes.amount_fen": {with("ORDER_START", "amount_fen", structpb.NewNumberValue(0.5))},
	} {
		for i, e := range events {
			b := open(t)
			_, err := b.RecordEvents(t.Context(), &fundmatchv1.RecordEventsRequest{Events: []*fundmatchv1.Event{sent(t, contact), e}})
			var invalid *features.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != "events[1]."+field || invalid.Expected == "" {
				t.Errorf("%s, case %d: %v, want an InvalidError of events[1].%s", field, i, err, field)
			}
			if p, err := b.store.Profile(t.Context(), "C2", fund.InstantOf(b.now.Add(time.Hour))); err != nil || len(p.Trail.Recent) != 0 {
				t.Errorf("%s, case %d: %+v, %v, want nothing kept", field, i, p, err)
			}
		}
	}
}

// The bounds hold at the bound and one past it.
func TestBounds(t *testing.T) {
	t.Parallel()
	b := open(t)
	many := func(n int) *fundmatchv1.RecordEventsRequest {
		req := &fundmatchv1.RecordEventsRequest{}
		for i := range n {
			e := sent(t, click)
			e.EventId = fmt.Sprint("N", i)
			req.Events = append(req.Events, e)
		}
		return req
	}
	for _, n := range []int{0, event.MaxBatch + 1} {
		var invalid *features.InvalidError
		if _, err := b.RecordEvents(t.Context(), many(n)); !errors.As(err, &invalid) || invalid.Field != "events" {
			t.Errorf("%d events: %v, want an InvalidError of events", n, err)
		}
	}
	if got, err := b.RecordEvents(t.Context(), many(event.MaxBatch)); err != nil || got.GetAccepted() != event.MaxBatch {
		t.Errorf("%d events: %v, %v, want all accepted", event.MaxBatch, got, err)
	}
	for _, moment := range []string{"1990-01-01T00:00:00+08:00", "2026-03-05T10:05:00+08:00"} {
		b.want(t, 1, 0, strings.NewReplacer("E1", "T"+moment[:4], "2026-03-05T09:59:00+08:00", moment).Replace(click))
	}
}

func TestAnIDThatIsTaken(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.want(t, 2, 0, click, refusal)
	for name, texts := range map[string][]string{
		"in the store": {contact, strings.Replace(refusal, "FEE", "RISK", 1)},
		"in the batch": {strings.Replace(contact, "E3", "E4", 1), strings.NewReplacer("E3", "E4", "CONTACT", "CLICK").Replace(contact)},
	} {
		_, err := b.record(t, texts...)
		var reused *features.EventReusedError
		if !errors.As(err, &reused) || reused.Place != 1 {
			t.Errorf("%s: %v, want an EventReusedError of events[1]", name, err)
		}
	}
	b.want(t, 1, 0, contact) // nothing of the refused batches was kept
}

// One sender's wrong clock does not cost the others of the batch their events: what lies
// beyond the tolerance is kept aside and counted.
func TestAnEventOfTheFutureIsKeptAside(t *testing.T) {
	t.Parallel()
	b := open(t)
	early := strings.NewReplacer("E3", "E4", "10:04:59", "10:05:00.000001").Replace(contact)
	for range 2 {
		got, err := b.record(t, early, strings.Replace(contact, "E3", "E5", 1))
		if err != nil || got.GetQuarantined() != 1 || got.GetAccepted()+got.GetDuplicates() != 1 {
			t.Errorf("%v, %v, want one taken and one quarantined", got, err)
		}
	}
	p, err := b.store.Profile(t.Context(), "C2", fund.InstantOf(b.now.Add(time.Hour)))
	if err != nil || len(p.Trail.Recent) != 1 {
		t.Errorf("profile %+v, %v, want the one event", p, err)
	}
	b.now = b.now.Add(time.Second)
	b.want(t, 1, 0, early) // its time has come near enough
}

func TestAnUnknownCustomer(t *testing.T) {
	t.Parallel()
	b := open(t)
	_, err := b.record(t, click, strings.Replace(contact, "C2", "C3", 1))
	var missing *features.NotFoundError
	if !errors.As(err, &missing) || missing.Kind != features.CustomerKind || missing.ID != "C3" {
		t.Errorf("%v, want that customer C3 is not found", err)
	}
	b.want(t, 1, 0, click)
}

// broken is a store that does not answer.
type broken struct{ store }

type store = features.Events // under a name that hides none of its methods

func (broken) RecordEvents(context.Context, features.EventBatch) (features.EventsReceipt, error) {
	return features.EventsReceipt{}, features.ErrUnavailable
}

func TestTheStoresErrorComesBack(t *testing.T) {
	t.Parallel()
	s := event.New(broken{}, func() time.Time { return time.Unix(2_000_000_000, 0) })
	req := &fundmatchv1.RecordEventsRequest{Events: []*fundmatchv1.Event{sent(t, click)}}
	if got, err := s.RecordEvents(t.Context(), req); !errors.Is(err, features.ErrUnavailable) || got != nil {
		t.Errorf("%v, %v, want ErrUnavailable alone", got, err)
	}
}

// Whatever bytes are a request, it is answered or refused with a typed error, and a
// second call accepts nothing more.
func FuzzRecordEvents(f *testing.F) {
	for _, text := range []string{click, refusal, contact} {
		var e fundmatchv1.Event
		if err := protojson.Unmarshal([]byte(text), &e); err != nil {
			f.Fatal(err)
		}
		seed, err := proto.Marshal(&fundmatchv1.RecordEventsRequest{Events: []*fundmatchv1.Event{&e, &e}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var req fundmatchv1.RecordEventsRequest
		if proto.Unmarshal(data, &req) != nil {
			return
		}
		b := open(t)
		_, err := b.RecordEvents(t.Context(), &req)
		var invalid *features.InvalidError
		if err != nil && !errors.As(err, &invalid) && !errors.Is(err, features.ErrNotFound) && !errors.Is(err, features.ErrEventReused) {
			t.Errorf("an error of no kind: %v", err)
		}
		if err != nil {
			return
		}
		if again, err := b.RecordEvents(t.Context(), &req); err != nil || again.GetAccepted() != 0 {
			t.Errorf("the same again: %v, %v, want duplicates", again, err)
		}
	})
}
