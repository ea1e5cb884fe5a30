package main

import (
	"context"
	"errors"
	"sync"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/recommendation"
)

// askOptions are the flags of recommend and explain.
type askOptions struct {
	store, decisions  string
	channel, audience string
	at                string
	limit             int32
	explain, json     bool
}

func (o *askOptions) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.store, "store", defaultStore, "store: sqlite:PATH or postgres://...")
	f.StringVar(&o.channel, "channel", "APP", "channel of the answer: APP or BRANCH")
	f.StringVar(&o.at, "at", "", "answer with what was known at this instant, RFC 3339 (default now)")
	f.BoolVar(&o.json, "json", false, "print one JSON document, the same as the REST answer")
}

func (p *program) recommendCommand() *cobra.Command {
	var o askOptions
	cmd := &cobra.Command{
		Use:   "recommend CUSTOMER_ID",
		Short: "Answer one customer without a server, from the same code",
		Long: "Answer what the service would answer: which products this customer may be offered, best fit first, each\n" +
			"with expectation, objections and conversion; for a manager with the brief about the customer and a talk card a\n" +
			"product. The decision is recorded in the decision log.",
		Example: "  fundmatch recommend C000001\n" +
			"  fundmatch recommend C000001 --audience MANAGER --channel BRANCH --limit 5 --explain\n" +
			"  fundmatch recommend C000001 --at 2026-06-01T10:00:00+08:00 --json",
		Args: arguments(0, "CUSTOMER_ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.recommend(cmd.Context(), args[0], &o)
		},
	}
	o.addTo(cmd)
	f := cmd.Flags()
	f.StringVar(&o.decisions, "decisions", "", "directory of the decision log (default beside the store: PATH.decisions)")
	f.StringVar(&o.audience, "audience", "CUSTOMER", "reader of the texts: CUSTOMER or MANAGER")
	f.Int32Var(&o.limit, "limit", matcher.DefaultLimit, "length of the list, 1 to 50")
	f.BoolVar(&o.explain, "explain", false, "show the contributions to each score")
	return cmd
}

func (p *program) explainCommand() *cobra.Command {
	var o askOptions
	cmd := &cobra.Command{
		Use:   "explain CUSTOMER_ID PRODUCT_CODE",
		Short: "Tell why one product is, or is not, offered to one customer",
		Long: "Print the verdict, every rule that spoke, the contributions to the score and the product's dated record; for a\n" +
			"manager the talk card, too. Nothing is offered, so nothing is recorded.",
		Example: "  fundmatch explain C000001 161725\n" +
			"  fundmatch explain C000001 161725 --audience CUSTOMER\n" +
			"  fundmatch explain C000001 161725 --at 2020-06-01T10:00:00+08:00 --json",
		Args: arguments(0, "CUSTOMER_ID", "PRODUCT_CODE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.explain(cmd.Context(), args[0], args[1], &o)
		},
	}
	o.addTo(cmd)
	cmd.Flags().StringVar(&o.audience, "audience", "MANAGER", "reader of the texts: CUSTOMER or MANAGER")
	return cmd
}

func (p *program) recommend(ctx context.Context, customerID string, o *askOptions) (err error) {
	desk, err := p.openDesk(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, desk.close()) }()
	answer, err := desk.service.Recommend(ctx, &fundmatchv1.RecommendRequest{
		CustomerId: customerID, Channel: o.channel, Audience: o.audience, Limit: &o.limit, Explain: o.explain,
	})
	if err != nil {
		return err
	}
	if o.json {
		return p.printMessage(answer)
	}
	return p.printCard(answer)
}

func (p *program) explain(ctx context.Context, customerID, productCode string, o *askOptions) (err error) {
	desk, err := p.openDesk(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, desk.close()) }()
	answer, err := desk.service.Explain(ctx, &fundmatchv1.ExplainRequest{
		CustomerId: customerID, ProductCode: productCode, Channel: o.channel, Audience: o.audience,
	})
	if err != nil {
		return err
	}
	if o.json {
		return p.printMessage(answer)
	}
	return p.printExplanation(answer)
}

// desk answers single questions: the service over a store that is there and a core that
// speaks for one instant.
type desk struct {
	store   bankStore
	log     *lateLog
	service *recommendation.Service
}

