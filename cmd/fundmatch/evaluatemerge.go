package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/services/evaluation"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
)

// evaluateMergeOptions are the flags of evaluate merge.
type evaluateMergeOptions struct {
	json  string
	dir   string // of a report
	gates gates
}

func (p *program) evaluateMergeCommand() *cobra.Command {
	var o evaluateMergeOptions
	cmd := &cobra.Command{
		Use:   "merge PARTIAL...",
		Short: "Put the partial results of all shards together, to the bytes of one run",
		Long: "Merge what the shards of one log left behind (evaluate policy or report --shard). All of them have to be there, of the same\n" +
			"options and the same version of the program. The document is that of one run over all files, byte for byte.",
		Example: "  fundmatch evaluate merge part-*.json --json policy.json --gate 'snips.ci95.low >= 0.004'\n" +
			"  fundmatch evaluate merge report-part-*.json --out report",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("evaluate merge: expected the partial results of all shards")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.evaluateMerge(cmd.Context(), args, &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.json, "json", "", "file to write the document to, and what it was made from beside it; - for stdout (default: a table on stdout)")
	f.StringVar(&o.dir, "out", "", "of the parts of a report: folder to write report.html, report.json and run.json to; of others as --json")
	o.gates.flags(f)
	return cmd
}

// outputs are the files that would be written.
func (o *evaluateMergeOptions) outputs() (names []string) {
	if o.json != "" && o.json != "-" {
		names = append(names, o.json, runName(o.json))
	}
	if o.dir != "" {
		names = append(names, reportFiles(o.dir)...)
	}
	return names
}

// places refuses, before anything is read, what can be written by no parts: whether --out is a folder or a file only they say.
func (o *evaluateMergeOptions) places() error {
	if o.dir != "" {
		if err := reportFolder(filepath.Dir(o.dir)); err != nil {
			return err
		}
	}
	return inFolders(o.json)
}

// check sees that what is to be written is what the parts are of, and takes the place of none of them. A document's file
// may be named by --out too, as the parts were.
func (o *evaluateMergeOptions) check(s *evaluation.Settings, names []string) error {
	switch {
	case s.Verb == evaluation.VerbReport && (o.dir == "" || o.json != ""):
		return usageError("--out: the parts are of a report, expected a folder for it and no --json")
	case s.Verb != evaluation.VerbReport && o.dir != "" && o.json != "":
		return usageError("--out: the parts are of evaluate %s, expected --json alone", s.Verb)
	case s.Verb != evaluation.VerbReport && o.dir != "":
		o.json, o.dir = o.dir, ""
	}
	outputs := o.outputs()
	if err := distinctOutputs(outputs...); err != nil {
		return err
	}
	folders := inFolders(o.json)
	if o.dir != "" {
		folders = reportFolder(o.dir)
	}
	if folders != nil {
		return folders
	}
	for _, name := range names {
		for _, out := range outputs {
			if sameFile(name, out) {
				return usageError("%s: is what is read, expected the name of another file", name)
			}
		}
	}
	return nil
}

func (p *program) evaluateMerge(ctx context.Context, names []string, o *evaluateMergeOptions) error {
	if err := o.gates.parse(); err != nil {
		return err
	}
	if err := o.places(); err != nil {
		return err
	}
	began := p.now()
	partials, err := p.readPartials(ctx, names)
	if err != nil {
		return err
	}
	outcome, settings, err := mergePartials(partials)
	if err != nil {
		return err
	}
	if err := o.check(settings, names); err != nil {
		return err
	}
	run := evaluation.RunDocumentOf(p.version, &outcome.Tally, outcome.Files)
	run.Workers, run.Shards = 1, len(partials)
	run.Took(p.now().Sub(began).Seconds())
	results, err := p.tellMerged(outcome, settings, run, o)
	if errors.Is(err, evaluation.ErrPartial) {
		return usageError("%v", err)
	}
	if err != nil {
		return err
	}
	return tellGates(results)
}

// tellMerged writes what the parts are of.
func (p *program) tellMerged(outcome *evaluation.Outcome, s *evaluation.Settings, run *evaluation.RunDocument, o *evaluateMergeOptions) ([]gate.Result, error) {
	if s.Verb == evaluation.VerbReport {
		return p.tellReport(outcome, s, run, &o.gates, o.dir)
	}
	return p.tellPolicy(outcome, s, run, &o.gates, o.json)
}

// readPartials reads the partial results. What says how one of them came to be has a name like theirs, and is passed over.
func (p *program) readPartials(ctx context.Context, names []string) ([]*evaluation.Partial, error) {
	partials := []*evaluation.Partial{}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		data, err := readInput(name, evaluation.MaxPartialBytes)
		if err != nil {
			return nil, err
		}
		if evaluation.IsRunDocument(data) {
			continue
		}
		partial, err := evaluation.ReadPartial(data, p.version)
		if err != nil {
			return nil, usageError("%s: %v", name, err)
		}
		partials = append(partials, partial)
	}
	return partials, nil
}

// mergePartials puts them together.
func mergePartials(partials []*evaluation.Partial) (outcome *evaluation.Outcome, settings *evaluation.Settings, err error) {
	outcome, err = evaluation.Merge(partials, func(text []byte) ([]evaluation.Part, error) {
		if settings, err = evaluation.DecodeSettings(text); err != nil {
			return nil, err
		}
		return settings.Parts()
	})
	switch {
	case errors.Is(err, evaluation.ErrPartial), errors.Is(err, evaluation.ErrSegments):
		return nil, nil, usageError("%v", err)
	case err != nil:
		return nil, nil, fmt.Errorf("merge: %w", err)
	case outcome.Rows == 0:
		return nil, nil, emptyError(outcome)
	}
	return outcome, settings, nil
}
