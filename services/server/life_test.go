package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/fundmatch/fundmatch/features"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/telemetry"
)

// held is a service whose Recommend waits until it is let go.
type held struct {
	fake
	entered chan struct{}
	release chan struct{}
}

func newHeld() *held {
	h := &held{entered: make(chan struct{}, 8), release: make(chan struct{})}
	h.recommend = func(ctx context.Context, r *fundmatchv1.RecommendRequest) (*fundmatchv1.RecommendResponse, error) {
		h.entered <- struct{}{}
		select {
		case <-h.release:
			return &fundmatchv1.RecommendResponse{CustomerId: r.GetCustomerId()}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return h
}

func TestLoadIsShedBeforeWork(t *testing.T) {
	t.Parallel()
	cfg := local()
	cfg.Limits.MaxInFlight = 1
	h := newHeld()
	r := start(t, &h.fake, options{cfg: cfg})
	first := make(chan error, 1)
	go func() {
		_, err := r.recommend().Recommend(context.Background(), &fundmatchv1.RecommendRequest{CustomerId: "c"})
		first <- err
	}()
	<-h.entered
	a := r.do("GET", recommendPath, "")
	if a.code != 503 || a.failure(t).reason() != "OVERLOADED" || a.header.Get("Retry-After") != "1" {
		t.Errorf("REST: HTTP %d %s", a.code, a.body)
	}
	_, err := r.recommend().Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: "c"})
	if st := status.Convert(err); st.Code() != codes.ResourceExhausted || reasonOf(st) != "OVERLOADED" || retryOf(st) != time.Second {
		t.Errorf("gRPC: %v", err)
	}
	if a := r.do("GET", "/healthz", ""); a.code != 200 {
		t.Errorf("health is shed too: HTTP %d", a.code)
	}
	close(h.release)
	if err := <-first; err != nil {
		t.Errorf("the request that was running: %v", err)
	}
	if a := r.do("GET", recommendPath, ""); a.code != 200 {
		t.Errorf("afterwards: HTTP %d %s", a.code, a.body)
	}
	if m := r.doAt(r.addr.Ops.String(), "GET", "/metrics", "").body; !strings.Contains(m, "fundmatch_requests_shed_total 2") || !strings.Contains(m, "fundmatch_requests_in_flight 0") {
		t.Error("the metrics do not show two shed requests and none in flight")
	}
}

func TestDrainFinishesWhatRuns(t *testing.T) {
	t.Parallel()
	cfg := local()
	cfg.Drain.Delay = 200 * time.Millisecond
	h := newHeld()
	r := start(t, &h.fake, options{cfg: cfg})
	health := healthpb.NewHealthClient(r.conn)
	if got, err := health.Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil || got.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Fatalf("health %v, %v", got, err)
	}
	watch, err := health.Watch(context.Background(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	overGRPC, overREST := make(chan error, 1), make(chan answer, 1)
	go func() {
		_, err := r.recommend().Recommend(context.Background(), &fundmatchv1.RecommendRequest{CustomerId: "c"})
		overGRPC <- err
	}()
	go func() { overREST <- r.do("GET", recommendPath, "") }()
	<-h.entered
	<-h.entered

	r.stop()
	eventually(t, "readyz says DRAINING while the listener is open", func() bool {
		a := r.doAt(r.addr.Ops.String(), "GET", "/readyz", "")
		return a.code == 503 && strings.Contains(a.body, stateDraining)
	})
	eventually(t, "no more connections are accepted", func() bool {
		c, err := net.Dial("tcp", r.addr.HTTP.String())
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	close(h.release)
	if err := <-overGRPC; err != nil {
		t.Errorf("the gRPC request that was running: %v", err)
	}
	if a := <-overREST; a.code != 200 {
		t.Errorf("the REST request that was running: HTTP %d %s", a.code, a.body)
	}
	if err := r.ended(); err != nil {
		t.Errorf("Run: %v", err)
	}
	for err = nil; err == nil; {
		_, err = watch.Recv() // the states, then the end
	}
}

func TestDrainCutsOffWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	cfg := local()
	cfg.Drain.Timeout = 50 * time.Millisecond
	h := newHeld()
	r := start(t, &h.fake, options{cfg: cfg})
	failed := make(chan error, 1)
	go func() {
		_, err := r.recommend().Recommend(context.Background(), &fundmatchv1.RecommendRequest{CustomerId: "c"})
		failed <- err
	}()
	<-h.entered
	r.stop()
	if err := <-failed; err == nil {
		t.Error("the request was answered")
	}
	if err := r.ended(); !errors.Is(err, ErrDrainTimeout) {
		t.Errorf("Run: %v, want ErrDrainTimeout", err)
	}
}

func TestReadinessFollowsTheChecks(t *testing.T) {
	t.Parallel()
	var broken atomic.Int32
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	r := start(t, &fake{}, options{checks: []Check{
		{"core", func(context.Context) error { return nil }},
		{"store", func(context.Context) error {
			switch broken.Load() {
			case 1:
				return fmt.Errorf("%w: postgres://user:hunter2@db", features.ErrUnavailable)
			case 2:
				panic("hunter2")
			case 3:
				<-hang
			}
			return nil
		}},
	}})
	state := func() answer { return r.do("GET", "/readyz", "") }
	if a := state(); a.code != 200 || a.body != `{"status":"READY","checks":[{"name":"core","status":"OK"},{"name":"store","status":"OK"}]}`+"\n" {
		t.Errorf("at the start: HTTP %d %s", a.code, a.body)
	}
	health := healthpb.NewHealthClient(r.conn)
	for i, reason := range []string{"STORE_UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED"} {
		broken.Store(int32(i + 1))
		want := `{"status":"NOT_READY","checks":[{"name":"core","status":"OK"},{"name":"store","status":"FAILED","reason":"` + reason + `"}]}` + "\n"
		eventually(t, reason, func() bool { a := state(); return a.code == 503 && a.body == want })
		for _, service := range []string{"", fundmatchv1.RecommendationService_ServiceDesc.ServiceName} {
			eventually(t, "gRPC health of "+service, func() bool {
				got, err := health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: service})
				return err == nil && got.GetStatus() == healthpb.HealthCheckResponse_NOT_SERVING
			})
		}
		if a := r.do("GET", "/healthz", ""); a.code != 200 {
			t.Errorf("a process that is not ready is not alive: HTTP %d", a.code)
		}
		if i < 2 {
			broken.Store(0)
			eventually(t, "ready again", func() bool { return state().code == 200 })
		}
	}
	if strings.Contains(r.logs.String(), "hunter2") {
		t.Error("the log holds a check's error text")
	}
}

