package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/extract"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// receiptOptions are the flags of features verify.
type receiptOptions struct {
	store, catalogue, decisions string
	since, decision             string
	json                        bool
}

func (p *program) featuresVerifyCommand() *cobra.Command {
	var o receiptOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Compare what past decisions were made with, feature by feature, with the store as of then",
		Long: "Compare the profile that each recorded decision sealed with what the store says today of that instant, feature\n" +
			"by feature: MATCH, MISMATCH, MISSING (sealed, not in the store), EXTRA (in the store, not sealed). A fact that was\n" +
			"written after the decision and dated back shows as EXTRA or MISMATCH, with that reason. Exit code 1 when anything\n" +
			"is a MISMATCH or MISSING.",
		Example: "  fundmatch features verify --since 2026-06-01T00:00:00+08:00\n" +
			"  fundmatch features verify --decision 01890a5d-ac96-774b-bcce-b302099a8057 --json",
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.featuresVerify(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.store, "store", defaultStore, "store: sqlite:PATH or postgres://...")
	f.StringVar(&o.catalogue, "catalogue", "", "file of the bank's views (default: those in force in the store)")
	f.StringVar(&o.decisions, "decisions", "", "directory of the decision log (default beside the store: PATH.decisions)")
	f.StringVar(&o.since, "since", "", "only what was recorded at or after this instant, RFC 3339")
	f.StringVar(&o.decision, "decision", "", "only this decision")
	f.BoolVar(&o.json, "json", false, "print one JSON document")
	return cmd
}

