package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where a result cannot be written is told before anything is read, whichever verb it is: the log is bad from its first row
// on, and nobody gets as far. Nothing is changed, and the line names the place.
func TestEvaluateWritesWhereItCan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name ...string) string { return filepath.Join(append([]string{dir}, name...)...) }
	const bad = "bad"
	for _, name := range []string{"log.csv", "qrels", "run", "customers.csv", "candidate.yaml", "file"} {
		if err := os.WriteFile(in(name), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(in("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := listDir(t, dir)
	policy := []string{"policy", "--log", in("log.csv")}
	report := []string{"report", "--log", in("log.csv")}
	for _, c := range []struct {
		verb, args []string
		want       string
	}{
		{policy, []string{"--json", in("no", "x.json")}, "no/x.json: there is no such folder to write in"},
		{policy, []string{"--json", in("file", "x.json")}, "file/x.json: DIR/file is no folder"},
		{policy, []string{"--json", in("folder")}, "folder: is a directory"},
		{policy, []string{"--json", in("x.json"), "--checkpoint", in("no", "c")}, "no/c: there is no such folder"},
		{policy, []string{"--json", in("x.json"), "--checkpoint", dir + "/folder/../x.json"}, "is named twice"},
		{policy, []string{"--json", in("x.json"), "--checkpoint", dir + "/./x.run.json"}, "is named twice"},
		{policy, []string{"--shard", "0/2", "--out", in("no", "p.json")}, "no/p.json: there is no such folder"},
		{report, []string{"--out", in("file")}, "file"},
		{report, []string{"--out", in("file", "report")}, "is no folder"},
		{report, []string{"--shard", "0/2", "--out", in("no", "p.json")}, "no/p.json: there is no such folder"},
		{[]string{"merge", in("log.csv")}, []string{"--json", in("no", "x.json")}, "no/x.json: there is no such folder"},
		{[]string{"merge", in("log.csv")}, []string{"--out", in("file", "x")}, "is no folder"},
		{[]string{"join", "--store", "sqlite:" + in("no.db")}, []string{"--out", in("no", "x.csv")}, "no/x.csv: there is no such folder"},
		{[]string{"ranking", "--qrels", in("qrels"), "--run", in("run")}, []string{"--json", in("no", "x.json")}, "no/x.json: there is no such folder"},
		{[]string{"experiment", "--data", in("customers.csv")}, []string{"--json", in("no", "x.json")}, "no/x.json: there is no such folder"},
	} {
		out := inProcess(t.Context(), "", append(append([]string{"evaluate"}, c.verb...), c.args...)...)
		want := strings.ReplaceAll(c.want, "DIR", dir)
		if out.code != exitUsage || !strings.Contains(out.stderr, want) || strings.Count(out.stderr, "\n") != 1 {
			t.Errorf("%s %q: exit code %d, %q, expected 2 and %q", c.verb[0], c.args, out.code, out.stderr, want)
		}
		if after := listDir(t, dir); after != before {
			t.Fatalf("%s %q: %s is there where %s was", c.verb[0], c.args, after, before)
		}
	}
}

// A file that is not there is told by its name and in plain words, by every verb alike.
func TestEvaluateNamesTheFileThatIsNotThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "nowhere.csv")
	for _, args := range [][]string{
		{"policy", "--log", name},
		{"policy", "--log", evaluationFile("policy.csv"), "--target-policy", name},
		{"report", "--log", name, "--out", filepath.Join(dir, "report")},
		{"merge", name},
		{"ranking", "--qrels", name, "--run", name},
		{"experiment", "--data", name},
	} {
		out := inProcess(t.Context(), "", append([]string{"evaluate"}, args...)...)
		if out.code != exitUsage || !strings.Contains(out.stderr, name+": ") || !strings.Contains(out.stderr, "no such file or directory") ||
			strings.Contains(out.stderr, "open ") || strings.Count(out.stderr, "\n") != 1 {
			t.Errorf("%q: exit code %d, %q", args, out.code, out.stderr)
		}
		if left := listDir(t, dir); left != "" {
			t.Errorf("%q left %s", args, left)
		}
	}
}
