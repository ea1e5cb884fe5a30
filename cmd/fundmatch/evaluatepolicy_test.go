package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// policyFigures are those of testdata/evaluation/policy.csv under target.json with --clip 1.5 --switch-lambda 1
// --dros-lambda 2, by numpy: each estimator's formula written down row by row, sample standard deviations, the delta
// method for ratios.
var policyFigures = map[string][2]float64{
	"estimates.ips":            {.8010869565217391, .33695508733597535},
	"estimates.snips":          {.8028322440087148, .32340074606906194},
	"estimates.clipped_ips":    {.7467391304347827, .25710412385553627},
	"estimates.dm":             {.8115217391304346, .010916204288490255},
	"estimates.dr":             {.8419021739130433, .3058815528796689},
	"estimates.sndr":           {.8419683622241165, .30644162069433695},
	"estimates.switch_dr":      {.8429891304347824, .1155751946233213},
	"estimates.dros":           {.8155126336972853, .1295983277288994},
	"lists.ndcg":               {.5769909829342623, .1208986483888971},
	"segments.0.estimates.ips": {1.1386363636363637, .5723889693481218},
	"segments.0.estimates.dr":  {1.2456060606060608, .49106708549950007},
	"segments.1.estimates.dr":  {.47625000000000006, .3599252210845015},
}

var policyDiagnostics = map[string]float64{
	"diagnostics.mean_weight": .9978260869565217, "diagnostics.max_weight": 2.5, "diagnostics.ess": 17.161324481733384,
	"segments.0.diagnostics.ess": 7.667876588021779, "rows": 24, "decisions": 12, "censored": 1, "lists.decisions": 11,
}

func evaluationFile(name string) string { return filepath.Join("testdata", "evaluation", name) }

func goldenArgs(more ...string) []string {
	return append([]string{
		"evaluate", "policy", "--log", evaluationFile("policy.csv"), "--target-policy", evaluationFile("target.json"),
		"--clip", "1.5", "--switch-lambda", "1", "--dros-lambda", "2", "--min-ess", "9",
	}, more...)
}

// figureAt follows a path of members and places.
func figureAt(t *testing.T, document any, path string) float64 {
	t.Helper()
	for _, word := range strings.Split(path, ".") {
		switch v := document.(type) {
		case map[string]any:
			document = v[word]
		case []any:
			at, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			document = v[at]
		}
	}
	v, is := document.(float64)
	if !is {
		t.Fatalf("%s is %v, expected a number", path, document)
	}
	return v
}

func TestEvaluatePolicyAgainstNumpy(t *testing.T) {
	t.Parallel()
	out := inProcess(t.Context(), "", goldenArgs("--json", "-")...)
	if out.code != exitDone {
		t.Fatalf("exit code %d: %s", out.code, out.stderr)
	}
	var document any
	if err := json.Unmarshal([]byte(out.stdout), &document); err != nil {
		t.Fatal(err)
	}
	near := func(path string, want float64) {
		if got := figureAt(t, document, path); math.Abs(got-want) > 1e-14*max(1, math.Abs(want)) {
			t.Errorf("%s is %v, expected %v", path, got, want)
		}
	}
	for path, want := range policyFigures {
		near(path+".value", want[0])
		near(path+".stderr", want[1])
		near(path+".ci95.0", want[0]-1.959963984540054*want[1])
		near(path+".ci95.1", want[0]+1.959963984540054*want[1])
	}
	for path, want := range policyDiagnostics {
		near(path, want)
	}
}

