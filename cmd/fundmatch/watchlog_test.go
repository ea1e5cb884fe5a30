package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/telemetry"
)

// fakeLog fails as a test wants.
type fakeLog struct{ err error }

func (l *fakeLog) Append(context.Context, decisionlog.Record) error { return l.err }

// The log is ready until an append fails, and again when there is room or a record went
// in. What a caller did wrong, or gave up, says nothing about the log.
func TestReadinessOfTheDecisionLog(t *testing.T) {
	t.Parallel()
	disk, log := error(syscall.ENOSPC), &fakeLog{}
	l := &watchedLog{log: log, meter: telemetry.NewMetrics(time.Now).DecisionLog, probe: func() error { return disk }}
	appendAnd := func(err, want error) {
		t.Helper()
		log.err = err
		if got := l.Append(t.Context(), decisionlog.Record{}); !errors.Is(got, err) {
			t.Errorf("append: %v, want %v", got, err)
		}
		if got := l.ready(t.Context()); !errors.Is(got, want) || (want == nil) != (got == nil) {
			t.Errorf("after %v: ready %v, want %v", err, got, want)
		}
	}
	appendAnd(nil, nil)
	appendAnd(context.Canceled, nil)
	appendAnd(decisionlog.ErrInvalid, nil)
	appendAnd(decisionlog.ErrFull, decisionlog.ErrFull)
	if err := l.ready(t.Context()); !errors.Is(err, decisionlog.ErrFull) {
		t.Errorf("the disk is still full: %v", err)
	}
	disk = nil
	if err := l.ready(t.Context()); err != nil {
		t.Errorf("there is room again: %v", err)
	}
	disk = syscall.ENOSPC
	if err := l.ready(t.Context()); err != nil {
		t.Errorf("nothing was tried since: %v", err)
	}
	appendAnd(decisionlog.ErrFull, decisionlog.ErrFull)
	appendAnd(nil, nil)
	appendAnd(decisionlog.ErrRefused, decisionlog.ErrRefused)
	disk = nil
	appendAnd(nil, decisionlog.ErrRefused)
}

// EraseUntil is customer.DecisionLog.
func (*fakeLog) EraseUntil(context.Context, string, int64) (int, error) { return 0, nil }

// The probe leaves nothing behind and fails where nothing can be written.
func TestProbeDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := probeDisk(dir); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the probe left %v, %v", entries, err)
	}
	if err := probeDisk(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a probe of a directory that is not there succeeds")
	}
}

// What the disk of the decision log costs is measured.
func TestFsyncsAreMeasured(t *testing.T) {
	t.Parallel()
	spec, err := parseStore(bankInProcess(t))
	if err != nil {
		t.Fatal(err)
	}
	s, _ := serviceOver(t, spec)
	record := decisionlog.Record{
		DecisionID: "01890a5d-ac96-774b-bcce-b302099a8057", DecidedAt: 1, CustomerID: "C1", Kind: decisionlog.KindDecision, Payload: []byte("x"),
	}
	if err := s.log.Append(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(metricsOf(s), "fundmatch_decision_log_fsync_seconds_count 1"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no fsync was measured:\n%s", metricsOf(s))
		}
	}
}

func metricsOf(s *service) string {
	answer := httptest.NewRecorder()
	s.signals.metrics.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	return answer.Body.String()
}
