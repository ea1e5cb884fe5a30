// Package recommendation answers RecommendationService: one profile read, one core, one
// match, one record in the decision log, and only then the answer.
package recommendation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// Cores gives the core in force and an instant that it speaks for.
type Cores interface {
	// Core gives a core and an instant that it speaks for.
	Core() (*matcher.Core, fund.Instant, error)
}

// Fixed returns one core and one instant for ever: a question about the past.
func Fixed(core *matcher.Core, at fund.Instant) Cores { return fixed{core, at} }

type fixed struct {
	core *matcher.Core
	at   fund.Instant
}

func (f fixed) Core() (*matcher.Core, fund.Instant, error) { return f.core, f.at, nil }

// Log takes decision records. *decisionlog.Log is one.
type Log interface {
	// Append returns when the record outlives this process.
	Append(ctx context.Context, r decisionlog.Record) error
}

// Stage names a part of the work on an answer, for latency figures.
type Stage string

// The stages.
const (
	StageProfile Stage = "profile"
	StageMatch   Stage = "match"
	StageRender  Stage = "render"
	StageRecord  Stage = "record"
)

// Config is what a service needs beyond its stores.
type Config struct {
	// NewID makes a time-ordered decision id (UUIDv7).
	NewID func() (string, error)
	// Clock is the wall clock, for latencies.
	Clock func() time.Time
	// Staff tells the licence of the manager in charge. Nil: nobody's is known, and nothing
	// is offered in the branch (C03).
	Staff features.Staff
	// ObserveStage is told how long each stage took. May be nil.
	ObserveStage func(Stage, time.Duration)
	// ObserveAnswer is told about each answer before it is sent. May be nil. The slate
	// must not be kept.
	ObserveAnswer func(*matcher.Slate)
}

// Service implements fundmatchv1.RecommendationServiceServer.
type Service struct {
	fundmatchv1.UnimplementedRecommendationServiceServer
	cores    Cores
	profiles features.Profiles
	log      Log
	config   Config
	buffers  sync.Pool // *buffers
	statics  [wording.Manager + 1]atomic.Pointer[static]
	onFile   atomic.Pointer[evidenceFile]
}

// buffers are what one answer is made in.
type buffers struct {
	slate   matcher.Slate
	payload []byte
	profile []byte
	text    []byte
	marks   []mark
	facts   []fund.Evidence
}

// New returns a service.
func New(cores Cores, profiles features.Profiles, log Log, config Config) *Service {
	if config.ObserveStage == nil {
		config.ObserveStage = func(Stage, time.Duration) {}
	}
	if config.ObserveAnswer == nil {
		config.ObserveAnswer = func(*matcher.Slate) {}
	}
	return &Service{cores: cores, profiles: profiles, log: log, config: config, buffers: sync.Pool{New: func() any { return new(buffers) }}}
}

// Recommend implements the RPC.
func (s *Service) Recommend(ctx context.Context, r *fundmatchv1.RecommendRequest) (*fundmatchv1.RecommendResponse, error) {
	q, err := parseQuestion(r.GetCustomerId(), r.GetChannel(), r.GetAudience())
	if err != nil {
		return nil, err
	}
	if q.request.Limit, err = parseLimit(r); err != nil {
		return nil, err
	}
	core, profile, err := s.read(ctx, &q)
	if err != nil {
		return nil, err
	}
	b, ok := s.buffers.Get().(*buffers)
	if !ok {
		b = new(buffers)
	}
	defer s.buffers.Put(b)

	watch := s.watch()
	if err := core.Match(profile, q.request, &b.slate); err != nil {
		return nil, err
	}
	watch.lap(StageMatch)
	id, err := s.config.NewID()
	if err != nil {
		return nil, fmt.Errorf("decision id: %w", err)
	}
	view := s.presenter(core, q.request.Audience)
	view.page.text, view.page.marks, view.facts = b.text, b.marks, b.facts
	answer := view.answer(&b.slate, r.GetExplain())
	b.text, b.marks, b.facts = view.page.text, view.page.marks, view.facts
	if view.err != nil {
		return nil, view.err
	}
	answer.DecisionId = id
	watch.lap(StageRender)
	// Recorded before it is sent: an answer that nobody can account for is not given.
	b.payload = b.slate.AppendCanonical(b.payload[:0])
	b.profile = fund.AppendProfile(b.profile[:0], profile)
	err = s.log.Append(ctx, decisionlog.Record{
		DecisionID: id, DecidedAt: int64(q.request.At), CustomerID: profile.CustomerID, Kind: decisionlog.KindDecision,
		Profile: b.profile, Payload: b.payload,
	})
	if err != nil {
		return nil, err
	}
	watch.lap(StageRecord)
	// Without a transport (the command line) nobody reads the header: the error says so.
	_ = grpc.SetHeader(ctx, metadata.Pairs("etag", etag(&b.slate, b.profile, r.GetExplain())))
	s.config.ObserveAnswer(&b.slate)
	return answer, nil
}

