package main

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/recommendation"
	"github.com/fundmatch/fundmatch/services/shadow"
	"github.com/fundmatch/fundmatch/services/telemetry"
	"github.com/fundmatch/fundmatch/services/wire"
)

// What the parts report becomes metrics and log lines here, so that they need not know
// either.

// observeCompile reports a compile of a core. What did not compile is refused: see
// observeRefused.
func (s *service) observeCompile(c engine.Compiled) {
	if c.Err != nil {
		return
	}
	id := &c.Identity
	s.logger.LogAttrs(context.Background(), slog.LevelInfo, "compiled a core",
		slog.String("pool", strconv.FormatUint(id.PoolRevision, 10)), slog.Uint64("seq", id.DataSeq), slog.String("model", id.ModelID),
		slog.Int("count", c.Products), slog.Int64("duration_us", c.Took.Microseconds()))
	if !c.Derived { // another model changes nothing about the pool
		s.observeQuarantine(c.Core)
	}
}

// maxQuarantineLines bounds the products that are logged one by one: /v1/pool lists all.
const maxQuarantineLines = 100

// observeQuarantine names the products that the pool holds and no answer offers. What is said
// of them is about products: it may be logged.
func (s *service) observeQuarantine(core *matcher.Core) {
	found := wire.Quarantined(core)
	for _, f := range found[:min(len(found), maxQuarantineLines)] {
		s.logger.LogAttrs(context.Background(), slog.LevelWarn, "a product is in quarantine",
			slog.String("product", f.GetProductCode()), slog.String("rule", f.GetRuleId()), slog.String("reason", f.GetReason()),
			slog.String("state", strings.Join(f.GetFacts(), " ")))
	}
	if left := len(found) - maxQuarantineLines; left > 0 {
		s.logger.LogAttrs(context.Background(), slog.LevelWarn, "more findings of quarantine than are logged", slog.Int("count", left))
	}
}

// coreState says what answers now.
func (s *service) coreState() telemetry.CoreState {
	state := telemetry.CoreState{Degraded: s.engine.Degraded()}
	for _, r := range s.engine.Refusals() {
		state.Refused = append(state.Refused, refusedKind(r))
	}
	lineup, _, err := s.engine.Lineup()
	if err != nil {
		return state
	}
	core := lineup.Core()
	state.Quarantined = len(core.Quarantined())
	id := core.Identity()
	state.Revision = &telemetry.CoreRevision{
		Pool: strconv.FormatUint(id.PoolRevision, 10), Model: id.ModelID, Rules: id.RulesID, Engine: id.Engine,
		AsOf: id.AsOf.Time(), DataSeq: id.DataSeq,
	}
	for _, arm := range lineup.Arms() {
		state.Lineup = append(state.Lineup, telemetry.LineupModel{Role: "arm", Model: arm})
	}
	if dark := lineup.Shadow(); dark != nil {
		state.Lineup = append(state.Lineup, telemetry.LineupModel{Role: "shadow", Model: dark.Identity().ModelID})
	}
	return state
}

// refusedKind names what was refused.
func refusedKind(r engine.Refusal) string {
	if r.Kind == "" {
		return "POOL"
	}
	return string(r.Kind)
}

// observeRefused reports what the store has in force and could not be put in force here.
// What it is refused for names products, rules, days and places in a file, no customer: it may
// be logged, and has to be for somebody to mend it.
func (s *service) observeRefused(r engine.Refusal) {
	state := "the last good core stays"
	if _, _, err := s.engine.Core(); err != nil {
		state = "there is no core, nothing is answered"
	}
	switch r.Kind { //nolint:exhaustive // the others are the core's
	case features.ExperimentsArtifact:
		state = "the last good plan stays, or none"
	case features.ShadowArtifact:
		state = "nothing runs in the shadow"
	}
	attrs := []slog.Attr{slog.String("component", refusedKind(r)), slog.String("version", r.ID), slog.String("state", state), slog.Any("error", r.Err)}
	if errors.Is(r.Err, matcher.ErrCompile) {
		attrs = append(attrs, slog.String("reason", oneLine(r.Err.Error())))
	}
	s.logger.LogAttrs(context.Background(), slog.LevelError, "what the store has in force is refused", attrs...)
}

// newShadow returns the comparer of answers with a shadow's, told of in metrics and log.
func (s *service) newShadow() *shadow.Comparer {
	m := &s.signals.metrics.Shadow
	return shadow.New(shadow.Config{
		Dropped: m.Dropped.Inc,
		Observe: func(c shadow.Comparison) {
			if c.Err != nil {
				m.Failed.Inc()
				return
			}
			m.Compared.Inc()
			if c.Same {
				m.Same.Inc()
			}
			m.Violations.Add(float64(c.Violations))
			m.Overlap.Observe(c.Overlap)
			m.RankBiased.Observe(c.RankBiased)
			m.ScoreGap.Observe(c.ScoreGap)
		},
		Report: func(found shadow.Summary) {
			level := slog.LevelInfo
			if found.Violations > 0 {
				level = slog.LevelError
			}
			s.logger.LogAttrs(context.Background(), level, "compared answers with the shadow's",
				slog.String("model", found.Shadow), slog.Int64("count", found.Compared), slog.Int64("same", found.Same),
				slog.Int64("dropped", found.Dropped), slog.Int64("failed", found.Failed), slog.Int64("violations", found.Violations),
				slog.Float64("overlap", found.Overlap), slog.Float64("rank_biased_overlap", found.RankBiased), slog.Float64("score_gap", found.ScoreGap))
		},
	})
}

// answerWatch measures answers.
type answerWatch struct {
	metrics *telemetry.Metrics
	rules   sync.Map // eligibility.RuleID: prometheus.Counter, since looking it up costs more than counting
}

func newAnswerWatch(m *telemetry.Metrics) *answerWatch { return &answerWatch{metrics: m} }

func (w *answerWatch) stage(s recommendation.Stage, took time.Duration) {
	switch s {
	case recommendation.StageProfile:
		w.metrics.ObserveStage(telemetry.ProfileStage, took)
	case recommendation.StageMatch:
		w.metrics.ObserveStage(telemetry.MatchStage, took)
	case recommendation.StageRecord:
		w.metrics.ObserveStage(telemetry.RecordStage, took)
	case recommendation.StageRender:
		w.metrics.ObserveStage(telemetry.RenderStage, took)
	}
}

func (w *answerWatch) answer(s *matcher.Slate) {
	for _, x := range s.Excluded {
		w.counter(x.ID).Add(float64(x.Count))
	}
}

func (w *answerWatch) counter(id eligibility.RuleID) prometheus.Counter {
	if c, ok := w.rules.Load(id); ok {
		return c.(prometheus.Counter) //nolint:forcetypeassert,errcheck // the map holds nothing else
	}
	c := w.metrics.Exclusions(string(id))
	w.rules.Store(id, c)
	return c
}

// closeTraces bounds how long the end of the service waits for a collector.
const closeTraces = 3 * time.Second

func (s *service) closeTracing() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTraces)
	defer cancel()
	_ = s.signals.tracing.Close(ctx) // lost spans are no failure of the service
	return nil
}
