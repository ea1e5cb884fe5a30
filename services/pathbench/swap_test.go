package pathbench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

const (
	swapConnections = 16
	swapPace        = 250 * time.Millisecond
	swapsATurn      = 4
	swapsEnv        = "FUNDMATCH_BENCH_SWAPS" // how many in all; default 1,000
	defaultSwaps    = 1000
)

// BenchmarkSwap asks the program for lists as fast as it answers, in turns: twice without a
// swap, which is the A/A control, and once while another model is put in force four times a
// second, each a new one that is read, checked and compiled. Then the same with a shadow in
// place of swaps. No request may fail. Reported are the quantiles of latency over the median
// round, and their ratios to the first turns' with the 95 % band of the control's ratio, by
// resampling rounds.
//
// The models are put in force in the program's store by this process, as another replica's
// registry would; the program polls for them.
func BenchmarkSwap(b *testing.B) {
	swaps := defaultSwaps
	if text := os.Getenv(swapsEnv); text != "" {
		var err error
		if swaps, err = strconv.Atoi(text); err != nil || swaps < 2*swapsATurn {
			b.Fatalf("%s: %q, expected at least %d", swapsEnv, text, 2*swapsATurn)
		}
	}
	s := openSwapping(b)
	b.Run("Idle", s.cost)
	b.Run("Model", func(b *testing.B) { s.compare(b, swaps/swapsATurn, s.swapping) })
	b.Run("Shadow", func(b *testing.B) { s.compare(b, max(swaps/swapsATurn/2, 2), s.shadowed) })
}

// swapping is the program, its store, and who asks.
type swapping struct {
	server  *process
	store   *sqlstore.Store
	callers []caller
	client  fundmatchv1.RecommendationServiceClient // decodes what it gets
	model   int                                     // how many were made
	active  string                                  // id of the one in force
}

