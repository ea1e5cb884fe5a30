package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
)

// attempt is a write that was sent.
type attempt struct {
	method, path, key, body string
	customer                string
	tags                    []string // that it sets
	events                  int      // that it records
	acknowledged            bool
}

// attempts returns writes of all kinds: two tags, three events, or a level.
func attempts(ids []string, n int) []*attempt {
	out := make([]*attempt, n)
	for i := range out {
		id, key := ids[i%len(ids)], fmt.Sprintf("key-%d", i)
		a := &attempt{customer: id, key: key}
		switch i % 3 {
		case 0:
			a.method, a.path, a.tags = http.MethodPut, "/v1/customers/"+id+"/tags", []string{fmt.Sprintf("a%d", i), fmt.Sprintf("b%d", i)}
			a.body = fmt.Sprintf(`{"tags":[{"name":%q,"value":"x"},{"name":%q,"value":"y"}]}`, a.tags[0], a.tags[1])
		case 1:
			a.method, a.path, a.key, a.events = http.MethodPost, "/v1/events", "", 3
			var events []string
			for j := range a.events {
				events = append(events, fmt.Sprintf(`{"eventId":"e%d-%d","customerId":%q,"kind":"CLICK","eventAt":"2026-06-30T11:00:00+08:00"}`, i, j, ids[(i+j)%len(ids)]))
			}
			a.body = `{"events":[` + strings.Join(events, ",") + `]}`
		default:
			a.method, a.path, a.body = http.MethodPut, "/v1/customers/"+id+"/risk-assessment", `{"riskLevel":"C1"}`
		}
		out[i] = a
	}
	return out
}

// writeAll sends the writes from six callers until one finds the service gone or ctx ends,
// and returns those that were sent.
func (p *replicas) writeAll(ctx context.Context, r *running, all []*attempt) []*attempt {
	var next atomic.Int64
	var callers sync.WaitGroup
	for range 6 {
		callers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(all) {
					return
				}
				x, err := r.ask(ctx, all[i].method, all[i].path, all[i].key, all[i].body)
				all[i].acknowledged = err == nil && x.code == http.StatusOK
			}
		})
	}
	callers.Wait()
	return all[:min(int(next.Load()), len(all))]
}

// wantKept holds every write that was sent: what was acknowledged is there, the rest wholly or
// not at all, and repeating any of them does nothing twice.
func (p *replicas) wantKept(r *running, sent []*attempt) {
	p.Helper()
	acknowledged, done := 0, 0
	for _, a := range sent {
		if a.acknowledged {
			acknowledged++
		}
		there := p.tagsThere(r, a)
		if there != 0 && there != len(a.tags) {
			p.Errorf("%s is half there: %d of %d tags", a.key, there, len(a.tags))
		}
		if a.acknowledged && there != len(a.tags) {
			p.Errorf("%s was acknowledged and is not there", a.key)
		}
		if p.repeat(r, a) {
			done++
		}
		if again := p.repeat(r, a); !again {
			p.Errorf("%s %s %s is done anew each time", a.method, a.path, a.key)
		}
	}
	p.Logf("%d writes were sent, %d acknowledged, %d done", len(sent), acknowledged, done)
	if acknowledged < 20 {
		p.Error("too few writes were acknowledged before the end: the test proved nothing")
	}
}

// tagsThere returns how many of a write's tags its customer has.
func (p *replicas) tagsThere(r *running, a *attempt) (n int) {
	p.Helper()
	if len(a.tags) == 0 {
		return 0
	}
	k, err := r.customer(p.Context(), a.customer)
	if err != nil {
		p.Fatal(err)
	}
	for _, name := range a.tags {
		if k.cell("tag."+name) != "" {
			n++
		}
	}
	return n
}

