package model

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"

	"google.golang.org/protobuf/proto"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// Describe tells what a model's bytes say, before it is kept. Errors: as of Admit.
func Describe(data []byte) (*fundmatchv1.Model, error) {
	if err := Admit(data); err != nil {
		return nil, err
	}
	return summarize(idOf(data), data), nil
}

// present tells all that the registry has of a model.
func (s *Service) present(ctx context.Context, r *registry, id string) (*fundmatchv1.Model, error) {
	what, err := s.summary(ctx, id)
	if err != nil {
		return nil, err
	}
	out, _ := proto.Clone(what).(*fundmatchv1.Model)
	out.States = r.states(id)
	for i := range r.history[id] {
		a := &r.history[id][i]
		out.History = append(out.History, &fundmatchv1.ModelHistoryEntry{Kind: a.kind, At: wire.Timestamp(a.At), By: a.By, Note: a.Note})
	}
	return out, nil
}

// summary tells what a model's bytes say. They are read and checked once for each model: a
// name never changes meaning.
func (s *Service) summary(ctx context.Context, id string) (*fundmatchv1.Model, error) {
	s.mu.Lock()
	known := s.summaries[id]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	data, err := s.load(ctx, id)
	if err != nil {
		return nil, err
	}
	made := summarize(id, data)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.summaries[id] = made
	return made, nil
}

// load returns the bytes of a model of the registry: what somebody put in the shadow without
// keeping it is of its kind alone.
func (s *Service) load(ctx context.Context, id string) ([]byte, error) {
	data, err := s.models.Artifact(ctx, features.ModelArtifact, id)
	if errors.Is(err, features.ErrNotFound) {
		data, err = s.models.Artifact(ctx, features.ShadowArtifact, id)
	}
	if errors.Is(err, features.ErrNotFound) {
		return nil, unknown(id)
	}
	return data, err
}

func unknown(id string) error { return &features.NotFoundError{Kind: features.ModelKind, ID: id} }

// summarize reads a model. One that this program cannot put in force is told as far as it
// can be read, with the reason.
func summarize(id string, data []byte) *fundmatchv1.Model {
	out := &fundmatchv1.Model{ModelId: id, Bytes: int64(len(data)), Schema: schemaOf(data)}
	if idOf(data) != id {
		out.Problem = "the stored bytes have another hash"
		return out
	}
	m, err := score.ParseModel(data)
	if err != nil {
		out.Problem = oneLine(err)
		if m, err = score.ParseRecorded(data); err != nil {
			return out
		}
	}
	out.Name, out.Version = m.Name, int32(min(m.Version, math.MaxInt32))
	for f := range score.Features {
		out.Weights = append(out.Weights, &fundmatchv1.ModelWeight{Feature: f.String(), Weight: m.Weights[f], Reason: m.Reasons[f]})
	}
	if m.Manifest != nil {
		fillTraining(out, m.Manifest)
	}
	return out
}

// fillTraining adds what only a trained model has.
func fillTraining(out *fundmatchv1.Model, m *modelfile.Manifest) {
	w := &m.Training
	out.TrainedFrom, out.TrainedThrough, out.TrainingRows, out.DataHash, out.Code = w.From, w.Through, w.Rows, w.DataHash, m.Code
	for _, f := range m.Features {
		out.Features = append(out.Features, &fundmatchv1.ModelFeature{Name: f.Name, Definition: f.Definition})
	}
	for _, f := range m.Validation {
		out.Validation = append(out.Validation, &fundmatchv1.ModelFigure{Name: f.Name, Value: f.Value, Low: f.Low, High: f.High})
	}
}

// schemaOf returns the schema that bytes claim.
func schemaOf(data []byte) string {
	if !modelfile.Is(data) {
		return score.Schema
	}
	first, _, _ := bytes.Cut(data[:min(len(data), 2*len(modelfile.Magic))], []byte("\n"))
	return string(bytes.ToValidUTF8(first, []byte("\uFFFD")))
}

// idOf names bytes as a store does.
func idOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
