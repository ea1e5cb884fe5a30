package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features/extract"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// extractOptions are the flags of features extract.
type extractOptions struct {
	featuresOptions
	labels, out, known string
	memory             int // MiB
	workers            int
	status             bool
}

func (p *program) featuresExtractCommand() *cobra.Command {
	var o extractOptions
	cmd := &cobra.Command{
		Use:   "extract --labels FILE --views VIEWS --out FILE",
		Short: "Join labels with features as they were: nothing that became known later",
		Long: "Join a CSV file of labels (customer_id, as_of, and whatever else; .gz too) with features as they were at as_of, as\n" +
			"they were known at known_at, or at as_of where there is no such column. Rows keep their number and order, all their\n" +
			"columns are carried through, and a feature has a value only where a read of then would have found it PRESENT.\n" +
			"--known now joins with what is known today: that leaks the future, and the output's metadata says so.",
		Example: "  fundmatch features extract --labels labels.csv --views person,needs,tag.theme_interest --out features.parquet\n" +
			"  fundmatch features extract --labels labels.csv.gz --views person.aum_fen,consent.EVALUATION --purpose EVALUATION --status --out features.csv",
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.featuresExtract(cmd.Context(), &o)
		},
	}
	o.addStore(cmd)
	o.addReader(cmd)
	f := cmd.Flags()
	f.StringVar(&o.labels, "labels", "", "file of the labels: CSV, .gz packed")
	f.StringVar(&o.out, "out", "", "file to write: .parquet or .csv")
	f.StringVar(&o.known, "known", "", "what the reader knew: at (as_of), now, or the column that says when (default known_at, else as_of)")
	f.BoolVar(&o.status, "status", false, "a column view.feature:status beside each feature")
	f.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "customers read at a time; the result does not depend on it")
	f.IntVar(&o.memory, "memory", extract.DefaultMemory>>20, "MiB of sorting and results in memory before a temporary file takes them")
	return cmd
}

// check reads the flags that need no catalogue.
func (o *extractOptions) check() (format extract.Format, options extract.Options, err error) {
	least := extract.MinMemory >> 20
	switch {
	case o.labels == "":
		return "", options, usageError("--labels: expected a file")
	case o.views == "":
		return "", options, usageError("--views: expected views, or features as view.feature, separated by commas")
	case o.workers < 1 || o.workers > maxWorkers:
		return "", options, usageError("--workers: %d, expected 1 to %d", o.workers, maxWorkers)
	case o.memory < least || o.memory > 1<<20:
		return "", options, usageError("--memory: %d, expected MiB from %d to %d", o.memory, least, 1<<20)
	}
	switch strings.ToLower(filepath.Ext(o.out)) {
	case ".csv":
		format = extract.CSV
	case ".parquet":
		format = extract.Parquet
	default:
		return "", options, usageError("--out: %.80q, expected a file name that ends in .parquet or .csv", o.out)
	}
	options = extract.Options{
		Status: o.status, Workers: o.workers, Memory: o.memory << 20, TempDir: filepath.Dir(o.out),
	}
	switch o.known {
	case "":
	case "at":
		options.Known = extract.KnownAt
	case "now":
		options.Known = extract.KnownNow
	default:
		options.Known, options.KnownColumn = extract.KnownColumn, o.known
	}
	return format, options, nil
}

func (p *program) featuresExtract(ctx context.Context, o *extractOptions) (err error) {
	format, options, err := o.check()
	if err != nil {
		return err
	}
	if info, err := os.Stat(o.labels); err != nil {
		return usageError("%s: cannot be read: %s", o.labels, pathReason(err))
	} else if info.IsDir() {
		return usageError("--labels: %s is a directory, expected a file", o.labels)
	}
	for _, out := range []string{o.out, o.out + metaSuffix} {
		if sameFile(out, o.labels) || sameFile(out, o.catalogue) {
			return usageError("--out: %s is what is read, expected the name of another file", out)
		}
		if err := mayReplace(out); err != nil {
			return err // before an hour of work
		}
	}
	store, err := openHistories(ctx, o.store)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing was written
	catalogue, err := chooseCatalogue(ctx, o.catalogue, store, fund.InstantOf(p.now()))
	if err != nil {
		return err
	}
	plan, request, err := o.plan(catalogue)
	if err != nil {
		return err
	}
	bar := p.startProgress(string(extract.ReadLabels), "rows", -1)
	defer bar.end()
	stage := extract.ReadLabels
	options.Purpose, options.Role, options.Now = request.Purpose, request.Role, fund.InstantOf(p.now())
	options.Progress = func(at extract.Stage, done, total int64) {
		if at != stage {
			stage = at
			bar.rename(string(at), total)
		}
		bar.set(done)
	}
	job := extract.Job{
		Store: store, Plan: plan, Catalogue: catalogue, Format: format, Options: options,
		Labels: extract.Labels{Name: filepath.Base(o.labels), Open: func() (io.ReadCloser, error) { return os.Open(o.labels) }},
	}
	sum, err := p.writeExtract(ctx, &job, o.out)
	bar.end()
	if err != nil {
		return err
	}
	p.note("%d rows of %d customers, %d cells with a value; %s", sum.Rows, sum.Customers, sum.Present,
		plural(int(sum.Unknown), "row of a customer whom the store does not know", "rows of customers whom the store does not know"))
	if sum.Later > 0 {
		p.note("notice: %s later than now: what happens until then is not in the extract", plural(int(sum.Later), "row has an as_of", "rows have an as_of"))
	}
	return nil
}

// plan reads which features are asked for, by whom and what for.
func (o *featuresOptions) plan(c *view.Catalogue) (*view.Plan, view.Request, error) {
	request, err := o.request(c)
	if err != nil {
		return nil, request, err
	}
	plan, err := c.PlanViews(o.names())
	if err != nil {
		return nil, request, usageError("--views: %v", err)
	}
	return plan, request, nil
}

// metaSuffix is what the name of the file has behind it that tells what a CSV was made of.
const metaSuffix = ".meta.json"

// writeExtract writes the file, and for CSV, which has no place for it, a second one beside
// it with what the first was made of. That one comes first: there is never an extract of
// which nobody knows what it is.
func (p *program) writeExtract(ctx context.Context, job *extract.Job, name string) (sum extract.Summary, err error) {
	err = writeFile(name, func(w io.Writer) error {
		if sum, err = job.Run(ctx, w); err != nil || job.Format != extract.CSV {
			return err
		}
		return writeFile(name+metaSuffix, func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			meta := map[string]string{} // written in the order of the keys
			for _, m := range sum.Metadata {
				meta[m.Key] = m.Value
			}
			return e.Encode(meta)
		})
	})
	return sum, err
}
