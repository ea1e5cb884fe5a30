package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/services/frontier"
)

// From a bank's folder to the frontier: table, report and drawing.
func TestOutcomeFrontier(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bank, store := filepath.Join(dir, "bank"), "sqlite:"+filepath.Join(dir, "bank.db")
	for _, args := range [][]string{
		{"demo", "--out", bank, "--customers", "120", "--products", "40", "--as-of", "2026-11-20"},
		{"import", bank, "--store", store},
	} {
		if out := inProcess(t.Context(), "", args...); out.code != exitDone {
			t.Fatalf("%v: exit code %d\n%s", args, out.code, out.stderr)
		}
	}
	report, figure := filepath.Join(dir, "f.json"), filepath.Join(dir, "f.svg")
	out := inProcess(t.Context(), "", "outcome", "frontier", "--store", store, "--days", "2", "--json", report, "--svg", figure)
	if out.code != exitDone || !strings.Contains(out.stdout, "weight of BREACH -0.5") || strings.Count(out.stdout, "\n") != len(frontier.Weights())+4 {
		t.Fatalf("exit code %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var r frontier.Report
	if err := json.Unmarshal(data, &r); err != nil || r.Schema != frontier.Schema || r.Days != 2 || len(r.Points) != len(frontier.Weights()) {
		t.Errorf("%v: %+v", err, r)
	}
	if svg, err := os.ReadFile(figure); err != nil || !strings.HasPrefix(string(svg), "<svg ") {
		t.Errorf("figure: %v", err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no day":              {[]string{"--days", "0"}, "--days: 0"},
		"no worker":           {[]string{"--workers", "0"}, "--workers: 0"},
		"one file for both":   {[]string{"--json", figure, "--svg", figure}, "--svg: "},
		"a day that is none":  {[]string{"--through", "2026-02-30"}, "--through: \"2026-02-30\""},
		"a folder for a file": {[]string{"--json", dir}, "is a directory"},
		"no model":            {[]string{"--model", filepath.Join(dir, "none")}, "cannot be read"},
		"a model of nonsense": {[]string{"--model", report}, "model"},
		"before all NAVs":     {[]string{"--through", "1999-01-01"}, "no NAVs"},
	} {
		out := inProcess(t.Context(), "", append([]string{"outcome", "frontier", "--store", store}, c.args...)...)
		if out.code != exitUsage || !strings.Contains(out.stderr, c.want) || out.stdout != "" {
			t.Errorf("%s: exit code %d, want %d and %q\n%s", name, out.code, exitUsage, c.want, out.stderr)
		}
	}
}
