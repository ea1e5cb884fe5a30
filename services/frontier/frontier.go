// Package frontier measures what a weight of BREACH costs and what it is worth: of lists made
// on days of the past from what was known on them, with one weight after another, how well
// they met what customers bought afterwards, and how many of the listed products then fell
// further than the customer's level is taken to bear. It reads the contracts of features
// alone; the same store gives the same report for any number of workers.
package frontier

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
	"github.com/fundmatch/fundmatch/matcher/track"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// Errors of this package.
var (
	// ErrOptions is wrapped when options or the model mean nothing; the message names them.
	ErrOptions = errors.New("frontier options refused")
	// ErrNoHistory: nobody got a list on any of the days.
	ErrNoHistory = errors.New("no list could be made on any of the days")
)

// Store is what is read.
type Store interface {
	features.Histories
	features.Pools
}

// Job is one measurement.
type Job struct {
	Store Store
	// AsOf folds a history into the profile of a past, as history.AsOf does.
	AsOf    func(*features.History, features.AsOf) (*fund.Profile, error)
	Model   *score.Model // whose other weights and settings are kept
	Rules   *eligibility.Pack
	Version string // of the program
	Options Options
}

// Options are what may be chosen. The result depends on all but Workers and Progress.
type Options struct {
	Through  fund.Date // last day that is looked at; 0: that of the newest NAV
	Days     int       // days in the past on which lists are made, four weeks apart; 0: DefaultDays
	Workers  int       // days worked at together, 1 to MaxWorkers; 0: 1
	Progress func(done, total int64)
}

// The defaults and bounds.
const (
	DefaultDays = 13 // a year
	MaxDays     = 65 // five
	MaxWorkers  = 256
	Places      = 10 // of a list
)

// Demand is looked for over six months after a day, falls over twelve.
const (
	demandMonths = 6
	fallHorizon  = outcome.TwelveMonths
	daysApart    = 28
)

// Weights returns the weights of BREACH that are tried: none, and down to the bound.
func Weights() []float64 {
	return []float64{0, -0.1, -0.25, -0.5, -0.75, -1, -1.5, -2, -3, -5, -7.5, -10}
}

// running is a job at work.
type running struct {
	*Job
	revision features.Revision
	products []fund.Product
	calendar fund.Calendar
	text     *wording.Templates
	places   map[string]int32 // by product code
	records  []outcome.Product
	days     []fund.Date
	falls    map[entry]float64 // what came of entries on the days, after fees
}

// entry is a product bought on a day.
type entry struct {
	place int32
	day   fund.Date
}

