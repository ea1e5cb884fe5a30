package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// logRun are the flags of the verbs that run over a log.
type logRun struct {
	input inputFlags
	join  joinOptions // of a log that is joined first
	judge judgeFlags
	job   jobFlags
	gates gates
}

// inputFlags say what is read.
type inputFlags struct {
	logs        []string
	format      string
	rewardRange string
	skipBad     bool
	checkUnique bool
	segments    []string
}

// judgeFlags say which policy is judged, and how.
type judgeFlags struct {
	target      string // file
	rewardModel string
	settings    policy.Settings
}

// jobFlags say how the work is done: nothing of it is in the result.
type jobFlags struct {
	workers    int
	shard      string // "": the whole log
	out        string // of a shard: where its partial result goes
	checkpoint string
	every      time.Duration
}

func (r *logRun) flags(f *pflag.FlagSet) {
	in, s, job := &r.input, &r.judge.settings, &r.job
	*s = policy.DefaultSettings()
	f.StringArrayVar(&in.logs, "log", nil, "file of the log, a pattern, or - for stdin; may be given several times")
	f.StringVar(&in.format, "format", "csv", "of stdin and of files whose names do not tell: csv, ndjson or parquet")
	f.StringVar(&in.rewardRange, "reward-range", "", "LO:HI; a reward outside is a bad row (default: any finite number)")
	f.BoolVar(&in.skipBad, "skip-bad", false, "leave bad rows out, count and list them, instead of stopping at the first")
	f.BoolVar(&in.checkUnique, "check-unique", false, "see that no decision comes back anywhere in the log")
	f.StringArrayVar(&in.segments, "segment", nil, "column whose values are judged each by itself; may be given several times (default: segment, where the log has it)")
	f.StringVar(&r.judge.target, "target-policy", "", "file with the probabilities of the policy that is judged, instead of target_propensity")
	f.StringVar(&r.judge.rewardModel, "reward-model", string(s.RewardModel), "modelled reward by action or action-position, or none")
	f.Float64Var(&s.SwitchLambda, "switch-lambda", s.SwitchLambda, "weight up to which SWITCH-DR keeps a row's residual")
	f.Float64Var(&s.DRosLambda, "dros-lambda", s.DRosLambda, "lambda of DRos")
	f.Float64Var(&s.Clip, "clip", s.Clip, "weight at which clipped IPS cuts")
	f.Float64Var(&s.MinESS, "min-ess", s.MinESS, "effective sample size below which the verdict is withheld")
	f.IntVar(&s.ListCutoff, "k", s.ListCutoff, "cutoff of nDCG; 0: none")
	f.BoolVar(&s.Slates, "slates", s.Slates, "estimators of whole lists too: they take twice the time of all others")
	f.IntVar(&s.Replicates, "bootstrap", 0, "replicates of a bootstrap by customer; 0: none")
	f.Uint64Var(&s.Seed, "seed", s.Seed, "of the bootstrap")
	f.IntVar(&job.workers, "workers", runtime.GOMAXPROCS(0), "goroutines; the result does not depend on it")
	f.StringVar(&job.shard, "shard", "", "i/n: take only every n-th file from the i-th on, counted from 0, and write a partial result to --out")
	f.StringVar(&job.checkpoint, "checkpoint", "", "file from which the same command goes on after it was killed")
	f.DurationVar(&job.every, "checkpoint-every", 10*time.Second, "least time between two checkpoints; 0: after every block")
	r.join.flags(f)
	r.gates.flags(f)
}

// check reads the flags that need no file. Outputs are what would be written.
func (r *logRun) check(outputs ...string) (shard *evaluation.Shard, err error) {
	in, job := &r.input, &r.job
	joins, err := r.join.joins(r)
	switch {
	case err != nil:
		return nil, err
	case len(in.logs) == 0 && !joins:
		return nil, usageError("--log: expected a file, a pattern, or -; or --decisions, a decision log")
	case job.workers < 1 || job.workers > maxWorkers:
		return nil, usageError("--workers: %d, expected 1 to %d", job.workers, maxWorkers)
	case job.every < 0:
		return nil, usageError("--checkpoint-every: %v, expected 0 or more", job.every)
	case in.checkUnique && (job.shard != "" || job.checkpoint != ""):
		return nil, usageError("--check-unique: looks over the whole log in one go, expected no --shard and no --checkpoint")
	}
	if err := r.gates.parse(); err != nil {
		return nil, err
	}
	if job.shard != "" {
		s, err := evaluation.ParseShard(job.shard)
		if err != nil {
			return nil, usageError("--shard: %v", err)
		}
		shard = &s
	}
	if err := inFolders(job.checkpoint); err != nil {
		return nil, err
	}
	return shard, distinctOutputs(append(outputs, job.checkpoint)...)
}

