package casefile

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/features"
)

// scratchName begins the ids of all customers and events of cases.
const scratchName = "check-cases."

// Kept is a store that outlives a run.
type Kept interface {
	CustomerIDs(ctx context.Context, after string, limit int) ([]string, error)
	Published(ctx context.Context) (features.Revision, error)
}

// Scratch returns a name for all that a run writes, which no earlier run had. The store may
// hold nothing but what runs left in it: cases never stand beside a bank's customers, nor in
// a store with a pool. One that does is features.ErrInvalid, and nothing was written.
func Scratch(ctx context.Context, s Kept) (run string, err error) {
	_, err = s.Published(ctx)
	switch {
	case err == nil:
		return "", fmt.Errorf("%w: the store has a pool: cases run in an empty store only", features.ErrInvalid)
	case !errors.Is(err, features.ErrNoPool):
		return "", err
	}
	last, after := uint64(0), ""
	for {
		ids, err := s.CustomerIDs(ctx, after, 1)
		if err != nil {
			return "", err
		}
		if len(ids) == 0 {
			return RunName(last + 1), nil
		}
		number, ok := runOf(ids[0])
		if !ok {
			return "", fmt.Errorf("%w: the store has customers: cases run in an empty store only", features.ErrInvalid)
		}
		last = max(last, number)
		after = scratchName + strconv.FormatUint(number, 10) + "/" // the first text after all of the run's
	}
}

// RunName is the name of a run.
func RunName(number uint64) string { return scratchName + strconv.FormatUint(number, 10) + "." }

// runOf returns the number of the run that wrote a customer.
func runOf(id string) (uint64, bool) {
	rest, ok := strings.CutPrefix(id, scratchName)
	digits, _, dotted := strings.Cut(rest, ".")
	number, err := strconv.ParseUint(digits, 10, 32)
	return number, ok && dotted && err == nil && strconv.FormatUint(number, 10) == digits
}
