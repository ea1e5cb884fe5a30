// Package pathbench measures the whole path: the program itself, from the socket to the
// decision log, beside servers that do nothing but send the same bytes. It holds no code
// of the program.
package pathbench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// emptyAnswer is the environment's name of the file with the answer that an empty server
// gives. A test binary that finds it is such a server and nothing else: in a process of
// its own its processor time is that of serving.
const emptyAnswer = "FUNDMATCH_BENCH_EMPTY_ANSWER"

func TestMain(m *testing.M) {
	if file := os.Getenv(emptyAnswer); file != "" {
		if err := serveEmpty(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// empty answers every question with one prepared message.
type empty struct {
	fundmatchv1.UnimplementedRecommendationServiceServer
	answer *fundmatchv1.RecommendResponse
}

func (e *empty) Recommend(context.Context, *fundmatchv1.RecommendRequest) (*fundmatchv1.RecommendResponse, error) {
	return e.answer, nil
}

// serveEmpty serves the answer over plain gRPC and over the generated in-process handler
// of the gateway, says where, and ends with its standard input.
func serveEmpty(file string) error {
	data, err := os.ReadFile(file) //nolint:gosec // G703: the benchmark that starts this process wrote it
	if err != nil {
		return err
	}
	e := &empty{answer: &fundmatchv1.RecommendResponse{}}
	if err := proto.Unmarshal(data, e.answer); err != nil {
		return err
	}
	calls, requests, err := listenTwice()
	if err != nil {
		return err
	}
	s := grpc.NewServer()
	fundmatchv1.RegisterRecommendationServiceServer(s, e)
	mux := runtime.NewServeMux(runtime.WithMarshalerOption(runtime.MIMEWildcard, &runtime.JSONPb{
		MarshalOptions: protojson.MarshalOptions{EmitUnpopulated: true},
	}))
	if err := fundmatchv1.RegisterRecommendationServiceHandlerServer(context.Background(), mux, e); err != nil {
		return err
	}
	failed := make(chan error, 3)
	go func() { failed <- s.Serve(calls) }()
	go func() { failed <- http.Serve(requests, mux) }() //nolint:gosec // a benchmark's peer on loopback
	go func() { _, err := io.Copy(io.Discard, os.Stdin); failed <- errors.Join(err, io.EOF) }()
	fmt.Fprintf(os.Stdout, "empty is ready: REST http://%s, gRPC %s\n", requests.Addr(), calls.Addr())
	if err := <-failed; !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func listenTwice() (first, second net.Listener, err error) {
	var on net.ListenConfig
	if first, err = on.Listen(context.Background(), "tcp", "127.0.0.1:0"); err != nil {
		return nil, nil, err
	}
	second, err = on.Listen(context.Background(), "tcp", "127.0.0.1:0")
	return first, second, err
}