// Explain implements the RPC. It is no decision: nothing is offered, nothing recorded.
func (s *Service) Explain(ctx context.Context, r *fundmatchv1.ExplainRequest) (*fundmatchv1.ExplainResponse, error) {
	audience := r.GetAudience()
	if audience == "" {
		audience = wording.Manager.String()
	}
	q, err := parseQuestion(r.GetCustomerId(), r.GetChannel(), audience)
	if err != nil {
		return nil, err
	}
	if fund.CheckID(r.GetProductCode()) != nil {
		return nil, features.Invalid("productCode", r.GetProductCode(), "a product code of 1 to 64 of 0-9 A-Z a-z . _ -")
	}
	core, profile, err := s.read(ctx, &q)
	if err != nil {
		return nil, err
	}
	if _, ok := core.Find(r.GetProductCode()); !ok {
		return nil, &features.NotFoundError{Kind: features.ProductKind, ID: r.GetProductCode()}
	}
	e, err := core.Explain(profile, r.GetProductCode(), q.request)
	if err != nil {
		return nil, err
	}
	view := s.presenter(core, q.request.Audience)
	answer := view.explanation(e)
	return answer, view.err
}

func (s *Service) presenter(core *matcher.Core, audience wording.Audience) presenter {
	return presenter{core: core, audience: audience, static: s.static(core.Wording(), audience), onFile: s.evidence(core)}
}

// etag names what an answer says apart from its id and time. An answer is a function of
// the core, the profile and the request, and stays the same until its validity ends. It
// is weak, because id and time differ each time.
func etag(s *matcher.Slate, profile []byte, explain bool) string {
	id := &s.Identity
	e := fund.Encoder{Buf: make([]byte, 0, 512)}
	for _, n := range [...]uint64{id.PoolRevision, id.DataSeq, uint64(id.AsOf), uint64(s.ValidUntil), uint64(s.Request.Limit)} {
		e.Uint(n)
	}
	for _, t := range [...]string{
		id.ModelID, id.RulesID, id.WordingID, id.Engine, s.Request.Channel.String(), s.Request.Audience.String(), strconv.FormatBool(explain),
		s.Request.Licence.ManagerID, s.Request.Licence.State, s.Request.Licence.Until.String(),
	} {
		e.Text(t)
	}
	h := sha256.New()
	h.Write(e.Buf)
	h.Write(profile)
	return `W/"` + hex.EncodeToString(h.Sum(nil)[:16]) + `"`
}

// question is what both calls ask.
type question struct {
	customerID string
	request    matcher.Request
}

func parseQuestion(customerID, channel, audience string) (question, error) {
	q := question{customerID: customerID}
	if fund.CheckID(customerID) != nil {
		return q, features.Invalid("customerId", customerID, "a customer id of 1 to 64 of 0-9 A-Z a-z . _ -")
	}
	switch channel {
	case "", "APP":
		q.request.Channel = fund.App
	case "BRANCH":
		q.request.Channel = fund.Branch
	default:
		return q, features.Invalid("channel", channel, "APP or BRANCH")
	}
	switch audience {
	case "", "CUSTOMER":
		q.request.Audience = wording.Customer
	case "MANAGER":
		q.request.Audience = wording.Manager
	default:
		return q, features.Invalid("audience", audience, "CUSTOMER or MANAGER")
	}
	return q, nil
}

func parseLimit(r *fundmatchv1.RecommendRequest) (int, error) {
	if r.Limit == nil {
		return matcher.DefaultLimit, nil
	}
	n := int(r.GetLimit())
	if n < matcher.MinLimit || n > matcher.MaxLimit {
		return 0, features.Invalid("limit", strconv.Itoa(n), fmt.Sprintf("%d to %d", matcher.MinLimit, matcher.MaxLimit))
	}
	return n, nil
}

// read takes the core in force and the profile as of its instant.
func (s *Service) read(ctx context.Context, q *question) (*matcher.Core, *fund.Profile, error) {
	core, at, err := s.cores.Core()
	if err != nil {
		return nil, nil, err
	}
	q.request.At = at
	watch := s.watch()
	profile, err := s.profiles.Profile(ctx, q.customerID, at)
	if errors.Is(err, features.ErrNotFound) {
		return nil, nil, &features.NotFoundError{Kind: features.CustomerKind, ID: q.customerID}
	}
	if err != nil {
		return nil, nil, err
	}
	// In the branch a manager speaks, whoever reads the answer: C03 asks for his licence.
	if q.request.Audience == wording.Manager || q.request.Channel == fund.Branch {
		if q.request.Licence, err = engine.Licence(ctx, s.config.Staff, &profile.Person, at); err != nil {
			return nil, nil, err
		}
	}
	watch.lap(StageProfile)
	return core, profile, nil
}

// stopwatch measures stages one after the other.
type stopwatch struct {
	s    *Service
	last time.Time
}

func (s *Service) watch() stopwatch { return stopwatch{s, s.config.Clock()} }

func (w *stopwatch) lap(stage Stage) {
	now := w.s.config.Clock()
	w.s.config.ObserveStage(stage, now.Sub(w.last))
	w.last = now
}
