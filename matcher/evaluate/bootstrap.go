package evaluate

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/fundmatch/fundmatch/matcher/evaluate/draw"
)

// Bootstrap draws customers with repetition, so that an interval says what other
// customers of the kind would have given: all rows of a customer come together, since
// windows overlap and his rows are not independent. Each customer stands in a replicate
// Poisson(1) times (Hanley and MacGibbon, 2006; the online bootstrap), by a hash of the
// seed, the replicate and his id: who else is in the data, in which order and on how many
// workers does not matter to his draws.
type Bootstrap struct {
	Replicates int     // at least 2
	Seed       uint64  // other seeds, other draws
	Level      float64 // of the intervals, between 0 and 1
}

// DefaultBootstrap gives 95 % intervals whose ends are good to about a thirtieth of
// their width.
func DefaultBootstrap() Bootstrap { return Bootstrap{Replicates: 2000, Seed: 1, Level: .95} }

// ErrPanel is wrapped by errors about what is to be resampled.
var ErrPanel = errors.New("not a panel")

// Panel holds what was observed of customers (clusters) in splits (strata).
type Panel struct {
	Clusters []string  // ids, all different
	Strata   [][]int32 // of each stratum: which cluster each observation is of
	// Series are measures: by stratum, of each observation its value. NaN: the
	// observation does not count in that series.
	Series [][][]float64
}

// Interval is [Low, High]; both NaN where nothing can be said.
type Interval struct{ Low, High float64 }

// check sees to it that every series has a value for every observation.
func (p *Panel) check() error {
	for s, values := range p.Series {
		if len(values) != len(p.Strata) {
			return fmt.Errorf("%w: series %d has %d strata, expected %d", ErrPanel, s, len(values), len(p.Strata))
		}
		for t := range values {
			if len(values[t]) != len(p.Strata[t]) {
				return fmt.Errorf("%w: series %d has %d values in stratum %d, expected %d", ErrPanel, s, len(values[t]), t, len(p.Strata[t]))
			}
		}
	}
	for t, observed := range p.Strata {
		for _, c := range observed {
			if c < 0 || int(c) >= len(p.Clusters) {
				return fmt.Errorf("%w: stratum %d observes cluster %d of %d", ErrPanel, t, c, len(p.Clusters))
			}
		}
	}
	return nil
}

// Means are the means of a panel: [series][stratum]. NaN where no observation counts.
type Means [][]float64

// Means returns the panel's own.
func (p *Panel) Means() (Means, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	once := make([]float64, len(p.Clusters))
	for c := range once {
		once[c] = 1
	}
	return p.weighted(p.blocks(), once), nil
}

// block are the observations of a stratum that count in some series alike, side by side:
// a replicate passes over all of a panel's values, thousands of times.
type block struct {
	stratum  int
	series   []int
	clusters []int32
	values   []float64 // of each observation those of all series
}

// blocks lays the panel out.
func (p *Panel) blocks() []block {
	var out []block
	for t, observed := range p.Strata {
		first := len(out)
		for s := range p.Series {
			counting := make([]int32, 0, len(observed)) // the observations that do
			for i, v := range p.Series[s][t] {
				if !math.IsNaN(v) {
					counting = append(counting, int32(i))
				}
			}
			at := slices.IndexFunc(out[first:], func(b block) bool { return slices.Equal(b.clusters, counting) })
			if at < 0 {
				at = len(out) - first
				out = append(out, block{stratum: t, clusters: counting})
			}
			out[first+at].series = append(out[first+at].series, s)
		}
		for i := range out[first:] {
			out[first+i].fill(p)
		}
	}
	return out
}

// fill sets the values, and turns observations into their clusters.
func (b *block) fill(p *Panel) {
	for at, i := range b.clusters {
		for _, s := range b.series {
			b.values = append(b.values, p.Series[s][b.stratum][i])
		}
		b.clusters[at] = p.Strata[b.stratum][i]
	}
}

// weighted are the means with each cluster counted so many times. Additions are in the
// order of the observations.
func (p *Panel) weighted(blocks []block, weight []float64) Means {
	means := make(Means, len(p.Series))
	for s := range means {
		means[s] = make([]float64, len(p.Strata))
	}
	sums := make([]float64, len(p.Series))
	for i := range blocks {
		b := &blocks[i]
		sums := sums[:len(b.series)]
		n := b.add(weight, sums)
		for at, s := range b.series {
			means[s][b.stratum] = sums[at] / n // 0/0 is NaN: nobody counts
		}
	}
	return means
}

// add sets the sum of each series, and returns that of the weights.
func (b *block) add(weight, sums []float64) (n float64) {
	clear(sums)
	values := b.values
	for _, c := range b.clusters {
		w := weight[c]
		n += w
		row := values[:len(sums)]
		values = values[len(sums):]
		for s, v := range row {
			sums[s] += float64(w * v)
		}
	}
	return n
}

// Resampled are the means of each replicate of a panel.
type Resampled struct {
	level      float64
	replicates []Means
}

// Resample draws the replicates on so many workers. The result does not depend on them.
func (b Bootstrap) Resample(p *Panel, workers int) (*Resampled, error) {
	if b.Replicates < 2 || !(b.Level > 0 && b.Level < 1) {
		return nil, fmt.Errorf("%w: %d replicates at level %g, expected 2 or more and a level between 0 and 1", ErrPanel, b.Replicates, b.Level)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	hashes := make([]uint64, len(p.Clusters))
	for c, id := range p.Clusters {
		hashes[c] = hashID(id)
	}
	blocks, table := p.blocks(), draw.NewPoisson()
	out := &Resampled{level: b.Level, replicates: make([]Means, b.Replicates)}
	workers = max(1, min(workers, b.Replicates))
	var wg sync.WaitGroup
	for first := range workers {
		wg.Go(func() {
			weight := make([]float64, len(hashes))
			for r := first; r < b.Replicates; r += workers {
				b.draw(r, hashes, &table, weight)
				out.replicates[r] = p.weighted(blocks, weight)
			}
		})
	}
	wg.Wait()
	return out, nil
}

// Interval is the percentile interval of a statistic of the means. A replicate in which
// it is NaN is left out.
func (r *Resampled) Interval(statistic func(Means) float64) Interval {
	values := make([]float64, 0, len(r.replicates))
	for _, m := range r.replicates {
		if v := statistic(m); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	tail := (1 - r.level) / 2
	return Interval{Low: quantile(values, tail), High: quantile(values, 1-tail)}
}

// quantile interpolates between the two nearest of sorted values (type 7 of Hyndman and
// Fan, 1996).
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	below := int(at)
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	part := at - float64(below)
	return sorted[below] + float64(part*(sorted[below+1]-sorted[below]))
}

// draw sets how often each cluster stands in a replicate.
func (b Bootstrap) draw(replicate int, hashes []uint64, table *draw.Poisson, weight []float64) {
	key := draw.Key(b.Seed, replicate)
	for c, h := range hashes {
		weight[c] = table.Draw(draw.Mix(h ^ key))
	}
}

// hashID is FNV-1a of 64 bits, mixed.
func hashID(id string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 0x100000001b3
	}
	return draw.Mix(h)
}
