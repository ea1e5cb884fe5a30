package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/customer"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/model"
	"github.com/fundmatch/fundmatch/services/order"
	"github.com/fundmatch/fundmatch/services/storeclock"
)

// Domain is the domain of every ErrorInfo.
const Domain = "fundmatch"

// row says how one kind of error is told to callers.
type row struct {
	error   string // the exported name, such as features.ErrNoPool, or what it stands for
	matches func(error) bool
	code    codes.Code
	http    int // 0: as the code's
	reason  string
	// sentence is public. It never holds an error's own text unless say is given.
	sentence string
	// say tells more about an error whose texts are written for callers.
	say func(error) public
	// retry is when to come back; 0: not said.
	retry time.Duration
}

// public is what a caller is told beyond the row.
type public struct {
	reason, sentence string
	field, expected  string // of the request, when one is at fault
}

// The errors of this package's own layers.
var (
	errOverloaded        = errors.New("too many requests are being answered")
	errRateLimited       = errors.New("the peer sent too many requests")
	errPathNotFound      = errors.New("no such path")
	errMethodNotAllowed  = errors.New("the path does not take this method")
	errTooLarge          = errors.New("the body is too large")
	errBodyBroken        = errors.New("the body could not be read")
	errUnsupportedFormat = errors.New("the body is not JSON")
	errNotImplemented    = errors.New("not implemented")
)

