package features

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// FutureTolerance is how far after the time of its recording a fact may lie. Clocks of
// systems differ by seconds; a fact of tomorrow is a mistake, and would hide every true
// one until then.
const FutureTolerance = 5 * time.Minute

// Quarantine keeps what may not count: facts dated after their recording by more than
// FutureTolerance. They are kept as they came, once, counted in the receipts of those who
// sent them, and no part of any profile. An end of validity in the future is none of them.
// A fact that comes again when its time has come is taken as any other.
type Quarantine interface {
	// Quarantined calls yield for each quarantined fact in the order of arrival. It is
	// valid during the call only; an error of yield ends the reading and comes back as it is.
	Quarantined(ctx context.Context, yield func(*QuarantinedFact) error) error
}

// QuarantinedFact is one fact that came too early.
type QuarantinedFact struct {
	CustomerID string
	What       string // cell VIEW/NAME, event ID, interaction PRODUCT, lot PRODUCT
	EventAt    fund.Instant
	RecordedAt fund.Instant // when it came first
	Content    string       // the fact as a JSON object, its times as RFC 3339
}

// Digest tells facts of one customer apart: what came again is the same fact, whenever.
func (q *QuarantinedFact) Digest() []byte {
	var e fund.Encoder
	e.Text(q.What)
	e.Text(q.Content)
	sum := sha256.Sum256(e.Buf)
	return sum[:digestLength]
}

// digestLength is the part of a SHA-256 that tells facts of one customer apart.
const digestLength = 16

func ahead(at, recordedAt fund.Instant) bool { return at > recordedAt.Add(FutureTolerance) }

// Ahead reports whether the cell is dated after its recording by more than the tolerance.
func (c *Cell) Ahead(recordedAt fund.Instant) bool {
	return ahead(max(c.EventAt, c.KnownAt), recordedAt)
}

// Ahead reports whether the event is dated after its recording by more than the tolerance.
func (e *Event) Ahead(recordedAt fund.Instant) bool {
	return ahead(max(e.EventAt, e.KnownAt), recordedAt)
}

// Ahead reports whether the day of the interaction begins after its recording by more than
// the tolerance.
func (p *CustomerPurchase) Ahead(recordedAt fund.Instant) bool {
	return ahead(p.KnownOn.Start(), recordedAt)
}

// Quarantined returns the cell as a fact that came too early.
func (c *Cell) Quarantined(recordedAt fund.Instant) QuarantinedFact {
	return QuarantinedFact{
		CustomerID: c.CustomerID, What: "cell " + string(c.View) + "/" + c.Name, EventAt: c.EventAt, RecordedAt: recordedAt,
		Content: factText(struct {
			View      View   `json:"view"`
			Name      string `json:"name"`
			Value     string `json:"value"`
			EventAt   string `json:"event_at"`
			KnownAt   string `json:"known_at,omitempty"`
			ValidTo   string `json:"valid_to,omitempty"`
			Tombstone bool   `json:"tombstone,omitempty"`
			Source    string `json:"source,omitempty"`
			Purpose   string `json:"purpose,omitempty"`
		}{c.View, c.Name, c.Value, c.EventAt.String(), c.KnownAt.String(), c.ValidTo.String(), c.Tombstone, c.Source, c.Purpose}),
	}
}

// Quarantined returns the event as a fact that came too early.
func (e *Event) Quarantined(recordedAt fund.Instant) QuarantinedFact {
	return QuarantinedFact{
		CustomerID: e.CustomerID, What: "event " + e.ID, EventAt: e.EventAt, RecordedAt: recordedAt,
		Content: factText(struct {
			ID          string `json:"event_id"`
			Kind        string `json:"kind"`
			EventAt     string `json:"event_at"`
			KnownAt     string `json:"known_at,omitempty"`
			ProductCode string `json:"product_code,omitempty"`
			DecisionID  string `json:"decision_id,omitempty"`
			Channel     string `json:"channel,omitempty"`
			Attributes  string `json:"attributes,omitempty"`
		}{e.ID, e.Kind, e.EventAt.String(), e.KnownAt.String(), e.ProductCode, e.DecisionID, e.Channel, e.Attributes}),
	}
}

// Quarantined returns the interaction as a fact that came too early.
func (p *CustomerPurchase) Quarantined(recordedAt fund.Instant) QuarantinedFact {
	return QuarantinedFact{
		CustomerID: p.CustomerID, What: "interaction " + p.ProductCode, EventAt: p.KnownOn.Start(), RecordedAt: recordedAt,
		Content: factText(struct {
			ProductCode string `json:"product_code"`
			KnownOn     string `json:"known_on"`
			Kind        string `json:"kind"`
			AmountFen   int64  `json:"amount_fen,omitempty"`
		}{p.ProductCode, p.KnownOn.String(), p.Kind, int64(p.Amount)}),
	}
}

func quarantinedLot(customerID string, l *LotValue, at, recordedAt fund.Instant) QuarantinedFact {
	return QuarantinedFact{CustomerID: customerID, What: "lot " + l.ProductCode, EventAt: at, RecordedAt: recordedAt, Content: factText(l)}
}

// factText writes texts and whole numbers, which encoding/json cannot refuse.
func factText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// SplitAhead parts the cells that may count from those that came too early, each in their
// order. Where all may count they are returned as they are.
func SplitAhead(cells []Cell, recordedAt fund.Instant) (kept []Cell, early []QuarantinedFact) {
	first := -1
	for i := range cells {
		if cells[i].Ahead(recordedAt) {
			first = i
			break
		}
	}
	if first < 0 {
		return cells, nil
	}
	kept = append(make([]Cell, 0, len(cells)-1), cells[:first]...)
	for i := first; i < len(cells); i++ {
		if c := &cells[i]; c.Ahead(recordedAt) {
			early = append(early, c.Quarantined(recordedAt))
		} else {
			kept = append(kept, *c)
		}
	}
	return kept, early
}
