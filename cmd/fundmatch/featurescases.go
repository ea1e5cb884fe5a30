package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features/casefile"
)

// casesOptions are the flags of features check-cases.
type casesOptions struct {
	store string
	json  bool
}

// casesAnswer is what features check-cases --json prints.
type casesAnswer struct {
	File        string            `json:"file"`
	Store       string            `json:"store"`
	Cases       []casefile.Result `json:"cases"`
	Passed      int               `json:"passed"`
	Failed      int               `json:"failed"`
	Unsupported int               `json:"unsupported"`
	Strange     []string          `json:"strangeConventions"`
}

func (p *program) featuresCasesCommand() *cobra.Command {
	var o casesOptions
	cmd := &cobra.Command{
		Use:   "check-cases FILE",
		Short: "Run a file of reference cases through a real store; exit code 1 on a difference",
		Long: "Run point-in-time and online-read cases through a store and the library as they are: every case is written as\n" +
			"cells of views of its own and read by the path of every read. A case that is not understood in every word is\n" +
			"UNSUPPORTED, which is no pass. Each batch of each case has a memory store of its own, unless --store names one:\n" +
			"that store has to be empty, or to hold nothing but what earlier runs left in it.",
		Example: "  fundmatch features check-cases point_in_time.json\n  fundmatch features check-cases point_in_time.json --store sqlite:scratch.db --json",
		Args:    arguments(0, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.featuresCases(cmd.Context(), args[0], &o)
		},
	}
	cmd.Flags().StringVar(&o.store, "store", "memory:", "empty store to run the cases in: memory:, sqlite:PATH or postgres://...")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON document")
	return cmd
}

func (p *program) featuresCases(ctx context.Context, name string, o *casesOptions) error {
	file, err := readCases(name)
	if err != nil {
		return err
	}
	spec, err := parseStore(o.store)
	if err != nil {
		return err
	}
	run, open, done, err := openBatches(ctx, spec)
	if err != nil {
		return err
	}
	answer := casesAnswer{File: name, Store: spec.text, Cases: []casefile.Result{}, Strange: append([]string{}, file.Strange...)}
	err = casefile.Run(ctx, file, run, open, func(r *casefile.Result) error {
		answer.count(r)
		return nil
	})
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	if len(file.Strange) > 0 {
		p.note("%s: conventions in other words than those that the cases are run by: %s", name, strings.Join(file.Strange, ", "))
	}
	if err := p.printCases(&answer, o.json); err != nil {
		return err
	}
	if wrong := answer.Failed + answer.Unsupported; wrong > 0 {
		return failedError("%s: %d of %s did not pass", name, wrong, plural(len(answer.Cases), "case", "cases"))
	}
	return nil
}

func (a *casesAnswer) count(r *casefile.Result) {
	a.Cases = append(a.Cases, *r)
	switch r.Verdict {
	case casefile.Pass:
		a.Passed++
	case casefile.Fail:
		a.Failed++
	case casefile.Unsupported:
		a.Unsupported++
	}
}

func (p *program) printCases(a *casesAnswer, asJSON bool) error {
	if asJSON {
		return p.printJSON(a)
	}
	var c card
	for i := range a.Cases {
		r := &a.Cases[i]
		c.line(0, "%-11s %s  %s", string(r.Verdict), r.ID, r.Title)
		c.textLine(1, "", r.Reason)
		for _, d := range r.Differences {
			c.line(1, "row %s: expected %s", d.Row, string(d.Expected))
			c.line(1, "%s  got      %s", strings.Repeat(" ", len("row ")+len(d.Row)-1), string(d.Got))
		}
	}
	c.line(0, "%s: %d passed, %d failed, %d unsupported", plural(len(a.Cases), "case", "cases"), a.Passed, a.Failed, a.Unsupported)
	return c.writeTo(p.stdout)
}

// readCases reads a file of cases strictly.
func readCases(name string) (*casefile.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, usageError("%s: cannot be read: %s", name, pathReason(err))
	}
	defer func() { _ = file.Close() }() // read only
	data, err := io.ReadAll(io.LimitReader(file, casefile.MaxBytes+1))
	if err != nil {
		return nil, usageError("%s: cannot be read: %s", name, pathReason(err))
	}
	cases, err := casefile.Read(data)
	if err != nil {
		return nil, usageError("%s: %v", name, err)
	}
	return cases, nil
}

// caseStore is what cases need of a store that outlives them.
type caseStore interface {
	casefile.Store
	casefile.Kept
}

// openBatches returns the name of the run and how each batch of it gets its store: one of its own
// in memory, or the one that was named under names that nothing else in it has.
func openBatches(ctx context.Context, spec storeSpec) (run string, open casefile.Open, done func() error, err error) {
	nothing := func() error { return nil }
	if spec.inMemory() {
		return casefile.RunName(1), func(ctx context.Context) (casefile.Store, func() error, error) {
			return openCases(ctx, spec)
		}, nothing, nil
	}
	store, done, err := openCases(ctx, spec)
	if err != nil {
		return "", nil, nil, err
	}
	if run, err = casefile.Scratch(ctx, store); err != nil {
		return "", nil, nil, errors.Join(fmt.Errorf("--store %s: %w", spec.text, err), done())
	}
	return run, func(context.Context) (casefile.Store, func() error, error) { return store, nothing, nil }, done, nil
}

func openCases(ctx context.Context, spec storeSpec) (caseStore, func() error, error) {
	bank, err := spec.open(ctx, create)
	if err != nil {
		return nil, nil, err
	}
	store, ok := bank.(caseStore)
	if !ok {
		return nil, nil, errors.Join(usageError("--store: this store keeps no histories"), bank.Close())
	}
	return store, bank.Close, nil
}
