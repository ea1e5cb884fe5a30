package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// newGateway returns the REST side of those services that are registered.
func newGateway(ctx context.Context, r *registry, conn grpc.ClientConnInterface) (*runtime.ServeMux, error) {
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, strictJSON{}),
		runtime.WithIncomingHeaderMatcher(incomingHeader),
		runtime.WithOutgoingHeaderMatcher(outgoingHeader),
		runtime.WithOutgoingTrailerMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithForwardResponseOption(notModified),
		runtime.WithErrorHandler(writeGatewayError),
		runtime.WithRoutingErrorHandler(writeRoutingError),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithWriteContentLength(),
	)
	for _, g := range []struct {
		service  string
		register func(context.Context, *runtime.ServeMux) error
	}{
		{fundmatchv1.RecommendationService_ServiceDesc.ServiceName, func(ctx context.Context, m *runtime.ServeMux) error {
			return fundmatchv1.RegisterRecommendationServiceHandlerClient(ctx, m, fundmatchv1.NewRecommendationServiceClient(conn))
		}},
		{fundmatchv1.DecisionService_ServiceDesc.ServiceName, func(ctx context.Context, m *runtime.ServeMux) error {
			return fundmatchv1.RegisterDecisionServiceHandlerClient(ctx, m, fundmatchv1.NewDecisionServiceClient(conn))
		}},
		{fundmatchv1.PoolService_ServiceDesc.ServiceName, func(ctx context.Context, m *runtime.ServeMux) error {
			return fundmatchv1.RegisterPoolServiceHandlerClient(ctx, m, fundmatchv1.NewPoolServiceClient(conn))
		}},
		{fundmatchv1.CustomerService_ServiceDesc.ServiceName, func(ctx context.Context, m *runtime.ServeMux) error {
			return fundmatchv1.RegisterCustomerServiceHandlerClient(ctx, m, fundmatchv1.NewCustomerServiceClient(conn))
		}},
		{fundmatchv1.EventService_ServiceDesc.ServiceName, func(ctx context.Context, m *runtime.ServeMux) error {
			return fundmatchv1.RegisterEventServiceHandlerClient(ctx, m, fundmatchv1.NewEventServiceClient(conn))
		}},
		{fundmatchv1.OrderService_ServiceDesc.ServiceName, func(ctx context.Context, m *runtime.ServeMux) error {
			return fundmatchv1.RegisterOrderServiceHandlerClient(ctx, m, fundmatchv1.NewOrderServiceClient(conn))
		}},
		{fundmatchv1.WordingService_ServiceDesc.ServiceName, func(ctx context.Context, m *runtime.ServeMux) error {
			return fundmatchv1.RegisterWordingServiceHandlerClient(ctx, m, fundmatchv1.NewWordingServiceClient(conn))
		}},
		{fundmatchv1.ModelService_ServiceDesc.ServiceName, func(ctx context.Context, m *runtime.ServeMux) error {
			return fundmatchv1.RegisterModelServiceHandlerClient(ctx, m, fundmatchv1.NewModelServiceClient(conn))
		}},
	} {
		if !r.has(g.service) {
			continue
		}
		if err := g.register(ctx, mux); err != nil {
			return nil, err
		}
	}
	return mux, nil
}

// incomingHeader names the HTTP headers that become metadata. No other gets in.
func incomingHeader(name string) (string, bool) {
	switch name {
	case "Idempotency-Key", "If-None-Match", "Traceparent", "Tracestate", "X-Request-Id":
		return strings.ToLower(name), true
	}
	return "", false
}

// outgoingHeader names the metadata that become HTTP headers. The request id is not one
// of them: the HTTP side has set it already, for the errors that never reach a handler.
func outgoingHeader(name string) (string, bool) {
	switch name {
	case "etag":
		return "Etag", true
	case "retry-after":
		return "Retry-After", true
	}
	return "", false
}

// errNotModified ends an answer whose ETag the caller already has, before it is rendered.
var errNotModified = errors.New("not modified")

