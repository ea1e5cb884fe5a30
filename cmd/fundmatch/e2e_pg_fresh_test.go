package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// lower lowers a customer to C1 through one service and returns how long after the answer
// the other was asked for him when it first obeyed. An answer that does not obey although it
// was asked for after the bound fails the test.
func (p *replicas) lower(through, by *running, id string) time.Duration {
	p.Helper()
	if _, err := by.customer(p.Context(), id); err != nil { // the cache knows him as he was
		p.Errorf("%s: %v", id, err)
	}
	if err := through.assess(p.Context(), id, "C1"); err != nil {
		p.Errorf("lowering %s: %v", id, err)
		return 0
	}
	return p.obeyed(by, id, time.Now())
}

// obeyed waits until a service obeys a level that was lowered at an instant.
func (p *replicas) obeyed(by *running, id string, lowered time.Time) time.Duration {
	p.Helper()
	for {
		asked := time.Now()
		k, err := by.customer(p.Context(), id)
		switch {
		case err != nil:
			p.Errorf("%s: %v", id, err)
			return 0
		case k.cell("risk_level") == "C1":
			by.wantCautious(p.T, id)
			return asked.Sub(lowered)
		case asked.Sub(lowered) >= bound:
			p.Errorf("%s has level %s in an answer that was asked for %s after C1 was acknowledged", id, k.cell("risk_level"), asked.Sub(lowered))
			return asked.Sub(lowered)
		}
		pause(500 * time.Microsecond)
	}
}

// lowerAll lowers customers, a few at a time, under the load of others, and prints how long
// it took the other service to obey.
func (p *replicas) lowerAll(what string, ids []string, atOnce int) []time.Duration {
	p.Helper()
	loaded, stop := context.WithCancel(p.Context())
	var load, work sync.WaitGroup
	for i, r := range p.all {
		load.Go(func() { p.load(loaded, r, i) })
	}
	var mu sync.Mutex
	var took []time.Duration
	var next atomic.Int64
	for range atOnce {
		work.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(ids) {
					return
				}
				d := p.lower(p.all[0], p.all[1], ids[i])
				mu.Lock()
				took = append(took, d)
				mu.Unlock()
				pause(3 * time.Millisecond)
			}
		})
	}
	work.Wait()
	stop()
	load.Wait()
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(100 * time.Microsecond) }
	p.Logf("%s: %d lowerings obeyed by the other process after p50 %s, p90 %s, p99 %s, max %s", what, len(took), at(.5), at(.9), at(.99), at(1))
	return took
}

// load asks a service for recommendations until ctx ends.
func (p *replicas) load(ctx context.Context, r *running, from int) {
	ids := p.above(len(p.levels))
	for i := from; ctx.Err() == nil; i++ {
		a, err := r.ask(ctx, http.MethodGet, "/v1/customers/"+ids[i*7%len(ids)]+"/recommendations?limit=5", "", "")
		if err == nil && a.code != http.StatusOK {
			p.Errorf("under load: %d %s", a.code, a.body)
		}
		pause(2 * time.Millisecond)
	}
}

// A level lowered through one service is obeyed by the other within the bound, mostly within
// milliseconds, also when its NOTIFY is lost.
func TestE2EPostgresALoweredLevelIsObeyed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, settings string
		n, atOnce      int
		median         time.Duration
	}{
		{"with NOTIFY", "", 220, 2, bound / 4},
		{"with NOTIFY lost", "database: {notify: false}\n", 200, 8, bound},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newReplicas(t, pgtest.Database(t), c.settings, 2)
			took := p.lowerAll(c.name, p.above(c.n), c.atOnce)
			if median := took[len(took)/2]; median > c.median {
				t.Errorf("half of the lowerings took longer than %s, want at most %s", median, c.median)
			}
			p.stop()
		})
	}
}

