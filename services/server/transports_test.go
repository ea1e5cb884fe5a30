package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/fundmatch/fundmatch/features"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

const recommendPath = "/v1/customers/c.1-2/recommendations"

// TestBothTransportsGoThroughTheChain compares what a handler sees and what a caller gets.
func TestBothTransportsGoThroughTheChain(t *testing.T) {
	t.Parallel()
	type seen struct {
		requestID, ifNoneMatch, traceparent string
		deadline, peer                      bool
		customer, channel                   string
		limit                               int32
		leaked                              bool
	}
	calls := make(chan seen, 1)
	f := &fake{recommend: func(ctx context.Context, req *fundmatchv1.RecommendRequest) (*fundmatchv1.RecommendResponse, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		s := seen{requestID: RequestIDFrom(ctx), customer: req.GetCustomerId(), channel: req.GetChannel(), limit: req.GetLimit()}
		s.ifNoneMatch, s.traceparent = strings.Join(md.Get("if-none-match"), ""), strings.Join(md.Get("traceparent"), "")
		_, s.deadline = ctx.Deadline()
		p, ok := peer.FromContext(ctx)
		s.peer = ok && strings.HasPrefix(p.Addr.String(), "127.0.0.1:")
		_, cookie := md["cookie"]
		out, _ := metadata.FromOutgoingContext(ctx)
		s.leaked = cookie || len(out) > 0
		calls <- s
		return &fundmatchv1.RecommendResponse{CustomerId: req.GetCustomerId()}, grpc.SetHeader(ctx, metadata.Pairs("etag", `"e1"`))
	}}
	r := start(t, f, options{})
	const id, trace = "req-0123456789", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	want := seen{requestID: id, ifNoneMatch: `"old"`, traceparent: trace, deadline: true, peer: true, customer: "c.1-2", channel: "APP", limit: 3}

	var header metadata.MD
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", id, "if-none-match", `"old"`, "traceparent", trace)
	if _, err := r.recommend().Recommend(ctx, &fundmatchv1.RecommendRequest{CustomerId: "c.1-2", Channel: "APP", Limit: proto.Int32(3)}, grpc.Header(&header)); err != nil {
		t.Fatal(err)
	}
	if got := <-calls; got != want {
		t.Errorf("gRPC: handler saw %+v, want %+v", got, want)
	}
	if header.Get("etag")[0] != `"e1"` || header.Get("x-request-id")[0] != id {
		t.Errorf("gRPC header %v", header)
	}

	a := r.do("GET", recommendPath+"?channel=APP&limit=3", "", "X-Request-Id", id, "If-None-Match", `"old"`, "Traceparent", trace,
		"Cookie", "a=b", "Grpc-Metadata-Cookie", "x", "Te", "trailers")
	if got := <-calls; got != want {
		t.Errorf("REST: handler saw %+v, want %+v", got, want)
	}
	if a.code != 200 || a.header.Get("Etag") != `"e1"` || a.header.Get("X-Request-Id") != id || a.header.Get("Cache-Control") != "private, no-cache" || a.header.Get("Content-Length") == "" {
		t.Errorf("REST: HTTP %d %v %s", a.code, a.header, a.body)
	}
	if !strings.Contains(strings.ReplaceAll(a.body, " ", ""), `"items":[]`) || !strings.Contains(a.body, `"customerId"`) {
		t.Errorf("unset fields or lowerCamelCase names are missing: %s", a.body)
	}

	metrics := r.doAt(r.addr.Ops.String(), "GET", "/metrics", "").body
	if want := `fundmatch_requests_total{code="OK",method="` + fundmatchv1.RecommendationService_Recommend_FullMethodName + `"} 2`; !strings.Contains(metrics, want) {
		t.Errorf("one call of each transport was made, but the metrics lack %s", want)
	}
}

