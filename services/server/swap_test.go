package server

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decision"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

const swapCallers = 8

// swaps swaps models and experiments of a bank that answers.
type swaps struct {
	*running
	bank   *bank
	ids    []string
	models [4]string // two in force in turn, and the arm of a plan beside each
	plans  [2]string
	asked  atomic.Int64
}

// TestSwapUnderLoad: while callers ask as fast as they can, model and experiments are swapped
// again and again. No request fails, each answer is of one lineup, and each is replayed from
// the log afterwards. What is swapped costs is measured by services/pathbench.
func TestSwapUnderLoad(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a hundred swaps under load; run without -short")
	}
	b := openSQLiteBank(t, synthetic.Options{Customers: 200, Products: 60, Seed: 10, AsOf: fund.Date(20260310)})
	s := &swaps{running: b.start(t), bank: b}
	s.prepare(t)
	group, ctx := errgroup.WithContext(t.Context())
	done := make(chan struct{})
	for i := range swapCallers {
		group.Go(func() error { return s.ask(i, done) })
	}
	for i := range swapRounds {
		// Each round has callers in the middle of requests: some were answered since the last.
		for before := s.asked.Load(); s.asked.Load() < before+swapCallers/2 && ctx.Err() == nil; {
			time.Sleep(time.Millisecond)
		}
		s.activate(t, features.ModelArtifact, s.models[i%2])
		if i%2 == 0 {
			s.activate(t, features.ExperimentsArtifact, s.plans[i/2%2])
		}
		if err := b.engine.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		if lineup, _, err := b.engine.Lineup(); err != nil || lineup.Core().Identity().ModelID != s.models[i%2] {
			t.Errorf("swap %d is not in force: %v", i, err)
		}
	}
	close(done)
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if refused := b.engine.Refusals(); len(refused) > 0 {
		t.Error(refused[0].Err)
	}
	s.checkAnswers(t)
}

// prepare keeps the models and plans.
func (s *swaps) prepare(t *testing.T) {
	t.Helper()
	for i := range s.models {
		data := bytes.Replace(score.DefaultModel(), []byte("QUALITY\n    weight: 0.2"), fmt.Appendf(nil, "QUALITY\n    weight: 0.%d", 2+i), 1)
		s.models[i] = s.keep(t, features.ModelArtifact, data)
	}
	for i := range s.plans {
		s.plans[i] = s.keep(t, features.ExperimentsArtifact, fmt.Appendf(nil, `schema: fundmatch.experiments/v1
name: plan%[1]d
version: 1
layers: [{name: models, salt: salt-%[1]d, experiments: [{name: plan%[1]d, salt: arms-%[1]d, from: 2026-03-01, until: 2026-04-01,
  first_bucket: 0, end_bucket: 8000, arms: [{name: control, share_bps: 5000, control: true}, {name: canary, share_bps: 5000, model: %[2]s}]}]}]
`, i, s.models[2+i]))
	}
	var err error
	if s.ids, err = s.bank.store.CustomerIDs(t.Context(), "", 1000); err != nil {
		t.Fatal(err)
	}
}

func (s *swaps) keep(t *testing.T, kind features.ArtifactKind, data []byte) string {
	t.Helper()
	id, err := s.bank.store.Put(t.Context(), kind, data)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (s *swaps) activate(t *testing.T, kind features.ArtifactKind, id string) {
	t.Helper()
	err := s.bank.store.Activate(t.Context(), features.Activation{Kind: kind, ArtifactID: id, At: fund.InstantOf(s.bank.clock.now()), By: "tester"})
	if err != nil {
		t.Error(err)
	}
}

// ask asks for one customer after the other until done.
func (s *swaps) ask(first int, done chan struct{}) error {
	limit := int32(5)
	client := s.recommend()
	for i := first; ; i++ {
		select {
		case <-done:
			return nil
		default:
		}
		id := s.ids[i%len(s.ids)]
		if _, err := client.Recommend(s.t.Context(), &fundmatchv1.RecommendRequest{CustomerId: id, Limit: &limit}); err != nil {
			return fmt.Errorf("request %d: %w", i, err)
		}
		s.asked.Add(1)
	}
}

// checkAnswers reads the log: each answer's model is that of its arm, of the plan that it
// names, and replays.
func (s *swaps) checkAnswers(t *testing.T) {
	t.Helper()
	reader, err := decisionlog.OpenReader(s.bank.dir)
	if err != nil {
		t.Fatal(err)
	}
	n, by := int64(0), map[string]int{}
	for stored, err := range reader.All(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		answer, err := matcher.ParseSlate(stored.Payload)
		if err != nil {
			t.Fatal(err)
		}
		n++
		model := answer.Identity.ModelID
		by[model]++
		arm := -1 // of which plan he gets the model
		for _, x := range answer.Request.Exposures {
			if x.Arm == "canary" {
				arm = int(x.Experiment[len("plan")] - '0')
			}
		}
		inForce := model == s.models[0] || model == s.models[1]
		if inForce == (arm >= 0) || arm >= 0 && model != s.models[2+arm] {
			t.Fatalf("%s: model %.8s for %v", stored.DecisionID, model, answer.Request.Exposures)
		}
		got, err := s.bank.decision.Replay(t.Context(), &stored)
		if err != nil || got.GetVerdict() != string(decision.Match) {
			t.Fatalf("%v, %v", got, err)
		}
	}
	if n != s.asked.Load() || len(by) != len(s.models) {
		t.Errorf("%d answers, %d recorded, by model %v", s.asked.Load(), n, by)
	}
}
