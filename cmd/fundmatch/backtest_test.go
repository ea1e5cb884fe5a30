package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/evaluate"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/services/backtest"
)

// backtestFolder writes a small past: C1 to C3 buy P1 and then P2, and C4 what is above his level.
func backtestFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"products.csv":     "product_code,name,product_type,risk_grade\nP1,A,Stock,R1\nP2,B,Stock,R2\nP3,C,Stock,R5\n",
		"customers.csv":    "customer_id,investor_type,risk_level,risk_level_source,risk_assessed_on\nC1,ORDINARY,C2,ASSESSED,2020-01-02\nC2,ORDINARY,C5,PREDICTED,\nC3,ORDINARY,,,\nC4,ORDINARY,C1,ASSESSED,2020-06-01\n",
		"splits.csv":       "split,as_of,test_end\n3,2020-01-31,2020-07-31\n4,2020-02-29,2020-08-31\n",
		"interactions.csv": "customer_id,product_code,known_on\nC1,P1,2020-01-01\nC2,P1,2020-01-02\nC3,P1,2020-01-03\nC2,P2,2020-01-04\nC4,P3,2020-01-05\nC1,P2,2020-02-20\n",
		"candidates.csv":   "split,product_codes\n3,P1 P2 P3\n4,P1 P2 P3\n",
		"relevant.csv":     "split,customer_id,product_codes\n3,C1,P2\n3,C3,P2 P3\n4,C3,P2\n4,C4,P1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The lists, the report, the page and what is printed; the lists packed are the same lists.
func TestBacktest(t *testing.T) {
	t.Parallel()
	data, dir := backtestFolder(t), t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	out := inProcess(t.Context(), "", "backtest", "--data", data, "--out", in("run.csv"), "--json", in("report.json"), "--html", in("page.html"), "--workers", "2")
	if out.code != exitDone || !strings.Contains(out.stdout, "splits 3-4, 4 lists a contender, without the grade rule") || !strings.Contains(out.stderr, " MiB at most") {
		t.Fatalf("%+v", out)
	}
	want := "split,customer_id,rank,product_code\n3,C1,1,P2\n3,C1,2,P3\n3,C3,1,P2\n3,C3,2,P3\n4,C3,1,P2\n4,C3,2,P3\n4,C4,1,P1\n4,C4,2,P2\n"
	if got := fileText(t, in("run.csv")); got != want {
		t.Errorf("lists\n%s, expected\n%s", got, want)
	}
	var report backtest.Report
	if err := json.Unmarshal([]byte(fileText(t, in("report.json"))), &report); err != nil {
		t.Fatal(err)
	}
	model, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		t.Fatal(err)
	}
	if report.Version != "test" || report.Model.Name != model.Name || len(report.Model.SHA256) != 64 || len(report.Data.Files) != 6 || report.NotCompared.PeakMemoryBytes <= 0 {
		t.Errorf("report of %s, model %+v, files %+v, effort %+v", report.Version, report.Model, report.Data.Files, report.NotCompared)
	}
	if v := report.Contenders[0].Whole.NDCG.Value; math.Abs(float64(v)-1) > 1e-12 {
		t.Errorf("nDCG@10 %v, expected 1: everything wanted stands first", v)
	}
	if page := fileText(t, in("page.html")); !strings.HasPrefix(page, "<!DOCTYPE html>") || !strings.Contains(page, "Backtest of "+model.Name) {
		t.Errorf("page %.200s", page)
	}
	if out = inProcess(t.Context(), "", "backtest", "--data", data, "--out", in("run.csv.gz"), "--baseline", "none", "--quiet"); out.code != exitDone || out.stderr != "" {
		t.Fatalf("packed: %+v", out)
	}
	if got := unpackedText(t, in("run.csv.gz")); got != want {
		t.Errorf("packed lists\n%s, expected\n%s", got, want)
	}
}