func (p *program) openDesk(ctx context.Context, o *askOptions) (*desk, error) {
	spec, err := parseKeptStore(o.store)
	if err != nil {
		return nil, err
	}
	at, err := o.instant(fund.InstantOf(p.now()))
	if err != nil {
		return nil, err
	}
	store, err := spec.open(ctx, mustExist)
	if err != nil {
		return nil, err
	}
	lineup, err := p.lineupOf(ctx, spec, store, at)
	if err != nil {
		_ = store.Close() // nothing was written
		return nil, err
	}
	d := &desk{store: store, log: &lateLog{dir: spec.decisions(o.decisions), config: decisionlog.Config{Now: p.now}}}
	d.service = recommendation.New(recommendation.FixedLineup(lineup, at), store, d.log, recommendation.Config{
		NewID: p.decisionIDs(p.now), Clock: p.now, Staff: store,
	})
	return d, nil
}

// instant returns the instant that the answer speaks for. It is not in the future: what
// will be known then is not known.
func (o *askOptions) instant(now fund.Instant) (fund.Instant, error) {
	if o.at == "" {
		return now, nil
	}
	at, err := fund.ParseInstant(o.at)
	if err != nil {
		return 0, usageError("--at: %.80q, expected an RFC 3339 time such as 2026-06-01T10:00:00+08:00", o.at)
	}
	if at > now {
		return 0, usageError("--at: %.80q, expected an instant that is not later than now, %s", o.at, now)
	}
	return at, nil
}

// coreOf compiles what is in force in a store as of an instant.
func (p *program) coreOf(ctx context.Context, spec storeSpec, store bankStore, at fund.Instant) (*matcher.Core, error) {
	loader, err := p.loaderOf(ctx, spec, store)
	if err != nil {
		return nil, err
	}
	return loader.Newest(ctx, at)
}

// lineupOf does the same with the experiments, so that a customer is answered as the service
// answers him. A plan that is refused there, too, is left out and told of.
func (p *program) lineupOf(ctx context.Context, spec storeSpec, store bankStore, at fund.Instant) (*engine.Lineup, error) {
	loader, err := p.loaderOf(ctx, spec, store)
	if err != nil {
		return nil, err
	}
	lineup, refused, err := loader.Lineup(ctx, at)
	for _, r := range refused {
		p.note("the experiments in force are refused, everybody is answered without: %s", oneLine(r.Err.Error()))
	}
	return lineup, err
}

// loaderOf loads what a store with a pool has in force; the built-in model and rules where
// nothing is.
func (p *program) loaderOf(ctx context.Context, spec storeSpec, store bankStore) (*engine.Loader, error) {
	if _, err := store.Published(ctx); errors.Is(err, features.ErrNoPool) {
		return nil, spec.noPool()
	}
	if err := engine.InstallDefaults(ctx, store, fund.InstantOf(p.now())); err != nil {
		return nil, err
	}
	return engine.NewLoader(store, store, p.version)
}

// parseKeptStore reads a --store whose contents outlive a command.
func parseKeptStore(text string) (storeSpec, error) {
	spec, err := parseStore(text)
	if err == nil && spec.inMemory() {
		return spec, usageError("--store: memory: holds nothing when a command begins, expected sqlite:PATH or postgres://USER@HOST:PORT/DATABASE")
	}
	return spec, err
}

// close closes what was opened. An answer whose record did not reach the disk is an error.
func (d *desk) close() error {
	return errors.Join(d.log.close(), d.store.Close())
}

// lateLog opens the decision log with its first record, so that a question that is
// refused leaves no trace on disk.
type lateLog struct {
	dir    string
	config decisionlog.Config

	mu  sync.Mutex
	log *decisionlog.Log
}

// Append is recommendation.Log.
func (l *lateLog) Append(ctx context.Context, r decisionlog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.log == nil {
		log, err := decisionlog.Open(l.dir, l.config)
		if err != nil {
			return err
		}
		l.log = log
	}
	return l.log.Append(ctx, r)
}

func (l *lateLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.log == nil {
		return nil
	}
	return l.log.Close()
}