func TestEveryAnswerHasARequestID(t *testing.T) {
	t.Parallel()
	cfg := local()
	cfg.NewRequestID = func() string { return "made-for-you" }
	r := start(t, &fake{}, options{cfg: cfg})
	for _, given := range []string{"", "short", "with blank", strings.Repeat("x", 65), "semi;colon"} {
		if got := r.do("GET", recommendPath, "", "X-Request-Id", given).header.Values("X-Request-Id"); len(got) != 1 || got[0] != "made-for-you" {
			t.Errorf("REST: for %q the id is %q", given, got)
		}
		var header metadata.MD
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", given)
		if _, err := r.recommend().Recommend(ctx, &fundmatchv1.RecommendRequest{CustomerId: "c"}, grpc.Header(&header)); err != nil {
			t.Fatal(err)
		}
		if got := header.Get("x-request-id"); len(got) != 1 || got[0] != "made-for-you" {
			t.Errorf("gRPC: for %q the id is %q", given, got)
		}
	}
	if got := r.do("GET", recommendPath, "", "X-Request-Id", "first-of-two", "X-Request-Id", "second-of-two").header.Values("X-Request-Id"); len(got) != 1 || got[0] != "made-for-you" {
		t.Errorf("REST: for two ids the id is %q", got)
	}
	for _, good := range []string{"12345678", strings.Repeat("x", 64), "a-b_c-D_9"} {
		if got := r.do("GET", "/v1/nowhere", "", "X-Request-Id", good); got.header.Get("X-Request-Id") != good || got.failure(t).requestID() != good {
			t.Errorf("id %q came back as %q and in the error as %q", good, got.header.Get("X-Request-Id"), got.failure(t).requestID())
		}
	}
}

// TestErrorsAreTheSameOnBothTransports gives a handler's error to both.
func TestErrorsAreTheSameOnBothTransports(t *testing.T) {
	t.Parallel()
	var fail error
	f := &fake{recommend: func(context.Context, *fundmatchv1.RecommendRequest) (*fundmatchv1.RecommendResponse, error) {
		if p, ok := fail.(*panicError); ok { //nolint:errorlint // the case below
			panic(p.value)
		}
		return nil, fail
	}}
	r := start(t, f, options{})
	const secret = "driver: password=hunter2"
	for _, c := range []struct {
		name   string
		err    error
		code   codes.Code
		http   int
		reason string
		text   string
		retry  string
	}{
		{"not found", fmt.Errorf("%s: %w", secret, &features.NotFoundError{Kind: features.CustomerKind, ID: "nobody"}), codes.NotFound, 404, "CUSTOMER_NOT_FOUND", `There is no customer "nobody".`, ""},
		{"invalid", fmt.Errorf("%s: %w", secret, features.Invalid("limit", "51", "1 to 50")), codes.InvalidArgument, 400, "INVALID_ARGUMENT", `limit: "51", expected 1 to 50`, ""},
		{"store", fmt.Errorf("%w: %s", features.ErrUnavailable, secret), codes.Unavailable, 503, "STORE_UNAVAILABLE", "The store does not answer.", "1"},
		{"no pool", features.ErrNoPool, codes.Unavailable, 503, "NO_POOL", "No pool is published yet.", "5"},
		{"damaged", fmt.Errorf("%w: %s", features.ErrInvalid, secret), codes.DataLoss, 500, "STORE_DAMAGED", "Stored data cannot be read; nothing was changed.", ""},
		{"unknown", errors.New(secret), codes.Internal, 500, "INTERNAL", internalRow.sentence, ""},
		{"a status of somebody else", status.Error(codes.NotFound, secret), codes.Internal, 500, "INTERNAL", internalRow.sentence, ""},
		{"panic", &panicError{value: secret}, codes.Internal, 500, "INTERNAL", internalRow.sentence, ""},
		{"cancelled", context.Canceled, codes.Canceled, 499, "CANCELLED", "The caller cancelled the request.", ""},
		{"too late", fmt.Errorf("%w: %w", features.ErrUnavailable, context.DeadlineExceeded), codes.DeadlineExceeded, 504, "DEADLINE_EXCEEDED", "The request's deadline passed.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fail = c.err
			_, err := r.recommend().Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: "c"})
			st := status.Convert(err)
			if st.Code() != c.code || reasonOf(st) != c.reason || st.Message() != c.text {
				t.Errorf("gRPC: %v %s %q, want %v %s %q", st.Code(), reasonOf(st), st.Message(), c.code, c.reason, c.text)
			}
			a := r.do("GET", recommendPath, "")
			got := a.failure(t)
			if a.code != c.http || got.Code != int(c.code) || got.reason() != c.reason || got.Message != c.text || a.header.Get("Retry-After") != c.retry {
				t.Errorf("REST: HTTP %d, retry %q, %+v", a.code, a.header.Get("Retry-After"), got)
			}
			if got.requestID() == "" || got.requestID() != a.header.Get("X-Request-Id") {
				t.Errorf("request id %q in the error, %q in the header", got.requestID(), a.header.Get("X-Request-Id"))
			}
			if a.header.Get("Cache-Control") != "private, no-store" {
				t.Errorf("an error may be cached: %q", a.header.Get("Cache-Control"))
			}
		})
	}
	if m := r.doAt(r.addr.Ops.String(), "GET", "/metrics", "").body; !strings.Contains(m, "fundmatch_request_panics_total 2") {
		t.Error("the metrics do not show the two panics")
	}
	if logs := r.logs.String(); strings.Contains(logs, "hunter2") || !strings.Contains(logs, `"stack"`) {
		t.Error("the log holds an error's text, or lacks the panic's stack")
	}
}

func TestRESTRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	cfg := local()
	cfg.HTTP.MaxBodyBytes = 200
	r := start(t, &fake{}, options{cfg: cfg})
	tags := "/v1/customers/c1/tags"
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		http                     int
		reason, field, text      string
	}{
		{name: "unknown path", method: "GET", path: "/v1/nothing", http: 404, reason: "PATH_NOT_FOUND"},
		{name: "path below", method: "GET", path: "/v1/pool/x", http: 404, reason: "PATH_NOT_FOUND"},
		{name: "empty id", method: "GET", path: "/v1/customers//recommendations", http: 404, reason: "PATH_NOT_FOUND"},
		{name: "root", method: "GET", path: "/", http: 404, reason: "PATH_NOT_FOUND"},
		{name: "service that is not there", method: "GET", path: "/v1/pool", http: 404, reason: "PATH_NOT_FOUND"},
		{name: "method", method: "POST", path: recommendPath, http: 405, reason: "METHOD_NOT_ALLOWED"},
		{name: "override", method: "POST", path: recommendPath, headers: []string{"X-HTTP-Method-Override", "GET", "Content-Type", "application/x-www-form-urlencoded"}, http: 405, reason: "METHOD_NOT_ALLOWED"},
		{name: "unknown parameter", method: "GET", path: recommendPath + "?limt=3", http: 400, reason: "INVALID_ARGUMENT", field: "limt", text: "audience channel explain limit"},
		{name: "parameter of the path", method: "GET", path: recommendPath + "?customerId=x", http: 400, reason: "INVALID_ARGUMENT", field: "customerId"},
		{name: "parameter where there is none", method: "PUT", path: tags + "?x=1", body: "{}", http: 400, reason: "INVALID_ARGUMENT", field: "x", text: "no query parameter"},
		{name: "repeated parameter", method: "GET", path: recommendPath + "?limit=3&limit=4", http: 400, reason: "INVALID_ARGUMENT", field: "limit", text: "one value"},
		{name: "no number", method: "GET", path: recommendPath + "?limit=ten", http: 400, reason: "INVALID_ARGUMENT", field: "limit", text: "whole number"},
		{name: "number too large", method: "GET", path: recommendPath + "?limit=2147483648", http: 400, reason: "INVALID_ARGUMENT", field: "limit"},
		{name: "no boolean", method: "GET", path: recommendPath + "?explain=1", http: 400, reason: "INVALID_ARGUMENT", field: "explain"},
		{name: "broken query", method: "GET", path: recommendPath + "?limit=%zz", http: 400, reason: "INVALID_ARGUMENT", field: "query"},
		{name: "query not UTF-8", method: "GET", path: recommendPath + "?channel=%ff", http: 400, reason: "INVALID_ARGUMENT", field: "channel"},
		{name: "path not UTF-8", method: "GET", path: "/v1/customers/%ff/recommendations", http: 400, reason: "INVALID_ARGUMENT", field: "path"},
		{name: "unknown field", method: "PUT", path: tags, body: `{"tags":[],"color":1}`, http: 400, reason: "INVALID_ARGUMENT", field: "color", text: `unknown field "color"`},
		{name: "nested unknown field", method: "PUT", path: tags, body: `{"tags":[{"nam":"x"}]}`, http: 400, reason: "INVALID_ARGUMENT", field: "nam"},
		{name: "repeated field", method: "PUT", path: tags, body: `{"tags":[],"tags":[]}`, http: 400, reason: "INVALID_ARGUMENT", text: "duplicate"},
		{name: "another customer than in the path", method: "PUT", path: tags, body: `{"customerId":"somebody","tags":[]}`, http: 400, reason: "INVALID_ARGUMENT", field: "customerId", text: "the value in the path"},
		{name: "another customer, in the proto's spelling", method: "PUT", path: tags, body: `{"customer_id":"somebody"}`, http: 400, reason: "INVALID_ARGUMENT", field: "customerId"},
		{name: "a customer that is no text", method: "PUT", path: tags, body: `{"customerId":7}`, http: 400, reason: "INVALID_ARGUMENT"},
		{name: "wrong type", method: "PUT", path: tags, body: `{"tags":3}`, http: 400, reason: "INVALID_ARGUMENT"},
		{name: "two values", method: "PUT", path: tags, body: `{} {}`, http: 400, reason: "INVALID_ARGUMENT"},
		{name: "cut short", method: "PUT", path: tags, body: `{"tags":[`, http: 400, reason: "INVALID_ARGUMENT"},
		{name: "not JSON", method: "PUT", path: tags, body: `a=b`, headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, http: 415, reason: "UNSUPPORTED_MEDIA_TYPE"},
		{name: "latin-1", method: "PUT", path: tags, body: `{}`, headers: []string{"Content-Type", "application/json; charset=latin1"}, http: 415, reason: "UNSUPPORTED_MEDIA_TYPE"},
		{name: "deep", method: "PUT", path: tags, body: strings.Repeat("[", 150), http: 400, reason: "INVALID_ARGUMENT"},
		{name: "too large", method: "PUT", path: tags, body: strings.Repeat(" ", 201), http: 413, reason: "REQUEST_TOO_LARGE"},
		{name: "no handler", method: "PUT", path: "/v1/customers/c/goals", body: "{}", http: 501, reason: "NOT_IMPLEMENTED"},
		{name: "broken timeout", method: "GET", path: recommendPath, headers: []string{"Grpc-Timeout", "soon"}, http: 400, reason: "INVALID_ARGUMENT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := r.do(c.method, c.path, c.body, c.headers...)
			f := a.failure(t)
			if a.code != c.http || f.reason() != c.reason || (c.field != "" && f.field() != c.field) || !strings.Contains(f.Message+a.body, c.text) {
				t.Errorf("HTTP %d %s", a.code, a.body)
			}
			if strings.ContainsRune(f.Message, '\u00a0') {
				t.Errorf("message %q", f.Message)
			}
		})
	}
	if a := r.do("PUT", tags, strings.Repeat(" ", 198)+"{}", "Content-Type", "application/json; charset=UTF-8"); a.code != 200 {
		t.Errorf("a body at the limit: HTTP %d %s", a.code, a.body)
	}
}

