// Command mutate proves that the tests hold the rules: it breaks each condition of the
// rules on purpose, one at a time, and expects a test to fail.
//
//	go run ./scripts/mutate                # all, as make mutate does
//	go run ./scripts/mutate --only S12     # the conditions of one rule, file or function
//	go run ./scripts/mutate --sample 30 --seed 7
//
// All mutants of a package are compiled into one test binary, each behind a switch that an
// environment variable turns on (a go test -overlay: nothing in the tree is touched), so
// that a mutant costs a run of the tests and no compilation. A binary with all switches off
// has to pass first.
//
// Exit codes: 0 every mutant is killed or is on the reviewed list of equivalent ones;
// 1 one survives, or one of the list does not; 2 wrong usage, or a build or an unbroken
// test that fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"time"
)

// errSurvived: the tests did not see a broken condition.
var errSurvived = errors.New("the tests do not hold every rule")

type options struct {
	only    string
	sample  int
	seed    uint64
	workers int
	timeout time.Duration
	list    bool
	verbose bool
}

func main() {
	var o options
	flag.StringVar(&o.only, "only", "", "mutants of one rule (S12), or of files or functions whose name holds this; several with commas between")
	flag.IntVar(&o.sample, "sample", 0, "only so many, drawn by --seed; 0: all")
	flag.Uint64Var(&o.seed, "seed", 1, "of the sample")
	flag.IntVar(&o.workers, "workers", runtime.NumCPU(), "mutants at a time")
	flag.DurationVar(&o.timeout, "timeout", time.Minute, "of the tests of one mutant, or ten times that of unbroken ones; what runs longer counts as killed")
	flag.BoolVar(&o.list, "list", false, "name the mutants and do not run them")
	flag.BoolVar(&o.verbose, "v", false, "name the killed ones too, with the test")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, &o, flag.Args(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		stop()
		if errors.Is(err, errSurvived) {
			os.Exit(1) //nolint:gocritic // stop was called
		}
		os.Exit(2)
	}
}

func run(ctx context.Context, o *options, args []string, out io.Writer) error {
	if len(args) > 0 || o.workers < 1 || o.sample < 0 {
		return errors.New("no arguments, at least one worker and no negative sample expected (see --help)")
	}
	sources, err := readSources()
	if err != nil {
		return err
	}
	reviewed, err := readEquivalent(equivalentFile, allMutants(sources))
	if err != nil {
		return err
	}
	chosen := choose(allMutants(sources), o)
	if len(chosen) == 0 {
		return fmt.Errorf("--only %s: no condition of a rule, a file or a function is called so", o.only)
	}
	if o.list {
		for _, m := range chosen {
			fmt.Fprintln(out, m)
		}
		return nil
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the system clears it at the latest
	binaries, err := build(ctx, dir, sources, targetsOf(chosen))
	if err != nil {
		return err
	}
	told := report{out: out, verbose: o.verbose, reviewed: reviewed, sums: map[string]*[2]int{}}
	if err := test(ctx, o, binaries, chosen, told.tell); err != nil {
		return errors.Join(err, told.end())
	}
	return told.end()
}
