package engine_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/services/engine"
)

// A model is tried as if it were in force, and nothing of it stays.
func TestAModelIsTriedWithoutBeingKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	before, err := r.ActiveID(t.Context(), features.ModelArtifact)
	if err != nil {
		t.Fatal(err)
	}
	own := bytes.Replace(score.DefaultModel(), []byte("name: spine"), []byte("name: tried"), 1)
	if err := r.loader.TryModel(t.Context(), own, fund.InstantOf(noon)); err != nil {
		t.Errorf("a good model: %v", err)
	}
	bad := bytes.Replace(score.DefaultModel(), []byte("weight: 1.0"), []byte("weight: .nan"), 1)
	if err := r.loader.TryModel(t.Context(), bad, fund.InstantOf(noon)); !errors.Is(err, matcher.ErrCompile) {
		t.Errorf("a bad model: %v, want ErrCompile", err)
	}
	if after, err := r.ActiveID(t.Context(), features.ModelArtifact); err != nil || after != before {
		t.Errorf("in force %s, %v, want %s as before", after, err, before)
	}
	if history, err := r.Activations(t.Context(), features.ModelArtifact); err != nil || len(history) != 1 {
		t.Errorf("%d activations, %v, want the first alone", len(history), err)
	}
}

// Before the first pool there is nothing to compile a model with; a store that has no rules is
// not told as the model's fault.
func TestAModelBeforeTheFirstPool(t *testing.T) {
	t.Parallel()
	loader, err := engine.NewLoader(memory.New(), memory.New(), "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := loader.TryModel(t.Context(), score.DefaultModel(), fund.InstantOf(noon)); err != nil {
		t.Errorf("without a pool: %v", err)
	}
	r := newRig(t)
	if loader, err = engine.NewLoader(r.Store, memory.New(), "test"); err != nil {
		t.Fatal(err)
	}
	if err := loader.TryModel(t.Context(), score.DefaultModel(), fund.InstantOf(noon)); err == nil || errors.Is(err, matcher.ErrCompile) {
		t.Errorf("without rules: %v, want the store's error", err)
	}
}
