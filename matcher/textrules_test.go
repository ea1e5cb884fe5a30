package matcher

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// A pack switches the rules of the draft off one by one, and no other text rule.
func TestAPackSwitchesTextRulesOfTheDraft(t *testing.T) {
	t.Parallel()
	all := wording.AllRules()
	pack, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		t.Fatal(err)
	}
	whole := pack.InForce(1)
	if got := textRules(&whole); got != all {
		t.Errorf("the built-in pack has %s in force, want %s", got, all)
	}
	for _, off := range all.IDs() {
		edition := eligibility.Edition{}
		for _, r := range whole.Rules {
			if string(r.ID) != off {
				edition.Rules = append(edition.Rules, r)
			}
		}
		if got, want := textRules(&edition).Has(off), !wording.DraftRules().Has(off); got != want {
			t.Errorf("%s left out of a pack: in force %v, want %v", off, got, want)
		}
	}
}
