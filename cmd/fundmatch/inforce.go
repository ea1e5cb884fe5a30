package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// modelNamed reads the model that a flag names: a file, or the one in force. It is not
// parsed.
func modelNamed(ctx context.Context, store historyStore, name string) ([]byte, error) {
	if name != activeModel {
		return readModelFile(name)
	}
	_, model, err := store.Active(ctx, features.ModelArtifact)
	if err != nil {
		return nil, fmt.Errorf("model in force: %w", err)
	}
	return model, nil
}

// packInForce reads the rule pack in force.
func packInForce(ctx context.Context, store historyStore) (*eligibility.Pack, error) {
	_, data, err := store.Active(ctx, features.RulesArtifact)
	if err != nil {
		return nil, fmt.Errorf("rule pack in force: %w", err)
	}
	pack, err := eligibility.ParsePack(data)
	if err != nil {
		return nil, fmt.Errorf("rule pack in force: %w", err)
	}
	return pack, nil
}

// readModelFile reads a file that is no larger than a model may be.
func readModelFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, usageError("%s: cannot be read: %s", name, pathReason(err))
	}
	defer func() { _ = file.Close() }() // it is only read
	data, err := io.ReadAll(io.LimitReader(file, modelfile.MaxBytes+1))
	if err != nil {
		return nil, usageError("%s: cannot be read: %s", name, pathReason(err))
	}
	if len(data) > modelfile.MaxBytes {
		return nil, usageError("%s: more than %d bytes, expected a model file", name, modelfile.MaxBytes)
	}
	return data, nil
}
