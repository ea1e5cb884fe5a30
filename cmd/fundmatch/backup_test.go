package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What a bank answers, it answers from its restored archive too.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	dir := t.TempDir()
	archive, restored := filepath.Join(dir, "bank.fmb"), "sqlite:"+filepath.Join(dir, "restored.db")
	said := mustRun(t, "backup", "--store", store, "--out", archive)
	if !strings.Contains(said, "of a sqlite store at 2026-06-30T02:00:00Z") {
		t.Errorf("backup printed %q", said)
	}
	if out := mustRun(t, "restore", archive, "--verify", "--json"); !strings.Contains(out, `"name":"cells"`) || !strings.Contains(out, `"madeAt":"2026-06-30T02:00:00Z"`) {
		t.Errorf("restore --verify --json printed %q", out)
	}
	mustRun(t, "restore", archive, "--store", restored)
	explain := func(store string) string {
		return mustRun(t, "explain", demoCustomer, "900004", "--store", store, "--at", demoDay, "--json")
	}
	if before, after := explain(store), explain(restored); before != after {
		t.Errorf("the restored store answers otherwise:\n%s\n%s", before, after)
	}
	again := filepath.Join(dir, "again.fmb")
	mustRun(t, "backup", "--store", restored, "--out", again)
	if a, b := mustRun(t, "restore", archive, "--verify", "--json"), mustRun(t, "restore", again, "--verify", "--json"); a != b {
		t.Errorf("the archive of the restored store holds something else:\n%s\n%s", a, b)
	}
}

func TestBackupAndRestoreRefuse(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	dir := t.TempDir()
	archive, cut, fresh := filepath.Join(dir, "bank.fmb"), filepath.Join(dir, "cut.fmb"), filepath.Join(dir, "fresh.db")
	mustRun(t, "backup", "--store", store, "--out", archive)
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, data[:len(data)/2], 0o600); err != nil { //nolint:gosec // a folder of the test
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no --out", []string{"backup", "--store", store}, exitUsage, "--out: not given"},
		{"no store", []string{"backup", "--store", "sqlite:" + fresh, "--out", cut}, exitUnavailable, "no such file"},
		{"no folder", []string{"backup", "--store", store, "--out", filepath.Join(dir, "no", "x")}, exitUsage, "no such folder"},
		{"over the store itself", []string{"backup", "--store", store, "--out", strings.TrimPrefix(store, "sqlite:")}, exitUsage, "is an SQLite store"},
		{"a folder as an archive", []string{"restore", dir, "--verify"}, exitUsage, "is a directory"},
		{"a store that forgets", []string{"backup", "--store", "memory:", "--out", cut}, exitUsage, "memory:"},
		{"no archive", []string{"restore", filepath.Join(dir, "none"), "--store", "sqlite:" + fresh}, exitUsage, "expected an archive"},
		{"cut off", []string{"restore", cut, "--store", "sqlite:" + fresh}, exitUsage, "cut off at byte"},
		{"verify cut off", []string{"restore", cut, "--verify"}, exitUsage, "cut off at byte"},
		{"another file", []string{"restore", strings.TrimPrefix(store, "sqlite:"), "--verify"}, exitUsage, "expected an archive"},
		{"a store that is full", []string{"restore", archive, "--store", store}, exitUsage, "expected an empty store"},
		{"into memory", []string{"restore", archive, "--store", "memory:"}, exitUsage, "memory:"},
	} {
		out := inProcess(t.Context(), "", c.args...)
		if out.code != c.code || !strings.Contains(out.stderr, c.says) {
			t.Errorf("%s: exit code %d, want %d; %q, want it to say %q", c.name, out.code, c.code, out.stderr, c.says)
		}
	}
	if _, err := os.Stat(fresh); !os.IsNotExist(err) {
		t.Errorf("%v: a refused archive made a store", err)
	}
	if now, err := os.ReadFile(cut); err != nil || len(now) != len(data)/2 {
		t.Errorf("a refused backup touched the file: %d bytes, %v", len(now), err)
	}
}

// A backup that is killed leaves no file under its name; a restore that is killed leaves an
// empty store, which takes the archive afterwards.
func TestE2EKillDuringBackupAndRestore(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	w.must("demo", "--out", "big", "--customers", "4000", "--products", "80", "--seed", "2", "--as-of", "2026-06-30")
	w.must("import", "big", "--store", "sqlite:bank.db")
	backup := []string{"backup", "--store", "sqlite:bank.db", "--out", "bank.fmb"}
	killed := 0
	for _, after := range []int{20, 60, 120, 250} {
		if w.killed(after, backup...) {
			killed++
			if _, err := os.Stat(filepath.Join(w.dir, "bank.fmb")); !os.IsNotExist(err) {
				t.Fatalf("a killed backup left its file: %v", err)
			}
		} else if err := os.Remove(filepath.Join(w.dir, "bank.fmb")); err != nil {
			t.Fatal(err)
		}
	}
	if killed == 0 {
		t.Error("no backup was killed: the test proved nothing")
	}
	w.must(backup...)
	restore := []string{"restore", "bank.fmb", "--store", "sqlite:new.db"}
	killed = 0
	for _, after := range []int{100, 400, 800} {
		if !w.killed(after, restore...) {
			break // this machine was faster
		}
		killed++
		out := w.fundmatch("backup", "--store", "sqlite:new.db", "--out", "empty.fmb")
		if out.code != exitUnavailable && !strings.Contains(out.stdout, ": 0 rows of") { // not made yet, or empty
			t.Fatalf("a killed restore left something: %+v", out)
		}
	}
	if killed == 0 {
		t.Error("no restore was killed: the test proved nothing")
		return
	}
	if out := w.fundmatch(restore...); out.code != exitDone && !strings.Contains(out.stderr, "expected an empty store") {
		t.Errorf("the restore after the killed ones: %+v", out)
	}
	explain := []string{"explain", demoCustomer, "900004", "--at", demoDay, "--json", "--store"}
	if a, b := w.must(append(explain, "sqlite:bank.db")...), w.must(append(explain, "sqlite:new.db")...); a != b {
		t.Errorf("the restored store answers otherwise:\n%s\n%s", a, b)
	}
}

// killed runs a verb, kills it after so many milliseconds, and reports whether that ended it.
func (w *workbench) killed(after int, args ...string) bool {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), w.path, args...)
	cmd.Dir = w.dir
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	pause(time.Duration(after) * time.Millisecond)
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()         // the exit code tells
	return cmd.ProcessState.ExitCode() == -1
}
