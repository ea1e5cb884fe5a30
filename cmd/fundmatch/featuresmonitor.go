package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/monitor"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// monitorOptions are the flags of features monitor.
type monitorOptions struct {
	featuresOptions
	at, baseline, save, html string
	segments, json           bool
	workers                  int
	bounds                   monitor.Bounds
}

func (p *program) featuresMonitorCommand() *cobra.Command {
	var o monitorOptions
	cmd := &cobra.Command{
		Use:   "monitor",
		Short: "Measure fill, freshness and drift of features",
		Long: "Measure how many customers have a value of each feature, how old the values are, and how far their distribution\n" +
			"moved from a baseline: the same store at another instant, or a file of --save-baseline. Drift is the population\n" +
			"stability index: below 0.1 stable, below 0.25 shifted, above unstable. With bounds, exit code 1 when one is broken.",
		Example: "  fundmatch features monitor --baseline 2026-05-01 --segments --html features.html\n" +
			"  fundmatch features monitor --views person,tag.RISK --save-baseline 2026-06.json\n" +
			"  fundmatch features monitor --views person,tag.RISK --baseline 2026-06.json --fail-above 0.25 --min-fill 0.9 --json",
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.featuresMonitor(cmd.Context(), &o)
		},
	}
	o.addStore(cmd)
	f := cmd.Flags()
	f.StringVar(&o.views, "views", "", "views, or features as view.feature, separated by commas (default: all that declare features)")
	f.StringVar(&o.at, "at", "", "instant to measure, as it was known then (default now)")
	f.StringVar(&o.baseline, "baseline", "", "instant or day to compare with, or a file of --save-baseline")
	f.StringVar(&o.save, "save-baseline", "", "file to write what was counted to, for later comparisons")
	f.BoolVar(&o.segments, "segments", false, "measure each segment of customers besides all of them")
	f.StringVar(&o.html, "html", "", "file to write the page for people to")
	f.BoolVar(&o.json, "json", false, "print the report as JSON")
	f.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "parts of the customers read at a time; the result does not depend on it")
	f.Float64Var(&o.bounds.MaxPSI, "fail-above", 0, "exit with code 1 when a known drift is above it")
	f.Float64Var(&o.bounds.MinFill, "min-fill", 0, "exit with code 1 when a fill, from 0 to 1, is below it")
	return cmd
}

func (o *monitorOptions) check() error {
	switch {
	case o.workers < 1 || o.workers > maxWorkers:
		return usageError("--workers: %d, expected 1 to %d", o.workers, maxWorkers)
	case !(o.bounds.MaxPSI >= 0): // NaN too
		return usageError("--fail-above: %g, expected 0 or more", o.bounds.MaxPSI)
	case o.bounds.MaxPSI > 0 && o.baseline == "":
		return usageError("--fail-above: %g without --baseline, expected what drift is measured from", o.bounds.MaxPSI)
	case !(o.bounds.MinFill >= 0 && o.bounds.MinFill <= 1):
		return usageError("--min-fill: %g, expected 0 to 1", o.bounds.MinFill)
	}
	return nil
}

func (p *program) featuresMonitor(ctx context.Context, o *monitorOptions) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	cfg, err := p.monitorConfig(o)
	if err != nil {
		return err
	}
	store, err := openHistories(ctx, o.store)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // it is only read
	catalogue, err := chooseCatalogue(ctx, o.catalogue, store, cfg.At)
	if err != nil {
		return err
	}
	plan, err := o.measured(catalogue)
	if err != nil {
		return err
	}
	bar := p.startProgress("measure", "customers", -1)
	defer bar.end()
	begun := false
	cfg.Progress = progressOf(bar, "measure", &begun)
	report, err := monitor.Run(ctx, store, plan, cfg)
	if cfg.Baseline != nil && errors.Is(err, features.ErrInvalid) {
		return usageError("--baseline: %s: %v, or the same --views as it was made with", o.baseline, err)
	}
	if err != nil {
		return err
	}
	if o.save != "" {
		base, err := monitor.TakeBaseline(ctx, store, plan, cfg)
		if err != nil {
			return err
		}
		if err := writeFile(o.save, base.Write); err != nil {
			return err
		}
	}
	bar.end()
	return p.printMonitor(o, report)
}

// measured selects what is measured.
func (o *monitorOptions) measured(catalogue *view.Catalogue) (*view.Plan, error) {
	names := o.names()
	if names == nil {
		names = declaring(catalogue)
	}
	plan, err := catalogue.PlanViews(names)
	if err != nil {
		return nil, usageError("--views: %v", err)
	}
	return plan, nil
}

