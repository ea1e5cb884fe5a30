package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/server"
)

func configFile(tb testing.TB, text string) string {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), "fundmatch.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return name
}

// Every setting of the parts can be written, and arrives.
func TestConfigArrives(t *testing.T) {
	t.Parallel()
	c, err := readConfig(filepath.Join("testdata", "full.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	got := c.server()
	want := server.Config{
		HTTP: server.HTTPConfig{
			Address: "127.0.0.1:18080", HeaderTimeout: time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 30 * time.Second,
			IdleTimeout: 4 * time.Second, MaxHeaderBytes: 8192, MaxBodyBytes: 65536, MaxConnections: 100,
		},
		GRPC: server.GRPCConfig{
			Address: "127.0.0.1:19090", MaxMessage: 65536, MaxHeaderBytes: 8192, MaxStreams: 10, MaxConnections: 100,
			ConnectTimeout: 5 * time.Second, MinPing: 6 * time.Second, MaxIdle: 7 * time.Second, Reflection: true,
		},
		Ops:         server.OpsConfig{Address: "[::1]:19100", ReadyInterval: 8 * time.Second},
		Limits:      server.LimitsConfig{MaxInFlight: 11, DefaultDeadline: 9 * time.Second, MaxDeadline: 10 * time.Second, PeerRate: 12.5, PeerBurst: 13},
		Drain:       server.DrainConfig{Delay: 500 * time.Millisecond, Timeout: 11 * time.Second},
		SlowRequest: 250 * time.Millisecond,
	}
	got.NewRequestID, want.NewRequestID = nil, nil
	if !sameServer(&got, &want) {
		t.Errorf("server settings:\n%+v\n%+v", got, want)
	}
	if l := c.decisionLog(); l.SegmentBytes != 1<<20 || l.SyncEvery != 20*time.Millisecond || !l.SyncEachAnswer || l.MaxProfiles != 1000 || c.Decisions.Dir != "log" {
		t.Errorf("decision log: %+v", l)
	}
	if e := c.engine(); e.Poll != time.Second || e.Lead != 2*time.Minute {
		t.Errorf("engine: %+v", e)
	}
	if k := c.Cache; k.MaxBytes != 1<<20 || time.Duration(k.Staleness) != 2*time.Second || time.Duration(k.MaxAge) != time.Minute || time.Duration(k.FillTimeout) != 3*time.Second || k.MaxFills != 16 {
		t.Errorf("cache: %+v", k)
	}
	if limit := c.maxSkew(); limit != 200*time.Millisecond {
		t.Errorf("clock skew: %s", limit)
	}
	if limit := (&config{}).maxSkew(); limit != 250*time.Millisecond {
		t.Errorf("clock skew by default: %s", limit)
	}
	var o sqlstore.OpenConfig
	c.Database.into(&o)
	if o.ReadConns != 8 || o.WriteConns != 6 || o.StatementTimeout != 4*time.Second || o.LockTimeout != 3*time.Second || !o.NoNotify {
		t.Errorf("database: %+v", o)
	}
	if tr := c.traces("v"); tr.Endpoint != "127.0.0.1:4317" || !tr.Insecure || tr.SampleRatio != 0.5 || tr.Version != "v" {
		t.Errorf("traces: %+v", tr)
	}
	if d, err := c.demo(20260101); err != nil || d.Customers != 500 || d.Products != 40 || d.Seed != 7 || d.AsOf != fund.Date(20260630) {
		t.Errorf("demo: %+v, %v", d, err)
	}
	if c.Store != "sqlite:x.db" || time.Duration(c.SlowRequest) != 250*time.Millisecond {
		t.Errorf("store %q", c.Store)
	}
}

func sameServer(a, b *server.Config) bool {
	return a.HTTP == b.HTTP && a.GRPC == b.GRPC && a.Ops == b.Ops && a.Limits == b.Limits && a.Drain == b.Drain && a.SlowRequest == b.SlowRequest
}

// What is absent is the default, whatever the way of saying nothing.
func TestConfigOfNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "# only a comment\n", "{}\n", "http:\n", "---\n"} {
		c, err := readConfig(configFile(t, text))
		if err != nil || *c != (config{}) {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
}

func TestConfigRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct{ text, want string }{
		{"http:\n  port: x\n", `:2:3: unknown setting "port"`},
		{"https: {}\n", `:1:1: unknown setting "https"`},
		{"http:\n  header_timeout: 5\n", `:2:19: "5", expected a time span with its unit`},
		{"http:\n  header_timeout: -5s\n", `:2:19: "-5s", expected a time span`},
		{"http:\n  header_timeout: 2h\n", `:2:19: http.header_timeout: "2h0m0s", expected 0 (default) to 1h`},
		{"http:\n  max_header_bytes: many\n", `:2:21: "many", expected a whole number`},
		{"grpc:\n  max_streams: 4294967296\n", `:2:16: "4294967296", expected a whole number from 0 to 4294967295`},
		{"http:\n  max_header_bytes: 1.5\n", `:2:21: "1.5", expected a whole number`},
		{"http:\n  max_header_bytes: 1048577\n", `:2:21: http.max_header_bytes: "1048577", expected 0 (default) to 1048576`},
		{"grpc: {reflection: sometimes}\n", `:1:20: "sometimes", expected true or false`},
		{"http: 8080\n", `:1:7: "8080", expected settings of their own below it`},
		{"http:\n  address: 0.0.0.0:8080\n", `:2:12: http.address: "0.0.0.0:8080", expected an address on loopback`},
		{"ops:\n  address: example.org:1\n", `:2:12: ops.address: "example.org:1", expected an address on loopback`},
		{"store: mysql:x\n", `:1:8: store: "mysql:x", expected sqlite:PATH`},
		{"store: a\nstore: b\n", `:2:1: mapping key "store" already defined`},
		{"store: sqlite:x\n---\nstore: sqlite:y\n", `: a second YAML document, expected one`},
		{"http: [\n", `:1:7: `},
		{"log: {level: loud}\n", `:1:14: "loud", expected debug, info, warn or error`},
		{"demo: {products: 3}\n", `demo.products: "3", expected 20 to`},
		{"demo: {customers: -1}\n", `"-1", expected a whole number from 0`},
		{"demo: {as_of: 2026-02-30}\n", `demo.as_of: "2026-02-30", expected a day from`},
		{"decisions: {segment_bytes: 4095}\n", `decisions.segment_bytes: "4095", expected 4096 to`},
		{"decisions: {sync_every: 61s}\n", `decisions.sync_every: "1m1s", expected 1ms to 1m`},
		{"decisions: {max_profiles: 1}\n", `decisions.max_profiles: "1", expected 2 to`},
		{"database: {read_connections: 65}\n", `:1:30: database.read_connections: "65", expected 0 (default) to 64`},
		{"database: {write_connections: 65}\n", `database.write_connections: "65", expected 0 (default) to 64`},
		{"database: {statement_timeout: 9ms}\n", `database.statement_timeout: "9ms", expected 10ms to 10m`},
		{"database: {statement_timeout: 601s}\n", `database.statement_timeout: "10m1s", expected 10ms to 10m`},
		{"database: {lock_timeout: 61s}\n", `database.lock_timeout: "1m1s", expected 1ms to 1m`},
		{"cache: {staleness: 500ms}\ndatabase: {max_clock_skew: 251ms}\n", `database.max_clock_skew: "251ms", expected 1ms to half of cache.staleness, 250ms`},
		{"database: {notify: perhaps}\n", `"perhaps", expected true or false`},
		{"database: {pool: 3}\n", `unknown setting "pool"`},
		{"store: postgres://u:secret@[x/y\n", `:1:8: store: "postgres...", expected sqlite:PATH`},
		{"store: host=h password=secret\n", `:1:8: store: "host...", expected sqlite:PATH`},
		{"cache: {max_bytes: 65535}\n", `cache.max_bytes: "65535", expected 65536 to`},
		{"cache: {staleness: 1us}\n", `cache.staleness: "1µs", expected 1ms to`},
		{"cache: {max_fills: 65537}\n", `cache.max_fills: "65537", expected`},
		{"engine: {poll: 61m}\n", `engine.poll: "1h1m0s", expected at most 1h`},
		{"traces: {sample_ratio: 1.1}\n", `traces.sample_ratio: "1.1", expected 0 (default) to 1`},
		{"limits: {peer_rate: .nan}\n", `limits.peer_rate: "NaN", expected`},
		{"a: " + strings.Repeat("x", maxConfigBytes) + "\n", `expected at most 1048576`},
	}
	for _, c := range cases {
		name := configFile(t, c.text)
		_, err := readConfig(name)
		if err == nil {
			t.Errorf("%.60q was accepted", c.text)
			continue
		}
		if got := err.Error(); !strings.HasPrefix(got, name) || !strings.Contains(got, c.want) || strings.Contains(got, "\n") || strings.Contains(got, "secret") || codeOf(err) != exitUsage {
			t.Errorf("%.60q: exit code %d, %q, want %q", c.text, codeOf(err), got, c.want)
		}
	}
	if _, err := readConfig("no-such-file.yaml"); err == nil || codeOf(err) != exitUsage {
		t.Errorf("a file that is not there: %v", err)
	}
}

// A flag counts more than the file.
func TestFlagsOverConfig(t *testing.T) {
	t.Parallel()
	o := serveOptions{config: filepath.Join("testdata", "full.yaml"), http: "127.0.0.1:1", store: "memory:", decisions: "elsewhere"}
	c, err := o.settings()
	if err != nil || c.HTTP.Address != "127.0.0.1:1" || c.GRPC.Address != "127.0.0.1:19090" || c.Store != "memory:" || c.Decisions.Dir != "elsewhere" {
		t.Errorf("%+v, %v", c, err)
	}
	o.ops = "10.0.0.1:9100"
	if _, err := o.settings(); err == nil || codeOf(err) != exitUsage {
		t.Errorf("an exposed flag: %v", err)
	}
}

// FuzzConfig: whatever the file says, it is refused in one line or usable.
func FuzzConfig(f *testing.F) {
	f.Add("store: sqlite:x.db\nhttp: {address: \"127.0.0.1:1\"}\n")
	f.Add("cache: {staleness: 1s}\n---\n")
	f.Add("a: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		name := configFile(t, text)
		c, err := readConfig(name)
		switch {
		case err != nil && (codeOf(err) != exitUsage || strings.Contains(oneLine(err.Error()), "\n")):
			t.Errorf("%q: exit code %d, %v", text, codeOf(err), err)
		case err == nil:
			listeners := c.server()
			if err := listeners.Check(); err != nil {
				t.Errorf("%q was accepted, and the server refuses it: %v", text, err)
			}
		}
	})
}
