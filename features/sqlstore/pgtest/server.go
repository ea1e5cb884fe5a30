package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Config says what a server of a test's own is like.
type Config struct {
	// Durable makes every commit wait for the disk, as in a bank: for tests that kill the
	// server. Without it nothing is flushed, which is quicker and survives no power failure.
	Durable bool
	// Settings are further settings of the server, as "name=value".
	Settings []string
}

// Instance is a server of its own, which a test may pause, kill and start again.
type Instance struct {
	bin, dir string
	cfg      Config
	running  *process // nil: stopped
}

// The names within the directory of an instance.
const (
	dataName   = "data"
	logName    = "log"
	dirPrefix  = "fundmatch-pg-"
	superuser  = "fundmatch"
	socketPort = "5432" // names the socket's file; nothing listens on TCP
)

// Server starts a server of the test's own, which is stopped and removed when the test ends.
// It is always a private one, whatever FUNDMATCH_TEST_POSTGRES says.
func Server(tb testing.TB, cfg Config) *Instance {
	tb.Helper()
	s, err := newInstance(programs(tb), cfg)
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.remove(); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	return s
}

// newInstance makes a cluster and starts it.
func newInstance(bin string, cfg Config) (*Instance, error) {
	sweep()
	dir, err := os.MkdirTemp(shortTemp(), dirPrefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return nil, err
	}
	s := &Instance{bin: bin, dir: dir, cfg: cfg}
	err = owned(dir)
	if err == nil {
		err = s.initialise()
	}
	if err == nil {
		err = s.start()
	}
	if err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// DSN returns the URL of the server's database postgres.
func (s *Instance) DSN() string {
	q := url.Values{"host": {s.dir}, "port": {socketPort}, "user": {superuser}}
	return "postgres:///postgres?" + q.Encode()
}

// Database returns the DSN of a fresh, empty database of the server.
func (s *Instance) Database(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("t%d_%d", os.Getpid(), shared.number.Add(1))
	run(tb, s.DSN(), `CREATE DATABASE `+name+` TEMPLATE template0`)
	return withDatabase(tb, s.DSN(), name)
}

// Pause stops all of the server's processes where they are: it accepts connections and never
// answers, as one whose machine or disk hangs.
func (s *Instance) Pause(tb testing.TB) { tb.Helper(); s.signal(tb, syscall.SIGSTOP) }

// Resume lets them go on.
func (s *Instance) Resume(tb testing.TB) { tb.Helper(); s.signal(tb, syscall.SIGCONT) }

// Kill ends all of the server's processes at once, as a machine that dies. Restart starts it
// again.
func (s *Instance) Kill(tb testing.TB) {
	tb.Helper()
	s.signal(tb, syscall.SIGSTOP) // it starts and buries no more children while they are counted
	left := children(s.running.pid)
	s.signal(tb, syscall.SIGKILL)
	s.running.wait()
	s.running = nil
	for _, pid := range left { // one that still ends would keep the next server from starting
		for alive(pid) {
			<-after(time.Millisecond)
		}
	}
}

// Restart starts the server after Kill, or after stopping it as an administrator would.
func (s *Instance) Restart(tb testing.TB) {
	tb.Helper()
	if err := errors.Join(s.stop(), s.start()); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
}

// signal sends a signal to the server and each of its processes.
func (s *Instance) signal(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	if s.running == nil {
		tb.Fatal("pgtest: the server does not run")
	}
	if err := s.running.signalAll(sig); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
}

func (s *Instance) initialise() error {
	out, err := asOwner(exec.CommandContext(context.Background(), filepath.Join(s.bin, "initdb"), //nolint:gosec // PostgreSQL's own program
		"-D", filepath.Join(s.dir, dataName), "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
		"--no-sync", "--no-instructions", "--wal-segsize=1"), s.dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

// start starts the server and waits until it answers.
func (s *Instance) start() error {
	settings := []string{
		"listen_addresses=", "port=" + socketPort, "unix_socket_directories=" + s.dir, "max_connections=200",
		"shared_buffers=64MB", "autovacuum=off", "log_min_messages=warning", "max_wal_size=256MB",
	}
	if !s.cfg.Durable {
		settings = append(settings, "fsync=off", "full_page_writes=off", "synchronous_commit=off")
	}
	args := []string{"-D", filepath.Join(s.dir, dataName)}
	for _, set := range append(settings, s.cfg.Settings...) {
		args = append(args, "-c", set)
	}
	log, err := os.OpenFile(filepath.Join(s.dir, logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()                                                                                           //nolint:errcheck // the server has its own handle
	cmd := asOwner(exec.CommandContext(context.Background(), filepath.Join(s.bin, "postgres"), args...), s.dir) //nolint:gosec // as above
	cmd.Stdout, cmd.Stderr = log, log
	if s.running, err = launch(cmd); err != nil {
		return err
	}
	return s.answers()
}

// answers waits until the server answers.
func (s *Instance) answers() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.DSN())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.running.ended:
			said, _ := os.ReadFile(filepath.Join(s.dir, logName))
			s.running = nil
			return fmt.Errorf("the server ended: %s", said)
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-after(20 * time.Millisecond):
		}
	}
}

// stop ends the server as an administrator would who waits for nobody.
func (s *Instance) stop() error {
	if s.running == nil {
		return nil
	}
	p := s.running
	s.running = nil
	_ = p.signalAll(syscall.SIGCONT) // one that is paused would not hear it
	if err := p.signal(syscall.SIGINT); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-after(patience):
		return errors.Join(errors.New("the server did not stop and was killed"), p.signalAll(syscall.SIGKILL))
	}
}

