package recommendation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/cache"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/customer"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/recommendation"
)

const (
	staleness = time.Second
	// answersABubble bounds the answers of one synctest bubble: its day must not end.
	answersABubble = 10_000
)

// TestTheCacheChangesNoAnswer: with the cache on and off the answers are the same, after
// writes through this replica at once and after writes through another within the bound
// of staleness; and no item is one that the gate refuses on the profile that was read,
// whatever the state of the cache and whatever fails.
func TestTheCacheChangesNoAnswer(t *testing.T) {
	t.Parallel()
	left := answers(t, 1000)
	for seed := uint64(1); left > 0; seed++ {
		n := min(left, answersABubble)
		left -= n
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newTwins(t, seed).run(n) })
		})
	}
}

// lastRecord is a log that keeps its newest record only.
type lastRecord struct{ decisionlog.Record }

func (l *lastRecord) Append(_ context.Context, r decisionlog.Record) error {
	r.Profile, r.Payload = bytes.Clone(r.Profile), bytes.Clone(r.Payload)
	l.Record = r
	return nil
}

// twins are two replicas of a bank: one reads through a cache over a store that fails at
// times, the other reads the store itself.
type twins struct {
	*testing.T
	bank     *bank
	ask      *asker
	started  time.Time
	cached   *recommendation.Service
	log      lastRecord
	plain    *recommendation.Service
	writers  map[bool]*customer.Service // true: through the cache
	replaced map[string][]replacedProfile
	failing  map[memory.Method]memory.Fault
	outcomes [cache.Outcomes]atomic.Int64
	given    int
	refused  int
}

// replacedProfile is what another replica's write made old.
type replacedProfile struct {
	sealed []byte
	until  time.Duration // of the bubble's time: the end of the bound of staleness
}

