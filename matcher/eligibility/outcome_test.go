package eligibility_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
)

// Codes of values that damaged bytes may hold: the last known one, and the one after it.
func TestCodesOfOutcomes(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{eligibility.None.String(), "NONE"}, {eligibility.Block.String(), "BLOCK"}, {(eligibility.Block + 1).String(), "9"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	for n := range 256 {
		for _, code := range []string{eligibility.Outcome(n).String(), eligibility.Situation(n).String(), eligibility.Licence(n).String()} {
			if code == "" {
				t.Errorf("%d has no code", n)
			}
		}
	}
}

// Every rule is told to the customer but the one that would tip him off (C07).
func TestWhatIsTold(t *testing.T) {
	for _, id := range eligibility.RuleIDs() {
		if got, want := id.Tellable(), id != eligibility.C07; got != want {
			t.Errorf("%s is told %v", id, got)
		}
	}
}
