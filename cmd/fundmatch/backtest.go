package main

import (
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/evaluate"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
	"github.com/fundmatch/fundmatch/services/backtest"
)

// backtestOptions are the flags of backtest.
type backtestOptions struct {
	data, splits, model, baseline string
	out, report, html             string
	without                       []string // each: features, separated by commas
	terms                         string   // demandTerms or allTerms
	permitted                     bool
	workers                       int
}

func (p *program) backtestCommand() *cobra.Command {
	var o backtestOptions
	cmd := &cobra.Command{
		Use:   "backtest --data DIR --out RUN",
		Short: "Ask of the past how good lists would have been",
		Long: "Make the lists that would have been made on days of the past, from what was known on them, and judge them by what\n" +
			"customers turned out to want. DIR holds products.csv, customers.csv, interactions.csv, splits.csv, candidates.csv and\n" +
			"relevant.csv, packed with gzip or not. RUN gets split, customer_id, rank, product_code; figures are printed with 95 %\n" +
			"intervals by a bootstrap over customers, beside those of a baseline, and their paired difference.\n" +
			"With --permitted a list holds only products whose grade is at most the customer's level; one that holds another\n" +
			"ends with exit code 1.",
		Example: "  fundmatch backtest --data ./bank --out run.csv.gz --json report.json --html report.html\n" +
			"  fundmatch backtest --data ./bank --splits 23-45 --permitted --baseline popularity --out run.csv\n" +
			"  fundmatch backtest --data ./bank --model model.yaml --terms all --without LOSS_FIT --without AFFINITY,COST --out run.csv",
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.backtest(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "folder of the backtest's six files")
	f.StringVar(&o.splits, "splits", "", "splits to run, A-B or one (default: all)")
	f.StringVar(&o.model, "model", "", "file of the model that makes the lists (default: the one that the program ships); knn or popularity: that baseline")
	f.StringVar(&o.baseline, "baseline", "knn", "what the lists are compared with: knn, popularity, both separated by a comma, or none")
	f.StringArrayVar(&o.without, "without", nil, "compare with the same model without these features, separated by commas; may be given several times")
	f.StringVar(&o.terms, "terms", demandTerms, "terms of the score: demand, those learned from purchases, or all, also those that protect the customer")
	f.BoolVar(&o.permitted, "permitted", false, "list only what the grade rule permits: grade at most the level in the file, without a level R1")
	f.StringVar(&o.out, "out", "", "file to write the lists to: .csv or .csv.gz")
	f.StringVar(&o.report, "json", "", "file to write the report to")
	f.StringVar(&o.html, "html", "", "file to write the page for people to")
	f.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "goroutines; the result does not depend on it")
	return cmd
}

// check reads the flags that need no file.
func (o *backtestOptions) check() (splits *[2]int32, err error) {
	switch {
	case o.data == "":
		return nil, usageError("--data: expected a folder")
	case !strings.HasSuffix(o.out, ".csv") && !strings.HasSuffix(o.out, ".csv.gz"):
		return nil, usageError("--out: %.80q, expected a file name that ends in .csv or .csv.gz", o.out)
	case o.terms != demandTerms && o.terms != allTerms:
		return nil, usageError("--terms: %.40q, expected %s or %s", o.terms, demandTerms, allTerms)
	case o.workers < 1 || o.workers > maxWorkers:
		return nil, usageError("--workers: %d, expected 1 to %d", o.workers, maxWorkers)
	}
	named := []string{}
	for _, out := range []string{o.out, o.report, o.html} {
		if out == "" {
			continue
		}
		if slices.Contains(named, out) {
			return nil, usageError("--out, --json, --html: %s is named twice, expected different files", out)
		}
		named = append(named, out)
		if err := mayReplace(out); err != nil {
			return nil, err
		}
	}
	if o.splits == "" {
		return nil, nil
	}
	return parseSplits(o.splits)
}

// spares sees to it that no output takes the place of what is read.
func (o *backtestOptions) spares(read []string) error {
	for _, in := range append(read, o.model) {
		if err := notRead(in, o.out, o.report, o.html); err != nil {
			return err
		}
	}
	return nil
}

// parseSplits reads A-B, or A for one.
func parseSplits(s string) (*[2]int32, error) {
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	var bounds [2]int32
	for i, text := range []string{first, last} {
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return nil, usageError("--splits: %.80q, expected A-B, numbers of splits, or one", s)
		}
		bounds[i] = int32(n)
	}
	if bounds[0] > bounds[1] {
		return nil, usageError("--splits: %.80q, expected the lower number first", s)
	}
	return &bounds, nil
}

func (p *program) backtest(ctx context.Context, o *backtestOptions) error {
	splits, err := o.check()
	if err != nil {
		return err
	}
	began := p.now()
	config := backtest.Config{Splits: splits, Permitted: o.permitted, Bootstrap: evaluate.DefaultBootstrap(), Workers: o.workers}
	model, err := o.contenders(&config)
	if err != nil {
		return err
	}
	data, files, err := p.openBacktest(ctx, o)
	if err != nil {
		return backtestError(err)
	}
	bar := p.newRanking()
	defer bar.end()
	config.Progress = bar.show
	var report *backtest.Report
	err = writeFile(o.out, func(w io.Writer) error {
		report, err = runBacktest(ctx, data, config, w, strings.HasSuffix(o.out, ".gz"))
		if err != nil {
			return err
		}
		report.Version, report.Model, report.Data.Files = p.version, model, files
		report.NotCompared.Seconds = backtest.Number(p.now().Sub(began).Seconds())
		report.NotCompared.PeakMemoryBytes = peakMemory()
		return o.writeReports(report)
	})
	bar.end()
	if err != nil {
		return backtestError(err)
	}
	if c := &report.Config; splits != nil && (c.FirstSplit != splits[0] || c.LastSplit != splits[1]) {
		p.note("--splits %s: of these the folder has %d to %d", o.splits, c.FirstSplit, c.LastSplit)
	}
	if n := report.Foreknown(); n > 0 {
		p.note("the model was trained through %s: %d of %d splits are of that day or before, and no test of weights that were fitted",
			model.TrainedThrough, n, len(report.Splits))
	}
	return p.printBacktest(report)
}

