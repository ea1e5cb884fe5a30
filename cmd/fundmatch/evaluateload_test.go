package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	bits "encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/event"
	"github.com/fundmatch/fundmatch/services/recommendation"
)

// bankLoad is a demo bank whose customers were answered at several instants of its past, under an experiment of two models
// and with a place left to chance, and who did something about it by a behaviour that is known: what an evaluation of
// its log has to find.
type bankLoad struct {
	store     string // --store; the decision log lies beside it
	decisions int
	rows      int
	all       truth // of the rows of customers who let their behaviour be evaluated
	chance    truth // of those of them that stand at a place which was left to chance
}

// truth is what nobody but the load knows: the mean, over rows, of the probability that the product which stands there
// without exploration is ordered, and of the one that stood there.
type truth struct {
	rows           int
	greedy, logged float64
}

// add takes in a row.
func (t *truth) add(greedy, logged float64) {
	t.rows++
	t.greedy += (greedy - t.greedy) / float64(t.rows)
	t.logged += (logged - t.logged) / float64(t.rows)
}

// loadOptions say how large a load is.
type loadOptions struct {
	customers, products int
	instants            []string // RFC 3339
	limit               int32
}

// smallLoad is enough for intervals to mean something, and takes seconds.
func smallLoad() loadOptions {
	return loadOptions{
		customers: 300, products: 100, limit: 3,
		instants: []string{"2026-01-12T10:00:00+08:00", "2026-02-02T10:00:00+08:00", "2026-03-02T10:00:00+08:00", "2026-04-01T20:30:00+08:00"},
	}
}

// loadedBank makes the load. The same options give the same decisions and events; the bank is as of 2026-06-30.
func loadedBank(t *testing.T, o loadOptions) *bankLoad {
	t.Helper()
	dir := t.TempDir()
	l := &bankLoad{store: "sqlite:" + filepath.Join(dir, "bank.db")}
	mustRun(t, "demo", "--out", filepath.Join(dir, "bank"), "--customers", fmt.Sprint(o.customers), "--products", fmt.Sprint(o.products))
	mustRun(t, "import", filepath.Join(dir, "bank"), "--store", l.store)
	store, err := openHistories(t.Context(), l.store)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := &loading{bankLoad: l, store: store, random: rand.NewChaCha8([32]byte{7}), limit: o.limit}
	s.publishPlan(t)
	for _, instant := range o.instants {
		at, err := fund.ParseInstant(instant)
		if err != nil {
			t.Fatal(err)
		}
		s.answerAll(t, at)
	}
	return l
}

// loading is a load in the making.
type loading struct {
	*bankLoad
	store  historyStore
	random *rand.ChaCha8 // of decision ids, and so of what is drawn
	limit  int32
	events int
}

// heavyQuality is the built-in model with ten times the weight of quality.
func heavyQuality() []byte {
	return bytes.Replace(score.DefaultModel(), []byte("QUALITY\n    weight: 0.2"), []byte("QUALITY\n    weight: 2"), 1)
}

// publishPlan puts half of the customers under another model, and leaves a place to chance for all but a tenth.
func (s *loading) publishPlan(t *testing.T) {
	t.Helper()
	heavy, err := s.store.Put(t.Context(), features.ModelArtifact, heavyQuality())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := s.store.Put(t.Context(), features.ExperimentsArtifact, fmt.Appendf(nil, `schema: fundmatch.experiments/v1
name: load
version: 1
layers:
  - name: models
    salt: models-2026
    experiments:
      - {name: quality, salt: quality-2026, from: 2026-01-01, until: 2026-12-31, first_bucket: 0, end_bucket: 10000, arms: [
          {name: control, share_bps: 5000, control: true}, {name: heavy, share_bps: 5000, model: %s}]}
  - name: chance
    salt: chance-2026
    experiments:
      - {name: next, salt: next-2026, from: 2026-01-01, until: 2026-12-31, first_bucket: 0, end_bucket: 10000, arms: [
          {name: none, share_bps: 1000, control: true}, {name: some, share_bps: 9000, exploration: {probability_bps: 2000, next: 3, max_gap: 10}}]}
`, heavy))
	if err != nil {
		t.Fatal(err)
	}
	err = s.store.Activate(t.Context(), features.Activation{Kind: features.ExperimentsArtifact, ArtifactID: plan, At: fund.Date(20260101).Start(), By: "tester"})
	if err != nil {
		t.Fatal(err)
	}
}

// answerAll asks for every customer's list at an instant, and lets him do something about it.
func (s *loading) answerAll(t *testing.T, at fund.Instant) {
	t.Helper()
	loader, err := engine.NewLoader(s.store, s.store, "test")
	if err != nil {
		t.Fatal(err)
	}
	lineup, refused, err := loader.Lineup(t.Context(), at)
	if err != nil || len(refused) > 0 {
		t.Fatal(err, refused)
	}
	log, err := decisionlog.Open(strings.TrimPrefix(s.bankLoad.store, "sqlite:")+".decisions", decisionlog.Config{Now: at.Time})
	if err != nil {
		t.Fatal(err)
	}
	kept := &keepingLog{log: log}
	ids := &idMaker{now: at.Time, random: s.random}
	service := recommendation.New(recommendation.FixedLineup(lineup, at), s.store, kept, recommendation.Config{NewID: ids.next, Clock: at.Time, Staff: s.store})
	customers, err := s.store.CustomerIDs(t.Context(), "", 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range customers {
		if _, err := service.Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: id, Limit: &s.limit}); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	s.behave(t, at, kept.records)
}

