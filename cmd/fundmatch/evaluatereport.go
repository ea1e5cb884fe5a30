package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/services/evaluation"
	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// evaluateReportOptions are the flags of evaluate report.
type evaluateReportOptions struct {
	logRun
	dir    string
	arms   []string
	schema bool
}

func (p *program) evaluateReportCommand() *cobra.Command {
	var o evaluateReportOptions
	cmd := &cobra.Command{
		Use:   "report --log LOG --out DIR",
		Short: "Say in one report what a log means: safe, better, for whom, how sure, what customers got, where they drop out",
		Long: "Write report.html, one page with its drawings in it and nothing from elsewhere, and report.json, the same figures with\n" +
			"all their digits, to a folder; run.json beside them says what they were made from. The log is one of fundmatch evaluate\n" +
			"join; of a log with fewer columns each part says which it needs. Without target_propensity and --target-policy no other\n" +
			"policy is judged. A product shown that the customer may not have fails the built-in gate violations == 0.\n" +
			"With --shard the partial result is written to the file --out, for fundmatch evaluate merge.",
		Example: "  fundmatch evaluate report --log 'joined-*.parquet' --out report --gate 'snips.ci95.low >= 0.004'\n" +
			"  fundmatch evaluate report --log joined.csv.gz --segment channel --segment risk_level --arm next:none=1 --arm next:some=9 --out report\n" +
			"  fundmatch evaluate report --schema",
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.evaluateReport(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "out", "", "folder to write report.html, report.json and run.json to; with --shard: file for the partial result")
	f.StringArrayVar(&o.arms, "arm", nil, "EXPERIMENT:ARM=WEIGHT, the planned share of an arm; may be given several times, the control first (default: equal shares)")
	f.BoolVar(&o.schema, "schema", false, "print the JSON Schema of report.json")
	o.flags(f)
	return cmd
}

// The files of a report.
const (
	reportPage = "report.html"
	reportJSON = "report.json"
	reportRun  = "run.json"
)

// outputs are the files that would be written.
func (o *evaluateReportOptions) outputs() []string {
	if o.job.shard != "" {
		return []string{o.dir, runName(o.dir)}
	}
	return reportFiles(o.dir)
}

func reportFiles(dir string) []string {
	return []string{filepath.Join(dir, reportPage), filepath.Join(dir, reportJSON), filepath.Join(dir, reportRun)}
}

func (o *evaluateReportOptions) check() (*evaluation.Shard, error) {
	if o.dir == "" {
		return nil, usageError("--out: expected a folder, or with --shard a file")
	}
	shard, err := o.logRun.check(o.outputs()...)
	switch {
	case err != nil:
		return nil, err
	case shard == nil:
		return nil, reportFolder(o.dir)
	case len(o.gates.read) > 0:
		return nil, usageError("--shard: a part says nothing of the whole, expected --gate at fundmatch evaluate merge")
	}
	return shard, inFolders(o.dir)
}

// reportFolder refuses, before minutes of work, a folder that cannot be made, or not be written in.
func reportFolder(dir string) error {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && !info.IsDir():
			return usageError("%s: is no folder, expected one to write the report to", at)
		case err == nil && inFolders(filepath.Join(at, reportPage)) != nil:
			return unavailableError(nil, "%s: %s cannot be written in", dir, at)
		case err == nil:
			return nil
		case at == filepath.Dir(at):
			return nil // making it will say why it cannot be
		}
	}
}

// planned are the shares of the arms.
func (o *evaluateReportOptions) planned() (arms []evaluation.ArmWeight, err error) {
	for _, text := range o.arms {
		arm, err := evaluation.ParseArm(text)
		if err != nil {
			return nil, usageError("--arm: %v", err)
		}
		arms = append(arms, arm)
	}
	if err := evaluation.CheckArms(arms); err != nil {
		return nil, usageError("--arm: %v", err)
	}
	return arms, nil
}

func (p *program) evaluateReport(ctx context.Context, o *evaluateReportOptions) (err error) {
	if o.schema {
		_, err := p.stdout.Write(evaluation.ReportJSONSchema())
		return err
	}
	shard, err := o.check()
	if err != nil {
		return err
	}
	in, err := p.openLog(ctx, &o.logRun, evaluation.VerbReport)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	if in.settings.Arms, err = o.planned(); err != nil {
		return err
	}
	in.settings.NoPolicy = in.settings.Policy.Target == nil && !in.log.Has(policylog.ColumnTarget)
	o.job.out = o.dir
	return p.judgeLog(ctx, &o.logRun, in, shard, o.outputs(), func(found *measuredLog) ([]gate.Result, error) {
		return p.tellReport(found.outcome, in.settings, found.run, &o.gates, o.dir)
	})
}

// tellReport judges an outcome by the gates, and writes the report's files: all of them, or none.
func (p *program) tellReport(outcome *evaluation.Outcome, s *evaluation.Settings, run *evaluation.RunDocument, g *gates, dir string) ([]gate.Result, error) {
	r, err := evaluation.ReportOf(outcome, s, p.version)
	if errors.Is(err, experiments.ErrConfig) || errors.Is(err, experiments.ErrData) {
		return nil, usageError("--arm: %v", err)
	}
	if err != nil {
		return nil, err
	}
	asked, err := r.GatesWith(g.read)
	if err != nil {
		return nil, err
	}
	results, err := (&gates{read: asked}).judge(r, r.Withheld)
	if err != nil {
		return nil, err
	}
	r.Conclude(results)
	p.noteSkipped(&outcome.Tally)
	document, err := r.Encode()
	if err != nil {
		return nil, err
	}
	beside, err := run.Encode()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, unavailableError(err, "%s: cannot be made: %s", dir, pathReason(err))
	}
	names := reportFiles(dir)
	if err := writeFiles(bytesTo(names[2], beside), bytesTo(names[1], document), output{names[0], r.WriteHTML}); err != nil {
		return nil, err
	}
	p.note("%s See %s.", r.Conclusion.Headline, names[0])
	return results, nil
}
