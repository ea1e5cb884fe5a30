package engine

import (
	"context"
	"errors"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Licence looks up the manager in charge of a customer (C03). A licence whose end is not
// on file is not known to hold; without staff, or a manager, nobody's is known. Errors:
// what staff returns of a store that does not answer.
func Licence(ctx context.Context, staff features.Staff, managerID string, at fund.Instant) (matcher.Licence, error) {
	out := matcher.Licence{ManagerID: managerID, State: matcher.LicenceUnknown}
	m, found, err := manager(ctx, staff, managerID)
	if !found || err != nil {
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

// InCharge is what the gate reads of the manager in charge of a customer who is served in
// the branch (C03). Whoever is not shown to hold a licence holds none. Errors: as Licence.
func InCharge(ctx context.Context, staff features.Staff, person *fund.Person, at fund.Instant) (eligibility.Licence, error) {
	m, found, err := manager(ctx, staff, person.ManagerID)
	switch {
	case err != nil || !found || m.LicenceID == "":
		return eligibility.LicenceMissing, err
	case m.LicenceUntil <= at.Date(): // 0, an unknown end, too
		return eligibility.LicenceExpired, nil
	case person.BranchID != "" && m.BranchID != "" && m.BranchID != person.BranchID:
		return eligibility.LicenceElsewhere, nil
	default:
		return eligibility.LicenceValid, nil
	}
}

// manager finds one of the bank's people; not found without staff or an id.
func manager(ctx context.Context, staff features.Staff, id string) (m features.Manager, found bool, err error) {
	if id == "" || staff == nil {
		return m, false, nil
	}
	m, err = staff.Manager(ctx, id)
	if errors.Is(err, features.ErrNotFound) {
		return m, false, nil
	}
	return m, err == nil, err
}