func fileText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func unpackedText(t *testing.T, name string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(fileText(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// With the grade rule, a customer without a level gets R1 only, and nobody what is above his level.
func TestBacktestPermitted(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "run.csv")
	out := inProcess(t.Context(), "", "backtest", "--data", backtestFolder(t), "--out", name, "--permitted", "--model", "popularity", "--splits", "4")
	if got, want := fileText(t, name), "split,customer_id,rank,product_code\n4,C4,1,P1\n"; out.code != exitDone || got != want {
		t.Errorf("%+v\nlists\n%s, expected\n%s", out, got, want)
	}
}

// Contenders are what the flags say.
func TestBacktestContenders(t *testing.T) {
	t.Parallel()
	model := filepath.Join(t.TempDir(), "model.yaml")
	if err := os.WriteFile(model, bytes.Replace(score.DefaultModel(), []byte("name: spine"), []byte("name: other"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	data := backtestFolder(t)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--model", "knn"}, []string{"knn"}},
		{[]string{"--model", "knn", "--baseline", "popularity"}, []string{"knn", "popularity"}},
		{[]string{"--model", model, "--baseline", "knn,popularity"}, []string{"other", "knn", "popularity"}},
		{
			[]string{"--baseline", "none", "--without", "AFFINITY,COST", "--without", "POPULARITY"},
			[]string{"spine", "spine without AFFINITY, COST", "spine without POPULARITY"},
		},
	} {
		report := filepath.Join(t.TempDir(), "report.json")
		args := append([]string{"backtest", "--data", data, "--out", filepath.Join(t.TempDir(), "run.csv"), "--json", report}, c.args...)
		if out := inProcess(t.Context(), "", args...); out.code != exitDone {
			t.Fatalf("%q: %+v", c.args, out)
		}
		var r backtest.Report
		if err := json.Unmarshal([]byte(fileText(t, report)), &r); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, contender := range r.Contenders {
			names = append(names, contender.Name)
		}
		if !slices.Equal(names, c.want) {
			t.Errorf("%q: contenders %q, expected %q", c.args, names, c.want)
		}
	}
}

// Wrong usage and bad input end with code 2, say what is wrong, and write nothing.
func TestBacktestRefuses(t *testing.T) {
	t.Parallel()
	data := backtestFolder(t)
	bad := backtestFolder(t)
	if err := os.WriteFile(filepath.Join(bad, "relevant.csv"), []byte("split,customer_id,product_codes\n3,C1,P2\n3,C3,P9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	short := backtestFolder(t)
	if err := os.WriteFile(filepath.Join(short, "candidates.csv"), []byte("split,product_codes\n3,P1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	forbidden := filepath.Join(t.TempDir(), "forbidden.yaml")
	if err := os.WriteFile(forbidden, bytes.Replace(score.DefaultModel(), []byte("POPULARITY"), []byte("COMMISSION"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(t.TempDir(), "model.yaml")
	if err := os.WriteFile(model, score.DefaultModel(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no data", []string{"--out", "OUT"}, "--data: expected a folder"},
		{"a folder that is not there", []string{"--data", filepath.Join(data, "absent"), "--out", "OUT"}, "no such file or directory"},
		{"no such file of it", []string{"--data", t.TempDir(), "--out", "OUT"}, "products.csv: is not in the folder"},
		{"no out", []string{"--data", data}, `--out: "", expected a file name that ends in .csv or .csv.gz`},
		{"an out that is none", []string{"--data", data, "--out", "OUT.parquet"}, "expected a file name that ends in .csv or .csv.gz"},
		{"one file twice", []string{"--data", data, "--out", "OUT", "--json", "OUT"}, "is named twice, expected different files"},
		{"what is read as out", []string{"--data", data, "--out", filepath.Join(data, "relevant.csv")}, "is what is read, expected the name of another file"},
		{"the model as page", []string{"--data", data, "--out", "OUT", "--model", model, "--html", model}, "is what is read, expected the name of another file"},
		{"a folder as report", []string{"--data", data, "--out", "OUT", "--json", data}, "is a directory"},
		{"no folder to write in", []string{"--data", data, "--out", filepath.Join(data, "absent", "run.csv")}, "there is no such folder to write in"},
		{"splits that are none", []string{"--data", data, "--out", "OUT", "--splits", "a-b"}, `--splits: "a-b", expected A-B`},
		{"splits backwards", []string{"--data", data, "--out", "OUT", "--splits", "4-3"}, `--splits: "4-3", expected the lower number first`},
		{"splits that are not there", []string{"--data", data, "--out", "OUT", "--splits", "5-9"}, "no split to run"},
		{"no workers", []string{"--data", data, "--out", "OUT", "--workers", "0"}, "--workers: 0, expected 1 to"},
		{"a baseline that is none", []string{"--data", data, "--out", "OUT", "--baseline", "knn,chance"}, `--baseline: "knn,chance", expected knn, popularity`},
		{"a feature that is none", []string{"--data", data, "--out", "OUT", "--without", "COMMISSION"}, `--without: unknown feature: "COMMISSION", expected one of AFFINITY`},
		{"a baseline without features", []string{"--data", data, "--out", "OUT", "--model", "knn", "--without", "COST"}, "knn has no features to leave out"},
		{"a model that is not there", []string{"--data", data, "--out", "OUT", "--model", "absent.yaml"}, "absent.yaml: cannot be read"},
		{"a forbidden model", []string{"--data", data, "--out", "OUT", "--model", forbidden}, "F04"},
		{"a bad row", []string{"--data", bad, "--out", "OUT"}, `relevant.csv:3:product_codes: "P9", expected codes of products`},
		{"a split without candidates", []string{"--data", short, "--out", "OUT"}, "split 4 has no candidates"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			args := slices.Clone(c.args)
			for i := range args {
				if rest, ok := strings.CutPrefix(args[i], "OUT"); ok {
					args[i] = filepath.Join(dir, "run.csv") + rest
				}
			}
			out := inProcess(t.Context(), "", append([]string{"backtest"}, args...)...)
			if out.code != exitUsage || !strings.Contains(out.stderr, c.want) || strings.Count(out.stderr, "\n") != 1 || out.stdout != "" {
				t.Errorf("%+v, expected code 2 and %q", out, c.want)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}

// Lists that must hold nothing above a level, and do, are a failed check; without the
// grade rule they are a figure.
func TestBacktestFailsOnViolations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		permitted  bool
		violations int64
		want       int
	}{{true, 0, exitDone}, {true, 2, exitFailed}, {false, 2, exitDone}} {
		w, _, _ := testWorld("")
		err := (&program{world: w}).printBacktest(&backtest.Report{
			Config: backtest.Settings{Permitted: c.permitted}, Contenders: []backtest.Contender{{Name: "x", Violations: c.violations}},
		})
		code := exitDone
		if err != nil {
			code = codeOf(err)
		}
		if code != c.want {
			t.Errorf("%+v: exit code %d, %v", c, code, err)
		}
	}
}

// An interrupted run leaves nothing.
func TestInterruptedBacktestLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	out := inProcess(ctx, "", "backtest", "--data", backtestFolder(t), "--out", filepath.Join(dir, "run.csv"), "--json", filepath.Join(dir, "report.json"))
	if out.code != exitInterrupted || out.stderr != "fundmatch: interrupted\n" {
		t.Errorf("%+v", out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// realBacktest reads the real folder.
func realBacktest(t *testing.T) *backtest.Data {
	t.Helper()
	const dir = root + "/../shared/data/fartrans"
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there: the figures on real customers were not reproduced", dir)
	}
	folder, err := dataset.OpenBacktest(dir)
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := readBacktest(t.Context(), folder, &progress{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The figures of the baselines on real customers, as they were measured elsewhere.
func TestBacktestReproducesWhatIsKnown(t *testing.T) {
	t.Parallel()
	report, err := backtest.Run(t.Context(), realBacktest(t), backtest.Config{
		Subject: backtest.Nearest(), Baselines: []backtest.Recommender{backtest.Popularity()}, Workers: 2,
		Bootstrap: evaluate.Bootstrap{Replicates: 2, Seed: 1, Level: .95},
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		got  backtest.Number
		want float64
	}{
		{"kNN, splits 0-45", report.Contenders[0].Whole.NDCG.Value, .4023},
		{"kNN, splits " + report.Contenders[0].Halves[1].Splits, report.Contenders[0].Halves[1].NDCG.Value, .3912},
		{"popularity, splits 0-45", report.Contenders[1].Whole.NDCG.Value, .3151},
		{"popularity, splits 23-45", report.Contenders[1].Halves[1].NDCG.Value, .3064},
	} {
		if math.Abs(float64(c.got)-c.want) > .00005 {
			t.Errorf("nDCG@10 of %s: %.5f, expected %.4f", c.name, float64(c.got), c.want)
		}
	}
}

// On real customers, too, the lists do not depend on the workers, and hold nothing above a level.
func TestBacktestOfRealCustomersIsDeterministic(t *testing.T) {
	t.Parallel()
	data := realBacktest(t)
	var runs []string
	for _, workers := range []int{1, 2} {
		var run bytes.Buffer
		subject, _, err := scoredModel("", demandTerms, nil)
		if err != nil {
			t.Fatal(err)
		}
		report, err := backtest.Run(t.Context(), data, backtest.Config{
			Splits: &[2]int32{20, 22}, Permitted: true, Subject: subject, Workers: workers,
			Bootstrap: evaluate.Bootstrap{Replicates: 2, Seed: 1, Level: .95},
		}, &run)
		if err != nil {
			t.Fatal(err)
		}
		if n := report.Contenders[0].Violations; n != 0 {
			t.Errorf("%d violations", n)
		}
		runs = append(runs, run.String())
	}
	if runs[0] != runs[1] || len(runs[0]) == 0 {
		t.Error("one worker and two made other lists")
	}
}

// The shipped model on real customers: better than the nearest neighbours, surely and in any
// five consecutive splits, and with the grade rule on it lists nothing above a level.
func TestTheShippedModelBeatsNeighboursOnRealCustomers(t *testing.T) {
	t.Parallel()
	data := realBacktest(t)
	judged := func(permitted bool) *backtest.Report {
		subject, _, err := scoredModel("", demandTerms, nil)
		if err != nil {
			t.Fatal(err)
		}
		report, err := backtest.Run(t.Context(), data, backtest.Config{
			Subject: subject, Baselines: []backtest.Recommender{backtest.Nearest()}, Permitted: permitted, Workers: 2,
			Bootstrap: evaluate.Bootstrap{Replicates: 200, Seed: 1, Level: .95},
		}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	report := judged(false)
	whole, late := report.Contenders[0].Whole.NDCG.Value, report.Contenders[0].Halves[1].NDCG.Value
	if whole < .4100 || late < .4050 {
		t.Errorf("nDCG@10 %.4f over all, %.4f over %s, expected at least .4100 and .4050", whole, late, report.Contenders[0].Halves[1].Splits)
	}
	if c := report.Comparisons[0]; c.Whole.NDCG.CI95[0] <= 0 || c.Worst.Ratio < 1 {
		t.Errorf("less the neighbours %v, worst five %+v, expected above 0 and at least 1", c.Whole.NDCG, c.Worst)
	}
	report = judged(true)
	if c := report.Contenders[0]; c.Whole.PermittedNDCG.Value < .3950 || c.Violations != 0 {
		t.Errorf("permitted nDCG@10 %.4f with %d violations, expected at least .3950 and none", c.Whole.PermittedNDCG.Value, c.Violations)
	}
}
