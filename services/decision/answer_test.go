package decision

import (
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/switching"
)

// What differs between an order check and the same one computed again is named.
func TestDifferencesOfOrders(t *testing.T) {
	t.Parallel()
	was := &matcher.OrderCheck{Verdict: matcher.OrderAllow, Origin: behaviour.Origin{Initiative: fund.ByCustomer, Reason: behaviour.OwnSearch}}
	is := &matcher.OrderCheck{Verdict: matcher.OrderBlock, Origin: behaviour.Origin{Reason: behaviour.NotShown}, Findings: []eligibility.OrderFinding{
		{Finding: eligibility.Finding{Rule: eligibility.S02, Outcome: eligibility.Block, Reason: "GRADE_ABOVE_LEVEL"}},
	}}
	want := []string{
		"verdict: recorded ALLOW, recomputed BLOCK", "initiative: recorded CUSTOMER, recomputed FIRM",
		"origin: recorded OWN_SEARCH, recomputed NOT_SHOWN", `rules: recorded [], recomputed ["S02 BLOCK GRADE_ABOVE_LEVEL"]`,
	}
	if got := (*orderAnswer)(was).differences((*orderAnswer)(is)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (*orderAnswer)(was).differences((*orderAnswer)(was)); len(got) != 1 {
		t.Errorf("%q, want that nothing of it has a name", got)
	}
}

func TestDifferencesOfSwitches(t *testing.T) {
	t.Parallel()
	was := &matcher.SwitchAssessment{Assessment: switching.Assessment{Cost: switching.Cost{OK: true, Exit: 100, Entry: 20}}}
	is := &matcher.SwitchAssessment{Assessment: switching.Assessment{Cost: switching.Cost{OK: true, Exit: 101, Entry: 20}}, Verdict: matcher.OrderAllow}
	want := []string{"verdict: recorded BLOCK, recomputed ALLOW", "cost: recorded 120, recomputed 121"}
	if got := (*switchAnswer)(was).differences((*switchAnswer)(is)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A record is read by the parser of its kind, and what none can read is an error.
func TestRecordsAreReadByTheirKind(t *testing.T) {
	t.Parallel()
	order := (&matcher.OrderCheck{CustomerID: "C1"}).AppendCanonical(nil)
	if a, err := parse(order); err != nil || matcher.KindOf(order) != matcher.OrderAnswer {
		t.Errorf("%T, %v, want an order check", a, err)
	} else if _, ok := a.(*orderAnswer); !ok {
		t.Errorf("%T, want an order check", a)
	}
	assessment := (&matcher.SwitchAssessment{CustomerID: "C1"}).AppendCanonical(nil)
	if a, err := parse(assessment); err != nil {
		t.Errorf("%v, want an assessment", err)
	} else if _, ok := a.(*switchAnswer); !ok {
		t.Errorf("%T, want an assessment", a)
	}
	for _, bad := range [][]byte{nil, {0}, {0xff, 1}, order[:len(order)-1], assessment[:len(assessment)-1]} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%x is read", bad)
		}
	}
}
