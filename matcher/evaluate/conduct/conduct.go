// Package conduct counts what a regulator asks of a log: products above what a customer may bear, new issues, switches
// that do not pay, money that left soon after it came, complaints, falls beyond what a customer can bear, and how much of it all goes to few products and
// issuers. It is streaming: add blocks of whole decisions, merge states, read the result; nothing in it grows with rows.
package conduct

import "github.com/fundmatch/fundmatch/matcher/evaluate/share"

// Text is a column of text, each value once: Values holds places in Names.
type Text struct {
	Values []uint32
	Names  []string
}

// Rows is a run of whole decisions, column by column. A nil column is one that the log lacks: nothing that needs it is
// known then. In the columns of numbers 1 is yes, 0 is no, NaN is not known.
type Rows struct {
	Ends []int32  // per decision: the row behind its last
	IDs  [][]byte // per decision, to name what is wrong; only read

	Position []int32
	Product  *Text

	RiskLevel, RiskGrade *Text // C1 to C5 or Professional, R1 to R5
	Issuer               *Text

	Flags [Flags][]float64
}

// Flag is a column of yes and no.
type Flag uint8

// The flags.
const (
	Confirmed Flag = iota // he bought it
	NewIssue
	NoBenefit // a switch whose net benefit is not above 0; empty where it is no switch
	Redeemed7
	Redeemed30
	Redeemed90
	Complained
	Breached90 // it fell beyond what he can bear within so many days of the entry
	Breached180
	Breached365
	Flags // how many there are
)

// FlagColumns are the names of the flags' columns in a log.
func FlagColumns() [Flags]string {
	return [Flags]string{
		"confirmed", "new_issue", "no_benefit", "redeemed_7d", "redeemed_30d", "redeemed_90d", "complained",
		"breached_90d", "breached_180d", "breached_365d",
	}
}

// Kind says what is wrong with a product that stood before a customer.
type Kind uint8

// The kinds of violation. A missing fact does not excuse: without a level only R1 is permitted, without a grade nothing.
const (
	AboveLevel   Kind = iota // its grade is above his level
	UnknownLevel             // his level is not known, and its grade is not R1
	Ungraded                 // its grade is not known
	Kinds                    // how many there are
)

// String names the kind.
func (k Kind) String() string {
	if k < Kinds {
		return [Kinds]string{"ABOVE_LEVEL", "UNKNOWN_LEVEL", "UNGRADED"}[k]
	}
	return "UNKNOWN"
}

// Professional stands in the column risk_level for a professional investor in force, whom no level bounds (S14): the
// firm may show him whatever has a grade.
const Professional = "PROFESSIONAL"

// Violation is a row that must not be.
type Violation struct {
	DecisionID string `json:"decision_id"`
	Position   int32  `json:"position"`
	Product    string `json:"product_code"`
	RiskLevel  string `json:"risk_level"`
	RiskGrade  string `json:"risk_grade"`
	Kind       string `json:"kind"`
}

// MaxViolations is how many violations are named; all are counted.
const MaxViolations = 10

// Scope is which rows a figure is about.
type Scope uint8

// The scopes.
const (
	Shown  Scope = iota // every row
	Bought              // rows whose order was confirmed
	Scopes              // how many there are
)

// Figures are what is counted over one scope.
type Figures struct {
	Rows    int64 `json:"rows"`
	Unknown int64 `json:"unknown"` // rows of which it is not known whether they belong here

	Violations share.Share        `json:"violations"`
	Kinds      [Kinds]int64       `json:"kinds"`
	Flags      [Flags]share.Share `json:"flags"` // by Flag; that of Confirmed is the share of rows that were bought

	Products Concentration `json:"products"`
	Issuers  Concentration `json:"issuers"`
}

// Column is one that some figure needs.
type Column uint8

// The columns besides the flags. A flag's Column is FlagColumn(flag).
const (
	ColumnRiskLevel Column = iota
	ColumnRiskGrade
	ColumnIssuer
	columnFlags
)

// FlagColumn is the column of a flag.
func FlagColumn(f Flag) Column { return columnFlags + Column(f) }

// State is what has been counted. The zero State has counted nothing.
type State struct {
	Scopes [Scopes]Figures
	First  []Violation // the first that were met, at most MaxViolations
	lacked uint32      // columns that some block lacked, a bit for each
}

// Lacks reports whether some of the rows came without a column: what needs it is not known.
func (s *State) Lacks(c Column) bool { return s.lacked&(1<<c) != 0 }

// Merge adds the state of rows that come after these.
func (s *State) Merge(o *State) {
	for i := range s.Scopes {
		s.Scopes[i].merge(&o.Scopes[i])
	}
	s.First = append(s.First, o.First[:min(len(o.First), MaxViolations-len(s.First))]...)
	s.lacked |= o.lacked
}

func (f *Figures) merge(o *Figures) {
	f.Rows += o.Rows
	f.Unknown += o.Unknown
	f.Violations.Merge(&o.Violations)
	for k := range f.Kinds {
		f.Kinds[k] += o.Kinds[k]
	}
	for i := range f.Flags {
		f.Flags[i].Merge(&o.Flags[i])
	}
	f.Products.merge(&o.Products)
	f.Issuers.merge(&o.Issuers)
}
