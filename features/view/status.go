package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/features"
)

// Status says what a read found. Only Present carries a value.
type Status uint8

// The statuses, in the order of their checks from the last to the first.
const (
	Present          Status = iota + 1
	NullValue               // written as unknown
	OutsideMaxAge           // older than the view's read age
	Expired                 // at or after the end of its own validity
	NotFound                // never written, removed, or past retention
	ConsentWithdrawn        // it was taken back, from that instant on
	ConsentMissing          // the purpose needs a consent that was never given
	PurposeDenied           // the view is not for this purpose, or not for this reader
)

var statusNames = [...]string{
	"", "PRESENT", "NULL_VALUE", "OUTSIDE_MAX_AGE", "EXPIRED", "NOT_FOUND", "CONSENT_WITHDRAWN", "CONSENT_MISSING", "PURPOSE_DENIED",
}

// String returns the status's code: PRESENT, NULL_VALUE, ...
func (s Status) String() string { return nameOf(statusNames[:], s) }

// ParseStatus reads a status's code.
func ParseStatus(s string) (Status, error) { return parseName[Status](statusNames[:], 1, s, "status") }

// Role is who reads.
type Role uint8

// The roles. AnyRole is the program itself: the matcher and its jobs.
const (
	AnyRole Role = iota
	Manager
	App
	Auditor
)

var roleNames = [...]string{"PROGRAM", "MANAGER", "APP", "AUDITOR"}

// String returns the role's code.
func (r Role) String() string { return nameOf(roleNames[:], r) }

// ParseRole reads a role's code. The empty text is AnyRole.
func ParseRole(s string) (Role, error) {
	if s == "" {
		return AnyRole, nil
	}
	return parseName[Role](roleNames[:], 0, s, "role")
}

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

var typeNames = [...]string{"", "int", "decimal", "string", "bool", "time", "list"}

// String returns the type's name in a catalogue: int, decimal, string, bool, time, list.
func (t Type) String() string { return nameOf(typeNames[:], t) }

// ParseType reads a type's name.
func ParseType(s string) (Type, error) { return parseName[Type](typeNames[:], 1, s, "type") }

var kindNames = [...]string{"", "personalizing", "duty", "non_personal"}

// String returns the kind's name in a catalogue.
func (k Kind) String() string { return nameOf(kindNames[:], k) }

// ParseKind reads a kind's name.
func ParseKind(s string) (Kind, error) { return parseName[Kind](kindNames[:], 1, s, "kind") }

func nameOf[T ~uint8](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("unknown(%d)", v)
}

// parseName finds a name from the place first on.
func parseName[T ~uint8](names []string, first int, s, what string) (T, error) {
	if i := slices.Index(names[first:], s); i >= 0 {
		return T(first + i), nil
	}
	return 0, features.Invalid(what, s, "one of "+strings.Join(names[first:], ", "))
}
