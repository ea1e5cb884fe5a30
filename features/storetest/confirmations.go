//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func confirmationPromises() []promise {
	return []promise{
		{"confirmations come back whole, in the order asked for", wholeConfirmations},
		{"confirming again changes nothing, with other content it is refused", confirmedAgain},
		{"all of a call are kept, or none", confirmedTogether},
		{"a confirmation that its check refuses is invalid", invalidConfirmations},
		{"who is no customer confirms nothing", confirmedByNobody},
		{"an id of nobody or of another customer is not found", confirmationsOfOthers},
		{"a confirmation serves one decision and serves it again", usedOnce},
		{"all of a call are used, or none", usedTogether},
		{"of two that use one confirmation together exactly one succeeds", usedConcurrently},
		{"at most so many confirmations in a call", tooManyConfirmations},
	}
}

// confirmation returns a good one; n makes its id.
func confirmation(customerID string, n int) features.Confirmation {
	return features.Confirmation{
		ID: fmt.Sprintf("018f0000-0000-7000-8000-%012d", n), CustomerID: customerID, RuleID: "S03", Reason: "GRADE_ABOVE_LEVEL",
		ProductCode: "P1", Grade: fund.R4, Level: fund.C3, Amount: 1_000_00, DecisionID: "d0", Channel: "BRANCH", Trace: "trace",
		RecordingID: "rec-1", ManagerID: "m1", ReviewerID: "r1",
		AskedAt: noon(day1), ConfirmedAt: noon(day1) + 1, ExpiresAt: noon(day2),
	}
}

// confirm keeps confirmations and must succeed.
func confirm(t *testing.T, s Store, cs ...features.Confirmation) {
	t.Helper()
	if err := s.Confirm(t.Context(), cs); err != nil {
		t.Fatalf("confirm: %v", err)
	}
}

// confirmed reads confirmations and must succeed.
func confirmed(t *testing.T, s Store, customerID string, ids ...string) []features.Confirmation {
	t.Helper()
	cs, err := s.Confirmations(t.Context(), customerID, ids)
	if err != nil {
		t.Fatalf("confirmations: %v", err)
	}
	return cs
}

func wholeConfirmations(t *testing.T, s Store) {
	known(t, s, "c1", "c2")
	one, two, other := confirmation("c1", 1), confirmation("c1", 2), confirmation("c2", 3)
	two.Channel, two.RecordingID, two.ManagerID, two.ReviewerID = "APP", "", "", ""
	two.Level, two.Amount, two.Reason = fund.LevelUnknown, 0, ""
	confirm(t, s, one, other, two)
	wantSame(t, "those of c1", confirmed(t, s, "c1", two.ID, one.ID), []features.Confirmation{two, one})
	wantSame(t, "those of c2", confirmed(t, s, "c2", other.ID), []features.Confirmation{other})
	if got := confirmed(t, s, "c1"); len(got) != 0 {
		t.Errorf("asked for none, got %v", got)
	}
}

func confirmedAgain(t *testing.T, s Store) {
	known(t, s, "c1", "c2")
	c := confirmation("c1", 1)
	confirm(t, s, c, c)
	if err := s.Use(t.Context(), "c1", []string{c.ID}, "d1", 7); err != nil {
		t.Fatal(err)
	}
	confirm(t, s, c) // the same word, used meanwhile
	want := c
	want.UsedBy, want.UsedAt = "d1", 7
	wantSame(t, "after the repetition", confirmed(t, s, "c1", c.ID), []features.Confirmation{want})
	for name, change := range map[string]func(*features.Confirmation){
		"another amount":   func(c *features.Confirmation) { c.Amount++ },
		"another customer": func(c *features.Confirmation) { c.CustomerID = "c2" },
		"a later end":      func(c *features.Confirmation) { c.ExpiresAt++ },
	} {
		other := c
		change(&other)
		if err := s.Confirm(t.Context(), []features.Confirmation{other}); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	wantSame(t, "after the refusals", confirmed(t, s, "c1", c.ID), []features.Confirmation{want})
}

func confirmedTogether(t *testing.T, s Store) {
	known(t, s, "c1")
	one, two := confirmation("c1", 1), confirmation("c1", 2)
	confirm(t, s, two)
	changed, twice := two, one
	changed.Amount++
	twice.Amount++
	for name, cs := range map[string][]features.Confirmation{
		"with one that is there otherwise":       {one, changed},
		"with one of nobody":                     {one, confirmation("nobody", 3)},
		"with one that is there twice":           {one, twice},
		"with one that cannot be a confirmation": {one, {}},
	} {
		if err := s.Confirm(t.Context(), cs); err == nil {
			t.Errorf("%s: kept", name)
		}
		if _, err := s.Confirmations(t.Context(), "c1", []string{one.ID}); !errors.Is(err, features.ErrNotFound) {
			t.Errorf("%s: the first is there: %v", name, err)
		}
	}
	if err := s.Confirm(t.Context(), nil); err != nil {
		t.Errorf("none: %v", err)
	}
}

func invalidConfirmations(t *testing.T, s Store) {
	known(t, s, "c1")
	c := confirmation("c1", 1)
	c.ID = "1"
	if err := s.Confirm(t.Context(), []features.Confirmation{c}); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("an id that is no UUIDv7: %v, want ErrInvalid", err)
	}
}

