package recommendation

import (
	"context"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

type oneManager features.Manager

func (m oneManager) Manager(_ context.Context, id string) (features.Manager, error) {
	if id != m.ID {
		return features.Manager{}, features.ErrNotFound
	}
	return features.Manager(m), nil
}

// C03: whoever is not shown to hold a licence, today, in the customer's branch, holds none.
func TestTheLicenceOfTheManagerInCharge(t *testing.T) {
	day := fund.Date(20240306)
	good := features.Manager{ID: "m1", BranchID: "b1", LicenceID: "L", LicenceUntil: day.AddDays(1)}
	person := fund.Person{ManagerID: "m1", BranchID: "b1"}
	for name, c := range map[string]struct {
		change func(m *features.Manager, p *fund.Person)
		want   string
	}{
		"licensed":               {func(*features.Manager, *fund.Person) {}, matcher.LicenceValid},
		"ends today":             {func(m *features.Manager, _ *fund.Person) { m.LicenceUntil = day }, matcher.LicenceExpired},
		"no end on file":         {func(m *features.Manager, _ *fund.Person) { m.LicenceUntil = 0 }, matcher.LicenceUnknown},
		"no licence on file":     {func(m *features.Manager, _ *fund.Person) { m.LicenceID = "" }, matcher.LicenceUnknown},
		"another branch":         {func(m *features.Manager, _ *fund.Person) { m.BranchID = "b2" }, matcher.LicenceElsewhere},
		"his branch unknown":     {func(m *features.Manager, _ *fund.Person) { m.BranchID = "" }, matcher.LicenceValid},
		"customer's unknown":     {func(_ *features.Manager, p *fund.Person) { p.BranchID = "" }, matcher.LicenceValid},
		"nobody is in charge":    {func(_ *features.Manager, p *fund.Person) { p.ManagerID = "" }, matcher.LicenceUnknown},
		"a manager nobody knows": {func(_ *features.Manager, p *fund.Person) { p.ManagerID = "m2" }, matcher.LicenceUnknown},
	} {
		m, p := good, person
		c.change(&m, &p)
		s := Service{config: Config{Staff: oneManager(m)}}
		got, err := s.licence(t.Context(), &p, day.Start()+1)
		if err != nil || got.State != c.want {
			t.Errorf("%s: %s (%v), expected %s", name, got.State, err, c.want)
		}
	}
}
