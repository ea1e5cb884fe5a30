package recommendation_test

import (
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/fundmatch/fundmatch/features/cache"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/recommendation"
)

// Expiry is by instant, also between two calls of one session and in a warm cache (traps of
// the rulebook): a second before midnight he has his own list, at midnight, out of the same
// cached profile, one for reading: R1 and nothing to buy. No write tells the cache.
func TestAnAssessmentExpiresInAWarmCache(t *testing.T) {
	t.Parallel()
	s := openSession(t)
	ids, err := s.bank.store.CustomerIDs(t.Context(), "", 1_000)
	if err != nil {
		t.Fatal(err)
	}
	left, tried := min(answers(t, 20), 80), 0
	for _, id := range ids {
		p, err := s.bank.store.Profile(t.Context(), id, fund.InstantOf(s.bank.morning))
		if err != nil {
			t.Fatal(err)
		}
		ends := p.Assessment.On.AddMonths(12)
		professional := p.Person.Professional.Class != "" && ends < p.Person.Professional.Until
		if valid := p.Assessment.Level != fund.LevelUnknown && ends > fund.InstantOf(s.bank.morning).Date(); !valid || professional || tried == left {
			continue
		}
		tried++
		s.crosses(t, id, ends)
	}
	if tried < left || s.lost < tried/2 {
		t.Errorf("%d customers, %d lists became ones for reading: hardly tried", tried, s.lost)
	}
}

// session is a bank that answers out of a cache, and without one.
type session struct {
	bank        *bank
	warm, plain *recommendation.Service
	hits        atomic.Int64
	lost        int // lists that were his own
}

func openSession(t *testing.T) *session {
	t.Helper()
	s := &session{bank: openBank(t, synthetic.Options{Customers: 150, Products: 30, Seed: 5, AsOf: fund.Date(20260310)})}
	profiles, err := cache.New(s.bank.store, cache.Config{Staleness: time.Minute, Observe: func(o cache.Outcome) {
		if o == cache.Hit {
			s.hits.Add(1)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(profiles.Close)
	config := recommendation.Config{Clock: func() time.Time { return s.bank.clock() }, NewID: newID}
	s.warm = recommendation.New(s.bank.engine, profiles, noLog{}, config)
	s.plain = recommendation.New(s.bank.engine, s.bank.store, noLog{}, config)
	return s
}

// crosses asks for a customer before and at the end of his assessment.
func (s *session) crosses(t *testing.T, id string, ends fund.Date) {
	t.Helper()
	s.turn(t, ends.Start().Add(-time.Second))
	eve := s.ask(t, s.warm, id)
	for known := s.hits.Load(); s.hits.Load() == known; time.Sleep(time.Millisecond) { // a fill takes its time
		eve = s.ask(t, s.warm, id)
	}
	known := s.hits.Load()
	s.turn(t, ends.Start())
	after := s.ask(t, s.warm, id)
	if s.hits.Load() == known {
		t.Fatalf("%s: the profile was not read from the cache", id)
	}
	if want := s.ask(t, s.plain, id); contentOf(t, after) != contentOf(t, want) {
		t.Errorf("%s at the end of %s: from the cache\n%v\nfrom the store\n%v", id, ends, after, want)
	}
	if retests(eve) > 0 {
		t.Errorf("%s: a second before %s the list is one for reading", id, ends)
	}
	for _, it := range after.GetItems() {
		if it.GetProduct().GetRiskGrade() != "R1" {
			t.Errorf("%s: at %s %s is on the list", id, ends, it.GetProduct())
		}
	}
	if after.GetPersonalized() || retests(after) != len(after.GetItems()) {
		t.Errorf("%s: at %s the list is %v", id, ends, after)
	}
	if len(eve.GetItems()) > 0 {
		s.lost++
	}
}

// turn sets the bank's clock, and compiles what is in force then.
func (s *session) turn(t *testing.T, at fund.Instant) {
	t.Helper()
	s.bank.at = at.Time()
	if err := s.bank.engine.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (s *session) ask(t *testing.T, of *recommendation.Service, id string) *fundmatchv1.RecommendResponse {
	t.Helper()
	got, err := of.Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: id, Channel: "APP", Limit: proto.Int32(20), Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// retests counts the items that cannot be bought before a risk test.
func retests(list *fundmatchv1.RecommendResponse) (n int) {
	for _, it := range list.GetItems() {
		if it.GetConversion().GetAction() == "RETEST_RISK" {
			n++
		}
	}
	return n
}
