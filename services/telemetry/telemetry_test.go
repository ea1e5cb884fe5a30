package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/propagation"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secret is a value of a customer that may be in no log.
type secret string

func (s secret) LogValue() slog.Value { return slog.StringValue("resolved-" + string(s)) }

func (s secret) Error() string { return string(s) }

func TestLogsKeepOnlyWhatIsAllowed(t *testing.T) {
	t.Parallel()
	personal := []string{"02DF6316A92C55491047", "C4", "payroll-large"}
	customer, level, tag := personal[0], personal[1], personal[2]
	var out bytes.Buffer
	log := telemetry.NewLogger(&out, slog.LevelDebug)
	log.LogAttrs(t.Context(), slog.LevelInfo, "read",
		slog.String("customer_id", customer), slog.String("risk_level", level), slog.Any("tag", fund.Tag{Name: "t", Value: tag}),
		slog.Any("error", fmt.Errorf("customer %s has %s: %w", customer, level, features.ErrUnavailable)),
		slog.Any("reason", fund.Tag{Value: tag}), slog.Any("stage", []string{tag}), slog.Any("payload", secret(tag)),
		slog.Group("profile", slog.String("level", level), slog.String("code", "OK")),
		slog.String("request_id", "req-12345678"), slog.Int("count", 3), slog.Duration("timeout", time.Second))
	log.With("customer", customer, "component", "cache").WithGroup("g").Info("again", "level", level, "endpoint", "here")
	log.With(slog.Group("who", slog.String("id", customer))).Debug("third")
	text := out.String()
	for _, p := range personal {
		if strings.Contains(text, p) {
			t.Errorf("the log holds %q:\n%s", p, text)
		}
	}
	for _, want := range []string{`"request_id":"req-12345678"`, `"count":3`, `"error":"store unavailable"`, `"customer_id":"[redacted]"`, `"component":"cache"`, `"endpoint":"here"`, `"profile":{"level":"[redacted]","code":"OK"}`} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %s:\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

func TestLogTextsAreBounded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	telemetry.NewLogger(&out, slog.LevelInfo).Info("long", "stack", strings.Repeat("x", 1<<20))
	if out.Len() > 5000 {
		t.Errorf("a line of %d bytes", out.Len())
	}
	telemetry.NewLogger(&out, slog.LevelError).Info("below the level")
	if strings.Contains(out.String(), "below") {
		t.Error("the level is ignored")
	}
}

// codedError is what a database driver returns.
type codedError struct{ text string }

func (e *codedError) Error() string { return e.text }
func (e *codedError) Code() int     { return 13 }