// table is the one error table: the first row that matches an error speaks for it. An
// error without a row is internal: the caller gets the request id, the log the rest.
// Contexts come first, because a store that was interrupted may wrap both.
var table = []row{
	{error: "context.Canceled", matches: is(context.Canceled), code: codes.Canceled, http: 499, reason: "CANCELLED", sentence: "The caller cancelled the request."},
	{error: "context.DeadlineExceeded", matches: is(context.DeadlineExceeded), code: codes.DeadlineExceeded, reason: "DEADLINE_EXCEEDED", sentence: "The request's deadline passed."},

	{error: "*customer.AssessmentLimitError", matches: as[*customer.AssessmentLimitError], code: codes.FailedPrecondition, reason: "ASSESSMENT_LIMIT", sentence: "The customer has taken as many risk assessments as count.", say: sayLimit},
	{error: "*customer.ForbiddenTagError", matches: as[*customer.ForbiddenTagError], code: codes.InvalidArgument, reason: "TAG_FORBIDDEN", sentence: "A tag may be kept of nobody; nothing was written.", say: sayForbidden},
	{error: "*customer.UnfinishedError", matches: as[*customer.UnfinishedError], code: codes.Unavailable, reason: "ERASURE_UNFINISHED", sentence: "The customer is erased in the store, but not in the decision log yet; erase him again.", retry: time.Second},
	{error: "*features.InvalidError", matches: as[*features.InvalidError], code: codes.InvalidArgument, reason: reasonInvalid, sentence: "A value of the request is not valid.", say: sayInvalid},
	{error: "*features.NotFoundError", matches: as[*features.NotFoundError], code: codes.NotFound, reason: "<KIND>_NOT_FOUND", sentence: "What was asked for does not exist.", say: sayNotFound},
	{error: "*model.RefusedError", matches: as[*model.RefusedError], code: codes.InvalidArgument, reason: "MODEL_<WHY>", sentence: "The bytes are no model that may be kept; nothing was changed.", say: sayRefused},
	{error: "*model.StateError", matches: as[*model.StateError], code: codes.FailedPrecondition, reason: "MODEL_<WHY>", sentence: "This cannot be done with the model as things stand; nothing was changed.", say: sayState},
	{error: "decisionlog.ErrNotFound", matches: is(decisionlog.ErrNotFound), code: codes.NotFound, reason: "DECISION_NOT_FOUND", sentence: "No decision of this id is recorded."},
	{error: "decisionlog.ErrErased", matches: is(decisionlog.ErrErased), code: codes.FailedPrecondition, reason: "DECISION_ERASED", sentence: "The personal values of this decision were erased."},
	{error: "decisionlog.ErrFull", matches: is(decisionlog.ErrFull), code: codes.Unavailable, reason: "DECISION_LOG_FULL", sentence: "The answer could not be recorded, so it is not given.", retry: time.Second},
	{error: "decisionlog.ErrRefused", matches: is(decisionlog.ErrRefused), code: codes.Unavailable, reason: "DECISION_LOG_UNAVAILABLE", sentence: "The answer could not be recorded, so it is not given.", retry: 5 * time.Second},
	{error: "decisionlog.ErrClosed", matches: is(decisionlog.ErrClosed), code: codes.Unavailable, reason: "DECISION_LOG_UNAVAILABLE", sentence: "The answer could not be recorded, so it is not given.", retry: 5 * time.Second},
	{error: "decisionlog.ErrBusy", matches: is(decisionlog.ErrBusy), code: codes.Unavailable, reason: "DECISION_LOG_UNAVAILABLE", sentence: "The answer could not be recorded, so it is not given.", retry: time.Second},
	{error: "decisionlog.ErrNewerFormat", matches: is(decisionlog.ErrNewerFormat), code: codes.Unavailable, reason: "DECISION_LOG_NEWER", sentence: "The decision was recorded by a newer version of this program."},
	{error: "decisionlog.ErrCorrupt", matches: is(decisionlog.ErrCorrupt), code: codes.DataLoss, reason: "DECISION_LOG_BROKEN", sentence: "The record of this decision is damaged."},

	{error: "engine.ErrNoCore", matches: is(engine.ErrNoCore), code: codes.Unavailable, reason: reasonNoCore, sentence: "No pool, model and rules are in force that could answer for this instant.", retry: 5 * time.Second},
	{error: "matcher.ErrOutsideValidity", matches: is(matcher.ErrOutsideValidity), code: codes.Unavailable, reason: reasonNoCore, sentence: "No pool, model and rules are in force that could answer for this instant.", retry: time.Second},
	{error: "matcher.ErrUnknownProduct", matches: is(matcher.ErrUnknownProduct), code: codes.NotFound, reason: "PRODUCT_NOT_FOUND", sentence: "The product is not in the pool."},
	{error: "matcher.ErrRequest", matches: is(matcher.ErrRequest), code: codes.InvalidArgument, reason: reasonInvalid, sentence: "A value of the request is not valid."},

	{error: "features.ErrNotFound", matches: is(features.ErrNotFound), code: codes.NotFound, reason: "NOT_FOUND", sentence: "What was asked for does not exist."},
	{error: "features.ErrNoPool", matches: is(features.ErrNoPool), code: codes.Unavailable, reason: "NO_POOL", sentence: "No pool is published yet.", retry: 5 * time.Second},
	{error: "storeclock.ErrSkewed", matches: is(storeclock.ErrSkewed), code: codes.Unavailable, reason: "CLOCK_SKEWED", sentence: "The clocks of this service and of the store do not agree; nothing is answered before they do.", retry: 5 * time.Second},
	{error: "features.ErrUnavailable", matches: is(features.ErrUnavailable), code: codes.Unavailable, reason: "STORE_UNAVAILABLE", sentence: "The store does not answer.", retry: time.Second},
	{error: "features.ErrNewerStore", matches: is(features.ErrNewerStore), code: codes.Unavailable, reason: "STORE_NEWER", sentence: "The store was written by a newer version of this program."},
	{error: "features.ErrConfirmationUsed", matches: is(features.ErrConfirmationUsed), code: codes.FailedPrecondition, reason: "CONFIRMATION_USED", sentence: "A confirmation was used by another order; check the order again."},
	{error: "order.ErrNotAsked", matches: is(order.ErrNotAsked), code: codes.FailedPrecondition, reason: "NOT_ASKED", sentence: "The decision did not ask the customer to confirm this."},
	{error: "order.ErrAlreadyConfirmed", matches: is(order.ErrAlreadyConfirmed), code: codes.FailedPrecondition, reason: "ALREADY_CONFIRMED", sentence: "The question was answered before, with other proof; check the order again to be asked again."},
	{error: "order.ErrQuestionExpired", matches: is(order.ErrQuestionExpired), code: codes.FailedPrecondition, reason: "QUESTION_EXPIRED", sentence: "The question is too old to be answered; check the order again to be asked again."},
	{error: "features.ErrIdempotencyReused", matches: is(features.ErrIdempotencyReused), code: codes.FailedPrecondition, reason: "IDEMPOTENCY_KEY_REUSED", sentence: "The idempotency key came before with another request."},
	{error: "*features.EventReusedError", matches: as[*features.EventReusedError], code: codes.FailedPrecondition, reason: reasonEventReused, sentence: sentenceEventReused, say: sayReused},
	{error: "features.ErrEventReused", matches: is(features.ErrEventReused), code: codes.FailedPrecondition, reason: reasonEventReused, sentence: sentenceEventReused},
	// What is refused in a request is an InvalidError; the bare one is about stored data.
	{error: "features.ErrInvalid", matches: is(features.ErrInvalid), code: codes.DataLoss, reason: "STORE_DAMAGED", sentence: "Stored data cannot be read; nothing was changed."},
	{error: "fund.ErrMalformed", matches: is(fund.ErrMalformed), code: codes.DataLoss, reason: "STORE_DAMAGED", sentence: "Stored data cannot be read; nothing was changed."},
	{error: "fund.ErrNewerVersion", matches: is(fund.ErrNewerVersion), code: codes.Unavailable, reason: "STORE_NEWER", sentence: "The store was written by a newer version of this program."},
	{error: "fund.ErrInvalid", matches: is(fund.ErrInvalid), code: codes.InvalidArgument, reason: reasonInvalid, sentence: "A value of the request is not valid."},

	{error: "too many requests", matches: is(errOverloaded), code: codes.ResourceExhausted, http: http.StatusServiceUnavailable, reason: "OVERLOADED", sentence: "Too many requests are being answered.", retry: time.Second},
	{error: "rate of one peer", matches: is(errRateLimited), code: codes.ResourceExhausted, reason: "RATE_LIMITED", sentence: "Too many requests from this address.", retry: time.Second},
	{error: "unknown path", matches: is(errPathNotFound), code: codes.NotFound, reason: "PATH_NOT_FOUND", sentence: "There is no such path."},
	{error: "method of a path", matches: is(errMethodNotAllowed), code: codes.Unimplemented, http: http.StatusMethodNotAllowed, reason: "METHOD_NOT_ALLOWED", sentence: "The path does not take this method; Allow names those that it takes."},
	{error: "body too large", matches: is(errTooLarge), code: codes.ResourceExhausted, http: http.StatusRequestEntityTooLarge, reason: "REQUEST_TOO_LARGE", sentence: "The body is too large."},
	{error: "body cut short", matches: is(errBodyBroken), code: codes.InvalidArgument, reason: "BODY_UNREADABLE", sentence: "The body did not arrive whole."},
	{error: "body not JSON", matches: is(errUnsupportedFormat), code: codes.InvalidArgument, http: http.StatusUnsupportedMediaType, reason: "UNSUPPORTED_MEDIA_TYPE", sentence: "The body must be application/json."},
	{error: "method without a handler", matches: is(errNotImplemented), code: codes.Unimplemented, reason: "NOT_IMPLEMENTED", sentence: "This method is not implemented."},
}

