// Package view says what the features of a bank mean, who may read them and for what, and
// reads them: typed values with a status, from the profile of any instant. A catalogue of
// views is an artifact with a history, so that a value of years ago is read by the
// definition of its time. Only PRESENT carries a value. docs/features.md tells the semantics.
package view

import (
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Feature is one typed feature of a view.
type Feature struct {
	Name  string
	Type  Type
	Doc   string
	Gate  bool   // the gate reads it whatever the purpose; View.Gate: all of the view
	Roles []Role // who may read it besides the program; nil: the view's
}

// View is the definition of one view.
type View struct {
	Definition
	Access
	Span
	Features []Feature // of an open view (tag, attribute, consent): those that the bank named
	Open     Type      // type of the names that Features does not declare; 0: there are no others
}

// Definition says what a view is.
type Definition struct {
	Name    string // no dot in it
	Doc     string
	Owner   string // who answers for it at the bank
	Version string // of the definition; changes when the meaning of a value changes
	Derived bool   // computed from other facts: it has no cells of its own
}

// Access says who may read a view for what.
type Access struct {
	Personal     bool     // about the person: a purpose that is not personal reads it only where the gate needs it
	Gate         bool     // the gate reads all of it whatever the purpose
	Purposes     []string // for which it may be read; none: by the program itself only
	NeedsConsent []string // those of Purposes that need a consent of the same name
	Roles        []Role   // who may read besides the program
}

// Span says how old what is read may be. 0 is unlimited.
type Span struct {
	MaxAge    time.Duration // read age: older is OUTSIDE_MAX_AGE
	LookBack  time.Duration // how far back a read looks at all: older is NOT_FOUND; of a derived view its longest window
	Retention time.Duration // how long the bank keeps it: from its end on NOT_FOUND, as after its deletion
}

// Purpose is what something is read for.
type Purpose struct {
	Name string
	Kind Kind
	Doc  string
}

// Kind says what a customer's switch of personalisation does to a purpose.
type Kind uint8

// The kinds of purposes.
const (
	Personalizing Kind = iota + 1 // serves the person himself: not after he switched personalisation off
	Duty                          // a legal or contractual duty, or evidence: whatever he switched
	NonPersonal                   // reads no personal cell but those of the gate
)

// Ref names a feature. Its text is view.name; the view's name has no dot in it.
type Ref struct{ View, Name string }

// Request is one read.
type Request struct {
	At      fund.Instant
	Purpose string // "": the program's own, which needs none (the gate, monitoring)
	Role    Role
}

// Cell is what a read found of one feature.
type Cell struct {
	Ref
	Value  Value // zero unless Present
	Status Status
	From   fund.Instant // event time of what was found, also when it is too old; 0: always, nothing, or not for the reader
	To     fund.Instant // end of its validity; fund.Forever: open; 0 where nothing was found
}
