package engine

import (
	"context"
	"errors"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Licence looks up the manager in charge of a customer (C03). A licence whose end is not
// on file is not known to hold; without staff, or a manager, nobody's is known. Errors:
// what staff returns of a store that does not answer.
func Licence(ctx context.Context, staff features.Staff, managerID string, at fund.Instant) (matcher.Licence, error) {
	out := matcher.Licence{ManagerID: managerID, State: matcher.LicenceUnknown}
	if managerID == "" || staff == nil {
		return out, nil
	}
	m, err := staff.Manager(ctx, managerID)
	if errors.Is(err, features.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Until = m.LicenceUntil
	switch {
	case m.LicenceID == "" || m.LicenceUntil == 0:
	case at.Date() < m.LicenceUntil:
		out.State = matcher.LicenceValid
	default:
		out.State = matcher.LicenceExpired
	}
	return out, nil
}
