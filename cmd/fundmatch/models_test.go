package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// modelList is the answer of models list.
type modelList struct {
	Models        []modelAnswer `json:"models"`
	ActiveModelID string        `json:"activeModelId"`
	ShadowModelID string        `json:"shadowModelId"`
}

// modelAnswer is one model of it.
type modelAnswer struct {
	ModelID string   `json:"modelId"`
	Name    string   `json:"name"`
	States  []string `json:"states"`
	History []struct {
		Kind string `json:"kind"`
		By   string `json:"by"`
		Note string `json:"note"`
	} `json:"history"`
}

func listModels(t *testing.T, store string) modelList {
	t.Helper()
	return decode[modelList](t, mustRun(t, "models", "list", "--json", "--store", store))
}

// state returns the states of a model, "" for one that is not there.
func (l *modelList) state(name string) string {
	for _, m := range l.Models {
		if m.Name == name {
			return strings.Join(m.States, " ")
		}
	}
	return ""
}

// id returns the id of a model; the clock of these tests stands still, so that the order says nothing.
func (l *modelList) id(t *testing.T, name string) string {
	t.Helper()
	for _, m := range l.Models {
		if m.Name == name {
			return m.ModelID
		}
	}
	t.Fatalf("no model %s in %+v", name, l)
	return ""
}

// writeModel writes bytes as a file.
func writeModel(t *testing.T, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "model.fm")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// bankModel is the built-in model under a name of the bank's, in plain YAML.
func bankModel(name string) []byte {
	return bytes.Replace(score.DefaultModel(), []byte("name: spine"), []byte("name: "+name), 1)
}

