package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testCases = root + "/features/casefile/testdata/cases.json"

func TestCheckCases(t *testing.T) {
	t.Parallel()
	store := "sqlite:" + filepath.Join(t.TempDir(), "scratch.db")
	for _, args := range [][]string{{testCases}, {testCases, "--store", store}, {testCases, "--store", store}} {
		out := inProcess(t.Context(), "", append([]string{"features", "check-cases"}, args...)...)
		if out.code != exitDone || !strings.Contains(out.stdout, "PASS        T01  ttl:") || !strings.HasSuffix(out.stdout, "106 cases: 106 passed, 0 failed, 0 unsupported\n") {
			t.Errorf("%v: %d, %s%s", args, out.code, out.stdout, out.stderr)
		}
	}
	out := inProcess(t.Context(), "", "features", "check-cases", testCases, "--json")
	var answer casesAnswer
	if err := json.Unmarshal([]byte(out.stdout), &answer); err != nil || out.code != exitDone || answer.Passed != 106 || len(answer.Cases) != 106 {
		t.Errorf("as JSON: %d, %v, %s", out.code, err, out.stdout)
	}
}

func TestCheckCasesTellsWhatDiffers(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(testCases)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, c := range map[string]struct {
		from, to string
		code     int
		says     []string
	}{
		"another value":        {`"values": {"s.v": 5}}, {"row_id": "2"`, `"values": {"s.v": 6}}, {"row_id": "2"`, exitFailed, []string{"FAIL        T01", `row 1: expected {"row_id":"1","values":{"s.v":6}}`, `got      {"row_id":"1","values":{"s.v":5}}`, "1 failed", "did not pass"}},
		"another operation":    {`"op": "replay"`, `"op": "redo"`, exitFailed, []string{"UNSUPPORTED R01", `op "redo"`, "1 unsupported"}},
		"what is no case file": {`"version": 1`, `"version": 2`, exitUsage, []string{"version"}},
		"broken JSON":          {`"cases": [`, `"cases": {`, exitUsage, []string{"line "}},
	} {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".json")
		if err := os.WriteFile(file, []byte(strings.Replace(string(data), c.from, c.to, 1)), 0o600); err != nil { //nolint:gosec // the test names its own files
			t.Fatal(err)
		}
		out := inProcess(t.Context(), "", "features", "check-cases", file)
		for _, word := range c.says {
			if out.code != c.code || !strings.Contains(out.stdout+out.stderr, word) {
				t.Errorf("%s: code %d, want %d, and %q in\n%s%s", name, out.code, c.code, word, out.stdout, out.stderr)
			}
		}
	}
	if out := inProcess(t.Context(), "", "features", "check-cases", filepath.Join(dir, "nowhere.json")); out.code != exitUsage {
		t.Errorf("a file that is not there: %+v", out)
	}
}

func TestCheckCasesLeavesABankAlone(t *testing.T) {
	t.Parallel()
	store := "sqlite:" + filepath.Join(t.TempDir(), "bank.db")
	bank := filepath.Join(t.TempDir(), "bank")
	for _, args := range [][]string{{"demo", "--out", bank, "--customers", "3", "--products", "20"}, {"import", bank, "--store", store}} {
		if out := inProcess(t.Context(), "", args...); out.code != exitDone {
			t.Fatalf("%v: %+v", args, out)
		}
	}
	out := inProcess(t.Context(), "", "features", "check-cases", testCases, "--store", store)
	if out.code != exitUsage || out.stdout != "" || !strings.Contains(out.stderr, "empty store") {
		t.Errorf("cases beside a bank: %+v", out)
	}
}
