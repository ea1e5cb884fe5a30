// Package view says what the features of a bank mean, who may read them and for what, and
// reads them: typed values with a status, from the profile of any instant. A catalogue of
// views is an artifact with a history, so that a value of years ago is read by the
// definition of its time. Only PRESENT carries a value.
package view

import (
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Type is what a feature's values are.
type Type uint8

// The types.
const (
	Int     Type = iota + 1 // a whole number of 64 bits
	Decimal                 // an exact decimal number
	String
	Bool
	Time // an instant, in microseconds
	List // of texts
)

// Value is a typed value. Which field counts says its type.
type Value struct {
	Type Type
	Int  int64    // Int; Bool: 0 or 1; Time: fund.Instant
	Text string   // String; Decimal: its canonical digits
	List []string // List
}

// Status says what a read found. Only Present carries a value.
type Status uint8

// The statuses, in the order of their checks from the last to the first.
const (
	Present          Status = iota + 1
	NullValue               // written as unknown
	NotFound                // never written, or removed
	OutsideMaxAge           // older than the view's read age
	Expired                 // at or after the end of its own validity
	PurposeDenied           // the view is not for this purpose, or not for this reader
	ConsentMissing          // the purpose needs a consent that was never given
	ConsentWithdrawn        // it was taken back, from that instant on
)

// Role is who reads.
type Role uint8

// The roles. AnyRole is the program itself: the matcher and its jobs.
const (
	AnyRole Role = iota
	Manager
	App
	Auditor
)

// Feature is one typed feature of a view.
type Feature struct {
	Name string
	Type Type
	Doc  string
}

// View is the definition of one view.
type View struct {
	Name         string
	Doc          string
	Owner        string // who answers for it at the bank
	Version      string // of the definition; changes when the meaning of a value changes
	Personal     bool   // about the person: a purpose that is not personal reads it only where the gate needs it
	Gate         bool   // the gate reads it whatever the purpose
	Purposes     []string
	NeedsConsent []string      // those of Purposes that need a consent of the same name
	Roles        []Role        // who may read besides the program
	MaxAge       time.Duration // read age; 0: unlimited
	LookBack     time.Duration // of its windows; 0: all
	Retention    time.Duration // how long the bank keeps it; 0: as long as the customer
	Features     []Feature     // of an open view (tag, attribute): those that the bank named
	Open         bool          // other names may be written too, as texts
}

// Ref names a feature.
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
	From   fund.Instant // event time of what was found, also when it may not be used; 0: always, or nothing
	To     fund.Instant // end of its validity; fund.Forever: open
}

// Catalogue is a checked set of views: the built-in ones and the bank's own. It never changes.
type Catalogue struct {
	views []View
}

// Plan is a selection of features, ready to be read many times.
type Plan struct {
	catalogue *Catalogue
	refs      []Ref
}