// TestSlowAndOversizedRequestsAreCutOff speaks HTTP by hand.
func TestSlowAndOversizedRequestsAreCutOff(t *testing.T) {
	t.Parallel()
	cfg := local()
	cfg.HTTP.HeaderTimeout, cfg.HTTP.ReadTimeout = 100*time.Millisecond, 200*time.Millisecond
	cfg.HTTP.MaxHeaderBytes = 1024
	r := start(t, &fake{}, options{cfg: cfg})
	for _, c := range []struct{ name, sent, want string }{
		{"a header that never ends", "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ", ""},
		{"a header that is too large", "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("a", 8192) + "\r\n\r\n", "HTTP/1.1 431"},
		{"a body that never ends", "PUT /v1/customers/c/tags HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{}", "HTTP/1.1 400"},
		{"a body announced too large", "PUT /v1/customers/c/tags HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n{}", "HTTP/1.1 413"},
		{"a chunked body too large", "PUT /v1/customers/c/tags HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n" + strings.Repeat(" ", 0x100001) + "\r\n0\r\n\r\n", "HTTP/1.1 413"},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "HTTP/1.1 400"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", r.addr.HTTP.String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			go func() { _, _ = conn.Write([]byte(c.sent)) }()
			line, err := bufio.NewReader(conn).ReadString('\n')
			if c.want == "" && (!errors.Is(err, io.EOF) || line != "") && !strings.HasPrefix(line, "HTTP/1.1 408") {
				t.Errorf("%q, %v: want the connection closed", line, err)
			}
			if c.want != "" && !strings.HasPrefix(line, c.want) {
				t.Errorf("%q, %v: want %s", line, err, c.want)
			}
		})
	}
}

