package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// serve in this process, on a store in memory: it answers, ends in good order when its
// context does, and leaves neither goroutines nor files behind.
func TestServeLeavesNothingBehind(t *testing.T) { // not parallel: it counts goroutines
	before := goleak.IgnoreCurrent()
	config := configFile(t, "demo: {customers: 30, products: 20}\n")
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w, _, stderr := testWorld("")
	out, in := io.Pipe()
	w.stdout = in
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, w, []string{
			"serve", "--demo", "--store", "memory:", "--config", config, "--quiet",
			"--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--ops", "127.0.0.1:0",
		})
		_ = in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("serve said nothing: %v, exit code %d\n%s", err, <-ended, stderr)
	}
	_, rest, _ := strings.Cut(line, "http://")
	address, _, _ := strings.Cut(rest, ",")
	checkWhole(t, askHTTP(t, "http://"+address+"/v1/customers/"+demoCustomer+"/recommendations?explain=true"))

	cancel()
	if code := <-ended; code != exitDone {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	goleak.VerifyNone(t, before)
	if entries, err := os.ReadDir(temp); err != nil || len(entries) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", entries, err)
	}
}

// askHTTP asks for a list over a connection of its own.
func askHTTP(t *testing.T, url string) *list {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d, %v: %s", resp.StatusCode, err, body.String())
	}
	answer := decode[list](t, body.String())
	return &answer
}

// A part that cannot start ends the service with its own code, and closes what was open.
func TestServeRefusesToStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := "sqlite:" + filepath.Join(dir, "bank.db")
	mustRun(t, "migrate", "--store", store)
	busy := freePort(t)
	cases := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"the log is a file", []string{"--decisions", filepath.Join(dir, "bank.db")}, exitUnavailable, "decision log"},
		{"an insecure collector", []string{"--config", configFile(t, "traces: {endpoint: \"example.org:4317\", insecure: true}\n")}, exitUsage, "traces.insecure"},
		{"an address without port", []string{"--http", "127.0.0.1"}, exitUsage, `http.address: "127.0.0.1", expected host:port`},
		{"two listeners on one port", []string{"--http", busy, "--grpc", busy}, exitUnavailable, "address already in use"},
	}
	for _, c := range cases {
		out := inProcess(t.Context(), "", append([]string{"serve", "--store", store}, c.args...)...)
		if out.code != c.code || !strings.Contains(out.stderr, c.want) {
			t.Errorf("%s: exit code %d, want %d; %q", c.name, out.code, c.code, out.stderr)
		}
	}
}
