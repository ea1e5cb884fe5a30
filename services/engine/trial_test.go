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

// What is supposed is read by every way of reading, and only of its kind.
func TestWhatIsSupposedIsInForceEverywhere(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	data := []byte("supposed")
	models := engine.Suppose(r.Store, features.ModelArtifact, data)
	id, got, err := models.Active(ctx, features.ModelArtifact)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("active: %q, %v", got, err)
	}
	if same, err := models.ActiveID(ctx, features.ModelArtifact); err != nil || same != id {
		t.Errorf("active id: %s, %v", same, err)
	}
	if same, got, err := models.ActiveAt(ctx, features.ModelArtifact, 1); err != nil || same != id || !bytes.Equal(got, data) {
		t.Errorf("active at: %s %q, %v", same, got, err)
	}
	if got, err := models.Artifact(ctx, features.ModelArtifact, id); err != nil || !bytes.Equal(got, data) {
		t.Errorf("artifact: %q, %v", got, err)
	}
	if _, err := models.Artifact(ctx, features.RulesArtifact, id); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("of another kind: %v, want ErrNotFound", err)
	}
	want, err := r.ActiveID(ctx, features.RulesArtifact)
	if err != nil {
		t.Fatal(err)
	}
	if rules, err := models.ActiveID(ctx, features.RulesArtifact); err != nil || rules != want {
		t.Errorf("rules %s, %v, want the store's", rules, err)
	}
	if rules, _, err := models.Active(ctx, features.RulesArtifact); err != nil || rules != want {
		t.Errorf("rules %s, %v, want the store's", rules, err)
	}
	if rules, _, err := models.ActiveAt(ctx, features.RulesArtifact, fund.InstantOf(noon)); err != nil || rules != want {
		t.Errorf("rules %s, %v, want the store's", rules, err)
	}
}
