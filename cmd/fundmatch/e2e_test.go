package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The end-to-end tests run the binary itself, as an operator does: in processes of its
// own, which are killed, drained and started again. Everything else is tested in process.

// binary builds fundmatch once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "fundmatch-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "fundmatch")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-X main.version=e2e", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// TestMain removes the binary.
func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binaryIfBuilt(); err == nil && path != "" {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// binaryIfBuilt builds it in the short run too, which costs nothing when it was built.
func binaryIfBuilt() (string, error) {
	if testing.Short() {
		return "", nil
	}
	return binary()
}

// finished is what one run of the binary did.
type finished struct {
	code           int
	stdout, stderr string
}

// workbench is a working directory with the binary.
type workbench struct {
	*testing.T
	dir, path string
}

func newWorkbench(t *testing.T) *workbench {
	t.Helper()
	if testing.Short() {
		t.Skip("end-to-end tests run the binary; -short is on")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return &workbench{t, t.TempDir(), path}
}

// verbLimit ends a verb that does not end by itself, such as a serve that should have
// refused to start.
const verbLimit = 30 * time.Second

// fundmatch runs a verb to its end.
func (w *workbench) fundmatch(args ...string) finished {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), verbLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.path, args...)
	cmd.Dir = w.dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		w.Fatal(err)
	}
	return finished{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// must runs a verb that has to succeed and returns what it printed.
func (w *workbench) must(args ...string) string {
	w.Helper()
	out := w.fundmatch(args...)
	if out.code != exitDone {
		w.Fatalf("fundmatch %s: exit code %d\n%s%s", strings.Join(args, " "), out.code, out.stdout, out.stderr)
	}
	return out.stdout
}

// write puts a file into the working directory.
func (w *workbench) write(name, text string) {
	w.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// list reads an answer of recommend.
type list struct {
	DecisionID   string
	Personalized bool
	Revisions    struct{ Pool, Engine, DataSeq string }
	Items        []item
	Notices      []struct{ Code, Task string }
	Excluded     []struct {
		RuleID string
		Count  int
	}
}

type item struct {
	Rank          int
	Product       struct{ Code, RiskGrade string }
	Score         float64
	Contributions []contribution
	Expectation   *struct{ Goal, Headline, QuestionCode string }
	Objections    []struct{ Code, Answer string }
	Conversion    *struct{ Action, Text string }
	Orderable     bool
}

type contribution struct {
	Feature                     string
	Value, Weight, Contribution float64
}

// decode reads exactly one JSON document.
func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Fatalf("more than one JSON document: %q", text)
	}
	return v
}

// checkWhole holds what the README promises of every item.
func checkWhole(t *testing.T, a *list) {
	t.Helper()
	if len(a.Items) == 0 || a.DecisionID == "" {
		t.Fatalf("an answer without items or id: %+v", a)
	}
	for i, it := range a.Items {
		if it.Rank != i+1 || it.Expectation == nil || it.Expectation.Headline == "" || len(it.Objections) == 0 || it.Conversion == nil || it.Conversion.Text == "" {
			t.Errorf("item %d lacks rank, expectation, objections or conversion: %+v", i+1, it)
		}
		for _, o := range it.Objections {
			if o.Answer == "" {
				t.Errorf("item %d: objection %s without an answer", i+1, o.Code)
			}
		}
		sum := 0.0
		for _, c := range it.Contributions {
			sum += c.Contribution
		}
		if sum != it.Score || len(it.Contributions) == 0 {
			t.Errorf("item %d: %d contributions sum to %v, the score is %v", i+1, len(it.Contributions), sum, it.Score)
		}
	}
}

const (
	demoCustomer = "DEMO-0001-CASH-ELDER"
	demoDay      = "2026-06-30T10:00:00+08:00"
)

// demoBank writes a small bank and imports it into bank.db.
func (w *workbench) demoBank() {
	w.Helper()
	w.must("demo", "--out", "bank", "--customers", "300", "--products", "40", "--as-of", "2026-06-30")
	w.must("import", "bank", "--store", "sqlite:bank.db")
}

