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
	sum := sha256.Sum256(data)
	trial := &Loader{
		pools: l.pools, models: &trialModel{Models: l.models, id: hex.EncodeToString(sum[:]), data: data}, wording: l.wording, version: l.version,
	}
	_, err := trial.Newest(ctx, asOf)
	if errors.Is(err, features.ErrNoPool) {
		return nil
	}
	return err
}

// trialModel are a store's artifacts with another model in force.
type trialModel struct {
	features.Models
	id   string
	data []byte
}

// Active is features.Models.
func (m *trialModel) Active(ctx context.Context, kind features.ArtifactKind) (string, []byte, error) {
	if kind == features.ModelArtifact {
		return m.id, m.data, nil
	}
	return m.Models.Active(ctx, kind)
}

// ActiveID is features.Models.
func (m *trialModel) ActiveID(ctx context.Context, kind features.ArtifactKind) (string, error) {
	if kind == features.ModelArtifact {
		return m.id, nil
	}
	return m.Models.ActiveID(ctx, kind)
}

// ActiveAt is features.Models.
func (m *trialModel) ActiveAt(ctx context.Context, kind features.ArtifactKind, at fund.Instant) (string, []byte, error) {
	if kind == features.ModelArtifact {
		return m.id, m.data, nil
	}
	return m.Models.ActiveAt(ctx, kind, at)
}

// Artifact is features.Models.
func (m *trialModel) Artifact(ctx context.Context, kind features.ArtifactKind, id string) ([]byte, error) {
	if kind == features.ModelArtifact && id == m.id {
		return m.data, nil
	}
	return m.Models.Artifact(ctx, kind, id)
}