// Transactions that commit late hold back what is settled, not what is seen, nor do they
// hide their own change.
func TestE2EPostgresALateCommitIsObeyed(t *testing.T) {
	t.Parallel()
	p := newReplicas(t, pgtest.Database(t), "", 2)
	ids := p.above(60)

	// One that wrote nothing and has a number.
	idle, err := pgx.Connect(t.Context(), p.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = idle.Close(context.Background()) }()
	if _, err := idle.Exec(t.Context(), "BEGIN; SELECT pg_current_xact_id()"); err != nil {
		t.Fatal(err)
	}
	// One that lowers a customer and commits when the others have been seen.
	late, seen := ids[0], make(chan struct{})
	store, err := sqlstore.Open(t.Context(), sqlstore.OpenConfig{DSN: p.dsn, NoNotify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	at := fund.InstantOf(time.Now())
	held, committed := make(chan struct{}), make(chan time.Time)
	go func() {
		_, err := store.Write(context.Background(), features.Write{
			CustomerID: late, RecordedAt: at,
			Cells: []features.Cell{{
				CustomerID: late, View: features.AssessmentView, Name: features.AssessedName, EventAt: at, KnownAt: at,
				Value: `{"level":"C1","on":"` + at.Date().String() + `"}`,
			}},
			Guard: func(*fund.Profile) error { close(held); <-seen; return nil },
		})
		if err != nil {
			t.Errorf("the late write: %v", err)
		}
		committed <- time.Now()
	}()
	<-held
	p.lowerAll("beside two transactions that run", ids[1:], 4)
	if k, err := p.all[1].customer(t.Context(), late); err != nil || k.cell("risk_level") == "C1" {
		t.Errorf("%s before the commit: %+v, %v", late, k, err)
	}
	close(seen)
	took := p.obeyed(p.all[1], late, <-committed)
	t.Logf("a change that committed late, without NOTIFY: obeyed after %s", took)
	p.stop()
}

// paused is what a service said while its database was.
type paused struct {
	before, after, unavailable atomic.Int64

	mu      sync.Mutex
	slowest time.Duration
}

// note notes how long an answer took.
func (s *paused) note(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slowest = max(s.slowest, took)
}

// A database that says nothing for ten seconds: answers go on from the cache until the bound
// and then say UNAVAILABLE and when to come back; nobody gets a stale level; all recovers.
func TestE2EPostgresPaused(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, pgtest.Config{})
	p := newReplicas(t, server.Database(t), "", 2)
	a, b := p.all[0], p.all[1]
	ids := p.above(40)
	for _, id := range ids {
		b.get(t, "GET", "/v1/customers/"+id+"/recommendations", http.StatusOK)
	}
	lowered := ids[0]
	if err := a.assess(t.Context(), lowered, "C1"); err != nil {
		t.Fatal(err)
	}
	acknowledged := time.Now()
	server.Pause(t)
	began := time.Now()
	var seen paused
	var callers sync.WaitGroup
	for i := range 6 {
		callers.Go(func() {
			for n := i; time.Since(began) < 10*time.Second; n++ {
				p.askPaused(b, ids[n%len(ids)], lowered, began, acknowledged, &seen)
				pause(5 * time.Millisecond)
			}
		})
	}
	pause(4 * time.Second)
	p.wantAlive(b)
	callers.Wait()
	server.Resume(t)
	resumed := time.Now()
	eventually(t, "recommendations after the database went on", func() bool {
		x, err := b.ask(t.Context(), http.MethodGet, "/v1/customers/"+ids[1]+"/recommendations", "", "")
		return err == nil && x.code == http.StatusOK
	})
	t.Logf("paused 10 s: %d answers from the cache, %d UNAVAILABLE, slowest %s; answers again %s after it went on",
		seen.before.Load(), seen.unavailable.Load(), seen.slowest.Round(time.Millisecond), time.Since(resumed).Round(time.Millisecond))
	if seen.before.Load() == 0 || seen.after.Load() > 0 || seen.unavailable.Load() == 0 {
		t.Errorf("%d answers within the bound, %d after it, %d UNAVAILABLE", seen.before.Load(), seen.after.Load(), seen.unavailable.Load())
	}
	eventually(t, "ready again", func() bool { code, _, _ := b.call(t.Context(), "GET", "/readyz"); return code == http.StatusOK })
	b.wantCautious(t, lowered)
	p.lower(a, b, ids[2])
	p.stop()
}

// askPaused asks once while the database is paused.
func (p *replicas) askPaused(b *running, id, lowered string, began, acknowledged time.Time, seen *paused) {
	asked := time.Now()
	x, err := b.ask(p.Context(), http.MethodGet, "/v1/customers/"+id+"/recommendations?limit=20", "", "")
	if err != nil {
		p.Errorf("while the database is paused: %v", err)
		return
	}
	seen.note(time.Since(asked))
	switch {
	case x.code == http.StatusOK:
		seen.before.Add(1)
		if asked.Sub(began) >= bound && time.Since(began) < 10*time.Second {
			seen.after.Add(1)
			p.Errorf("%s got an answer %s after the database stopped", id, asked.Sub(began))
		}
		if id == lowered && asked.Sub(acknowledged) >= bound && strings.Contains(x.body, `"riskGrade":"R5"`) {
			p.Errorf("%s got a product above his level", id)
		}
	case x.code != http.StatusServiceUnavailable || x.reason() != "STORE_UNAVAILABLE" || x.header.Get("Retry-After") == "" || !strings.Contains(x.body, "RetryInfo"):
		p.Errorf("%s: %d, Retry-After %q, %s", id, x.code, x.header.Get("Retry-After"), x.body)
	default:
		seen.unavailable.Add(1)
	}
}

// wantAlive checks that a service whose database is paused answers for itself, and says why it
// is not ready.
func (p *replicas) wantAlive(r *running) {
	p.Helper()
	asked := time.Now()
	r.get(p.T, "GET", "/healthz", http.StatusOK)
	body := r.get(p.T, "GET", "/readyz", http.StatusServiceUnavailable)
	if took := time.Since(asked); took > time.Second {
		p.Errorf("health took %s", took)
	}
	if !strings.Contains(body, `{"name":"store","status":"FAILED","reason":"STORE_UNAVAILABLE"}`) {
		p.Errorf("readyz: %s", body)
	}
	if err := r.assess(p.Context(), demoCustomer, "C1"); err == nil {
		p.Error("a write was acknowledged by a paused database")
	}
}
