package main

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
	"github.com/fundmatch/fundmatch/matcher/wording"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/evaluation/joined"
	"github.com/fundmatch/fundmatch/services/evaluation/packed"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// joinOptions are the flags that say what is joined.
type joinOptions struct {
	store, decisions  string
	window            time.Duration
	outcome, reward   string
	since, through    string
	channel, audience string
	layer, policy     string
	needDecision      bool

	named *pflag.FlagSet // in which the flags are declared
}

// flags declares the flags, for join and for the verbs that join before they judge.
func (o *joinOptions) flags(f *pflag.FlagSet) {
	o.named = f
	f.StringVar(&o.store, "store", defaultStore, "store of the decisions and events: sqlite:PATH or postgres://...")
	f.StringVar(&o.decisions, "decisions", "", "directory of the decision log to join; for join by default beside the store, PATH.decisions")
	f.DurationVar(&o.window, "window", 30*24*time.Hour, "an outcome counts from the decision on until so much later")
	f.StringVar(&o.outcome, "outcome", fund.OrderConfirm.String(), "kind of the event that is the outcome")
	f.StringVar(&o.reward, "reward", string(joined.Happened), "reward: happened, 1 or 0, or amount, in fen")
	f.StringVar(&o.since, "since", "", "only decisions from this instant on, RFC 3339 or a day")
	f.StringVar(&o.through, "through", "", "only what was known by this instant, RFC 3339 or a day (default the newest event's)")
	f.StringVar(&o.channel, "channel", "", "only answers of a channel: APP or BRANCH")
	f.StringVar(&o.audience, "audience", "", "only answers for a reader: CUSTOMER or MANAGER")
	f.StringVar(&o.layer, "layer", "", "layer of experiments whose arms are told (default the first that the customer was in)")
	f.StringVar(&o.policy, "policy", "", "whose target_propensity is written: greedy, the lists without exploration; or a candidate model: a file, or active")
	f.BoolVar(&o.needDecision, "need-decision", false, "join only events that name the decision")
}

func (p *program) evaluateJoinCommand() *cobra.Command {
	var o joinOptions
	var out string
	var workers int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "join --out FILE",
		Short: "Write the decision log as a policy log, with what became of each product",
		Long: "Write the recommendations of the decision log, a row for each product, with the events that followed within the\n" +
			"window, and what the market did. What is not known is empty: an outcome whose window is not over is censored, not 0.\n" +
			"With --policy the rows have the probability that another policy shows the product there. Prints what was joined.",
		Example: "  fundmatch evaluate join --store sqlite:bank.db --window 720h --out joined.parquet\n" +
			"  fundmatch evaluate join --policy candidate.yaml --since 2026-06-01 --outcome ORDER_START --out joined.csv.gz --json",
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.evaluateJoin(cmd.Context(), &o, out, workers, asJSON)
		},
	}
	f := cmd.Flags()
	o.flags(f)
	f.StringVar(&out, "out", "", "file to write: .parquet, .csv or .ndjson; the last two also .gz or .zst")
	f.IntVar(&workers, "workers", runtime.GOMAXPROCS(0), "batches joined at a time; the result does not depend on it")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func (p *program) evaluateJoin(ctx context.Context, o *joinOptions, out string, workers int, asJSON bool) error {
	format, pack, err := joinedFormat(out)
	if err != nil {
		return err
	}
	if err := mayWrite("--policy", o.policy, out); err != nil {
		return err
	}
	var told *joined.Summary
	write := func(w io.Writer, j *joinRun) error {
		to, end, err := pack(w)
		if err != nil {
			return err
		}
		if told, err = j.into(ctx, to, format); err != nil {
			return err
		}
		return end()
	}
	if err := p.join(ctx, o, workers, func(j *joinRun) error {
		return writeFile(out, func(w io.Writer) error { return write(w, j) })
	}); err != nil {
		return err
	}
	if asJSON {
		return p.printJSON(told)
	}
	return p.printJoined(told, out)
}

// joinedLog joins into a temporary Parquet file, which is read as any other log. cleanup removes it; it is never nil.
func (p *program) joinedLog(ctx context.Context, o *joinOptions, workers int) (path string, cleanup func(), err error) {
	file, err := os.CreateTemp("", "fundmatch-joined-*.parquet")
	if err != nil {
		return "", func() {}, err
	}
	cleanup = func() { _ = os.Remove(file.Name()) } // it is nobody's any more
	err = p.join(ctx, o, workers, func(j *joinRun) error {
		_, err := j.into(ctx, file, policylog.Parquet)
		return err
	})
	return file.Name(), cleanup, errors.Join(err, file.Close())
}

