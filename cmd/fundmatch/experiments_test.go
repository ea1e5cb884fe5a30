package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// bankPlan writes a plan of one experiment that begins on 2026-06-01, with its edits.
func bankPlan(t *testing.T, version int, model string, edits ...string) string {
	t.Helper()
	text := fmt.Sprintf(`schema: fundmatch.experiments/v1
name: bank
version: %d
layers:
  - name: ranking
    salt: ranking-1
    experiments:
      - name: lighter-cost
        salt: lighter-1
        from: 2026-06-01
        until: 2026-09-01
        first_bucket: 0
        end_bucket: 5000
        arms:
          - {name: control, share_bps: 5000, control: true}
          - {name: lighter, share_bps: 5000, model: %s}
  - name: learning
    salt: learning-1
    experiments:
      - name: explore
        salt: explore-1
        from: 2026-07-01
        until: 2026-08-01
        first_bucket: 0
        end_bucket: 10000
        arms:
          - {name: control, share_bps: 9000, control: true}
          - {name: some, share_bps: 1000, exploration: {probability_bps: 500, next: 10, max_gap: 0.05}}
`, version, model)
	for edit := range slices.Chunk(edits, 2) {
		if !strings.Contains(text, edit[0]) {
			t.Fatalf("the plan has no %q", edit[0])
		}
		text = strings.Replace(text, edit[0], edit[1], 1)
	}
	name := filepath.Join(t.TempDir(), "experiments.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// keepModel puts a model into the store, not in force, and returns its id.
func keepModel(t *testing.T, store string, data []byte) string {
	t.Helper()
	s, err := openArtifacts(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.Put(t.Context(), features.ModelArtifact, data)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return id
}

func lighterCost() []byte {
	return bytes.Replace(score.DefaultModel(), []byte("weight: -8.0"), []byte("weight: -4.0"), 1)
}

func planPublications(t *testing.T, store string) []planPublication {
	t.Helper()
	return decode[planHistory](t, mustRun(t, "experiments", "history", "--json", "--store", store)).History
}

// A plan is put in force with who, when and why, after its models were compiled; and what it
// changes is told, now and in the history.
func TestExperimentsArePublishedWithTheirHistory(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	if out := mustRun(t, "experiments", "show", "--store", store); out != "没有生效的实验方案\n" {
		t.Errorf("show: %s", out)
	}
	if out := mustRun(t, "experiments", "history", "--store", store); out != "还没有启用过实验方案\n" {
		t.Errorf("history: %s", out)
	}
	model := keepModel(t, store, lighterCost())
	first := bankPlan(t, 1, model)
	publish := []string{"experiments", "publish", first, "--by", "zhang.li", "--note", "成本权重", "--store", store}
	if out := mustRun(t, append(publish, "--dry-run")...); !strings.Contains(out, "新增实验　ranking/lighter-cost\n新增实验　learning/explore\n") || !strings.Contains(out, "没有发布") {
		t.Errorf("dry run: %s", out)
	}
	if h := planPublications(t, store); len(h) != 0 {
		t.Errorf("after the dry run: %+v", h)
	}
	if out := mustRun(t, publish...); !strings.Contains(out, "已发布　bank　版本 1") {
		t.Errorf("publish: %s", out)
	}
	if out := mustRun(t, publish...); !strings.Contains(out, "没有变化") {
		t.Errorf("published again: %s", out)
	}
	second := bankPlan(t, 2, model, "end_bucket: 5000", "end_bucket: 7000", "salt: explore-1", "salt: explore-2", "share_bps: 9000", "share_bps: 8000", "share_bps: 1000", "share_bps: 2000")
	out := mustRun(t, "experiments", "publish", second, "--by", "a", "--note", "b", "--store", store)
	if !strings.Contains(out, "变更实验　ranking/lighter-cost：桶 0 至 4999 → 0 至 6999\n变更实验　learning/explore：分组、盐值（客户重新分组）\n") {
		t.Errorf("publish: %s", out)
	}
	none := filepath.Join(t.TempDir(), "none.yaml")
	if err := os.WriteFile(none, []byte("schema: fundmatch.experiments/v1\nname: bank\nversion: 3\nlayers: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := mustRun(t, "experiments", "publish", none, "--by", "a", "--note", "end", "--store", store); !strings.Contains(out, "取消实验　ranking/lighter-cost\n取消实验　learning/explore\n") {
		t.Errorf("publish: %s", out)
	}
	mustRun(t, "experiments", "publish", first, "--by", "a", "--note", "back", "--store", store)
	h := planPublications(t, store)
	if len(h) != 4 || h[0].By != "zhang.li" || h[0].Note != "成本权重" || h[0].At != "2026-06-30T02:00:00Z" || h[3].ID != h[0].ID || len(h[1].Changes) != 2 || len(h[2].Changes) != 2 {
		t.Errorf("history: %+v", h)
	}
	if out := mustRun(t, "experiments", "history", "--store", store); !strings.Contains(out, "成本权重\n  bank　版本 1") {
		t.Errorf("history: %s", out)
	}
}

// What the service would refuse is not published, and a version is one content for ever.
func TestABadPlanIsNotPublished(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	model, forbidden := keepModel(t, store, lighterCost()), keepModel(t, store, []byte("schema: fundmatch.model/v1\n"))
	mustRun(t, "experiments", "publish", bankPlan(t, 2, model), "--by", "a", "--note", "b", "--store", store)
	for name, c := range map[string]struct {
		file, by, note string
		say            []string
	}{
		"no such model":       {bankPlan(t, 3, strings.Repeat("0a", 32)), "a", "b", []string{"nothing was published", `the model of an arm: MODEL ` + strings.Repeat("0a", 32) + `: not found, expected one that fundmatch models list shows`}},
		"a model of no sense": {bankPlan(t, 3, forbidden), "a", "b", []string{"nothing was published", forbidden}},
		"the same version":    {bankPlan(t, 2, model, "end_bucket: 5000", "end_bucket: 5001"), "a", "b", []string{"version: 2, expected one above 2"}},
		"an older version":    {bankPlan(t, 1, model), "a", "b", []string{"version: 1"}},
		"two on a bucket":     {bankPlan(t, 3, model, "share_bps: 9000", "share_bps: 9001"), "a", "b", []string{`layers[1].experiments[0].arms: "10001"`}},
		"a rule":              {bankPlan(t, 3, model, "control: true", "control: true, rules: x"), "a", "b", []string{"rules"}},
		"nobody":              {bankPlan(t, 3, model), "", "b", []string{"--by"}},
		"no reason":           {bankPlan(t, 3, model), "a", "", []string{"--note"}},
		"no file":             {"no-such-file.yaml", "a", "b", []string{"no-such-file.yaml"}},
	} {
		out := inProcess(t.Context(), "", "experiments", "publish", c.file, "--by", c.by, "--note", c.note, "--store", store)
		if out.code != exitUsage {
			t.Errorf("%s: %+v", name, out)
		}
		for _, s := range c.say {
			if !strings.Contains(out.stderr, s) {
				t.Errorf("%s: %q does not say %q", name, out.stderr, s)
			}
		}
	}
	if h := planPublications(t, store); len(h) != 1 {
		t.Errorf("in force is another plan: %+v", h)
	}
}

func TestExperimentsCheckAndShow(t *testing.T) {
	t.Parallel()
	model := strings.Repeat("a", 64)
	file := bankPlan(t, 7, model)
	if out := mustRun(t, "experiments", "check", file); !strings.HasSuffix(out, "bank, version 7: 2 layers, 2 experiments, 1 model, in order\n") {
		t.Errorf("check: %s", out)
	}
	bad := inProcess(t.Context(), "", "experiments", "check", bankPlan(t, 7, "spine"))
	if bad.code != exitUsage || !strings.Contains(bad.stderr, `layers[0].experiments[0].arms[1].model: "spine"`) {
		t.Errorf("check: %+v", bad)
	}
	a := decode[planAnswer](t, mustRun(t, "experiments", "show", file, "--json"))
	if a.Name != "bank" || a.Version != 7 || a.ID != "" || len(a.Layers) != 2 || a.Published != nil {
		t.Fatalf("%+v", a)
	}
	e, x := &a.Layers[0].Experiments[0], &a.Layers[1].Experiments[0]
	if e.State != "RUNNING" || x.State != "PLANNED" || e.From != "2026-06-01" || e.Until != "2026-09-01" || e.EndBucket != 5000 || !e.Arms[0].Control || e.Arms[1].Model != model {
		t.Errorf("%+v", e)
	}
	if got := x.Arms[1].Exploration; got == nil || got.ProbabilityBps != 500 || got.Next != 10 || got.MaxGap != .05 || x.Arms[0].Exploration != nil {
		t.Errorf("%+v", got)
	}
	out := mustRun(t, "experiments", "show", file, "--at", "2026-08-15T00:00:00+08:00")
	for _, say := range []string{
		"实验方案　bank　版本 7\n", "lighter-cost　进行中　2026-06-01 至 2026-09-01（不含）　桶 0 至 4999（50%）", "explore　已结束",
		"control　90%　对照组：与其他客户相同", "some　10%　探索 概率 5%，其后 10 个产品，分差至多 0.05", "lighter　50%　模型 " + model,
	} {
		if !strings.Contains(out, say) {
			t.Errorf("show does not say %q:\n%s", say, out)
		}
	}
}

// The arms of a customer are those of the plan in force then, or of a file.
func TestExperimentsAssign(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	model := keepModel(t, store, lighterCost())
	file := bankPlan(t, 1, model)
	if out := mustRun(t, "experiments", "assign", "C000001", "--store", store); !strings.HasSuffix(out, "没有生效的实验方案\n") {
		t.Errorf("assign: %s", out)
	}
	mustRun(t, "experiments", "publish", file, "--by", "a", "--note", "b", "--store", store)
	treated, free, explored := 0, 0, 0
	for i := range 24 {
		id := fmt.Sprintf("C%06d", i)
		const at = "2026-07-15T10:00:00+08:00"
		stored := decode[assignAnswer](t, mustRun(t, "experiments", "assign", id, "--store", store, "--at", at, "--json"))
		ofFile := decode[assignAnswer](t, mustRun(t, "experiments", "assign", id, "--plan", file, "--at", at, "--json"))
		if stored.ID == "" || stored.Model != ofFile.Model || len(stored.Layers) != 2 || stored.Layers[0] != ofFile.Layers[0] || stored.Layers[1] != ofFile.Layers[1] {
			t.Fatalf("%+v, of the file %+v", stored, ofFile)
		}
		switch first := stored.Layers[0]; {
		case first.Bucket >= 5000:
			free++
			if first.Experiment != "" || stored.Model != "" {
				t.Errorf("outside the experiment: %+v", stored)
			}
		case first.Arm == "lighter":
			treated++
			if stored.Model != model {
				t.Errorf("treated: %+v", stored)
			}
		}
		if stored.Exploration != nil {
			explored++
		}
	}
	if treated == 0 || free == 0 || explored == 0 {
		t.Errorf("%d treated, %d free, %d explored of 24", treated, free, explored)
	}
	out := mustRun(t, "experiments", "assign", "C000001", "--store", store)
	if !strings.Contains(out, "方案　bank　版本 1\n  ranking　桶 5364　不在实验中\n") || !strings.Contains(out, "learning　桶") {
		t.Errorf("assign: %s", out)
	}
	if bad := inProcess(t.Context(), "", "experiments", "assign", "no/id", "--store", store); bad.code != exitUsage {
		t.Errorf("%+v", bad)
	}
}
