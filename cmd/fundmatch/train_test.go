package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/services/training"
)

// The verb prints what was learnt and writes one file that a program takes; the same bytes
// again, for another number of workers, and as JSON the same report.
func TestTrainInProcess(t *testing.T) {
	t.Parallel()
	store, dir := bankInProcess(t), t.TempDir()
	out := filepath.Join(dir, "model.fm")
	text := mustRun(t, "train", "--store", store, "--out", out, "--workers", "1")
	for _, says := range []string{"spine-trained, version", "exposures of", "affinity as of ", "ranges foreseen, from the NAVs of ", "notice: too little history", "wrote " + out} {
		if !strings.Contains(text, says) {
			t.Errorf("%q is not in\n%s", says, text)
		}
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	m, err := score.ParseModel(data)
	if err != nil {
		t.Fatal(err)
	}
	if m.Conversion != nil || m.Name != "spine-trained" || m.Manifest == nil {
		t.Errorf("%s with a probability of a few hundred examples: %v", m.Name, m.Conversion != nil)
	}
	report := decode[training.Report](t, mustRun(t, "train", "--store", store, "--base", out, "--json", "--out", out+"2", "--workers", "3"))
	if report.Version != m.Version+1 || report.Schema != training.ReportSchema || len(report.Notices) == 0 {
		t.Errorf("trained again: %+v", report)
	}
	mustRun(t, "train", "--store", store, "--out", out+"3", "--workers", "2")
	if again, err := os.ReadFile(out + "3"); err != nil || !bytes.Equal(again, data) {
		t.Errorf("with two workers another model (%v)", err)
	}
}

// What cannot be done is refused before any work, and leaves nothing behind.
func TestTrainRefuses(t *testing.T) {
	t.Parallel()
	store, dir := bankInProcess(t), t.TempDir()
	out := filepath.Join(dir, "model.fm")
	own := filepath.Join(dir, "own.yaml")
	if err := os.WriteFile(own, []byte("name: no model"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--within", "0"}, `--within: 0, expected 1 to 180 days`},
		{[]string{"--within", "181"}, `--within: 181`},
		{[]string{"--workers", "0"}, "--workers: 0"},
		{[]string{"--weights", "learned"}, `--weights: "learned", expected judged or fitted`},
		{[]string{"--weights", "fitted"}, "expected at least"},
		{[]string{"--through", "yesterday"}, `--through: "yesterday", expected a day as YYYY-MM-DD`},
		{[]string{"--through", "2001-01-01"}, "no history to learn from"},
		{[]string{"--base", own}, "model refused"},
		{[]string{"--base", filepath.Join(dir, "none")}, "cannot be read"},
		{[]string{"--svg", filepath.Join(dir, "r.svg")}, "--svg: there is no probability of conversion to draw"},
		{[]string{"--svg", out}, "is the model file"},
		{[]string{"--out", strings.TrimPrefix(store, "sqlite:")}, "SQLite"},
		{[]string{"--base", own, "--out", own}, "is what would be written"},
	} {
		args := append([]string{"train", "--store", store, "--out", out}, c.args...)
		got := inProcess(t.Context(), "", args...)
		if got.code != exitUsage || !strings.Contains(got.stderr, c.says) {
			t.Errorf("%v: exit code %d, %q, expected %d that says %q", c.args, got.code, got.stderr, exitUsage, c.says)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v (%v), expected own.yaml alone", entries, err)
	}
	if got := inProcess(t.Context(), "", "train", "--store", "sqlite:"+filepath.Join(dir, "none.db")); got.code != exitUnavailable {
		t.Errorf("a store that is not there: exit code %d, expected %d", got.code, exitUnavailable)
	}
}