// joins reports whether a verb that reads logs is to join one first. Flags of a join without one are refused: whoever gave
// them expects that they count.
func (o *joinOptions) joins(r *logRun) (bool, error) {
	if o.decisions == "" {
		var alone error
		o.named.Visit(func(f *pflag.Flag) {
			if slices.Contains(joinFlags(), f.Name) && alone == nil {
				alone = usageError("--%s: expected together with --decisions, or at fundmatch evaluate join", f.Name)
			}
		})
		return false, alone
	}
	switch {
	case len(r.input.logs) > 0:
		return true, usageError("--decisions: expected instead of --log, not beside it")
	case r.job.shard != "" || r.job.checkpoint != "":
		return true, usageError("--decisions: is joined first and whole, expected no --shard and no --checkpoint; fundmatch evaluate join writes a log that can be")
	case o.policy != "" && r.judge.target != "":
		return true, usageError("--policy: %.80q, expected one policy: --target-policy names another", o.policy)
	}
	_, err := o.check(1)
	return true, err
}

// joinFlags are the flags that mean nothing without a join.
func joinFlags() []string {
	return []string{"store", "window", "outcome", "reward", "since", "through", "channel", "audience", "layer", "policy", "need-decision"}
}

// packer packs what is written; its end has to be called where all of it was.
type packer func(io.Writer) (to io.Writer, end func() error, err error)

// joinedFormat reads the format off a file's name.
func joinedFormat(name string) (policylog.Format, packer, error) {
	stem, packing := packed.ByName(name)
	pack := [...]packer{packed.None: unpacked, packed.Gzip: gzipped, packed.Zstd: zstandard}[packing]
	switch {
	case strings.HasSuffix(stem, ".csv"):
		return policylog.CSV, pack, nil
	case strings.HasSuffix(stem, ".ndjson"):
		return policylog.NDJSON, pack, nil
	case strings.HasSuffix(stem, ".parquet") && packing == packed.None:
		return policylog.Parquet, unpacked, nil
	}
	return 0, nil, usageError("--out: %.80q, expected a file name that ends in .parquet, .csv or .ndjson; the last two also in .gz or .zst", name)
}

func unpacked(w io.Writer) (io.Writer, func() error, error) {
	return w, func() error { return nil }, nil
}

func gzipped(w io.Writer) (io.Writer, func() error, error) {
	z := gzip.NewWriter(w)
	return z, z.Close, nil
}