func confirmedByNobody(t *testing.T, s Store) {
	if err := s.Confirm(t.Context(), []features.Confirmation{confirmation("c1", 1)}); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}

func confirmationsOfOthers(t *testing.T, s Store) {
	known(t, s, "c1", "c2")
	c := confirmation("c1", 1)
	confirm(t, s, c)
	for name, q := range map[string]struct {
		customer string
		ids      []string
	}{
		"another customer's": {"c2", []string{c.ID}},
		"a stranger's":       {"c9", []string{c.ID}},
		"nobody's":           {"c1", []string{c.ID, confirmation("c1", 2).ID}},
		"no id":              {"c1", []string{""}},
	} {
		if got, err := s.Confirmations(t.Context(), q.customer, q.ids); !errors.Is(err, features.ErrNotFound) || got != nil {
			t.Errorf("%s: %v, %v, want ErrNotFound", name, got, err)
		}
		if err := s.Use(t.Context(), q.customer, q.ids, "d1", 7); !errors.Is(err, features.ErrNotFound) {
			t.Errorf("%s used: %v, want ErrNotFound", name, err)
		}
	}
	wantSame(t, "afterwards", confirmed(t, s, "c1", c.ID), []features.Confirmation{c})
}

func usedOnce(t *testing.T, s Store) {
	known(t, s, "c1")
	c := confirmation("c1", 1)
	confirm(t, s, c)
	for _, at := range []fund.Instant{7, 9} {
		if err := s.Use(t.Context(), "c1", []string{c.ID, c.ID}, "d1", at); err != nil {
			t.Errorf("at %d: %v", at, err)
		}
	}
	if err := s.Use(t.Context(), "c1", []string{c.ID}, "d2", 9); !errors.Is(err, features.ErrConfirmationUsed) {
		t.Errorf("for another decision: %v, want ErrConfirmationUsed", err)
	}
	c.UsedBy, c.UsedAt = "d1", 7
	wantSame(t, "afterwards", confirmed(t, s, "c1", c.ID), []features.Confirmation{c})
	for name, err := range map[string]error{
		"no decision": s.Use(t.Context(), "c1", []string{c.ID}, "", 9),
		"no instant":  s.Use(t.Context(), "c1", []string{c.ID}, "d1", 0),
	} {
		if !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	if err := s.Use(t.Context(), "c1", nil, "d2", 9); err != nil {
		t.Errorf("none: %v", err)
	}
}

func usedTogether(t *testing.T, s Store) {
	known(t, s, "c1")
	one, two := confirmation("c1", 1), confirmation("c1", 2)
	confirm(t, s, one, two)
	if err := s.Use(t.Context(), "c1", []string{two.ID}, "d1", 7); err != nil {
		t.Fatal(err)
	}
	if err := s.Use(t.Context(), "c1", []string{one.ID, two.ID}, "d2", 8); !errors.Is(err, features.ErrConfirmationUsed) {
		t.Errorf("with a used one: %v, want ErrConfirmationUsed", err)
	}
	wantSame(t, "the first", confirmed(t, s, "c1", one.ID), []features.Confirmation{one})
	if err := s.Use(t.Context(), "c1", []string{one.ID, two.ID}, "d1", 9); err != nil {
		t.Errorf("with one that it used already: %v", err)
	}
	one.UsedBy, one.UsedAt, two.UsedBy, two.UsedAt = "d1", 9, "d1", 7
	wantSame(t, "both", confirmed(t, s, "c1", one.ID, two.ID), []features.Confirmation{one, two})
}

func usedConcurrently(t *testing.T, s Store) {
	known(t, s, "c1")
	for n := range 8 {
		c := confirmation("c1", n)
		confirm(t, s, c)
		var users sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			users.Go(func() { errs[i] = s.Use(t.Context(), "c1", []string{c.ID}, fmt.Sprintf("d%d", i), 7) })
		}
		users.Wait()
		winner := slices.Index(errs, nil)
		if winner < 0 || !errors.Is(errs[1-winner], features.ErrConfirmationUsed) {
			t.Fatalf("%d: %v, want one success and one ErrConfirmationUsed", n, errs)
		}
		if got := confirmed(t, s, "c1", c.ID)[0].UsedBy; got != fmt.Sprintf("d%d", winner) {
			t.Errorf("%d: used by %s, want the winner d%d", n, got, winner)
		}
	}
}

func tooManyConfirmations(t *testing.T, s Store) {
	known(t, s, "c1")
	var cs []features.Confirmation
	var ids []string
	for n := range features.MaxConfirmations + 1 {
		cs = append(cs, confirmation("c1", n))
		ids = append(ids, cs[n].ID)
	}
	most := ids[:features.MaxConfirmations]
	confirm(t, s, cs[:features.MaxConfirmations]...)
	wantSame(t, "the most", len(confirmed(t, s, "c1", most...)), len(most))
	if err := s.Use(t.Context(), "c1", most, "d1", 7); err != nil {
		t.Error(err)
	}
	_, err := s.Confirmations(t.Context(), "c1", ids)
	for name, err := range map[string]error{"confirm": s.Confirm(t.Context(), cs), "read": err, "use": s.Use(t.Context(), "c1", ids, "d1", 7)} {
		if !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s of one too many: %v, want ErrInvalid", name, err)
		}
	}
}