func TestE2EFromFolderToReplay(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	w.must("demo", "--out", "bank", "--customers", "300", "--products", "40", "--as-of", "2026-06-30")
	first := w.must("import", "bank", "--store", "sqlite:bank.db")
	if !strings.Contains(first, "published pool revision 1 with 40 products") || !strings.Contains(first, "rows/s") {
		t.Errorf("import printed %q", first)
	}
	if again := w.must("import", "bank", "--store", "sqlite:bank.db"); !strings.Contains(again, " 0 changed") {
		t.Errorf("the second import printed %q", again)
	}

	ask := []string{"recommend", demoCustomer, "--store", "sqlite:bank.db", "--at", demoDay, "--explain"}
	answer := decode[list](t, w.must(append(ask, "--json")...))
	checkWhole(t, &answer)
	if !answer.Personalized || answer.Revisions.Engine != "e2e" {
		t.Errorf("answer: personalized %v, engine %q", answer.Personalized, answer.Revisions.Engine)
	}
	card := w.must(ask...)
	for _, part := range []string{answer.Items[0].Product.Code, answer.Items[0].Product.RiskGrade, "接　", "化　", "发　"} {
		if !strings.Contains(card, part) {
			t.Errorf("the talk card lacks %q:\n%s", part, card)
		}
	}
	explained := w.must("explain", demoCustomer, answer.Items[0].Product.Code, "--store", "sqlite:bank.db", "--at", demoDay, "--json")
	if e := decode[struct {
		Permitted bool
		Score     float64
	}](t, explained); !e.Permitted || e.Score != answer.Items[0].Score {
		t.Errorf("explain says %+v of the first item with score %v", e, answer.Items[0].Score)
	}

	if one := decode[struct{ Verdict string }](t, w.must("replay", answer.DecisionID, "--store", "sqlite:bank.db", "--json")); one.Verdict != "MATCH" {
		t.Errorf("replay: %s", one.Verdict)
	}
	w.wantReplay(2)
	if out := w.must("decisions", "verify", "--store", "sqlite:bank.db"); !strings.Contains(out, "whole: 2 records") {
		t.Errorf("verify printed %q", out)
	}
}

// wantReplay replays all decisions of bank.db and wants every one to match.
func (w *workbench) wantReplay(atLeast int) {
	w.Helper()
	sum := decode[replaySummary](w.T, w.must("replay", "--all", "--store", "sqlite:bank.db", "--json"))
	if sum.Decisions < atLeast || sum.Match != sum.Decisions {
		w.Errorf("replayed %d decisions, %d match; want at least %d and all: %+v", sum.Decisions, sum.Match, atLeast, sum.Differing)
	}
}

// running is a serve process that said that it is ready.
type running struct {
	cmd    *exec.Cmd
	http   string
	ready  string
	stderr *bytes.Buffer
	ended  chan error
}

// freePort finds a port that nobody listens on now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// serve starts the service and waits for its line.
func (w *workbench) serve(args ...string) *running {
	w.Helper()
	r := &running{http: freePort(w.T), stderr: &bytes.Buffer{}, ended: make(chan error, 1)}
	r.cmd = exec.Command(w.path, append([]string{"serve", "--http", r.http, "--grpc", "127.0.0.1:0", "--ops", "127.0.0.1:0"}, args...)...)
	r.cmd.Dir, r.cmd.Stderr = w.dir, r.stderr
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		w.Fatal(err)
	}
	line := make(chan string, 1)
	go func() {
		buf := make([]byte, 4096)
		n, _ := stdout.Read(buf)
		line <- string(buf[:n])
		_, _ = io.Copy(io.Discard, stdout)
		r.ended <- r.cmd.Wait()
	}()
	w.Cleanup(func() { _ = r.cmd.Process.Kill() })
	select {
	case r.ready = <-line:
	case <-time.After(30 * time.Second):
		w.Fatal("serve printed nothing for 30 s")
	}
	if r.ready == "" {
		w.Fatalf("serve ended: %v\n%s", <-r.ended, r.stderr)
	}
	return r
}