func TestPathsWithVerbsTakeIDsWithDots(t *testing.T) {
	t.Parallel()
	r := start(t, &fake{}, options{})
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/v1/customers/a.b.c/products/510300.SH:explain", `"510300.SH"`},
		{"POST", "/v1/decisions/w1.s2.r3:replay", `"w1.s2.r3"`},
	} {
		if a := r.do(c.method, c.path, ""); a.code != 200 || !strings.Contains(a.body, c.want) {
			t.Errorf("%s: HTTP %d %s", c.path, a.code, a.body)
		}
	}
	if a := r.do("GET", "/v1/customers/a/products/x:unknown", ""); a.code != 404 {
		t.Errorf("an unknown verb: HTTP %d", a.code)
	}
}

func TestConditionalGet(t *testing.T) {
	t.Parallel()
	rendered := &fundmatchv1.RecommendResponse{DecisionId: "d"}
	f := &fake{recommend: func(ctx context.Context, _ *fundmatchv1.RecommendRequest) (*fundmatchv1.RecommendResponse, error) {
		return rendered, grpc.SetHeader(ctx, metadata.Pairs("etag", `W/"rev-7"`))
	}}
	r := start(t, f, options{})
	for _, c := range []struct {
		condition []string
		code      int
	}{
		{nil, 200},
		{[]string{"If-None-Match", `"rev-6"`}, 200},
		{[]string{"If-None-Match", `"rev-7"`}, 304},
		{[]string{"If-None-Match", `W/"rev-7"`}, 304},
		{[]string{"If-None-Match", `"a", W/"rev-7" , "b"`}, 304},
		{[]string{"If-None-Match", `"a"`, "If-None-Match", `"rev-7"`}, 304},
		{[]string{"If-None-Match", `*`}, 304},
		{[]string{"If-None-Match", `rev-7`}, 200},
	} {
		a := r.do("GET", recommendPath, "", c.condition...)
		if a.code != c.code || (a.code == 304) != (a.body == "") || a.header.Get("Etag") != `W/"rev-7"` || a.header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%v: HTTP %d, %d bytes, %v", c.condition, a.code, len(a.body), a.header)
		}
	}
	if a := r.do("HEAD", recommendPath, ""); a.code != 200 || a.body != "" || a.header.Get("Etag") == "" || a.header.Get("Content-Length") == "0" {
		t.Errorf("HEAD: HTTP %d %v %q", a.code, a.header, a.body)
	}
}