func TestGRPCLimits(t *testing.T) {
	t.Parallel()
	cfg := local()
	cfg.GRPC.MaxMessage = 1000
	r := start(t, &fake{}, options{cfg: cfg})
	if _, err := r.recommend().Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: strings.Repeat("x", 990)}); err != nil {
		t.Errorf("a message at the limit: %v", err)
	}
	if _, err := r.recommend().Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: strings.Repeat("x", 1000)}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a message above the limit: %v", err)
	}
	if err := r.conn.Invoke(t.Context(), "/fundmatch.v1.PoolService/GetPool", &fundmatchv1.GetPoolRequest{}, &fundmatchv1.GetPoolResponse{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("a service that is not there: %v", err)
	}
	if err := r.conn.Invoke(t.Context(), "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", &fundmatchv1.GetPoolRequest{}, &fundmatchv1.GetPoolResponse{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("reflection is on: %v", err)
	}
	_, err := fundmatchv1.NewCustomerServiceClient(r.conn).PutGoals(t.Context(), &fundmatchv1.PutGoalsRequest{})
	if status.Code(err) != codes.Unimplemented || reasonOfError(err) != "NOT_IMPLEMENTED" {
		t.Errorf("a method without a handler: %v", err)
	}
}

func TestPeersAreLimited(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_600_000_000, 0)
	l := newPeerLimiter(LimitsConfig{PeerRate: 2, PeerBurst: 3}, func() time.Time { return now })
	from := func(ip string) context.Context {
		return peer.NewContext(t.Context(), &peer.Peer{Addr: &net.TCPAddr{IP: net.ParseIP(ip), Port: 1234}})
	}
	allowed := func(ctx context.Context) (n int) {
		for range 10 {
			if l.allow(ctx) {
				n++
			}
		}
		return n
	}
	if got := allowed(from("10.0.0.1")); got != 3 {
		t.Errorf("%d of a burst of 3 were allowed", got)
	}
	if got := allowed(from("::ffff:10.0.0.1")); got != 0 {
		t.Errorf("the same address in another form: %d", got)
	}
	if got := allowed(from("10.0.0.2")); got != 3 {
		t.Errorf("another peer: %d", got)
	}
	now = now.Add(time.Second)
	if got := allowed(from("10.0.0.1")); got != 2 {
		t.Errorf("a second later: %d, want 2", got)
	}
	if got := allowed(t.Context()); got != 3 {
		t.Errorf("without an address: %d", got)
	}
	for i := range 2 * maxPeers {
		l.allow(from(fmt.Sprintf("10.%d.%d.%d", 1+i>>16, i>>8&255, i&255)))
	}
	if len(l.peers) > maxPeers {
		t.Errorf("%d buckets are kept, at most %d", len(l.peers), maxPeers)
	}
	now = now.Add(time.Minute)
	l.allow(from("192.168.0.1"))
	if len(l.peers) != 1 {
		t.Errorf("%d buckets are kept though all were idle", len(l.peers))
	}
	if newPeerLimiter(LimitsConfig{}, time.Now) != nil {
		t.Error("nothing is limited, but there is a limiter")
	}
}

func TestRateLimitAnswers429(t *testing.T) {
	t.Parallel()
	cfg := local()
	cfg.Limits.PeerRate, cfg.Limits.PeerBurst = 0.001, 1
	r := start(t, &fake{}, options{cfg: cfg})
	if a := r.do("GET", recommendPath, ""); a.code != 200 {
		t.Errorf("the first: HTTP %d", a.code)
	}
	if a := r.do("GET", recommendPath, ""); a.code != 429 || a.failure(t).reason() != "RATE_LIMITED" {
		t.Errorf("the second: HTTP %d %s", a.code, a.body)
	}
}