// declaring names the views that declare features.
func declaring(c *view.Catalogue) (names []string) {
	for _, v := range c.Views() {
		if len(v.Features) > 0 {
			names = append(names, v.Name)
		}
	}
	return names
}

// monitorConfig reads the instants. A baseline that is no instant is a file.
func (p *program) monitorConfig(o *monitorOptions) (cfg monitor.Config, err error) {
	cfg = monitor.Config{At: fund.InstantOf(p.now()), Segments: o.segments, Workers: o.workers}
	if o.at != "" {
		if cfg.At, err = parseWhen("at", o.at); err != nil {
			return cfg, err
		}
		if now := fund.InstantOf(p.now()); cfg.At > now {
			return cfg, usageError("--at: %s, expected an instant that is not later than now, %s", cfg.At, now)
		}
	}
	if o.baseline == "" {
		return cfg, nil
	}
	if cfg.BaselineAt, err = parseWhen("baseline", o.baseline); err == nil {
		if cfg.BaselineAt > cfg.At {
			return cfg, usageError("--baseline: %q, expected an instant at or before --at", o.baseline)
		}
		return cfg, nil
	}
	file, opened := os.Open(o.baseline)
	if opened != nil {
		return cfg, usageError("--baseline: %.80q, expected an instant, a day, or a file of --save-baseline: %s", o.baseline, pathReason(opened))
	}
	defer func() { _ = file.Close() }() // it is only read
	cfg.BaselineAt = 0
	if cfg.Baseline, err = monitor.ReadBaseline(file); err != nil {
		return cfg, usageError("%s: %v", o.baseline, err)
	}
	return cfg, nil
}

// progressOf gives a job that tells done and total from several goroutines its bar.
func progressOf(bar *progress, what string, begun *bool) func(done, total int64) {
	return func(done, total int64) {
		if done == 1 && !*begun {
			*begun = true
			bar.rename(what, total)
		}
		if done%1_000 == 0 {
			bar.set(done)
		}
	}
}

// printMonitor writes the page, prints the report and says which bounds are broken.
func (p *program) printMonitor(o *monitorOptions, r *monitor.Report) error {
	if o.html != "" {
		if err := writeFile(o.html, r.WriteHTML); err != nil {
			return err
		}
	}
	var err error
	if o.json {
		err = p.printJSON(monitorJSON(r))
	} else {
		err = writeMonitorText(p.stdout, r)
	}
	if err != nil {
		return err
	}
	broken := r.Broken(o.bounds)
	if len(broken) == 0 {
		return nil
	}
	for _, b := range broken[1:] {
		p.note("fundmatch: %s", brokenText(b))
	}
	return failedError("%s (%s)", brokenText(broken[0]), plural(len(broken), "bound is broken", "bounds are broken"))
}

func brokenText(b monitor.Broken) string {
	segment := ""
	if b.Segment != "" {
		segment = fmt.Sprintf(" in segment %.80q", b.Segment)
	}
	return fmt.Sprintf("%s%s: %s", b.Ref, segment, b.What)
}

// writeMonitorText prints one line for each feature and segment.
func writeMonitorText(w io.Writer, r *monitor.Report) error {
	fmt.Fprintf(w, "as of %s: %s", r.At, plural(int(r.Customers), "customer", "customers"))
	if r.BaselineAt != 0 {
		fmt.Fprintf(w, "; baseline %s: %s", r.BaselineAt, plural(int(r.BaselineCustomers), "customer", "customers"))
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FEATURE\tSEGMENT\tROWS\tFILL\tMEDIAN AGE\tPSI\tBAND")
	for i := range r.Features {
		f := &r.Features[i]
		for j := range f.Lines {
			l := &f.Lines[j]
			age, psi := "-", "-"
			if l.Age.Dated > 0 {
				seconds := l.Age.Quantiles[2]
				age = ageText(&seconds)
			}
			if l.Drift.Known {
				psi = fmt.Sprintf("%.4f", l.Drift.PSI)
			}
			fmt.Fprintf(t, "%s\t%s\t%d\t%.4f\t%s\t%s\t%s\n", f.Ref, oneLine(strings.ReplaceAll(l.Segment, "\t", " ")), l.Rows, l.Fill(), age, psi, l.Drift.Band())
		}
	}
	return t.Flush()
}
