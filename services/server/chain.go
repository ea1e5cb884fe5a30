package server

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
)

// Stage names a step that every call goes through.
type Stage uint8

// The stages in the only order in which they may stand. Each is where it is for a reason:
// recovery sees every panic; signals see every refusal; the request id is there for
// whatever refuses first; load is shed before any work is done; who calls is known before
// what it costs is counted; what cannot be answered at all is not looked at; a message is
// validated before a handler reads it; and errors
// are told where they arise.
const (
	Recovery Stage = iota
	Signals
	RequestID
	LoadShed
	Authentication // its place; callers are authenticated by a later version
	Authorisation  // its place; rights are checked by a later version
	Deadline
	RateLimit
	Refusal
	Validation
	Errors
	stageCount
)

var stageNames = [stageCount]string{
	"recovery", "signals", "request id", "load shed", "authentication", "authorisation", "deadline", "rate limit", "refusal", "validation", "errors",
}

// String returns the stage's name.
func (s Stage) String() string {
	if s >= stageCount {
		return fmt.Sprintf("stage %d", uint8(s))
	}
	return stageNames[s]
}

// OrderError says which stage of a chain stands in the wrong place.
type OrderError struct {
	Stage    Stage
	Expected string
}

func (e *OrderError) Error() string {
	return fmt.Sprintf("server: interceptor chain: %s: expected %s", e.Stage, e.Expected)
}

// step is one stage of a chain. Steps are two plain functions and not nested closures, so
// that a call costs one allocation for all of them.
type step struct {
	stage Stage
	enter func(*call) error // an error ends the call; later steps and the handler do not run
	leave func(*call)       // runs when enter did, in reverse order, also after a panic
}

// call is one request on its way through the chain, and the context that the handler
// gets: enter functions replace the context within it.
type call struct {
	context.Context
	info      *grpc.UnaryServerInfo
	method    *methodState
	request   any
	response  any
	err       error
	requestID string
	entered   int // steps that were entered
	started   time.Time
	span      trace.Span
	deadline  *lazyDeadline
}

// callKey finds the call in a context.
type callKey struct{}

// Value implements context.Context.
func (c *call) Value(key any) any {
	if _, ok := key.(callKey); ok {
		return c
	}
	return c.Context.Value(key)
}

// RequestIDFrom returns the id of the request that a context belongs to, or "".
func RequestIDFrom(ctx context.Context) string {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c.requestID
	}
	return ""
}

// chain runs calls through its steps.
type chain struct{ steps []step }

// newChain checks the order of the steps. Recovery, signals, request id, load shed,
// deadline, validation and errors must be there. Errors: *OrderError.
func newChain(steps ...step) (*chain, error) {
	for i := range steps {
		if steps[i].stage >= stageCount {
			return nil, &OrderError{steps[i].stage, "a stage that there is"}
		}
		if i > 0 && steps[i].stage <= steps[i-1].stage {
			return nil, &OrderError{steps[i].stage, "to stand before " + steps[i-1].stage.String()}
		}
	}
	for _, needed := range [...]Stage{Recovery, Signals, RequestID, LoadShed, Deadline, Validation, Errors} {
		if !slices.ContainsFunc(steps, func(s step) bool { return s.stage == needed }) {
			return nil, &OrderError{needed, "to be there"}
		}
	}
	return &chain{steps}, nil
}

// intercept is the chain as gRPC's interceptor; REST calls come through it too (inprocess.go).
func (ch *chain) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	c := &call{Context: ctx, info: info, request: req}
	c.guard(func() { ch.serve(c, handler) })
	for i := c.entered - 1; i >= 0; i-- {
		if leave := ch.steps[i].leave; leave != nil {
			c.guard(func() { leave(c) })
		}
	}
	if c.err != nil {
		return nil, tell(c.err, c.requestID)
	}
	return c.response, nil
}

// serve enters the steps and calls the handler.
func (ch *chain) serve(c *call, handler grpc.UnaryHandler) {
	for i := range ch.steps {
		if enter := ch.steps[i].enter; enter != nil {
			if c.err = enter(c); c.err != nil {
				return
			}
		}
		c.entered++
	}
	c.response, c.err = handler(c, c.request)
}

// panicError is a panic as an error: without a row, so internal.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return "panic" }

// Unwrap gives an error that was the panic's value.
func (e *panicError) Unwrap() error {
	if err, ok := e.value.(error); ok {
		return err
	}
	return nil
}

// guard runs f; a panic becomes the call's error.
func (c *call) guard(f func()) {
	defer func() {
		if v := recover(); v != nil {
			c.response, c.err = nil, &panicError{v, debug.Stack()}
		}
	}()
	f()
}

// recoverStream does for streams what the chain's recovery does for calls. The only
// streams are those of gRPC's own health and reflection services.
func recoverStream(srv any, ss grpc.ServerStream, handler grpc.StreamHandler) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = tell(&panicError{v, debug.Stack()}, "")
		}
	}()
	return handler(srv, ss)
}

// isPanic returns the panic within an error.
func isPanic(err error) (*panicError, bool) {
	var p *panicError
	ok := errors.As(err, &p)
	return p, ok
}
