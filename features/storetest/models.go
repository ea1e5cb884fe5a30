//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func modelPromises() []promise {
	return []promise{
		{"an artifact is named by its bytes and kept once", artifactsByHash},
		{"what was never put is not found", artifactsNotFound},
		{"the active artifact is the one activated last", activeArtifact},
		{"the history of a kind is kept as it came", activationHistory},
		{"an instant is answered by what was in force then", activeAt},
		{"an activation that nobody did is invalid", invalidActivations},
		{"an artifact of no kind or no bytes is invalid", invalidArtifacts},
		{"each kind has its own artifacts and its own history", kindsApart},
		{"a trained model of 64 MiB is kept whole", largeArtifact},
		{"an activation under a key is made once, whatever came since", activationOnce},
		{"a key is one body's, and a day's", activationKeys},
	}
}

func artifactsByHash(t *testing.T, s Store) {
	data := []byte("coefficients")
	sum := sha256.Sum256(data)
	for range 2 {
		id, err := s.Put(t.Context(), features.ModelArtifact, data)
		if err != nil || id != hex.EncodeToString(sum[:]) {
			t.Fatalf("id %q, %v, want the hex SHA-256", id, err)
		}
		got, err := s.Artifact(t.Context(), features.ModelArtifact, id)
		if err != nil || !slices.Equal(got, data) {
			t.Errorf("artifact %q, %v", got, err)
		}
		got[0] = 'X' // the caller's own
	}
}

func artifactsNotFound(t *testing.T, s Store) {
	id, err := s.Put(t.Context(), features.ModelArtifact, []byte("m"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Artifact(t.Context(), features.RulesArtifact, id); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("a model read as rules: %v, want ErrNotFound", err)
	}
	if err := s.Activate(t.Context(), activation(features.RulesArtifact, id, 1)); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("a model activated as rules: %v, want ErrNotFound", err)
	}
	if _, _, err := s.Active(t.Context(), features.ModelArtifact); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("active before any: %v, want ErrNotFound", err)
	}
}

func activeArtifact(t *testing.T, s Store) {
	for i, text := range []string{"one", "two", "one"} {
		id, err := s.Put(t.Context(), features.ModelArtifact, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Activate(t.Context(), activation(features.ModelArtifact, id, fund.Instant(i+1))); err != nil {
			t.Fatal(err)
		}
		gotID, got, err := s.Active(t.Context(), features.ModelArtifact)
		if err != nil || gotID != id || string(got) != text {
			t.Errorf("active %s %q, %v, want %q", gotID, got, err, text)
		}
		if gotID, err := s.ActiveID(t.Context(), features.ModelArtifact); err != nil || gotID != id {
			t.Errorf("active id %s, %v, want %s", gotID, err, id)
		}
	}
	if _, _, err := s.Active(t.Context(), features.RulesArtifact); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("active rules: %v, want ErrNotFound", err)
	}
	if _, err := s.ActiveID(t.Context(), features.RulesArtifact); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("id of the active rules: %v, want ErrNotFound", err)
	}
}

func invalidArtifacts(t *testing.T, s Store) {
	if _, err := s.Put(t.Context(), "PICTURE", []byte("x")); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("an unknown kind: %v, want ErrInvalid", err)
	}
	if _, err := s.Put(t.Context(), features.ModelArtifact, nil); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("no bytes: %v, want ErrInvalid", err)
	}
}

func kindsApart(t *testing.T, s Store) {
	kinds := [...]features.ArtifactKind{
		features.ModelArtifact, features.RulesArtifact, features.ViewsArtifact, features.ExperimentsArtifact, features.ShadowArtifact, features.KeptArtifact,
	}
	for i, kind := range kinds {
		activated(t, s, kind, features.Activation{ArtifactID: "of " + string(kind), At: fund.Instant(i + 1), By: "a"})
	}
	for _, kind := range kinds {
		_, data, err := s.Active(t.Context(), kind)
		if err != nil || string(data) != "of "+string(kind) {
			t.Errorf("%s: %q, %v", kind, data, err)
		}
		if history, err := s.Activations(t.Context(), kind); err != nil || len(history) != 1 {
			t.Errorf("%s: %d entries, %v, want its own one", kind, len(history), err)
		}
	}
}