// keepingLog is a log that also keeps what was recorded.
type keepingLog struct {
	log     *decisionlog.Log
	records []decisionlog.Record
}

// Append is recommendation.Log. The buffers are the service's, and used again.
func (k *keepingLog) Append(ctx context.Context, r decisionlog.Record) error {
	kept := r
	kept.Payload, kept.Profile = bytes.Clone(r.Payload), nil
	k.records = append(k.records, kept)
	return k.log.Append(ctx, r)
}

// reported is when all that the customers did after their answers is known: orders come within five days, and money
// leaves within sixty days of them.
const reported = 66 * 24 * time.Hour

// behave reports what the customers did within the days after their answers.
func (s *loading) behave(t *testing.T, at fund.Instant, records []decisionlog.Record) {
	t.Helper()
	var all []*fundmatchv1.Event
	for i := range records {
		slate, err := matcher.ParseSlate(records[i].Payload)
		if err != nil {
			t.Fatal(err)
		}
		if len(slate.Items) == 0 {
			continue
		}
		s.decisions++
		silent := s.isSilent(t, records[i].CustomerID)
		for rank := range slate.Items {
			s.rows++
			if !silent {
				s.expect(&records[i], slate, rank)
			}
			all = append(all, s.react(&records[i], slate, rank)...)
		}
	}
	service := event.New(s.store, at.Add(reported).Time)
	for len(all) > 0 {
		n := min(len(all), event.MaxBatch)
		if _, err := service.RecordEvents(t.Context(), &fundmatchv1.RecordEventsRequest{Events: all[:n]}); err != nil {
			t.Fatal(err)
		}
		all = all[n:]
	}
}

// isSilent reports whether a customer has switched personalisation off, as of the bank's day.
func (s *loading) isSilent(t *testing.T, customerID string) bool {
	t.Helper()
	p, err := s.store.Profile(t.Context(), customerID, fund.Date(20260630).Start())
	if err != nil {
		t.Fatal(err)
	}
	return p.Personalization == fund.No
}

// usualAt is what stands at a place of a list without exploration.
func usualAt(slate *matcher.Slate, rank int) string {
	if slate.Explored.Rank == rank+1 {
		return slate.Explored.Choices[0].Code
	}
	return slate.Items[rank].Code
}

// expect adds a row to the true means.
func (s *loading) expect(r *decisionlog.Record, slate *matcher.Slate, rank int) {
	code, usual := slate.Items[rank].Code, usualAt(slate, rank)
	greedy, logged := likes(r.CustomerID, usual, rank, true), likes(r.CustomerID, code, rank, code == usual)
	s.all.add(greedy, logged)
	if slate.Explored.Rank == rank+1 {
		s.chance.add(greedy, logged)
	}
}

// likes is the probability that a customer orders a product when it stands at a rank: what is usually not shown to him
// is what he likes best, so that the log of an exploring policy earns more than one that does not explore.
func likes(customerID, code string, rank int, usual bool) float64 {
	p := .02 + .1*draw(customerID, code, "likes")/float64(rank+1)
	if !usual {
		p += .5
	}
	return p
}

// draw is a number in [0, 1) that depends on the words alone.
func draw(words ...string) float64 {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return float64(bits.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

// react is what a customer does about one product of a list.
func (s *loading) react(r *decisionlog.Record, slate *matcher.Slate, rank int) (done []*fundmatchv1.Event) {
	code, usual := slate.Items[rank].Code, usualAt(slate, rank)
	act := func(after time.Duration, kind fund.EventKind, attributes map[string]any) {
		s.events++
		fields, err := structpb.NewStruct(attributes)
		if err != nil {
			panic(err) // the attributes of this file
		}
		done = append(done, &fundmatchv1.Event{
			EventId: fmt.Sprintf("LOAD-%07d", s.events), CustomerId: r.CustomerID, Kind: kind.String(), ProductCode: code, DecisionId: r.DecisionID,
			Channel: "APP", EventAt: timestamppb.New(fund.Instant(r.DecidedAt).Add(after).Time()), Attributes: fields,
		})
	}
	with := func(what string) float64 { return draw(r.DecisionID, code, what) }
	act(time.Second, fund.Exposure, nil)
	if with("order") < likes(r.CustomerID, code, rank, code == usual) {
		bought := time.Duration(1+with("when")*5*24) * time.Hour
		act(time.Minute, fund.Click, nil)
		act(2*time.Minute, fund.DetailView, map[string]any{"dwell_seconds": 40})
		act(bought-time.Minute, fund.OrderStart, nil)
		act(bought, fund.OrderConfirm, map[string]any{"amount_fen": float64(int64(1+with("amount")*100) * 100_000)})
		if with("redeem") < .3 {
			act(bought+time.Duration(with("days")*60*24)*time.Hour, fund.Redeem, map[string]any{"amount_fen": 100_000})
		}
		return done
	}
	if with("look") < .2 {
		act(time.Minute, fund.DetailView, map[string]any{"dwell_seconds": 20})
		if doubt := with("doubt"); doubt < .5 {
			act(2*time.Minute, fund.ObjectionRaised, map[string]any{"objection": []string{"FEE", "DRAWDOWN", "SIZE", "TIMING"}[int(doubt*8)]})
			if with("answer") < .6 {
				act(3*time.Minute, fund.EvidenceOpen, map[string]any{"objection": "FEE"})
			}
		}
		if with("begin") < .2 {
			act(time.Hour, fund.OrderStart, nil)
			act(2*time.Hour, fund.OrderAbandon, nil)
		}
	}
	return done
}
