package pathbench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// root is the repository, from this package's directory.
var root = filepath.Join("..", "..")

// buildProgram builds the program as `make build` does.
func buildProgram(tb testing.TB) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "fundmatch")
	build := exec.CommandContext(tb.Context(), "go", "build", "-trimpath", "-o", file, "./cmd/fundmatch")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("go build: %v\n%s", err, out)
	}
	return file
}

// runProgram runs a verb to its end and returns how long it took.
func runProgram(tb testing.TB, program string, args ...string) time.Duration {
	tb.Helper()
	started := time.Now()
	if out, err := exec.CommandContext(tb.Context(), program, args...).CombinedOutput(); err != nil {
		tb.Fatalf("fundmatch %v: %v\n%s", args, err, out)
	}
	return time.Since(started)
}

// fetch gets a page of a server.
func fetch(ctx context.Context, url string) ([]byte, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: HTTP %d", url, resp.StatusCode)
	}
	return body, err
}

// process is a server in a process of its own.
type process struct {
	tb         testing.TB
	cmd        *exec.Cmd
	rest, grpc string // where it listens
	ops        string // empty for a server that has none
}

// ready finds the addresses in the line that a server prints when it is ready.
var ready = regexp.MustCompile(`is ready: REST (http://\S+), gRPC ([^\s,]+)(?:, ops ([^\s,]+))?`)

// startProcess starts a server and waits for its line.
func startProcess(tb testing.TB, env []string, name string, args ...string) *process {
	tb.Helper()
	p := &process{tb: tb, cmd: exec.CommandContext(context.Background(), name, args...)}
	p.cmd.Env = append(os.Environ(), env...)
	var complaints bytes.Buffer
	p.cmd.Stderr = &complaints
	in, err := p.cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		_ = p.cmd.Process.Signal(os.Interrupt)
		_ = p.cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	found := ready.FindStringSubmatch(line)
	if found == nil {
		tb.Fatalf("%s said %q: %v\n%s", name, line, err, &complaints)
	}
	p.rest, p.grpc, p.ops = strings.TrimSuffix(found[1], ","), found[2], found[3]
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return p
}

// ticksASecond is the unit of /proc/PID/stat: USER_HZ is 100 on every Linux.
const ticksASecond = 100

// cpu is the processor time of the process so far, user and system.
func (p *process) cpu() time.Duration {
	p.tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.tb.Skipf("processor time is read from /proc: %v", err)
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	ticks := 0
	for _, field := range fields[11:13] { // utime, stime: proc(5), counted from state
		n, err := strconv.Atoi(field)
		if err != nil {
			p.tb.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksASecond
}

// memory returns a line of /proc/PID/status, such as VmHWM, in bytes.
func (p *process) memory(name string) int64 {
	p.tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.tb.Skipf("memory is read from /proc: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				p.tb.Fatal(err)
			}
			return n << 10
		}
	}
	p.tb.Fatalf("no %s in /proc", name)
	return 0
}
