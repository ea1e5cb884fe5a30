package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// Change is one difference between two packs. The differences of a list, one after
// another, tell all that the newer pack sets otherwise.
type Change struct {
	Rule RuleID // empty: of the pack as a whole
	// Book and From tell which entry of the rule: as it stands in the newer pack, or stood
	// in the older one where the newer has it no more.
	Book   Book
	From   fund.Instant
	Kind   ChangeKind
	Name   string // of a parameter, with the key of a table's cell (matrix.C3); the situation of an outcome
	Before string // as text; empty: there was none
	After  string // as text; empty: there is none
	Effect Effect
}

// ChangeKind says what of a pack differs.
type ChangeKind string

// The kinds of changes.
const (
	NameChanged      ChangeKind = "NAME"
	VersionChanged   ChangeKind = "VERSION"
	EntryAdded       ChangeKind = "ENTRY_ADDED"   // what it sets follows, without a before
	EntryRemoved     ChangeKind = "ENTRY_REMOVED" // nothing of it follows
	BookChanged      ChangeKind = "BOOK"
	FromChanged      ChangeKind = "EFFECTIVE_FROM"
	UntilChanged     ChangeKind = "EFFECTIVE_TO"
	EnabledChanged   ChangeKind = "ENABLED"
	OutcomeChanged   ChangeKind = "OUTCOME"
	ParameterChanged ChangeKind = "PARAMETER"
	CitationChanged  ChangeKind = "CITATION"
	MarkChanged      ChangeKind = "SOURCE_MARK"
)

// Effect says whether a change protects customers more or less.
type Effect string

// The effects.
const (
	Neutral  Effect = "" // or not for a program to say
	Stricter Effect = "STRICTER"
	Laxer    Effect = "LAXER"
)

// Diff says what differs between two packs, in an order of its own: the pack as a whole,
// then the rules in the rulebook's order, each entry by book and beginning. Empty: they
// set the same. The order of entries in the files sets nothing.
func Diff(before, after *Pack) []Change { return nil }

// Words says the change in a zh-CN sentence for the compliance officer.
func (c *Change) Words() string { return "" }
