package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/services/telemetry"
)

func TestFeaturesMonitor(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	dir := t.TempDir()
	page, saved := filepath.Join(dir, "f.html"), filepath.Join(dir, "base.json")
	args := []string{"features", "monitor", "--store", store, "--views", "person,tag.RISK"}
	one := mustRun(t, append(args, "--workers", "1", "--segments", "--html", page, "--save-baseline", saved, "--json")...)
	report := decode[monitorReport](t, one)
	if report.Customers == 0 || len(report.Features) < 10 || report.BaselineAt != nil || report.Features[0].Lines[0].PSI != nil || len(report.Segments) == 0 {
		t.Errorf("report %+v", report)
	}
	if again := mustRun(t, append(args, "--workers", "3", "--segments", "--json")...); again != one {
		t.Errorf("three workers report otherwise:\n%s\n%s", one, again)
	}
	text, err := os.ReadFile(page)
	if err != nil || !bytes.HasPrefix(text, []byte("<!DOCTYPE html>")) {
		t.Errorf("page %.40q, %v", text, err)
	}
	table := mustRun(t, append(args, "--baseline", saved)...)
	if !strings.Contains(table, "person.segment") || !strings.Contains(table, "as of 2026-06-30") {
		t.Errorf("table:\n%s", table)
	}
}

func TestFeaturesMonitorRefusesAndFails(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	none := filepath.Join(t.TempDir(), "none.db")
	notes, saved := filepath.Join(t.TempDir(), "notes.txt"), filepath.Join(t.TempDir(), "base.json")
	if err := os.WriteFile(notes, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"--views persons", exitUsage, "--views"},
		{"--at yesterday", exitUsage, "--at"},
		{"--baseline nothing", exitUsage, "--baseline"},
		{"--baseline " + notes, exitUsage, "a saved baseline"},
		{"--at 2026-01-01 --baseline 2026-02-01", exitUsage, "at or before"},
		{"--workers 0", exitUsage, "--workers"},
		{"--min-fill 1.5", exitUsage, "--min-fill"},
		{"--fail-above 0.25", exitUsage, "without --baseline"}, // it could never fail
		{"--at 2030-01-01", exitUsage, "not later than now"},
		{"--views person.segment --save-baseline " + saved, exitDone, ""},
		{"--views person --baseline " + saved, exitUsage, "the same --views"},
		{"--fail-above NaN", exitUsage, "--fail-above"},
		{"--store sqlite:" + none, exitUnavailable, "no such file"},
		{"--views person --min-fill 1", exitFailed, "person.professional_class: fill"},
		{"--views person.segment --min-fill 0.5", exitDone, ""},
	} {
		args := append([]string{"features", "monitor", "--store", store}, strings.Fields(c.args)...)
		out := inProcess(t.Context(), "", args...)
		if out.code != c.code || !strings.Contains(out.stderr, c.says) {
			t.Errorf("%s: exit code %d, want %d; %q, want it to say %q", c.args, out.code, c.code, out.stderr, c.says)
		}
	}
}

// brokenHistories fails when it is told to.
type brokenHistories struct {
	historyStore
	broken atomic.Bool
}

func (s *brokenHistories) Histories(ctx context.Context, q features.HistoryQuery, yield func(*features.History) error) error {
	if s.broken.Load() {
		return features.ErrUnavailable
	}
	return s.historyStore.Histories(ctx, q, yield)
}

// The service measures at its start and at each tick, shows the last good report, and stops
// when it is told to.
func TestFeaturesAreWatched(t *testing.T) {
	before := goleak.IgnoreCurrent()
	spec := bankInProcess(t)
	opened, err := openHistories(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	store := &brokenHistories{historyStore: opened}
	world, _, _ := testWorld("")
	now := world.now()
	var log bytes.Buffer
	w := newFeatureWatch(store, func() time.Time { return now }, monitorConfig{}, slog.New(slog.NewTextHandler(&log, nil)))
	metrics := telemetry.NewMetrics(func() time.Time { return now })
	metrics.Features.Watch(w.states)
	if code := pageCode(w); code != http.StatusServiceUnavailable {
		t.Errorf("before the first measurement: %d", code)
	}
	ticks := make(chan time.Time)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.run(ctx, ticks) }()
	ticks <- now // taken after the first measurement
	if code := pageCode(w); code != http.StatusOK {
		t.Errorf("after it: %d", code)
	}
	first := w.latest.Load()
	scraped := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(scraped, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	exported := scraped.Body.String()
	if n := strings.Count(exported, "fundmatch_feature_fill_ratio{"); n != len(first.Features) {
		t.Errorf("%d fills exported of %d features", n, len(first.Features))
	}
	if !strings.Contains(exported, `fundmatch_feature_age_seconds{feature="level",quantile="0.50",view="assessment"}`) {
		t.Error("no age of the assessed level exported")
	}
	store.broken.Store(true)
	ticks <- now // after the second; the third fails
	ticks <- now
	stop()
	<-done
	if w.latest.Load() == nil || !strings.Contains(log.String(), "not measured") {
		t.Errorf("after a failure: report %v, log %q", w.latest.Load(), log.String())
	}
	if err := opened.Close(); err != nil && !errors.Is(err, features.ErrUnavailable) {
		t.Error(err)
	}
	goleak.VerifyNone(t, before)
}

func pageCode(h http.Handler) int {
	out := httptest.NewRecorder()
	h.ServeHTTP(out, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/features", http.NoBody))
	return out.Code
}

func TestMonitorSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config monitorConfig
		field  string
	}{
		{monitorConfig{}, ""},
		{monitorConfig{Every: duration(10 * time.Second), Customers: 100, BaselineAge: duration(time.Hour)}, ""},
		{monitorConfig{Every: duration(9 * time.Second)}, "monitor.every"},
		{monitorConfig{Customers: 99}, "monitor.customers"},
		{monitorConfig{Customers: 20_001}, "monitor.customers"},
		{monitorConfig{BaselineAge: duration(time.Minute)}, "monitor.baseline_age"},
	} {
		err := c.config.check()
		if (err == nil) != (c.field == "") || err != nil && !strings.Contains(err.Error(), c.field) {
			t.Errorf("%+v: %v, want it to name %q", c.config, err, c.field)
		}
	}
}