// Reasons that several rows give.
const (
	reasonInvalid = "INVALID_ARGUMENT"
	reasonNoCore  = "CORE_UNAVAILABLE"

	reasonEventReused   = "EVENT_ID_REUSED"
	sentenceEventReused = "An event id came before with other content; nothing of the batch was kept."
)

// internalRow speaks for every error that has no row.
var internalRow = row{
	error: "everything else", code: codes.Internal, reason: "INTERNAL",
	sentence: "An internal error; quote the request id to the operator.",
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

func sayInvalid(err error) public {
	var e *features.InvalidError
	if !errors.As(err, &e) {
		return public{}
	}
	return public{sentence: e.Error(), field: e.Field, expected: "expected " + e.Expected}
}

func sayLimit(err error) public {
	var e *customer.AssessmentLimitError
	if !errors.As(err, &e) {
		return public{}
	}
	return public{
		sentence: "The customer has taken as many risk assessments as count; the next may be taken on " + e.Next.String() + ".",
		field:    "assessedAt", expected: "expected " + e.Next.String() + " or later",
	}
}

func sayForbidden(err error) public {
	var e *customer.ForbiddenTagError
	if !errors.As(err, &e) {
		return public{}
	}
	return public{
		sentence: "The tag " + quoted(e.Name) + " may be kept of nobody; nothing was written.",
		field:    e.Field, expected: "expected a tag about nothing that the law protects",
	}
}

// sayRefused tells why bytes are no model: the reader of models writes for who sent them.
func sayRefused(err error) public {
	var e *model.RefusedError
	if !errors.As(err, &e) {
		return public{}
	}
	return public{reason: e.Reason, sentence: e.Text, field: "artifact", expected: "expected a model as docs/model-file.md describes it"}
}

func sayState(err error) public {
	var e *model.StateError
	if !errors.As(err, &e) {
		return public{}
	}
	return public{reason: e.Reason, sentence: e.Text}
}

func sayNotFound(err error) public {
	var e *features.NotFoundError
	if !errors.As(err, &e) {
		return public{}
	}
	noun := strings.ToLower(strings.ReplaceAll(string(e.Kind), "_", " "))
	return public{reason: string(e.Kind) + "_NOT_FOUND", sentence: "There is no " + noun + " " + quoted(e.ID) + "."}
}

func sayReused(err error) public {
	var e *features.EventReusedError
	if !errors.As(err, &e) {
		return public{}
	}
	return public{
		sentence: "The event id " + quoted(e.ID) + " came before with other content; nothing of the batch was kept.",
		field:    "events[" + strconv.Itoa(e.Place) + "].eventId", expected: "expected an id that no other event has",
	}
}

// quoted repeats the beginning of a value that the caller sent.
func quoted(s string) string {
	return `"` + strings.ToValidUTF8(features.Invalid("", s, "").Value, "\uFFFD") + `"`
}

// rowOf finds the row that speaks for an error.
func rowOf(err error) *row {
	for i := range table {
		if table[i].matches(err) {
			return &table[i]
		}
	}
	if status.Code(err) == codes.Unimplemented { // what generated code says of a method without a handler
		return rowOf(errNotImplemented)
	}
	return &internalRow
}

// statusOf tells an error to a caller. A status that is already one of this table's is
// returned as it is; a status that came from anywhere else is not to be trusted.
func statusOf(err error, requestID string) *status.Status {
	var told *toldError
	if errors.As(err, &told) {
		return told.status
	}
	r := rowOf(err)
	p := public{reason: r.reason, sentence: r.sentence}
	if r.say != nil {
		more := r.say(err)
		p.field, p.expected = more.field, more.expected
		orDefault(&more.reason, p.reason)
		orDefault(&more.sentence, p.sentence)
		p.reason, p.sentence = more.reason, more.sentence
	}
	return newStatus(r, p, requestID)
}

func newStatus(r *row, p public, requestID string) *status.Status {
	details := []protoadapt.MessageV1{
		&errdetails.ErrorInfo{Reason: p.reason, Domain: Domain},
		&errdetails.RequestInfo{RequestId: requestID},
	}
	if p.field != "" {
		details = append(details, &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: p.field, Description: p.expected},
		}})
	}
	if r.retry > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(r.retry)})
	}
	st, err := status.New(r.code, strings.ToValidUTF8(p.sentence, "\uFFFD")).WithDetails(details...)
	if err != nil { // a detail did not marshal: the code and sentence are still right
		return status.New(r.code, r.sentence)
	}
	return st
}

// toldError is an error that went through the table. The cause stays for the log.
type toldError struct {
	status *status.Status
	cause  error
}

func (e *toldError) Error() string { return e.status.Message() }

// GRPCStatus makes gRPC send the status.
func (e *toldError) GRPCStatus() *status.Status { return e.status }

// tell puts an error through the table.
func tell(err error, requestID string) error {
	var told *toldError
	if errors.As(err, &told) {
		return told
	}
	return &toldError{statusOf(err, requestID), err}
}

// causeOf returns what an error was before it was told.
func causeOf(err error) error {
	var told *toldError
	if errors.As(err, &told) {
		return told.cause
	}
	return err
}

// reasonOf returns the reason that a status gives.
func reasonOf(st *status.Status) string {
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// retryOf returns when a status says to come back, or 0.
func retryOf(st *status.Status) time.Duration {
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

// httpStatusOf returns the HTTP status of a status.
func httpStatusOf(st *status.Status) int {
	reason := reasonOf(st)
	for i := range table {
		if table[i].http != 0 && table[i].reason == reason {
			return table[i].http
		}
	}
	return runtime.HTTPStatusFromCode(st.Code())
}
