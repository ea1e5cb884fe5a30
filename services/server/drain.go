package server

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// drain ends serving in the order that loses no request: first "not ready", so that load
// balancers send no more; then no more connections; then the requests that run finish;
// then, last, the listener that tells about it.
func (s *Server) drain(ctx context.Context) error {
	s.readiness.drain()
	s.logger.LogAttrs(ctx, slog.LevelInfo, "draining", slog.Duration("timeout", s.cfg.Drain.Timeout))
	pause(ctx, s.cfg.Drain.Delay)
	s.endStream()

	limited, cancel := context.WithTimeout(ctx, s.cfg.Drain.Timeout)
	defer cancel()
	var both errgroup.Group
	both.Go(func() error { return s.drainHTTP(limited) })
	both.Go(func() error { return s.drainGRPC(limited) })
	err := both.Wait()
	_ = s.ops.Close() // scrapes are cut off: they come again
	s.logger.LogAttrs(ctx, slog.LevelInfo, "stopped")
	return err
}

func (s *Server) drainHTTP(ctx context.Context) error {
	if s.http.Shutdown(ctx) == nil {
		return nil
	}
	_ = s.http.Close() // what is left is cut off
	return ErrDrainTimeout
}

func (s *Server) drainGRPC(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.grpc.Stop() // ends the handlers' contexts; one that does not listen is left behind
		<-done
		return ErrDrainTimeout
	}
}

func pause(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// endingStreams ends every stream when ctx does: a health watch would otherwise hold up
// the drain until its client went away.
func endingStreams(ctx context.Context) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		streamContext, cancel := context.WithCancel(ss.Context())
		defer cancel()
		forget := context.AfterFunc(ctx, cancel)
		defer forget()
		return handler(srv, endingStream{ss, streamContext})
	}
}

type endingStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // it replaces the stream's own
}

// Context implements grpc.ServerStream.
func (s endingStream) Context() context.Context { return s.ctx }
