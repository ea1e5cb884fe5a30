package main

import (
	"cmp"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
)

// definitionsAnswer counts the decisions that sealed one version of the definitions that
// derived features rest on.
type definitionsAnswer struct {
	Version   string `json:"version"` // empty: of before a record named them
	Decisions int    `json:"decisions"`
	Differs   bool   `json:"differs"` // from the program's: it derives other values of the same inputs
}

// sealDefinitions counts a decision's version. The counts stand in the order of the
// versions, compared as text, those of before first.
func (s *receiptSummary) sealDefinitions(version string) {
	at, found := slices.BinarySearchFunc(s.Sealed, version, func(a definitionsAnswer, v string) int { return cmp.Compare(a.Version, v) })
	if !found {
		differs := version != "" && version != behaviour.DefinitionVersion
		s.Sealed = slices.Insert(s.Sealed, at, definitionsAnswer{Version: version, Differs: differs})
	}
	s.Sealed[at].Decisions++
}

// definitions writes by which definitions the sealed decisions derived their features.
func (c *card) definitions(sealed []definitionsAnswer) {
	for i := range sealed {
		d := &sealed[i]
		var text string
		switch {
		case d.Version == "":
			text = "none sealed: recorded before a record named them"
		case d.Differs:
			text = "version " + printable(d.Version) + " sealed, this program has " + behaviour.DefinitionVersion +
				": it derives otherwise from the same inputs, and replay says ENGINE_DIFFERS where that shows"
		default:
			text = "version " + printable(d.Version) + ", this program's"
		}
		c.line(0, "definitions of derived features: %s (%s)", text, plural(d.Decisions, "decision", "decisions"))
	}
}
