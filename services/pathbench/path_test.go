package pathbench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

const (
	connections = 64
	turn        = 250 * time.Millisecond // of one server, before the next has its turn
	minRounds   = 12
	customerID  = "DEMO-0002-STEADY-C3"
	length      = 5
)

// BenchmarkRecommend asks the program for lists of five out of 300 products, profile
// cached and decision recorded, in turns with an empty server that sends the same bytes,
// and with a second empty server as A/A control: a run whose control is more than 5 %
// from 1 is void. The rates are those of all turns; the ratios are medians of rounds.
func BenchmarkRecommend(b *testing.B) {
	program := startBank(b, buildProgram(b))
	answer := filepath.Join(b.TempDir(), "answer")
	message := answerOf(b, program)
	if err := os.WriteFile(answer, message, 0o600); err != nil {
		b.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	env := []string{emptyAnswer + "=" + answer}
	contest := []*process{program, startProcess(b, env, self), startProcess(b, env, self)}
	b.Run("gRPC", func(b *testing.B) { compare(b, contest, len(message), openGRPC) })
	b.Run("REST", func(b *testing.B) { compare(b, contest, len(get(b, program)), openREST) })
}

// profileFile is the environment's name of a file for the program's CPU profile.
const profileFile = "FUNDMATCH_BENCH_PROFILE"

// profile starts to profile a server and returns what waits for the end.
func profile(b *testing.B, p *process, file string) (wait func()) {
	b.Helper()
	var group errgroup.Group
	group.Go(func() error {
		data, err := fetch(b.Context(), p.ops+"/debug/pprof/profile?seconds=8")
		if err != nil {
			return err
		}
		return os.WriteFile(file, data, 0o600) //nolint:gosec // G703: the file is the developer's choice
	})
	return func() {
		if err := group.Wait(); err != nil {
			b.Error(err)
		}
	}
}

// startBank serves the demo bank.
func startBank(b *testing.B, program string) *process {
	b.Helper()
	dir := b.TempDir()
	config := filepath.Join(dir, "fundmatch.yaml")
	if err := os.WriteFile(config, []byte("demo:\n  customers: 2000\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	const local = "127.0.0.1:0"
	return startProcess(b, nil, program, "serve", "--demo", "--config", config,
		"--store", "sqlite:"+filepath.Join(dir, "bank.db"), "--http", local, "--grpc", local, "--ops", local)
}

// caller asks one question over a connection of its own.
type caller func(ctx context.Context) error

// contestant is a server with its connections.
type contestant struct {
	server  *process
	callers []caller
	calls   int64
	took    time.Duration
	cpu     time.Duration
}

// compare gives the program, the empty server and the control their turns.
func compare(b *testing.B, servers []*process, bytes int, open func(testing.TB, *process) caller) {
	b.Helper()
	all := make([]*contestant, len(servers))
	for i, server := range servers {
		all[i] = &contestant{server: server}
		for range connections {
			all[i].callers = append(all[i].callers, open(b, server))
		}
		all[i].turn(b) // connections are made, profiles cached, pools filled
		*all[i] = contestant{server: server, callers: all[i].callers}
	}
	var ratios, controls []float64
	round := func() {
		rates := make([]float64, len(all))
		for i := range all { // another goes first each time
			at := (i + len(ratios)) % len(all)
			rates[at] = all[at].turn(b)
		}
		ratios, controls = append(ratios, rates[0]/rates[1]), append(controls, rates[2]/rates[1])
	}
	if file := os.Getenv(profileFile); file != "" {
		wait := profile(b, servers[0], file)
		defer wait()
	}
	for b.Loop() {
		round()
	}
	for len(ratios) < minRounds {
		round()
	}
	b.ReportMetric(0, "ns/op") // a round's time says nothing
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(controls), "A/A")
	b.ReportMetric(float64(bytes), "answer-B")
	for i, name := range []string{"", "empty-"} {
		c := all[i]
		b.ReportMetric(float64(c.calls)/c.took.Seconds(), name+"req/s")
		b.ReportMetric(float64(c.cpu.Microseconds())/float64(c.calls), name+"cpu-us/req")
	}
}

// turn asks over every connection for a while and returns the rate.
func (c *contestant) turn(b *testing.B) float64 {
	b.Helper()
	var calls atomic.Int64
	var group errgroup.Group
	cpu, started := c.server.cpu(), time.Now()
	for _, call := range c.callers {
		group.Go(func() error {
			for time.Since(started) < turn {
				if err := call(b.Context()); err != nil {
					return err
				}
				calls.Add(1)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	took := time.Since(started)
	c.calls, c.took, c.cpu = c.calls+calls.Load(), c.took+took, c.cpu+c.server.cpu()-cpu
	return float64(calls.Load()) / took.Seconds()
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// question is the same for all.
func question() *fundmatchv1.RecommendRequest {
	limit := int32(length)
	return &fundmatchv1.RecommendRequest{CustomerId: customerID, Limit: &limit}
}

// answerOf returns an answer as it goes over the wire.
func answerOf(b *testing.B, p *process) []byte {
	b.Helper()
	got, err := fundmatchv1.NewRecommendationServiceClient(dial(b, p)).Recommend(b.Context(), question())
	if err != nil || len(got.GetItems()) != length {
		b.Fatalf("%d items, %v", len(got.GetItems()), err)
	}
	message, err := proto.Marshal(got)
	if err != nil {
		b.Fatal(err)
	}
	return message
}

func dial(tb testing.TB, p *process, opts ...grpc.DialOption) *grpc.ClientConn {
	tb.Helper()
	conn, err := grpc.NewClient(p.grpc, append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return conn
}

// openGRPC returns a caller that does not decode what it gets: the client's work is not
// what is measured.
func openGRPC(tb testing.TB, p *process) caller {
	tb.Helper()
	conn := dial(tb, p, grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{})))
	message, err := proto.Marshal(question())
	if err != nil {
		tb.Fatal(err)
	}
	return func(ctx context.Context) error {
		var answer []byte
		err := conn.Invoke(ctx, fundmatchv1.RecommendationService_Recommend_FullMethodName, message, &answer)
		if err == nil && len(answer) < 100 {
			return fmt.Errorf("an answer of %d bytes", len(answer))
		}
		return err
	}
}

// rawCodec sends and takes bytes as they are.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil //nolint:errcheck,forcetypeassert // the caller above gives nothing else
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize() //nolint:errcheck,forcetypeassert // the caller above gives nothing else
	return nil
}

// openREST returns a caller with a connection of its own.
func openREST(tb testing.TB, p *process) caller {
	tb.Helper()
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1}
	tb.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address(p), http.NoBody)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		if err == nil && (resp.StatusCode != http.StatusOK || n < 100) {
			return fmt.Errorf("HTTP %d, %d bytes", resp.StatusCode, n)
		}
		return err
	}
}

func address(p *process) string {
	return fmt.Sprintf("%s/v1/customers/%s/recommendations?limit=%d", p.rest, customerID, length)
}

// get returns an answer of the program as REST sends it.
func get(b *testing.B, p *process) []byte {
	b.Helper()
	body, err := fetch(b.Context(), address(p))
	if err != nil {
		b.Fatal(err)
	}
	return body
}