// openBacktest reads the folder, unless an output would take the place of a part of it.
func (p *program) openBacktest(ctx context.Context, o *backtestOptions) (*backtest.Data, []backtest.File, error) {
	folder, err := dataset.OpenBacktest(o.data)
	if err != nil {
		return nil, nil, err
	}
	read := folder.Paths()
	if err := o.spares(read); err != nil {
		return nil, nil, err
	}
	bar := p.startProgress("read", "files", int64(len(read)))
	defer bar.end()
	return readBacktest(ctx, folder, bar)
}

// ranking shows the lists that were made. The job tells of them from several goroutines,
// and only then how many there will be.
type ranking struct {
	mu    sync.Mutex
	begin func(total int64) *progress
	bar   *progress // nil: no list was made yet
}

func (p *program) newRanking() *ranking {
	return &ranking{begin: func(total int64) *progress { return p.startProgress("rank", "lists", total) }}
}

func (r *ranking) show(done, total int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bar == nil {
		r.bar = r.begin(total)
	}
	r.bar.set(done)
}

func (r *ranking) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bar != nil {
		r.bar.end()
	}
}

// backtestError marks what is wrong with the data or the flags as such.
func backtestError(err error) error {
	if errors.Is(err, backtest.ErrData) || errors.Is(err, backtest.ErrConfig) {
		return usageError("%v", err)
	}
	return err
}

// The terms of the score that a backtest uses.
const (
	demandTerms = "demand"
	allTerms    = "all"
)

// contenders sets who makes lists.
func (o *backtestOptions) contenders(config *backtest.Config) (id backtest.ModelID, err error) {
	baselines := map[string]backtest.Recommender{"knn": backtest.Nearest(), "popularity": backtest.Popularity()}
	var variants [][]string
	for _, w := range o.without {
		variants = append(variants, strings.Split(w, ","))
	}
	if r := baselines[o.model]; r != nil {
		if len(variants) > 0 {
			return id, usageError("--without: %s has no features to leave out, expected a model", o.model)
		}
		id.Name, config.Subject = o.model, r
	} else if config.Subject, id, err = scoredModel(o.model, o.terms, variants); err != nil {
		return id, err
	}
	if o.baseline == "none" {
		return id, nil
	}
	for _, name := range strings.Split(o.baseline, ",") {
		r := baselines[name]
		if r == nil {
			return id, usageError("--baseline: %.80q, expected knn, popularity, knn,popularity or none", o.baseline)
		}
		if name != o.model { // nothing is its own baseline
			config.Baselines = append(config.Baselines, r)
		}
	}
	return id, nil
}

// scoredModel reads a model file, or the one that the program ships. Its affinity is not
// looked at: each split trains its own by the settings. Its weights are, and where they were
// fitted they may know what came after a split.
func scoredModel(name, terms string, variants [][]string) (backtest.Recommender, backtest.ModelID, error) {
	file := score.DefaultModel()
	if name != "" {
		var err error
		if file, err = readInput(name, modelfile.MaxBytes); err != nil {
			return nil, backtest.ModelID{}, err
		}
	}
	model, err := score.ParseModel(file)
	if err != nil {
		return nil, backtest.ModelID{}, usageError("--model: %s: %v", cmp.Or(name, "the built-in model"), err)
	}
	sum := sha256.Sum256(file)
	if terms == demandTerms {
		model = backtest.Demand(model)
	}
	r, err := backtest.Scored(model, variants)
	if err != nil {
		return nil, backtest.ModelID{}, usageError("--without: %v", err)
	}
	id := backtest.ModelID{Name: model.Name, Version: model.Version, SHA256: hex.EncodeToString(sum[:]), Terms: terms}
	if model.Manifest != nil {
		id.TrainedThrough = model.Manifest.Training.Through
	}
	return r, id, nil
}

// runBacktest runs the job, and packs what it writes. A gzip header without a time keeps
// the same lists the same bytes.
func runBacktest(ctx context.Context, data *backtest.Data, config backtest.Config, w io.Writer, pack bool) (*backtest.Report, error) {
	if !pack {
		return backtest.Run(ctx, data, config, w)
	}
	z := gzip.NewWriter(w)
	report, err := backtest.Run(ctx, data, config, z)
	if err == nil {
		err = z.Close()
	}
	return report, err
}

// writeReports writes the report and the page, where they are asked for.
func (o *backtestOptions) writeReports(r *backtest.Report) error {
	if o.report != "" {
		err := writeFile(o.report, func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(r)
		})
		if err != nil {
			return err
		}
	}
	if o.html == "" {
		return nil
	}
	return writeFile(o.html, r.WriteHTML)
}

// printBacktest prints the figures, and fails where a list that was to be permitted is not.
func (p *program) printBacktest(r *backtest.Report) error {
	if err := r.WriteText(p.stdout); err != nil {
		return err
	}
	p.note("%.1f s, %d MiB at most", float64(r.NotCompared.Seconds), r.NotCompared.PeakMemoryBytes>>20)
	if n := r.Contenders[0].Violations; r.Config.Permitted && n > 0 {
		return failedError("%s above the customer's level in lists that must hold none", plural(int(n), "product", "products"))
	}
	return nil
}
