package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
	"github.com/fundmatch/fundmatch/services/backtest"
)

// A model that was trained on days which a backtest holds back may know them by its weights:
// who reads the figures is told. One that was trained before all splits is tested by all.
func TestBacktestTellsWhatTheModelMayKnow(t *testing.T) {
	t.Parallel()
	data, dir := backtestFolder(t), t.TempDir()
	built, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		t.Fatal(err)
	}
	for through, want := range map[string]int{"2000-01-01": 0, "2099-12-31": 2} {
		file, err := modelfile.Encode(modelfile.File{
			Sections: map[string][]byte{modelfile.SectionModel: score.DefaultModel()},
			Manifest: modelfile.Manifest{
				Name: built.Name, Version: built.Version, Code: "test", Features: []modelfile.Term{{Name: "AFFINITY", Definition: "1"}},
				Training: modelfile.Window{From: "1999-01-01", Through: through, Rows: 1, DataHash: strings.Repeat("0", 64)},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		in := func(name string) string { return filepath.Join(dir, through+name) }
		if err := os.WriteFile(in(".fm"), file, 0o600); err != nil {
			t.Fatal(err)
		}
		out := inProcess(t.Context(), "", "backtest", "--data", data, "--model", in(".fm"), "--baseline", "none", "--out", in(".csv"), "--json", in(".json"), "--html", in(".html"))
		var report backtest.Report
		if err := json.Unmarshal([]byte(fileText(t, in(".json"))), &report); err != nil {
			t.Fatalf("%+v: %v", out, err)
		}
		if report.Model.TrainedThrough != through || report.Foreknown() != want {
			t.Errorf("trained through %s: told %q, %d splits foreknown, want %d", through, report.Model.TrainedThrough, report.Foreknown(), want)
		}
		const sentence = "2 of 2 splits are of that day or before"
		if strings.Contains(out.stderr, sentence) != (want > 0) || strings.Contains(fileText(t, in(".html")), "and no test of weights") != (want > 0) {
			t.Errorf("trained through %s: %s", through, out.stderr)
		}
	}
}

// Splits that the folder lacks are not passed over in silence.
func TestBacktestTellsWhichSplitsThereAre(t *testing.T) {
	t.Parallel()
	data, dir := backtestFolder(t), t.TempDir()
	for splits, want := range map[string]bool{"3-4": false, "0-9": true} {
		out := inProcess(t.Context(), "", "backtest", "--data", data, "--model", "knn", "--baseline", "none", "--splits", splits, "--out", filepath.Join(dir, splits+".csv"))
		if out.code != 0 || strings.Contains(out.stderr, "of these the folder has 3 to 4") != want {
			t.Errorf("--splits %s: code %d, %s", splits, out.code, out.stderr)
		}
	}
}
