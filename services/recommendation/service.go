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

// Lineups gives what is in force and an instant that it speaks for. *engine.Engine is one.
type Lineups interface {
	// Lineup gives a lineup and an instant that it speaks for.
	Lineup() (*engine.Lineup, fund.Instant, error)
}

// Fixed returns one core and one instant for ever: no experiments.
func Fixed(core *matcher.Core, at fund.Instant) Lineups { return FixedLineup(engine.Single(core), at) }

// FixedLineup returns one lineup and one instant for ever: a question about the past.
func FixedLineup(lineup *engine.Lineup, at fund.Instant) Lineups { return fixed{lineup, at} }

type fixed struct {
	lineup *engine.Lineup
	at     fund.Instant
}

func (f fixed) Lineup() (*engine.Lineup, fund.Instant, error) { return f.lineup, f.at, nil }

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
	// Compare is given each recorded answer for which a shadow runs. May be nil. It must not
	// block, and neither keep the slate nor change the profile.
	Compare func(shadow *matcher.Core, p *fund.Profile, answer *matcher.Slate)
}

// Service implements fundmatchv1.RecommendationServiceServer.
type Service struct {
	fundmatchv1.UnimplementedRecommendationServiceServer
	lineups  Lineups
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
func New(lineups Lineups, profiles features.Profiles, log Log, config Config) *Service {
	if config.ObserveStage == nil {
		config.ObserveStage = func(Stage, time.Duration) {}
	}
	if config.ObserveAnswer == nil {
		config.ObserveAnswer = func(*matcher.Slate) {}
	}
	if config.Compare == nil {
		config.Compare = func(*matcher.Core, *fund.Profile, *matcher.Slate) {}
	}
	return &Service{lineups: lineups, profiles: profiles, log: log, config: config, buffers: sync.Pool{New: func() any { return new(buffers) }}}
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
	entry, profile, err := s.read(ctx, &q)
	if err != nil {
		return nil, err
	}
	id, err := s.config.NewID()
	if err != nil {
		return nil, fmt.Errorf("decision id: %w", err)
	}
	q.request.Seed, q.request.Exploration, q.request.Exposures = matcher.SeedOf(id), entry.Exploration, entry.Exposures
	b, ok := s.buffers.Get().(*buffers)
	if !ok {
		b = new(buffers)
	}
	defer s.buffers.Put(b)

	watch := s.watch()
	if err := entry.Core.Match(profile, q.request, &b.slate); err != nil {
		return nil, err
	}
	watch.lap(StageMatch)
	view := s.presenter(entry.Core, q.request.Audience)
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
	if entry.Shadow != nil {
		s.config.Compare(entry.Shadow, profile, &b.slate)
	}
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
	// The customer's own arm: where scores show he sees one model, in a list and beside it.
	entry, profile, err := s.read(ctx, &q)
	if err != nil {
		return nil, err
	}
	core := entry.Core
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
// the core, the profile and the request, and stays the same until its validity ends; where a
// place of the list is left to chance it is also one of its draw, and shared with no other. It
// is weak, because id and time differ each time.
func etag(s *matcher.Slate, profile []byte, explain bool) string {
	id, r := &s.Identity, &s.Request
	e := fund.Encoder{Buf: make([]byte, 0, 512)}
	for _, n := range [...]uint64{id.PoolRevision, id.DataSeq, uint64(id.AsOf), uint64(s.ValidUntil), uint64(r.Limit)} {
		e.Uint(n)
	}
	for _, t := range [...]string{
		id.ModelID, id.RulesID, id.WordingID, id.Engine, r.Channel.String(), r.Audience.String(), strconv.FormatBool(explain),
		r.Licence.ManagerID, r.Licence.State, r.Licence.Until.String(),
	} {
		e.Text(t)
	}
	e.Uint(uint64(len(r.Exposures)))
	for _, x := range r.Exposures {
		e.Text(x.Layer)
		e.Text(x.Experiment)
		e.Text(x.Arm)
	}
	if s.Explored.Rank > 0 {
		// Each draw is an answer of its own. Were one that draws the same taken for the one
		// before, what is drawn often would be shown under fewer decisions than are logged, and
		// its propensity would no longer be that of the log.
		e.Fixed64(r.Seed)
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

// read takes what answers this customer and his profile as of its instant.
func (s *Service) read(ctx context.Context, q *question) (engine.Entry, *fund.Profile, error) {
	lineup, at, err := s.lineups.Lineup()
	if err != nil {
		return engine.Entry{}, nil, err
	}
	q.request.At = at
	watch := s.watch()
	profile, err := s.profiles.Profile(ctx, q.customerID, at)
	if errors.Is(err, features.ErrNotFound) {
		return engine.Entry{}, nil, &features.NotFoundError{Kind: features.CustomerKind, ID: q.customerID}
	}
	if err != nil {
		return engine.Entry{}, nil, err
	}
	// In the branch a manager speaks, whoever reads the answer: C03 asks for his licence.
	if q.request.Audience == wording.Manager || q.request.Channel == fund.Branch {
		if q.request.Licence, err = engine.Licence(ctx, s.config.Staff, &profile.Person, at); err != nil {
			return engine.Entry{}, nil, err
		}
	}
	watch.lap(StageProfile)
	return lineup.For(q.customerID, at), profile, nil
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