func TestConfigIsStrict(t *testing.T) {
	t.Parallel()
	build := func(change func(*Config)) error {
		cfg := local()
		change(&cfg)
		_, err := New(Services{Register: (&fake{}).register}, slog.New(slog.DiscardHandler), telemetry.NewMetrics(time.Now), telemetry.NoTracing(), cfg)
		return err
	}
	var exposed *ExposedError
	for _, address := range []string{":8080", "0.0.0.0:8080", "[::]:8080", "192.168.1.2:8080", "bank.example:8080", "[::ffff:10.0.0.1]:80"} {
		for _, set := range []func(*Config){
			func(c *Config) { c.HTTP.Address = address }, func(c *Config) { c.GRPC.Address = address }, func(c *Config) { c.Ops.Address = address },
		} {
			if err := build(set); !errors.As(err, &exposed) || exposed.Address != address || !strings.Contains(err.Error(), "authentication and TLS") {
				t.Errorf("%s: %v", address, err)
			}
		}
	}
	for _, address := range []string{"127.0.0.1:0", "localhost:0", "[::1]:0", "127.9.9.9:80"} {
		if err := build(func(c *Config) { c.HTTP.Address = address }); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for name, set := range map[string]func(*Config){
		"http.address":            func(c *Config) { c.HTTP.Address = "127.0.0.1" },
		"http.read_timeout":       func(c *Config) { c.HTTP.ReadTimeout = -1 },
		"http.write_timeout":      func(c *Config) { c.HTTP.WriteTimeout = maxDuration + 1 },
		"http.max_body_bytes":     func(c *Config) { c.HTTP.MaxBodyBytes = maxBytes + 1 },
		"grpc.max_message":        func(c *Config) { c.GRPC.MaxMessage = -1 },
		"limits.max_in_flight":    func(c *Config) { c.Limits.MaxInFlight = -1 },
		"limits.peer_rate":        func(c *Config) { c.Limits.PeerRate = -0.5 },
		"limits.default_deadline": func(c *Config) { c.Limits.DefaultDeadline, c.Limits.MaxDeadline = 2*time.Second, time.Second },
		"drain.timeout":           func(c *Config) { c.Drain.Timeout = -time.Second },
	} {
		var wrong *ConfigError
		if err := build(set); !errors.As(err, &wrong) || wrong.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := Default(); got.HTTP.Address != "127.0.0.1:8080" || got.GRPC.Address != "127.0.0.1:9090" || got.Ops.Address != "127.0.0.1:9100" || got.HTTP.MaxBodyBytes != 1<<20 {
		t.Errorf("defaults %+v", got)
	}
	if err := build(func(c *Config) { c.Limits.MaxDeadline = time.Second }); err != nil {
		t.Errorf("a longest deadline below the default one's default: %v", err)
	}
}

func TestWrongRegistrationsAreErrors(t *testing.T) {
	t.Parallel()
	for name, register := range map[string]func(grpc.ServiceRegistrar){
		"twice":   func(r grpc.ServiceRegistrar) { (&fake{}).register(r); (&fake{}).register(r) },
		"nothing": func(r grpc.ServiceRegistrar) { r.RegisterService(&fundmatchv1.PoolService_ServiceDesc, nil) },
		"another": func(r grpc.ServiceRegistrar) { r.RegisterService(&fundmatchv1.PoolService_ServiceDesc, &fake{}) },
		"streams": func(r grpc.ServiceRegistrar) {
			r.RegisterService(&healthpb.Health_ServiceDesc, healthpb.UnimplementedHealthServer{})
		},
	} {
		if _, err := New(Services{Register: register}, slog.New(slog.DiscardHandler), telemetry.NewMetrics(time.Now), telemetry.NoTracing(), local()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAServerRunsOnceAndGivesItsPortsBack(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := local()
	cfg.Ops.Address = taken.Addr().String()
	s, err := New(Services{Register: (&fake{}).register}, slog.New(slog.DiscardHandler), telemetry.NewMetrics(time.Now), telemetry.NoTracing(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), func(Addresses) { t.Error("ready, though a port is taken") }); err == nil || !strings.Contains(err.Error(), "ops listener") {
		t.Errorf("a taken port: %v", err)
	}
	if err := s.Run(t.Context(), nil); !errors.Is(err, ErrStarted) {
		t.Errorf("again: %v", err)
	}
}

// TestLogsHoldNoPersonalValue sends values of every kind through every way to fail.
func TestLogsHoldNoPersonalValue(t *testing.T) {
	t.Parallel()
	secrets := []string{"CUST-4711", "C5-LEVEL", "tag-value-payroll", "hunter2"}
	cfg := local()
	cfg.SlowRequest = time.Nanosecond
	calls := 0
	f := &fake{putTags: func(_ context.Context, r *fundmatchv1.PutTagsRequest) (*fundmatchv1.PutTagsResponse, error) {
		text := fmt.Sprintf("%s %v", r.GetCustomerId(), r.GetTags())
		switch calls++; calls {
		case 1:
			return nil, features.Invalid("tags[0].value", text, "something else")
		case 2:
			return nil, &features.NotFoundError{Kind: features.CustomerKind, ID: r.GetCustomerId()}
		case 3:
			return nil, fmt.Errorf("%w: cell %s", features.ErrInvalid, text)
		case 4:
			return nil, errors.New(text)
		case 5:
			panic(text)
		case 6:
			panic(errors.New(text))
		}
		return &fundmatchv1.PutTagsResponse{}, nil
	}}
	r := start(t, f, options{cfg: cfg})
	body := `{"tags":[{"name":"level","value":"C5-LEVEL"},{"name":"t","value":"tag-value-payroll"}]}`
	for range 8 {
		r.do("PUT", "/v1/customers/CUST-4711/tags", body, "Cookie", "hunter2")
	}
	r.do("PUT", "/v1/customers/CUST-4711/tags", `{"tags":[{"CUST-4711":1}]}`)
	r.do("GET", "/v1/customers/CUST-4711/nothing?x=hunter2", "")
	r.do("GET", "/v1/customers/CUST-4711/recommendations?limit=C5-LEVEL", "")
	logs := r.logs.String()
	for _, secret := range secrets {
		if strings.Contains(logs, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if n := strings.Count(logs, `"msg":"request"`); n != 8 {
		t.Errorf("%d requests are in the log, want 8:\n%s", n, logs)
	}
}
