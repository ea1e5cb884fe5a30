package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/reflection"
	"google.golang.org/protobuf/proto"

	"github.com/fundmatch/fundmatch/services/telemetry"
)

// Services are what the server puts on the network.
type Services struct {
	// Register registers the services by their generated functions, such as
	// fundmatchv1.RegisterPoolServiceServer. Those with HTTP bindings get their REST paths.
	Register func(grpc.ServiceRegistrar)
	// Features is GET /features of the operators' listener, which shows no customer; nil:
	// there is none.
	Features http.Handler
	// Checks say whether the services can answer; all must.
	Checks []Check
	// Refuse, when not nil, is asked before each call, which its error ends: nothing could be
	// answered that is true. It must return at once, and its errors have rows in the table.
	Refuse func() error
	// Validators check a method's message before its handler runs, by the method's full
	// name. Their errors go through the error table.
	Validators map[string]func(proto.Message) error
}

// Addresses are where a server listens.
type Addresses struct {
	HTTP, GRPC, Ops net.Addr
}

// Server is one set of listeners. It runs once.
type Server struct {
	cfg       Config
	logger    *slog.Logger
	grpc      *grpc.Server
	http      *http.Server
	ops       *http.Server
	readiness *readiness
	endStream context.CancelFunc // ends the health service's watches
	started   atomic.Bool
}

var (
	// ErrStarted is returned when a server is run a second time.
	ErrStarted = errors.New("server: it was run before")
	// ErrDrainTimeout is returned when requests were cut off because they did not finish
	// within the drain timeout.
	ErrDrainTimeout = errors.New("server: requests did not finish within the drain timeout and were cut off")
)

// New puts a server together; nothing listens yet. Errors: *ConfigError, *ExposedError,
// *OrderError, and those of registering.
func New(services Services, logger *slog.Logger, metrics *telemetry.Metrics, tracing *telemetry.Tracing, cfg Config) (*Server, error) {
	cfg, err := withDefaults(cfg)
	if err != nil {
		return nil, err
	}
	registered := &registry{}
	services.Register(registered)
	if registered.err != nil {
		return nil, registered.err
	}
	st := &steps{logger: logger, metrics: metrics, tracing: tracing, cfg: cfg, limiter: newPeerLimiter(cfg.Limits, time.Now), refuse: services.Refuse}
	if st.methods, err = methodStates(registered, services.Validators, metrics); err != nil {
		return nil, err
	}
	ch, err := st.chain()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, logger: logger, readiness: newReadiness(services.Checks, cfg.Ops.ReadyInterval, logger, registered.services)}
	s.buildGRPC(registered, ch)
	if err := s.buildHTTP(registered, ch, st); err != nil {
		return nil, err
	}
	s.ops = s.httpServer(opsHandler(metrics, s.readiness, services.Features))
	s.ops.WriteTimeout = opsWriteTimeout
	return s, nil
}

// methodStates resolves what the chain knows of each method.
func methodStates(r *registry, validators map[string]func(proto.Message) error, metrics *telemetry.Metrics) (map[string]*methodState, error) {
	states := map[string]*methodState{}
	for _, s := range r.services {
		for _, m := range s.desc.Methods {
			name := "/" + s.desc.ServiceName + "/" + m.MethodName
			states[name] = &methodState{name: name, meter: metrics.Requests.Method(name), validate: validators[name]}
		}
	}
	for name := range validators {
		if states[name] == nil {
			return nil, &ConfigError{"validators", name, "the full name of a registered method"}
		}
	}
	return states, nil
}

func (s *Server) buildGRPC(r *registry, ch *chain) {
	cfg := s.cfg.GRPC
	streams, endStreams := context.WithCancel(context.Background())
	s.endStream = endStreams
	s.grpc = grpc.NewServer(
		grpc.UnaryInterceptor(ch.intercept),
		grpc.ChainStreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			return recoverStream(srv, ss, handler)
		}, endingStreams(streams)),
		grpc.MaxRecvMsgSize(cfg.MaxMessage),
		grpc.MaxHeaderListSize(cfg.MaxHeaderBytes),
		grpc.MaxConcurrentStreams(cfg.MaxStreams),
		grpc.ConnectionTimeout(cfg.ConnectTimeout),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: cfg.MinPing, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: cfg.MaxIdle, Time: time.Minute, Timeout: cfg.ConnectTimeout}),
	)
	for _, svc := range r.services {
		s.grpc.RegisterService(svc.desc, svc.impl)
	}
	healthpb.RegisterHealthServer(s.grpc, s.readiness.health)
	if cfg.Reflection {
		reflection.Register(s.grpc)
	}
}

func (s *Server) buildHTTP(r *registry, ch *chain, st *steps) error {
	gateway, err := newGateway(context.Background(), r, newInProcess(r, ch.intercept))
	if err != nil {
		return err
	}
	f, err := newFront(gateway, s.readiness, st)
	if err != nil {
		return err
	}
	s.http = s.httpServer(f)
	return nil
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	cfg := s.cfg.HTTP
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: cfg.HeaderTimeout,
		ReadTimeout:       cfg.ReadTimeout,
		WriteTimeout:      cfg.WriteTimeout,
		IdleTimeout:       cfg.IdleTimeout,
		MaxHeaderBytes:    cfg.MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(silent{s.logger.Handler()}, slog.LevelDebug),
		// The peer is known to handlers of both transports in the same way.
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return peer.NewContext(ctx, &peer.Peer{Addr: c.RemoteAddr(), LocalAddr: c.LocalAddr()})
		},
	}
}

// Run listens, calls ready (which may be nil) once all three listeners are open, and
// answers until ctx ends; then it drains. Errors: ErrStarted, what listening returns,
// ErrDrainTimeout; nil after a drain in which every request was answered.
func (s *Server) Run(ctx context.Context, ready func(Addresses)) error {
	if s.started.Swap(true) {
		return ErrStarted
	}
	l, err := s.listen(ctx)
	if err != nil {
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	s.readiness.check(ctx)

	// A listener that fails ends serving, and the others are drained.
	serving, ctx := errgroup.WithContext(ctx)
	serving.Go(func() error { s.readiness.run(background); return nil })
	serving.Go(func() error { return ended(s.grpc.Serve(l.grpc)) })
	serving.Go(func() error { return ended(s.http.Serve(l.http)) })
	serving.Go(func() error { return ended(s.ops.Serve(l.ops)) })
	if ready != nil {
		ready(Addresses{HTTP: l.http.Addr(), GRPC: l.grpc.Addr(), Ops: l.ops.Addr()})
	}
	<-ctx.Done()
	drained := s.drain(background)
	stop()
	return errors.Join(serving.Wait(), drained)
}

type listeners struct{ http, grpc, ops net.Listener }

// opsConnections bounds the ops listener: scrapers, probes and one who looks into things.
const opsConnections = 64

func (s *Server) listen(ctx context.Context) (listeners, error) {
	var l listeners
	for _, one := range [...]struct {
		name, address string
		limit         int
		into          *net.Listener
	}{
		{"http", s.cfg.HTTP.Address, s.cfg.HTTP.MaxConnections, &l.http},
		{"grpc", s.cfg.GRPC.Address, s.cfg.GRPC.MaxConnections, &l.grpc},
		{"ops", s.cfg.Ops.Address, opsConnections, &l.ops},
	} {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", one.address)
		if err != nil {
			l.close()
			return l, fmt.Errorf("server: %s listener: %w", one.name, err)
		}
		*one.into = netutil.LimitListener(listener, one.limit)
	}
	return l, nil
}

func (l listeners) close() {
	for _, one := range [...]net.Listener{l.http, l.grpc, l.ops} {
		if one != nil {
			_ = one.Close() // nothing was accepted yet
		}
	}
}

// ended turns the errors that mean "was shut down" into none.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return err
}

// silent keeps the log of net/http, whose lines name remote addresses and quote requests,
// out of ours: a line says only that there was one.
type silent struct{ slog.Handler }

// Handle implements slog.Handler.
func (h silent) Handle(ctx context.Context, r slog.Record) error {
	quiet := slog.NewRecord(r.Time, r.Level, "the HTTP server reported an error", r.PC)
	return h.Handler.Handle(ctx, quiet)
}
