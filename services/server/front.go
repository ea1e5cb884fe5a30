package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"

	"github.com/fundmatch/fundmatch/features"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/telemetry"
)

// front is the HTTP side of REST: what every answer carries, and what is refused before
// the gateway reads it. Requests that get past it go through the interceptor chain.
type front struct {
	gateway   http.Handler
	routes    routes
	readiness *readiness
	logger    *slog.Logger
	meter     *telemetry.Method // of requests that reach no method
	maxBody   int64
	newID     func() string
	apiTag    string // ETag of the API's description
}

// The values of headers that many answers share; nobody may change them.
var (
	noStore    = []string{"private, no-store"}
	revalidate = []string{"private, no-cache"}
	nosniff    = []string{"nosniff"}
	noContent  = []string{"default-src 'none'; frame-ancestors 'none'"}
	noReferrer = []string{"no-referrer"}
	deny       = []string{"DENY"}
)

func newFront(gateway http.Handler, ready *readiness, s *steps) (*front, error) {
	rs, err := readRoutes(fundmatchv1.OpenAPI)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(fundmatchv1.OpenAPI)
	return &front{
		gateway: gateway, routes: rs, readiness: ready, logger: s.logger,
		meter:   s.metrics.Requests.Method("http"),
		maxBody: s.cfg.HTTP.MaxBodyBytes, newID: s.cfg.NewRequestID,
		apiTag: `"` + hex.EncodeToString(sum[:16]) + `"`,
	}, nil
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer f.recoverPanic(w, r)
	f.prepare(w, r)
	switch r.URL.Path {
	case "/healthz":
		f.serveOwn(w, r, serveAlive)
	case "/readyz":
		f.serveOwn(w, r, f.readiness.serveReady)
	case "/openapi.json":
		f.serveOwn(w, r, f.serveAPI)
	default:
		f.serveRoute(w, r)
	}
}

// prepare gives the request its id and the answer the headers that all have.
func (f *front) prepare(w http.ResponseWriter, r *http.Request) {
	id := requestIDOf(r)
	if !validRequestID(id) || len(r.Header["X-Request-Id"]) > 1 {
		id = f.newID()
		r.Header["X-Request-Id"] = []string{id}
	}
	r.Header.Del("Te") // the answers have no trailers, which would cost their length
	h := w.Header()
	h["X-Request-Id"] = []string{id}
	h["Cache-Control"] = noStore
	h["X-Content-Type-Options"] = nosniff
	h["Content-Security-Policy"] = noContent
	h["Referrer-Policy"] = noReferrer
	h["X-Frame-Options"] = deny
}

func requestIDOf(r *http.Request) string {
	if values := r.Header["X-Request-Id"]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// serveRoute checks a request of the API and hands it to the gateway.
func (f *front) serveRoute(w http.ResponseWriter, r *http.Request) {
	if !utf8.ValidString(r.URL.Path) {
		f.refuse(w, r, features.Invalid("path", r.URL.Path, "UTF-8"))
		return
	}
	found := f.routes.find(r.URL.Path)
	if found == nil {
		f.refuse(w, r, errPathNotFound)
		return
	}
	if r.Method == http.MethodHead { // answered as GET; net/http leaves out the body of its own request
		get := *r
		get.Method = http.MethodGet
		r = &get
	}
	op := found.methods[r.Method]
	if op == nil {
		f.refuseMethod(w, r, found)
		return
	}
	if err := op.checkQuery(r.URL); err != nil {
		f.refuse(w, r, err)
		return
	}
	leave, err := found.admit(r.ContentLength, f.maxBody)
	if err != nil {
		w.Header().Set("Connection", "close") // its body is not read
		f.refuse(w, r, err)
		return
	}
	defer leave()
	if err := f.readBody(w, r, found, op); err != nil {
		f.refuse(w, r, err)
		return
	}
	f.gateway.ServeHTTP(w, r)
}

// refuseMethod answers OPTIONS and the methods that a path does not take.
func (f *front) refuseMethod(w http.ResponseWriter, r *http.Request, found *route) {
	w.Header().Set("Allow", found.allow)
	if r.Method == http.MethodOptions { // no CORS: a browser's page of another origin may not call
		w.WriteHeader(http.StatusNoContent)
		return
	}
	f.refuse(w, r, errMethodNotAllowed)
}

// readBody reads the whole body before any handler runs, so that a slow or oversized one
// takes no place among the requests that are answered.
func (f *front) readBody(w http.ResponseWriter, r *http.Request, found *route, op *operation) error {
	if r.ContentLength == 0 {
		return nil
	}
	limit := max(f.maxBody, found.largeBody)
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // not worth reading to its end
		return errTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return errTooLarge
	case err != nil:
		w.Header().Set("Connection", "close")
		return errBodyBroken
	}
	if op.hasBody && len(body) > 0 && !isJSON(r.Header.Get("Content-Type")) {
		return errUnsupportedFormat
	}
	r.Body = http.NoBody
	if !op.hasBody {
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return found.checkBody(r.URL.Path, body)
}

// isJSON accepts application/json in UTF-8, and a missing content type.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	kind, params, err := mime.ParseMediaType(contentType)
	charset := params["charset"]
	return err == nil && kind == "application/json" && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

// refuse answers a request that reaches no method.
func (f *front) refuse(w http.ResponseWriter, r *http.Request, err error) {
	st := statusOf(err, requestIDOf(r))
	f.meter.Done(st.Code(), 0)
	writeError(w, st)
}

// serveOwn answers GET, HEAD and OPTIONS of a path that is not the API's.
func (f *front) serveOwn(w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		serve(w, r)
	case http.MethodOptions:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		f.refuse(w, r, errMethodNotAllowed)
	}
}

// serveAPI answers /openapi.json.
func (f *front) serveAPI(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Etag", f.apiTag)
	h["Cache-Control"] = revalidate
	if etagMatches(r.Header.Values("If-None-Match"), f.apiTag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(fundmatchv1.OpenAPI))
}

// recoverPanic answers a panic outside the interceptor chain, such as in rendering.
func (f *front) recoverPanic(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		panic(v)
	}
	err := &panicError{v, debug.Stack()}
	f.logger.LogAttrs(r.Context(), slog.LevelError, "panic outside a method",
		slog.String("request_id", requestIDOf(r)), slog.Any("error", err), slog.String("stack", string(err.stack)))
	f.meter.Done(codes.Internal, 0)
	writeError(w, statusOf(err, requestIDOf(r)))
}