// Run measures. Errors: ErrOptions, ErrNoHistory, those of the store and of matcher.Compile.
func (j *Job) Run(ctx context.Context) (*Report, error) {
	r := &running{Job: j}
	if err := r.settle(); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{r.readPool, r.readMarket} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	observed := make([]observation, len(r.days))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.Options.Workers)
	done := make(chan int64, 1)
	done <- 0
	for i, day := range r.days {
		group.Go(func() (err error) {
			observed[i], err = r.observe(ctx, day)
			n := <-done + 1
			if err == nil && r.Options.Progress != nil {
				r.Options.Progress(n, int64(len(r.days)))
			}
			done <- n
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return r.report(observed)
}

// settle checks the options and fills in the defaults.
func (r *running) settle() error {
	o := r.Options
	o.Days, o.Workers = cmp.Or(o.Days, DefaultDays), cmp.Or(o.Workers, 1)
	switch {
	case o.Days < 1 || o.Days > MaxDays:
		return fmt.Errorf("%w: %d days, expected 1 to %d", ErrOptions, o.Days, MaxDays)
	case o.Workers < 1 || o.Workers > MaxWorkers:
		return fmt.Errorf("%w: %d workers, expected 1 to %d", ErrOptions, o.Workers, MaxWorkers)
	case r.Model == nil || r.Model.Settings.Outcome == nil:
		return fmt.Errorf("%w: the model foresees no outcomes, expected one with outcome", ErrOptions)
	}
	settled := *r.Job // the caller's job stays as it is
	settled.Options = o
	r.Job = &settled
	return nil
}

// readPool reads the pool in force: which one was in force when is not kept.
func (r *running) readPool(ctx context.Context) (err error) {
	if r.revision, err = r.Store.Published(ctx); err != nil {
		return err
	}
	if r.products, err = r.Store.Pool(ctx, r.revision.ID); err != nil {
		return err
	}
	if r.calendar, err = r.Store.Calendar(ctx, r.revision.Seq); err != nil {
		return err
	}
	r.places = make(map[string]int32, len(r.products))
	for i := range r.products {
		r.places[r.products[i].Code] = int32(i)
	}
	r.text, err = wording.Compile(wording.DefaultTemplates())
	return err
}

// readMarket reads all NAVs once, for what came of the listed products.
func (r *running) readMarket(ctx context.Context) error {
	cut, newest := features.Cut{AsOf: fund.Forever, Seq: r.revision.Seq}, fund.Date(0)
	if r.Options.Through != 0 {
		cut.AsOf = r.Options.Through.AddDays(1).Start()
	}
	err := r.Store.NAVs(ctx, cut, func(code string, navs []fund.NAV) error {
		place, ok := r.places[code]
		if !ok || len(navs) == 0 {
			return nil
		}
		last := navs[len(navs)-1].Date
		newest = max(newest, last)
		pieces, err := track.Pieces(navs, last.AddDays(1))
		if err != nil {
			return fmt.Errorf("product %s: %w", code, err)
		}
		p := &r.products[place]
		costs := outcome.CostsOf(p, r.Model.Settings.Cost.ReferenceAmount)
		for _, piece := range pieces {
			r.records = append(r.records, outcome.Product{
				Code: code, Class: p.Class(), Costs: costs, Series: outcome.Series{Days: piece.Days, Wealth: piece.Wealth},
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if newest == 0 {
		return fmt.Errorf("%w: the store has no NAVs", ErrNoHistory)
	}
	return r.lookAhead(newest)
}

// lookAhead chooses the days, the last of them as long ago as falls are looked for, and finds
// what came of an entry on each.
func (r *running) lookAhead(newest fund.Date) error {
	last := outcome.LastEntry(newest.AddMonths(-int(fallHorizon.Months())).AddDays(-daysAWeek))
	chosen := map[fund.Date]bool{}
	for i := r.Options.Days - 1; i >= 0; i-- {
		day := last.AddDays(-i * daysApart)
		r.days = append(r.days, day)
		chosen[day] = true
	}
	r.falls = map[entry]float64{}
	return outcome.Past(r.records, newest.AddDays(1), r.Model.Settings.Outcome.Settings, func(h *outcome.Holding) error {
		if h.Horizon == fallHorizon && chosen[h.AsOf] {
			r.falls[entry{r.places[r.records[h.Product].Code], h.AsOf}] = h.Net.Drawdown
		}
		return nil
	})
}

// An entry is bought within a week of its day.
const daysAWeek = 7

// core compiles what the matcher would have known on a day.
func (r *running) core(ctx context.Context, day fund.Date) (*matcher.Core, error) {
	cut := features.Cut{AsOf: day.Start(), Seq: r.revision.Seq}
	core, err := matcher.Compile(&matcher.Inputs{
		Identity: matcher.Identity{PoolRevision: r.revision.ID, DataSeq: r.revision.Seq, AsOf: cut.AsOf, Engine: r.Version},
		Products: r.products, Model: r.Model, Rules: r.Rules, Calendar: r.calendar, Wording: r.text,
		NAVs:      func(yield func(string, []fund.NAV) error) error { return r.Store.NAVs(ctx, cut, yield) },
		Purchases: func(yield func(string, []fund.Purchase) error) error { return r.Store.Purchases(ctx, cut, yield) },
	})
	if err != nil {
		return nil, fmt.Errorf("core of %s: %w", day, err)
	}
	return core, nil
}