func (p *program) featuresVerify(ctx context.Context, o *receiptOptions) error {
	since, err := parseSince(o.since)
	if err != nil {
		return err
	}
	if o.since != "" && o.decision != "" {
		return usageError("--since: expected without --decision")
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
	run := receiptRun{program: p, store: store, sum: newReceiptSummary()}
	if run.catalogueAt, err = cataloguesOf(ctx, o.catalogue, store); err != nil {
		return err
	}
	if o.decision != "" {
		if err := run.all(ctx, one(ctx, reader, o.decision), 1); err != nil {
			return err
		}
		return run.tell(o.json)
	}
	if err := run.all(ctx, reader.All(ctx, int64(since)), p.countRecords(ctx, reader, since)); err != nil {
		return err
	}
	err = run.tell(o.json)
	return errors.Join(err, checkEnds(ctx, reader, err))
}

// one yields a single decision as a log would.
func one(ctx context.Context, reader *decisionlog.Reader, id string) iter.Seq2[decisionlog.Stored, error] {
	return func(yield func(decisionlog.Stored, error) bool) {
		stored, err := reader.Find(ctx, id)
		switch {
		case errors.Is(err, decisionlog.ErrErased):
			stored.Erased, err = true, nil
		case errors.Is(err, decisionlog.ErrNotFound):
			err = &features.NotFoundError{Kind: features.DecisionKind, ID: id}
		}
		yield(stored, err)
	}
}

// countRecords counts what a progress bar will show; -1 where nobody looks.
func (p *program) countRecords(ctx context.Context, reader *decisionlog.Reader, since fund.Instant) int64 {
	if p.quiet || !p.terminal {
		return -1
	}
	n := int64(0)
	for _, err := range reader.All(ctx, int64(since)) {
		if err != nil {
			return -1 // told when it is read in earnest
		}
		n++
	}
	return n
}

// receiptSummary is what features verify --json prints.
type receiptSummary struct {
	Decisions int             `json:"decisions"` // compared
	Erased    int             `json:"erased"`    // whose personal values were erased, of the record or of the customer
	Other     int             `json:"other"`     // records without a profile: repeated answers
	Match     int             `json:"match"`     // features
	Mismatch  int             `json:"mismatch"`
	Missing   int             `json:"missing"`
	Extra     int             `json:"extra"`
	Findings  []findingAnswer `json:"findings"` // at most 1,000
	// Program is the version of the derived features' definitions that this program has, and
	// Sealed what the compared decisions were made by.
	Program string              `json:"programDefinitions"`
	Sealed  []definitionsAnswer `json:"sealedDefinitions"`
}

func newReceiptSummary() receiptSummary {
	return receiptSummary{Findings: []findingAnswer{}, Program: behaviour.DefinitionVersion, Sealed: []definitionsAnswer{}}
}

// findingAnswer is one feature of one decision that is no match.
type findingAnswer struct {
	DecisionID string `json:"decisionId"`
	CustomerID string `json:"customerId"`
	DecidedAt  string `json:"decidedAt"`
	Feature    string `json:"feature"`
	Verdict    string `json:"verdict"`
	Sealed     string `json:"sealed"` // status, value and event time; empty of a part of the profile
	Store      string `json:"store"`
	Why        string `json:"why"`
}

// receiptRun compares decisions with the store.
type receiptRun struct {
	program *program
	store   historyStore
	// catalogueAt gives the views by which a decision of an instant is compared.
	catalogueAt func(fund.Instant) (*view.Catalogue, error)
	sum         receiptSummary
}

// cataloguesOf gives the views of a file for every instant, or those that were in force.
func cataloguesOf(ctx context.Context, file string, store features.Models) (func(fund.Instant) (*view.Catalogue, error), error) {
	if file == "" {
		history, err := readViewsHistory(ctx, store)
		return history.at, err
	}
	c, _, err := readViewsFile(file)
	return func(fund.Instant) (*view.Catalogue, error) { return c, nil }, err
}

// receiptBatch is how many decisions are compared with one reading of the store.
const receiptBatch = 256

func (r *receiptRun) all(ctx context.Context, records iter.Seq2[decisionlog.Stored, error], total int64) error {
	bar := r.program.startProgress("verify", "decisions", total)
	defer bar.end()
	var batch []decisionlog.Stored
	done := int64(0)
	for stored, err := range records {
		if err != nil {
			return err
		}
		done++
		switch {
		case stored.Erased:
			r.sum.Erased++
		case len(stored.Profile) == 0:
			r.sum.Other++
		default:
			batch = append(batch, stored)
		}
		if len(batch) < receiptBatch {
			continue
		}
		if err := r.compare(ctx, batch); err != nil {
			return err
		}
		batch = batch[:0]
		bar.set(done)
	}
	return r.compare(ctx, batch)
}

// compare reads the customers of some decisions at once; findings stand in the order of the log.
func (r *receiptRun) compare(ctx context.Context, batch []decisionlog.Stored) error {
	of := map[string][]int{} // the places of each customer's decisions
	ids := []string{}        // not nil: nobody is not everybody
	for i := range batch {
		id := batch[i].CustomerID
		if of[id] == nil {
			ids = append(ids, id)
		}
		of[id] = append(of[id], i)
	}
	slices.Sort(ids)
	receipts := make([]*extract.Receipt, len(batch))
	err := r.store.Histories(ctx, features.HistoryQuery{CustomerIDs: ids}, func(h *features.History) (err error) {
		for _, i := range of[h.CustomerID] {
			if receipts[i], err = r.check(&batch[i], h); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range batch {
		if receipts[i] == nil {
			receipts[i], err = r.checkUnknown(ctx, &batch[i])
		}
		if err == nil {
			err = r.add(&batch[i], receipts[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// check compares one decision with its customer's history.
func (r *receiptRun) check(d *decisionlog.Stored, h *features.History) (*extract.Receipt, error) {
	sealed, err := fund.ParseProfile(d.Profile)
	if err != nil {
		return nil, fmt.Errorf("decision %s: sealed profile: %w", d.DecisionID, err)
	}
	catalogue, err := r.catalogueAt(fund.Instant(d.DecidedAt))
	if err != nil {
		return nil, fmt.Errorf("decision %s: %w", d.DecisionID, err)
	}
	receipt, err := extract.CheckReceipt(catalogue, sealed, h, fund.Instant(d.DecidedAt))
	if err != nil {
		return nil, fmt.Errorf("decision %s: %w", d.DecisionID, err)
	}
	return &receipt, nil
}

// checkUnknown compares a decision about a customer whom the store does not know; nil: it
// forgot him at his own word.
func (r *receiptRun) checkUnknown(ctx context.Context, d *decisionlog.Stored) (*extract.Receipt, error) {
	erased, err := r.erased(ctx, d.CustomerID)
	if err != nil || erased {
		return nil, err
	}
	return r.check(d, nil)
}

// erased reports whether the store forgot a customer at his own word.
func (r *receiptRun) erased(ctx context.Context, customerID string) (bool, error) {
	store, ok := r.store.(features.Erasures)
	if !ok {
		return false, nil
	}
	_, err := store.Erased(ctx, customerID)
	if errors.Is(err, features.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// add counts a receipt; nil: of a customer whom the store forgot.
func (r *receiptRun) add(d *decisionlog.Stored, receipt *extract.Receipt) error {
	if receipt == nil {
		r.sum.Erased++
		return nil
	}
	id, err := matcher.RecordedIdentity(d.Payload)
	if err != nil {
		return fmt.Errorf("decision %s: %w", d.DecisionID, err)
	}
	s := &r.sum
	s.sealDefinitions(id.Definitions)
	s.Decisions++
	s.Match += receipt.Matches
	for i := range receipt.Findings {
		f := &receipt.Findings[i]
		switch f.Verdict {
		case extract.Mismatch:
			s.Mismatch++
		case extract.Missing:
			s.Missing++
		case extract.Extra:
			s.Extra++
		case extract.Match:
		}
		if len(s.Findings) < maxDiffering {
			s.Findings = append(s.Findings, findingAnswer{
				d.DecisionID, d.CustomerID, fund.Instant(d.DecidedAt).String(), f.Feature, string(f.Verdict),
				cellText(&f.Sealed), cellText(&f.Then), f.Why,
			})
		}
	}
	return nil
}

// cellText is what was read of a feature, in one line.
func cellText(c *view.Cell) string {
	if c.Status == 0 {
		return ""
	}
	text := []string{c.Status.String()}
	if c.Status == view.Present {
		text = append(text, string(c.Value.AppendJSON(nil)))
	}
	if c.From > 0 {
		text = append(text, "since "+c.From.String())
	}
	return strings.Join(text, " ")
}

// tell prints what was found; a mismatch, and what is missing, is a failed check.
func (r *receiptRun) tell(asJSON bool) error {
	s := &r.sum
	if asJSON {
		if err := r.program.printJSON(s); err != nil {
			return err
		}
	} else {
		var c card
		for i := range s.Findings {
			f := &s.Findings[i]
			c.line(0, "%s %s %s %s", f.DecisionID, f.DecidedAt, f.Verdict, f.Feature)
			c.textLine(1, "sealed: ", f.Sealed)
			c.textLine(1, "store:  ", f.Store)
			c.textLine(1, "why:    ", f.Why)
		}
		c.definitions(s.Sealed)
		c.line(0, "%d decisions, %d ERASED, %d without a profile; features: %d MATCH, %d MISMATCH, %d MISSING, %d EXTRA",
			s.Decisions, s.Erased, s.Other, s.Match, s.Mismatch, s.Missing, s.Extra)
		if err := c.writeTo(r.program.stdout); err != nil {
			return err
		}
	}
	if s.Extra > 0 {
		r.program.note("notice: EXTRA is what the store has of then and the decision did not see: as a rule it was written later and dated back")
	}
	if s.Mismatch+s.Missing > 0 {
		return failedError("%s, %d missing: the store does not give what was sealed", plural(s.Mismatch, "mismatch", "mismatches"), s.Missing)
	}
	return nil
}
