package features

import (
	"context"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// FutureTolerance is how far after the time of its recording a fact may lie. Clocks of
// systems differ by seconds; a fact of tomorrow is a mistake, and would hide every true
// one until then.
const FutureTolerance = 5 * time.Minute

// Quarantine keeps what may not count: facts dated after their recording by more than
// FutureTolerance. They are kept as they came, counted, and no part of any profile.
type Quarantine interface {
	// Quarantined calls yield for each quarantined fact in the order of arrival. It is
	// valid during the call only.
	Quarantined(ctx context.Context, yield func(*QuarantinedFact) error) error
}

// QuarantinedFact is one fact that came too early.
type QuarantinedFact struct {
	CustomerID string
	What       string // cell VIEW/NAME, event ID, interaction PRODUCT
	EventAt    fund.Instant
	RecordedAt fund.Instant
	Content    string // the fact as JSON
}
