package backtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fundmatch/fundmatch/matcher/evaluate"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Places is the length of a list.
const Places = 10

// Config says what is run.
type Config struct {
	// Splits are the first and the last split to run, by number; nil: all.
	Splits *[2]int32
	// Permitted offers a customer only what the grade rule permits: products whose grade
	// is at most the level in the file; without a level R1 only.
	Permitted bool
	// Subject makes the lists that are written, and Baselines those that it is compared with.
	Subject   Recommender
	Baselines []Recommender
	Bootstrap evaluate.Bootstrap
	Workers   int
	// Progress is told the lists done of all that will be, at times from several
	// goroutines; nil: nobody is.
	Progress func(done, total int64)
}

// ErrConfig is wrapped by errors about what is to be run.
var ErrConfig = errors.New("backtest refused")

// ErrRecommender is wrapped where a recommender does not do what Recommender says: a
// fault of the program.
var ErrRecommender = errors.New("recommender at fault")

// job is one run.
type job struct {
	data   *Data
	config Config
	splits []*split
	names  []string // of the contenders: the subject first, then its variants, then the baselines
	done   atomic.Int64
	total  int64
}

// Run makes the lists of every split, writes the subject's to run, and reports. What it
// writes and reports does not depend on the workers. The splits are independent of each
// other: some are under way at a time, and their lists are written in order.
func Run(ctx context.Context, data *Data, config Config, run io.Writer) (*Report, error) {
	j, err := newJob(data, config)
	if err != nil {
		return nil, err
	}
	outcomes, err := j.runSplits(ctx)
	if err != nil {
		return nil, err
	}
	written, err := j.writeRun(run, outcomes)
	if err != nil {
		return nil, err
	}
	return j.report(outcomes, written)
}

func newJob(data *Data, config Config) (*job, error) {
	j := &job{data: data, config: config}
	if config.Workers < 1 {
		return nil, fmt.Errorf("%w: %d workers, expected 1 or more", ErrConfig, config.Workers)
	}
	for i := range data.splits {
		s := &data.splits[i]
		if r := config.Splits; r != nil && (s.Number < r[0] || s.Number > r[1]) {
			continue
		}
		if len(s.candidates) == 0 {
			return nil, fmt.Errorf("%w: split %d has no candidates, expected a row of candidates.csv for each split that is run", ErrData, s.Number)
		}
		if len(s.wanted) == 0 {
			return nil, fmt.Errorf("%w: split %d has no customers, expected rows of relevant.csv for each split that is run", ErrData, s.Number)
		}
		j.splits = append(j.splits, s)
		j.total += int64(len(s.wanted))
	}
	if len(j.splits) == 0 {
		return nil, fmt.Errorf("%w: no split to run", ErrConfig)
	}
	for _, r := range j.recommenders() {
		j.names = append(j.names, r.Names()...)
	}
	if sorted := slices.Sorted(slices.Values(j.names)); len(slices.Compact(sorted)) < len(j.names) {
		return nil, fmt.Errorf("%w: two contenders have one name, of %q", ErrConfig, j.names)
	}
	j.total *= int64(len(j.names))
	return j, nil
}

func (j *job) recommenders() []Recommender {
	return append([]Recommender{j.config.Subject}, j.config.Baselines...)
}

// modelMemory is what the models that are trained at a time may need; dense ones take the
// square of the products, a few times over.
const modelMemory = 512 << 20

// atOnce is how many splits are under way at a time: as many as there are workers, unless
// their models would not fit into memory. Workers without a split of their own help with
// those of others.
func (j *job) atOnce() int {
	n := int64(len(j.data.products))
	fit := modelMemory / (32*n*n + 1)
	return int(max(1, min(fit, int64(j.config.Workers), int64(len(j.splits)))))
}

