package main

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A customer is erased from the command line once, told again, and not found afterwards; what
// came too early is listed and counts nowhere.
func TestEraseAndQuarantineOnTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"products.csv":  "product_code,name,product_type,risk_grade\np1,A,货币型,R1\n",
		"customers.csv": "customer_id,investor_type,risk_level\nc1,ORDINARY,C3\nc2,ORDINARY,C3\n",
		"tags.csv":      "customer_id,name,value,event_at\nc1,a,early,2190-01-01T00:00:00Z\nc2,a,now,2020-01-01T00:00:00Z\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store := "sqlite:" + filepath.Join(t.TempDir(), "bank.db")
	if got := inProcess(t.Context(), "", "import", dir, "--store", store); got.code != exitDone || !strings.Contains(got.stdout, "1 fact is dated after this import") {
		t.Fatalf("import: %+v, want the notice", got)
	}
	if got := inProcess(t.Context(), "", "features", "quarantine", "--store", store, "--json"); got.code != exitDone || !strings.Contains(got.stdout, `"what":"cell tag/a"`) {
		t.Errorf("quarantine: %+v, want the tag", got)
	}
	if got := inProcess(t.Context(), "", "features", "quarantine", "--store", store); !strings.Contains(got.stdout, "1 fact in quarantine") {
		t.Errorf("quarantine: %+v, want one fact", got)
	}
	if got := inProcess(t.Context(), "", "erase", "c1", "--by", "test", "--store", store); got.code == exitDone {
		t.Errorf("randomness of zeros was good enough: %+v", got)
	}
	random := func(args ...string) finished {
		w, stdout, stderr := testWorld("")
		w.random = rand.Reader
		code := run(t.Context(), w, args)
		return finished{code, stdout.String(), stderr.String()}
	}
	first := random("erase", "c1", "--by", "test", "--store", store, "--json")
	var told struct {
		Salt, Commitment string
		Repeated         bool
	}
	if err := json.Unmarshal([]byte(first.stdout), &told); err != nil || first.code != exitDone || len(told.Salt) != 64 || told.Repeated {
		t.Fatalf("erase: %+v, %v, want a salt", first, err)
	}
	again := random("erase", "c1", "--by", "test", "--store", store)
	if again.code != exitDone || !strings.Contains(again.stdout, "already") || !strings.Contains(again.stdout, told.Commitment) || strings.Contains(again.stdout, "salt ") {
		t.Errorf("again: %+v, want what stands, without the salt", again)
	}
	if got := inProcess(t.Context(), "", "features", "quarantine", "--store", store); !strings.Contains(got.stdout, "0 facts in quarantine") {
		t.Errorf("quarantine after the erasure: %+v, want nothing", got)
	}
	for _, args := range [][]string{{"erase", "c3", "--by", "test"}, {"erase", "c2"}, {"erase", "a b", "--by", "test"}} {
		if got := random(append(args, "--store", store)...); got.code != exitUsage {
			t.Errorf("%v: %+v, want exit code 2", args, got)
		}
	}
	if got := inProcess(t.Context(), "", "import", dir, "--store", store, "--as-of", "2195-01-01"); got.code != exitDone || strings.Contains(got.stdout, "kept aside") {
		t.Errorf("import as of a later day: %+v, want nothing kept aside", got)
	}
	if got := inProcess(t.Context(), "", "import", dir, "--store", store, "--as-of", "soon"); got.code != exitUsage {
		t.Errorf("a wrong day: %+v, want exit code 2", got)
	}
}
