package features

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// AsOf says which past is asked about: what was true at one instant, as it was known at
// another.
type AsOf struct {
	At    fund.Instant
	Known fund.Instant // fund.Forever: with all that is known today, a leak in an evaluation
	// KnownOnly leaves out cells whose known time is not given. Without it they count as
	// known at their event time.
	KnownOnly bool
}

// AsKnown is what was true at an instant as it was known at the same instant: how every
// decision is made.
func AsKnown(at fund.Instant) AsOf { return AsOf{At: at, Known: at} }

// History is what a store has of one customer, written down as it came.
type History struct {
	CustomerID   string
	Cells        []Cell // by view, name and Compare
	CellSeqs     []uint64
	Purchases    []fund.Purchase // by product, day, kind; of each key what was written last
	PurchaseSeqs []uint64
	Events       []Event // in the order of CompareEvents
	EventSeqs    []uint64
}

// HistoryQuery says whose history is read, and which parts of it. The zero value is
// everything of everyone.
type HistoryQuery struct {
	CustomerIDs []string // nil: all of the range; else those of them in it, in any order, also repeated
	After       string   // ids above it
	Through     string   // ids up to it; "": to the end
	Views       []View   // nil: all views
	NoPurchases bool
	NoEvents    bool
}

// Histories reads what heads were folded from, and many heads at once.
type Histories interface {
	// Histories calls yield for each known customer of the query in the byte order of the
	// ids, also for one who has nothing in the parts that were asked for. All of it comes
	// from one snapshot, with a bounded number of customers in memory. The history is valid
	// during the call only; an error of yield ends the reading and comes back as it is.
	Histories(ctx context.Context, q HistoryQuery, yield func(*History) error) error

	// Heads returns the newest profiles of some customers, in the order of the ids, from one
	// snapshot; nil for one that is not known. At most MaxHeads ids: ErrInvalid.
	Heads(ctx context.Context, customerIDs []string) ([]Head, error)
}

// Head is a customer's newest profile, which nobody may change, and the instant from which
// it is the answer.
type Head struct {
	Profile *fund.Profile // nil: not known
	From    fund.Instant
}

// MaxHeads bounds the customers of one read of heads.
const MaxHeads = 1_000

// CanonicalValue returns the one JSON form that a value of the bank's own views is kept in:
// a text, a number as it was written without blanks, true, false, null, or a list of texts.
func CanonicalValue(text string) (string, error) {
	const expected = "a JSON text, number, true, false, null, or a list of texts"
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", fmt.Errorf("%w: %.80q, expected %s", ErrInvalid, text, expected)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) { // More takes a bracket too many for the end
		return "", fmt.Errorf("%w: %.80q, expected %s", ErrInvalid, text, expected)
	}
	switch v := v.(type) {
	case nil, bool, string, json.Number:
	case []any:
		for _, e := range v {
			if _, ok := e.(string); !ok {
				return "", fmt.Errorf("%w: %.80q, expected %s", ErrInvalid, text, expected)
			}
		}
	default:
		return "", fmt.Errorf("%w: %.80q, expected %s", ErrInvalid, text, expected)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("%w: %.80q, expected %s", ErrInvalid, text, expected)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}
