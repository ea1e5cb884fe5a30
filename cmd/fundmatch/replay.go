package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decision"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
)

// replayOptions are the flags of replay.
type replayOptions struct {
	store, decisions string
	since            string
	all, json        bool
	workers          int
}

func (p *program) replayCommand() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay DECISION_ID | --all",
		Short: "Compute recorded decisions again and compare them bit for bit",
		Long: "Compute recorded decisions again from the sealed profiles and the revisions that they name, and compare\n" +
			"the canonical bytes. Exit code 1 when one differs on the same engine; ENGINE_DIFFERS and ERASED are reported.",
		Example: "  fundmatch replay 01890a5d-ac96-774b-bcce-b302099a8057\n  fundmatch replay --all --since 2026-06-01T00:00:00+08:00 --json",
		Args:    arguments(1, "DECISION_ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.replay(cmd.Context(), args, &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.store, "store", defaultStore, "store: sqlite:PATH or postgres://...")
	f.StringVar(&o.decisions, "decisions", "", "directory of the decision log (default beside the store: PATH.decisions)")
	f.BoolVar(&o.all, "all", false, "replay every recorded decision")
	f.StringVar(&o.since, "since", "", "with --all: only what was recorded at or after this instant, RFC 3339")
	f.BoolVar(&o.json, "json", false, "print one JSON document")
	f.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "decisions computed at a time; the result does not depend on it")
	return cmd
}

func (o *replayOptions) check(args []string) (since fund.Instant, err error) {
	switch {
	case o.all == (len(args) == 1):
		return 0, usageError("replay: expected either a decision id or --all")
	case o.since != "" && !o.all:
		return 0, usageError("--since: expected together with --all")
	case o.workers < 1 || o.workers > maxWorkers:
		return 0, usageError("--workers: %d, expected 1 to %d", o.workers, maxWorkers)
	}
	return parseSince(o.since)
}

const maxWorkers = 1024

// parseSince reads a --since; "" is the beginning.
func parseSince(text string) (fund.Instant, error) {
	at, err := fund.ParseInstant(text)
	if err != nil {
		return 0, usageError("--since: %.80q, expected an RFC 3339 time such as 2026-06-01T00:00:00+08:00", text)
	}
	return at, nil
}

func (p *program) replay(ctx context.Context, args []string, o *replayOptions) error {
	since, err := o.check(args)
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
	store, err := spec.open(ctx, mustExist)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing was written
	loader, err := engine.NewLoader(store, store, p.version)
	if err != nil {
		return err
	}
	service := decision.New(loader, reader)
	if o.all {
		err := p.replayAll(ctx, service, reader.All(ctx, int64(since)), o)
		return errors.Join(err, checkEnds(ctx, reader, err))
	}
	return p.replayOne(ctx, service, args[0], o)
}

// openDecisions opens a decision log that has to be there.
func openDecisions(dir string) (*decisionlog.Reader, error) {
	reader, err := decisionlog.OpenReader(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unavailableError(err, "--decisions %s: there is no decision log", dir)
	}
	return reader, err
}

// checkEnds tells of a log whose end is torn, once what stands before it was worked
// through: an answer about all records must not pass over one in silence. Where that work
// did not come to its end it says nothing more.
func checkEnds(ctx context.Context, reader *decisionlog.Reader, worked error) error {
	if worked != nil && (codeOf(worked) != exitFailed || errors.Is(worked, decisionlog.ErrCorrupt)) {
		return nil
	}
	return reader.CheckEnds(ctx)
}

func (p *program) replayOne(ctx context.Context, service *decision.Service, id string, o *replayOptions) error {
	answer, err := service.ReplayDecision(ctx, &fundmatchv1.ReplayDecisionRequest{DecisionId: id})
	if err != nil {
		return replayFailure(err)
	}
	if o.json {
		err = p.printMessage(answer)
	} else {
		err = p.printVerdict(answer)
	}
	if err == nil && answer.GetVerdict() == string(decision.Mismatch) {
		err = failedError("decision %s: the same engine gives another answer", id)
	}
	return err
}

func (p *program) printVerdict(a *fundmatchv1.ReplayDecisionResponse) error {
	var c card
	c.line(0, "%s %s", a.GetDecisionId(), a.GetVerdict())
	for _, d := range a.GetDifferences() {
		c.line(1, "%s", d)
	}
	return c.writeTo(p.stdout)
}

