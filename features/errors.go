package features

import (
	"fmt"
	"unicode/utf8"
)

// Kind names what was looked for and not found.
type Kind string

// The kinds that a caller may ask for.
const (
	CustomerKind     Kind = "CUSTOMER"
	ProductKind      Kind = "PRODUCT"
	DecisionKind     Kind = "DECISION"
	PoolRevisionKind Kind = "POOL_REVISION"
	TagKind          Kind = "TAG"
	ManagerKind      Kind = "MANAGER"
	ConfirmationKind Kind = "CONFIRMATION"
	ModelKind        Kind = "MODEL"
)

// NotFoundError says what does not exist. It is an ErrNotFound.
type NotFoundError struct {
	Kind Kind
	ID   string
}

func (e *NotFoundError) Error() string { return fmt.Sprintf("%s %.80q: %s", e.Kind, e.ID, ErrNotFound) }

// Is says that a NotFoundError is ErrNotFound.
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// EventReusedError says which event of a batch has the id of another. It is an
// ErrEventReused.
type EventReusedError struct {
	Place int // in the batch, from 0
	ID    string
}

func (e *EventReusedError) Error() string {
	return fmt.Sprintf("events[%d].eventId: %.80q, expected an id that no other event has", e.Place, e.ID)
}

// Is says that an EventReusedError is ErrEventReused.
func (e *EventReusedError) Is(target error) bool { return target == ErrEventReused }

// InvalidError names a value of a request that is refused, in the caller's words: the
// field as the API spells it, the value, and what was expected. It is an ErrInvalid.
// An ErrInvalid that is none is about stored data, which no caller can repair.
type InvalidError struct {
	Field, Value, Expected string
}

// maxShown bounds how much of a refused value is repeated, in bytes.
const maxShown = 80

// Invalid returns an InvalidError that repeats at most the beginning of the value.
func Invalid(field, value, expected string) *InvalidError {
	if len(value) > maxShown {
		cut := maxShown
		for cut > maxShown-utf8.UTFMax && !utf8.RuneStart(value[cut]) {
			cut-- // a character is not cut in two
		}
		value = value[:cut] + "..."
	}
	return &InvalidError{Field: field, Value: value, Expected: expected}
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("%s: %q, expected %s", e.Field, e.Value, e.Expected)
}

// Is says that an InvalidError is ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }
