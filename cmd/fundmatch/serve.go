package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/cache"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/customer"
	"github.com/fundmatch/fundmatch/services/decision"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/event"
	"github.com/fundmatch/fundmatch/services/model"
	"github.com/fundmatch/fundmatch/services/order"
	"github.com/fundmatch/fundmatch/services/pool"
	"github.com/fundmatch/fundmatch/services/recommendation"
	"github.com/fundmatch/fundmatch/services/server"
	"github.com/fundmatch/fundmatch/services/shadow"
	"github.com/fundmatch/fundmatch/services/storeclock"
	"github.com/fundmatch/fundmatch/services/telemetry"
	text "github.com/fundmatch/fundmatch/services/wording"
)

// serveOptions are the flags of serve. A flag that is given counts more than the file.
type serveOptions struct {
	config           string
	store, decisions string
	http, grpc, ops  string
	demo             bool
}

func (p *program) serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve recommendations over REST and gRPC",
		Long: "Serve REST, gRPC and the operators' listener (metrics, health, profiles) until SIGINT or SIGTERM, then drain.\n" +
			"A line on stdout says when the listeners are open. Only loopback addresses are taken: callers are not\n" +
			"authenticated yet. A store without a pool is served as not ready until a bank is imported.",
		Example: "  fundmatch serve --demo\n  fundmatch serve --config fundmatch.yaml --store sqlite:/var/lib/fundmatch/bank.db",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.serve(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "configuration file (YAML)")
	f.StringVar(&o.store, "store", "", "store: sqlite:PATH, postgres://... or memory: (default "+defaultStore+")")
	f.StringVar(&o.decisions, "decisions", "", "directory of the decision log (default beside the store: PATH.decisions)")
	f.BoolVar(&o.demo, "demo", false, "load the built-in demo bank into a store that has none")
	f.StringVar(&o.http, "http", "", "address of REST (default 127.0.0.1:8080)")
	f.StringVar(&o.grpc, "grpc", "", "address of gRPC (default 127.0.0.1:9090)")
	f.StringVar(&o.ops, "ops", "", "address of metrics, health and profiles (default 127.0.0.1:9100)")
	return cmd
}

// settings reads the file and puts the flags over it.
func (o *serveOptions) settings() (*config, error) {
	c, err := readConfig(o.config)
	if err != nil {
		return nil, err
	}
	for _, flag := range [...]struct {
		given string
		into  *string
	}{{o.store, &c.Store}, {o.decisions, &c.Decisions.Dir}, {o.http, &c.HTTP.Address}, {o.grpc, &c.GRPC.Address}, {o.ops, &c.Ops.Address}} {
		if flag.given != "" {
			*flag.into = flag.given
		}
	}
	if c.Store == "" {
		c.Store = defaultStore
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

func (p *program) serve(ctx context.Context, o *serveOptions) (err error) {
	c, err := o.settings()
	if err != nil {
		return err
	}
	s := &service{program: p, config: c, now: p.now}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx, o.demo); err != nil {
		return err
	}
	if err := s.wire(ctx); err != nil {
		return err
	}
	return s.run(ctx)
}

// service is the running program: what it has opened and how the parts hang together.
type service struct {
	*program
	config *config

	spec    storeSpec
	store   bankStore
	log     *watchedLog
	dir     string           // of the decision log
	eraser  *customer.Eraser // of the store and the log
	reader  *decisionlog.Reader
	cache   *cache.Profiles
	engine  *engine.Engine
	shadow  *shadow.Comparer
	now     func() time.Time  // of facts and answers
	clock   *storeclock.Clock // nil: the store has none of its own
	server  *server.Server
	logger  *slog.Logger
	signals signals
	closers []func() error // in the order of opening
}

// signals are what the service tells about itself.
type signals struct {
	metrics  *telemetry.Metrics
	tracing  *telemetry.Tracing
	features *featureWatch // nil: the store keeps no histories
}

// onClose runs close at the end, after everything that was opened later is closed.
func (s *service) onClose(closer func() error) { s.closers = append(s.closers, closer) }

func (s *service) close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	return errors.Join(errs...)
}

// open opens the store, with the demo bank where that is asked for, and the decision log.
func (s *service) open(ctx context.Context, demo bool) (err error) {
	if s.spec, err = parseStore(s.config.Store); err != nil {
		return err
	}
	s.spec.database = s.config.Database
	how := mustExist
	if demo {
		how = create
	}
	if s.store, err = s.spec.open(ctx, how); err != nil {
		return err
	}
	s.onClose(s.store.Close)
	if err := s.openClock(ctx); err != nil {
		return err
	}
	if err := engine.RenewDefaults(ctx, s.store, fund.InstantOf(s.now())); err != nil {
		return err
	}
	if demo {
		if err := s.openDemo(ctx); err != nil {
			return err
		}
	}
	return s.openLog()
}

// openDemo loads the demo bank into a store that has no pool.
func (s *service) openDemo(ctx context.Context) error {
	if _, err := s.store.Published(ctx); !errors.Is(err, features.ErrNoPool) {
		return err
	}
	o, err := s.config.demo(fund.InstantOf(s.now()).Date())
	if err != nil {
		return err
	}
	s.note("loading the demo bank into %s ...", s.spec.text)
	result, err := s.loadDemo(ctx, s.store, o)
	if err != nil {
		return err
	}
	s.note("loaded the demo bank: %d products, as of %s", result.Revision.Products, o.AsOf)
	return nil
}

func (s *service) openLog() error {
	dir := s.spec.decisions(s.config.Decisions.Dir)
	if dir == "" {
		// A store that forgets has a log that goes with it: nobody could replay it.
		temp, err := os.MkdirTemp("", "fundmatch-decisions-")
		if err != nil {
			return unavailableError(err, "no place for the decision log: %s", pathReason(err))
		}
		dir = temp
		s.onClose(func() error { return os.RemoveAll(temp) })
	}
	s.signals.metrics = telemetry.NewMetrics(s.now)
	if s.clock != nil {
		s.signals.metrics.Clock.Watch(s.skew)
	}
	settings, meter := s.config.decisionLog(), s.signals.metrics.DecisionLog
	settings.ObserveSync = func(took time.Duration) { meter.Fsync.Observe(took.Seconds()) }
	log, err := decisionlog.Open(dir, settings)
	if err != nil {
		return err
	}
	s.onClose(log.Close)
	s.dir = dir
	s.log = &watchedLog{log: log, meter: meter, probe: func() error { return probeDisk(dir) }}
	if torn := log.Recovery(); torn.Torn != "" {
		s.note("the decision log ended within a record, as after a crash: %d bytes were set aside in %s", torn.Bytes, torn.Torn)
	}
	s.reader, err = decisionlog.OpenReader(dir)
	return err
}

// wire puts the parts together: store, cache, engine, services, server.
func (s *service) wire(ctx context.Context) (err error) {
	s.logger = telemetry.NewLogger(s.stderr, slog.Level(s.config.Signals.Log.Level))
	if s.signals.tracing, err = telemetry.NewTracing(ctx, s.logger, s.config.traces(s.version)); err != nil {
		return asSetting("traces", err)
	}
	s.onClose(s.closeTracing)
	if s.cache, err = newProfileCache(s.profiles(), &s.config.Cache, s.signals.metrics); err != nil {
		return err
	}
	s.onClose(func() error { s.cache.Close(); return nil })
	loader, err := engine.NewLoader(s.store, s.store, s.version)
	if err != nil {
		return err
	}
	settings := s.config.engine()
	settings.Observe, settings.Refuse = s.observeCompile, s.observeRefused
	s.engine = engine.New(loader, s.now, settings)
	s.signals.metrics.Core.Watch(s.coreState)

	s.shadow = s.newShadow()
	watch, newID := newAnswerWatch(s.signals.metrics), s.decisionIDs(s.now)
	recommendations := recommendation.New(s.engine, s.cache, s.log, recommendation.Config{
		NewID: newID, Clock: s.now, Staff: s.cache, ObserveStage: watch.stage, ObserveAnswer: watch.answer,
		Compare: s.shadow.Offer,
	})
	decisions := decision.New(loader, s.reader)
	pools := pool.New(s.engine)
	s.eraser = customer.NewEraser(s.cache, s.log, s.random, s.now)
	customers := customer.New(s.cache, s.now, s.customerRules, customer.WithEraser(s.eraser), customer.WithViews((&viewsInForce{store: s.store}).at))
	events := event.New(s.cache, s.now, event.Observe(func(r features.EventsReceipt) {
		s.signals.metrics.Quarantined.Add(float64(r.Quarantined))
	}))
	orders := order.New(s.engine, order.Stores{
		Profiles: s.cache, Confirmations: s.store, Staff: s.cache, Log: s.log, Records: s.reader,
	}, order.Config{NewID: newID, Now: s.now})
	linter, err := wording.NewLinter()
	if err != nil {
		return err
	}
	texts := text.New(s.engine, linter)
	models := model.New(s.store, func(ctx context.Context, data []byte) error {
		return loader.TryModel(ctx, data, fund.InstantOf(s.now()))
	}, s.now)
	s.server, err = server.New(server.Services{
		Features: s.watchFeatures(),
		Register: func(r grpc.ServiceRegistrar) {
			fundmatchv1.RegisterRecommendationServiceServer(r, recommendations)
			fundmatchv1.RegisterDecisionServiceServer(r, decisions)
			fundmatchv1.RegisterPoolServiceServer(r, pools)
			fundmatchv1.RegisterCustomerServiceServer(r, customers)
			fundmatchv1.RegisterEventServiceServer(r, events)
			fundmatchv1.RegisterOrderServiceServer(r, orders)
			fundmatchv1.RegisterWordingServiceServer(r, texts)
			fundmatchv1.RegisterModelServiceServer(r, models)
		},
		Checks: []server.Check{
			{Name: "store", Ready: s.storeReady},
			{Name: "core", Ready: s.coreReady},
			{Name: "decision_log", Ready: s.log.ready},
			{Name: "clock", Ready: func(context.Context) error { return s.checkSkew() }},
		},
		Refuse: s.checkSkew,
	}, s.logger, s.signals.metrics, s.signals.tracing, s.config.server())
	return err
}