// The whole document and the table, as they were reviewed. -update writes them anew.
func TestEvaluatePolicyGolden(t *testing.T) {
	t.Parallel()
	gates := []string{"--gate", "snips.ci95.high >= 1", "--gate", "ess >= 15", "--gate", "segments.BOLD.rows == 12"}
	for name, args := range map[string][]string{
		"policy.json":     goldenArgs(append(gates, "--json", "-")...),
		"policy.txt":      goldenArgs(gates...),
		"bootstrap.json":  goldenArgs("--json", "-", "--slates", "--bootstrap", "200", "--seed", "7", "--reward-model", "action-position", "--segment", "product_code", "--segment", "position"),
		"no-target.json":  {"evaluate", "policy", "--log", evaluationFile("policy.csv"), "--json", "-"},
		"plain-table.txt": {"evaluate", "policy", "--log", evaluationFile("policy.csv")},
	} {
		out := inProcess(t.Context(), "", args...)
		if out.code != exitDone || out.stderr != "" {
			t.Errorf("%s: exit code %d: %s", name, out.code, out.stderr)
			continue
		}
		if *update {
			if err := os.WriteFile(evaluationFile(name), []byte(out.stdout), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(evaluationFile(name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), out.stdout); diff != "" {
			t.Errorf("%s changed (-reviewed +now); go test ./cmd/fundmatch -run EvaluatePolicyGolden -update rewrites it:\n%s", name, diff)
		}
	}
}

// A failed gate ends with code 1 and is named, after all was written; so is one on a figure whose verdict is withheld,
// or that there is none of. What the document has not is a slip, and nothing is written.
func TestEvaluatePolicyGates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
		said string
	}{
		{goldenArgs("--gate", "snips.ci95.low >= 0.1"), exitDone, ""},
		{goldenArgs("--gate", "snips.ci95.low >= 0.2"), exitFailed, "1 gate failed: snips.ci95.low >= 0.2: it is 0.16"},
		{goldenArgs("--gate", "ips >= 2", "--gate", "ess > 1", "--gate", "dr <= 0"), exitFailed, "2 gates failed: ips >= 2: it is 0.80108"},
		{goldenArgs("--min-ess", "18", "--gate", "snips >= 0"), exitFailed, "snips >= 0: its verdict is withheld"},
		{goldenArgs("--min-ess", "18", "--gate", "ess >= 17"), exitDone, ""},
		{goldenArgs("--min-ess", "8", "--gate", "segments.BOLD.estimates.snips >= 0"), exitFailed, "its verdict is withheld"},
		{goldenArgs("--min-ess", "8", "--gate", "segments.STEADY.estimates.snips >= 0"), exitDone, ""},
		{[]string{"evaluate", "policy", "--log", evaluationFile("policy.csv"), "--min-ess", "9", "--gate", "dr >= 0"}, exitFailed, "estimates.dr is null"},
		{goldenArgs("--gate", "slates.independent >= 0"), exitFailed, "slates is null"},
		{goldenArgs("--slates", "--gate", "slates.independent >= 0"), exitDone, ""},
		{goldenArgs("--gate", "snisp >= 0"), exitUsage, "the document has no snisp; did you mean snips"},
		{goldenArgs("--gate", "snips => 0"), exitUsage, "expected >=, <=, >, <, == or !="},
	} {
		name := filepath.Join(t.TempDir(), "policy.json")
		out := inProcess(t.Context(), "", append(c.args, "--json", name)...)
		if out.code != c.code || !strings.Contains(out.stderr, c.said) || c.said == "" && out.stderr != "" {
			t.Errorf("%q: exit code %d, %q, expected %d, %q", c.args[len(c.args)-2:], out.code, out.stderr, c.code, c.said)
		}
		for _, name := range []string{name, runName(name)} {
			if _, err := os.Stat(name); (err == nil) != (c.code != exitUsage) {
				t.Errorf("%q: %s: %v", c.args, filepath.Base(name), err)
			}
		}
	}
}

// rowsOf are the rows of a file of a made-up log: lists of one to four products, some not answered yet.
func rowsOf(file, decisions int) []policylog.Row {
	r := rand.New(rand.NewPCG(7, uint64(file)))
	rows := make([]policylog.Row, 0, 3*decisions)
	for d := range decisions {
		id, customer := fmt.Sprintf("%d-%d", file, d), fmt.Sprintf("C%d", r.IntN(decisions+1))
		at := time.Date(2026, 6, 1, 0, 0, d, 0, time.UTC).UnixNano()
		segment, channel := []string{"STEADY", "BOLD", ""}[r.IntN(3)], []string{"APP", "BRANCH"}[r.IntN(2)]
		for k := range 1 + r.IntN(4) {
			reward := []float64{0, 0, 1, .1, -2.7, 1e6, math.NaN()}[r.IntN(7)]
			e, to := .05+r.Float64()*.9, r.Float64()
			rows = append(rows, policylog.Row{
				DecisionID: id, CustomerID: customer, DecidedAt: at, Position: int32(k + 1), ProductCode: fmt.Sprintf("F%d", r.IntN(9)),
				Reward: reward, Propensity: e, Target: to, Texts: []string{segment, channel},
			})
		}
	}
	return rows
}