// distinctOutputs refuses names of which one file would replace the other, or that no output may replace. An empty name
// and - are not written to.
func distinctOutputs(names ...string) error {
	for i, name := range names {
		if name == "" || name == "-" {
			continue
		}
		if slices.ContainsFunc(names[:i], func(other string) bool { return samePlace(name, other) }) {
			return usageError("%s: is named twice, expected different files to write", name)
		}
		if err := mayReplace(name); err != nil {
			return err
		}
	}
	return nil
}

// settingsOf are the settings that follow from the flags, and the file of the target. The segments are not known yet.
func (r *logRun) settingsOf(verb string) (*evaluation.Settings, error) {
	in, judge := &r.input, &r.judge
	s := &evaluation.Settings{Verb: verb, Policy: judge.settings, SkipBad: in.skipBad, CheckUnique: in.checkUnique, Segments: in.segments}
	s.Policy.RewardModel = policy.RewardModel(judge.rewardModel)
	if err := s.Policy.Validate(); err != nil {
		return nil, usageError("%s", flagOfSetting(err))
	}
	for i, name := range in.segments {
		fixed := name == policylog.ColumnDecisionID || name == policylog.ColumnCustomerID || name == policylog.ColumnDecidedAt
		if name == "" || fixed || slices.Contains(in.segments[:i], name) || i >= evaluation.MaxSegments {
			return nil, usageError("--segment: %.80q, expected at most %d columns, each once, of text other than %s, %s and %s", name,
				evaluation.MaxSegments, policylog.ColumnDecisionID, policylog.ColumnCustomerID, policylog.ColumnDecidedAt)
		}
	}
	var err error
	if in.rewardRange != "" {
		if s.RewardRange, err = parseRange(in.rewardRange); err != nil {
			return nil, err
		}
	}
	if judge.target != "" {
		if s.Policy.Target, err = readTarget(judge.target); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// flagOfSetting tells an error about a setting as one about its flag.
func flagOfSetting(err error) string {
	e := (*policy.SettingsError)(nil)
	if !errors.As(err, &e) {
		return err.Error()
	}
	flag := map[string]string{"list_cutoff": "k", "replicates": "bootstrap"}[e.Setting]
	return "--" + cmp.Or(flag, strings.ReplaceAll(e.Setting, "_", "-")) + ": " + e.Value + ", expected " + e.Want
}

// parseRange reads LO:HI.
func parseRange(text string) (*[2]float64, error) {
	low, high, found := strings.Cut(text, ":")
	a, err := strconv.ParseFloat(low, 64)
	b, err2 := strconv.ParseFloat(high, 64)
	if !found || err != nil || err2 != nil || !(a < b) || math.IsInf(b-a, 0) {
		return nil, usageError("--reward-range: %.80q, expected LO:HI, two finite numbers, the lower first", text)
	}
	return &[2]float64{a, b}, nil
}

func readTarget(name string) (*policy.Target, error) {
	text, err := readInput(name, policy.MaxTargetBytes)
	if err != nil {
		return nil, err
	}
	t, err := policy.ParseTarget(text)
	if err != nil {
		return nil, usageError("--target-policy: %s: %v", name, err)
	}
	return t, nil
}

// opened is a log that is ready to be measured.
type opened struct {
	log      *policylog.Log
	settings *evaluation.Settings
	release  func() // of a log that was joined for this run
}

// close closes the log, and takes away one that was joined for this run.
func (o *opened) close() error {
	err := o.log.Close()
	o.release()
	return err
}

// openLog opens what the flags name, or what is joined as they say. The caller closes it.
func (p *program) openLog(ctx context.Context, r *logRun, verb string) (*opened, error) {
	s, err := r.settingsOf(verb)
	if err != nil {
		return nil, err
	}
	names, release := r.input.logs, func() {}
	if r.join.decisions != "" {
		if verb == evaluation.VerbPolicy && r.join.policy == "" && r.judge.target == "" {
			return nil, usageError("--policy: expected a policy to judge the decisions for: greedy, a model, or --target-policy")
		}
		var name string
		if name, release, err = p.joinedLog(ctx, &r.join, r.job.workers); err != nil {
			release()
			return nil, err
		}
		names = []string{name}
	}
	in, err := p.openNamed(ctx, r, s, names)
	if err != nil {
		release()
		return nil, err
	}
	in.release = release
	return in, nil
}

// openNamed opens the files of a log.
func (p *program) openNamed(ctx context.Context, r *logRun, s *evaluation.Settings, names []string) (*opened, error) {
	o := s.Options()
	var err error
	if o.Format, err = policylog.ParseFormat(r.input.format); err != nil {
		return nil, usageError("--format: %v", err)
	}
	for _, name := range s.Segments {
		if slices.Contains(append([]string{policylog.ColumnReward, policylog.ColumnPropensity, policylog.ColumnTarget}, o.OptionalNumbers...), name) {
			return nil, usageError("--segment: %q is a column of numbers, expected one of text, %s or %s", name, policylog.ColumnProduct, policylog.ColumnPosition)
		}
	}
	o.Stdin = &interruptible{ctx: ctx, from: p.stdin}
	byDefault := len(s.Segments) == 0
	if byDefault && !slices.Contains(o.OptionalTexts, policylog.ColumnSegment) {
		o.OptionalTexts = append(o.OptionalTexts, policylog.ColumnSegment)
	}
	log, err := policylog.Open(names, o)
	if err != nil {
		return nil, openError(ctx, err)
	}
	if byDefault && log.Has(policylog.ColumnSegment) {
		s.Segments = []string{policylog.ColumnSegment}
	}
	return &opened{log: log, settings: s}, nil
}

// spares sees to it that no output takes the place of what is read.
func (r *logRun) spares(log *policylog.Log, outputs ...string) error {
	outputs = append(outputs, r.job.checkpoint)
	for _, f := range log.Files() {
		if err := notRead(f.Name, outputs...); err != nil {
			return err
		}
	}
	for _, read := range []string{r.judge.target, r.join.policy} { // greedy and active are no files, unless such ones lie there
		if err := notRead(read, outputs...); err != nil {
			return err
		}
	}
	return nil
}

// judgeLog measures an opened log and lets tell write what it says, or writes the partial result of a shard. The error of
// gates that failed comes last: all is written by then.
func (p *program) judgeLog(ctx context.Context, r *logRun, in *opened, shard *evaluation.Shard, outputs []string, tell func(*measuredLog) ([]gate.Result, error)) error {
	if err := r.spares(in.log, outputs...); err != nil {
		return err
	}
	found, err := p.measure(ctx, r, in, shard)
	if err != nil {
		return err
	}
	var results []gate.Result
	if shard != nil {
		err = p.writePartial(r.job.out, found)
	} else {
		results, err = tell(found)
	}
	if err != nil {
		return err
	}
	if err := r.job.forget(); err != nil {
		return err
	}
	return tellGates(results)
}

// measuredLog is what a run found: an outcome of the whole log, or a partial result of a shard.
type measuredLog struct {
	outcome *evaluation.Outcome // nil: of a shard
	partial *evaluation.Partial // nil: of the whole log
	run     *evaluation.RunDocument
}

// measure runs over the log, or over the files of a shard of it.
func (p *program) measure(ctx context.Context, r *logRun, in *opened, shard *evaluation.Shard) (*measuredLog, error) {
	for _, f := range in.log.Files() {
		if r.job.checkpoint != "" && f.Size < 0 {
			return nil, usageError("--checkpoint: %s cannot be read again, expected a log of files", f.Name)
		}
	}
	began := p.now()
	config, err := p.runConfig(r, in)
	if err != nil {
		return nil, err
	}
	source, err := evaluation.LogSource(in.log, r.job.checkpoint != "")
	if err != nil {
		return nil, logError(ctx, err)
	}
	bar := p.startBytes("evaluate", in.log.Size())
	defer bar.end()
	config.Progress = func(int64) { bar.set(in.log.Read()) }
	m := &measuredLog{}
	if shard != nil {
		if m.partial, err = evaluation.RunShard(ctx, source, *shard, config); err != nil {
			return nil, cmp.Or(checkpointError(r.job.checkpoint, err), logError(ctx, err))
		}
		t := m.partial.Tally()
		m.run = evaluation.RunDocumentOf(p.version, &t, m.partial.Files)
		m.run.Shard = shard
	} else {
		if m.outcome, err = p.measureAll(ctx, in, source, config); err != nil {
			return nil, cmp.Or(checkpointError(r.job.checkpoint, err), logError(ctx, err))
		}
		m.run = evaluation.RunDocumentOf(p.version, &m.outcome.Tally, m.outcome.Files)
	}
	m.run.Workers = r.job.workers
	m.run.Took(p.now().Sub(began).Seconds())
	return m, nil
}

// measureAll runs over the whole log, and looks for decisions that come back where that was asked for.
func (p *program) measureAll(ctx context.Context, in *opened, source evaluation.Source, config *evaluation.Config) (*evaluation.Outcome, error) {
	var unique *policylog.Unique
	if in.settings.CheckUnique {
		unique = policylog.NewUnique("")
		defer func() { _ = unique.Close() }() // what it kept is of no more use
		config.Watch = unique.Add
	}
	outcome, err := evaluation.Run(ctx, source, config)
	switch {
	case err != nil:
		return nil, err
	case outcome.Rows == 0:
		return nil, emptyError(outcome)
	case unique != nil:
		return outcome, in.log.Named(ctx, unique.Check(in.log.Files()))
	}
	return outcome, nil
}

// emptyError says that nothing was left to judge, and where.
func emptyError(o *evaluation.Outcome) error {
	var names []string
	for i := range o.Files[:min(3, len(o.Files))] {
		names = append(names, o.Files[i].Name)
	}
	where := strings.Join(names, ", ")
	if more := len(o.Files) - len(names); more > 0 {
		where += " and " + plural(more, "file", "files") + " more"
	}
	if o.Skipped > 0 {
		return usageError("%s: %v but bad ones, %d; the first: %s", where, policylog.ErrEmpty, o.Skipped, o.Bad[0].String())
	}
	return usageError("%s: %v", where, policylog.ErrEmpty)
}

func (p *program) runConfig(r *logRun, in *opened) (*evaluation.Config, error) {
	parts, err := in.settings.Parts()
	if err != nil {
		return nil, usageError("%v", err)
	}
	settings, err := in.settings.Encode()
	if err != nil {
		return nil, err
	}
	config := &evaluation.Config{Version: p.version, Settings: settings, Parts: parts, Workers: r.job.workers}
	if r.job.checkpoint != "" {
		config.Checkpoint, err = p.checkpoint(&r.job)
	}
	return config, err
}

// maxCheckpointBytes is far above what the measures of a run and its files come to.
const maxCheckpointBytes = 1 << 30

func (p *program) checkpoint(job *jobFlags) (*evaluation.Checkpoint, error) {
	c := &evaluation.Checkpoint{
		Every: job.every, Now: p.now,
		Save: func(data []byte) error { return writeFiles(bytesTo(job.checkpoint, data)) },
	}
	if _, err := os.Stat(job.checkpoint); errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	var err error
	if c.Found, err = readInput(job.checkpoint, maxCheckpointBytes); err == nil {
		p.note("going on from %s", job.checkpoint)
	}
	return c, err
}

// forget removes the checkpoint of a run whose result is written.
func (job *jobFlags) forget() error {
	if job.checkpoint == "" {
		return nil
	}
	if err := os.Remove(job.checkpoint); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// openError is about names and columns: nothing of the log was read yet.
func openError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e := (*policylog.FileError)(nil); errors.As(err, &e) && e.Column == policylog.ColumnTarget {
		return usageError("%v; or give --target-policy", err)
	}
	return usageError("%v", err)
}

// logError marks what is wrong with a log, a checkpoint or the flags as such.
func logError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	bad, file, row := (*policylog.RowError)(nil), (*policylog.FileError)(nil), (*evaluation.RowError)(nil)
	batch, repeated := (*policy.BatchError)(nil), (*policylog.RepeatedError)(nil)
	switch {
	case errors.As(err, &bad), errors.As(err, &file), errors.As(err, &row), errors.As(err, &batch), errors.As(err, &repeated),
		errors.Is(err, evaluation.ErrCheckpoint), errors.Is(err, evaluation.ErrSegments), errors.Is(err, evaluation.ErrPartial):
		return usageError("%v", err)
	}
	return err
}

// checkpointError names the checkpoint that was refused; nil where it is about something else.
func checkpointError(name string, err error) error {
	if !errors.Is(err, evaluation.ErrCheckpoint) {
		return nil
	}
	return usageError("--checkpoint: %s: %v", name, err)
}

// interruptible reads from what may keep its reader waiting for ever, such as a pipe, until ctx is done.
type interruptible struct {
	ctx  context.Context //nolint:containedctx // a Reader has no other way to be told
	from io.Reader
	got  chan chunkRead // nil: nothing is being read
	rest []byte
	buf  [64 << 10]byte
}

type chunkRead struct {
	n   int
	err error
}

// Read implements io.Reader.
func (r *interruptible) Read(into []byte) (int, error) {
	if len(r.rest) > 0 {
		n := copy(into, r.rest)
		r.rest = r.rest[n:]
		return n, nil
	}
	if r.got == nil {
		r.got = make(chan chunkRead, 1) // who reads for nobody must not stay
		go func() {
			n, err := r.from.Read(r.buf[:])
			r.got <- chunkRead{n, err}
		}()
	}
	select {
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	case c := <-r.got:
		r.got = nil
		n := copy(into, r.buf[:c.n])
		if r.rest = r.buf[n:c.n]; len(r.rest) > 0 {
			return n, nil // an error comes again
		}
		return n, c.err
	}
}
