package server

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/fundmatch/fundmatch/services/telemetry"
)

// The metadata that the chain reads and writes.
const (
	requestIDMetadata   = "x-request-id"
	traceparentMetadata = "traceparent"
)

// methodState is what the chain knows of one method.
type methodState struct {
	name     string
	meter    *telemetry.Method
	validate func(proto.Message) error // nil: nothing to validate
}

// steps holds what the stages of the chain need.
type steps struct {
	logger   *slog.Logger
	metrics  *telemetry.Metrics
	tracing  *telemetry.Tracing
	cfg      Config
	methods  map[string]*methodState
	limiter  *peerLimiter
	refuse   func() error // nil: never
	warnings warnings
	inFlight atomic.Int64
}

// chain returns the stages in their order.
func (s *steps) chain() (*chain, error) {
	list := []step{
		{stage: Recovery}, // the chain itself recovers: call.guard
		{stage: Signals, enter: s.begin, leave: s.report},
		{stage: RequestID, enter: s.identify},
		{stage: LoadShed, enter: s.admit, leave: s.release},
		// Authentication and Authorisation come here.
		{stage: Deadline, enter: s.limitTime, leave: endTime},
	}
	if s.limiter != nil {
		list = append(list, step{stage: RateLimit, enter: s.limitRate})
	}
	if s.refuse != nil {
		list = append(list, step{stage: Refusal, enter: func(*call) error { return s.refuse() }})
	}
	list = append(list, step{stage: Validation, enter: validate}, step{stage: Errors, leave: tellError})
	return newChain(list...)
}

// begin starts the clock and, when tracing is on, the span.
func (s *steps) begin(c *call) error {
	c.started = time.Now()
	c.method = s.methods[c.info.FullMethod]
	s.metrics.Requests.InFlight.Inc()
	if s.tracing.Enabled() {
		md, _ := metadata.FromIncomingContext(c.Context)
		c.Context, c.span = s.tracing.Start(c.Context, c.info.FullMethod, carrier(md))
	}
	return nil
}

// report counts the answer, and logs what is wrong or slow. No value of the request is
// in a log line: the request id leads to the decision log, which is access-controlled.
func (s *steps) report(c *call) {
	took := time.Since(c.started)
	s.metrics.Requests.InFlight.Dec()
	code, reason := codes.OK, ""
	if c.err != nil {
		st := status.Convert(tell(c.err, c.requestID))
		code, reason = st.Code(), reasonOf(st)
	}
	if _, ok := isPanic(causeOf(c.err)); ok {
		s.metrics.Requests.Panics.Inc()
	}
	if c.method != nil {
		c.method.meter.Done(code, took)
	}
	if c.span != nil {
		telemetry.End(c.span, code.String(), reason)
	}
	level := s.levelOf(code, took)
	if !s.logger.Enabled(c, level) {
		return
	}
	skipped, ok := 0, true
	if code == codes.Unavailable {
		skipped, ok = s.warnings.say(reason, time.Now())
	}
	if ok {
		s.log(c, level, outcome{code, reason, took, skipped})
	}
}

// outcome is what a log line tells of a request.
type outcome struct {
	code    codes.Code
	reason  string
	took    time.Duration
	skipped int // warnings of the same reason without a line, since the last
}

func (s *steps) levelOf(code codes.Code, took time.Duration) slog.Level {
	switch code {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		return slog.LevelError
	case codes.Unavailable:
		return slog.LevelWarn
	default:
		if took >= s.cfg.SlowRequest {
			return slog.LevelWarn
		}
		return slog.LevelDebug
	}
}

