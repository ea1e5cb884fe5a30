package server

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// plainConn is an in-process connection to a fake, with an interceptor that does nothing.
func plainConn(f *fake) *inProcess {
	r := &registry{}
	f.register(r)
	return newInProcess(r, func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return handler(ctx, req)
	})
}

func TestInProcessCalls(t *testing.T) {
	t.Parallel()
	shared := &fundmatchv1.RecommendResponse{DecisionId: "d", Items: []*fundmatchv1.Item{{Rank: 1}}}
	f := &fake{recommend: func(ctx context.Context, _ *fundmatchv1.RecommendRequest) (*fundmatchv1.RecommendResponse, error) {
		if err := grpc.SendHeader(ctx, metadata.Pairs("a", "1")); err != nil {
			return nil, err
		}
		if err := grpc.SetHeader(ctx, metadata.Pairs("a", "2")); !errors.Is(err, errHeaderSent) {
			t.Errorf("a header after the header: %v", err)
		}
		return shared, grpc.SetTrailer(ctx, metadata.Pairs("b", "2"))
	}}
	conn := plainConn(f)
	var header, trailer metadata.MD
	got, err := fundmatchv1.NewRecommendationServiceClient(conn).Recommend(t.Context(), &fundmatchv1.RecommendRequest{}, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil || got.GetDecisionId() != "d" || got == shared || got.GetItems()[0] != shared.GetItems()[0] {
		t.Errorf("%v, %v: want the same answer in another message, without copying its items", got, err)
	}
	if len(header["a"]) != 1 || len(trailer["b"]) != 1 {
		t.Errorf("header %v, trailer %v", header, trailer)
	}
}

func TestInProcessRefusals(t *testing.T) {
	t.Parallel()
	conn := plainConn(&fake{})
	method := fundmatchv1.RecommendationService_Recommend_FullMethodName
	for _, c := range []struct {
		name, method string
		args, reply  any
		want         error
	}{
		{"unknown method", "/fundmatch.v1.PoolService/GetPool", &fundmatchv1.GetPoolRequest{}, &fundmatchv1.GetPoolResponse{}, errNotImplemented},
		{"request of another type", method, &fundmatchv1.ExplainRequest{CustomerId: "c"}, &fundmatchv1.RecommendResponse{}, errMessageType},
		{"answer of another type", method, &fundmatchv1.RecommendRequest{CustomerId: "c"}, &fundmatchv1.ExplainResponse{}, errMessageType},
		{"no message", method, "text", &fundmatchv1.RecommendResponse{}, errMessageType},
	} {
		if err := conn.Invoke(t.Context(), c.method, c.args, c.reply); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := conn.NewStream(t.Context(), &grpc.StreamDesc{}, method); !errors.Is(err, errNotImplemented) {
		t.Errorf("a stream: %v", err)
	}
}

// FuzzRoutes: no path and no query, however broken, brings the routing down, and what is
// found has the segments of its path.
func FuzzRoutes(f *testing.F) {
	all, err := readRoutes(fundmatchv1.OpenAPI)
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range []string{recommendPath, "/v1/decisions/a:replay", "/v1/customers/:explain/products/:explain", "", "/", "//", "/v1/products/a:b"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r := all.find(path)
		if r == nil {
			return
		}
		slashes := 0
		for i := range len(path) {
			if path[i] == '/' {
				slashes++
			}
		}
		if slashes != len(r.segments) || r.allow == "" || len(r.methods) == 0 {
			t.Errorf("%q was found as %v", path, r.segments)
		}
	})
}