// runSplits runs all splits. The first error ends the others.
func (j *job) runSplits(ctx context.Context) ([]*outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	outcomes := make([]*outcome, len(j.splits))
	atOnce := j.atOnce()
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range atOnce {
		workers := j.config.Workers / atOnce
		if w < j.config.Workers%atOnce {
			workers++
		}
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(j.splits)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				out, err := j.runSplit(ctx, j.splits[i], workers)
				if err != nil {
					cancel(fmt.Errorf("split %d: %w", j.splits[i].Number, err))
					return
				}
				outcomes[i] = out
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return outcomes, nil
}

// none stands at a place of a list that is too short to have it.
const none = -1

// outcome is what a split gave.
type outcome struct {
	split    *split
	learned  int // products that occurred in the training history
	eligible int // candidates among them
	// candidates are the eligible ones (bit i: product i).
	candidates []uint64
	// lists are each contender's, Places a customer, in the order of split.wanted.
	lists [][]int32
}

func (j *job) runSplit(ctx context.Context, s *split, workers int) (*outcome, error) {
	history := j.data.historyOf(s.AsOf)
	models, err := j.train(ctx, history, workers)
	if err != nil {
		return nil, err
	}
	out := &outcome{split: s}
	offers := newOffers(j.data, history, s.candidates, j.config.Permitted)
	out.learned, out.eligible, out.candidates = offers.learned, offers.eligible, offers.candidates
	for range models {
		out.lists = append(out.lists, make([]int32, len(s.wanted)*Places))
	}
	// Who gets lists is known from the judge's file; what he turned out to want stays here.
	customers := make([]int32, len(s.wanted))
	for i := range s.wanted {
		customers[i] = s.wanted[i].customer
	}
	err = rankAll(ctx, workers, len(customers), func(from, to int) error {
		defer j.progress(int64(to-from) * int64(len(models)))
		return j.rank(models, offers, customers[from:to], from, out.lists)
	})
	return out, err
}

// rank makes the lists of some customers, the first of which is number from of the split.
func (j *job) rank(models []Model, offers *offers, customers []int32, from int, lists [][]int32) error {
	rankers := make([]Ranker, len(models))
	for m := range models {
		rankers[m] = models[m].Ranker()
	}
	offer := offers.forOne()
	for i, customer := range customers {
		permitted := offer.to(customer)
		for m, r := range rankers {
			list := lists[m][(from+i)*Places:][:Places:Places]
			made := r.Rank(customer, permitted, Places, list[:0])
			if len(made) > Places || !offer.has(made) {
				return fmt.Errorf("%w: %s listed what it was not offered, for customer %s", ErrRecommender, j.names[m], j.data.ids[customer])
			}
			copy(list, made)
			for at := len(made); at < Places; at++ {
				list[at] = none
			}
		}
	}
	return nil
}

func (j *job) progress(lists int64) {
	done := j.done.Add(lists)
	if j.config.Progress != nil {
		j.config.Progress(done, j.total)
	}
}

// train trains all contenders, one after another.
func (j *job) train(ctx context.Context, h *History, workers int) ([]Model, error) {
	var models []Model
	for _, r := range j.recommenders() {
		trained, err := r.Train(ctx, h, workers)
		if err != nil {
			return nil, fmt.Errorf("train %s: %w", r.Names()[0], err)
		}
		if len(trained) != len(r.Names()) {
			return nil, fmt.Errorf("%w: %s trained %d models, expected %d", ErrRecommender, r.Names()[0], len(trained), len(r.Names()))
		}
		models = append(models, trained...)
	}
	return models, ctx.Err()
}

// chunk is how many customers are ranked before somebody looks whether to go on.
const chunk = 256

// rankAll ranks n customers in chunks on so many goroutines. The first error ends it.
func rankAll(ctx context.Context, workers, n int, rank func(from, to int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, (n+chunk-1)/chunk) {
		wg.Go(func() {
			for ctx.Err() == nil {
				from := int(next.Add(chunk)) - chunk
				if from >= n {
					return
				}
				if err := rank(from, min(from+chunk, n)); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// highest is the highest grade that a level permits: its own number, and R1 without one.
func highest(level fund.RiskLevel) fund.RiskGrade {
	return max(fund.R1, fund.RiskGrade(level))
}
