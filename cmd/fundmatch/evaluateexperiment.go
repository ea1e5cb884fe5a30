package main

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
	"github.com/fundmatch/fundmatch/services/evaluation/experimentfile"
	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
)

// experimentEvaluation are the flags of evaluate experiment.
type experimentEvaluation struct {
	data, json       string
	control, weights string
	columns          experimentfile.Options
	alpha, tuning    float64
	minCustomers     int64
	skipBad          bool
	gates            gates
}

func (p *program) evaluateExperimentCommand() *cobra.Command {
	var o experimentEvaluation
	cmd := &cobra.Command{
		Use:   "experiment --data F",
		Short: "Compare the arms of an experiment, customer by customer",
		Long: "Compare the arms of an experiment. F is CSV, NDJSON or Parquet with a row for each customer: customer_id, arm,\n" +
			"metric, and where there are such pre_metric (his own figure of before the experiment) and segment. An empty metric is\n" +
			"not known yet: it is counted and left out, and never 0. Each arm is compared with the control by Welch's t, by an\n" +
			"interval that holds however often one looks, and by CUPED where there is a figure of before.\n" +
			"Arms that are not in the planned ratio, or that are too small, withhold the verdict: then no gate on a difference\n" +
			"passes.",
		Example: "  fundmatch evaluate experiment --data customers.csv --json experiment.json\n" +
			"  fundmatch evaluate experiment --data customers.parquet --control control --weights control=0.9,new=0.1 --gate 'estimates.cuped.absolute.ci95.low > 0'\n" +
			"  fundmatch evaluate experiment --data customers.csv.gz --metric bought --metric complained --segment channel --json -",
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.evaluateExperiment(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "file of customers: .csv, .ndjson, .jsonl, packed with .gz or .zst or not, or .parquet; - for stdin")
	f.StringVar(&o.json, "json", "", "file to write the report to; - prints it in place of the table")
	f.StringVar(&o.control, "control", "", "arm that the others are compared with (default: the arm named control)")
	f.StringVar(&o.weights, "weights", "", "planned shares, as a=0.5,b=0.5 (default: equal)")
	f.StringArrayVar(&o.columns.Metrics, "metric", nil, "column of a metric (default: metric); may be given several times")
	f.StringVar(&o.columns.Pre, "pre", "", "column of before the experiment, for all metrics (default: of each metric pre_ and its name, where that is there)")
	f.StringArrayVar(&o.columns.Segments, "segment", nil, "column by whose values to compare too (default: segment, where that is there); may be given several times")
	f.Float64Var(&o.alpha, "alpha", .05, "chance of a false finding; intervals have the level 1 - alpha")
	f.Float64Var(&o.tuning, "tuning", inference.DefaultTuning, "customers at which sequential intervals are tightest")
	f.Int64Var(&o.minCustomers, "min-customers", experiments.DefaultMinCustomers, "customers that each arm needs for a verdict")
	f.BoolVar(&o.skipBad, "skip-bad", false, "leave bad rows out, count and list them")
	o.gates.flags(f)
	return cmd
}

// check reads the flags that need no file.
func (o *experimentEvaluation) check() (weights map[string]float64, err error) {
	if o.data == "" {
		return nil, usageError("--data: expected a file of customers")
	}
	if o.json != "-" {
		if err := mayWrite("--data", o.data, o.json); err != nil {
			return nil, err
		}
	}
	if err := o.gates.parse(); err != nil {
		return nil, err
	}
	return parseWeights(o.weights)
}

// parseWeights reads a=0.5,b=0.5.
func parseWeights(s string) (map[string]float64, error) {
	if s == "" {
		return nil, nil
	}
	out := map[string]float64{}
	for part := range strings.SplitSeq(s, ",") {
		at := strings.LastIndexByte(part, '=')
		if at < 1 {
			return nil, usageError("--weights: %.80q, expected an arm and its share, as a=0.5", part)
		}
		w, err := strconv.ParseFloat(part[at+1:], 64)
		if err != nil || !(w > 0) || math.IsInf(w, 0) {
			return nil, usageError("--weights: %.80q, expected a share above 0", part)
		}
		if _, twice := out[part[:at]]; twice {
			return nil, usageError("--weights: %.80q is there twice, expected each arm once", part[:at])
		}
		out[part[:at]] = w
	}
	return out, nil
}

func (p *program) evaluateExperiment(ctx context.Context, o *experimentEvaluation) error {
	weights, err := o.check()
	if err != nil {
		return err
	}
	document, err := p.readExperiment(ctx, o, weights)
	switch {
	case errors.Is(err, experiments.ErrData) && !strings.Contains(err.Error(), o.data): // of all rows together
		return usageError("%s: %v", o.data, err)
	case errors.Is(err, experiments.ErrConfig), errors.Is(err, experiments.ErrData):
		return usageError("%v", err)
	}
	if err != nil {
		return err
	}
	p.noteExperiment(document, o.data)
	if document.Gates, err = o.gates.judge(document.ForGates(), document.Withheld); err != nil {
		return err
	}
	switch o.json {
	case "-":
		err = p.writeOut("", document.WriteJSON)
	case "":
		err = p.writeOut("", document.WriteTable)
	default:
		if err = writeFile(o.json, document.WriteJSON); err == nil {
			err = p.writeOut("", document.WriteTable)
		}
	}
	if err != nil {
		return err
	}
	return tellGates(document.Gates)
}

// readExperiment reads the file and evaluates it.
func (p *program) readExperiment(ctx context.Context, o *experimentEvaluation, weights map[string]float64) (document *experiments.Document, err error) {
	file, err := experimentfile.Open(o.data, p.stdin, o.columns)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, total := file.Progress()
	var bar *progress
	if file.Bytes() {
		bar = p.startBytes("read", total)
	} else {
		bar = p.startProgress("read", "customers", total)
	}
	defer bar.end()
	config := experiments.Defaults(file.Columns())
	config.Control, config.Weights = o.control, weights
	config.Alpha, config.Tuning, config.MinCustomers, config.SkipBad = o.alpha, o.tuning, o.minCustomers, o.skipBad
	return experiments.Run(ctx, file, config, func(int64) {
		done, _ := file.Progress()
		bar.set(done)
	})
}

// noteExperiment says on stderr what was taken for given, and which rows were left out.
func (p *program) noteExperiment(d *experiments.Document, name string) {
	if d.Config.ControlAssumed {
		p.note("--control: not given, and no arm is named %s: %s is taken, and the verdict is withheld", experiments.ControlArm, d.Config.Control)
	}
	if d.Config.WeightsAssumed {
		p.note("--weights: not given: equal shares are assumed")
	}
	if d.Skipped.Rows == 0 {
		return
	}
	p.note("%s of %s left out", plural(int(d.Skipped.Rows), "bad row", "bad rows"), name)
	for _, bad := range d.Skipped.Listed {
		p.note("  row %d: %s: %q, expected %s", bad.Row, bad.Column, bad.Value, bad.Expected)
	}
}