func openSwapping(b *testing.B) *swapping {
	b.Helper()
	dir := b.TempDir()
	config, bank := filepath.Join(dir, "fundmatch.yaml"), filepath.Join(dir, "bank.db")
	if err := os.WriteFile(config, []byte("demo:\n  customers: 2000\nengine: {poll: 5ms}\nlog: {level: error}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	const local = "127.0.0.1:0"
	s := &swapping{server: startProcess(b, nil, buildProgram(b), "serve", "--demo", "--config", config,
		"--store", "sqlite:"+bank, "--http", local, "--grpc", local, "--ops", local)}
	var err error
	if s.store, err = sqlstore.Open(b.Context(), sqlstore.OpenConfig{Path: bank}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.store.Close() })
	for range swapConnections {
		s.callers = append(s.callers, openGRPC(b, s.server))
	}
	s.client = fundmatchv1.NewRecommendationServiceClient(dial(b, s.server))
	if s.active, err = s.answering(b.Context()); err != nil {
		b.Fatal(err)
	}
	return s
}

// answering is the model that answers now.
func (s *swapping) answering(ctx context.Context) (string, error) {
	got, err := s.client.Recommend(ctx, question())
	return got.GetRevisions().GetModel(), err
}

// put puts a model that never was in force as a kind.
func (s *swapping) put(ctx context.Context, kind features.ArtifactKind) (id string, err error) {
	s.model++
	data := bytes.Replace(score.DefaultModel(), []byte("name: spine"), fmt.Appendf(nil, "name: spine number %d", s.model), 1)
	if id, err = s.store.Put(ctx, kind, data); err != nil {
		return "", err
	}
	return id, s.activate(ctx, kind, id)
}

func (s *swapping) activate(ctx context.Context, kind features.ArtifactKind, id string) error {
	return s.store.Activate(ctx, features.Activation{Kind: kind, ArtifactID: id, At: fund.InstantOf(time.Now()), By: "bench"})
}

// swapping swaps the model until the turn is over, and sees each swap in an answer before the
// next.
func (s *swapping) swapping(ctx context.Context) error {
	return paced(func() error {
		id, err := s.put(ctx, features.ModelArtifact)
		if err != nil {
			return err
		}
		for time.Sleep(swapPace / 2); ; time.Sleep(swapPace / 4) {
			if s.active, err = s.answering(ctx); err != nil || s.active == id {
				return err
			}
		}
	})
}

// undisturbed is a turn of the control: it asks as often for what answers.
func (s *swapping) undisturbed(ctx context.Context) error {
	return paced(func() error { _, err := s.answering(ctx); return err })
}

// paced does something as often as a turn has swaps, at their pace.
func paced(do func() error) error {
	pace := time.NewTicker(swapPace)
	defer pace.Stop()
	for range swapsATurn {
		if err := do(); err != nil {
			return err
		}
		<-pace.C
	}
	return nil
}

// cost is the processor time of a swap, less that of the polls, while nobody asks.
func (s *swapping) cost(b *testing.B) {
	var swapped time.Duration
	turns := 0
	for b.Loop() {
		for i, meanwhile := range [...]func(context.Context) error{s.undisturbed, s.swapping, s.swapping, s.undisturbed} {
			before := s.server.cpu()
			if err := meanwhile(b.Context()); err != nil {
				b.Fatal(err)
			}
			spent := s.server.cpu() - before
			if i == 0 || i == 3 {
				spent = -spent
			}
			swapped += spent
		}
		turns += 2
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(swapped.Microseconds())/1000/float64(turns*swapsATurn), "cpu-ms/swap")
}

// shadowed runs another model in the shadow until the turn is over.
func (s *swapping) shadowed(ctx context.Context) error {
	if _, err := s.put(ctx, features.ShadowArtifact); err != nil {
		return err
	}
	return errors.Join(s.undisturbed(ctx), s.alone(ctx))
}

// alone ends the shadow.
func (s *swapping) alone(ctx context.Context) error {
	data, err := s.store.Artifact(ctx, features.ModelArtifact, s.active)
	if err != nil {
		return err
	}
	id, err := s.store.Put(ctx, features.ShadowArtifact, data)
	if err != nil {
		return err
	}
	return s.activate(ctx, features.ShadowArtifact, id)
}

// The quantiles that are reported.
var quantiles = [...]float64{.5, .99, .999}

// measured is one turn: the quantiles of latency, and the rate.
type measured struct {
	latency [len(quantiles)]time.Duration
	rate    float64
}

// compare gives control, control and what is tried their turns, another first each round.
func (s *swapping) compare(b *testing.B, rounds int, try func(context.Context) error) {
	b.Helper()
	s.turn(b, s.undisturbed) // connections are made, profiles cached
	contest := [...]func(context.Context) error{s.undisturbed, s.undisturbed, try}
	var all [len(contest)][]measured
	for b.Loop() {
		for round := range rounds {
			for i := range contest {
				at := (i + round) % len(contest)
				all[at] = append(all[at], s.turn(b, contest[at]))
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(all[2])), "turns")
	for q, name := range []string{"p50", "p99", "p999"} {
		of := func(m measured) float64 { return float64(m.latency[q].Microseconds()) }
		report(b, name, "us", all, of)
	}
	report(b, "rate", "req/s", all, func(m measured) float64 { return m.rate })
}

// report tells a figure of the first control, of the second and of what was tried, and
// whether the last's ratio to the first is one that the controls could have.
func report(b *testing.B, name, unit string, all [3][]measured, of func(measured) float64) {
	b.Helper()
	var figures [3][]float64
	for i := range all {
		for _, m := range all[i] {
			figures[i] = append(figures[i], of(m))
		}
	}
	low, high := band(figures[0], figures[1])
	ratio := median(figures[2]) / median(figures[0])
	b.Logf("%-5s control %8.0f, control %8.0f, tried %8.0f %s: tried/control %.3f, A/A %.3f, its 95 %% band %.3f to %.3f, inside: %v",
		name, median(figures[0]), median(figures[1]), median(figures[2]), unit, ratio, median(figures[1])/median(figures[0]), low, high, ratio >= low && ratio <= high)
	b.ReportMetric(ratio, name+"/control")
	b.ReportMetric(median(figures[1])/median(figures[0]), name+"-A/A")
}

// band is where the ratio of the medians of two controls lies in 95 of 100 experiments of as
// many rounds: rounds are drawn again, and which of the two comes first is drawn, too.
func band(a, b []float64) (low, high float64) {
	rng := rand.New(rand.NewPCG(1, uint64(len(a))))
	ratios := make([]float64, 2000)
	for i := range ratios {
		one, other := make([]float64, len(a)), make([]float64, len(a))
		for j := range one {
			k := rng.IntN(len(a))
			one[j], other[j] = a[k], b[k]
			if rng.IntN(2) == 0 {
				one[j], other[j] = other[j], one[j]
			}
		}
		ratios[i] = median(one) / median(other)
	}
	slices.Sort(ratios)
	return ratios[len(ratios)*25/1000], ratios[len(ratios)*975/1000]
}

// turn asks over every connection until what is done meanwhile is done.
func (s *swapping) turn(b *testing.B, meanwhile func(context.Context) error) measured {
	b.Helper()
	var (
		mu   sync.Mutex
		took []time.Duration
		done atomic.Bool
	)
	group, ctx := errgroup.WithContext(b.Context())
	group.Go(func() error { defer done.Store(true); return meanwhile(ctx) })
	started := time.Now()
	for _, call := range s.callers {
		group.Go(func() error {
			var own []time.Duration
			for before := time.Now(); !done.Load(); {
				if err := call(ctx); err != nil {
					return err
				}
				now := time.Now()
				own = append(own, now.Sub(before))
				before = now
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	m := measured{rate: float64(len(took)) / time.Since(started).Seconds()}
	slices.Sort(took)
	for i, q := range quantiles {
		m.latency[i] = took[int(float64(len(took)-1)*q)]
	}
	return m
}
