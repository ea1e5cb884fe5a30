package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/fundmatch/fundmatch/features/monitor"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/telemetry"
)

// monitorConfig are the settings of the measurement that serve repeats.
type monitorConfig struct {
	Every       duration `yaml:"every"`
	Customers   whole    `yaml:"customers"`
	BaselineAge duration `yaml:"baseline_age"`
}

// The defaults and bounds of the measurement.
const (
	defaultMonitorEvery     = 5 * time.Minute
	minMonitorEvery         = 10 * time.Second
	defaultMonitorCustomers = 2_000
	maxMonitorCustomers     = 20_000
	defaultBaselineAge      = 30 * 24 * time.Hour
	maxBaselineAge          = 10 * 366 * 24 * time.Hour
	// renewSample is after how many measurements the customers are chosen anew, which reads
	// all ids: those who came meanwhile are not measured before.
	renewSample = 100
)

func (c *monitorConfig) check() error {
	if every := time.Duration(c.Every); every != 0 && (every < minMonitorEvery || every > 24*time.Hour) {
		return &settingError{"monitor.every", every.String(), "10s to 24h"}
	}
	if c.Customers != 0 && (c.Customers < monitor.MinDriftRows || c.Customers > maxMonitorCustomers) {
		return &settingError{"monitor.customers", strconv.Itoa(int(c.Customers)), "100 to 20000"}
	}
	if age := time.Duration(c.BaselineAge); age != 0 && (age < time.Hour || age > maxBaselineAge) {
		return &settingError{"monitor.baseline_age", age.String(), "1h to 87840h"}
	}
	return nil
}

// featureWatch measures the features of some customers again and again, beside the answers:
// one goroutine, one reading at a time.
type featureWatch struct {
	store  historyStore
	now    func() time.Time
	config monitorConfig
	logger *slog.Logger
	latest atomic.Pointer[monitor.Report]
}

func newFeatureWatch(store historyStore, now func() time.Time, config monitorConfig, logger *slog.Logger) *featureWatch {
	if config.Every == 0 {
		config.Every = duration(defaultMonitorEvery)
	}
	if config.Customers == 0 {
		config.Customers = defaultMonitorCustomers
	}
	if config.BaselineAge == 0 {
		config.BaselineAge = duration(defaultBaselineAge)
	}
	return &featureWatch{store: store, now: now, config: config, logger: logger}
}

// plan selects what the catalogue in force declares: one that is published meanwhile counts
// from the next measurement on.
func (w *featureWatch) plan(ctx context.Context, at fund.Instant) (*view.Plan, error) {
	views, err := viewsAt(ctx, w.store, at)
	if err != nil {
		return nil, err
	}
	return views.PlanViews(declaring(views.Catalogue))
}

// run measures at once and at each tick until ctx ends. A failure is logged and the last
// report stays: a store that stalls is told elsewhere.
func (w *featureWatch) run(ctx context.Context, ticks <-chan time.Time) {
	var chosen []string
	for n := 0; ; n++ {
		if n%renewSample == 0 || len(chosen) < int(w.config.Customers) {
			chosen = nil
		}
		var err error
		if chosen, err = w.measure(ctx, chosen); err != nil && ctx.Err() == nil {
			w.logger.LogAttrs(ctx, slog.LevelWarn, "the features were not measured", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
	}
}

// measure measures once and returns who was measured.
func (w *featureWatch) measure(ctx context.Context, chosen []string) (_ []string, err error) {
	if chosen == nil {
		if chosen, err = monitor.Choose(ctx, w.store, int(w.config.Customers)); err != nil {
			return nil, err
		}
	}
	now := w.now()
	plan, err := w.plan(ctx, fund.InstantOf(now))
	if err != nil {
		return chosen, err
	}
	report, err := monitor.Run(ctx, w.store, plan, monitor.Config{
		At: fund.InstantOf(now), BaselineAt: fund.InstantOf(now.Add(-time.Duration(w.config.BaselineAge))),
		Segments: true, Customers: chosen, Workers: 1,
	})
	if err != nil {
		return chosen, err
	}
	w.latest.Store(report)
	return chosen, nil
}

// states gives the last report to the metrics.
func (w *featureWatch) states() []telemetry.FeatureState {
	r := w.latest.Load()
	if r == nil || r.Customers == 0 {
		return nil
	}
	out := make([]telemetry.FeatureState, 0, len(r.Features))
	for i := range r.Features {
		f := &r.Features[i]
		l := &f.Lines[0]
		s := telemetry.FeatureState{View: f.View, Name: f.Name, Fill: l.Fill(), PSI: l.Drift.PSI, Drift: l.Drift.Known}
		if l.Age.Dated > 0 {
			for j, q := range monitor.AgeQuantiles {
				s.Ages = append(s.Ages, telemetry.AgeQuantile{Percent: q, Seconds: float64(l.Age.Quantiles[j])})
			}
		}
		out = append(out, s)
	}
	return out
}

// ServeHTTP shows the last report as a page.
func (w *featureWatch) ServeHTTP(out http.ResponseWriter, _ *http.Request) {
	r := w.latest.Load()
	if r == nil {
		http.Error(out, "nothing was measured yet", http.StatusServiceUnavailable)
		return
	}
	var page bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		http.Error(out, "the page cannot be written", http.StatusInternalServerError)
		return
	}
	out.Header().Set("Content-Type", "text/html; charset=utf-8")
	out.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	out.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = out.Write(page.Bytes()) // whoever asked is gone
}

// watchFeatures puts the measurement into the service, where the store keeps histories.
func (s *service) watchFeatures() http.Handler {
	store, ok := s.store.(historyStore)
	if !ok {
		return nil // no page
	}
	w := newFeatureWatch(store, s.now, s.config.Monitor, s.logger)
	s.signals.features = w
	s.signals.metrics.Features.Watch(w.states)
	return w
}

// measureFeatures runs the measurement until ctx ends.
func (s *service) measureFeatures(ctx context.Context) error {
	w := s.signals.features
	if w == nil {
		return nil
	}
	ticker := time.NewTicker(time.Duration(w.config.Every))
	defer ticker.Stop()
	w.run(ctx, ticker.C)
	return nil
}
