package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// decisionsOptions are the flags of the decision log's verbs.
type decisionsOptions struct {
	store, decisions   string
	since, format, out string
	json               bool
}

func (o *decisionsOptions) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.store, "store", defaultStore, "store beside which the decision log lies: sqlite:PATH or postgres://...")
	cmd.Flags().StringVar(&o.decisions, "decisions", "", "directory of the decision log (default beside the store: PATH.decisions)")
}

// dir returns the directory of the log. The store itself is not opened.
func (o *decisionsOptions) dir() (string, error) {
	spec, err := parseStore(o.store)
	if err != nil {
		return "", err
	}
	if dir := spec.decisions(o.decisions); dir != "" {
		return dir, nil
	}
	return "", usageError("--decisions: expected a directory, since %s has none of its own", spec.text)
}

func (p *program) decisionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "decisions",
		Short:   "Work with the decision log",
		Example: "  fundmatch decisions verify\n  fundmatch decisions export --format parquet --out decisions.parquet",
		Args:    arguments(0),
		RunE:    needsVerb,
	}
	cmd.AddCommand(p.verifyCommand(), p.exportCommand())
	return cmd
}

func (p *program) verifyCommand() *cobra.Command {
	var o decisionsOptions
	cmd := &cobra.Command{
		Use:     "verify",
		Short:   "Walk the hash chains; exit code 1 names the first broken record",
		Example: "  fundmatch decisions verify --store sqlite:bank.db\n  fundmatch decisions verify --decisions /var/lib/fundmatch/decisions --json",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.verify(cmd.Context(), &o)
		},
	}
	o.addTo(cmd)
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON document")
	return cmd
}

// verifyAnswer is what decisions verify --json prints.
type verifyAnswer struct {
	Whole    bool           `json:"whole"`
	Broken   *brokenPlace   `json:"broken"` // null when whole
	Segments int            `json:"segments"`
	Records  uint64         `json:"records"`
	Erased   uint64         `json:"erased"`
	Bytes    int64          `json:"bytes"`
	Writers  []writerAnswer `json:"writers"`
}

type brokenPlace struct {
	Path    string `json:"path"`
	Writer  uint32 `json:"writer"`
	Segment uint64 `json:"segment"`
	Record  uint64 `json:"record"`
	Offset  int64  `json:"offset"`
	Reason  string `json:"reason"`
}

type writerAnswer struct {
	Writer   uint32   `json:"writer"`
	Segments int      `json:"segments"`
	Records  uint64   `json:"records"`
	Erased   uint64   `json:"erased"`
	Chain    string   `json:"chain"` // last link: keep it elsewhere to notice records cut off at the end
	Torn     []string `json:"torn"`  // files that recovery set aside
}

func newVerifyAnswer(r *decisionlog.Report, broken *decisionlog.BrokenError) verifyAnswer {
	a := verifyAnswer{
		Whole: broken == nil, Segments: r.Segments, Records: r.Records, Erased: r.Erased, Bytes: r.Bytes,
		Writers: make([]writerAnswer, len(r.Writers)),
	}
	if broken != nil {
		a.Broken = &brokenPlace{broken.Path, broken.Writer, broken.Segment, broken.Index, broken.Offset, broken.Reason}
	}
	for i := range r.Writers {
		w := &r.Writers[i]
		a.Writers[i] = writerAnswer{w.Writer, w.Segments, w.Records, w.Erased, w.Chain.String(), append([]string{}, w.Torn...)}
	}
	return a
}

func (p *program) verify(ctx context.Context, o *decisionsOptions) error {
	dir, err := o.dir()
	if err != nil {
		return err
	}
	if _, err := openDecisions(dir); err != nil {
		return err
	}
	bar := p.startBytes("verify", -1)
	known := false
	report, err := decisionlog.Verify(ctx, dir, func(done, total int64) {
		if !known {
			known = true
			bar.rename("verify", max(total, 1))
		}
		bar.set(done)
	})
	bar.end()
	broken := (*decisionlog.BrokenError)(nil)
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	answer := newVerifyAnswer(&report, broken)
	if o.json {
		return errors.Join(err, p.printJSON(answer))
	}
	return errors.Join(err, p.printVerified(&answer))
}

func (p *program) printVerified(a *verifyAnswer) error {
	var c card
	for i := range a.Writers {
		w := &a.Writers[i]
		c.line(0, "writer %d: %d segments, %d records, %d erased, chain %s", w.Writer, w.Segments, w.Records, w.Erased, w.Chain)
		for _, t := range w.Torn {
			c.line(1, "set aside by recovery: %s", t)
		}
	}
	if a.Whole {
		c.line(0, "whole: %d records in %d segments, %d bytes", a.Records, a.Segments, a.Bytes)
	}
	return c.writeTo(p.stdout)
}

func (p *program) exportCommand() *cobra.Command {
	var o decisionsOptions
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the recorded decisions as a table, a row for each item",
		Long: "Write the recorded decisions as a table, a row for each item. A decision without items, an erased one and\n" +
			"one that was served again have one row at position 0.",
		Example: "  fundmatch decisions export --out decisions.csv\n  fundmatch decisions export --format parquet --since 2026-06-01T00:00:00+08:00 --out june.parquet",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.export(cmd.Context(), &o)
		},
	}
	o.addTo(cmd)
	cmd.Flags().StringVar(&o.format, "format", "csv", "csv, ndjson or parquet")
	cmd.Flags().StringVar(&o.out, "out", "", "file to write (default stdout)")
	cmd.Flags().StringVar(&o.since, "since", "", "only what was recorded at or after this instant, RFC 3339")
	return cmd
}

func (p *program) export(ctx context.Context, o *decisionsOptions) error {
	since, err := parseSince(o.since)
	if err != nil {
		return err
	}
	table, ok := exportTables()[o.format]
	if !ok {
		return usageError("--format: %.80q, expected csv, ndjson or parquet", o.format)
	}
	dir, err := o.dir()
	if err != nil {
		return err
	}
	reader, err := openDecisions(dir)
	if err != nil {
		return err
	}
	bar := p.startProgress("export", "records", -1)
	defer bar.end()
	rows := 0
	err = p.writeOut(o.out, func(w io.Writer) error {
		t, err := table(w)
		if err != nil {
			return err
		}
		n, err := exportAll(t, reader.All(ctx, int64(since)), bar)
		rows = n
		return err
	})
	bar.end()
	if err != nil {
		return err
	}
	p.note("exported %s", plural(rows, "row", "rows"))
	return reader.CheckEnds(ctx)
}
