package model

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// The reasons for which a model is refused, as ErrorInfo.reason tells them.
const (
	Truncated      = "MODEL_TRUNCATED"       // the file ends before its end
	Altered        = "MODEL_ALTERED"         // it is not what was hashed when it was written
	Newer          = "MODEL_SCHEMA_NEWER"    // a newer program wrote it
	ForbiddenInput = "MODEL_INPUT_FORBIDDEN" // it reads what pays the seller (rule F04)
	NameReserved   = "MODEL_NAME_RESERVED"   // it has the name of the built-in model
	Malformed      = "MODEL_REFUSED"         // anything else that it must not say
	NotCompiled    = "MODEL_NOT_COMPILED"    // no core compiles with it and the published pool
	NotInForce     = "MODEL_NOT_IN_FORCE"    // it cannot be taken back, another one is in force
	NoPrevious     = "MODEL_NO_PREVIOUS"     // there is none to go back to
	Full           = "MODEL_REGISTRY_FULL"   // MaxModels are kept
)

// RefusedError says why the bytes of a request are no model that may be kept.
type RefusedError struct {
	Reason string
	Text   string // for the caller, on one line
	cause  error
}

func (e *RefusedError) Error() string { return e.Text }

// Unwrap returns what the reader of models said.
func (e *RefusedError) Unwrap() error { return e.cause }

// StateError says why something cannot be done with a model as things stand: with this
// program, this pool, or what is in force.
type StateError struct {
	Reason string
	Text   string // for the caller, on one line
	cause  error
}

func (e *StateError) Error() string { return e.Text }

// Unwrap returns what was wrong, where something else says it.
func (e *StateError) Unwrap() error { return e.cause }

// refused tells why bytes that somebody sent are refused. A newer program's model is nothing
// that is wrong with the request.
func refused(err error) error {
	reason := reasonOf(err)
	if reason == Newer {
		return &StateError{Reason: reason, Text: oneLine(err), cause: err}
	}
	return &RefusedError{Reason: reason, Text: oneLine(err), cause: err}
}

// unusable tells why a model that is kept cannot be put in force by this program.
func unusable(id string, err error) error {
	return &StateError{Reason: reasonOf(err), Text: fmt.Sprintf("model %s: %s", id, oneLine(err)), cause: err}
}

func reasonOf(err error) string {
	for _, row := range [...]struct {
		cause  error
		reason string
	}{
		{modelfile.ErrTruncated, Truncated},
		{modelfile.ErrAltered, Altered},
		{modelfile.ErrNewerSchema, Newer},
		{score.ErrForbiddenInput, ForbiddenInput},
	} {
		if errors.Is(err, row.cause) {
			return row.reason
		}
	}
	return Malformed
}

// maxText bounds what is repeated of an error, in bytes: it may quote what was sent.
const maxText = 500

// oneLine keeps a text on one line, and short.
func oneLine(err error) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(err.Error(), "\uFFFD")), " ")
	if len(text) <= maxText {
		return text
	}
	cut := maxText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}
