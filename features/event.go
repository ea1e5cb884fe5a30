package features

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Known returns the instant from which the event was known.
func (e *Event) Known() fund.Instant {
	if e.KnownAt != 0 {
		return e.KnownAt
	}
	return e.EventAt
}

// VisibleAt reports whether the event had happened and was known at an instant.
func (e *Event) VisibleAt(at fund.Instant) bool { return e.VisibleFrom() <= at }

// Visible reports whether the event had happened at one instant and was known at another.
func (e *Event) Visible(a AsOf) bool {
	return e.EventAt <= a.At && e.Known() <= a.Known && (e.KnownAt != 0 || !a.KnownOnly)
}

// VisibleFrom returns the first instant at which the event is visible.
func (e *Event) VisibleFrom() fund.Instant { return max(e.EventAt, e.Known()) }

// CompareEvents orders a customer's events by event time, then id.
func CompareEvents(a, b *Event) int {
	return cmp.Or(cmp.Compare(a.EventAt, b.EventAt), strings.Compare(a.ID, b.ID))
}

// Repeats reports whether an event that came in says what the stored one of its id says.
// A known time that it does not give is no difference: the stored one may have got the
// time of its recording. Attributes are compared as JSON, whatever their spacing.
func (e *Event) Repeats(stored *Event) bool {
	a, b := *e, *stored
	if a.KnownAt == 0 {
		b.KnownAt = 0
	}
	if a.Attributes != b.Attributes {
		a.Attributes, b.Attributes = canonicalObject(a.Attributes), canonicalObject(b.Attributes)
	}
	return a == b
}

// canonicalObject writes a JSON object in one form. What is none stays as it is.
func canonicalObject(object string) string {
	d := json.NewDecoder(strings.NewReader(object))
	d.UseNumber() // an amount must not lose its last digits
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return object
	}
	if len(fields) == 0 {
		return ""
	}
	out, err := json.Marshal(fields) // in the order of the keys
	if err != nil {
		return object
	}
	return string(out)
}

// Entry returns the event as an entry of the customer's trail; false when its kind is
// none of the contract's. It is tolerant of what is stored already: an attribute of the
// wrong type or out of bounds leaves its field zero. CheckAttributes is the strict form.
func (e *Event) Entry() (fund.Event, bool) {
	kind, err := fund.ParseEventKind(e.Kind)
	if err != nil {
		return fund.Event{}, false
	}
	entry := fund.Event{Kind: kind, At: e.EventAt, ProductCode: e.ProductCode, Channel: e.Channel}
	if e.Attributes != "" && kindReads(kind) {
		_ = readAttributes(&entry, e.Attributes, true) // tolerant: what cannot be read stays zero
	}
	return entry, true
}

// CheckAttributes reports whether the attributes that the event's kind reads are of
// their types and within their bounds. The error is an InvalidError about
// attributes.KEY, in the spelling that came; an unknown kind is one about kind.
func (e *Event) CheckAttributes() error {
	kind, err := fund.ParseEventKind(e.Kind)
	if err != nil {
		return Invalid("kind", e.Kind, "one of "+eventKindList())
	}
	switch {
	case e.Attributes == "":
		return nil
	case len(e.Attributes) > MaxEventAttributes:
		return Invalid("attributes", strconv.Itoa(len(e.Attributes))+" bytes", "at most "+strconv.Itoa(MaxEventAttributes)+" bytes")
	}
	return readAttributes(&fund.Event{Kind: kind}, e.Attributes, false)
}

// eventKindList names the kinds of the contract.
func eventKindList() string {
	names := make([]string, 0, fund.EventKinds)
	for k := fund.EventUnknown + 1; int(k) < fund.EventKinds; k++ {
		names = append(names, k.String())
	}
	return strings.Join(names, ", ")
}

// MaxEventAttributes is the longest attributes object that comes in, in bytes.
const MaxEventAttributes = 16 << 10

// MaxDwell is the longest stay on a page that is believed, in seconds: a day.
const MaxDwell = 86_400

// attribute is one key that some kinds of events read.
type attribute struct {
	names [2]string // the spelling of the files, then that of the API; the first one there counts
	of    uint32    // set of kinds
	read  func(e *fund.Event, raw json.RawMessage) bool
	form  string // what is expected
}

// kindSet returns a set of kinds.
func kindSet(kinds ...fund.EventKind) (set uint32) {
	for _, k := range kinds {
		set |= 1 << k
	}
	return set
}

const (
	textForm  = "a text of at most 256 characters"
	moneyForm = "whole fen from 0 to 1000000000000000"
	dwellForm = "whole seconds from 0 to 86400"
	dayForm   = "a day as YYYY-MM-DD"
	boolForm  = "true or false"
)

