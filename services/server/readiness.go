package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// Check is one thing that the service cannot answer without: the store, a compiled core,
// the decision log. Ready returns nil when it works; its error is shown as a reason of
// the error table and never as text.
type Check struct {
	Name  string
	Ready func(context.Context) error
}

// The states of readiness.
const (
	stateReady    = "READY"
	stateNotReady = "NOT_READY"
	stateDraining = "DRAINING"
)

// checkIntervals is how many intervals a check may take before it counts as failed.
const checkIntervals = 5

// readiness runs the checks in the background, so that asking costs nothing and cannot be
// used to load the store.
type readiness struct {
	checks   []Check
	asking   []atomic.Bool // by check: it runs
	interval time.Duration
	logger   *slog.Logger
	health   *health.Server
	names    []string // services of the gRPC health service
	draining atomic.Bool
	latest   atomic.Pointer[readyReport]

	mu sync.Mutex // orders changes of the health service's states
}

// readyReport is what /readyz answers.
type readyReport struct {
	Status string        `json:"status"`
	Checks []checkReport `json:"checks"`
}

type checkReport struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

func newReadiness(checks []Check, interval time.Duration, logger *slog.Logger, services []registered) *readiness {
	r := &readiness{checks: checks, asking: make([]atomic.Bool, len(checks)), interval: interval, logger: logger, health: health.NewServer(), names: []string{""}}
	for _, s := range services {
		r.names = append(r.names, s.desc.ServiceName)
	}
	r.latest.Store(&readyReport{Status: stateNotReady, Checks: []checkReport{}})
	r.show(false)
	return r
}

// run checks until ctx ends.
func (r *readiness) run(ctx context.Context) {
	tick := time.NewTicker(r.interval)
	defer tick.Stop()
	for {
		r.check(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// check runs every check at the same time, each with the time of checkIntervals.
func (r *readiness) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkIntervals*r.interval)
	defer cancel()
	report := &readyReport{Status: stateReady, Checks: make([]checkReport, len(r.checks))}
	var wg sync.WaitGroup
	for i := range r.checks {
		wg.Go(func() { report.Checks[i] = r.ask(ctx, i) })
	}
	wg.Wait()
	for i := range report.Checks {
		if report.Checks[i].Reason != "" {
			report.Status = stateNotReady
		}
	}
	before := r.latest.Swap(report)
	if before.Status != report.Status && ctx.Err() == nil {
		r.logger.LogAttrs(ctx, slog.LevelInfo, "readiness changed", slog.String("state", report.Status))
	}
	r.show(report.Status == stateReady)
}

// ask runs one check for as long as ctx lasts. One that does not return is left to itself
// and not asked again until it does.
func (r *readiness) ask(ctx context.Context, i int) checkReport {
	name := r.checks[i].Name
	failed := checkReport{Name: name, Status: "FAILED", Reason: reasonOf(statusOf(context.DeadlineExceeded, ""))}
	if r.asking[i].Swap(true) {
		return failed
	}
	answer := make(chan error, 1)
	go func() {
		defer r.asking[i].Store(false)
		answer <- r.callCheck(ctx, i)
	}()
	select {
	case <-ctx.Done():
		return failed
	case err := <-answer:
		if err == nil {
			return checkReport{Name: name, Status: "OK"}
		}
		failed.Reason = reasonOf(statusOf(err, ""))
		r.logger.LogAttrs(ctx, slog.LevelDebug, "dependency is not ready", slog.String("dependency", name), slog.Any("error", err))
		return failed
	}
}

// callCheck makes of a panic an error.
func (r *readiness) callCheck(ctx context.Context, i int) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v, debug.Stack()}
		}
	}()
	return r.checks[i].Ready(ctx)
}

// show tells the gRPC health service, which listens no more once it is shut down.
func (r *readiness) show(ready bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	state := healthpb.HealthCheckResponse_NOT_SERVING
	if ready {
		state = healthpb.HealthCheckResponse_SERVING
	}
	for _, name := range r.names {
		r.health.SetServingStatus(name, state)
	}
}

// drain makes the service not ready for good.
func (r *readiness) drain() {
	r.draining.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.health.Shutdown()
}

// report returns the present state.
func (r *readiness) report() readyReport {
	report := *r.latest.Load()
	if r.draining.Load() {
		report.Status = stateDraining
	}
	return report
}

// serveReady answers /readyz: 200 when ready, else 503, with a reason for each check.
func (r *readiness) serveReady(w http.ResponseWriter, _ *http.Request) {
	report := r.report()
	code := http.StatusOK
	if report.Status != stateReady {
		code = http.StatusServiceUnavailable
	}
	writeJSON(w, code, report)
}

// serveAlive answers /healthz: the process runs and takes requests.
func serveAlive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ALIVE"})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		code, body = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n')) // a caller that went away is not told
}
