package server

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decision"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

const loadCallers = 16

// load sends mixed requests over both transports and remembers which decisions it was
// answered with.
type load struct {
	*running
	recommend fundmatchv1.RecommendationServiceClient
	customer  fundmatchv1.CustomerServiceClient
	ids       []string
	codes     []string
	done      atomic.Int64
	byKind    [loadKinds]atomic.Int64

	mu      sync.Mutex
	decided map[string]string // decision id -> customer
}

// The kinds of requests.
const (
	recommendGRPC = iota
	recommendREST
	explainGRPC
	explainREST
	readCustomer
	writeGRPC
	writeREST
	loadKinds
)

// TestRESTLoadReplays: after 10,000 mixed requests (fewer under the race detector) of 16 callers over gRPC and REST, with
// an SQLite store and the decision log on disk, every answer is in the log, the chain is
// whole, and every decision gives its bytes again.
func TestRESTLoadReplays(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("ten thousand requests; run without -short")
	}
	b := openSQLiteBank(t, synthetic.Options{Customers: 300, Products: 80, Seed: 9, AsOf: fund.Date(20260310)})
	l := &load{running: b.start(t), decided: map[string]string{}}
	l.recommend, l.customer = fundmatchv1.NewRecommendationServiceClient(l.conn), fundmatchv1.NewCustomerServiceClient(l.conn)
	var err error
	if l.ids, err = b.store.CustomerIDs(t.Context(), "", 1000); err != nil {
		t.Fatal(err)
	}
	core, _, err := b.engine.Core()
	if err != nil {
		t.Fatal(err)
	}
	for i := range core.Len() {
		l.codes = append(l.codes, core.Product(i).Code)
	}
	var callers errgroup.Group
	for i := range loadCallers {
		callers.Go(func() error { return l.call(rand.New(rand.NewPCG(uint64(i), 1))) })
	}
	if err := callers.Wait(); err != nil {
		t.Fatal(err)
	}
	for kind := range l.byKind {
		if n := l.byKind[kind].Load(); n < loadRequests/100 {
			t.Errorf("%d requests of kind %d", n, kind)
		}
	}
	checkLog(t, b, l.decided)
}

// call sends requests until all are sent.
func (l *load) call(rng *rand.Rand) error {
	for l.done.Add(1) <= loadRequests {
		kind := [...]int{
			recommendGRPC, recommendGRPC, recommendGRPC, recommendREST, recommendREST, recommendREST,
			explainGRPC, explainREST, readCustomer, writeGRPC, writeREST,
		}[rng.IntN(11)]
		l.byKind[kind].Add(1)
		if err := l.send(rng, kind); err != nil {
			return fmt.Errorf("request of kind %d: %w", kind, err)
		}
	}
	return nil
}

func (l *load) send(rng *rand.Rand, kind int) error {
	ctx, id, code := l.t.Context(), l.ids[rng.IntN(len(l.ids))], l.codes[rng.IntN(len(l.codes))]
	channel, audience := []string{"APP", "BRANCH"}[rng.IntN(2)], []string{"CUSTOMER", "MANAGER"}[rng.IntN(2)]
	limit := int32(1 + rng.IntN(10))
	switch kind {
	case recommendGRPC:
		got, err := l.recommend.Recommend(ctx, &fundmatchv1.RecommendRequest{CustomerId: id, Channel: channel, Audience: audience, Limit: &limit, Explain: rng.IntN(2) == 0})
		return l.remember(got, id, err)
	case recommendREST:
		var got fundmatchv1.RecommendResponse
		err := l.rest(&got, http.MethodGet, fmt.Sprintf("/v1/customers/%s/recommendations?channel=%s&audience=%s&limit=%d", id, channel, audience, limit), "")
		return l.remember(&got, id, err)
	case explainGRPC:
		_, err := l.recommend.Explain(ctx, &fundmatchv1.ExplainRequest{CustomerId: id, ProductCode: code, Channel: channel})
		return err
	case explainREST:
		return l.rest(&fundmatchv1.ExplainResponse{}, http.MethodGet, "/v1/customers/"+id+"/products/"+code+":explain", "")
	case readCustomer:
		_, err := l.customer.GetCustomer(ctx, &fundmatchv1.GetCustomerRequest{CustomerId: id})
		return err
	case writeGRPC:
		_, err := l.customer.PutRiskAssessment(ctx, &fundmatchv1.PutRiskAssessmentRequest{CustomerId: id, RiskLevel: fmt.Sprint("C", 1+rng.IntN(5))})
		return err
	default:
		body := fmt.Sprintf(`{"goals":[%q],"horizonMonths":%d}`, []string{"CASH", "GROWTH", "RETIREMENT"}[rng.IntN(3)], rng.IntN(120))
		return l.rest(&fundmatchv1.PutGoalsResponse{}, http.MethodPut, "/v1/customers/"+id+"/goals", body)
	}
}

