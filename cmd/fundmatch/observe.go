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

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/recommendation"
	"github.com/fundmatch/fundmatch/services/telemetry"
	"github.com/fundmatch/fundmatch/services/wire"
)

// What the parts report becomes metrics and log lines here, so that they need not know
// either.

// observeCompile reports a compile of a core.
func (s *service) observeCompile(c engine.Compiled) {
	if c.Err != nil {
		s.observeRefused(&c)
		return
	}
	id := &c.Identity
	s.logger.LogAttrs(context.Background(), slog.LevelInfo, "compiled a core",
		slog.String("pool", strconv.FormatUint(id.PoolRevision, 10)), slog.Uint64("seq", id.DataSeq),
		slog.Int("count", c.Products), slog.Int64("duration_us", c.Took.Microseconds()))
	s.observeQuarantine(c.Core)
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

// coreState says which core answers now.
func (s *service) coreState() telemetry.CoreState {
	state := telemetry.CoreState{Degraded: s.engine.Degraded()}
	core, _, err := s.engine.Core()
	if err != nil {
		return state
	}
	state.Quarantined = len(core.Quarantined())
	id := core.Identity()
	state.Revision = &telemetry.CoreRevision{
		Pool: strconv.FormatUint(id.PoolRevision, 10), Model: id.ModelID, Rules: id.RulesID, Engine: id.Engine,
		AsOf: id.AsOf.Time(), DataSeq: id.DataSeq,
	}
	return state
}

// observeRefused reports a pool that did not become a core. What a compile refuses it
// for names products, rules and days, no customer: it may be logged, and has to be for
// somebody to mend it.
func (s *service) observeRefused(c *engine.Compiled) {
	state := "the last good core stays"
	if _, _, err := s.engine.Core(); err != nil {
		state = "there is no core, nothing is answered"
	}
	attrs := []slog.Attr{
		slog.String("pool", strconv.FormatUint(c.Identity.PoolRevision, 10)), slog.String("state", state), slog.Any("error", c.Err),
	}
	if errors.Is(c.Err, matcher.ErrCompile) {
		attrs = append(attrs, slog.String("reason", oneLine(c.Err.Error())))
	}
	s.logger.LogAttrs(context.Background(), slog.LevelError, "the pool in force does not compile", attrs...)
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
