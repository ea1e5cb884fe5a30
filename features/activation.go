package features

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Activation is one entry of the history of an artifact kind: what was put in force, when,
// by whom and why.
type Activation struct {
	Kind       ArtifactKind
	ArtifactID string
	At         fund.Instant
	By, Note   string // empty in entries of before they were kept
	// Idempotency makes it safe to send again. It is no part of the history.
	Idempotency Idempotency
}

// MaxNoteLength bounds the note of an activation, in bytes.
const MaxNoteLength = 256

// Check reports whether a store may record the activation: a kind, an artifact, an instant,
// and somebody who did it. The error wraps ErrInvalid.
func (a *Activation) Check() error {
	if err := checkKind(a.Kind); err != nil {
		return err
	}
	if err := checkIDs(a.ArtifactID, a.By); err != nil {
		return fmt.Errorf("%w: activation of %s %.80q by %.80q: %w", ErrInvalid, a.Kind, a.ArtifactID, a.By, err)
	}
	if err := checkText("note", a.Note, 0, MaxNoteLength); err != nil {
		return fmt.Errorf("%w: activation of %s %s: %w", ErrInvalid, a.Kind, a.ArtifactID, err)
	}
	if a.At <= 0 {
		return fmt.Errorf("%w: activation of %s %s at %d, expected an instant after 1970", ErrInvalid, a.Kind, a.ArtifactID, a.At)
	}
	if err := a.Idempotency.check(); err != nil {
		return fmt.Errorf("%w: activation of %s %s: %w", ErrInvalid, a.Kind, a.ArtifactID, err)
	}
	return nil
}

func checkKind(kind ArtifactKind) error {
	switch kind {
	case ModelArtifact, RulesArtifact, ViewsArtifact, ExperimentsArtifact, ShadowArtifact, KeptArtifact:
		return nil
	}
	return fmt.Errorf("%w: artifact kind %.80q, expected %s, %s, %s, %s, %s or %s",
		ErrInvalid, kind, ModelArtifact, RulesArtifact, ViewsArtifact, ExperimentsArtifact, ShadowArtifact, KeptArtifact)
}
