package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/matcher/evaluate/trec"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
	"github.com/fundmatch/fundmatch/services/evaluation/trecfile"
)

// rankingOptions are the flags of evaluate ranking.
type rankingOptions struct {
	qrels, run string
	cutoffs    []int
	level      int32
	complete   bool
	perQuery   bool
	out        string // "-": stdout instead of the table
	gates      gates
}

func (p *program) evaluateRankingCommand() *cobra.Command {
	var o rankingOptions
	cmd := &cobra.Command{
		Use:   "ranking --qrels Q --run R",
		Short: "Measure a TREC run by TREC judgements, as trec_eval does",
		Long: "Measure a run by judgements, both in TREC's formats, packed with gzip or zstd or not. Measures, names, ties and\n" +
			"averages are trec_eval's; stdout gets its table, --json a document with all digits. --k adds cutoffs to its own\n" +
			"(5 10 15 20 30 100 200 500 1000; success 1 5 10) and never shortens the run. A query that only one of the files\n" +
			"has does not count, unless --complete takes in those that the run lacks. With --gate a figure that fails ends\n" +
			"with exit code 1.",
		Example: "  fundmatch evaluate ranking --qrels bank.qrels --run model.run.gz --json ranking.json --gate 'all.map >= 0.2'\n" +
			"  fundmatch evaluate ranking --qrels bank.qrels --run model.run --k 3 --k 7 --per-query\n" +
			"  fundmatch evaluate ranking --qrels bank.qrels.zst --run model.run.zst --complete --json -",
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.evaluateRanking(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.qrels, "qrels", "", "file of judgements: query, iteration, document, grade")
	f.StringVar(&o.run, "run", "", "file of the run: query, Q0, document, rank, score, name")
	f.IntSliceVar(&o.cutoffs, "k", nil, "cutoff beside trec_eval's own; may be given several times")
	f.Int32Var(&o.level, "relevance-level", 1, "least grade that counts as relevant (trec_eval -l)")
	f.BoolVar(&o.complete, "complete", false, "count judged queries that the run lacks, with 0 (trec_eval -c)")
	f.BoolVar(&o.perQuery, "per-query", false, "also the measures of every query (trec_eval -q)")
	f.StringVar(&o.out, "json", "", "file to write the document to; -: stdout, in place of the table")
	o.gates.flags(f)
	return cmd
}

// check reads the flags that need no file.
func (o *rankingOptions) check() (*trec.Measures, error) {
	switch {
	case o.qrels == "":
		return nil, usageError("--qrels: expected a file of judgements")
	case o.run == "":
		return nil, usageError("--run: expected a file of a run")
	case o.level < 1:
		return nil, usageError("--relevance-level: %d, expected 1 or above", o.level)
	}
	if o.out != "-" {
		for _, read := range []string{o.qrels, o.run} {
			if err := mayWrite("--json", read, o.out); err != nil {
				return nil, err
			}
		}
	}
	if err := o.gates.parse(); err != nil {
		return nil, err
	}
	measures, err := trec.New(trec.Settings{Cutoffs: o.cutoffs, Level: o.level, Complete: o.complete})
	if err != nil {
		return nil, usageError("--k: %v", err)
	}
	return measures, nil
}

func (p *program) evaluateRanking(ctx context.Context, o *rankingOptions) error {
	measures, err := o.check()
	if err != nil {
		return err
	}
	evaluation, err := p.readRanking(ctx, o, measures)
	if err != nil {
		return rankingError(err)
	}
	results, err := o.judge(evaluation) // before anything is written: a gate on what is not there is a slip
	if err != nil {
		return err
	}
	if err := p.tellRanking(o, evaluation); err != nil {
		return err
	}
	if n := evaluation.Lacking(); n > 0 && !o.complete {
		p.note("%s judged that the run lacks: left out, unless --complete", plural(n, "query is", "queries are"))
	}
	return tellGates(results)
}

// readRanking reads both files and measures.
func (p *program) readRanking(ctx context.Context, o *rankingOptions, measures *trec.Measures) (*trecfile.Evaluation, error) {
	qrels, err := trecfile.ReadQrels(ctx, o.qrels, trecfile.Options{})
	if err != nil {
		return nil, err
	}
	bar := p.startBytes("read the run", sizeOf(o.run))
	defer bar.end()
	run, err := trecfile.ReadRun(ctx, o.run, qrels, trecfile.Options{Progress: bar.set})
	if err != nil {
		return nil, err
	}
	return trecfile.Evaluate(measures, qrels, run)
}

// sizeOf is a file's size in bytes; -1 where nobody knows.
func sizeOf(name string) int64 {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	return info.Size()
}

// judge judges the gates by the document, of which it needs the queries that a gate may speak of.
func (o *rankingOptions) judge(evaluation *trecfile.Evaluation) ([]gate.Result, error) {
	if len(o.gates.texts) == 0 {
		return nil, nil
	}
	var document bytes.Buffer
	asked := func(query string) bool {
		return o.perQuery && slices.ContainsFunc(o.gates.texts, func(gate string) bool { return strings.Contains(gate, query) })
	}
	if err := evaluation.WriteJSON(&document, asked); err != nil {
		return nil, rankingError(err)
	}
	return o.gates.judge(document.Bytes(), nil)
}

// tellRanking writes the document and prints the table, or the document in its place.
func (p *program) tellRanking(o *rankingOptions, evaluation *trecfile.Evaluation) error {
	var wanted func(string) bool
	if o.perQuery {
		wanted = func(string) bool { return true }
	}
	document := func(w io.Writer) error { return evaluation.WriteJSON(w, wanted) }
	if o.out == "-" {
		return rankingError(p.writeOut("", document))
	}
	if o.out != "" {
		if err := writeFile(o.out, document); err != nil {
			return rankingError(err)
		}
	}
	return p.writeOut("", func(w io.Writer) error { return evaluation.WriteTable(w, wanted) })
}

// rankingError marks what is wrong with a file as such.
func rankingError(err error) error {
	if errors.Is(err, trecfile.ErrInput) {
		return usageError("%v", err)
	}
	return err
}
