package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/services/evaluation"
)

// evaluateMergeOptions are the flags of evaluate merge.
type evaluateMergeOptions struct {
	json  string
	gates gates
}

func (p *program) evaluateMergeCommand() *cobra.Command {
	var o evaluateMergeOptions
	cmd := &cobra.Command{
		Use:   "merge PARTIAL...",
		Short: "Put the partial results of all shards together, to the bytes of one run",
		Long: "Merge what the shards of one log left behind (evaluate policy --shard). All of them have to be there, of the same\n" +
			"options and the same version of the program. The document is that of one run over all files, byte for byte.",
		Example: "  fundmatch evaluate merge part-*.json --json policy.json --gate 'snips.ci95.low >= 0.004'",
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
	o.gates.flags(f)
	return cmd
}

func (p *program) evaluateMerge(ctx context.Context, names []string, o *evaluateMergeOptions) error {
	if err := o.gates.parse(); err != nil {
		return err
	}
	if o.json != "" && o.json != "-" {
		if err := distinctOutputs(o.json, runName(o.json)); err != nil {
			return err
		}
		for _, name := range names {
			if sameFile(name, o.json) || sameFile(name, runName(o.json)) {
				return usageError("%s: is what is read, expected the name of another file", name)
			}
		}
	}
	began := p.now()
	outcome, settings, err := p.mergePartials(ctx, names)
	if err != nil {
		return err
	}
	run := evaluation.RunDocumentOf(p.version, &outcome.Tally, outcome.Files)
	run.Workers, run.Shards = 1, len(names)
	run.Took(p.now().Sub(began).Seconds())
	results, err := p.tellPolicy(outcome, settings, run, &o.gates, o.json)
	if err != nil {
		return err
	}
	return tellGates(results)
}

// mergePartials reads the partial results and puts them together.
func (p *program) mergePartials(ctx context.Context, names []string) (*evaluation.Outcome, *evaluation.Settings, error) {
	partials := []*evaluation.Partial{}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		data, err := readInput(name, evaluation.MaxPartialBytes)
		if err != nil {
			return nil, nil, err
		}
		partial, err := evaluation.ReadPartial(data, p.version)
		if err != nil {
			return nil, nil, usageError("%s: %v", name, err)
		}
		partials = append(partials, partial)
	}
	settings, err := evaluation.DecodeSettings(partials[0].Settings())
	if err != nil {
		return nil, nil, usageError("%s: %v", names[0], err)
	}
	outcome, err := evaluation.Merge(partials, func([]byte) ([]evaluation.Part, error) { return settings.Parts() })
	switch {
	case errors.Is(err, evaluation.ErrPartial), errors.Is(err, evaluation.ErrSegments):
		return nil, nil, usageError("%v", err)
	case err != nil:
		return nil, nil, fmt.Errorf("merge: %w", err)
	case outcome.Rows == 0:
		return nil, nil, emptyError(&outcome.Tally)
	}
	return outcome, settings, nil
}