func newTwins(t *testing.T, seed uint64) *twins {
	t.Helper()
	w := &twins{T: t, bank: openBank(t, testBank), replaced: map[string][]replacedProfile{}, failing: map[memory.Method]memory.Fault{}, started: time.Now()}
	w.ask = newAsker(t, w.bank, seed)
	w.ask.ids = w.ask.ids[:40] // few enough to be read again
	faulty := memory.NewFaulty(w.bank.store, func(m memory.Method, _ int) memory.Fault {
		w.bank.log.mu.Lock()
		defer w.bank.log.mu.Unlock()
		return w.failing[m]
	})
	profiles, err := cache.New(faulty, cache.Config{Staleness: staleness, Observe: func(o cache.Outcome) { w.outcomes[o].Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(profiles.Close)
	config := recommendation.Config{Clock: w.now, NewID: newID}
	w.bank.engineAt(w.now)
	w.cached = recommendation.New(w.bank.engine, profiles, &w.log, config)
	w.plain = recommendation.New(w.bank.engine, w.bank.store, &lastRecord{}, config)
	w.writers = map[bool]*customer.Service{true: customer.New(profiles, w.now, anyRules), false: customer.New(w.bank.store, w.now, anyRules)}
	return w
}

// noLimits lets the writers take assessments as often as they like.
type noLimits struct{}

func (noLimits) AssessmentLimits() (perDay, perYear int) { return 0, 0 }
func (noLimits) ForbidsTag(string) bool                  { return false }

func anyRules() (customer.Rules, error) { return noLimits{}, nil }

// now is the bank's clock: its morning and the bubble's time since.
func (w *twins) now() time.Time { return w.bank.morning.Add(time.Since(w.started)) }

func (w *twins) run(n int) {
	for w.given+w.refused < n {
		if w.ask.rng.IntN(3) == 0 {
			time.Sleep(time.Duration(w.ask.rng.IntN(900)) * time.Millisecond)
			synctest.Wait()
		}
		switch w.ask.rng.IntN(10) {
		case 0:
			w.fail()
		case 1, 2:
			w.write(w.ask.rng.IntN(2) == 0)
		default:
			w.compare()
		}
	}
	w.check(n)
}

// fail lets the store fail in some ways, or in none.
func (w *twins) fail() {
	w.bank.log.mu.Lock()
	defer w.bank.log.mu.Unlock()
	clear(w.failing)
	unavailable := fmt.Errorf("%w: by plan", features.ErrUnavailable)
	switch w.ask.rng.IntN(6) {
	case 0:
		w.failing[memory.ChangesMethod] = memory.Fault{Err: unavailable} // polls fail: the cache grows stale
	case 1:
		w.failing[memory.HeadMethod] = memory.Fault{Err: unavailable}
	case 2:
		w.failing[memory.WriteMethod] = memory.Fault{Err: unavailable, Done: true} // written, and the answer lost
	case 3:
		w.failing[memory.WriteMethod] = memory.Fault{Err: unavailable}
	}
}

// write changes a customer through one of the replicas.
func (w *twins) write(throughCache bool) {
	id := w.ask.customer()
	before := w.sealed(id)
	if err := w.put(w.writers[throughCache], id); err != nil && !errors.Is(err, features.ErrUnavailable) {
		w.Fatal(err)
	}
	if !throughCache {
		w.replaced[id] = append(w.replaced[id], replacedProfile{before, time.Since(w.started) + staleness})
	}
}

// put writes a random fact: most change what may be offered.
func (w *twins) put(s *customer.Service, id string) (err error) {
	switch w.ask.rng.IntN(5) {
	case 0, 1:
		level := fmt.Sprint("C", 1+w.ask.rng.IntN(5))
		_, err = s.PutRiskAssessment(w.Context(), &fundmatchv1.PutRiskAssessmentRequest{CustomerId: id, RiskLevel: level})
	case 2:
		enabled := w.ask.rng.IntN(2) == 0
		_, err = s.PutPersonalization(w.Context(), &fundmatchv1.PutPersonalizationRequest{CustomerId: id, Enabled: &enabled})
	case 3:
		goals := [][]string{nil, {"CASH"}, {"GROWTH"}, {"STEADY_INCOME", "RETIREMENT"}}[w.ask.rng.IntN(4)]
		_, err = s.PutGoals(w.Context(), &fundmatchv1.PutGoalsRequest{
			CustomerId: id, Goals: goals, HorizonMonths: int32(1 + w.ask.rng.IntN(60)), LiquidityNeed: []string{"", "LOW", "HIGH"}[w.ask.rng.IntN(3)],
		})
	case 4:
		_, err = s.PutHoldings(w.Context(), &fundmatchv1.PutHoldingsRequest{CustomerId: id, Lots: []*fundmatchv1.Lot{
			{ProductCode: "900001", Shares: fmt.Sprint(1 + w.ask.rng.IntN(9)), AcquiredOn: "2026-01-05"},
		}})
	}
	return err
}

// sealed is the profile in the store now, in canonical bytes.
func (w *twins) sealed(id string) []byte {
	p, err := w.bank.store.Profile(w.Context(), id, fund.InstantOf(w.now()))
	if err != nil {
		w.Fatal(err)
	}
	return fund.AppendProfile(nil, p)
}

// compare asks both replicas.
func (w *twins) compare() {
	question := w.ask.question()
	limit := 1 + question.GetLimit()%5
	question.Limit = &limit
	got, err := w.cached.Recommend(w.Context(), question)
	if errors.Is(err, features.ErrUnavailable) && got == nil {
		w.refused++
		return
	}
	if err != nil {
		w.Fatalf("%v: %v", question, err)
	}
	w.given++
	w.checkGate(question, got)
	if !bytes.Equal(w.log.Profile, w.sealed(question.GetCustomerId())) {
		w.checkBound(question)
		return
	}
	want, err := w.plain.Recommend(w.Context(), question)
	if err != nil {
		w.Fatal(err)
	}
	if a, b := contentOf(w, got), contentOf(w, want); a != b {
		w.Fatalf("%v: with the cache\n%v\nwithout\n%v", question, got, want)
	}
}

// checkBound: an older profile may be read for as long as another replica's write may
// stay unseen, and no longer; never one from before a write through this replica.
func (w *twins) checkBound(question *fundmatchv1.RecommendRequest) {
	now := time.Since(w.started)
	for _, r := range w.replaced[question.GetCustomerId()] {
		if now <= r.until && bytes.Equal(r.sealed, w.log.Profile) {
			return
		}
	}
	w.Fatalf("%v: answered with a profile that is none of the last %s", question, staleness)
}

// checkGate asks the gate about every item, with the profile that the record sealed.
func (w *twins) checkGate(question *fundmatchv1.RecommendRequest, got *fundmatchv1.RecommendResponse) {
	core, at, err := w.bank.engine.Core()
	if err != nil {
		w.Fatal(err)
	}
	profile, err := fund.ParseProfile(w.log.Profile)
	if err != nil {
		w.Fatal(err)
	}
	channel, err := fund.ParseChannel(got.GetChannel())
	if err != nil {
		w.Fatal(err)
	}
	for _, it := range got.GetItems() {
		why, err := core.Explain(profile, it.GetProduct().GetCode(), matcher.Request{At: at, Channel: channel})
		if err != nil || !why.Verdict.Permitted {
			w.Fatalf("%v: the gate refuses %s: %+v, %v", question, it.GetProduct().GetCode(), why.Findings, err)
		}
	}
}

// check sees that everything was tried.
func (w *twins) check(n int) {
	if n < 1000 {
		return
	}
	for outcome, least := range map[cache.Outcome]int64{cache.Hit: 100, cache.Miss: 10, cache.Stale: 10, cache.Dropped: 10, cache.PollDone: 10, cache.PollFailed: 5} {
		if seen := w.outcomes[outcome].Load(); seen < least {
			w.Errorf("outcome %d of the cache was seen %d times", outcome, seen)
		}
	}
	if w.given == 0 || w.refused == 0 {
		w.Errorf("%d answers, %d refused for a store that fails", w.given, w.refused)
	}
}
