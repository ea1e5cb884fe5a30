package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/extract"
	past "github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// asOfOptions are the flags of features as-of.
type asOfOptions struct {
	featuresOptions
	at, known string
	json      bool
}

func (p *program) featuresAsOfCommand() *cobra.Command {
	var o asOfOptions
	cmd := &cobra.Command{
		Use:   "as-of CUSTOMER_ID",
		Short: "Show one customer as he was at an instant, as he was known at another",
		Long: "Show every feature of one customer as of an instant: value, status, since when, until when, how old. Without\n" +
			"--known it is what was known at that instant; --known now is what is known of it today.",
		Example: "  fundmatch features as-of C000001\n" +
			"  fundmatch features as-of C000001 --at 2026-06-01T10:00:00+08:00 --known 2026-07-01 --views tag,consent --json",
		Args: arguments(0, "CUSTOMER_ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.featuresAsOf(cmd.Context(), args[0], &o)
		},
	}
	o.addStore(cmd)
	o.addReader(cmd)
	f := cmd.Flags()
	f.StringVar(&o.at, "at", "", "as of this instant, RFC 3339 or a day (default now)")
	f.StringVar(&o.known, "known", "", "as known at this instant, RFC 3339 or a day, or now (default --at)")
	f.BoolVar(&o.json, "json", false, "print one JSON document")
	return cmd
}

// asOf reads the instants. Neither is in the future: what will be known is not known.
func (o *asOfOptions) asOf(now fund.Instant) (a features.AsOf, err error) {
	a = features.AsKnown(now)
	if o.at != "" {
		if a.At, err = parseWhen("at", o.at); err != nil {
			return a, err
		}
		a.Known = a.At
	}
	switch o.known {
	case "":
	case "now":
		a.Known = now
	default:
		if a.Known, err = parseWhen("known", o.known); err != nil {
			return a, err
		}
	}
	if a.At > now || a.Known > now {
		return a, usageError("--at, --known: %s, %s, expected instants that are not later than now, %s", a.At, a.Known, now)
	}
	return a, nil
}

func (p *program) featuresAsOf(ctx context.Context, customerID string, o *asOfOptions) error {
	a, err := o.asOf(fund.InstantOf(p.now()))
	if err != nil {
		return err
	}
	if fund.CheckID(customerID) != nil {
		return usageError("%.80q, expected a customer id", customerID)
	}
	store, err := openHistories(ctx, o.store)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing was written
	catalogue, err := chooseCatalogue(ctx, o.catalogue, store, a.At)
	if err != nil {
		return err
	}
	request, err := o.request(catalogue)
	if err != nil {
		return err
	}
	profile, err := readAsOf(ctx, store, customerID, a)
	if err != nil {
		return err
	}
	var plan *view.Plan
	if o.views != "" {
		plan, _, err = o.plan(catalogue)
	} else {
		plan, err = catalogue.Plan(extract.RefsOf(catalogue, profile))
	}
	if err != nil {
		return err
	}
	request.At = a.At
	answer := newAsOfAnswer(customerID, a, request, plan.Read(profile, &request, nil), plan.Types())
	if o.json {
		return p.printJSON(answer)
	}
	return p.printAsOf(&answer)
}

// readAsOf folds a customer's profile as of then.
func readAsOf(ctx context.Context, store historyStore, customerID string, a features.AsOf) (profile *fund.Profile, err error) {
	err = store.Histories(ctx, features.HistoryQuery{CustomerIDs: []string{customerID}}, func(h *features.History) (err error) {
		profile, err = past.AsOf(h, a)
		return err
	})
	if err == nil && profile == nil {
		err = &features.NotFoundError{Kind: features.CustomerKind, ID: customerID}
	}
	return profile, err
}

// asOfAnswer is what features as-of --json prints.
type asOfAnswer struct {
	CustomerID string       `json:"customerId"`
	At         string       `json:"at"`
	Known      string       `json:"known"`
	Purpose    string       `json:"purpose"` // empty: the program's own
	Role       string       `json:"role"`
	Cells      []cellAnswer `json:"cells"`
}

// cellAnswer is one feature.
type cellAnswer struct {
	Feature    string          `json:"feature"` // view.feature
	Type       string          `json:"type"`
	Status     string          `json:"status"`
	Value      json.RawMessage `json:"value"`      // null unless PRESENT
	EventTime  string          `json:"eventTime"`  // empty: always, or nothing was found
	ValidTo    string          `json:"validTo"`    // empty: open, or nothing was found
	AgeSeconds *int64          `json:"ageSeconds"` // null where there is no event time
}

func newAsOfAnswer(customerID string, a features.AsOf, r view.Request, cells []view.Cell, types []view.Type) asOfAnswer {
	out := asOfAnswer{
		CustomerID: customerID, At: a.At.String(), Known: a.Known.String(), Purpose: r.Purpose, Role: r.Role.String(),
		Cells: make([]cellAnswer, len(cells)),
	}
	for i := range cells {
		c := &cells[i]
		answer := cellAnswer{Feature: c.String(), Type: types[i].String(), Status: c.Status.String(), Value: json.RawMessage("null")}
		if c.Status == view.Present {
			answer.Value = c.Value.AppendJSON(nil)
		}
		if c.From > 0 {
			age := int64(a.At-c.From) / int64(time.Second/time.Microsecond)
			answer.EventTime, answer.AgeSeconds = c.From.String(), &age
		}
		if c.To > 0 && c.To < fund.Forever {
			answer.ValidTo = c.To.String()
		}
		out.Cells[i] = answer
	}
	return out
}

// shownValue is the most of a value that a line shows, in characters.
const shownValue = 60

func (p *program) printAsOf(a *asOfAnswer) error {
	var c card
	c.line(0, "%s as of %s, as known at %s", a.CustomerID, a.At, a.Known)
	width := len("FEATURE")
	for i := range a.Cells {
		width = max(width, utf8.RuneCountInString(a.Cells[i].Feature))
	}
	c.line(0, "%-*s  %-17s  %-25s  %-25s  %-9s  %s", width, "FEATURE", "STATUS", "SINCE", "UNTIL", "AGE", "VALUE")
	for i := range a.Cells {
		x := &a.Cells[i]
		value := ""
		if x.Status == view.Present.String() {
			value = string(x.Value)
		}
		if r := []rune(value); len(r) > shownValue {
			value = string(r[:shownValue]) + "..."
		}
		c.line(0, "%-*s  %-17s  %-25s  %-25s  %-9s  %s", width, x.Feature, x.Status, x.EventTime, x.ValidTo, ageText(x.AgeSeconds), value)
	}
	return c.writeTo(p.stdout)
}

// ageText is an age in the unit that people would say it in.
func ageText(seconds *int64) string {
	if seconds == nil {
		return ""
	}
	age := time.Duration(*seconds) * time.Second
	switch {
	case age >= 48*time.Hour:
		return fmt.Sprintf("%dd", int64(age/(24*time.Hour)))
	case age >= 2*time.Hour:
		return fmt.Sprintf("%dh", int64(age/time.Hour))
	case age >= 2*time.Minute:
		return fmt.Sprintf("%dmin", int64(age/time.Minute))
	}
	return fmt.Sprintf("%ds", int64(age/time.Second))
}
