package customer_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// Each role sees what the catalogue of views lets it: the cell stays in the list, and nothing
// of it but its name.
func TestRolesSeeWhatTheyMay(t *testing.T) {
	t.Parallel()
	b := open(
		t,
		features.Cell{View: features.AssessmentView, Name: features.PredictedName, Value: "C4"},
		features.Cell{View: features.TagView, Name: "vip", Value: "yes", EventAt: fund.Date(20260101).Start(), Source: "crm"},
	)
	ask := func(role string) map[string]*fundmatchv1.ProfileCell {
		t.Helper()
		out, err := b.GetCustomer(t.Context(), &fundmatchv1.GetCustomerRequest{CustomerId: known, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		cells := map[string]*fundmatchv1.ProfileCell{}
		for _, c := range out.GetCells() {
			cells[c.GetName()] = c
		}
		return cells
	}
	all := ask("")
	for role, hidden := range map[string][]string{"MANAGER": nil, "APP": {"risk_level_predicted"}, "AUDITOR": nil} {
		want := map[string]*fundmatchv1.ProfileCell{}
		for name, c := range all {
			want[name] = c
		}
		for _, name := range hidden {
			want[name] = &fundmatchv1.ProfileCell{Name: name, Status: "PURPOSE_DENIED"}
		}
		got := ask(role)
		if role == "AUDITOR" {
			if got["tag.vip"].GetSource() != "crm" {
				t.Errorf("the auditor is not told the source: %v", got["tag.vip"])
			}
			got["tag.vip"].Source = nil
		}
		if d := cmp.Diff(want, got, protocmp.Transform()); d != "" {
			t.Errorf("%s (-want +got):\n%s", role, d)
		}
	}
	for _, role := range []string{"CUSTOMER", "manager", "PROGRAM", " "} {
		var invalid *features.InvalidError
		if _, err := b.GetCustomer(t.Context(), &fundmatchv1.GetCustomerRequest{CustomerId: known, Role: role}); !errors.As(err, &invalid) || invalid.Field != "role" {
			t.Errorf("role %q: %v, want an InvalidError of role", role, err)
		}
	}
}

// A tag that is kept for a purpose is no manager's without the customer's consent to that; he
// himself, and who audits the bank, see that it is kept.
func TestManagersSeeNoTagWithoutConsent(t *testing.T) {
	t.Parallel()
	from := fund.Date(20260101).Start()
	tag := func(name, purpose string) features.Cell {
		return features.Cell{View: features.TagView, Name: name, Value: "x", EventAt: from, Purpose: purpose}
	}
	word := func(value string, on fund.Date) features.Cell {
		return features.Cell{View: features.ConsentView, Name: fund.ConsentPush, Value: value, EventAt: on.Start()}
	}
	b := open(t, tag("free", ""), tag("calls", fund.ConsentCall), tag("push", fund.ConsentPush), word("true", 20260101), word("false", 20260301))
	for role, want := range map[string][3]string{
		"":        {"PRESENT", "PRESENT", "PRESENT"},
		"MANAGER": {"PRESENT", "CONSENT_MISSING", "CONSENT_WITHDRAWN"},
		"APP":     {"PRESENT", "PRESENT", "PRESENT"},
		"AUDITOR": {"PRESENT", "PRESENT", "PRESENT"},
	} {
		out, err := b.GetCustomer(t.Context(), &fundmatchv1.GetCustomerRequest{CustomerId: known, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]int{"tag.free": 0, "tag.calls": 1, "tag.push": 2}
		for _, c := range out.GetCells() {
			if i, ok := names[c.GetName()]; ok && (c.GetStatus() != want[i] || (c.GetValue() == "x") != (want[i] == "PRESENT")) {
				t.Errorf("role %q: %s is %s %q, want %s", role, c.GetName(), c.GetStatus(), c.GetValue(), want[i])
			}
		}
	}
}
