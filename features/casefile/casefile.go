// Package casefile runs files of reference cases about point-in-time reads through a real
// store: what a case gives is written as cells of views of a bank's own, and read by the one
// path of every read: the profile of an instant, then view.Plan.Read. A case passes only
// when every row is what the file expects; one that is not understood in every word is
// UNSUPPORTED, and no pass.
package casefile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fundmatch/fundmatch/features"
)

// Store is what a case is run through.
type Store interface {
	features.Profiles
	features.Events
	features.Importer
	features.Histories
}

// Open returns the store for one batch of a case, and what to do when the batch is over. It
// may return one store for all: no two batches share a customer or an event.
type Open func(ctx context.Context) (s Store, done func() error, err error)

// File is a file of cases.
type File struct {
	Name    string
	Cases   []Case
	Strange []string // conventions that this package does not know, or in other words: key by key
}

// Case is one case. What it gives and expects stays as it was written until it is run.
type Case struct {
	ID, Title, Op           string
	Params, Input, Expected json.RawMessage
	strange                 string // a key that is not known; empty: none
}

// Verdict is what a case came to.
type Verdict string

// The verdicts.
const (
	Pass        Verdict = "PASS"
	Fail        Verdict = "FAIL"
	Unsupported Verdict = "UNSUPPORTED" // not understood, or not to be kept by a store: see Reason
)

// Result is what a case came to, and why.
type Result struct {
	ID          string       `json:"id"`
	Title       string       `json:"title"`
	Op          string       `json:"op"`
	Verdict     Verdict      `json:"verdict"`
	Reason      string       `json:"reason,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is one row that is not as expected.
type Difference struct {
	Row      string          `json:"row"`
	Expected json.RawMessage `json:"expected"` // null: there is no such row in the file
	Got      json.RawMessage `json:"got"`
}

// Run runs the cases in their order and calls yield with what each came to. Only a store
// that does not work, the end of ctx, and an error of yield end it early.
func Run(ctx context.Context, f *File, run string, open Open, yield func(*Result) error) error {
	for i := range f.Cases {
		c := &f.Cases[i]
		result := Result{ID: c.ID, Title: c.Title, Op: c.Op}
		rows, err := answer(ctx, c, &trial{prefix: fmt.Sprintf("%s%d.", run, i), open: open})
		if err == nil {
			result.Differences, err = compare(c.Expected, rows)
		}
		switch reason := (*unsupportedError)(nil); {
		case errors.As(err, &reason) || errors.Is(err, features.ErrInvalid):
			result.Verdict, result.Reason = Unsupported, err.Error()
		case isDiffers(err):
			result.Verdict, result.Reason = Fail, err.Error()
		case err != nil:
			return fmt.Errorf("case %s: %w", c.ID, err)
		case len(result.Differences) > 0:
			result.Verdict = Fail
		default:
			result.Verdict = Pass
		}
		if err := yield(&result); err != nil {
			return err
		}
	}
	return nil
}

// answer runs one case.
func answer(ctx context.Context, c *Case, t *trial) ([]row, error) {
	if c.strange != "" {
		return nil, unsupported("%q is no key of a case that is known here", c.strange)
	}
	switch c.Op {
	case "pit_join":
		return pitJoin(ctx, c, t)
	case "window_avg":
		return windowAverage(ctx, c, t)
	case "window_count_self":
		return windowCountSelf(ctx, c, t)
	case "online_upsert":
		return onlineUpsert(ctx, c, t)
	case "online_read":
		return onlineRead(ctx, c, t)
	case "validity_read":
		return validityRead(ctx, c, t)
	case "replay":
		return replay(ctx, c, t)
	case "consent_read":
		return consentRead(ctx, c, t)
	}
	return nil, unsupported("op %q, expected pit_join, window_avg, window_count_self, online_upsert, online_read, validity_read, replay or consent_read", c.Op)
}

// unsupportedError says why a case was not run, or its answer not judged.
type unsupportedError struct{ text string }

func (e *unsupportedError) Error() string { return e.text }

func unsupported(format string, args ...any) error {
	return &unsupportedError{fmt.Sprintf(format, args...)}
}
