package wording

import (
	"strings"
	"testing"
)

// A set of rules is written as it is read, and an id that is none is refused by name.
func TestParseRuleSet(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "W01": "W01", "W06,W02": "W02,W06", "C09 S06, W10": "W10,S06,C09", "W07,W07": "W07",
		AllRules().String(): "W01,W02,W03,W04,W05,W06,W07,W08,W09,W10,S06,C09",
	} {
		set, err := ParseRuleSet(text)
		if err != nil || set.String() != want {
			t.Errorf("%q: %s, %v; want %s", text, set, err, want)
		}
		if again, err := ParseRuleSet(set.String()); err != nil || again != set {
			t.Errorf("%q read again: %s, %v", set, again, err)
		}
	}
	for _, text := range []string{"W11", "w01", "W01;W02", "W01,全部"} {
		if set, err := ParseRuleSet(text); err == nil || set != 0 || !strings.Contains(err.Error(), "W01,W02,W03") {
			t.Errorf("%q: %s, %v; want an error that names the rules", text, set, err)
		}
	}
}

// The rules of the draft are those that the rule book marks with d.
func TestDraftRules(t *testing.T) {
	if got := DraftRules().String(); got != "W01,W02,W03,W04,W06" {
		t.Errorf("draft rules: %s", got)
	}
	rest := AllRules().Without(DraftRules())
	if rest.Has("W01") || !rest.Has("W07") || rest.Has("X99") || rest.With(DraftRules()) != AllRules() {
		t.Errorf("all but the draft: %s", rest)
	}
}