func (s *steps) log(c *call, level slog.Level, o outcome) {
	attrs := []slog.Attr{
		slog.String("method", c.info.FullMethod), slog.String("transport", transportOf(c)),
		slog.String("code", o.code.String()), slog.Int64("duration_us", o.took.Microseconds()),
		slog.String("request_id", c.requestID),
	}
	if o.reason != "" {
		attrs = append(attrs, slog.String("reason", o.reason))
	}
	if o.skipped > 0 {
		attrs = append(attrs, slog.Int("count", o.skipped))
	}
	if values := metadata.ValueFromIncomingContext(c.Context, traceparentMetadata); len(values) == 1 {
		attrs = append(attrs, slog.String("trace_id", telemetry.TraceID(values[0])))
	}
	if cause := causeOf(c.err); cause != nil {
		attrs = append(attrs, slog.Any("error", cause))
		if p, ok := isPanic(cause); ok {
			attrs = append(attrs, slog.String("stack", string(p.stack)))
		}
	}
	s.logger.LogAttrs(c, level, "request", attrs...)
}

// transportOf says which way a call came.
func transportOf(ctx context.Context) string {
	if _, ok := grpc.ServerTransportStreamFromContext(ctx).(*localStream); ok {
		return "rest"
	}
	return "grpc"
}

// identify takes the caller's request id, or makes one, and returns it with the answer.
func (s *steps) identify(c *call) error {
	c.requestID = ""
	if values := metadata.ValueFromIncomingContext(c.Context, requestIDMetadata); len(values) == 1 && validRequestID(values[0]) {
		c.requestID = values[0]
	}
	if c.requestID == "" {
		c.requestID = s.cfg.NewRequestID()
	}
	// It fails only when the header was sent already, which no step before this one does.
	return grpc.SetHeader(c.Context, metadata.MD{requestIDMetadata: []string{c.requestID}})
}

// The lengths of a request id.
const (
	minRequestID = 8
	maxRequestID = 64
)

// validRequestID accepts 8 to 64 of 0-9 A-Z a-z - _ : safe in a header, a log and a URL.
func validRequestID(s string) bool {
	if len(s) < minRequestID || len(s) > maxRequestID {
		return false
	}
	for _, c := range []byte(s) {
		alnum := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !alnum && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// admit refuses a request beyond the number that may be answered at once.
func (s *steps) admit(*call) error {
	if s.inFlight.Add(1) > int64(s.cfg.Limits.MaxInFlight) {
		s.inFlight.Add(-1) // leave does not run for a step that refused
		s.metrics.Requests.Shed.Inc()
		return errOverloaded
	}
	return nil
}

func (s *steps) release(*call) { s.inFlight.Add(-1) }

// limitTime gives every request a deadline: the caller's, or the default, and never a
// later one than the longest.
func (s *steps) limitTime(c *call) error {
	limit := s.cfg.Limits.DefaultDeadline
	if at, ok := c.Deadline(); ok {
		limit = s.cfg.Limits.MaxDeadline
		if at.Sub(c.started) <= limit {
			return nil
		}
	}
	c.deadline = &lazyDeadline{Context: c.Context, at: c.started.Add(limit)}
	c.Context = c.deadline
	return nil
}

func endTime(c *call) {
	if c.deadline != nil {
		c.deadline.end()
	}
}

// limitRate counts the request against its peer's bucket.
func (s *steps) limitRate(c *call) error {
	if s.limiter.allow(c.Context) {
		return nil
	}
	s.metrics.Requests.Limited.Inc()
	return errRateLimited
}

// validate runs the validator of the method's message, if there is one.
func validate(c *call) error {
	if c.method == nil || c.method.validate == nil {
		return nil
	}
	message, ok := c.request.(proto.Message)
	if !ok {
		return errNotImplemented
	}
	return c.method.validate(message)
}

// tellError puts a handler's error through the table, with the request id. What stages
// before this one refuse goes through the same table at the end of the chain.
func tellError(c *call) {
	if c.err != nil {
		c.err = tell(c.err, c.requestID)
	}
}

// carrier reads the propagator's headers from metadata.
type carrier metadata.MD

// Get returns the only value of a key, or "".
func (c carrier) Get(key string) string {
	if values := metadata.MD(c).Get(key); len(values) == 1 {
		return values[0]
	}
	return ""
}

// Set implements propagation.TextMapCarrier; a server only reads.
func (carrier) Set(string, string) {}

// Keys implements propagation.TextMapCarrier.
func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for k := range c {
		keys = append(keys, k)
	}
	return keys
}
