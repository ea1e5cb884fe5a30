package engine

import (
	"context"
	"errors"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Licence looks up the manager in charge of a customer (C03). A licence whose end is not
// on file is not known to hold; a manager who is known to be of another branch than the
// customer is not in charge of him; without staff, or a manager, nobody's is known. Errors:
// what staff returns of a store that does not answer.
func Licence(ctx context.Context, staff features.Staff, person *fund.Person, at fund.Instant) (matcher.Licence, error) {
	out := matcher.Licence{ManagerID: person.ManagerID, State: matcher.LicenceUnknown}
	if person.ManagerID == "" || staff == nil {
		return out, nil
	}
	m, err := staff.Manager(ctx, person.ManagerID)
	if errors.Is(err, features.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Until = m.LicenceUntil
	switch {
	case m.LicenceID == "" || m.LicenceUntil == 0:
	case at.Date() >= m.LicenceUntil:
		out.State = matcher.LicenceExpired
	case m.BranchID != "" && person.BranchID != "" && m.BranchID != person.BranchID:
		out.State = matcher.LicenceElsewhere
	default:
		out.State = matcher.LicenceValid
	}
	return out, nil
}
