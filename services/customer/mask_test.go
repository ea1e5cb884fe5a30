package customer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/customer"
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

// A bank's catalogue lets fewer see: it counts from the instant on at which it is in force, and
// one that cannot be read shows nothing rather than too much.
func TestABanksCatalogueMasks(t *testing.T) {
	t.Parallel()
	narrow, err := view.Parse([]byte("schema: fundmatch.views/v1\nviews:\n  - {name: tag, roles: [AUDITOR]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, features.Cell{View: features.TagView, Name: "hobby", Value: "x", EventAt: fund.Date(20260101).Start()})
	var broken error
	served := customer.New(b.store, func() time.Time { return b.now }, func() (customer.Rules, error) { return b.rules, nil },
		customer.WithViews(func(context.Context, fund.Instant) (*view.Catalogue, error) { return narrow, broken }))
	ask := func(role string) (*fundmatchv1.GetCustomerResponse, error) {
		return served.GetCustomer(t.Context(), &fundmatchv1.GetCustomerRequest{CustomerId: known, Role: role})
	}
	for role, want := range map[string]string{"": "PRESENT", "AUDITOR": "PRESENT", "MANAGER": "PURPOSE_DENIED", "APP": "PURPOSE_DENIED"} {
		out, err := ask(role)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range out.GetCells() {
			if c.GetName() == "tag.hobby" && c.GetStatus() != want {
				t.Errorf("role %q: %s, want %s", role, c.GetStatus(), want)
			}
		}
	}
	broken = features.ErrNewerStore
	if out, err := ask("MANAGER"); !errors.Is(err, broken) || out != nil {
		t.Errorf("a catalogue that cannot be read: %v, %v", out, err)
	}
}
