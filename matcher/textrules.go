package matcher

import (
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// TextRules are the text rules in force for what people write (W01-W10, S06, C09). Only
// those that rest on the draft of 2025-12 can be switched off, by the rule pack.
func (c *Core) TextRules() wording.RuleSet { return textRules(&c.rules) }

func textRules(e *eligibility.Edition) wording.RuleSet {
	set := wording.AllRules().Without(wording.DraftRules())
	for _, r := range e.Rules {
		if text, err := wording.ParseRuleSet(string(r.ID)); err == nil { // others are not about texts
			set = set.With(text)
		}
	}
	return set
}
