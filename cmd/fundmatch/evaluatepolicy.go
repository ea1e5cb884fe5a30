package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/services/evaluation"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
)

// evaluatePolicyOptions are the flags of evaluate policy.
type evaluatePolicyOptions struct {
	logRun
	json string // "": a table on stdout; "-": the document on stdout
}

func (p *program) evaluatePolicyCommand() *cobra.Command {
	var o evaluatePolicyOptions
	cmd := &cobra.Command{
		Use:   "policy --log LOG",
		Short: "Judge a policy by the log of another, before anybody sees it",
		Long: "Estimate what a policy would have earned from the log of the policy that ran, whose propensities are known: IPS,\n" +
			"clipped IPS, SNIPS, and with --target-policy DM, DR, SNDR, SWITCH-DR and DRos, each with its 95 % interval, and the\n" +
			"diagnostics that say whether they may be believed. Where they may not, the verdict is withheld and says why.\n" +
			"The same rows give the same bytes, whatever the format, the workers and the shards.",
		Example: "  fundmatch evaluate policy --log 'log-*.parquet' --json policy.json --gate 'snips.ci95.low >= 0.004'\n" +
			"  fundmatch evaluate policy --log log.csv.gz --target-policy candidate.json --segment channel --bootstrap 1000\n" +
			"  fundmatch evaluate policy --log 'log-*.csv' --shard 0/7 --out part-0.json --checkpoint part-0.checkpoint",
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.evaluatePolicy(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.json, "json", "", "file to write the document to, and what it was made from beside it; - for stdout (default: a table on stdout); with --shard as --out")
	f.StringVar(&o.job.out, "out", "", "with --shard: file to write the partial result to, for fundmatch evaluate merge")
	o.flags(f)
	return cmd
}

func (o *evaluatePolicyOptions) outputs() []string {
	var names []string
	for _, name := range []string{o.json, o.job.out} {
		if name != "" && name != "-" {
			names = append(names, name, runName(name))
		}
	}
	return names
}

func (o *evaluatePolicyOptions) check() (*evaluation.Shard, error) {
	shard, err := o.logRun.check(o.outputs()...)
	if shard != nil && o.job.out == "" && o.json != "-" {
		o.job.out, o.json = o.json, "" // what a shard writes is its partial result, by whichever name of the file
	}
	switch {
	case err != nil:
		return nil, err
	case shard != nil && o.job.out == "":
		return nil, usageError("--shard: expected --out, a file for the partial result")
	case shard != nil && (o.json != "" || len(o.gates.read) > 0):
		return nil, usageError("--shard: a part says nothing of the whole, expected --json and --gate at fundmatch evaluate merge")
	case shard == nil && o.job.out != "":
		return nil, usageError("--out: is for the partial result of a --shard, expected --json")
	}
	return shard, inFolders(o.json, o.job.out)
}

func (p *program) evaluatePolicy(ctx context.Context, o *evaluatePolicyOptions) (err error) {
	shard, err := o.check()
	if err != nil {
		return err
	}
	in, err := p.openLog(ctx, &o.logRun, evaluation.VerbPolicy)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	return p.judgeLog(ctx, &o.logRun, in, shard, o.outputs(), func(found *measuredLog) ([]gate.Result, error) {
		return p.tellPolicy(found.outcome, in.settings, found.run, &o.gates, o.json)
	})
}

// tellPolicy judges an outcome by the gates, and writes or prints it. The results say which gates failed.
func (p *program) tellPolicy(outcome *evaluation.Outcome, s *evaluation.Settings, run *evaluation.RunDocument, g *gates, name string) ([]gate.Result, error) {
	d, err := evaluation.PolicyDocumentOf(outcome, s)
	if err != nil {
		return nil, err
	}
	if d.Gates, err = g.judge(d, d.Withheld); err != nil {
		return nil, err
	}
	p.noteSkipped(&outcome.Tally)
	if name == "" {
		return d.Gates, p.writeOut("", d.WriteTable)
	}
	data, err := d.Encode()
	if err != nil {
		return nil, err
	}
	if name == "-" {
		_, err := p.stdout.Write(data)
		return d.Gates, err
	}
	return d.Gates, writeWithRun(name, data, run)
}

// shownBad is how many of the rows that were left out are told on stderr; the run document has more.
const shownBad = 10

func (p *program) noteSkipped(t *evaluation.Tally) {
	for i := range min(len(t.Bad), shownBad) {
		p.note("left out: %s", t.Bad[i].String())
	}
	if t.Skipped > 0 {
		p.note("%s left out", plural(int(t.Skipped), "row was", "rows were"))
	}
}

// runName is the name of the document that says how another came to be: policy.run.json beside policy.json.
func runName(name string) string {
	return strings.TrimSuffix(name, ".json") + ".run.json"
}

// writeWithRun writes a document and beside it how it came to be: both, or none.
func writeWithRun(name string, document []byte, run *evaluation.RunDocument) error {
	beside, err := run.Encode()
	if err != nil {
		return err
	}
	return writeFiles(bytesTo(runName(name), beside), bytesTo(name, document))
}

func (p *program) writePartial(name string, found *measuredLog) error {
	data, err := found.partial.Encode()
	if err != nil {
		return err
	}
	if s := found.partial.Shard; len(found.partial.Files) == 0 {
		p.note("shard %d/%d has no file of the log: %s says so, and is needed all the same", s.Index, s.Of, name)
	}
	t := found.partial.Tally()
	p.noteSkipped(&t)
	return writeWithRun(name, data, found.run)
}
