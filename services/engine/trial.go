package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// TryModel compiles a model with what else is in force as of an instant, as if it were in
// force itself, and changes nothing: what does not compile must not be put in force, since the
// engine would go on with the last good one. The error wraps matcher.ErrCompile when the model
// is at fault. Before the first pool is published there is nothing to compile with.
func (l *Loader) TryModel(ctx context.Context, data []byte, asOf fund.Instant) error {
	trial := &Loader{pools: l.pools, models: Suppose(l.models, features.ModelArtifact, data), wording: l.wording, version: l.version}
	_, err := trial.Newest(ctx, asOf)
	if errors.Is(err, features.ErrNoPool) {
		return nil
	}
	return err
}

// Suppose returns a store's artifacts as they would be read if other bytes were in force of a
// kind, now and at every instant. Nothing is kept: what is put or activated goes to the store.
func Suppose(models features.Models, kind features.ArtifactKind, data []byte) features.Models {
	sum := sha256.Sum256(data)
	return &supposed{Models: models, kind: kind, id: hex.EncodeToString(sum[:]), data: data}
}

type supposed struct {
	features.Models
	kind features.ArtifactKind
	id   string
	data []byte
}

// Active is features.Models.
func (s *supposed) Active(ctx context.Context, kind features.ArtifactKind) (string, []byte, error) {
	if kind == s.kind {
		return s.id, s.data, nil
	}
	return s.Models.Active(ctx, kind)
}

// ActiveID is features.Models.
func (s *supposed) ActiveID(ctx context.Context, kind features.ArtifactKind) (string, error) {
	if kind == s.kind {
		return s.id, nil
	}
	return s.Models.ActiveID(ctx, kind)
}

// ActiveAt is features.Models.
func (s *supposed) ActiveAt(ctx context.Context, kind features.ArtifactKind, at fund.Instant) (string, []byte, error) {
	if kind == s.kind {
		return s.id, s.data, nil
	}
	return s.Models.ActiveAt(ctx, kind, at)
}

// Artifact is features.Models.
func (s *supposed) Artifact(ctx context.Context, kind features.ArtifactKind, id string) ([]byte, error) {
	if kind == s.kind && id == s.id {
		return s.data, nil
	}
	return s.Models.Artifact(ctx, kind, id)
}