// stop ends the service in good order.
func (r *running) stop(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-r.ended; err != nil {
		t.Errorf("serve after SIGTERM: %v\n%s", err, r.stderr)
	}
}

// kill ends it as a power cut would.
func (r *running) kill(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-r.ended; err == nil {
		t.Error("serve ended well before it was killed")
	}
}

// call asks over REST and returns status and body; an error is the service being gone.
func (r *running) call(ctx context.Context, method, path string) (int, string, error) {
	return r.send(ctx, method, path, "")
}

// send asks with a body of JSON; "": none.
func (r *running) send(ctx context.Context, method, path, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.http+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(answer), err
}

// get asks for a path that has to answer with a status.
func (r *running) get(t *testing.T, method, path string, want int) string {
	t.Helper()
	code, body, err := r.call(t.Context(), method, path)
	if err != nil || code != want {
		t.Fatalf("%s %s: %d %v, want %d: %s", method, path, code, err, want, body)
	}
	return body
}

func TestE2EServeDemo(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	w.write("fundmatch.yaml", "store: sqlite:bank.db\ndemo: {customers: 300, products: 40, as_of: \"2026-06-30\"}\nlog: {level: warn}\n")
	r := w.serve("--demo", "--config", "fundmatch.yaml")
	if !strings.Contains(r.ready, "is ready") || !strings.Contains(r.ready, r.http) {
		t.Errorf("the ready line is %q", r.ready)
	}
	r.get(t, "GET", "/readyz", http.StatusOK)
	answer := decode[list](t, r.get(t, "GET", "/v1/customers/"+demoCustomer+"/recommendations?limit=5&explain=true", http.StatusOK))
	checkWhole(t, &answer)
	replayed := decode[struct{ Verdict string }](t, r.get(t, "POST", "/v1/decisions/"+answer.DecisionID+":replay", http.StatusOK))
	if replayed.Verdict != "MATCH" {
		t.Errorf("replay over REST: %s", replayed.Verdict)
	}
	unknown := r.get(t, "GET", "/v1/customers/NOBODY/recommendations", http.StatusNotFound)
	if !strings.Contains(unknown, "CUSTOMER_NOT_FOUND") {
		t.Errorf("an unknown customer: %s", unknown)
	}
	for _, limit := range []string{"0", "51", "x"} {
		r.get(t, "GET", "/v1/customers/"+demoCustomer+"/recommendations?limit="+limit, http.StatusBadRequest)
	}
	r.stop(t)

	// The store keeps the bank: without --demo and config it serves the same customer.
	r = w.serve("--store", "sqlite:bank.db")
	r.get(t, "GET", "/v1/customers/"+demoCustomer, http.StatusOK)
	r.get(t, "GET", "/v1/decisions/"+answer.DecisionID, http.StatusOK)
	r.stop(t)
}

// A store without a pool is served as not ready, says so, and notices an import.
func TestE2EServeNoPool(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	w.must("migrate", "--store", "sqlite:bank.db")
	w.write("fundmatch.yaml", "engine: {poll: 100ms}\nops: {ready_interval: 100ms}\n")
	r := w.serve("--store", "sqlite:bank.db", "--config", "fundmatch.yaml")
	if !strings.Contains(r.ready, "NOT READY") || !strings.Contains(r.ready, "no pool") {
		t.Errorf("the line is %q", r.ready)
	}
	r.get(t, "GET", "/healthz", http.StatusOK)
	if body := r.get(t, "GET", "/readyz", http.StatusServiceUnavailable); !strings.Contains(body, "NO_POOL") {
		t.Errorf("readyz: %s", body)
	}
	w.demoBank()
	for range 100 {
		if code, _, _ := r.call(t.Context(), "GET", "/readyz"); code == http.StatusOK {
			r.get(t, "GET", "/v1/customers/"+demoCustomer+"/recommendations", http.StatusOK)
			r.stop(t)
			return
		}
		pause(100 * time.Millisecond)
	}
	t.Error("the service did not notice the imported pool within 10 s")
}

// pause waits for another process, which has no injected clock.
func pause(d time.Duration) {
	<-time.After(d)
}