// trainedModel is it as a model file.
func trainedModel(t *testing.T, name string) []byte {
	t.Helper()
	m, err := score.ParseModel(bankModel(name))
	if err != nil {
		t.Fatal(err)
	}
	low, high := 0.40, 0.43
	data, err := modelfile.Encode(modelfile.File{
		Manifest: modelfile.Manifest{
			Name: name, Version: m.Version, Code: "test", Features: []modelfile.Term{{Name: "GOAL_FIT", Definition: "2026-11"}},
			Training:   modelfile.Window{From: "2024-01-01", Through: "2026-05-31", Rows: 1299, DataHash: strings.Repeat("ab", 32)},
			Validation: []modelfile.Figure{{Name: "ndcg@10", Value: 0.41, Low: &low, High: &high}},
		},
		Sections: map[string][]byte{modelfile.SectionModel: bankModel(name)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A model is checked, kept, run in the shadow, put in force, taken back, and all of it told.
func TestModelsOfABank(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	file := writeModel(t, trainedModel(t, "trained"))
	who := []string{"--by", "quant.wang", "--note", "trained on May", "--store", store}
	run := func(args ...string) string { return mustRun(t, append(append([]string{"models"}, args...), who...)...) }

	if out := mustRun(t, "models", "check", file, "--store", store); !strings.Contains(out, "trained: 2024-01-01 to 2026-05-31, 1299 rows, by test") ||
		!strings.Contains(out, "ndcg@10: 0.41 [0.4, 0.43]") || !strings.Contains(out, "reads GOAL_FIT (definition 2026-11)") || !strings.HasSuffix(out, "in order\n") {
		t.Errorf("check: %s", out)
	}
	if l := listModels(t, store); len(l.Models) != 1 || l.state("spine") != "ACTIVE" {
		t.Errorf("a check left something: %+v", l)
	}
	if out := run("put", file); !strings.HasPrefix(out, "KEPT ") || !strings.Contains(out, " trained v") || !strings.Contains(out, ", trained through 2026-05-31") {
		t.Errorf("put: %s", out)
	}
	l := listModels(t, store)
	id := l.id(t, "trained")
	if out := run("shadow", id[:6]); !strings.HasPrefix(out, "SHADOW ") {
		t.Errorf("shadow: %s", out)
	}
	if out := run("activate", "shadow"); !strings.HasPrefix(out, "ACTIVE ") || !strings.Contains(out, id) {
		t.Errorf("activate: %s", out)
	}
	if l = listModels(t, store); l.state("trained") != "ACTIVE" || l.state("spine") != "PREVIOUS" || l.ActiveModelID != id || l.ShadowModelID != "" {
		t.Errorf("after activating: %+v", l)
	}
	if a := mustRun(t, "recommend", "DEMO-0002-STEADY-C3", "--json", "--store", store); !strings.Contains(a, `"model":"`+id+`"`) {
		t.Errorf("answered with another model: %.300s", a)
	}
	if out := run("rollback"); !strings.HasPrefix(out, "ACTIVE ") || !strings.Contains(out, "spine v") {
		t.Errorf("rollback: %s", out)
	}
	if out := run("put", file, "--activate"); !strings.HasPrefix(out, "ACTIVE ") || !strings.Contains(out, id) {
		t.Errorf("put --activate: %s", out)
	}
	out := mustRun(t, "models", "show", "active", "--store", store)
	for _, said := range []string{"id: " + id, "schema: fundmatch.model/v2", "data: sha256:" + strings.Repeat("ab", 32), "KEPT by quant.wang: trained on May", "weight COST: -8"} {
		if !strings.Contains(out, said) {
			t.Errorf("show does not say %q: %s", said, out)
		}
	}
	if a := decode[struct{ Model modelAnswer }](t, mustRun(t, "models", "show", id, "--json", "--store", store)); len(a.Model.History) != 5 || a.Model.History[4].Note != "nothing runs in the shadow" {
		t.Errorf("history: %+v", a.Model.History)
	}
	if out := mustRun(t, "models", "list", "--store", store); strings.Count(out, "\n") != 3 || strings.Count(out, "\n  ACTIVE since ") != 1 || !strings.Contains(out, " by quant.wang: trained on May\n") {
		t.Errorf("list, two models and since when the one is in force: %s", out)
	}
}

func TestTheShadowEnds(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	who := []string{"--by", "a", "--note", "b", "--store", store}
	mustRun(t, append([]string{"models", "put", writeModel(t, bankModel("own"))}, who...)...)
	l := listModels(t, store)
	mustRun(t, append([]string{"models", "shadow", l.id(t, "own")}, who...)...)
	if l = listModels(t, store); l.state("own") != "SHADOW" {
		t.Errorf("%+v", l)
	}
	if out := mustRun(t, "models", "list", "--store", store); strings.Count(out, "\n  SHADOW since ") != 1 || strings.Count(out, "\n  ACTIVE since ") != 1 {
		t.Errorf("list: %s", out)
	}
	if out := mustRun(t, append([]string{"models", "shadow", "--off"}, who...)...); out != "no model runs in the shadow\n" {
		t.Errorf("off: %s", out)
	}
	if l = listModels(t, store); l.state("own") != "KEPT" || l.ShadowModelID != "" {
		t.Errorf("%+v", l)
	}
}

// What is refused has its code and its reason, and changes nothing.
func TestModelsThatAreRefused(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	good := trainedModel(t, "trained")
	mustRun(t, "models", "put", writeModel(t, good), "--by", "a", "--note", "b", "--store", store)
	before := listModels(t, store)
	put := func(data []byte) []string {
		return []string{"put", writeModel(t, data), "--activate", "--by", "a", "--note", "b", "--store", store}
	}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"truncated":          {put(good[:len(good)-10]), exitUsage, "truncated"},
		"altered":            {put(bytes.Replace(good, []byte("weight: 0.8"), []byte("weight: 0.9"), 1)), exitUsage, "altered: the bytes have the hash"},
		"of a newer program": {put([]byte("fundmatch.model/v3\nnew")), exitUnavailable, `"fundmatch.model/v3", expected "fundmatch.model/v2"`},
		"paid by sales":      {put(bytes.Replace(bankModel("x"), []byte("feature: QUALITY"), []byte("feature: REBATE"), 1)), exitUsage, "forbidden input (F04)"},
		"the built-in name":  {put(bytes.Replace(score.DefaultModel(), []byte("weight: 0.8"), []byte("weight: 0.9"), 1)), exitUsage, "expected a name of the bank's own"},
		"no file":            {[]string{"put", "no-such.fm", "--by", "a", "--note", "b", "--store", store}, exitUsage, "no-such.fm"},
		"nobody":             {[]string{"put", writeModel(t, bankModel("x")), "--note", "b", "--store", store}, exitUsage, "--by"},
		"no reason":          {[]string{"put", writeModel(t, bankModel("x")), "--by", "a", "--store", store}, exitUsage, "--note"},
		"an unknown id":      {[]string{"activate", "0123456789", "--by", "a", "--note", "b", "--store", store}, exitUsage, `model "0123456789": there is none`},
		"too short an id":    {[]string{"show", before.id(t, "trained")[:5], "--store", store}, exitUsage, "its first 6 digits"},
		"no shadow":          {[]string{"show", "shadow", "--store", store}, exitUsage, "no model runs in the shadow"},
		"nothing before":     {[]string{"rollback", "--by", "a", "--note", "b", "--store", store}, exitUsage, "activate one by its id"},
		"not in force":       {[]string{"rollback", before.id(t, "trained"), "--by", "a", "--note", "b", "--store", store}, exitUsage, "is not in force"},
		"an id and off":      {[]string{"shadow", "active", "--off", "--by", "a", "--note", "b", "--store", store}, exitUsage, "both given, expected an ID, or --off"},
		"neither":            {[]string{"shadow", "--by", "a", "--note", "b", "--store", store}, exitUsage, "neither given, expected an ID, or --off"},
		"no store":           {[]string{"list", "--store", "sqlite:" + filepath.Join(t.TempDir(), "none.db")}, exitUnavailable, "none.db"},
		"a truncated check":  {[]string{"check", writeModel(t, good[:100])}, exitUsage, "truncated"},
	} {
		out := inProcess(t.Context(), "", append([]string{"models"}, c.args...)...)
		if out.code != c.code || !strings.Contains(out.stderr, c.says) || out.stdout != "" || strings.Count(out.stderr, "\n") != 1 {
			t.Errorf("%s: %+v, want code %d and %q", name, out, c.code, c.says)
		}
	}
	if after := listModels(t, store); len(after.Models) != len(before.Models) || after.state("trained") != "KEPT" || after.state("spine") != "ACTIVE" {
		t.Errorf("a refusal left something: %+v", after)
	}
}

// A model with which no core compiles stays kept, and is not put in force.
func TestAModelThatDoesNotCompile(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	// Rules that forbid an input of every model: rules publish would refuse them, an older program did not.
	forbid(t, store, bankRules(t, "2026-08-01", "[commission, rebate, trailing_fee, quota]", "[commission, rebate, trailing_fee, quota, popularity]"))
	file := writeModel(t, bankModel("popular"))
	for _, args := range [][]string{{"check", file, "--store", store}, {"put", file, "--activate", "--by", "a", "--note", "b", "--store", store}} {
		out := inProcess(t.Context(), "", append([]string{"models"}, args...)...)
		if out.code != exitUsage || !strings.Contains(out.stderr, "no core") || !strings.Contains(out.stderr, "POPULARITY") {
			t.Errorf("%s: %+v", args[0], out)
		}
	}
	if l := listModels(t, store); l.state("popular") != "KEPT" || l.state("spine") != "ACTIVE" {
		t.Errorf("%+v", l)
	}
}

// forbid puts a rule pack in force that is not tried before.
func forbid(t *testing.T, store, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := parseStore(store)
	if err != nil {
		t.Fatal(err)
	}
	s, err := spec.open(t.Context(), mustExist)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	sum := sha256.Sum256(data)
	a := features.Activation{Kind: features.RulesArtifact, ArtifactID: hex.EncodeToString(sum[:]), At: fund.InstantOf(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)), By: "a", Note: "b"}
	if err := putInForce(t.Context(), s, data, a); err != nil {
		t.Fatal(err)
	}
}
