package affinity

import "errors"

// ErrEncoding is wrapped by every error about the bytes of a model; the message names the
// place, the value and what was expected.
var ErrEncoding = errors.New("affinity model refused")

// Names tie the numbers of a model to what they stand for outside of it.
type Names struct {
	Items []string // fund codes
	// By number, of each attribute; nil where the attribute is not used.
	Kinds, Issuers, Themes, Goals, Markets []string
}
