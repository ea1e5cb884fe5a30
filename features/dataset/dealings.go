package dataset

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/features"
)

// DefaultKind is the kind of an interaction that names none.
const DefaultKind = "BUY"

// MaxEventAttributes is the longest attributes object of an event, in bytes.
const MaxEventAttributes = features.MaxEventAttributes

func holdingFormat() *format[HoldingRow] {
	return &format[HoldingRow]{
		name:     "holdings.csv",
		columns:  []string{"customer_id", "product_code", "shares", "acquired_on", "cost_fen", "account", "batch_id"},
		required: 4,
		decode: func(r *row) (v HoldingRow) {
			v.CustomerID = r.id()
			v.ProductCode = r.id()
			v.Shares = r.shares()
			v.AcquiredOn = r.requiredFactDate()
			v.Cost = r.money()
			v.Account = r.label(MaxAccount)
			v.BatchID = r.label(MaxAccount)
			return v
		},
		encode: func(r *record, v *HoldingRow) {
			r.text(v.CustomerID)
			r.text(v.ProductCode)
			r.shares(v.Shares)
			r.date(v.AcquiredOn)
			r.knownNumber(int64(v.Cost))
			r.text(v.Account)
			r.text(v.BatchID)
		},
		key: func(dst []byte, v *HoldingRow) []byte {
			dst = keyNumber(keyText(keyText(dst, v.CustomerID), v.ProductCode), int64(v.AcquiredOn))
			return keyText(keyText(dst, v.Account), v.BatchID)
		},
		keyColumns: []int{0, 1, 3, 5, 6},
		customer:   0, product: 1,
	}
}

func interactionFormat() *format[features.CustomerPurchase] {
	return &format[features.CustomerPurchase]{
		name:     "interactions.csv",
		columns:  []string{"customer_id", "product_code", "known_on", "kind", "amount_fen"},
		required: 3,
		decode: func(r *row) (v features.CustomerPurchase) {
			v.CustomerID = r.id()
			v.ProductCode = r.id()
			v.KnownOn = r.requiredFactDate()
			v.Kind = r.word(DefaultKind)
			v.Amount = r.money()
			return v
		},
		encode: func(r *record, v *features.CustomerPurchase) {
			r.text(v.CustomerID)
			r.text(v.ProductCode)
			r.date(v.KnownOn)
			r.text(v.Kind)
			r.knownNumber(int64(v.Amount))
		},
		key: func(dst []byte, v *features.CustomerPurchase) []byte {
			dst = keyText(keyText(dst, v.CustomerID), v.ProductCode)
			return keyText(keyNumber(dst, int64(v.KnownOn)), v.Kind)
		},
		keyColumns: []int{0, 1, 2, 3},
		customer:   0, product: 1,
	}
}

func eventFormat() *format[features.Event] {
	return &format[features.Event]{
		name: "events.csv",
		columns: []string{
			"event_id", "customer_id", "kind", "event_at", "product_code", "decision_id", "channel", "known_at", "attributes",
		},
		required: 4,
		decode: func(r *row) (v features.Event) {
			v.ID = r.id()
			v.CustomerID = r.id()
			v.Kind = r.eventKind()
			v.EventAt = r.requiredInstant()
			v.ProductCode = r.optionalID()
			v.DecisionID = r.label(MaxLabel)
			v.Channel = r.label(MaxLabel)
			v.KnownAt = r.instant()
			v.Attributes = r.object()
			return v
		},
		encode: func(r *record, v *features.Event) {
			r.text(v.ID)
			r.text(v.CustomerID)
			r.text(v.Kind)
			r.instant(v.EventAt)
			r.text(v.ProductCode)
			r.text(v.DecisionID)
			r.text(v.Channel)
			r.instant(v.KnownAt)
			r.text(v.Attributes)
		},
		key:        func(dst []byte, v *features.Event) []byte { return append(dst, v.ID...) },
		keyColumns: []int{0},
		customer:   1, product: -1,
	}
}

// eventKinds are what a customer can do, or what can happen to him: another word is a
// mistake that every funnel and conduct figure would pass over in silence.
func eventKinds() []string {
	return []string{
		"EXPOSURE", "CLICK", "DETAIL_VIEW", "OBJECTION", "EVIDENCE_OPEN", "ORDER_START", "ORDER_CONFIRM", "ORDER_ABANDON",
		"REFUSAL", "REDEEM", "COMPLAINT", "CONTACT",
	}
}

func (r *row) eventKind() string {
	s := r.take()
	if !slices.Contains(eventKinds(), s) {
		r.fail("one of " + strings.Join(eventKinds(), " "))
		return ""
	}
	return s
}

// object reads a JSON object or nothing.
func (r *row) object() string {
	s := r.take()
	if s == "" {
		return ""
	}
	isObject := strings.HasPrefix(strings.TrimLeft(s, " \t\r\n"), "{")
	if len(s) > MaxEventAttributes || !isObject || !json.Valid([]byte(s)) {
		r.fail("a JSON object of at most 16384 bytes")
		return ""
	}
	return s
}