// replayFailure tells a decision that is not in the log from one that the store cannot
// give back: a store without its revision is another store than the one it was made from.
func replayFailure(err error) error {
	unknown := (*features.NotFoundError)(nil)
	if errors.As(err, &unknown) && unknown.Kind == features.DecisionKind {
		return err
	}
	if errors.Is(err, features.ErrNotFound) {
		return unavailableError(err, "the store lacks what the decision was made from: %v", err)
	}
	return err
}

// replaySummary is what replay --all --json prints.
type replaySummary struct {
	Decisions     int              `json:"decisions"`
	Match         int              `json:"match"`
	Mismatch      int              `json:"mismatch"`
	EngineDiffers int              `json:"engineDiffers"`
	Erased        int              `json:"erased"`
	Served        int              `json:"served"` // repeated answers, which have nothing to recompute
	Differing     []replayedRecord `json:"differing"`
}

// replayedRecord is one decision that gave another answer.
type replayedRecord struct {
	DecisionID  string   `json:"decisionId"`
	Verdict     string   `json:"verdict"`
	Differences []string `json:"differences"`
}

// maxDiffering bounds the list of decisions that differ: when all do, the first tell why.
const maxDiffering = 1000

func (s *replaySummary) add(a *fundmatchv1.ReplayDecisionResponse) {
	s.Decisions++
	switch decision.Verdict(a.GetVerdict()) {
	case decision.Match:
		s.Match++
		return
	case decision.Erased:
		s.Erased++
		return
	case decision.EngineDiffers:
		s.EngineDiffers++
	case decision.Mismatch:
		s.Mismatch++
	}
	if len(s.Differing) < maxDiffering {
		s.Differing = append(s.Differing, replayedRecord{a.GetDecisionId(), a.GetVerdict(), a.GetDifferences()})
	}
}

// replayBatch is how many decisions a worker has in hand at a time.
const replayBatch = 32

func (p *program) replayAll(ctx context.Context, service *decision.Service, records func(func(decisionlog.Stored, error) bool), o *replayOptions) error {
	bar := p.startProgress("replay", "decisions", -1)
	defer bar.end()
	sum := replaySummary{Differing: []replayedRecord{}}
	batch := make([]decisionlog.Stored, 0, replayBatch*o.workers)
	flush := func() error {
		answers, err := replayTogether(ctx, service, batch, o.workers)
		if err != nil {
			return replayFailure(err)
		}
		for _, a := range answers {
			sum.add(a)
		}
		batch = batch[:0]
		bar.set(int64(sum.Decisions))
		return nil
	}
	for stored, err := range records {
		if err != nil {
			return err
		}
		if stored.Kind != decisionlog.KindDecision {
			sum.Served++
			continue
		}
		if batch = append(batch, stored); len(batch) == cap(batch) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	bar.end()
	return p.tellReplay(&sum, o)
}

// replayTogether computes a batch with several workers, each a share of its own; the
// answers stand in the order of the records.
func replayTogether(ctx context.Context, service *decision.Service, batch []decisionlog.Stored, workers int) ([]*fundmatchv1.ReplayDecisionResponse, error) {
	answers := make([]*fundmatchv1.ReplayDecisionResponse, len(batch))
	group, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		group.Go(func() error {
			for i := w; i < len(batch); i += workers {
				if err := ctx.Err(); err != nil {
					return err
				}
				var err error
				if answers[i], err = service.Replay(ctx, &batch[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return answers, group.Wait()
}

func (p *program) tellReplay(s *replaySummary, o *replayOptions) error {
	var err error
	if o.json {
		err = p.printJSON(s)
	} else {
		var c card
		for _, d := range s.Differing {
			c.line(0, "%s %s", d.DecisionID, d.Verdict)
			for _, text := range d.Differences {
				c.line(1, "%s", text)
			}
		}
		c.line(0, "%d decisions: %d MATCH, %d MISMATCH, %d ENGINE_DIFFERS, %d ERASED; %d served again",
			s.Decisions, s.Match, s.Mismatch, s.EngineDiffers, s.Erased, s.Served)
		err = c.writeTo(p.stdout)
	}
	if err == nil && s.Mismatch > 0 {
		err = failedError("%s of the same engine", plural(s.Mismatch, "mismatch", "mismatches"))
	}
	return err
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
