package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// away is a collector that does not answer.
type away struct{ sdktrace.SpanExporter }

func (away) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error {
	return errors.New("collector.bank.example refused customer 4711")
}

func (away) Shutdown(context.Context) error { return nil }

func TestACollectorThatIsAwayIsLoggedWithoutItsText(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tracing := newTracing(reporting{away{}, NewLogger(&out, slog.LevelWarn)}, TraceConfig{SampleRatio: 1})
	_, span := tracing.Start(t.Context(), "m", propagation.MapCarrier{})
	End(span, "OK", "")
	if err := tracing.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	if text := out.String(); !strings.Contains(text, "spans were not exported") || !strings.Contains(text, `"count":1`) || strings.Contains(text, "4711") {
		t.Errorf("the log is %q", text)
	}
}