// notModified looks at the ETag that a handler set. An answer with one may be kept by
// the caller as long as he asks each time; one without may not be kept at all.
func notModified(ctx context.Context, w http.ResponseWriter, _ proto.Message) error {
	etag := w.Header().Get("Etag")
	if etag == "" {
		return nil
	}
	w.Header()["Cache-Control"] = revalidate
	md, _ := metadata.FromOutgoingContext(ctx)
	if etagMatches(md.Get("if-none-match"), etag) {
		return errNotModified
	}
	return nil
}

// etagMatches compares weakly (RFC 9110, 13.1.2): W/ does not count, * matches any, and a
// header may come several times, each a list.
func etagMatches(conditions []string, etag string) bool {
	etag = strings.TrimPrefix(etag, "W/")
	for _, condition := range conditions {
		for tag := range strings.SplitSeq(condition, ",") {
			tag = strings.TrimSpace(tag)
			if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
				return true
			}
		}
	}
	return false
}

// writeGatewayError answers with the status of an error as google.rpc.Status JSON.
func writeGatewayError(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNotModified) {
		h := w.Header()
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if md, ok := runtime.ServerMetadataFromContext(ctx); ok {
		for _, v := range md.HeaderMD.Get("retry-after") {
			w.Header().Set("Retry-After", v)
		}
	}
	writeError(w, gatewayStatus(err, requestIDOf(r)))
}

// gatewayStatus tells an error of the gateway. One that a handler returned went through
// the table; one that the gateway made of a request that it could not read names field
// and fault in words of ours (strictJSON) or of the gateway's parsers.
func gatewayStatus(err error, requestID string) *status.Status {
	var told *toldError
	if errors.As(err, &told) {
		return told.status
	}
	if st, ok := status.FromError(err); ok && st.Code() == codes.InvalidArgument {
		p := public{reason: reasonInvalid, sentence: "The request cannot be read: " + st.Message()}
		if _, name, found := strings.Cut(st.Message(), "unknown field "); found {
			p.field, p.expected = strings.Trim(name, `"`), "expected a field of the API"
		}
		return newStatus(&row{code: codes.InvalidArgument}, p, requestID)
	}
	return statusOf(err, requestID)
}

// writeRoutingError answers what the gateway cannot route. The routes were checked before
// (front.ServeHTTP), so this is for a service that this process does not have.
func writeRoutingError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
	err := errPathNotFound
	if code == http.StatusMethodNotAllowed {
		err = errMethodNotAllowed
	}
	writeError(w, statusOf(err, requestIDOf(r)))
}

// writeError answers with a status.
func writeError(w http.ResponseWriter, st *status.Status) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h["Cache-Control"] = noStore
	h.Del("Etag")
	if retry := retryOf(st); retry > 0 && h.Get("Retry-After") == "" {
		h.Set("Retry-After", strconv.Itoa(int(max(1, retry.Seconds()))))
	}
	body, err := strictJSON{}.Marshal(st.Proto())
	if err != nil {
		body = []byte(`{"code":13,"message":"` + internalRow.sentence + `","details":[]}`)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(httpStatusOf(st))
	_, _ = w.Write(body) //nolint:gosec // G705: JSON that protojson escaped, served as application/json with nosniff; a caller that went away is not told
}

// strictJSON renders with every field, under its lowerCamelCase name, and reads without
// tolerance: an unknown or repeated field and anything after the value are errors.
type strictJSON struct{}

// ContentType implements runtime.Marshaler.
func (strictJSON) ContentType(any) string { return "application/json" }

// Marshal implements runtime.Marshaler.
func (strictJSON) Marshal(v any) ([]byte, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, errMessageType
	}
	return protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(m)
}

// Unmarshal implements runtime.Marshaler.
func (strictJSON) Unmarshal(data []byte, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return errMessageType
	}
	if err := protojson.Unmarshal(data, m); err != nil {
		return errors.New(plainText(err))
	}
	return nil
}

// plainText returns a protojson error without its prefix, whose blank is chosen at random
// so that nobody relies on it.
func plainText(err error) string {
	text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
	return strings.TrimPrefix(text, "proto: ")
}

// NewDecoder implements runtime.Marshaler.
func (j strictJSON) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if len(data) == 0 {
			return io.EOF
		}
		return j.Unmarshal(data, v)
	})
}

// NewEncoder implements runtime.Marshaler.
func (j strictJSON) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(v any) error {
		data, err := j.Marshal(v)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
}
