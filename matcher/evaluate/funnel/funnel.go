// Package funnel counts where customers drop out on the way from a product shown to one bought: 接 (exposed, viewed), 化
// (an objection raised, answered by evidence), 发 (started, confirmed, abandoned), and objection by objection. It is
// streaming: add blocks of whole decisions, merge states, read the result; nothing in it grows with rows.
package funnel

import "github.com/fundmatch/fundmatch/matcher/evaluate/share"

// Text is a column of text, each value once: Values holds places in Names.
type Text struct {
	Values []uint32
	Names  []string
}

// Rows is a run of whole decisions, column by column. A nil column is one that the log lacks: nothing that needs it is
// known then. In the columns of numbers 1 is yes, 0 is no, NaN is not known.
type Rows struct {
	Ends []int32 // per decision: the row behind its last; the last is the number of rows

	Flags [Flags][]float64

	Foreseen, Raised *Text // codes of objections, separated by blanks
}

// Flag is a column of yes and no.
type Flag uint8

// The flags.
const (
	Exposed Flag = iota
	Viewed
	Answered // he opened evidence about the product
	Started
	Confirmed
	Abandoned
	Flags // how many there are
)

// FlagColumns are the names of the flags' columns in a log.
func FlagColumns() [Flags]string {
	return [Flags]string{"exposed", "viewed", "answered", "started", "confirmed", "abandoned"}
}

// Step is a step on the way, each behind the one before.
type Step uint8

// The steps.
const (
	StepListed    Step = iota // every row
	StepExposed               // 接: it came before his eyes
	StepViewed                // 接: he opened it
	StepStarted               // 发: he began an order
	StepConfirmed             // 发: he bought it
	Steps                     // how many there are
)

// flag is the column of a step behind the first.
func (s Step) flag() Flag {
	return [Steps]Flag{StepExposed: Exposed, StepViewed: Viewed, StepStarted: Started, StepConfirmed: Confirmed}[s]
}

// Way is what is counted of one step.
type Way struct {
	// WentOn asks the rows that reached the step before: did they reach this one?
	WentOn share.Share `json:"went_on"`
	// Entered are rows that reached this step though they are not known to have reached the one before, as an order in a
	// branch. WentOn.Yes and Entered are all that reached it.
	Entered int64 `json:"entered"`
}

// Doubt is what is counted of the rows with an objection.
type Doubt struct {
	Foreseen int64 `json:"foreseen"` // rows
	Raised   int64 `json:"raised"`
	Both     int64 `json:"both"`

	Answered share.Share `json:"answered"` // of the rows where it was raised
	// WentOn asks whether an order was started where it was raised: [0] not answered by evidence, [1] answered.
	WentOn [2]share.Share `json:"went_on"`
}

// MaxObjections is how many codes of objections are told apart. With more they are withheld one by one.
const MaxObjections = 256

// Column is one that some figure needs.
type Column uint8

// The columns besides the flags. A flag's Column is FlagColumn(flag).
const (
	ColumnForeseen Column = iota
	ColumnRaised
	columnFlags
)

// FlagColumn is the column of a flag.
func FlagColumn(f Flag) Column { return columnFlags + Column(f) }

// State is what has been counted. The zero State has counted nothing.
type State struct {
	Rows  int64
	Ways  [Steps]Way  // [StepListed] is empty
	Quits share.Share // of the orders started: abandoned

	Any  Doubt       // rows with any objection
	None share.Share // of the rows viewed without an objection: started

	Objections map[string]*Doubt // by code
	TooMany    bool              // more codes than MaxObjections: they are no longer told apart

	lacked uint32 // columns that some block lacked, a bit for each
}

// Lacks reports whether some of the rows came without a column: what needs it is not known.
func (s *State) Lacks(c Column) bool { return s.lacked&(1<<c) != 0 }
