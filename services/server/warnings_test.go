package server

import (
	"context"
	"strings"
	"testing"
	"time"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// One line a second of each cause, with the number of those left out; another cause has
// lines of its own.
func TestWarningsOfOneCauseAreThinnedOut(t *testing.T) {
	t.Parallel()
	w, start := warnings{}, time.Date(2026, 6, 30, 2, 0, 0, 0, time.UTC)
	for i, c := range []struct {
		cause   string
		after   time.Duration
		skipped int
		ok      bool
	}{
		{"FULL", 0, 0, true},
		{"FULL", 0, 0, false},
		{"FULL", warningInterval - 1, 0, false},
		{"OTHER", warningInterval - 1, 0, true},
		{"FULL", warningInterval, 2, true},
		{"FULL", 2*warningInterval - 1, 0, false},
		{"FULL", 2 * warningInterval, 1, true},
		{"FULL", 9 * warningInterval, 0, true},
	} {
		if skipped, ok := w.say(c.cause, start.Add(c.after)); skipped != c.skipped || ok != c.ok {
			t.Errorf("%d: %s after %s: %d, %v, want %d, %v", i, c.cause, c.after, skipped, ok, c.skipped, c.ok)
		}
	}
}

// A log that takes no record refuses every answer, and says so once a second.
func TestUnavailableIsNotLoggedForEveryRequest(t *testing.T) {
	t.Parallel()
	r := start(t, &fake{recommend: func(context.Context, *fundmatchv1.RecommendRequest) (*fundmatchv1.RecommendResponse, error) {
		return nil, decisionlog.ErrFull
	}}, options{})
	began := time.Now()
	const requests = 50
	for range requests {
		if a := r.do("GET", recommendPath, ""); a.code != 503 {
			t.Fatalf("HTTP %d %s", a.code, a.body)
		}
	}
	most := 1 + int(time.Since(began)/warningInterval)
	if lines := strings.Count(r.logs.String(), "DECISION_LOG_FULL"); lines < 1 || lines > most {
		t.Errorf("%d lines for %d requests, want at most %d", lines, requests, most)
	}
}