// repeat sends a write again and reports whether it had been done before.
func (p *replicas) repeat(r *running, a *attempt) bool {
	p.Helper()
	x, err := r.ask(p.Context(), a.method, a.path, a.key, a.body)
	if err != nil || x.code != http.StatusOK {
		if a.events == 0 && a.tags == nil && x.reason() == "ASSESSMENT_LIMIT" && !a.acknowledged {
			return true // it was not done, and is one too many now
		}
		p.Errorf("repeating %s %s: %d %v %s", a.method, a.path, x.code, err, x.body)
		return false
	}
	if a.events > 0 {
		got := decode[recorded](p.T, x.body)
		if got.Accepted != 0 && got.Duplicates != 0 || a.acknowledged && got.Accepted != 0 {
			p.Errorf("a batch of %d, acknowledged %v, was kept in part: %+v", a.events, a.acknowledged, got)
		}
		return got.Accepted == 0
	}
	var receipt struct{ Receipt struct{ Replayed bool } }
	if err := json.Unmarshal([]byte(x.body), &receipt); err != nil {
		p.Fatal(err)
	}
	if a.acknowledged && !receipt.Receipt.Replayed {
		p.Errorf("%s was acknowledged and its key is forgotten: %s", a.key, x.body)
	}
	return receipt.Receipt.Replayed
}

// kill -9 of a service that writes: on PostgreSQL and on SQLite.
func TestE2EPostgresTheWriterIsKilled(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"PostgreSQL", "SQLite"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := "sqlite:bank.db"
			if name == "PostgreSQL" {
				dsn = pgtest.Database(t)
			}
			p := newReplicas(t, dsn, "", 1)
			ids := p.above(200)
			killed := make(chan struct{})
			go func() {
				defer close(killed)
				pause(1500 * time.Millisecond)
				p.all[0].kill(t)
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			go func() { <-killed; cancel() }()
			sent := p.writeAll(ctx, p.all[0], attempts(ids, 6000))
			<-killed
			r := p.start(dsn)
			p.wantKept(r, sent)
			r.stop(t)
		})
	}
}

// kill -9 of PostgreSQL: the services find it again by themselves.
func TestE2EPostgresTheDatabaseIsKilled(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, pgtest.Config{Durable: true})
	p := newReplicas(t, server.Database(t), "", 2)
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		pause(1500 * time.Millisecond)
		server.Kill(t)
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() { <-killed; pause(200 * time.Millisecond); cancel() }()
	sent := p.writeAll(ctx, p.all[0], attempts(p.above(200), 6000))
	<-killed
	server.Restart(t)
	for _, r := range p.all {
		eventually(t, "a write after the database came back", func() bool {
			x, err := r.ask(t.Context(), http.MethodPut, "/v1/customers/"+demoCustomer+"/tags", "", `{"tags":[{"name":"back","value":"x"}]}`)
			return err == nil && x.code == http.StatusOK
		})
	}
	p.wantKept(p.all[1], aboutTheEnd(sent))
	p.stop()
}

// aboutTheEnd are the writes before the last acknowledged one, and some after it: all of them
// would take long to repeat, and the last of all were refused without having been tried.
func aboutTheEnd(sent []*attempt) []*attempt {
	last := 0
	for i, a := range sent {
		if a.acknowledged {
			last = i
		}
	}
	return sent[max(0, last-200):min(len(sent), last+100)]
}

// cutter passes a database's connections on. When it is armed, the next commit reaches the
// database and its answer never comes back.
type cutter struct {
	listener net.Listener
	network  string
	address  string
	armed    atomic.Bool
	cuts     atomic.Int64
}

// newCutter listens in front of a database and returns the DSN that leads through it.
func newCutter(t *testing.T, dsn string) (c *cutter, through string) {
	t.Helper()
	to, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	c = &cutter{network: "tcp", address: net.JoinHostPort(to.Host, fmt.Sprint(to.Port))}
	if strings.HasPrefix(to.Host, "/") {
		c.network, c.address = "unix", fmt.Sprintf("%s/.s.PGSQL.%d", to.Host, to.Port)
	}
	if c.listener, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.listener.Close() })
	go c.accept()
	return c, fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", to.User, c.listener.Addr(), to.Database)
}

func (c *cutter) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(c.network, c.address)
		if err != nil {
			_ = client.Close()
			continue
		}
		go c.pass(client, server)
	}
}

