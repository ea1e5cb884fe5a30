package server

import (
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/fundmatch/fundmatch/services/telemetry"
)

// opsWriteTimeout leaves time for a profile of a minute.
const opsWriteTimeout = 90 * time.Second

// opsHandler serves what operators need: metrics, health, features, profiles.
func opsHandler(metrics *telemetry.Metrics, ready *readiness, features http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics.Handler())
	mux.HandleFunc("GET /healthz", serveAlive)
	mux.HandleFunc("GET /readyz", ready.serveReady)
	if features != nil {
		mux.Handle("GET /features", features)
	}
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	// Not served: /debug/pprof/cmdline, which shows paths and may show more.
	return mux
}
