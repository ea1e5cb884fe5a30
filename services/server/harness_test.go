package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake answers every method by the function that a test gives it.
type fake struct {
	fundmatchv1.UnimplementedRecommendationServiceServer
	fundmatchv1.UnimplementedDecisionServiceServer
	fundmatchv1.UnimplementedCustomerServiceServer

	recommend func(context.Context, *fundmatchv1.RecommendRequest) (*fundmatchv1.RecommendResponse, error)
	explain   func(context.Context, *fundmatchv1.ExplainRequest) (*fundmatchv1.ExplainResponse, error)
	replay    func(context.Context, *fundmatchv1.ReplayDecisionRequest) (*fundmatchv1.ReplayDecisionResponse, error)
	putTags   func(context.Context, *fundmatchv1.PutTagsRequest) (*fundmatchv1.PutTagsResponse, error)
	deleteTag func(context.Context, *fundmatchv1.DeleteTagRequest) (*fundmatchv1.DeleteTagResponse, error)
}

func (f *fake) Recommend(ctx context.Context, r *fundmatchv1.RecommendRequest) (*fundmatchv1.RecommendResponse, error) {
	if f.recommend == nil {
		return &fundmatchv1.RecommendResponse{CustomerId: r.GetCustomerId(), DecisionId: "d-1"}, nil
	}
	return f.recommend(ctx, r)
}

func (f *fake) Explain(ctx context.Context, r *fundmatchv1.ExplainRequest) (*fundmatchv1.ExplainResponse, error) {
	if f.explain == nil {
		return &fundmatchv1.ExplainResponse{CustomerId: r.GetCustomerId(), Product: &fundmatchv1.ProductSummary{Code: r.GetProductCode()}}, nil
	}
	return f.explain(ctx, r)
}

func (f *fake) ReplayDecision(ctx context.Context, r *fundmatchv1.ReplayDecisionRequest) (*fundmatchv1.ReplayDecisionResponse, error) {
	if f.replay == nil {
		return &fundmatchv1.ReplayDecisionResponse{DecisionId: r.GetDecisionId()}, nil
	}
	return f.replay(ctx, r)
}

func (f *fake) PutTags(ctx context.Context, r *fundmatchv1.PutTagsRequest) (*fundmatchv1.PutTagsResponse, error) {
	if f.putTags == nil {
		return &fundmatchv1.PutTagsResponse{Receipt: &fundmatchv1.Receipt{Revision: uint64(len(r.GetTags()))}}, nil
	}
	return f.putTags(ctx, r)
}

func (f *fake) DeleteTag(ctx context.Context, r *fundmatchv1.DeleteTagRequest) (*fundmatchv1.DeleteTagResponse, error) {
	return f.deleteTag(ctx, r)
}

func (f *fake) register(r grpc.ServiceRegistrar) {
	fundmatchv1.RegisterRecommendationServiceServer(r, f)
	fundmatchv1.RegisterDecisionServiceServer(r, f)
	fundmatchv1.RegisterCustomerServiceServer(r, f)
}

// running is a server that a test talks to.
type running struct {
	t       *testing.T
	addr    Addresses
	metrics *telemetry.Metrics
	logs    *lockedBuffer
	stop    context.CancelFunc
	done    chan error
	conn    *grpc.ClientConn
	http    *http.Client
}

// options are what a test changes.
type options struct {
	cfg    Config
	checks []Check
	with   func(*Services)
}

// local are settings under which tests can run side by side.
func local() Config {
	cfg := Config{}
	cfg.HTTP.Address, cfg.GRPC.Address, cfg.Ops.Address = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	cfg.Drain.Timeout = 5 * time.Second
	cfg.Ops.ReadyInterval = 10 * time.Millisecond
	return cfg
}

func start(t *testing.T, f *fake, o options) *running {
	t.Helper()
	if o.cfg.HTTP.Address == "" {
		o.cfg = local()
	}
	r := &running{t: t, metrics: telemetry.NewMetrics(time.Now), logs: &lockedBuffer{}, done: make(chan error, 1)}
	services := Services{Register: f.register, Checks: o.checks}
	if o.with != nil {
		o.with(&services)
	}
	s, err := New(services, telemetry.NewLogger(r.logs, slog.LevelDebug), r.metrics, telemetry.NoTracing(), o.cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	listening := make(chan Addresses, 1)
	go func() { r.done <- s.Run(ctx, func(a Addresses) { listening <- a }) }()
	select {
	case r.addr = <-listening:
	case err := <-r.done:
		t.Fatalf("Run ended: %v", err)
	}
	if r.conn, err = grpc.NewClient(r.addr.GRPC.String(), grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true}
	r.http = &http.Client{Transport: transport, Timeout: 10 * time.Second}
	t.Cleanup(func() {
		cancel()
		_ = r.conn.Close()
		transport.CloseIdleConnections()
		if r.done != nil {
			if err := <-r.done; err != nil {
				t.Errorf("Run: %v", err)
			}
		}
	})
	return r
}

// ended waits for Run and returns its error; the cleanup does not ask again.
func (r *running) ended() error {
	err := <-r.done
	r.done = nil
	return err
}

func (r *running) recommend() fundmatchv1.RecommendationServiceClient {
	return fundmatchv1.NewRecommendationServiceClient(r.conn)
}

// answer is an HTTP answer, read.
type answer struct {
	code   int
	header http.Header
	body   string
}

func (r *running) do(method, path, body string, headers ...string) answer {
	r.t.Helper()
	return r.doAt(r.addr.HTTP.String(), method, path, body, headers...)
}

func (r *running) doAt(address, method, path, body string, headers ...string) answer {
	r.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+address+path, reader)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := r.http.Do(req)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(got)}
}

// failure is google.rpc.Status as the REST API writes it.
type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Details []struct {
		Type            string `json:"@type"`
		Reason          string `json:"reason"`
		Domain          string `json:"domain"`
		RequestID       string `json:"requestId"`
		FieldViolations []struct {
			Field, Description string
		} `json:"fieldViolations"`
	} `json:"details"`
}

func (a answer) failure(t *testing.T) failure {
	t.Helper()
	var f failure
	if err := json.Unmarshal([]byte(a.body), &f); err != nil {
		t.Fatalf("HTTP %d %q is no status: %v", a.code, a.body, err)
	}
	return f
}

func (f failure) reason() string {
	for _, d := range f.Details {
		if d.Reason != "" {
			return d.Reason
		}
	}
	return ""
}

func (f failure) requestID() string {
	for _, d := range f.Details {
		if d.RequestID != "" {
			return d.RequestID
		}
	}
	return ""
}

func (f failure) field() string {
	for _, d := range f.Details {
		for _, v := range d.FieldViolations {
			return v.Field
		}
	}
	return ""
}

// reasonOfError returns the reason that a gRPC error gives.
func reasonOfError(err error) string { return reasonOf(status.Convert(err)) }

// lockedBuffer takes the log of a server.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// eventually waits until f is true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("not within 5 s: %s", what)
}
