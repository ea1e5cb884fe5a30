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

// What is wrong is said in one line that names the place and what was expected, in plain words, whatever the file holds.
func TestEvaluateSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	good := logHeader + logRow("d1", 1, "1", ".5", ".5")
	arms := strings.Replace(good, "target_propensity", "target_propensity,arm,exposed", 1)
	for name, text := range map[string]string{
		"log.csv": good, "arms.csv": strings.TrimSuffix(arms, "\n") + ",quality:control,1\n",
		"utf16.csv": "\xff\xfed\x00e\x00", "escapes.csv": "\x1b[31mdecision_id\t,b\xff\x07\n", "fake.csv.gz": good, "cut.csv.gz": "\x1f\x8b\x08",
	} {
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		stdin string
		args  []string
		want  string
	}{
		{"", []string{"policy", "--log", in("utf16.csv")}, "utf16.csv: a byte order mark of UTF-16, expected UTF-8"},
		{"", []string{"policy", "--log", in("escapes.csv")}, "one of the columns: \ufffd[31mdecision_id , b\ufffd\ufffd"},
		{"", []string{"policy", "--log", in("fake.csv.gz")}, "damaged, expected a whole gzip file\n"},
		{"", []string{"policy", "--log", in("cut.csv.gz")}, "cut short, expected a whole gzip file\n"},
		{"", []string{"policy", "--log", in("log.csv"), "--segment", "reward"}, `--segment: "reward" is a column of numbers`},
		{"", []string{"report", "--log", in("arms.csv"), "--out", in("report"), "--segment", "exposed"}, `--segment: "exposed" is a column of numbers`},
		{"", []string{"report", "--log", in("arms.csv"), "--out", in("report"), "--arm", "qualty:control=1", "--arm", "qualty:heavy=1"}, `--arm: `},
		{good, []string{"policy", "--log", "-", "--checkpoint", in("c")}, "--checkpoint: - cannot be read again, expected a log of files"},
		{"", []string{"policy", "--log", in("log.csv"), "--checkpoint", in("arms.csv")}, "--checkpoint: " + in("arms.csv") + ": the checkpoint is not of this run: it does not read as"},
		{"", []string{"policy", "--log", in("log.csv"), "--checkpoint-every", "5"}, "expected a time span such as"},
		{"", []string{"merge", in("log.csv")}, "log.csv: not a partial result that can be merged: it does not read as"},
	} {
		out := inProcess(t.Context(), c.stdin, append([]string{"evaluate", "--quiet"}, c.args...)...)
		if out.code != exitUsage || !strings.Contains(out.stderr, c.want) || strings.Count(out.stderr, "\n") != 1 {
			t.Errorf("%q: exit code %d, %q, expected 2 and %q", c.args, out.code, out.stderr, c.want)
		}
	}
	if left := listDir(t, dir); strings.Contains(left, "report") || strings.Contains(left, " c ") {
		t.Errorf("left behind: %s", left)
	}
}
