package event

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// earliest is the first day of which an event is believed: an older time is a unit that
// was taken for another, or a clock that was never set.
const earliest fund.Date = 1990_01_01

// latest is the first day of which none is believed, for the same reason. What lies between
// now and then is the store's to keep aside (features.Quarantine): a sender's wrong clock
// must not cost the others of his batch their events. An event that is ahead of this clock by
// no more than features.FutureTolerance keeps its time, or its repetition would be another
// event; it is seen from then on.
const latest fund.Date = 2200_01_01

const expectedID = "1 to 64 of 0-9 A-Z a-z . _ - that begin with a letter or digit"

// reading reads one event of a batch.
type reading struct {
	place string // events[3]
}

// event checks an event and returns it as a store keeps it.
func (r reading) event(sent *fundmatchv1.Event) (features.Event, error) {
	e := features.Event{
		ID: sent.GetEventId(), CustomerID: sent.GetCustomerId(), Kind: sent.GetKind(),
		ProductCode: sent.GetProductCode(), DecisionID: sent.GetDecisionId(), Channel: sent.GetChannel(),
	}
	for _, id := range [...]struct {
		field, value string
		optional     bool
	}{{"eventId", e.ID, false}, {"customerId", e.CustomerID, false}, {"productCode", e.ProductCode, true}} {
		if (id.value != "" || !id.optional) && fund.CheckID(id.value) != nil {
			return e, r.invalid(id.field, id.value, expectedID)
		}
	}
	for _, text := range [...]struct{ field, value string }{{"decisionId", e.DecisionID}, {"channel", e.Channel}} {
		if !isLabel(text.value) {
			return e, r.invalid(text.field, strings.ToValidUTF8(text.value, "\uFFFD"),
				"at most "+strconv.Itoa(fund.MaxTextLength)+" bytes of UTF-8 without control characters")
		}
	}
	var err error
	if e.EventAt, err = r.eventAt(sent.GetEventAt()); err != nil {
		return e, err
	}
	if e.Attributes, err = r.attributes(sent.GetAttributes()); err != nil {
		return e, err
	}
	if err := e.CheckAttributes(); err != nil {
		return e, r.placed(err)
	}
	err = r.doubt(&e, sent.GetAttributes().GetFields())
	return e, err
}

// doubt checks that a doubt is one that the program knows: what is misspelt would be
// kept as an event and change no answer. To name none is fine. EVIDENCE_OPEN may name a
// paper of C05 instead.
func (r reading) doubt(e *features.Event, sent map[string]*structpb.Value) error {
	entry, ok := e.Entry()
	if !ok || entry.Kind != fund.ObjectionRaised && entry.Kind != fund.EvidenceOpen || entry.About == "" {
		return nil
	}
	if _, ok := objection.ParseCode(entry.About); ok || entry.Kind == fund.EvidenceOpen && isPaper(entry.About) {
		return nil
	}
	key := "attributes.objection"
	if sent["objection"].GetStringValue() != entry.About {
		key = "attributes.code"
	}
	names := make([]string, 0, objection.Codes)
	for c := range objection.Codes {
		names = append(names, c.String())
	}
	if entry.Kind == fund.EvidenceOpen {
		names = append(names, matcher.KeyFactsOpened+", "+matcher.KeyFactsOpened+":<version>", matcher.OpinionOpened, matcher.FeesOpened)
	}
	return r.invalid(key, entry.About, "one of "+strings.Join(names, ", "))
}

// isPaper reports whether a name is that of a paper which he is given before an order (C05).
func isPaper(about string) bool {
	paper, version, versioned := strings.Cut(about, ":")
	switch paper {
	case matcher.KeyFactsOpened:
		return !versioned || version != ""
	case matcher.OpinionOpened, matcher.FeesOpened:
		return !versioned
	}
	return false
}

// isLabel accepts printable text that a store keeps in an event's label. Control
// characters have no meaning here, and some end up in logs and files.
func isLabel(s string) bool {
	return len(s) <= fund.MaxTextLength && utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

func (r reading) eventAt(t *timestamppb.Timestamp) (fund.Instant, error) {
	const expected = "a time from 1990-01-01 to 2200"
	if t == nil {
		return 0, r.invalid("eventAt", "", expected)
	}
	at := fund.InstantOf(t.AsTime())
	if t.CheckValid() != nil || at < earliest.Start() || at >= latest.Start() {
		return 0, r.invalid("eventAt", t.AsTime().Format(time.RFC3339Nano), expected)
	}
	return at, nil
}

// attributes writes the object as JSON with its keys in order, so that the same object
// is the same text each time it is sent. An empty object says nothing.
func (r reading) attributes(object *structpb.Struct) (string, error) {
	if len(object.GetFields()) == 0 {
		return "", nil
	}
	text, err := json.Marshal(object.AsMap())
	if err != nil {
		return "", r.invalid("attributes", "", "a JSON object")
	}
	return string(text), nil
}

// placed puts the place of the event before the field of an error about it.
func (r reading) placed(err error) error {
	if invalid := (*features.InvalidError)(nil); errors.As(err, &invalid) {
		return r.invalid(invalid.Field, invalid.Value, invalid.Expected)
	}
	return err
}

func (r reading) invalid(field, value, expected string) error {
	return features.Invalid(r.place+"."+field, value, expected)
}