// pass passes one connection on, both ways.
func (c *cutter) pass(client, server net.Conn) {
	defer func() { _, _ = client.Close(), server.Close() }()
	var cut atomic.Bool
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if err != nil || cut.Load() {
				_ = client.Close() // the commit was done, and nobody hears it
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf, reads := make([]byte, 64<<10), false
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		// The connections that only read say so when they are made; their commits are not meant.
		reads = reads || bytes.Contains(buf[:n], []byte("default_transaction_read_only"))
		if !reads && bytes.Contains(buf[:n], []byte("commit")) && c.armed.CompareAndSwap(true, false) {
			cut.Store(true)
			c.cuts.Add(1)
		}
		if _, err := io.Copy(server, bytes.NewReader(buf[:n])); err != nil {
			return
		}
	}
}

// A database that commits and is not heard: the caller is told that the store failed, and
// his repetition under the key finds the write done, once.
func TestE2EPostgresTheAnswerOfACommitIsLost(t *testing.T) {
	t.Parallel()
	direct := pgtest.Database(t)
	cut, through := newCutter(t, direct)
	p := newReplicas(t, direct, "", 0)
	r := p.start(through)
	for i, a := range attempts(p.above(9), 9) {
		before := cut.cuts.Load()
		cut.armed.Store(true)
		x, err := r.ask(t.Context(), a.method, a.path, a.key, a.body)
		if err != nil || x.code != http.StatusServiceUnavailable || x.reason() != "STORE_UNAVAILABLE" || x.header.Get("Retry-After") == "" {
			t.Errorf("write %d: %d %v %s, want that the store failed", i, x.code, err, x.body)
		}
		if cut.cuts.Load() != before+1 {
			t.Fatalf("write %d: no commit was cut off", i)
		}
		if strings.Contains(x.body, "commit") || strings.Contains(x.body, "conn") {
			t.Errorf("the driver speaks: %s", x.body)
		}
		a.acknowledged = true // it was done, and has to be found so
		if there := p.tagsThere(r, a); there != len(a.tags) {
			t.Errorf("%d of %d tags are there", there, len(a.tags))
		}
		if !p.repeat(r, a) {
			t.Errorf("write %d was done twice", i)
		}
	}
	r.stop(t)
}

// A database that refuses: clear errors, and all is well when it takes connections or writes
// again.
func TestE2EPostgresRefuses(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t, pgtest.Config{})
	p := newReplicas(t, server.Database(t), "", 1)
	r, id := p.all[0], p.above(1)[0]
	admin, err := pgx.Connect(t.Context(), server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.Background()) }()
	to, err := pgx.ParseConfig(p.dsn)
	if err != nil {
		t.Fatal(err)
	}
	database := pgx.Identifier{to.Database}.Sanitize()
	do := func(statement string) {
		t.Helper()
		if _, err := admin.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		if _, err := admin.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, to.Database); err != nil {
			t.Fatal(err)
		}
	}
	tag := func(key string) (answer, error) {
		return r.ask(t.Context(), http.MethodPut, "/v1/customers/"+id+"/tags", key, `{"tags":[{"name":"`+key+`","value":"x"}]}`)
	}
	works := func() bool { x, err := tag("works"); return err == nil && x.code == http.StatusOK }
	for name, c := range map[string]struct {
		refuse, relent string
		reads          int
	}{
		"no connections": {"ALTER DATABASE " + database + " ALLOW_CONNECTIONS false", "ALTER DATABASE " + database + " ALLOW_CONNECTIONS true", http.StatusServiceUnavailable},
		"read only":      {"ALTER DATABASE " + database + " SET default_transaction_read_only = on", "ALTER DATABASE " + database + " RESET default_transaction_read_only", http.StatusOK},
	} {
		do(c.refuse)
		pause(bound + bound/2)
		x, err := tag("refused")
		if err != nil || x.code != http.StatusServiceUnavailable || x.reason() != "STORE_UNAVAILABLE" || x.header.Get("Retry-After") == "" {
			t.Errorf("%s: a write: %d %v %s", name, x.code, err, x.body)
		}
		eventually(t, name+": reads", func() bool {
			code, _, err := r.call(t.Context(), http.MethodGet, "/v1/customers/"+id+"/recommendations")
			return err == nil && code == c.reads
		})
		do(c.relent)
		eventually(t, name+": writes again", works)
		if k, err := r.customer(t.Context(), id); err != nil || k.cell("tag.refused") != "" || k.cell("tag.works") == "" {
			t.Errorf("%s: afterwards %+v, %v", name, k, err)
		}
	}
	p.stop()
}
