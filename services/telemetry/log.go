package telemetry

import (
	"context"
	"io"
	"log/slog"
)

// NewLogger returns a logger of JSON lines in which only the attributes of the
// allow-list keep their values (AllowedKeys). Personal values have no key there:
// customers are told apart in a log by request id and trace id alone, and whoever may
// see more asks the decision log, which is access-controlled and erasable.
func NewLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(Redact(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})))
}

// Redacted stands in place of a value that a log may not hold.
const Redacted = "[redacted]"

// maxLogText bounds one text in a log line, in bytes.
const maxLogText = 4096

// allowed are the attribute keys whose values may be logged. None may ever hold a
// customer's id, level, tag, holding, amount, or a text that came from outside, with
// the exception of request_id, which is bounded to letters, digits, '-' and '_'. The key
// product is for what is said of the pool, never of an answer: what a customer looks at or
// holds is his.
var allowed = map[string]bool{
	"address": true, "age_seconds": true, "bytes": true, "code": true, "component": true, "count": true,
	"dependency": true, "dropped": true, "duration_us": true, "endpoint": true, "error": true, "failed": true,
	"grpc": true, "http": true, "listener": true, "method": true, "model": true, "ops": true, "overlap": true,
	"panic": true, "pool": true, "product": true, "rank_biased_overlap": true, "reason": true, "request_id": true,
	"rule": true, "rules": true, "same": true, "score_gap": true, "segment": true, "seq": true, "skew_us": true,
	"span_id": true, "stack": true, "stage": true, "state": true, "status": true, "timeout": true, "trace_id": true,
	"transport": true, "version": true, "violations": true, "writer": true,
}

// Redact wraps a handler so that only what the allow-list names reaches it. An error is
// written as its Kinds: texts of errors repeat the values that they are about.
func Redact(next slog.Handler) slog.Handler { return redactor{next} }

type redactor struct{ next slog.Handler }

func (h redactor) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h redactor) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(redact(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h redactor) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = redact(a)
	}
	return redactor{h.next.WithAttrs(clean)}
}

func (h redactor) WithGroup(name string) slog.Handler { return redactor{h.next.WithGroup(name)} }

func redact(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		group := v.Group()
		clean := make([]slog.Attr, len(group))
		for i := range group {
			clean[i] = redact(group[i])
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(clean...)}
	}
	if !allowed[a.Key] {
		return slog.String(a.Key, Redacted)
	}
	return slog.Attr{Key: a.Key, Value: redactValue(v)}
}

func redactValue(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindString:
		if s := v.String(); len(s) > maxLogText {
			return slog.StringValue(s[:maxLogText])
		}
		return v
	case slog.KindAny:
		if err, ok := v.Any().(error); ok {
			return slog.StringValue(Kinds(err))
		}
		return slog.StringValue(Redacted)
	default:
		return v
	}
}
