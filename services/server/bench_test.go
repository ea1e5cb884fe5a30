package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/telemetry"
)

// newBenchmarkServer is a server that does not listen: benchmarks call its chain.
func newBenchmarkServer(b *testing.B) (*Server, *chain) {
	b.Helper()
	metrics := telemetry.NewMetrics(time.Now)
	services := Services{Register: (&fake{}).register}
	s, err := New(services, slog.New(slog.DiscardHandler), metrics, telemetry.NoTracing(), local())
	if err != nil {
		b.Fatal(err)
	}
	r := &registry{}
	services.Register(r)
	cfg, err := withDefaults(local())
	if err != nil {
		b.Fatal(err)
	}
	st := &steps{logger: slog.New(slog.DiscardHandler), metrics: metrics, tracing: telemetry.NoTracing(), cfg: cfg}
	if st.methods, err = methodStates(r, nil, telemetry.NewMetrics(time.Now)); err != nil {
		b.Fatal(err)
	}
	ch, err := st.chain()
	if err != nil {
		b.Fatal(err)
	}
	return s, ch
}

// BenchmarkChain is the chain around an empty handler, without a transport: the goal is
// at most 3 us a call.
func BenchmarkChain(b *testing.B) {
	_, ch := newBenchmarkServer(b)
	info := &grpc.UnaryServerInfo{FullMethod: fundmatchv1.RecommendationService_Recommend_FullMethodName}
	answer := &fundmatchv1.RecommendResponse{}
	handler := func(ctx context.Context, _ any) (any, error) { return answer, ctx.Err() }
	base := grpc.NewContextWithServerTransportStream(
		metadata.NewIncomingContext(context.Background(), metadata.MD{"user-agent": {"grpc-go"}}), &localStream{})
	withDeadline, cancel := context.WithTimeout(base, time.Hour) // longer than any run of the benchmark
	defer cancel()
	for name, ctx := range map[string]context.Context{"default deadline": base, "own deadline": withDeadline} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				stream := &localStream{}
				if _, err := ch.intercept(grpc.NewContextWithServerTransportStream(ctx, stream), nil, info, handler); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkGRPC compares a call over loopback with the chain and without.
func BenchmarkGRPC(b *testing.B) {
	_, ch := newBenchmarkServer(b)
	for name, options := range map[string][]grpc.ServerOption{"bare": nil, "chain": {grpc.UnaryInterceptor(ch.intercept)}} {
		b.Run(name, func(b *testing.B) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			server := grpc.NewServer(options...)
			(&fake{}).register(server)
			go func() { _ = server.Serve(listener) }()
			defer server.Stop()
			conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			client := fundmatchv1.NewRecommendationServiceClient(conn)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.Recommend(context.Background(), &fundmatchv1.RecommendRequest{CustomerId: "c"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkREST is a request through front, gateway and chain, without a socket.
func BenchmarkREST(b *testing.B) {
	s, _ := newBenchmarkServer(b)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, recommendPath+"?limit=5", nil)
		s.http.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body.String())
		}
	}
}