func TestKindsNameAnErrorWithoutItsValues(t *testing.T) {
	t.Parallel()
	const value = "02DF6316A92C55491047"
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{io.EOF, "EOF"},
		{errors.New(value), "*errors.errorString"},
		{fmt.Errorf("%s: %w", value, context.DeadlineExceeded), "context deadline exceeded"},
		{fmt.Errorf("%w: %w", features.ErrUnavailable, &codedError{value}), "store unavailable < *telemetry_test.codedError(13)"},
		{errors.Join(errors.New(value), features.ErrNoPool), "*errors.errorString < no pool is published"},
		{&fs.PathError{Op: "open", Path: "/customers/" + value, Err: syscall.ENOSPC}, "open < no space left on device"},
		{&features.NotFoundError{Kind: features.CustomerKind, ID: value}, "*features.NotFoundError"},
		{secret(value), "telemetry_test.secret"},
	} {
		if got := telemetry.Kinds(c.err); got != c.want || strings.Contains(got, value) {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
	err := features.ErrNoPool
	for range 1000 {
		err = errors.Join(err, &codedError{"x"}, secret("y"))
	}
	if got := telemetry.Kinds(err); len(got) > 200 {
		t.Errorf("a deep tree gives %d bytes", len(got))
	}
}

func scrape(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	return w.Body.String()
}

func TestMetricsShowWhatWasMeasured(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 30, 0, time.UTC)
	m := telemetry.NewMetrics(func() time.Time { return now })
	if text := scrape(t, m); !strings.Contains(text, "fundmatch_core_degraded 0") || strings.Contains(text, "fundmatch_core_age_seconds ") {
		t.Error("without a core there is an age, or no state")
	}
	method := m.Requests.Method("/x/Y")
	method.Done(codes.OK, 40*time.Microsecond)
	method.Done(codes.NotFound, time.Millisecond)
	method.Done(codes.Code(99), time.Millisecond)
	m.Requests.Shed.Inc()
	m.Exclusions("S02").Add(7)
	m.ObserveStage(telemetry.MatchStage, 9*time.Microsecond)
	m.Cache.Hits.Inc()
	m.ChangeLog.Polled.Inc()
	m.ChangeLog.Failed.Inc()
	m.ChangeLog.Lag.Observe(0.004)
	followed := false
	m.ChangeLog.WatchAge(func() (time.Duration, bool) { return 250 * time.Millisecond, followed })
	if !strings.Contains(scrape(t, m), "fundmatch_change_log_age_seconds +Inf") {
		t.Error("a change log that was never read has an age")
	}
	followed = true
	m.DecisionLog.Fsync.Observe(0.0004)
	state := telemetry.CoreState{Revision: &telemetry.CoreRevision{
		Pool: "7", Model: "m", Rules: "r", Engine: "v1", AsOf: now.Add(-30 * time.Second), DataSeq: 12,
	}, Quarantined: 3}
	state.Lineup = []telemetry.LineupModel{{Role: "arm", Model: "a"}, {Role: "arm", Model: "b"}, {Role: "shadow", Model: "d"}}
	state.Refused = []string{"EXPERIMENTS", "EXPERIMENTS", "MODEL"}
	m.Shadow.Overlap.Observe(.8)
	m.Core.Watch(func() telemetry.CoreState { return state })
	text := scrape(t, m)
	for _, want := range []string{
		`fundmatch_requests_total{code="OK",method="/x/Y"} 1`, `fundmatch_requests_total{code="NotFound",method="/x/Y"} 1`,
		`fundmatch_requests_total{code="Unknown",method="/x/Y"} 1`, `fundmatch_request_seconds_bucket{method="/x/Y",le="5e-05"} 1`,
		"fundmatch_requests_shed_total 1", `fundmatch_exclusions_total{rule="S02"} 7`, `fundmatch_stage_seconds_bucket{stage="match",le="1e-05"} 1`,
		`fundmatch_stage_seconds_count{stage="profile"} 0`, "fundmatch_profile_cache_hits_total 1", `fundmatch_decision_log_fsync_seconds_bucket{le="0.0005"} 1`,
		`fundmatch_core_info{engine="v1",model="m",pool="7",rules="r"} 1`, "fundmatch_core_age_seconds 30", "fundmatch_core_data_seq 12",
		`fundmatch_change_log_polls_total{result="done"} 1`, `fundmatch_change_log_polls_total{result="failed"} 1`, "fundmatch_change_log_age_seconds 0.25",
		`fundmatch_change_log_lag_seconds_bucket{le="0.005"} 1`, "fundmatch_change_log_wakes_total 0", "fundmatch_profile_cache_refused_total 0",
		"fundmatch_core_degraded 0", "fundmatch_pool_quarantined 3", "go_goroutines",
		`fundmatch_lineup_info{model="a",role="arm"} 1`, `fundmatch_lineup_info{model="b",role="arm"} 1`, `fundmatch_lineup_info{model="d",role="shadow"} 1`,
		`fundmatch_lineup_refused{kind="EXPERIMENTS"} 2`, `fundmatch_lineup_refused{kind="MODEL"} 1`,
		"fundmatch_shadow_violations_total 0", `fundmatch_shadow_overlap_bucket{le="0.7"} 0`, `fundmatch_shadow_overlap_bucket{le="0.9"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	state.Degraded = true
	if !strings.Contains(scrape(t, m), "fundmatch_core_degraded 1") {
		t.Error("the core is not shown as degraded")
	}
}

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestTraceIDs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ header, want string }{
		{traceparent, "0af7651916cd43dd8448eb211c80319c"},
		{"", ""},
		{"garbage", ""},
		{strings.Replace(traceparent, "0af7651916cd43dd8448eb211c80319c", strings.Repeat("0", 32), 1), ""},
		{strings.Replace(traceparent, "b7ad", "zzzz", 1), ""},
		{"ff" + traceparent[2:], ""},
		{traceparent + strings.Repeat("-", 100), ""},
	} {
		if got := telemetry.TraceID(c.header); got != c.want {
			t.Errorf("%q: %q, want %q", c.header, got, c.want)
		}
	}
}

// FuzzTraceID: whatever comes, the result is empty or 32 hex digits.
func FuzzTraceID(f *testing.F) {
	f.Add(traceparent)
	f.Add("00-00000000000000000000000000000000-b7ad6b7169203331-01")
	f.Fuzz(func(t *testing.T, header string) {
		if got := telemetry.TraceID(header); got != "" && (len(got) != 32 || strings.Trim(got, "0123456789abcdef") != "") {
			t.Errorf("%q gives %q", header, got)
		}
	})
}

func TestTracingIsOffUnlessAsked(t *testing.T) {
	t.Parallel()
	tracing, err := telemetry.NewTracing(t.Context(), slog.New(slog.DiscardHandler), telemetry.TraceConfig{})
	if err != nil || tracing.Enabled() {
		t.Fatalf("%v, on: %v", err, tracing.Enabled())
	}
	ctx, span := tracing.Start(t.Context(), "m", propagation.MapCarrier{})
	telemetry.End(span, "OK", "")
	if ctx == nil || span.IsRecording() || tracing.Close(t.Context()) != nil {
		t.Error("a span of a tracing that is off does something")
	}
	for _, cfg := range []telemetry.TraceConfig{
		{Endpoint: "collector"},
		{Endpoint: ":4317"},
		{Endpoint: "collector:4317", Insecure: true},
		{Endpoint: "127.0.0.1:4317", Insecure: true, SampleRatio: 1.01},
		{Endpoint: "127.0.0.1:4317", Insecure: true, SampleRatio: -0.01},
	} {
		var wrong *telemetry.ConfigError
		if _, err := telemetry.NewTracing(t.Context(), slog.New(slog.DiscardHandler), cfg); !errors.As(err, &wrong) || wrong.Expected == "" || wrong.Error() == "" {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}

// collector takes spans.
type collector struct {
	coltracepb.UnimplementedTraceServiceServer
	got chan *coltracepb.ExportTraceServiceRequest
}

func (c *collector) Export(_ context.Context, r *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	c.got <- r
	return &coltracepb.ExportTraceServiceResponse{}, nil
}

func TestSpansReachTheCollectorAsChildrenOfTheCaller(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, c := grpc.NewServer(), &collector{got: make(chan *coltracepb.ExportTraceServiceRequest, 1)}
	coltracepb.RegisterTraceServiceServer(server, c)
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	tracing, err := telemetry.NewTracing(t.Context(), slog.New(slog.DiscardHandler),
		telemetry.TraceConfig{Endpoint: listener.Addr().String(), Insecure: true, SampleRatio: 1, Version: "v9"})
	if err != nil || !tracing.Enabled() {
		t.Fatal(err)
	}
	_, span := tracing.Start(t.Context(), "/x/Y", propagation.MapCarrier{"traceparent": traceparent})
	telemetry.End(span, "NotFound", "CUSTOMER_NOT_FOUND")
	if err := tracing.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := (<-c.got).GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0]
	if got.GetName() != "/x/Y" || fmt.Sprintf("%x", got.GetTraceId()) != traceparent[3:35] || fmt.Sprintf("%x", got.GetParentSpanId()) != traceparent[36:52] || got.GetStatus().GetMessage() != "CUSTOMER_NOT_FOUND" {
		t.Errorf("span %v", got)
	}
}
