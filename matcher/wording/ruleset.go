package wording

import (
	"fmt"
	"strings"
)

// A RuleSet is a set of text rules: what a rule pack has switched on. The zero
// value is empty.
type RuleSet uint16

// textRules are the rules of a RuleSet; the index of an id is its bit.
var textRules = [...]string{"W01", "W02", "W03", "W04", "W05", "W06", "W07", "W08", "W09", "W10", "S06", "C09"}

// AllRules is every text rule of the rule book: W01-W10, S06 and C09.
func AllRules() RuleSet { return 1<<len(textRules) - 1 }

// DraftRules are those that rest on the draft of 2025-12 (W01, W02, W03, W04, W06):
// on by default, and switched off by a rule pack.
func DraftRules() RuleSet {
	set, err := ParseRuleSet("W01,W02,W03,W04,W06")
	if err != nil {
		return 0 // never: the ids stand in textRules, as a test shows
	}
	return set
}

// ParseRuleSet reads rule ids that are separated by commas or spaces: "W01,W02".
// An empty text is the empty set; an id that is no text rule is an error.
func ParseRuleSet(ids string) (RuleSet, error) {
	var set RuleSet
	for _, id := range strings.FieldsFunc(ids, func(r rune) bool { return r == ',' || r == ' ' }) {
		bit := ruleBit(id)
		if bit == 0 {
			return 0, fmt.Errorf("%q is no text rule; expected some of %s", id, AllRules())
		}
		set |= bit
	}
	return set, nil
}

// ruleBit returns the bit of an id, 0 when there is no such rule.
func ruleBit(id string) RuleSet {
	for i, name := range textRules {
		if name == id {
			return 1 << i
		}
	}
	return 0
}

// Has reports whether the rule of that id is in the set.
func (s RuleSet) Has(id string) bool { return s&ruleBit(id) != 0 }

// With returns the rules of both sets.
func (s RuleSet) With(other RuleSet) RuleSet { return s | other }

// Without returns the rules of s that are not in the other set.
func (s RuleSet) Without(other RuleSet) RuleSet { return s &^ other }

// IDs returns the ids of the set in the order of the rule book.
func (s RuleSet) IDs() []string {
	var ids []string
	for i, id := range textRules {
		if s>>i&1 == 1 {
			ids = append(ids, id)
		}
	}
	return ids
}

// String writes the set as ParseRuleSet reads it.
func (s RuleSet) String() string { return strings.Join(s.IDs(), ",") }
