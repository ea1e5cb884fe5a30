package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// experimentCSV is an experiment of so many customers, of whom the arm named new has a metric that is higher by lift.
func experimentCSV(n int, lift float64) string {
	var b strings.Builder
	b.WriteString("customer_id,arm,metric,pre_metric,segment\n")
	for i := range n {
		pre := float64(i * 7919 % 101)
		metric := fmt.Sprint(pre/2 + float64(i*104729%13))
		arm := "control"
		if i%2 == 1 {
			arm = "new"
			metric = fmt.Sprint(pre/2 + float64(i*104729%13) + lift)
		}
		if i%37 == 0 {
			metric = ""
		}
		fmt.Fprintf(&b, "C%d,%s,%s,%v,%s\n", i, arm, metric, pre, []string{"APP", "BRANCH"}[i/2%2])
	}
	return b.String()
}

// experimentFile writes a file into a folder of its own, and names a report beside it.
func experimentFile(t *testing.T, text string) (data, report string) {
	t.Helper()
	dir := t.TempDir()
	data = filepath.Join(dir, "a.csv")
	if err := os.WriteFile(data, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return data, filepath.Join(dir, "report.json")
}

func TestEvaluateExperiment(t *testing.T) {
	t.Parallel()
	data, report := experimentFile(t, experimentCSV(1000, 3))
	out := inProcess(t.Context(), "", "evaluate", "experiment", "--data", data, "--json", report, "--weights", "control=1,new=1",
		"--gate", "estimates.welch.absolute.ci95.low > 0", "--gate", "comparisons.new.metrics.metric.cuped.relative.ci95.low > 0",
		"--gate", "segments.segment.values.APP.comparisons.new.metrics.metric.sequential.absolute.high > 0", "--gate", "srm.p >= 0.001")
	if out.code != exitDone || out.stderr != "" || !strings.Contains(out.stdout, "verdict: GIVEN") || !strings.Contains(out.stdout, "LESS control") {
		t.Fatalf("%+v", out)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Schema string
		Rows   int
		Input  struct{ SHA256 string }
		Gates  []struct {
			Gate   string
			Passed bool
		}
		Verdict struct{ Status string }
	}
	if err := json.Unmarshal(text, &d); err != nil || d.Schema != "fundmatch.experiment-evaluation/v1" || d.Rows != 1000 || len(d.Input.SHA256) != 64 ||
		len(d.Gates) != 4 || !d.Gates[3].Passed || d.Verdict.Status != "GIVEN" {
		t.Errorf("%v: %+v", err, d)
	}
	// The same through stdin, to stdout.
	again := inProcess(t.Context(), experimentCSV(1000, 3), "evaluate", "experiment", "--data", "-", "--json", "-", "--quiet", "--weights", "control=1,new=1")
	if again.code != exitDone || !strings.Contains(again.stdout, d.Input.SHA256) || !json.Valid([]byte(again.stdout)) {
		t.Errorf("through stdin: %d, %s, %.300s", again.code, again.stderr, again.stdout)
	}
}

// A gate that fails names itself and ends with exit code 1; the report is there and says so.
func TestEvaluateExperimentGates(t *testing.T) {
	t.Parallel()
	data, report := experimentFile(t, experimentCSV(1000, 0))
	out := inProcess(t.Context(), "", "evaluate", "experiment", "--data", data, "--json", report, "--gate", "estimates.welch.absolute.ci95.low > 0")
	if out.code != exitFailed || !strings.Contains(out.stderr, "1 gate failed: estimates.welch.absolute.ci95.low > 0: it is -") {
		t.Errorf("%+v", out)
	}
	if text, err := os.ReadFile(report); err != nil || !strings.Contains(string(text), `"passed": false`) {
		t.Errorf("%v: %.200s", err, text)
	}
	// Withheld: the difference is as the gate asks, and it fails.
	uneven := strings.ReplaceAll(experimentCSV(1000, 3), "\nC", "\nX")
	lines := strings.SplitAfter(uneven, "\n")
	kept := lines[:1]
	for i, line := range lines[1:] {
		if !strings.Contains(line, ",new,") || i%3 != 0 {
			kept = append(kept, line)
		}
	}
	data, report = experimentFile(t, strings.Join(kept, ""))
	out = inProcess(t.Context(), "", "evaluate", "experiment", "--data", data, "--json", report, "--gate", "estimates.welch.absolute.ci95.low > 0")
	if out.code != exitFailed || !strings.Contains(out.stderr, "its verdict is withheld") || !strings.Contains(out.stdout, "SAMPLE_RATIO_MISMATCH") {
		t.Errorf("%+v", out)
	}
	if out := inProcess(t.Context(), "", "evaluate", "experiment", "--data", data, "--json", report); out.code != exitDone || !strings.Contains(out.stderr, "equal shares are assumed") {
		t.Errorf("withheld without a gate: %+v", out)
	}
}

// What is wrong ends with exit code 2, says what was expected, and leaves no report.
func TestEvaluateExperimentRefuses(t *testing.T) {
	t.Parallel()
	good := experimentCSV(300, 1)
	for name, c := range map[string]struct {
		text string
		args []string
		want string
	}{
		"no data":            {good, []string{"--data", ""}, "--data: expected a file"},
		"no file":            {good, []string{"--data", "nowhere.csv"}, "nowhere.csv"},
		"a bad value":        {strings.Replace(good, "C5,new,", "C5,new,x", 1), nil, "a.csv:7: metric: \"x"},
		"twice":              {good + "C7,control,1,1,APP\n", nil, `a.csv:302: customer_id: "C7", expected each customer once; he is in`},
		"no column":          {good, []string{"--metric", "bought"}, "bought: the column is missing"},
		"no segment":         {good, []string{"--segment", "city"}, "city: the column is missing"},
		"no pre":             {good, []string{"--pre", "before"}, "before: the column is missing"},
		"empty":              {"", nil, "the file is empty"},
		"no rows":            {"customer_id,arm,metric\n", nil, "a.csv: wrong data: no rows"},
		"one arm":            {"customer_id,arm,metric\nA,x,1\n", nil, "customers of 1 arms, expected of 2 or more"},
		"no such control":    {good, []string{"--control", "old"}, `control "old" has no customers`},
		"weights":            {good, []string{"--weights", "control"}, "--weights: \"control\", expected an arm and its share"},
		"weights of 0":       {good, []string{"--weights", "control=0,new=1"}, "expected a share above 0"},
		"weights twice":      {good, []string{"--weights", "new=1,new=1"}, "is there twice"},
		"weights, not all":   {good, []string{"--weights", "control=1,old=1"}, `arm "new" has customers and no weight`},
		"alpha":              {good, []string{"--alpha", "1"}, "alpha 1, expected above 0 and below 1"},
		"tuning":             {good, []string{"--tuning", "0"}, "tuning 0, expected"},
		"min-customers":      {good, []string{"--min-customers", "0"}, "expected 2 or more"},
		"a gate":             {good, []string{"--gate", "srm.p"}, "--gate"},
		"a gate on nothing":  {good, []string{"--gate", "estimates.lift > 0"}, "the document has no estimates.lift"},
		"the data as report": {good, nil, "--data"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, report := experimentFile(t, c.text)
			if name == "the data as report" {
				report = data
			}
			args := append([]string{"evaluate", "experiment", "--data", data, "--json", report}, c.args...)
			out := inProcess(t.Context(), "", args...)
			if out.code != exitUsage || !strings.Contains(out.stderr, c.want) || strings.Count(out.stderr, "fundmatch:") != 1 {
				t.Errorf("%+v, expected exit code 2 with %s", out, c.want)
			}
			if _, err := os.Stat(report); report != data && !errors.Is(err, fs.ErrNotExist) {
				t.Error("a report was left")
			}
			entries, err := os.ReadDir(filepath.Dir(data))
			if err != nil || len(entries) != 1 {
				t.Errorf("%d files left, %v", len(entries), err)
			}
		})
	}
}

// Bad rows are left out where that was asked for, counted and listed.
func TestEvaluateExperimentSkipsBadRows(t *testing.T) {
	t.Parallel()
	data, report := experimentFile(t, experimentCSV(400, 1)+"C7,control,1,1,APP\nNEW,control,much,1,APP\n")
	out := inProcess(t.Context(), "", "evaluate", "experiment", "--data", data, "--json", report, "--skip-bad")
	if out.code != exitDone || !strings.Contains(out.stderr, "2 bad rows of "+data+" left out") || !strings.Contains(out.stderr, `row 402: metric: "much", expected a finite decimal number`) {
		t.Errorf("%+v", out)
	}
	if text, err := os.ReadFile(report); err != nil || !strings.Contains(string(text), `"text": "much"`) {
		t.Errorf("%v: %.300s", err, text)
	}
}

// An interruption ends with 130 and leaves nothing.
func TestEvaluateExperimentIsInterrupted(t *testing.T) {
	t.Parallel()
	data, report := experimentFile(t, experimentCSV(10_000, 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := inProcess(ctx, "", "evaluate", "experiment", "--data", data, "--json", report)
	if _, err := os.Stat(report); out.code != exitInterrupted || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%+v, %v", out, err)
	}
}
