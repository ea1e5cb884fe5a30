package decision_test

import (
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/services/decision"
)

// Features that were derived by other definitions excuse another answer, also of a program
// of the same version, and replay says so. To be of before the definitions were named
// excuses nothing, and what says the same is a match whatever it was derived by.
func TestReplayKnowsOtherDefinitions(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	stored := b.stored(t, b.answer(t, customerID).GetDecisionId())
	said := "definitions of derived features: recorded version 1, this program has " + behaviour.DefinitionVersion
	for _, c := range []struct {
		name, definitions string
		other             bool // another answer was recorded
		want              decision.Verdict
	}{
		{"as it was", behaviour.DefinitionVersion, false, decision.Match},
		{"tampered", behaviour.DefinitionVersion, true, decision.Mismatch},
		{"of before", "", false, decision.Match},
		{"of before, tampered", "", true, decision.Mismatch},
		{"derived otherwise, with the same outcome", "1", false, decision.Match},
		{"derived otherwise", "1", true, decision.EngineDiffers},
	} {
		got := replay(t, b.service, tampered(t, stored, func(s *matcher.Slate) {
			s.Identity.Definitions = c.definitions
			if c.other {
				s.Items[0].Score = 77
			}
		}))
		if got.GetVerdict() != string(c.want) {
			t.Errorf("%s: %v, expected %s", c.name, got, c.want)
			continue
		}
		differences := strings.Join(got.GetDifferences(), "\n")
		if tells := strings.Contains(differences, "definitions of"); tells != (c.want == decision.EngineDiffers) || tells && !strings.HasPrefix(differences, said+"\n") {
			t.Errorf("%s: %s", c.name, differences)
		}
		if c.other && !strings.Contains(differences, "item 1 score: recorded 77") {
			t.Errorf("%s: %s does not say what differs", c.name, differences)
		}
	}
}
