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

// test runs the unbroken binaries, then every mutant, workers at a time.
func test(ctx context.Context, o *options, binaries map[string]string, chosen []*mutant) ([]result, error) {
	for _, t := range targetsOf(chosen) {
		for _, s := range t.tests {
			if failed, err := runSuite(ctx, binaries[s.dir], s, manyChecks, 0); err != nil {
				return nil, fmt.Errorf("%s fails with nothing broken: %s: %w", s.dir, failed, err)
			}
		}
	}
	bar := startProgress(len(chosen))
	results := make([]result, len(chosen))
	next := make(chan int)
	var running sync.WaitGroup
	for range o.workers {
		running.Go(func() {
			for i := range next {
				results[i] = result{mutant: chosen[i], killer: kill(ctx, o, binaries, chosen[i])}
				bar.done()
			}
		})
	}
	for i := range chosen {
		next <- i
	}
	close(next)
	running.Wait()
	bar.end()
	return results, ctx.Err()
}

// kill runs the mutant's suites until one fails and returns its test.
func kill(ctx context.Context, o *options, binaries map[string]string, m *mutant) string {
	bounded, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	for _, checks := range [...]int{fewChecks, manyChecks} {
		for _, s := range m.source.target.tests {
			failed, err := runSuite(bounded, binaries[s.dir], s, checks, m.number)
			if errors.Is(bounded.Err(), context.DeadlineExceeded) {
				return "ran for more than " + o.timeout.String()
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

func (p progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
