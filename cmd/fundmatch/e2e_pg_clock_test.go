package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
)

// skewed is a service in this process whose clock a test sets.
type skewed struct {
	running
	ops   string
	ahead atomic.Int64 // nanoseconds
	stop  func()
}

func (s *skewed) set(ahead time.Duration) { s.ahead.Store(int64(ahead)) }

// serveSkewed serves the bank with a clock that is ahead of the true one.
func (p *replicas) serveSkewed(name string, ahead time.Duration) *skewed {
	p.Helper()
	s := &skewed{running: running{stderr: &bytes.Buffer{}}}
	s.set(ahead)
	w, _, _ := testWorld("")
	out, in := io.Pipe()
	w.stdout, w.random = in, rand.Reader
	w.now = func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, w, []string{
			"serve", "--store", p.dsn, "--config", p.dir + "/fundmatch.yaml", "--quiet", "--decisions", p.dir + "/decisions-" + name,
			"--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--ops", "127.0.0.1:0",
		})
		_ = in.Close()
	}()
	s.stop = func() {
		cancel()
		if code := <-ended; code != exitDone {
			p.Errorf("%s ended with code %d", name, code)
		}
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.Fatalf("%s said nothing: %v", name, err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	s.ready = line
	_, rest, _ := strings.Cut(line, "http://")
	s.http, rest, _ = strings.Cut(rest, ",")
	_, rest, _ = strings.Cut(rest, "ops http://")
	s.ops, _, _ = strings.Cut(rest, ",")
	return s
}

// wantRefused checks that a service answers and takes nothing, says why and is not ready.
func (p *replicas) wantRefused(s *skewed, id string) {
	p.Helper()
	for _, c := range []struct{ method, path, body string }{
		{http.MethodGet, "/v1/customers/" + id + "/recommendations", ""},
		{http.MethodGet, "/v1/customers/" + id, ""},
		{http.MethodPut, "/v1/customers/" + id + "/risk-assessment", `{"riskLevel":"C1"}`},
	} {
		a, err := s.ask(p.Context(), c.method, c.path, "", c.body)
		if err != nil || a.code != http.StatusServiceUnavailable || a.reason() != "CLOCK_SKEWED" || a.header.Get("Retry-After") == "" {
			p.Errorf("%s %s with a clock %s ahead: %d %v %s", c.method, c.path, time.Duration(s.ahead.Load()), a.code, err, a.body)
		}
	}
	eventually(p.T, "not ready, and why", func() bool {
		a, err := s.ask(p.Context(), http.MethodGet, "/readyz", "", "")
		return err == nil && a.code == http.StatusServiceUnavailable && strings.Contains(a.body, `{"name":"clock","status":"FAILED","reason":"CLOCK_SKEWED"}`)
	})
}

// Of replicas whose clocks are minutes off none answers or takes anything; those that are off by
// less than the limit obey each other, and what was said last counts, whoever's clock is slower.
func TestE2EPostgresClocksOfReplicas(t *testing.T) {
	t.Parallel()
	p := newReplicas(t, pgtest.Database(t), "", 0)
	ids := p.above(45)
	for _, ahead := range []time.Duration{-3 * time.Minute, 3 * time.Minute} {
		s := p.serveSkewed(fmt.Sprint("wrong", int64(ahead)), ahead)
		if !strings.Contains(s.ready, "NOT READY, its clock is not the store's") {
			t.Errorf("the ready line is %q", s.ready)
		}
		p.wantRefused(s, ids[0])
		s.stop()
	}
	fast, slow := p.serveSkewed("fast", 200*time.Millisecond), p.serveSkewed("slow", -200*time.Millisecond)
	defer fast.stop()
	defer slow.stop()
	for i, id := range ids {
		through, by := fast, slow
		if i%2 > 0 {
			through, by = slow, fast
		}
		switch i % 3 {
		case 0, 1:
			p.lower(&through.running, &by.running, id)
		case 2: // raised through one, then at once lowered through the other
			if err := by.assess(t.Context(), id, "C5"); err != nil {
				t.Fatal(err)
			}
			if err := through.assess(t.Context(), id, "C1"); err != nil {
				t.Fatal(err)
			}
			p.obeyed(&by.running, id, time.Now())
			through.wantCautious(t, id)
		}
	}
	if k, err := fast.customer(t.Context(), ids[0]); err != nil || k.cell("risk_level") != "C1" {
		t.Errorf("%+v, %v", k, err)
	}
	slow.set(-3 * time.Minute) // while it serves
	p.wantRefused(slow, ids[1])
	ops := running{http: slow.ops}
	if said := ops.get(t, http.MethodGet, "/metrics", http.StatusOK); !strings.Contains(said, "\nfundmatch_clock_skew_seconds -180.") && !strings.Contains(said, "\nfundmatch_clock_skew_seconds -179.9") {
		t.Errorf("fundmatch_clock_skew_seconds is not -180:\n%s", said)
	}
	slow.set(0)
	eventually(t, "ready again", func() bool {
		a, err := slow.ask(t.Context(), http.MethodGet, "/readyz", "", "")
		return err == nil && a.code == http.StatusOK
	})
	slow.wantCautious(t, ids[0])
}