// remove stops the server and takes its directory away.
func (s *Instance) remove() error { return errors.Join(s.stop(), os.RemoveAll(s.dir)) }

// process is a server that runs.
type process struct {
	pid   int
	ended chan struct{}
}

func (p *process) wait() { <-p.ended }

func (p *process) signal(sig syscall.Signal) error { return syscall.Kill(p.pid, sig) }

// signalAll signals the server and its children, each of which leads a session of its own.
func (p *process) signalAll(sig syscall.Signal) error {
	// The children are those of before: a server that was killed has none any more.
	pids := children(p.pid)
	err := p.signal(sig) // the server first: it starts no more children then
	for _, child := range slices.Compact(slices.Sorted(slices.Values(append(pids, children(p.pid)...)))) {
		if e := syscall.Kill(child, sig); e != nil && !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// minVersion is the oldest PostgreSQL that the store knows.
const minVersion = 15

// findPrograms looks for initdb in PATH and where Debian keeps it, the newest first.
func findPrograms() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
		dir := filepath.Dir(path)
		if _, err := os.Stat(filepath.Join(dir, "postgres")); err == nil {
			return dir, nil
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	newest, dir := 0, ""
	for _, path := range found {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err == nil && version >= minVersion && version > newest {
			newest, dir = version, filepath.Dir(path)
		}
	}
	if dir == "" {
		return "", fmt.Errorf("initdb of version %d or later is neither in PATH nor in /usr/lib/postgresql", minVersion)
	}
	return dir, nil
}

// maxSocketDir bounds a directory whose sockets' names the system still takes.
const maxSocketDir = 60

// shortTemp returns the directory for temporary files, or one whose name is shorter.
func shortTemp() string {
	if dir := os.TempDir(); len(dir) <= maxSocketDir {
		return dir
	}
	return "/tmp"
}

// sweep removes what the clusters of processes that were killed have left.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(shortTemp(), dirPrefix+"*"))
	for _, dir := range left {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
		pid, err := strconv.Atoi(owner)
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir)
		}
	}
}

// children returns the processes that a process has started and that still run.
func children(pid int) []int {
	var out []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				out = append(out, child)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// alive reports whether a process still runs; one that ended and that nobody has asked about
// does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, found := strings.Cut(string(stat), ") ")
	return err == nil && found && !strings.HasPrefix(state, "Z")
}

// after returns a channel that gets a value when the time has passed.
func after(d time.Duration) <-chan time.Time {
	return time.After(d) //nolint:forbidigo // of the machine: it waits for another process
}
