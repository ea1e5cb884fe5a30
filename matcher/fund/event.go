package fund

import (
	"cmp"
	"strings"
)

// EventKind is what a customer did, or what was done towards him.
type EventKind uint8

// The kinds of the contract. EventUnknown is kept by the stores and means nothing.
const (
	EventUnknown EventKind = iota
	Exposure
	Click
	DetailView
	ObjectionRaised
	EvidenceOpen
	OrderStart
	OrderConfirm
	OrderAbandon
	Refusal
	Redeem
	Complaint
	Contact
	eventKindCount
)

// EventKinds is the number of kinds, EventUnknown included.
const EventKinds = int(eventKindCount)

var eventNames = [...]string{
	"UNKNOWN", "EXPOSURE", "CLICK", "DETAIL_VIEW", "OBJECTION", "EVIDENCE_OPEN", "ORDER_START", "ORDER_CONFIRM", "ORDER_ABANDON",
	"REFUSAL", "REDEEM", "COMPLAINT", "CONTACT",
}

// String returns the kind's code.
func (k EventKind) String() string { return nameOf(eventNames[:], uint8(k)) }

// ParseEventKind reads a kind's code. UNKNOWN is none.
func ParseEventKind(s string) (EventKind, error) {
	n, err := parseName(eventNames[:], s, "event kind")
	if err == nil && n == 0 {
		_, err = parseName(eventNames[1:], s, "event kind")
	}
	return EventKind(n), err
}

// Event is one entry of a customer's trail. What a kind does not have is zero.
type Event struct {
	Kind        EventKind
	At          Instant
	ProductCode string // empty: about no product
	Channel     string // APP, BRANCH, PHONE, ... as it came
	// About is the doubt's code of OBJECTION and EVIDENCE_OPEN, the reason of REFUSAL
	// (a doubt's code or a text), the page of CLICK and DETAIL_VIEW, the matter of
	// COMPLAINT.
	About  string
	Until  Date  // the day that the customer named: OBJECTION NOT_NOW, REFUSAL; 0: none
	Amount Money // ORDER_*: of the order; REDEEM: proceeds; 0: unknown
	Cost   Money // REDEEM: what the redeemed shares had cost; 0: unknown
	Dwell  int32 // DETAIL_VIEW: seconds on the page; 0: unknown
	Closed bool  // COMPLAINT: settled; closes those before it about the same product, about none: all
}

// CompareEvents is the one order of a trail: by time, then by content, so that the order
// of arrival leaves no trace.
func CompareEvents(a, b *Event) int {
	return cmp.Or(
		cmp.Compare(a.At, b.At), cmp.Compare(a.Kind, b.Kind), strings.Compare(a.ProductCode, b.ProductCode),
		strings.Compare(a.About, b.About), strings.Compare(a.Channel, b.Channel), cmp.Compare(a.Until, b.Until),
		cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.Cost, b.Cost), cmp.Compare(a.Dwell, b.Dwell),
		cmp.Compare(flag(a.Closed), flag(b.Closed)),
	)
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// Trail is what a customer did, as his profile keeps it: the newest events of each kind,
// and tallies over all of them. matcher/behaviour folds events in; the result does not
// depend on their order.
type Trail struct {
	Recent  []Event // in the order of CompareEvents
	Tallies [EventKinds]Tally
}

// Tally sums up all events of one kind, those that left Recent too.
type Tally struct {
	Count       int32
	First, Last Instant
	Amount      Money
}

// MaxTrail bounds Trail.Recent.
const MaxTrail = 4_096

// Consent is the last word of a customer on one purpose.
type Consent struct {
	Purpose string
	Granted bool
	At      Instant
}

// MaxConsents bounds a profile's consents.
const MaxConsents = 64

// Consent returns the customer's word on a purpose: Unknown when he never gave one.
func (p *Profile) Consent(purpose string) Answer {
	for i := range p.Consents {
		if p.Consents[i].Purpose == purpose {
			if p.Consents[i].Granted {
				return Yes
			}
			return No
		}
	}
	return Unknown
}

// The purposes that need a consent of the same name. Personalisation has its own switch.
const (
	ConsentPush      = "MARKETING_PUSH"
	ConsentCall      = "MARKETING_CALL"
	ConsentProfiling = "PROFILING"
)

// NeedsConsent reports whether what is kept for a purpose may be used only with the
// customer's consent to it.
func NeedsConsent(purpose string) bool {
	return purpose == ConsentPush || purpose == ConsentCall || purpose == ConsentProfiling
}

// Usable reports whether what is kept for a purpose may be used, by the words of a customer
// as of the instant of the use: never after he took his consent back, whatever the purpose;
// without a word only where none is needed. What is kept for no purpose is the bank's own.
func Usable(words []Consent, purpose string) bool {
	if purpose == "" {
		return true
	}
	for i := range words {
		if words[i].Purpose == purpose {
			return words[i].Granted
		}
	}
	return !NeedsConsent(purpose)
}

// CorporateSegment is the segment of customers that are no natural persons.
const CorporateSegment = "CORPORATE"

// IsCompany reports whether the customer is known to be no natural person: his segment
// says so and no birth date contradicts it.
func (p *Person) IsCompany() bool { return p.Segment == CorporateSegment && p.BirthDate == 0 }