// zstandard packs in one goroutine: the same bytes on every machine.
func zstandard(w io.Writer) (io.Writer, func() error, error) {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

// joinRun is a join that is ready to be written.
type joinRun struct {
	program *program
	job     joined.Job
	reader  *decisionlog.Reader
	policy  string // as it was named
}

// join opens log and store and lets write have what is joined.
func (p *program) join(ctx context.Context, o *joinOptions, workers int, write func(*joinRun) error) error {
	options, err := o.check(workers)
	if err != nil {
		return err
	}
	spec, err := parseKeptStore(o.store)
	if err != nil {
		return err
	}
	reader, err := openDecisions(spec.decisions(o.decisions))
	if err != nil {
		return err
	}
	store, err := openHistories(ctx, o.store)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing was written
	if options.Policy == joined.Candidate {
		if options.Model, err = modelNamed(ctx, store, o.policy); err != nil {
			return err
		}
	}
	return write(&joinRun{program: p, reader: reader, policy: o.policy, job: joined.Job{
		Log: reader, Store: store, Now: fund.InstantOf(p.now()), Version: p.version, Options: options,
	}})
}

// into writes the log. One whose end is torn is an error: what is judged must not pass over a decision in silence.
func (j *joinRun) into(ctx context.Context, w io.Writer, format policylog.Format) (*joined.Summary, error) {
	out, err := joined.NewLogWriter(w, format, j.job.Options.Policy)
	if err != nil {
		return nil, err
	}
	bar, stage := j.program.startProgress(string(joined.Events), "customers", -1), joined.Events
	defer bar.end()
	j.job.Options.Progress = func(at joined.Stage, done, total int64) {
		if at != stage {
			stage = at
			bar.rename(string(at), total)
		}
		bar.set(done)
	}
	told, err := j.job.Run(ctx, out)
	if err != nil {
		return nil, joinError(err, j.policy)
	}
	return told, errors.Join(out.Close(), j.reader.CheckEnds(ctx))
}

// joinError says whose mistake an error of a join is. Policy is what was to be judged.
func joinError(err error, policy string) error {
	for _, refused := range [...]error{score.ErrModel, modelfile.ErrModelFile} {
		if errors.Is(err, refused) {
			return &exitError{code: exitUsage, text: "--policy: " + policy + ": " + err.Error(), cause: err}
		}
	}
	for _, cause := range [...]error{joined.ErrOptions, joined.ErrNoEvents, joined.ErrNoDecisions} {
		if errors.Is(err, cause) {
			return &exitError{code: exitUsage, text: err.Error(), cause: err}
		}
	}
	if errors.Is(err, features.ErrNotFound) {
		return unavailableError(err, "the store lacks what the decisions were made from: %v", err)
	}
	return err
}

// check reads the flags.
func (o *joinOptions) check(workers int) (joined.Options, error) {
	j := joined.Options{Window: o.window, Reward: joined.Reward(o.reward), NeedDecision: o.needDecision, Layer: o.layer, Workers: workers}
	var err error
	switch {
	case o.window <= 0 || o.window > joined.MaxWindow:
		return j, usageError("--window: %s, expected more than 0s and at most %s", o.window, joined.MaxWindow)
	case workers < 1 || workers > joined.MaxWorkers:
		return j, usageError("--workers: %d, expected 1 to %d", workers, joined.MaxWorkers)
	case j.Reward != joined.Happened && j.Reward != joined.Amount:
		return j, usageError("--reward: %.40q, expected %s or %s", o.reward, joined.Happened, joined.Amount)
	}
	if j.Outcome, err = fund.ParseEventKind(o.outcome); err != nil {
		return j, usageError("--outcome: %.40q, expected a kind of event such as ORDER_CONFIRM", o.outcome)
	}
	if o.since != "" {
		if j.Since, err = parseWhen("since", o.since); err != nil {
			return j, err
		}
	}
	if o.through != "" {
		if j.Through, err = parseWhen("through", o.through); err != nil {
			return j, err
		}
	}
	switch o.policy {
	case string(joined.NoPolicy):
	case string(joined.Greedy):
		j.Policy = joined.Greedy
	default:
		j.Policy = joined.Candidate
	}
	err = o.readers(&j)
	return j, err
}

// readers reads whose answers are asked for.
func (o *joinOptions) readers(j *joined.Options) error {
	switch o.channel {
	case "":
	case fund.App.String():
		j.Channel = fund.App
	case fund.Branch.String():
		j.Channel = fund.Branch
	default:
		return usageError("--channel: %.40q, expected APP or BRANCH", o.channel)
	}
	for _, a := range [...]wording.Audience{wording.Customer, wording.Manager} {
		if o.audience == a.String() {
			j.Audience = &a
		}
	}
	if o.audience != "" && j.Audience == nil {
		return usageError("--audience: %.40q, expected CUSTOMER or MANAGER", o.audience)
	}
	return nil
}

// printJoined says what was joined and what was not.
func (p *program) printJoined(s *joined.Summary, out string) error {
	var c card
	r, e, w := &s.Records, &s.Joined, &s.Withheld
	c.line(0, "%d decisions, %d rows, %d of them censored, of %d records", r.Decisions, s.Rows, s.Censored, r.Read)
	c.line(1, "through %s, window %s: that of %d decisions is not over", s.Through, s.Window, r.OpenEnded)
	c.line(1, "left out: %d erased, %d served again, %d order checks and switches, %d without products, %d outside the time, %d of others",
		r.Erased, r.Served, r.Other, r.Empty, r.Outside, r.Filtered)
	c.line(1, "behaviour not read: %d with personalisation off, %d consents withdrawn, %d customers not in the store",
		w.PersonalizationOff, w.ConsentWithdrawn, w.UnknownCustomer)
	c.line(0, "%d events by decision, %d by customer and product, %d of another share class", e.ByDecision, e.ByProduct, e.OtherClass)
	c.line(1, "%d %s, %d of them by decision", e.Outcomes, s.Outcome, e.OutcomesNamed)
	c.line(1, "not joined: %d instalments; naming a decision: %d before it, %d after the window, %d about what it did not show, %d about no product; %d naming none",
		e.Instalments, e.BeforeDecision, e.AfterWindow, e.NotListed, e.NoProduct, e.Unnamed)
	if t := s.Policy; t != nil {
		c.line(0, "policy %s: %d decisions with a position that the log says nothing of; %d lists longer, %d shorter",
			strings.TrimSpace(t.Policy+" "+t.Model), t.Unsupported, t.Longer, t.Shorter)
		for _, at := range t.Positions {
			if at.Unsupported == 0 {
				continue
			}
			c.line(1, "position %d: %d of %d decisions, mass %.4f", at.Position, at.Unsupported, at.Decisions, at.Mass)
		}
	}
	for _, notice := range s.Notices {
		c.line(0, "notice: %s", notice)
	}
	c.line(0, "wrote %s", out)
	return c.writeTo(p.stdout)
}