// attributes are the keys in the order in which they are read: where two are of one
// field, the first that is there counts. EVIDENCE_OPEN of a field says nothing about a
// doubt, so its key "field" is none of them.
var attributes = [...]attribute{
	{[2]string{"objection", ""}, kindSet(fund.ObjectionRaised, fund.EvidenceOpen), readAbout, textForm},
	{[2]string{"code", ""}, kindSet(fund.ObjectionRaised, fund.EvidenceOpen), readAbout, textForm},
	{[2]string{"reason", ""}, kindSet(fund.Refusal), readAbout, textForm},
	{[2]string{"page", ""}, kindSet(fund.Click, fund.DetailView), readAbout, textForm},
	{[2]string{"tab", ""}, kindSet(fund.Click, fund.DetailView), readAbout, textForm},
	{[2]string{"about", ""}, kindSet(fund.Complaint), readAbout, textForm},
	{[2]string{"until", ""}, kindSet(fund.ObjectionRaised, fund.Refusal), readUntil, dayForm},
	{[2]string{"amount_fen", "amountFen"}, kindSet(fund.OrderStart, fund.OrderConfirm, fund.OrderAbandon, fund.Redeem), readAmount, moneyForm},
	{[2]string{"cost_fen", "costFen"}, kindSet(fund.Redeem), readCost, moneyForm},
	{[2]string{"dwell_seconds", "dwellSeconds"}, kindSet(fund.DetailView), readDwell, dwellForm},
	{[2]string{"closed", ""}, kindSet(fund.Complaint), readClosed, boolForm},
}

// kindReads reports whether a kind reads any attribute.
func kindReads(k fund.EventKind) bool { return k != fund.Exposure && k != fund.Contact }

// readAttributes reads the keys of the entry's kind into it. When tolerant, what cannot
// be read is passed over.
func readAttributes(entry *fund.Event, object string, tolerant bool) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(object), &fields); err != nil {
		return Invalid("attributes", object, "a JSON object")
	}
	for i := range attributes {
		a := &attributes[i]
		if a.of&(1<<entry.Kind) == 0 {
			continue
		}
		for _, name := range a.names {
			raw, ok := fields[name]
			if !ok || name == "" || string(raw) == "null" {
				continue
			}
			if !a.read(entry, raw) && !tolerant {
				return Invalid("attributes."+name, shown(raw), a.form)
			}
			break
		}
	}
	return nil
}

// shown is a value as its sender reads it: a text without its quotes.
func shown(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

func readAbout(e *fund.Event, raw json.RawMessage) bool {
	text, ok := readText(raw)
	if ok && e.About == "" {
		e.About = text
	}
	return ok
}

func readText(raw json.RawMessage) (string, bool) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", false
	}
	return text, checkText("text", text, 0, 4*fund.MaxTextLength) == nil && len([]rune(text)) <= fund.MaxTextLength
}

func readUntil(e *fund.Event, raw json.RawMessage) bool {
	text, ok := readText(raw)
	if !ok {
		return false
	}
	day, err := fund.ParseDate(text)
	if err != nil {
		return false
	}
	e.Until = day
	return true
}

func readAmount(e *fund.Event, raw json.RawMessage) bool {
	n, ok := readWhole(raw, int64(fund.MaxMoney))
	e.Amount = fund.Money(n)
	return ok
}

func readCost(e *fund.Event, raw json.RawMessage) bool {
	n, ok := readWhole(raw, int64(fund.MaxMoney))
	e.Cost = fund.Money(n)
	return ok
}

func readDwell(e *fund.Event, raw json.RawMessage) bool {
	n, ok := readWhole(raw, MaxDwell)
	e.Dwell = int32(n)
	return ok
}

// readWhole reads a whole number from 0 to most; what is none reads as 0.
func readWhole(raw json.RawMessage, most int64) (int64, bool) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, false
	}
	return n, true
}

func readClosed(e *fund.Event, raw json.RawMessage) bool {
	e.Closed = bytes.Equal(raw, []byte("true"))
	return e.Closed || bytes.Equal(raw, []byte("false"))
}

// Check reports whether the batch can be understood at all, every event strictly. The
// error wraps ErrInvalid; about an event it is an InvalidError about events[place].
func (b *EventBatch) Check() error {
	if len(b.Events) > MaxEventBatch {
		return Invalid("events", strconv.Itoa(len(b.Events)), fmt.Sprintf("at most %d", MaxEventBatch))
	}
	if b.RecordedAt <= 0 {
		return fmt.Errorf("%w: a batch of events without the time of its recording", ErrInvalid)
	}
	for i := range b.Events {
		e := &b.Events[i]
		if err := e.CheckAttributes(); err != nil {
			return placed(i, err)
		}
		if err := e.Check(); err != nil {
			return fmt.Errorf("events[%d]: %w", i, err)
		}
	}
	return nil
}

// placed puts the place in the batch before the field of an error.
func placed(place int, err error) error {
	if invalid, ok := err.(*InvalidError); ok { //nolint:errorlint // CheckAttributes returns it bare
		return &InvalidError{fmt.Sprintf("events[%d].%s", place, invalid.Field), invalid.Value, invalid.Expected}
	}
	return err
}