// largeModel is as large as matcher/score/modelfile lets a model be.
const largeModel = 64 << 20

func largeArtifact(t *testing.T, s Store) {
	block := make([]byte, 1<<16)
	for i := range block {
		block[i] = byte(i * 2_654_435_761 >> 24) // bytes of all values, NUL too
	}
	data := bytes.Repeat(block, largeModel/len(block))
	id, err := s.Put(t.Context(), features.ModelArtifact, data)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Activate(t.Context(), activation(features.ModelArtifact, id, 1)); err != nil {
		t.Fatal(err)
	}
	is, got, err := s.Active(t.Context(), features.ModelArtifact)
	if err != nil || is != id || !bytes.Equal(got, data) {
		t.Errorf("%s of %d bytes, %v, want the bytes that were put", is, len(got), err)
	}
}

// keyedActivation is an activation under an idempotency key.
func keyedActivation(id, key string, body byte, at fund.Instant) features.Activation {
	a := activation(features.ModelArtifact, id, at)
	a.Idempotency = features.Idempotency{Scope: "anonymous ActivateModel", Key: key, BodyHash: [32]byte{body}}
	return a
}

func activationOnce(t *testing.T, s Store) {
	one, two := put(t, s, features.ModelArtifact, "one"), put(t, s, features.ModelArtifact, "two")
	start := noon(day1)
	for i, a := range []features.Activation{
		keyedActivation(one, "first", 1, start), keyedActivation(two, "second", 2, start+1), keyedActivation(one, "first", 1, start+2), activation(features.ModelArtifact, two, start+3),
	} {
		if err := s.Activate(t.Context(), a); err != nil {
			t.Fatalf("activation %d: %v", i, err)
		}
	}
	if id, _, err := s.Active(t.Context(), features.ModelArtifact); err != nil || id != two {
		t.Errorf("in force %s, %v: a repetition took back what came since", id, err)
	}
	got, err := s.Activations(t.Context(), features.ModelArtifact)
	if err != nil {
		t.Fatal(err)
	}
	want := []features.Activation{
		activation(features.ModelArtifact, one, start), activation(features.ModelArtifact, two, start+1), activation(features.ModelArtifact, two, start+3),
	}
	wantSame(t, "history", got, want)
}

