package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
)

// quarantineOptions are the flags of features quarantine.
type quarantineOptions struct {
	store string
	json  bool
}

func (p *program) featuresQuarantineCommand() *cobra.Command {
	var o quarantineOptions
	cmd := &cobra.Command{
		Use:   "quarantine",
		Short: "List the facts that came dated after their recording and count in no profile",
		Long: "List the facts about customers that were dated more than five minutes after the store took them: a clock that is\n" +
			"wrong, or a day that was mistyped. They are kept as they came, and are part of no profile. Whoever sent one sends it\n" +
			"again with the right time, or again when its time has come.",
		Example: "  fundmatch features quarantine --store sqlite:bank.db\n  fundmatch features quarantine --json",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.featuresQuarantine(cmd.Context(), &o)
		},
	}
	cmd.Flags().StringVar(&o.store, "store", defaultStore, "store: sqlite:PATH or postgres://...")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON document")
	return cmd
}

// quarantinedAnswer is what features quarantine --json prints.
type quarantinedAnswer struct {
	Facts []quarantinedFact `json:"facts"`
}

type quarantinedFact struct {
	CustomerID string `json:"customerId"`
	What       string `json:"what"`
	EventAt    string `json:"eventAt"`
	RecordedAt string `json:"recordedAt"`
	Content    string `json:"content"`
}

func (p *program) featuresQuarantine(ctx context.Context, o *quarantineOptions) (err error) {
	spec, err := parseStore(o.store)
	if err != nil {
		return err
	}
	store, err := spec.open(ctx, mustExist)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if o.json {
		answer := quarantinedAnswer{Facts: []quarantinedFact{}}
		err := store.Quarantined(ctx, func(q *features.QuarantinedFact) error {
			answer.Facts = append(answer.Facts, quarantinedFact{q.CustomerID, q.What, q.EventAt.String(), q.RecordedAt.String(), q.Content})
			return nil
		})
		if err != nil {
			return err
		}
		return p.printJSON(answer)
	}
	return p.writeOut("", func(w io.Writer) error {
		n := 0
		err := store.Quarantined(ctx, func(q *features.QuarantinedFact) error {
			n++
			_, err := fmt.Fprintf(w, "%s  %s  dated %s, recorded %s\n    %s\n", q.CustomerID, q.What, shanghai(q.EventAt.Time()), shanghai(q.RecordedAt.Time()), q.Content)
			return err
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s in quarantine\n", plural(n, "fact", "facts"))
		return err
	})
}