func TestOwnPaths(t *testing.T) {
	t.Parallel()
	r := start(t, &fake{}, options{})
	if a := r.do("GET", "/healthz", ""); a.code != 200 {
		t.Errorf("healthz: HTTP %d %s", a.code, a.body)
	}
	api := r.do("GET", "/openapi.json", "")
	if api.code != 200 || !strings.Contains(api.body, `"swagger"`) {
		t.Errorf("openapi: HTTP %d", api.code)
	}
	if a := r.do("GET", "/openapi.json", "", "If-None-Match", api.header.Get("Etag")); a.code != 304 {
		t.Errorf("openapi again: HTTP %d", a.code)
	}
	if a := r.do("DELETE", "/healthz", ""); a.code != 405 || a.header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("DELETE healthz: HTTP %d %v", a.code, a.header)
	}
	for path, allow := range map[string]string{
		recommendPath: "GET, HEAD, OPTIONS", "/v1/decisions/d:replay": "OPTIONS, POST", "/v1/customers/c/tags": "OPTIONS, PUT", "/readyz": "GET, HEAD, OPTIONS",
	} {
		if a := r.do("OPTIONS", path, ""); a.code != http.StatusNoContent || a.header.Get("Allow") != allow || a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("OPTIONS %s: HTTP %d, Allow %q", path, a.code, a.header.Get("Allow"))
		}
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "private, no-store",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if got := r.do("GET", "/v1/nowhere", "").header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	ops := r.addr.Ops.String()
	for path, code := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/debug/pprof/": 200, "/debug/pprof/cmdline": 404, "/v1/pool": 404} {
		if a := r.doAt(ops, "GET", path, ""); a.code != code {
			t.Errorf("ops %s: HTTP %d, want %d", path, a.code, code)
		}
	}
	if a := r.do("GET", "/metrics", ""); a.code != 404 {
		t.Errorf("metrics on the API's listener: HTTP %d", a.code)
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	cfg := local()
	cfg.Limits.DefaultDeadline, cfg.Limits.MaxDeadline = 300*time.Millisecond, 2*time.Second
	var left time.Duration
	f := &fake{recommend: func(ctx context.Context, r *fundmatchv1.RecommendRequest) (*fundmatchv1.RecommendResponse, error) {
		at, _ := ctx.Deadline()
		left = time.Until(at)
		if r.GetCustomerId() == "slow" {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return &fundmatchv1.RecommendResponse{}, nil
	}}
	r := start(t, f, options{cfg: cfg})
	for _, c := range []struct {
		given, most time.Duration
	}{{0, 300 * time.Millisecond}, {time.Second, time.Second}, {time.Hour, 2 * time.Second}} {
		ctx, cancel := context.WithCancel(t.Context())
		if c.given > 0 {
			ctx, cancel = context.WithTimeout(t.Context(), c.given)
		}
		t.Cleanup(cancel)
		if _, err := r.recommend().Recommend(ctx, &fundmatchv1.RecommendRequest{}); err != nil {
			t.Fatal(err)
		}
		if left > c.most || left < c.most/2 {
			t.Errorf("gRPC with a deadline of %v: the handler has %v, want about %v", c.given, left, c.most)
		}
	}
	if a := r.do("GET", recommendPath, "", "Grpc-Timeout", "1H"); a.code != 200 || left > 2*time.Second {
		t.Errorf("REST: the handler has %v", left)
	}
	if a := r.do("GET", "/v1/customers/slow/recommendations", ""); a.code != 504 || a.failure(t).reason() != "DEADLINE_EXCEEDED" {
		t.Errorf("REST, slow: HTTP %d %s", a.code, a.body)
	}
}

func TestValidatorsRunBeforeTheHandler(t *testing.T) {
	t.Parallel()
	called := false
	f := &fake{recommend: func(context.Context, *fundmatchv1.RecommendRequest) (*fundmatchv1.RecommendResponse, error) {
		called = true
		return &fundmatchv1.RecommendResponse{}, nil
	}}
	r := start(t, f, options{with: func(s *Services) {
		s.Validators = map[string]func(proto.Message) error{
			fundmatchv1.RecommendationService_Recommend_FullMethodName: func(m proto.Message) error {
				if m.(*fundmatchv1.RecommendRequest).GetLimit() > 50 { //nolint:errcheck // the message of this method
					return features.Invalid("limit", "51", "1 to 50")
				}
				return nil
			},
		}
	}})
	if a := r.do("GET", recommendPath+"?limit=51", ""); a.code != 400 || a.failure(t).field() != "limit" || called {
		t.Errorf("HTTP %d %s, handler called: %v", a.code, a.body, called)
	}
	if a := r.do("GET", recommendPath+"?limit=50", ""); a.code != 200 || !called {
		t.Errorf("HTTP %d %s, handler called: %v", a.code, a.body, called)
	}
}
