package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// TraceConfig says where traces go. The zero value: nowhere, at no cost.
type TraceConfig struct {
	Endpoint    string  // host:port of an OTLP/gRPC collector; empty: off
	Insecure    bool    // no TLS; for a collector on loopback only
	SampleRatio float64 // share of traces begun here that are kept, (0, 1]; 0: 0.01
	Version     string  // of the program, as a resource attribute
}

// ConfigError names a setting, its value and what was expected.
type ConfigError struct {
	Field, Value, Expected string
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("telemetry: %s: %q, expected %s", e.Field, e.Value, e.Expected)
}

const (
	defaultSampleRatio = 0.01
	exportTimeout      = 5 * time.Second
)

// Tracing begins spans, or does nothing.
type Tracing struct {
	tracer     trace.Tracer
	propagator propagation.TraceContext
	provider   *sdktrace.TracerProvider // nil: off
}

// NoTracing returns a Tracing that is off.
func NoTracing() *Tracing { return &Tracing{tracer: noop.NewTracerProvider().Tracer("")} }

// NewTracing connects to the collector of cfg; the connection is made in the background,
// and a collector that does not answer costs spans, never requests. Errors: *ConfigError.
func NewTracing(ctx context.Context, logger *slog.Logger, cfg TraceConfig) (*Tracing, error) {
	if cfg.Endpoint == "" {
		return NoTracing(), nil
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	options := []otlptracegrpc.Option{otlptracegrpc.WithEndpoint(cfg.Endpoint), otlptracegrpc.WithTimeout(exportTimeout)}
	if cfg.Insecure {
		options = append(options, otlptracegrpc.WithInsecure())
	}
	exporter, err := otlptracegrpc.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("telemetry: trace exporter: %w", err)
	}
	return newTracing(reporting{exporter, logger}, cfg), nil
}

func newTracing(exporter sdktrace.SpanExporter, cfg TraceConfig) *Tracing {
	ratio := cfg.SampleRatio
	if ratio == 0 {
		ratio = defaultSampleRatio
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", namespace), attribute.String("service.version", cfg.Version))),
	)
	return &Tracing{tracer: provider.Tracer(namespace), provider: provider}
}

func (c *TraceConfig) check() error {
	host, port, err := net.SplitHostPort(c.Endpoint)
	if err != nil || host == "" || port == "" {
		return &ConfigError{"endpoint", c.Endpoint, "host:port of an OTLP/gRPC collector"}
	}
	if ip := net.ParseIP(host); c.Insecure && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return &ConfigError{"insecure", c.Endpoint, "TLS to a collector that is not on loopback"}
	}
	if !(c.SampleRatio >= 0 && c.SampleRatio <= 1) { // NaN is refused too
		return &ConfigError{"sample_ratio", fmt.Sprint(c.SampleRatio), "0 to 1"}
	}
	return nil
}

// Enabled reports whether spans go anywhere. When not, callers skip Start.
func (t *Tracing) Enabled() bool { return t.provider != nil }

// Start begins the span of one request, as a child of the caller's when carrier holds a
// valid W3C traceparent. The span holds the method and nothing of the request.
func (t *Tracing) Start(ctx context.Context, method string, carrier propagation.TextMapCarrier) (context.Context, trace.Span) {
	return t.tracer.Start(t.propagator.Extract(ctx, carrier), method, trace.WithSpanKind(trace.SpanKindServer))
}

// End ends a span with the status code and reason of the answer.
func End(span trace.Span, code, reason string) {
	span.SetAttributes(attribute.String("rpc.grpc.status_code", code))
	if reason != "" {
		span.SetStatus(codes.Error, reason)
	}
	span.End()
}

// Close sends what is left, at most until ctx ends.
func (t *Tracing) Close(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// TraceID returns the trace id of a W3C traceparent, or "" when it is not valid: then
// the request goes on without one, as the recommendation asks.
func TraceID(traceparent string) string {
	const length = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if len(traceparent) < length || len(traceparent) > 2*length {
		return ""
	}
	sc := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(
		context.Background(), propagation.MapCarrier{"traceparent": traceparent}))
	if !sc.IsValid() {
		return ""
	}
	return sc.TraceID().String()
}

// reporting logs exports that fail instead of giving the error to the global handler of
// the library, which prints texts on stderr.
type reporting struct {
	sdktrace.SpanExporter
	logger *slog.Logger
}

func (r reporting) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := r.SpanExporter.ExportSpans(ctx, spans); err != nil {
		r.logger.LogAttrs(ctx, slog.LevelWarn, "spans were not exported", slog.Int("count", len(spans)), slog.Any("error", err))
	}
	return nil
}
