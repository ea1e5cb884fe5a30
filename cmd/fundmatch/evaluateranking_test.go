package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rankingFiles writes judgements and a run.
func rankingFiles(t *testing.T) (qrels, run string) {
	t.Helper()
	dir := t.TempDir()
	qrels, run = filepath.Join(dir, "bank.qrels"), filepath.Join(dir, "model.run")
	err := errors.Join(
		os.WriteFile(qrels, []byte("q1 0 a 1\nq1 0 b 0\nq2 0 a 2\nq3 0 a 1\n"), 0o600),
		os.WriteFile(run, []byte("q1 Q0 a 1 2.5 r\nq1 Q0 b 2 1 r\nq2 Q0 b 1 4 r\nq2 Q0 a 2 3 r\n"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	return qrels, run
}

func TestEvaluateRanking(t *testing.T) {
	t.Parallel()
	qrels, run := rankingFiles(t)
	out := filepath.Join(t.TempDir(), "ranking.json")
	args := []string{"evaluate", "ranking", "--qrels", qrels, "--run", run}
	ran := inProcess(t.Context(), "", append(args, "--json", out, "--k", "3", "--gate", "all.map >= 0.75", "--gate", "iprec_at_recall_0.10 == 0.75")...)
	if ran.code != exitDone || !strings.Contains(ran.stdout, "\nmap                   \tall\t0.7500\n") || !strings.Contains(ran.stdout, "\nP_3                   \tall\t0.3333\n") {
		t.Errorf("exit code %d\n%s%s", ran.code, ran.stdout, ran.stderr)
	}
	if !strings.Contains(ran.stderr, "1 query is judged that the run lacks") {
		t.Errorf("%s", ran.stderr)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]map[string]float64
	if err := json.Unmarshal(data, &document); err != nil || len(document) != 1 || document["all"]["num_q"] != 2 || document["all"]["success_3"] != 1 {
		t.Errorf("%s, %v", data, err)
	}
	printed := inProcess(t.Context(), "", append(args, "--json", "-", "--k", "3")...)
	if printed.code != exitDone || printed.stdout != string(data) {
		t.Errorf("exit code %d\n%s, expected the document alone:\n%s", printed.code, printed.stdout, data)
	}
	each := inProcess(t.Context(), "", append(args, "--json", "-", "--per-query", "--complete", "--relevance-level", "2", "--gate", "q2.map >= 0.5", "--quiet")...)
	if err := json.Unmarshal([]byte(each.stdout), &document); err != nil || each.code != exitDone || each.stderr != "" {
		t.Fatalf("exit code %d, %v\n%s%s", each.code, err, each.stdout, each.stderr)
	}
	if len(document) != 3 || document["all"]["num_q"] != 3 || document["q1"]["map"] != 0 || document["q2"]["recip_rank"] != .5 {
		t.Errorf("%s", each.stdout)
	}
}

// A gate that fails ends with 1, names itself, and leaves the document; bad input and slips end with 2 and leave none.
func TestEvaluateRankingFails(t *testing.T) {
	t.Parallel()
	qrels, run := rankingFiles(t)
	bad := filepath.Join(t.TempDir(), "bad.run")
	if err := os.WriteFile(bad, []byte("q1 Q0 a 1 2.5 r\nq1 Q0 b 2 NaN r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		told string
	}{
		"a gate":                {[]string{"--run", run, "--gate", "all.map > 0.75", "--gate", "all.ndcg > 0"}, exitFailed, "all.map > 0.75"},
		"a gate on no figure":   {[]string{"--run", run, "--gate", "all.nap > 0.75"}, exitUsage, "all.nap"},
		"a query not asked for": {[]string{"--run", run, "--gate", "q1.map > 0"}, exitUsage, "q1.map"},
		"no gate":               {[]string{"--run", run, "--gate", "all.map"}, exitUsage, "--gate"},
		"a bad run":             {[]string{"--run", bad}, exitUsage, `bad.run: line 2: score: "NaN", expected a finite decimal number`},
		"no run":                {nil, exitUsage, "--run"},
		"a run that is not":     {[]string{"--run", run + "x"}, exitUsage, "model.runx"},
		"a cutoff of nothing":   {[]string{"--run", run, "--k", "0"}, exitUsage, "--k"},
		"a level of nothing":    {[]string{"--run", run, "--relevance-level", "0"}, exitUsage, "--relevance-level"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "ranking.json")
			ran := inProcess(t.Context(), "", append([]string{"evaluate", "ranking", "--qrels", qrels, "--json", out}, c.args...)...)
			if ran.code != c.code || !strings.Contains(ran.stderr, c.told) {
				t.Errorf("exit code %d, expected %d; %s", ran.code, c.code, ran.stderr)
			}
			if _, err := os.Stat(out); (err == nil) != (c.code == exitFailed) || err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the document: %v", err)
			}
		})
	}
	ran := inProcess(t.Context(), "", "evaluate", "ranking", "--qrels", qrels, "--run", run, "--json", run)
	if kept, err := os.ReadFile(run); ran.code != exitUsage || err != nil || !strings.HasPrefix(string(kept), "q1 Q0") {
		t.Errorf("exit code %d, and the run is now %q", ran.code, kept)
	}
}

// A query called all has no place in the document beside the values over all: nothing of it is written, to stdout neither.
func TestEvaluateRankingOfAQueryCalledAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	qrels, run := filepath.Join(dir, "all.qrels"), filepath.Join(dir, "all.run")
	err := errors.Join(
		os.WriteFile(qrels, []byte("1 0 a 1\nall 0 b 1\n"), 0o600),
		os.WriteFile(run, []byte("1 Q0 a 1 2 r\nall Q0 b 1 1 r\n"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"evaluate", "ranking", "--qrels", qrels, "--run", run, "--json", "-"}
	if ran := inProcess(t.Context(), "", args...); ran.code != exitDone || !strings.Contains(ran.stdout, `"num_q": 2`) {
		t.Errorf("over all: %+v", ran)
	}
	ran := inProcess(t.Context(), "", append(args, "--per-query")...)
	if ran.code != exitUsage || ran.stdout != "" || !strings.Contains(ran.stderr, `"all", expected another id`) {
		t.Errorf("each query: exit code %d, %q, %q", ran.code, ran.stdout, ran.stderr)
	}
}
