package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// The random cases of a suite: few first, since most mutants are killed by them.
const (
	fewChecks  = 10
	manyChecks = 300
)

// slowdown is how many times longer than unbroken ones the tests of a mutant may run.
const slowdown = 10

// overtime is the killer of a mutant whose tests do not end.
const overtime = "its tests do not end"

// result says what the tests said of a mutant.
type result struct {
	*mutant
	killer string // the test; empty: it survived
}

// choose picks the mutants of the options, in their order.
func choose(all []*mutant, o *options) []*mutant {
	chosen := slices.DeleteFunc(slices.Clone(all), func(m *mutant) bool {
		return o.only != "" && !slices.Contains(m.rules, o.only) && !strings.Contains(m.source.path, o.only) && !strings.Contains(m.function, o.only)
	})
	if o.sample == 0 || o.sample >= len(chosen) {
		return chosen
	}
	random := rand.New(rand.NewPCG(o.seed, 0)) //nolint:gosec // a sample that can be drawn again
	random.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
	chosen = chosen[:o.sample]
	slices.SortFunc(chosen, func(a, b *mutant) int { return a.number - b.number })
	return chosen
}

// test runs the unbroken binaries, then every mutant, workers at a time. Each result is told
// in the order of the mutants, as soon as those before it are known.
func test(ctx context.Context, o *options, binaries map[string]string, chosen []*mutant, tell func(result)) error {
	limit := o.timeout
	for _, t := range targetsOf(chosen) {
		started := time.Now()
		for _, s := range t.tests {
			if err := pass(ctx, binaries[s.dir], s); err != nil {
				return err
			}
		}
		// A busy machine must not pass for a broken condition.
		limit = max(limit, slowdown*time.Since(started))
	}
	bar := startProgress(len(chosen))
	next := make(chan int)
	var running sync.WaitGroup
	row := queue{results: make([]*result, len(chosen)), tell: func(r result) {
		bar.clear()
		tell(r)
	}}
	for range o.workers {
		running.Go(func() {
			for i := range next {
				killer := kill(ctx, limit, binaries, chosen[i])
				if ctx.Err() == nil { // else it was interrupted, and says nothing
					row.put(i, &result{mutant: chosen[i], killer: killer})
				}
				bar.done()
			}
		})
	}
	for i := range chosen {
		next <- i
	}
	close(next)
	running.Wait()
	bar.clear()
	return ctx.Err()
}

// pass runs the tests with nothing broken, as the mutants are run: a test that fails for
// want of random cases would seem to kill every one of them.
func pass(ctx context.Context, binary string, s suite) error {
	for _, checks := range [...]int{fewChecks, manyChecks} {
		if failed, err := runSuite(ctx, binary, s, checks, 0); err != nil {
			return fmt.Errorf("%s fails with nothing broken and %d random cases a test: %s: %w", s.dir, checks, failed, err)
		}
	}
	return nil
}

// queue tells results in their order.
type queue struct {
	mu      sync.Mutex
	results []*result
	told    int
	tell    func(result)
}

func (q *queue) put(i int, r *result) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.results[i] = r
	for q.told < len(q.results) && q.results[q.told] != nil {
		q.tell(*q.results[q.told])
		q.told++
	}
}

// kill runs the mutant's suites until one fails and returns its test.
func kill(ctx context.Context, limit time.Duration, binaries map[string]string, m *mutant) string {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for _, checks := range [...]int{fewChecks, manyChecks} {
		for _, s := range m.source.target.tests {
			failed, err := runSuite(bounded, binaries[s.dir], s, checks, m.number)
			if errors.Is(bounded.Err(), context.DeadlineExceeded) {
				return overtime
			}
			if err != nil {
				return failed
			}
		}
	}
	return ""
}

// progress shows how far the run is where a person looks.
type progress struct{ bar *progressbar.ProgressBar }

func startProgress(total int) progress {
	info, err := os.Stderr.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return progress{}
	}
	return progress{progressbar.NewOptions(
		total, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("mutants"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("mutants"),
		progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
	)}
}

func (p progress) done() {
	if p.bar != nil {
		_ = p.bar.Add(1) // errors of drawing are nobody's concern
	}
}

func (p progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