// rest sends a request and reads its answer.
func (l *load) rest(into any, method, path, body string) error {
	req, err := http.NewRequestWithContext(l.t.Context(), method, "http://"+l.addr.HTTP.String()+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := l.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: HTTP %d", method, path, resp.StatusCode)
	}
	return strictJSON{}.NewDecoder(resp.Body).Decode(into)
}

func (l *load) remember(got *fundmatchv1.RecommendResponse, id string, err error) error {
	if err != nil {
		return err
	}
	if got.GetCustomerId() != id {
		return fmt.Errorf("asked for %s, answered for %s", id, got.GetCustomerId())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, twice := l.decided[got.GetDecisionId()]; twice {
		return fmt.Errorf("decision %s was given twice", got.GetDecisionId())
	}
	l.decided[got.GetDecisionId()] = id
	return nil
}

// checkLog reads the log from the disk: it verifies, holds exactly what was answered, and
// replays without a mismatch.
func checkLog(t *testing.T, b *bank, decided map[string]string) {
	t.Helper()
	report, err := decisionlog.Verify(t.Context(), b.dir, nil)
	if err != nil || report.Records != uint64(len(decided)) {
		t.Fatalf("%+v, %v, expected %d whole records", report, err, len(decided))
	}
	reader, err := decisionlog.OpenReader(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	replayed := 0
	for stored, err := range reader.All(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if decided[stored.DecisionID] != stored.CustomerID {
			t.Fatalf("the log holds %s of %s, the answer was for %q", stored.DecisionID, stored.CustomerID, decided[stored.DecisionID])
		}
		got, err := b.decision.Replay(t.Context(), &stored)
		if err != nil || got.GetVerdict() != string(decision.Match) {
			t.Fatalf("%v, %v", got, err)
		}
		replayed++
	}
	if replayed != len(decided) || replayed < loadRequests/3 {
		t.Errorf("%d of %d decisions replayed", replayed, len(decided))
	}
}

// TestRESTUnknownCustomerOfAStore: SQLite says it in the same words as memory.
func TestRESTUnknownCustomerOfAStore(t *testing.T) {
	t.Parallel()
	b := openSQLiteBank(t, goldenBank)
	r := b.start(t)
	_, err := r.recommend().Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: "NOBODY"})
	if status.Code(err) != codes.NotFound || reasonOfError(err) != "CUSTOMER_NOT_FOUND" {
		t.Errorf("%v", errors.Unwrap(err))
	}
	for _, path := range []string{"", "/recommendations", "/products/900001:explain"} {
		if got := r.do(http.MethodGet, "/v1/customers/NOBODY"+path, ""); got.code != http.StatusNotFound || got.failure(t).reason() != "CUSTOMER_NOT_FOUND" {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

// TestRESTNothingIsAnsweredUnrecorded: a log that takes no record ends the answers of
// both transports with UNAVAILABLE, and the service lives on without it.
func TestRESTNothingIsAnsweredUnrecorded(t *testing.T) {
	t.Parallel()
	b := openMemoryBank(t, goldenBank)
	r := b.start(t)
	if err := b.log.Close(); err != nil {
		t.Fatal(err)
	}
	const path = "/v1/customers/DEMO-0002-STEADY-C3"
	got := r.do(http.MethodGet, path+"/recommendations", "")
	if f := got.failure(t); got.code != http.StatusServiceUnavailable || f.reason() != "DECISION_LOG_UNAVAILABLE" || got.header.Get("Retry-After") == "" || got.header.Get("Etag") != "" {
		t.Errorf("%+v", got)
	}
	_, err := r.recommend().Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: "DEMO-0002-STEADY-C3"})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("%v", err)
	}
	if got := r.do(http.MethodGet, path+"/products/900001:explain", ""); got.code != http.StatusOK {
		t.Errorf("explain records nothing and must go on: %+v", got)
	}
}
