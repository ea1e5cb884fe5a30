package training

import (
	"context"
	"fmt"
	"sort"

	"golang.org/x/sync/errgroup"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// snapshotDays is how long one core of the past serves. A core a day would say little else:
// affinity, records and popularity move slowly, and all of a core is from before the
// exposures that it is asked about.
const snapshotDays = 28

// snapshots are the cores of the past, oldest first.
type snapshots []*matcher.Core

// at returns the newest core that is not later than an instant; nil: there is none.
func (s snapshots) at(at fund.Instant) *matcher.Core {
	n := sort.Search(len(s), func(i int) bool { return s[i].Identity().AsOf > at })
	if n == 0 {
		return nil
	}
	return s[n-1]
}

// poolOf is the pool that examples are about.
type poolOf struct {
	revision features.Revision
	products []fund.Product
	funds    map[string]int32 // by product code: share classes of one fund have one number
}

// readPool reads the pool in force.
func (r *running) readPool(ctx context.Context) error {
	revision, err := r.Store.Published(ctx)
	if err != nil {
		return err
	}
	products, err := r.Store.Pool(ctx, revision.ID)
	if err != nil {
		return err
	}
	r.pool = poolOf{revision: revision, products: products, funds: fundsOf(products)}
	return nil
}

// compileCores compiles the pool in force as of every snapshotDays from the first exposure
// on: with the market of before that day, and with the base's settings, so that an input
// means in every example what it will mean when the model answers.
func (r *running) compileCores(ctx context.Context) error {
	calendar, err := r.Store.Calendar(ctx, r.pool.revision.Seq)
	if err != nil {
		return err
	}
	text, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		return err
	}
	var days []fund.Date
	for day := r.survey.from; day <= r.survey.through; day = day.AddDays(snapshotDays) {
		days = append(days, day)
	}
	r.cores = make(snapshots, len(days))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.Options.Workers)
	for i, day := range days {
		group.Go(func() (err error) {
			in := matcher.Inputs{Products: r.pool.products, Rules: r.Rules, Calendar: calendar, Wording: text}
			if r.cores[i], err = r.compileCore(ctx, day, &in); err != nil {
				return fmt.Errorf("core of %s: %w", day, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	r.tell(Cores, int64(len(days)), int64(len(days)))
	return nil
}

// compileCore compiles the core of a day, from what all have in common. Its affinity is
// learned as the one that will be served is, from what was known by the evening before: a
// purchase of the day may be what an exposure of the day led to.
func (r *running) compileCore(ctx context.Context, day fund.Date, in *matcher.Inputs) (*matcher.Core, error) {
	learned, err := r.learnAffinity(ctx, day.AddDays(-1), 1)
	if err != nil {
		return nil, err
	}
	model := *r.base
	model.Affinity, in.Model = learned, &model
	revision := &r.pool.revision
	cut := features.Cut{AsOf: day.Start(), Seq: revision.Seq}
	before := features.Cut{AsOf: day.Start() - 1, Seq: revision.Seq}
	in.Identity = matcher.Identity{PoolRevision: revision.ID, DataSeq: revision.Seq, AsOf: cut.AsOf, Engine: r.Version}
	in.NAVs = func(yield func(string, []fund.NAV) error) error { return r.Store.NAVs(ctx, cut, yield) }
	in.Purchases = func(yield func(string, []fund.Purchase) error) error { return r.Store.Purchases(ctx, before, yield) }
	return matcher.Compile(in)
}

// fundsOf numbers the funds of a pool in the order of its products.
func fundsOf(products []fund.Product) map[string]int32 {
	funds, numbers := make(map[string]int32, len(products)), map[string]int32{}
	for i := range products {
		code := products[i].FundCode()
		if _, ok := numbers[code]; !ok {
			numbers[code] = int32(len(numbers))
		}
		funds[products[i].Code] = numbers[code]
	}
	return funds
}
