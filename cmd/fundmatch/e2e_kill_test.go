package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// An import that is killed leaves the store as it was, and the next one goes through.
func TestE2EKillDuringImport(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	w.demoBank()
	w.must("demo", "--out", "big", "--customers", "6000", "--products", "80", "--seed", "2", "--as-of", "2026-06-30")
	explain := []string{"explain", demoCustomer, "900004", "--store", "sqlite:bank.db", "--at", demoDay, "--json"}
	before := w.must(explain...)

	killed := 0
	for _, after := range []int{30, 150, 400, 800} {
		code := w.endImport(os.Kill, after)
		if code == exitDone {
			break // this machine was faster: nothing was killed
		}
		killed++
		if now := w.must(explain...); now != before {
			t.Fatalf("a killed import changed the store:\n%s\n%s", before, now)
		}
	}
	if killed == 0 {
		t.Fatal("no import was killed: the test proved nothing")
	}
	// Ctrl-C ends it in good order, with a code of its own.
	if code := w.endImport(os.Interrupt, 30); code != exitInterrupted {
		t.Errorf("an interrupted import: exit code %d, want %d", code, exitInterrupted)
	}
	if now := w.must(explain...); now != before {
		t.Errorf("an interrupted import changed the store:\n%s\n%s", before, now)
	}
	if out := w.must("import", "big", "--store", "sqlite:bank.db"); !strings.Contains(out, "pool revision 2") {
		t.Errorf("the import after the killed ones printed %q", out)
	}
}

// endImport starts an import of the big bank, sends it a signal so many milliseconds
// after its first write, and returns its exit code; -1: the signal killed it.
func (w *workbench) endImport(signal os.Signal, after int) int {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), w.path, "import", "big", "--store", "sqlite:bank.db")
	cmd.Dir = w.dir
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	w.waitForWAL()
	pause(time.Duration(after) * time.Millisecond)
	_ = cmd.Process.Signal(signal) // it may have ended
	_ = cmd.Wait()                 // the exit code tells
	return cmd.ProcessState.ExitCode()
}

// waitForWAL waits until the import writes into the store's log, at most 5 s.
func (w *workbench) waitForWAL() {
	for range 500 {
		if info, err := os.Stat(filepath.Join(w.dir, "bank.db-wal")); err == nil && info.Size() > 0 {
			return
		}
		pause(10 * time.Millisecond)
	}
}

// Every answer that a caller got is in the log, however the service ends.
func TestE2EKillDuringLoad(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	w.demoBank()
	customers := w.customers()
	r := w.serve("--store", "sqlite:bank.db")
	answered := load(t, r, customers, 700*time.Millisecond)
	if len(answered) < 100 {
		t.Fatalf("only %d answers before the kill", len(answered))
	}

	r = w.serve("--store", "sqlite:bank.db") // recovers the end of the log
	r.stop(t)
	w.must("decisions", "verify", "--store", "sqlite:bank.db")
	recorded := w.recorded()
	for _, id := range answered {
		if !recorded[id] {
			t.Errorf("answer %s is not in the log", id)
		}
	}
	w.wantReplay(len(answered))
}

// load asks from eight callers, kills the service under way, and returns the ids of the
// answers that arrived.
func load(t *testing.T, r *running, customers []string, kill time.Duration) []string {
	t.Helper()
	var mu sync.Mutex
	var ids []string
	var callers sync.WaitGroup
	for c := range 8 {
		callers.Go(func() {
			for i := c; ; i += 8 {
				path := fmt.Sprintf("/v1/customers/%s/recommendations?limit=%d&explain=%v", customers[i%len(customers)], 1+i%10, i%2 == 0)
				code, body, err := r.call(t.Context(), "GET", path)
				if err != nil {
					return // it was killed
				}
				var a list
				if code != http.StatusOK || json.Unmarshal([]byte(body), &a) != nil {
					continue
				}
				mu.Lock()
				ids = append(ids, a.DecisionID)
				mu.Unlock()
			}
		})
	}
	pause(kill)
	r.kill(t)
	callers.Wait()
	return ids
}

// customers reads the ids of the demo bank.
func (w *workbench) customers() []string {
	w.Helper()
	file, err := os.Open(filepath.Join(w.dir, "bank", "customers.csv"))
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var ids []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		id, _, _ := strings.Cut(lines.Text(), ",")
		ids = append(ids, id)
	}
	return ids[1:] // the header
}

// recorded exports the log and returns the ids in it.
func (w *workbench) recorded() map[string]bool {
	w.Helper()
	w.must("decisions", "export", "--store", "sqlite:bank.db", "--format", "ndjson", "--out", "decisions.ndjson")
	text, err := os.ReadFile(filepath.Join(w.dir, "decisions.ndjson"))
	if err != nil {
		w.Fatal(err)
	}
	ids := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		ids[decode[exportRow](w.T, line).DecisionID] = true
	}
	return ids
}