// writeLog writes a log of files with so many decisions each.
func writeLog(t *testing.T, dir string, format policylog.Format, decisions []int) {
	t.Helper()
	for i, n := range decisions {
		var out bytes.Buffer
		w, err := policylog.NewWriter(&out, format, policylog.Columns{Target: true, Texts: []string{"segment", "channel"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(rowsOf(i, n)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, fmt.Sprintf("log-%03d.%s", i, format))
		if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// evaluated runs evaluate policy and returns the document, which must be whole.
func evaluated(t *testing.T, args ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "policy.json")
	out := inProcess(t.Context(), "", append([]string{"evaluate", "policy", "--json", name}, args...)...)
	if out.code != exitDone {
		t.Fatalf("%q: exit code %d: %s", args, out.code, out.stderr)
	}
	return readFile(t, name)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The promise of the contract: the same bytes for CSV, NDJSON and Parquet of one log, for 1, 2 and 8 workers, and for
// one run and seven merged shards. Files are of several blocks, of one, and of a decision.
func TestEvaluatePolicyBytes(t *testing.T) {
	decisions := []int{1, 27_000, 300, 1000, 2, 400, 1, 500, 700}
	options := []string{"--segment", "segment", "--segment", "channel", "--bootstrap", "4", "--gate", "ess >= 100"}
	want := ""
	for format := policylog.CSV; format <= policylog.Parquet; format++ {
		dir := t.TempDir()
		writeLog(t, dir, format, decisions)
		log := append([]string{"--log", filepath.Join(dir, "log-*")}, options...)
		for _, workers := range []string{"1", "2", "8"} {
			got := evaluated(t, append(log, "--workers", workers)...)
			if want == "" {
				want = got
			}
			if got != want {
				t.Fatalf("%v, %s workers:\n%s", format, workers, cmp.Diff(want, got))
			}
		}
		if got := inShards(t, dir, log[:len(log)-2], log[len(log)-2:]); got != want {
			t.Fatalf("%v, seven shards:\n%s", format, cmp.Diff(want, got))
		}
	}
	rows := 0
	for i, n := range decisions {
		rows += len(rowsOf(i, n))
	}
	if !strings.Contains(want, fmt.Sprintf(`"rows": %d,`, rows)) || len(rowsOf(1, decisions[1])) < policylog.BlockRows {
		t.Errorf("%d rows, a file of two blocks among them, are not what was judged: %.200s", rows, want)
	}
}

// inShards evaluates the log in seven shards, in any order, and merges them.
func inShards(t *testing.T, dir string, args, gates []string) string {
	t.Helper()
	var partials []string
	for _, i := range rand.Perm(7) {
		name := filepath.Join(dir, fmt.Sprintf("part-%d.json", i))
		to := []string{"--out", "--json"}[i%2] // both name the file of a part
		out := inProcess(t.Context(), "", slices.Concat([]string{"evaluate", "policy", "--shard", fmt.Sprintf("%d/7", i), to, name}, args)...)
		if out.code != exitDone {
			t.Fatalf("shard %d: exit code %d: %s", i, out.code, out.stderr)
		}
		partials = append(partials, name, runName(name)) // as part-*.json does
	}
	name := filepath.Join(dir, "merged.json")
	out := inProcess(t.Context(), "", slices.Concat([]string{"evaluate", "merge", "--json", name}, gates, partials)...)
	if out.code != exitDone {
		t.Fatalf("merge: exit code %d: %s", out.code, out.stderr)
	}
	return readFile(t, name)
}

// A log of one file in seven shards: six of them have none, say so, and are merged all the same; without them nothing is.
func TestEvaluateShardsWithoutFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeLog(t, dir, policylog.CSV, []int{50})
	log := []string{"--log", filepath.Join(dir, "log-*")}
	want := evaluated(t, log...)
	if got := inShards(t, dir, log, nil); got != want {
		t.Error(cmp.Diff(want, got))
	}
	parts := make([]string, 7)
	for i := range parts {
		parts[i] = filepath.Join(dir, fmt.Sprintf("part-%d.json", i))
	}
	named := filepath.Join(dir, "named.json")
	mustRun(t, slices.Concat([]string{"evaluate", "merge", "--out", named}, parts)...)
	if got := readFile(t, named); got != want {
		t.Errorf("merged to --out: %s", cmp.Diff(want, got))
	}
	for _, to := range [][]string{{"--out", named, "--json", filepath.Join(dir, "other.json")}, {"--out", parts[3]}, {"--json", parts[3]}} {
		before := readFile(t, parts[3])
		out := inProcess(t.Context(), "", slices.Concat([]string{"evaluate", "merge"}, to, parts)...)
		if out.code != exitUsage || readFile(t, parts[3]) != before {
			t.Errorf("merged with %q: exit code %d: %s", to, out.code, out.stderr)
		}
	}
	out := inProcess(t.Context(), "", slices.Concat([]string{"evaluate", "policy", "--shard", "3/7", "--out", filepath.Join(dir, "x.json")}, log)...)
	if !strings.Contains(out.stderr, "shard 3/7 has no file of the log") {
		t.Errorf("a shard without files says %q", out.stderr)
	}
	out = inProcess(t.Context(), "", "evaluate", "merge", filepath.Join(dir, "part-0.json"), filepath.Join(dir, "part-1.json"), "--json", filepath.Join(dir, "y.json"))
	if _, err := os.Stat(filepath.Join(dir, "y.json")); out.code != exitUsage || !strings.Contains(out.stderr, "shard 2/7 is not there") || err == nil {
		t.Errorf("two of seven: exit code %d: %s", out.code, out.stderr)
	}
}

// What is not in policy.json stands beside it.
func TestEvaluateRunDocument(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeLog(t, dir, policylog.CSV, []int{5, 6})
	name := filepath.Join(dir, "out.json")
	out := inProcess(t.Context(), "", "evaluate", "policy", "--log", filepath.Join(dir, "log-*"), "--json", name, "--workers", "3")
	if out.code != exitDone {
		t.Fatal(out.stderr)
	}
	var run struct {
		Schema, Version string
		Workers         int
		Rows            int
		Files           []struct {
			Name   string
			Bytes  int64
			Rows   int
			SHA256 string
		}
	}
	if err := json.Unmarshal([]byte(readFile(t, filepath.Join(dir, "out.run.json"))), &run); err != nil {
		t.Fatal(err)
	}
	rows := len(rowsOf(0, 5)) + len(rowsOf(1, 6))
	if run.Schema != "fundmatch.evaluation-run/v1" || run.Version != "test" || run.Workers != 3 || run.Rows != rows || len(run.Files) != 2 {
		t.Fatalf("%+v, expected %d rows of 2 files", run, rows)
	}
	f := run.Files[1]
	if info, err := os.Stat(f.Name); err != nil || info.Size() != f.Bytes || f.Rows != len(rowsOf(1, 6)) || len(f.SHA256) != 64 {
		t.Errorf("%+v", f)
	}
	for _, name := range []string{"log-000", "workers", "seconds", dir} {
		if strings.Contains(readFile(t, filepath.Join(dir, "out.json")), name) {
			t.Errorf("%q stands in the document that is compared", name)
		}
	}
}

const logHeader = "decision_id,customer_id,decided_at,position,product_code,reward,propensity,target_propensity\n"

func logRow(decision string, position int, reward, propensity, target string) string {
	return fmt.Sprintf("%s,C1,2026-06-01T10:00:00Z,%d,F1,%s,%s,%s\n", decision, position, reward, propensity, target)
}

// Whatever is wrong with the input: code 2, the file and the row are named, and nothing is written.
func TestEvaluatePolicyBadInput(t *testing.T) {
	good := logHeader + logRow("d1", 1, "1", ".5", ".5") + logRow("d1", 2, "0", ".5", ".25")
	for name, c := range map[string]struct {
		files map[string]string
		args  []string
		said  string
	}{
		"propensity 0":       {map[string]string{"a.csv": good + logRow("d2", 1, "1", "0", ".5")}, nil, `a.csv: line 4, row 3, propensity: "0"`},
		"propensity above 1": {map[string]string{"a.csv": good + logRow("d2", 1, "1", "1.01", ".5")}, nil, `row 3, propensity: "1.01"`},
		"propensity NaN":     {map[string]string{"a.csv": good + logRow("d2", 1, "1", "NaN", ".5")}, nil, `row 3, propensity: "NaN"`},
		"target above 1":     {map[string]string{"a.csv": good + logRow("d2", 1, "1", ".5", "2")}, nil, `row 3, target_propensity: "2"`},
		"reward NaN":         {map[string]string{"a.csv": good + logRow("d2", 1, "NaN", ".5", ".5")}, nil, `row 3, reward: "NaN"`},
		"reward out of range": {
			map[string]string{"a.csv": good + logRow("d2", 1, "1.5", ".5", ".5")},
			[]string{"--reward-range", "0:1"},
			`row 3, reward: "1.5"`,
		},
		"a position again":    {map[string]string{"a.csv": good + logRow("d1", 2, "1", ".5", ".5")}, nil, `row 3, position: "2"`},
		"another customer":    {map[string]string{"a.csv": good + strings.Replace(logRow("d1", 3, "1", ".5", ".5"), "C1", "C2", 1)}, nil, `row 3, customer_id: "C2"`},
		"no such column":      {map[string]string{"a.csv": strings.ReplaceAll(good, "propensity,target", "propensity_,target")}, nil, "column propensity: not there"},
		"no target":           {map[string]string{"a.csv": strings.ReplaceAll(good, ",target_propensity", ",other")}, nil, "or give --target-policy"},
		"no segment column":   {map[string]string{"a.csv": good}, []string{"--segment", "region"}, "column region: not there, expected one of the columns: decision_id"},
		"a customer as such":  {map[string]string{"a.csv": good}, []string{"--segment", "customer_id"}, "--segment"},
		"mixed schemas":       {map[string]string{"a.csv": good, "b.csv": strings.Replace(good, "target_propensity", "target_propensity,x", 1)}, nil, "b.csv: column x: there"},
		"an empty log":        {map[string]string{"a.csv": logHeader}, nil, "a.csv: the log has no rows"},
		"two empty files":     {map[string]string{"a.csv": logHeader, "b.csv": logHeader}, nil, "b.csv: the log has no rows"},
		"an empty file":       {map[string]string{"a.csv": ""}, nil, "a.csv"},
		"cut short":           {map[string]string{"a.csv": good + "d2,C1,2026-06-01"}, nil, "a.csv: line 4, row 3"},
		"no gzip":             {map[string]string{"a.csv.gz": good}, nil, "a.csv.gz"},
		"no parquet":          {map[string]string{"a.parquet": good}, nil, "a.parquet"},
		"no file":             {nil, nil, "no file matches"},
		"sums to less than 1": {map[string]string{"a.csv": good, "p": `{"probabilities":{"F1":[0.5],"F2":[0.4]}}`}, []string{"--target-policy", "p"}, "position 1: probabilities add up to 0.9"},
		"a position beyond":   {map[string]string{"a.csv": good, "p": `{"probabilities":{"F1":[1]}}`}, []string{"--target-policy", "p"}, "a.csv: policy: decision d1 from row 1 on, position 2"},
		"a range upside down": {map[string]string{"a.csv": good}, []string{"--reward-range", "1:0"}, "--reward-range"},
		"a range of a point":  {map[string]string{"a.csv": good}, []string{"--reward-range", "0:0"}, "--reward-range"},
		"a decision again": {
			map[string]string{"a.csv": good + logRow("d2", 1, "1", ".5", ".5") + logRow("d1", 3, "1", ".5", ".5")},
			[]string{"--check-unique"},
			`row 4, decision_id: "d1", also in`,
		},
		"a negative clip":     {map[string]string{"a.csv": good}, []string{"--clip", "-1"}, "--clip: -1, expected"},
		"an unknown model":    {map[string]string{"a.csv": good}, []string{"--reward-model", "x"}, "--reward-model"},
		"an unknown format":   {map[string]string{"a.csv": good}, []string{"--format", "xls"}, "--format"},
		"no workers":          {map[string]string{"a.csv": good}, []string{"--workers", "0"}, "--workers: 0"},
		"a shard without out": {map[string]string{"a.csv": good}, []string{"--shard", "0/2", "--json", "-"}, "--out"},
		"a shard of two outs": {map[string]string{"a.csv": good}, []string{"--shard", "0/2", "--json", "y.json", "--out", "x.json"}, "--json"},
		"out without a shard": {map[string]string{"a.csv": good}, []string{"--out", "x.json"}, "--shard"},
		"a wild shard":        {map[string]string{"a.csv": good}, []string{"--shard", "2/2", "--out", "x.json"}, "--shard"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			args := []string{"evaluate", "policy", "--log", filepath.Join(dir, "*.*")}
			for _, a := range c.args {
				if a == "p" || a == "x.json" {
					a = filepath.Join(dir, a)
				}
				args = append(args, a)
			}
			if !slices.Contains(c.args, "--out") && !slices.Contains(c.args, "--json") {
				args = append(args, "--json", filepath.Join(dir, "x.json"))
			}
			before := listDir(t, dir)
			for _, workers := range []string{"1", "8"} {
				more := []string{"--workers", workers}
				if slices.Contains(c.args, "--workers") {
					more = nil
				}
				out := inProcess(t.Context(), "", append(args, more...)...)
				if out.code != exitUsage || !strings.Contains(out.stderr, c.said) || strings.Count(out.stderr, "\n") != 1 {
					t.Errorf("exit code %d, %q, expected 2 and %q", out.code, out.stderr, c.said)
				}
			}
			if after := listDir(t, dir); after != before {
				t.Errorf("%s was left where %s was", after, before)
			}
		})
	}
}

func listDir(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// With --skip-bad bad rows are counted and listed, and the good ones are judged.
func TestEvaluatePolicySkipsBadRows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name, json := filepath.Join(dir, "a.csv"), filepath.Join(dir, "out.json")
	text := logHeader + logRow("d1", 1, "1", ".5", ".5") + logRow("d2", 1, "1", "0", ".5") + logRow("d3", 1, "x", ".5", ".5") + logRow("d4", 1, "0", ".5", ".5")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := inProcess(t.Context(), "", "evaluate", "policy", "--log", name, "--skip-bad", "--json", json)
	if out.code != exitDone || !strings.Contains(out.stderr, `row 2, propensity: "0"`) || !strings.Contains(out.stderr, "2 rows were left out") {
		t.Fatalf("exit code %d: %s", out.code, out.stderr)
	}
	for _, want := range []string{`"rows": 2,`, `"skipped": 2,`} {
		if !strings.Contains(readFile(t, json), want) {
			t.Errorf("the document lacks %s", want)
		}
	}
	if run := readFile(t, runName(json)); !strings.Contains(run, `"value": "x"`) || !strings.Contains(run, `"column": "propensity"`) {
		t.Errorf("the rows that were left out are not listed: %s", run)
	}
	only := logHeader + logRow("d2", 1, "1", "0", ".5")
	if err := os.WriteFile(name, []byte(only), 0o600); err != nil {
		t.Fatal(err)
	}
	out = inProcess(t.Context(), "", "evaluate", "policy", "--log", name, "--skip-bad")
	if out.code != exitUsage || !strings.Contains(out.stderr, ".csv: the log has no rows but bad ones") {
		t.Errorf("exit code %d: %s", out.code, out.stderr)
	}
}

// stuck is a pipe into which nobody writes any more.
type stuck struct {
	text  io.Reader
	begun chan struct{}
	stop  chan struct{}
}

func (s *stuck) Read(p []byte) (int, error) {
	if n, err := s.text.Read(p); err == nil {
		return n, nil
	}
	close(s.begun)
	<-s.stop
	return 0, io.EOF
}

// Ctrl-C ends a run that waits for its input, and leaves nothing.
func TestEvaluatePolicyInterrupted(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, workers := range []string{"1", "4"} {
		dir := t.TempDir()
		w, _, stderr := testWorld("")
		in := &stuck{strings.NewReader(logHeader + logRow("d1", 1, "1", ".5", ".5")), make(chan struct{}), make(chan struct{})}
		w.stdin = in
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-in.begun
			cancel()
		}()
		code := run(ctx, w, []string{"evaluate", "policy", "--log", "-", "--json", filepath.Join(dir, "policy.json"), "--workers", workers})
		if code != exitInterrupted || stderr.String() != "fundmatch: interrupted\n" {
			t.Errorf("exit code %d: %s", code, stderr)
		}
		if left := listDir(t, dir); left != "" {
			t.Errorf("%s was left", left)
		}
		close(in.stop)
	}
}

// stdin is a log like any other, but a run over it cannot be continued.
func TestEvaluatePolicyFromStdin(t *testing.T) {
	t.Parallel()
	text := readFile(t, evaluationFile("policy.csv"))
	args := goldenArgs("--json", "-")
	args[3] = "-"
	if out, want := inProcess(t.Context(), text, args...), inProcess(t.Context(), "", goldenArgs("--json", "-")...); out != want {
		t.Errorf("exit code %d: %s", out.code, cmp.Diff(want.stdout, out.stdout))
	}
	out := inProcess(t.Context(), text, append(args, "--checkpoint", filepath.Join(t.TempDir(), "c"))...)
	if out.code != exitUsage || !strings.Contains(out.stderr, "- cannot be read again") {
		t.Errorf("exit code %d: %s", out.code, out.stderr)
	}
}

// killLog is a log of so many files that a run with a checkpoint after each is long enough to be killed in.
func killLog(t *testing.T, dir string) []string {
	t.Helper()
	decisions := slices.Repeat([]int{20}, 120)
	decisions[40] = 30_000 // two blocks
	writeLog(t, dir, policylog.CSV, decisions)
	return []string{"evaluate", "policy", "--log", "log-*.csv", "--checkpoint", "run.checkpoint", "--checkpoint-every", "0s", "--workers", "2"}
}

// A run that is killed goes on from its checkpoint, to the same bytes; Ctrl-C leaves the checkpoint and nothing else.
func TestE2EEvaluatePolicyKilled(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	args := killLog(t, w.dir)
	w.must(append(args, "--json", "want.json")...)
	if left := listDir(t, w.dir); strings.Contains(left, "checkpoint") {
		t.Fatalf("the checkpoint of a run that ended was left: %s", left)
	}
	for _, signal := range []os.Signal{os.Kill, os.Interrupt} {
		args := append(slices.Clone(args), "--json", fmt.Sprintf("got-%v.json", signal))
		stopped := w.stopEvaluation(signal, args)
		if stopped < 3 {
			t.Fatalf("%v: %d runs were stopped, expected 3", signal, stopped)
		}
		if left := listDir(t, w.dir); !strings.Contains(left, "run.checkpoint") || strings.Contains(left, args[len(args)-1]) {
			t.Fatalf("%v left %.200s", signal, left)
		}
		if out := w.fundmatch(append(args, "--clip", "3")...); out.code != exitUsage || !strings.Contains(out.stderr, "other options") {
			t.Errorf("with other options: exit code %d: %s", out.code, out.stderr)
		}
		w.must(args...)
		if got, want := readFile(t, filepath.Join(w.dir, args[len(args)-1])), readFile(t, filepath.Join(w.dir, "want.json")); got != want {
			t.Errorf("%v:\n%s", signal, cmp.Diff(want, got))
		}
		if left := listDir(t, w.dir); strings.Contains(left, "checkpoint ") {
			t.Errorf("%v: the checkpoint was left", signal)
		}
	}
}

// stopEvaluation stops a run three times, each a little further on, and returns how often it was stopped in the middle.
func (w *workbench) stopEvaluation(signal os.Signal, args []string) (stopped int) {
	w.Helper()
	for i := range 3 {
		cmd := exec.CommandContext(w.Context(), w.path, args...)
		cmd.Dir = w.dir
		if err := cmd.Start(); err != nil {
			w.Fatal(err)
		}
		size := fileSize(filepath.Join(w.dir, "run.checkpoint"))
		for range 2000 { // until the checkpoint has grown
			if fileSize(filepath.Join(w.dir, "run.checkpoint")) > size+int64(i)*1000 {
				break
			}
			pause(time.Millisecond)
		}
		_ = cmd.Process.Signal(signal) // it may have ended
		_ = cmd.Wait()                 // the exit code tells
		if code := cmd.ProcessState.ExitCode(); code == -1 || code == exitInterrupted {
			stopped++
		}
	}
	return stopped
}

func fileSize(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return -1
	}
	return info.Size()
}