// customerRules are those of the core in force.
func (s *service) customerRules() (customer.Rules, error) {
	core, _, err := s.engine.Core()
	if err != nil {
		return nil, err
	}
	return core, nil
}

// asSetting gives what a part refuses of its settings the words of the file.
func asSetting(section string, err error) error {
	if e := (*telemetry.ConfigError)(nil); errors.As(err, &e) {
		return &settingError{section + "." + e.Field, e.Value, e.Expected}
	}
	return err
}

// run compiles the first core, listens and answers until ctx ends.
func (s *service) run(ctx context.Context) error {
	err := s.engine.Reload(ctx)
	if errors.Is(err, features.ErrUnavailable) || ctx.Err() != nil {
		return err
	}
	background, stop := context.WithCancel(ctx)
	defer stop()
	var group errgroup.Group
	group.Go(func() error { s.engine.Run(background); return nil })
	group.Go(func() error { s.shadow.Run(background); return nil })
	group.Go(func() error { s.followClock(background); return nil })
	group.Go(func() error { s.followErasures(background, s.eraser, s.dir); return nil })
	group.Go(func() error { return s.measureFeatures(background) })
	served := s.server.Run(ctx, func(at server.Addresses) { s.announce(at, err) })
	stop()
	return errors.Join(served, group.Wait())
}

// announce prints the line that whoever started the service waits for.
func (s *service) announce(at server.Addresses, core error) {
	where := fmt.Sprintf("REST http://%s, gRPC %s, ops http://%s", at.HTTP, at.GRPC, at.Ops)
	switch {
	case s.checkSkew() != nil:
		fmt.Fprintf(s.stdout, "fundmatch %s listens but is NOT READY, its clock is not the store's: %s, store %s\n", s.version, where, s.spec.text)
		s.note("%s", oneLine(s.checkSkew().Error()))
	case core == nil:
		fmt.Fprintf(s.stdout, "fundmatch %s is ready: %s, store %s\n", s.version, where, s.spec.text)
	case errors.Is(core, features.ErrNoPool):
		fmt.Fprintf(s.stdout, "fundmatch %s listens but is NOT READY, the store has no pool: %s, store %s\n", s.version, where, s.spec.text)
		s.note("load a bank: fundmatch import DIR --store %s; the service notices it", s.spec.text)
	default:
		fmt.Fprintf(s.stdout, "fundmatch %s listens but is NOT READY, what is in force does not compile: %s, store %s\n", s.version, where, s.spec.text)
		s.note("%s", oneLine(core.Error()))
	}
}

// storePatience is how long the store may take to answer before readiness says that it does not.
const storePatience = time.Second

// storeReady says whether the store answers. One that stalls is unavailable, which says more
// than that somebody's deadline passed.
func (s *service) storeReady(ctx context.Context) error {
	inner, cancel := context.WithTimeout(ctx, storePatience)
	defer cancel()
	err := s.store.Ping(inner)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return fmt.Errorf("%w: no answer within %s", features.ErrUnavailable, storePatience)
	}
	return err
}

// coreReady says why there is no core: without a pool that is the reason.
func (s *service) coreReady(ctx context.Context) error {
	_, _, err := s.engine.Core()
	if err == nil {
		return nil
	}
	if _, stored := s.store.Published(ctx); stored != nil {
		return stored
	}
	return err
}
