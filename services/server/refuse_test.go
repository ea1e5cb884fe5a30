package server

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/storeclock"
)

// What cannot be answered truly is refused on both transports, for every method, with a reason
// and when to come back, and answered again once it can be.
func TestWhatCannotBeTrueIsRefused(t *testing.T) {
	var skewed atomic.Bool
	skewed.Store(true)
	r := start(t, &fake{}, options{with: func(s *Services) {
		s.Refuse = func() error {
			if skewed.Load() {
				return fmt.Errorf("%w: 3m0s ahead", storeclock.ErrSkewed)
			}
			return nil
		}
	}})
	for _, path := range []string{"/v1/customers/C1/recommendations", "/v1/decisions/d-1:replay"} {
		method := http.MethodGet
		if strings.Contains(path, ":") {
			method = http.MethodPost
		}
		a := r.do(method, path, "")
		if a.code != http.StatusServiceUnavailable || !strings.Contains(a.body, `"CLOCK_SKEWED"`) || strings.Contains(a.body, "3m0s") || a.header.Get("Retry-After") != "5" {
			t.Errorf("%s: %d %s", path, a.code, a.body)
		}
	}
	client := fundmatchv1.NewRecommendationServiceClient(r.conn)
	_, err := client.Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: "C1"})
	if status.Code(err) != codes.Unavailable || reasonOf(status.Convert(err)) != "CLOCK_SKEWED" {
		t.Errorf("gRPC: %v", err)
	}
	if a := r.do(http.MethodGet, "/healthz", ""); a.code != http.StatusOK {
		t.Errorf("it is alive: %d", a.code)
	}
	skewed.Store(false)
	if a := r.do(http.MethodGet, "/v1/customers/C1/recommendations", ""); a.code != http.StatusOK {
		t.Errorf("once the clocks agree: %d %s", a.code, a.body)
	}
}
