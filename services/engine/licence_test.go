package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/engine"
)

// staff is one manager, or a store that does not answer.
type staff struct {
	known features.Manager
	err   error
}

func (s staff) Manager(_ context.Context, id string) (features.Manager, error) {
	if s.err == nil && id != s.known.ID {
		return features.Manager{}, features.ErrNotFound
	}
	return s.known, s.err
}

// A licence holds only where everything that shows it is on file (C03): until its last day
// begins, and in the customer's own branch.
func TestWhoseLicenceHolds(t *testing.T) {
	t.Parallel()
	at := fund.Date(20260310).Start().Add(1)
	person := fund.Person{ManagerID: "M1", BranchID: "B1"}
	valid := features.Manager{ID: "M1", BranchID: "B1", LicenceID: "L1", LicenceUntil: 20260311}
	with := func(edit func(*features.Manager)) staff {
		m := valid
		edit(&m)
		return staff{known: m}
	}
	for name, c := range map[string]struct {
		staff features.Staff
		want  string
	}{
		"valid":            {staff{known: valid}, matcher.LicenceValid},
		"no staff":         {nil, matcher.LicenceUnknown},
		"another manager":  {with(func(m *features.Manager) { m.ID = "M2" }), matcher.LicenceUnknown},
		"no licence":       {with(func(m *features.Manager) { m.LicenceID = "" }), matcher.LicenceUnknown},
		"no end":           {with(func(m *features.Manager) { m.LicenceUntil = 0 }), matcher.LicenceUnknown},
		"ends today":       {with(func(m *features.Manager) { m.LicenceUntil = 20260310 }), matcher.LicenceExpired},
		"another branch":   {with(func(m *features.Manager) { m.BranchID = "B2" }), matcher.LicenceElsewhere},
		"branch not known": {with(func(m *features.Manager) { m.BranchID = "" }), matcher.LicenceValid},
	} {
		got, err := engine.Licence(t.Context(), c.staff, &person, at)
		if err != nil || got.State != c.want || got.ManagerID != "M1" {
			t.Errorf("%s: %+v, %v, want %s", name, got, err, c.want)
		}
	}
	if _, err := engine.Licence(t.Context(), staff{err: features.ErrUnavailable}, &person, at); !errors.Is(err, features.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
	if got, err := engine.Licence(t.Context(), staff{known: valid}, &fund.Person{}, at); err != nil || got.State != matcher.LicenceUnknown {
		t.Errorf("without a manager: %+v, %v", got, err)
	}
}