func activationKeys(t *testing.T, s Store) {
	id, start := put(t, s, features.ModelArtifact, "one"), noon(day1)
	first := keyedActivation(id, "first", 1, start)
	repeats := func(a features.Activation) (bool, error) { return s.Repeats(t.Context(), a.Idempotency, a.At) }
	if done, err := repeats(first); done || err != nil {
		t.Errorf("before any: %v, %v", done, err)
	}
	if err := s.Activate(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	const life = features.IdempotencyLife * hour
	for name, c := range map[string]struct {
		a    features.Activation
		done bool
		err  error
	}{
		"the same":           {keyedActivation(id, "first", 1, start+life-1), true, nil},
		"another body":       {keyedActivation(id, "first", 2, start+1), false, features.ErrIdempotencyReused},
		"another key":        {keyedActivation(id, "other", 1, start+1), false, nil},
		"no key":             {keyedActivation(id, "", 1, start+1), false, nil},
		"when its life ends": {keyedActivation(id, "first", 2, start+life), false, nil},
	} {
		if done, err := repeats(c.a); done != c.done || !errors.Is(err, c.err) {
			t.Errorf("%s: %v, %v, want %v, %v", name, done, err, c.done, c.err)
		}
	}
	if err := s.Activate(t.Context(), keyedActivation(id, "first", 2, start+1)); !errors.Is(err, features.ErrIdempotencyReused) {
		t.Errorf("another body: %v, want ErrIdempotencyReused", err)
	}
	if got, err := s.Activations(t.Context(), features.ModelArtifact); err != nil || len(got) != 1 {
		t.Errorf("%d entries, %v, want the first alone", len(got), err)
	}
}

func activation(kind features.ArtifactKind, id string, at fund.Instant) features.Activation {
	return features.Activation{Kind: kind, ArtifactID: id, At: at, By: "compliance.li"}
}

// put keeps an artifact and must succeed.
func put(t *testing.T, s Store, kind features.ArtifactKind, text string) string {
	t.Helper()
	id, err := s.Put(t.Context(), kind, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// activated puts artifacts in force, each at its instant, and returns the entries.
func activated(t *testing.T, s Store, kind features.ArtifactKind, entries ...features.Activation) []features.Activation {
	t.Helper()
	for i := range entries {
		entries[i].Kind, entries[i].ArtifactID = kind, put(t, s, kind, entries[i].ArtifactID)
		if err := s.Activate(t.Context(), entries[i]); err != nil {
			t.Fatal(err)
		}
	}
	return entries
}

func activationHistory(t *testing.T, s Store) {
	if got, err := s.Activations(t.Context(), features.RulesArtifact); err != nil || len(got) != 0 {
		t.Errorf("before any: %v, %v", got, err)
	}
	rules := activated(t, s, features.RulesArtifact,
		features.Activation{ArtifactID: "one", At: 50, By: "fundmatch", Note: "built-in"},
		features.Activation{ArtifactID: "two", At: 70, By: "compliance.li", Note: strings.Repeat("x", features.MaxNoteLength)},
		features.Activation{ArtifactID: "one", At: 60, By: "compliance.wang"}, // a clock that ran behind
		features.Activation{ArtifactID: "one", At: 80, By: "compliance.wang", Note: "again"})
	model := activated(t, s, features.ModelArtifact, features.Activation{ArtifactID: "m", At: 1, By: "fundmatch"})
	for kind, want := range map[features.ArtifactKind][]features.Activation{features.RulesArtifact: rules, features.ModelArtifact: model} {
		got, err := s.Activations(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "history of "+string(kind), got, want)
		if len(got) > 0 {
			got[0].By = "nobody" // the caller's own
		}
	}
	got, err := s.Activations(t.Context(), features.RulesArtifact)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "history", got, rules)
}

func activeAt(t *testing.T, s Store) {
	activated(t, s, features.RulesArtifact,
		features.Activation{ArtifactID: "one", At: 50, By: "a"},
		features.Activation{ArtifactID: "two", At: 70, By: "a"},
		features.Activation{ArtifactID: "three", At: 60, By: "a"})
	for at, want := range map[fund.Instant]string{50: "one", 59: "one", 60: "three", 69: "three", 70: "three", later: "three"} {
		id, data, err := s.ActiveAt(t.Context(), features.RulesArtifact, at)
		sum := sha256.Sum256(data)
		if err != nil || string(data) != want || id != hex.EncodeToString(sum[:]) {
			t.Errorf("at %d: %s %q, %v, want %q", at, id, data, err, want)
		}
	}
	for _, at := range []fund.Instant{0, 49} {
		if _, _, err := s.ActiveAt(t.Context(), features.RulesArtifact, at); !errors.Is(err, features.ErrNotFound) {
			t.Errorf("at %d: %v, want ErrNotFound", at, err)
		}
	}
	if _, _, err := s.ActiveAt(t.Context(), features.ModelArtifact, later); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("a kind without a history: %v, want ErrNotFound", err)
	}
}

func invalidActivations(t *testing.T, s Store) {
	id := put(t, s, features.RulesArtifact, "one")
	for name, change := range map[string]func(*features.Activation){
		"no kind":        func(a *features.Activation) { a.Kind = "" },
		"nobody":         func(a *features.Activation) { a.By = "" },
		"an impossible":  func(a *features.Activation) { a.By = "a b" },
		"no instant":     func(a *features.Activation) { a.At = 0 },
		"a long note":    func(a *features.Activation) { a.Note = strings.Repeat("x", features.MaxNoteLength+1) },
		"a broken note":  func(a *features.Activation) { a.Note = "\xff" },
		"no artifact id": func(a *features.Activation) { a.ArtifactID = "" },
		"a long key":     func(a *features.Activation) { a.Idempotency.Key = strings.Repeat("x", features.MaxNameLength+1) },
	} {
		a := activation(features.RulesArtifact, id, 5)
		change(&a)
		if err := s.Activate(t.Context(), a); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	if got, err := s.Activations(t.Context(), features.RulesArtifact); err != nil || len(got) != 0 {
		t.Errorf("refused and yet kept: %v, %v", got, err)
	}
}
